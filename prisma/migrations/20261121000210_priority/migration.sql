-- Priority of the runs that a schedule starts: 1 (first) to 5; null = the usual one. A run has its own in its first event.
ALTER TABLE workflow_schedule ADD COLUMN priority smallint CHECK (priority BETWEEN 1 AND 5);
