-- Saved views of the list of runs: a name for filters, columns and an order. Private to whoever made it, or shared.
CREATE TABLE saved_view (
    view_id          uuid PRIMARY KEY,
    organization_id  uuid NOT NULL,
    name             text NOT NULL,
    owner            text NOT NULL,
    shared           boolean NOT NULL,
    filters          json NOT NULL,
    columns          json NOT NULL,
    sort             json NOT NULL,
    -- Counts changes: what an ETag is made of.
    version          integer NOT NULL DEFAULT 1,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    updated_at       timestamptz(3) NOT NULL DEFAULT now()
);
-- A shared name is there once in the organisation, a private one once for its owner.
CREATE UNIQUE INDEX saved_view_shared_name ON saved_view (organization_id, name) WHERE shared;
CREATE UNIQUE INDEX saved_view_private_name ON saved_view (organization_id, owner, name) WHERE NOT shared;

ALTER TABLE saved_view ENABLE ROW LEVEL SECURITY;
ALTER TABLE saved_view FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON saved_view TO oc_app USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization());
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_view TO oc_app;
