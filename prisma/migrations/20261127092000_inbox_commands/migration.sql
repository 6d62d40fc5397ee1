-- Commands are found without passing over the starts of runs, of which any number can wait before them.
CREATE INDEX workflow_inbox_command ON workflow_inbox (organization_id, id)
    WHERE event_type <> 'WORKFLOW_EXECUTION_STARTED';
