-- Bulk operations: one command to every run that a filter finds, worked off in chunks by whichever process is there.

CREATE TABLE bulk_operation (
    bulk_id          uuid PRIMARY KEY,
    organization_id  uuid NOT NULL,
    action           text NOT NULL CHECK (action IN ('pause', 'resume', 'cancel', 'terminate', 'signal')),
    filter           json NOT NULL,
    reason           text,
    signal_name      text,
    signal_payload   json,
    state            text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'cancelled')),
    -- Runs that fitted when it was asked for; runs made later are not among them.
    matched          integer NOT NULL,
    done             integer NOT NULL DEFAULT 0,
    failed           integer NOT NULL DEFAULT 0,
    -- The first failures: [{"runId", "code", "message"}, ...]
    failures         json NOT NULL DEFAULT '[]',
    -- The last run dealt with: run ids are worked off in rising order, up to `until_run_id`.
    after_run_id     uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    until_run_id     uuid NOT NULL,
    -- The chunk under way: [{"runId", "shard"}, ...]. Noted before it is sent, for runs that have the command may no
    -- longer fit the filter when a crash makes somebody send it again.
    chunk            json,
    actor_kind       text NOT NULL,
    actor_id         text NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    touched_at       timestamptz(3) NOT NULL DEFAULT now(),
    finished_at      timestamptz(3)
) WITH (fillfactor = 80);
CREATE INDEX bulk_operation_running ON bulk_operation (touched_at) WHERE state = 'running';
CREATE INDEX bulk_operation_list ON bulk_operation (organization_id, bulk_id DESC);

ALTER TABLE bulk_operation ENABLE ROW LEVEL SECURITY;
ALTER TABLE bulk_operation FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON bulk_operation TO oc_app USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization());
CREATE POLICY engine ON bulk_operation TO oc_engine USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON bulk_operation TO oc_app, oc_engine;
