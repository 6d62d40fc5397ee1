-- Bulk operations can also retry runs that ended badly, as new runs of their chains.
ALTER TABLE bulk_operation DROP CONSTRAINT bulk_operation_action_check;
ALTER TABLE bulk_operation ADD CONSTRAINT bulk_operation_action_check
    CHECK (action IN ('pause', 'resume', 'cancel', 'terminate', 'signal', 'retry'));
