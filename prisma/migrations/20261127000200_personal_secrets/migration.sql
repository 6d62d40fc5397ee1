-- Values of persons for ${secret:NAME} at servers with `credentials: user`: sealed by the application before they come
-- here. Who is no member any more has none.
CREATE TABLE personal_secret (
    organization_id  uuid NOT NULL,
    user_id          uuid NOT NULL,
    name             text NOT NULL,
    sealed           bytea NOT NULL,
    updated_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, user_id, name),
    FOREIGN KEY (organization_id, user_id) REFERENCES member (organization_id, user_id) ON DELETE CASCADE
);

ALTER TABLE personal_secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE personal_secret FORCE ROW LEVEL SECURITY;
CREATE POLICY owner ON personal_secret TO oc_owner USING (true) WITH CHECK (true);
CREATE POLICY tenant ON personal_secret TO oc_app USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization());

GRANT SELECT, INSERT, UPDATE, DELETE ON personal_secret TO oc_app;

-- Who leaves an organisation leaves nothing behind with which servers could be called in their name.
CREATE FUNCTION forget_member() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM oauth_record WHERE organization_id = OLD.organization_id AND subject = OLD.user_id::text;
    RETURN OLD;
END $$;
CREATE TRIGGER forget_member AFTER DELETE ON member FOR EACH ROW EXECUTE FUNCTION forget_member();
