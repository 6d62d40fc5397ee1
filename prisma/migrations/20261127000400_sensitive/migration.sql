-- What is sensitive in the runs of a definition: paths from its own list and from the schemas that it knows of. No row: nothing.
CREATE TABLE definition_mask (
    organization_id  uuid NOT NULL,
    hash             text NOT NULL,
    paths            json NOT NULL,
    PRIMARY KEY (organization_id, hash)
);

ALTER TABLE definition_mask ENABLE ROW LEVEL SECURITY;
ALTER TABLE definition_mask FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON definition_mask TO oc_app USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization());
CREATE POLICY engine ON definition_mask TO oc_engine USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE ON definition_mask TO oc_app;
GRANT SELECT ON definition_mask TO oc_engine;

-- Definitions from before whose schemas may mark something: NULL inside means that the definition itself has to be looked at.
INSERT INTO definition_mask (organization_id, hash, paths)
SELECT organization_id, hash, 'null'::json FROM workflow_definition
WHERE definition::text LIKE '%"writeOnly"%' OR definition::text LIKE '%"x-sensitive"%';
