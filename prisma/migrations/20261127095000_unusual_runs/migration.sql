-- Runs in one of the states that few runs are in: those that failed, timed out, were cancelled or given up, those that are paused.
-- Without it, whoever asks for them reads all runs of the organisation. The common run is `running` and then `completed`: it adds
-- nothing to this index and pays nothing for it. Open runs are found by workflow_run_open_workflow_id.
CREATE INDEX workflow_run_unusual ON workflow_run (organization_id, status, run_id DESC)
    WHERE status NOT IN ('running', 'completed');
