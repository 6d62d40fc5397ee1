-- Commands are found without passing over the starts of runs, of which any number can wait before them.
CREATE INDEX workflow_inbox_command ON workflow_inbox (organization_id, id)
    WHERE event_type <> 'WORKFLOW_EXECUTION_STARTED';

-- What a new run is measured by: every run of the organisation, hidden or not, counted up to a limit and no further. With the
-- owner's rights, as `counted_runs`.
CREATE FUNCTION open_runs(most integer) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT count(*)::int FROM (
            SELECT FROM workflow_run WHERE organization_id = current_organization() AND closed_at IS NULL LIMIT most
        ) AS r
    $$;
CREATE FUNCTION runs_today(most integer) RETURNS integer
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT count(*)::int FROM (
            SELECT FROM workflow_run WHERE organization_id = current_organization()
             AND run_id >= uuidv7_floor(date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') LIMIT most
        ) AS r
    $$;
REVOKE ALL ON FUNCTION open_runs(integer), runs_today(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_runs(integer), runs_today(integer) TO oc_app;
