-- How much an organisation may use. No row, or NULL in it, means no limit.
CREATE TABLE organization_quota (
    organization_id    uuid PRIMARY KEY,
    max_open_runs      integer CHECK (max_open_runs >= 0),
    max_runs_per_day   integer CHECK (max_runs_per_day >= 0),
    max_servers        integer CHECK (max_servers >= 0),
    max_storage_bytes  bigint CHECK (max_storage_bytes >= 0),
    updated_by         text NOT NULL,
    updated_at         timestamptz(3) NOT NULL DEFAULT now()
);

ALTER TABLE organization_quota ENABLE ROW LEVEL SECURITY;
ALTER TABLE organization_quota FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON organization_quota TO oc_app USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization());
CREATE POLICY engine ON organization_quota TO oc_engine USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON organization_quota TO oc_app;
GRANT SELECT ON organization_quota TO oc_engine;
