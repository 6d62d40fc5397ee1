-- Sharing: who reaches one workflow or one view, beside what roles say of all of them.

-- Without a row an object is governed by roles alone. `restricted`: only its shares, its creator and administrators reach it.
CREATE TABLE object_sharing (
    organization_id  uuid NOT NULL,
    kind             text NOT NULL CHECK (kind ~ '^[a-z][a-z-]{0,39}$'),
    -- Name of the workflow, id of the view.
    object           text NOT NULL,
    restricted       boolean NOT NULL DEFAULT false,
    -- Whoever made the object; a restriction does not touch them.
    creator          text,
    -- Counts changes: what an ETag is made of.
    version          integer NOT NULL DEFAULT 1,
    updated_by       text NOT NULL,
    updated_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, kind, object)
);

CREATE TABLE object_share (
    organization_id  uuid NOT NULL,
    kind             text NOT NULL,
    object           text NOT NULL,
    subject_kind     text NOT NULL CHECK (subject_kind IN ('user', 'team', 'everyone')),
    -- Id of the user or team; empty for everyone.
    subject          text NOT NULL,
    level            text NOT NULL CHECK (level IN ('read', 'write', 'admin')),
    created_by       text NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, kind, object, subject_kind, subject),
    FOREIGN KEY (organization_id, kind, object) REFERENCES object_sharing (organization_id, kind, object) ON DELETE CASCADE
);
CREATE INDEX object_share_subject ON object_share (organization_id, subject_kind, subject);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['object_sharing', 'object_share'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner ON %I TO oc_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO oc_app USING (organization_id = current_organization()) '
            'WITH CHECK (organization_id = current_organization())', t);
    END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON object_sharing, object_share TO oc_app;

-- Whoever leaves, and a team that is dissolved, leaves no share behind, whichever way they go. With the owner's rights,
-- because the identity tables' role has none on these.
CREATE FUNCTION forget_shares() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
DECLARE
    who text := CASE TG_TABLE_NAME WHEN 'member' THEN to_jsonb(OLD) ->> 'user_id' ELSE to_jsonb(OLD) ->> 'id' END;
BEGIN
    WITH gone AS (
        DELETE FROM object_share s
        WHERE s.organization_id = OLD.organization_id AND s.subject = who
          AND s.subject_kind = CASE TG_TABLE_NAME WHEN 'member' THEN 'user' ELSE 'team' END
        RETURNING s.kind, s.object
    )
    UPDATE object_sharing o SET version = o.version + 1, updated_at = now()
    FROM gone WHERE o.organization_id = OLD.organization_id AND o.kind = gone.kind AND o.object = gone.object;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION forget_shares() FROM PUBLIC;
CREATE TRIGGER forget_shares AFTER DELETE ON member FOR EACH ROW EXECUTE FUNCTION forget_shares();
CREATE TRIGGER forget_shares AFTER DELETE ON team FOR EACH ROW EXECUTE FUNCTION forget_shares();

-- Roles of an organisation's own that manage members stand where administrators stand: they share as well.
UPDATE organization_role SET permissions = permissions || ARRAY['workflows:share', 'views:share'], updated_at = now()
WHERE permissions @> ARRAY['workflows:write', 'views:write', 'users:manage'];

-- ── The second wall ─────────────────────────────────────────────────────────────────────────────────────────────
-- Names of workflows that whoever asks does not reach, said for one transaction as the organisation is; empty when it is
-- not said. Below, each policy reads it once a statement (a scalar subquery), so that nothing hidden costs nothing.

CREATE FUNCTION hidden_workflows() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
        SELECT coalesce(array_agg(name), '{}')
        FROM json_array_elements_text(coalesce(nullif(current_setting('app.hidden_workflows', true), ''), '[]')::json) AS h(name)
    $$;

CREATE POLICY hidden ON workflow_version AS RESTRICTIVE TO oc_app
    USING (name <> ALL ((SELECT hidden_workflows())::text[]));
CREATE POLICY hidden ON workflow_run AS RESTRICTIVE TO oc_app
    USING (workflow <> ALL ((SELECT hidden_workflows())::text[]));
CREATE POLICY hidden ON workflow_schedule AS RESTRICTIVE TO oc_app
    USING (workflow <> ALL ((SELECT hidden_workflows())::text[]));
CREATE POLICY hidden ON webhook_out AS RESTRICTIVE TO oc_app
    USING (coalesce(workflow, '') <> ALL ((SELECT hidden_workflows())::text[]));
-- The name is inside json, of which nothing can be taken when it holds \u0000: then rather hidden than shown.
CREATE POLICY hidden ON webhook_in AS RESTRICTIVE TO oc_app
    USING ((SELECT cardinality(hidden_workflows())) = 0 OR CASE WHEN position('\u0000' IN action::text) = 0
        THEN coalesce(action ->> 'workflow', '') <> ALL ((SELECT hidden_workflows())::text[]) ELSE false END);
CREATE POLICY hidden ON bulk_operation AS RESTRICTIVE TO oc_app
    USING ((SELECT cardinality(hidden_workflows())) = 0 OR CASE WHEN position('\u0000' IN filter::text) = 0
        THEN coalesce(filter ->> 'workflow', '') <> ALL ((SELECT hidden_workflows())::text[]) ELSE false END);

CREATE POLICY hidden ON webhook_out_delivery AS RESTRICTIVE TO oc_app
    USING ((SELECT cardinality(hidden_workflows())) = 0 OR CASE WHEN position('\u0000' IN payload::text) = 0
        THEN coalesce(payload #>> '{data,workflow}', '') <> ALL ((SELECT hidden_workflows())::text[]) ELSE false END);
-- Whoever made a subscription is not told what they do not see.
GRANT SELECT (created_by) ON webhook_out TO oc_engine;

-- What hangs on runs is seen when the run is: the subquery is under the policy of workflow_run itself.
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['workflow_event', 'workflow_payload', 'idempotency_record'] LOOP
        EXECUTE format(
            'CREATE POLICY hidden ON %I AS RESTRICTIVE TO oc_app USING ('
            '(SELECT cardinality(hidden_workflows())) = 0 OR '
            'EXISTS (SELECT 1 FROM workflow_run r WHERE r.run_id = %I.run_id))', t, t);
    END LOOP;
END $$;

-- Quotas count every run, hidden or not. With the owner's rights, because under the policies above a count would have to look
-- at the name of each run's workflow, which no index of runs by time holds.
CREATE FUNCTION counted_runs(OUT open_runs integer, OUT runs_today integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT (SELECT count(*) FROM workflow_run
                WHERE organization_id = current_organization() AND closed_at IS NULL)::int,
            (SELECT count(*) FROM workflow_run WHERE organization_id = current_organization()
             AND run_id >= uuidv7_floor(date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'))::int
    $$;
REVOKE ALL ON FUNCTION counted_runs() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION counted_runs() TO oc_app;
