-- Ways to find runs that the first migration has no index for. Each index is partial, so that the common run (no
-- chain, no parent, a workflow id of its own making, nobody asked) adds nothing to it and pays nothing for it.

-- The next runs of a chain: retry, rerun, restart, continue-as-new.
CREATE INDEX workflow_run_next ON workflow_run (organization_id, previous_run_id, run_id)
    WHERE previous_run_id IS NOT NULL;

CREATE INDEX workflow_run_children ON workflow_run (organization_id, parent_run_id, run_id DESC)
    WHERE parent_run_id IS NOT NULL;

-- Every run of a workflow id. A run that was started without one has its own run id there and is found by that.
CREATE INDEX workflow_run_chain ON workflow_run (organization_id, workflow_id, run_id DESC)
    WHERE workflow_id <> run_id::text;

-- Runs that ever asked people for something: where the list of tasks begins.
CREATE INDEX workflow_event_asking ON workflow_event (organization_id, run_id)
    WHERE type IN ('APPROVAL_REQUESTED', 'ACTIVITY_TASK_OUTCOME_UNKNOWN');
