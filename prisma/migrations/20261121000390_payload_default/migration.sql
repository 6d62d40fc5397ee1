-- Payloads that lie in the default partition, because their week had no partition of its own when they were written, neither
-- stand in the way of new partitions nor outlive their run.

CREATE OR REPLACE FUNCTION ensure_payload_partitions() RETURNS integer
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
            BEGIN
                EXECUTE format('CREATE TABLE %I PARTITION OF workflow_payload FOR VALUES FROM (%L) TO (%L)',
                    name, part.low, part.high);
                EXECUTE format('ALTER TABLE %I ALTER COLUMN body SET STORAGE EXTERNAL', name);
                made := made + 1;
            EXCEPTION WHEN check_violation THEN
                -- Rows of that week are in the default partition: they stay there, and so do those that follow.
                NULL;
            END;
        END IF;
    END LOOP;
    RETURN made;
END $$;

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
    DELETE FROM workflow_payload_default WHERE run_id >= part.low AND run_id < part.high;
    RETURN true;
END $$;
