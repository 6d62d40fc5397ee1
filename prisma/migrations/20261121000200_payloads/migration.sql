-- Large parts of tools' answers (images, sound, files, long text), stored apart from the histories that refer to them.

-- Content-addressed within a run: a run holds each content once. Partitioned as the events are, by range of run_id, so
-- that retention drops them with the run's week.
CREATE TABLE workflow_payload (
    run_id           uuid NOT NULL,
    sha256           text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    organization_id  uuid NOT NULL,
    mime_type        text NOT NULL,
    bytes            integer NOT NULL,
    body             bytea NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, sha256)
) PARTITION BY RANGE (run_id);
-- Pictures and sound are compressed already; uncompressed, a piece in the middle can be read without the rest.
ALTER TABLE workflow_payload ALTER COLUMN body SET STORAGE EXTERNAL;
-- Where a content is, whichever run of the organisation has it: a run that is handed a reference gets a copy of its own.
CREATE INDEX workflow_payload_content ON workflow_payload (organization_id, sha256);

CREATE TABLE workflow_payload_default PARTITION OF workflow_payload DEFAULT;
ALTER TABLE workflow_payload_default ALTER COLUMN body SET STORAGE EXTERNAL;

ALTER TABLE workflow_payload ENABLE ROW LEVEL SECURITY;
ALTER TABLE workflow_payload FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON workflow_payload TO oc_app USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization());
CREATE POLICY engine ON workflow_payload TO oc_engine USING (true) WITH CHECK (true);
GRANT SELECT ON workflow_payload TO oc_app;
GRANT SELECT, INSERT ON workflow_payload TO oc_engine;

-- A payload partition for each event partition, with the same bounds.
CREATE FUNCTION ensure_payload_partitions() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
DECLARE
    part   record;
    name   text;
    made   integer := 0;
BEGIN
    FOR part IN SELECT * FROM event_partitions() LOOP
        name := replace(part.name, 'workflow_event_', 'workflow_payload_');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF workflow_payload FOR VALUES FROM (%L) TO (%L)',
                name, part.low, part.high);
            EXECUTE format('ALTER TABLE %I ALTER COLUMN body SET STORAGE EXTERNAL', name);
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION ensure_payload_partitions() FROM PUBLIC;

-- As before, and the payload partitions with them. Processes of the version before call it too.
CREATE OR REPLACE FUNCTION ensure_event_partitions(weeks_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
DECLARE
    week   timestamptz;
    name   text;
    made   integer := 0;
BEGIN
    FOR i IN -1..weeks_ahead LOOP
        week := date_trunc('week', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(weeks => i);
        name := 'workflow_event_' || to_char(week AT TIME ZONE 'UTC', 'IYYY"w"IW');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF workflow_event FOR VALUES FROM (%L) TO (%L)',
                name, uuidv7_floor(week), uuidv7_floor(week + interval '1 week'));
            made := made + 1;
        END IF;
    END LOOP;
    PERFORM ensure_payload_partitions();
    RETURN made;
END $$;

-- As before; the payloads of the week go with its events.
CREATE OR REPLACE FUNCTION drop_event_partition(partition text, before timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
DECLARE
    part record;
BEGIN
    SELECT * INTO part FROM event_partitions() p WHERE p.name = partition AND p.high <= uuidv7_floor(before);
    IF part IS NULL OR EXISTS (SELECT 1 FROM workflow_run WHERE run_id >= part.low AND run_id < part.high) THEN
        RETURN false;
    END IF;
    -- Dropping locks the whole event table for a moment. Rather try again next time than hold up every run behind
    -- a long read.
    SET LOCAL lock_timeout = '2s';
    EXECUTE format('DROP TABLE %I', part.name);
    EXECUTE format('DROP TABLE IF EXISTS %I', replace(part.name, 'workflow_event_', 'workflow_payload_'));
    RETURN true;
END $$;

SELECT ensure_payload_partitions();
