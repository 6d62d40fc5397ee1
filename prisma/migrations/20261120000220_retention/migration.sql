-- Retention: runs that closed long ago are dropped a week at a time.

-- The owner of the tables sees every row, also where row-level security is forced: its functions (below) and backups
-- would otherwise take an empty view for an empty table. migrate.ts does the same for tables of later migrations.
DO $$
DECLARE
    t regclass;
BEGIN
    FOR t IN SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relforcerowsecurity
          AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'owner')
    LOOP
        EXECUTE format('CREATE POLICY owner ON %s TO oc_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

-- What belongs to the runs of a week is found by range. Rows come in the order of time, so the smallest kind of
-- index will do, and writing pays next to nothing for it.
CREATE INDEX idempotency_record_run ON idempotency_record USING brin (run_id uuid_minmax_ops);
CREATE INDEX stream_entry_created ON stream_entry USING brin (created_at);

-- Weekly event partitions with the range of run ids that each holds.
CREATE FUNCTION event_partitions() RETURNS TABLE (name text, low uuid, high uuid)
    LANGUAGE sql STABLE SET search_path = public, pg_temp
    AS $$
        SELECT c.relname::text, (b.bound)[1]::uuid, (b.bound)[2]::uuid
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        CROSS JOIN LATERAL
            regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''([^'']+)''\) TO \(''([^'']+)''\)') AS b(bound)
        WHERE i.inhparent = 'workflow_event'::regclass AND b.bound IS NOT NULL
        ORDER BY 2
    $$;

-- The oldest partition whose every run began and closed before `before`; no row when there is none.
CREATE FUNCTION expired_event_partition(before timestamptz) RETURNS TABLE (name text, low uuid, high uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT p.name, p.low, p.high FROM event_partitions() p
        WHERE p.high <= uuidv7_floor(before) AND NOT EXISTS (
            SELECT 1 FROM workflow_run r
            WHERE r.run_id >= p.low AND r.run_id < p.high AND (r.closed_at IS NULL OR r.closed_at >= before))
        ORDER BY p.low LIMIT 1
    $$;

-- Drops a partition that has expired and whose runs are gone already. False, and nothing done, in any other case.
CREATE FUNCTION drop_event_partition(partition text, before timestamptz) RETURNS boolean
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
    RETURN true;
END $$;

REVOKE ALL ON FUNCTION event_partitions(), expired_event_partition(timestamptz), drop_event_partition(text, timestamptz)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION event_partitions(), expired_event_partition(timestamptz),
    drop_event_partition(text, timestamptz) TO oc_engine;
