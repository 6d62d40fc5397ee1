-- What an organisation has set for itself, one row each: {"tools.changes":"block", ...}. What is not there has its default.
CREATE TABLE organization_setting (
    organization_id  uuid PRIMARY KEY,
    "values"         json NOT NULL,
    -- Counts changes: what an ETag is made of.
    version          integer NOT NULL,
    updated_by       text NOT NULL,
    updated_at       timestamptz(3) NOT NULL DEFAULT now()
);

ALTER TABLE organization_setting ENABLE ROW LEVEL SECURITY;
ALTER TABLE organization_setting FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON organization_setting TO oc_app USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization());
GRANT SELECT, INSERT, UPDATE, DELETE ON organization_setting TO oc_app;
