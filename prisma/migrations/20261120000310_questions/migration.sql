-- Runs that ask people something: also by a question of a server.
DROP INDEX workflow_event_asking;
CREATE INDEX workflow_event_asking ON workflow_event (organization_id, run_id)
    WHERE type IN ('APPROVAL_REQUESTED', 'ACTIVITY_TASK_OUTCOME_UNKNOWN', 'ACTIVITY_TASK_INPUT_REQUIRED');
