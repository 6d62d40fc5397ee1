-- The audit log as one hash chain an organisation, sealed in batches, and where a write came from.

ALTER TABLE audit_entry ADD COLUMN source text;

CREATE UNIQUE INDEX audit_entry_chain ON audit_entry (organization_id, chain_seq) WHERE chain_seq IS NOT NULL;
CREATE INDEX audit_entry_unsealed ON audit_entry (organization_id, at, id) WHERE hash IS NULL;

-- The end of each chain. Its row is the lock of a sealing batch.
CREATE TABLE audit_chain (
    organization_id  uuid PRIMARY KEY,
    last_seq         bigint NOT NULL DEFAULT 0,
    last_hash        text NOT NULL DEFAULT '',
    sealed_at        timestamptz(3) NOT NULL DEFAULT now()
);

ALTER TABLE audit_chain ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_chain FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_chain TO oc_app USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization());
CREATE POLICY engine ON audit_chain TO oc_engine USING (true) WITH CHECK (true);

GRANT SELECT ON audit_chain TO oc_app;
GRANT SELECT, INSERT, UPDATE ON audit_chain TO oc_engine;
-- Sealing writes these three columns of an entry and no other.
GRANT UPDATE (chain_seq, previous_hash, hash) ON audit_entry TO oc_engine;

-- A sealed entry stays as it is, whoever may update the table.
CREATE FUNCTION audit_entry_is_sealed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'entry % of the audit log is sealed', OLD.id USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER audit_entry_sealed BEFORE UPDATE ON audit_entry
    FOR EACH ROW WHEN (OLD.hash IS NOT NULL) EXECUTE FUNCTION audit_entry_is_sealed();

-- Search, newest first.
CREATE INDEX audit_entry_newest ON audit_entry (organization_id, at DESC, id DESC);
