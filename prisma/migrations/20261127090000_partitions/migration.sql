-- Weekly partitions are made whatever the time zone of the session is, and whatever lies in the way of one of them.

-- What of the weeks from last week to `weeks_ahead` weeks from now no event partition holds yet. It goes by what they hold, not by
-- their names: where a session's time zone changes its clocks, partitions of weeks after the change were made with bounds an hour
-- off, under the name of the week before in spring, and the week between was not made at all.
CREATE FUNCTION missing_event_partitions(weeks_ahead integer) RETURNS TABLE (name text, low uuid, high uuid)
    LANGUAGE sql STABLE SET search_path = public, pg_temp
    AS $$
        WITH part AS MATERIALIZED (SELECT p.low, p.high FROM event_partitions() p),
        -- Without a time zone until the end: a week of timestamptz is as long as the session's clocks make it.
        monday AS (
            SELECT date_trunc('week', now() AT TIME ZONE 'UTC') + make_interval(weeks => i) AS at
            FROM generate_series(-1, weeks_ahead) AS i
        ), week AS (
            SELECT 'workflow_event_' || to_char(at, 'IYYY"w"IW') AS name,
                uuidv7_floor(at AT TIME ZONE 'UTC') AS low,
                uuidv7_floor((at + interval '7 days') AT TIME ZONE 'UTC') AS high
            FROM monday
        )
        SELECT
            CASE WHEN gap.low = week.low AND to_regclass(week.name) IS NULL THEN week.name
                ELSE week.name || '_' || left(replace(gap.low::text, '-', ''), 12) END,
            gap.low,
            LEAST(week.high, (SELECT p.low FROM part p WHERE p.low > gap.low ORDER BY p.low LIMIT 1))
        FROM week
        CROSS JOIN LATERAL (
            SELECT week.low UNION SELECT p.high FROM part p WHERE p.high > week.low AND p.high < week.high
        ) AS gap(low)
        WHERE NOT EXISTS (SELECT 1 FROM part p WHERE p.low <= gap.low AND gap.low < p.high)
        ORDER BY 2
    $$;
REVOKE ALL ON FUNCTION missing_event_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION missing_event_partitions(integer) TO oc_engine;

-- As before, but one week that cannot be made no longer stops those after it, and a long read no longer holds up whoever waits
-- behind the lock on the default partition: better to try again next time. Processes of the version before call it too.
CREATE OR REPLACE FUNCTION ensure_event_partitions(weeks_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s'
    AS $$
DECLARE
    part   record;
    made   integer := 0;
BEGIN
    -- One process at a time: two that have both looked into the default partition would wait for each other to lock it.
    PERFORM pg_advisory_xact_lock(7263011560);
    FOR part IN SELECT * FROM missing_event_partitions(weeks_ahead) LOOP
        -- Events of that week are in the default partition (a host's clock was ahead, say): they stay there, and so do those
        -- that follow. Looked up first, because Postgres would read the whole default partition under a lock to find out.
        CONTINUE WHEN EXISTS (SELECT 1 FROM workflow_event_default WHERE run_id >= part.low AND run_id < part.high);
        BEGIN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF workflow_event FOR VALUES FROM (%L) TO (%L)', part.name, part.low, part.high);
            made := made + 1;
        EXCEPTION WHEN check_violation OR invalid_object_definition THEN
            -- An event of that week has come in between.
            NULL;
        END;
    END LOOP;
    PERFORM ensure_payload_partitions();
    RETURN made;
END $$;

-- As before, without reading the whole default partition under a lock, at every round, for a week that has payloads there.
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
        CONTINUE WHEN to_regclass(name) IS NOT NULL
            OR EXISTS (SELECT 1 FROM workflow_payload_default WHERE run_id >= part.low AND run_id < part.high);
        BEGIN
            EXECUTE format('CREATE TABLE %I PARTITION OF workflow_payload FOR VALUES FROM (%L) TO (%L)',
                name, part.low, part.high);
            EXECUTE format('ALTER TABLE %I ALTER COLUMN body SET STORAGE EXTERNAL', name);
            made := made + 1;
        EXCEPTION WHEN check_violation OR invalid_object_definition THEN
            -- Rows of that week are in the default partition: they stay there, and so do those that follow.
            NULL;
        END;
    END LOOP;
    RETURN made;
END $$;
