-- Teams of an organisation, and users and groups that a directory keeps over SCIM 2.0. All of it belongs to oc_auth alone.
-- The scim_ tables but scim_token have the shape that @better-auth/scim wants; `connection_id` in them is the organisation:
-- every organisation is one connection, whatever token it is reached with.

CREATE TABLE scim_token (
    id               text PRIMARY KEY,
    organization_id  uuid NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    name             text NOT NULL,
    -- The first characters, to tell tokens apart.
    start            text NOT NULL,
    hash             text NOT NULL UNIQUE,
    -- What its maker was allowed: the directory ends no membership that its maker could not have ended.
    permissions      text[] NOT NULL,
    created_by       uuid REFERENCES app_user (id) ON DELETE SET NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    expires_at       timestamptz(3),
    last_used_at     timestamptz(3)
);
CREATE INDEX scim_token_organization ON scim_token (organization_id);

CREATE TABLE scim_connection_binding (
    id                                  text PRIMARY KEY,
    connection_id                       text NOT NULL,
    connection_key                      text NOT NULL UNIQUE,
    provisioning_domain_id              text NOT NULL,
    created_at                          timestamptz(3) NOT NULL,
    decommissioned_at                   timestamptz(3),
    decommission_status                 text NOT NULL DEFAULT 'active',
    decommission_cursor_user_id         text,
    decommission_reconciled_user_count  integer NOT NULL DEFAULT 0,
    decommission_batch_count            integer NOT NULL DEFAULT 0,
    decommission_revision               integer NOT NULL DEFAULT 0,
    decommission_completed_at           timestamptz(3),
    decommission_lease_id               text,
    decommission_lease_expires_at       timestamptz(3)
);
CREATE INDEX scim_connection_binding_connection ON scim_connection_binding (connection_id);

CREATE TABLE scim_identity_tombstone (
    id                      text PRIMARY KEY,
    connection_id           text NOT NULL,
    provisioning_domain_id  text NOT NULL,
    external_id             text NOT NULL,
    external_id_key         text NOT NULL UNIQUE,
    user_id                 uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    profile                 text NOT NULL,
    deleted_at              timestamptz(3) NOT NULL
);
CREATE INDEX scim_identity_tombstone_user ON scim_identity_tombstone (user_id);

CREATE TABLE scim_subject (
    id                 text PRIMARY KEY,
    user_id            uuid NOT NULL UNIQUE REFERENCES app_user (id) ON DELETE CASCADE,
    profile_source_id  text,
    revision           integer NOT NULL,
    created_at         timestamptz(3) NOT NULL,
    updated_at         timestamptz(3) NOT NULL
);

CREATE TABLE scim_user (
    id                      text PRIMARY KEY,
    connection_id           text NOT NULL,
    provisioning_domain_id  text NOT NULL,
    user_id                 uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    connection_user_key     text NOT NULL UNIQUE,
    user_name               text NOT NULL,
    user_name_key           text NOT NULL UNIQUE,
    primary_email           text NOT NULL,
    work_email_value_index  text NOT NULL,
    email_value_index       text NOT NULL,
    display_name            text NOT NULL,
    formatted_name          text NOT NULL,
    given_name              text,
    family_name             text,
    serialized_emails       text NOT NULL,
    serialized_attributes   text,
    external_id             text,
    external_id_key         text UNIQUE,
    active                  boolean NOT NULL,
    order_key               text NOT NULL UNIQUE,
    created_at              timestamptz(3) NOT NULL,
    updated_at              timestamptz(3) NOT NULL
);
CREATE INDEX scim_user_connection ON scim_user (connection_id, order_key);
CREATE INDEX scim_user_user ON scim_user (user_id);

CREATE TABLE scim_projection_grant (
    id                      text PRIMARY KEY,
    connection_id           text NOT NULL,
    provisioning_domain_id  text NOT NULL,
    scim_user_id            text NOT NULL REFERENCES scim_user (id) ON DELETE CASCADE,
    user_id                 uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    source_kind             text NOT NULL,
    source_id               text NOT NULL,
    source_value            text,
    role                    text NOT NULL,
    grant_key               text NOT NULL UNIQUE,
    created_at              timestamptz(3) NOT NULL,
    updated_at              timestamptz(3) NOT NULL
);
CREATE INDEX scim_projection_grant_user ON scim_projection_grant (user_id);
CREATE INDEX scim_projection_grant_scim_user ON scim_projection_grant (scim_user_id);

CREATE TABLE scim_group (
    id                      text PRIMARY KEY,
    connection_id           text NOT NULL,
    provisioning_domain_id  text NOT NULL,
    revision                integer NOT NULL DEFAULT 0,
    display_name            text NOT NULL,
    display_name_key        text NOT NULL UNIQUE,
    external_id             text,
    external_id_key         text UNIQUE,
    order_key               text NOT NULL UNIQUE,
    created_at              timestamptz(3) NOT NULL,
    updated_at              timestamptz(3) NOT NULL
);
CREATE INDEX scim_group_connection ON scim_group (connection_id, order_key);

CREATE TABLE scim_group_member (
    id              text PRIMARY KEY,
    connection_id   text NOT NULL,
    group_id        text NOT NULL REFERENCES scim_group (id) ON DELETE CASCADE,
    scim_user_id    text NOT NULL REFERENCES scim_user (id) ON DELETE CASCADE,
    membership_key  text NOT NULL UNIQUE,
    created_at      timestamptz(3) NOT NULL
);
CREATE INDEX scim_group_member_group ON scim_group_member (group_id);
CREATE INDEX scim_group_member_user ON scim_group_member (scim_user_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON scim_token, scim_connection_binding, scim_identity_tombstone, scim_subject,
    scim_user, scim_projection_grant, scim_group, scim_group_member TO oc_auth;

-- Teams are found by name, and a user is in each once. Nothing has written here before: its endpoints were closed.
CREATE UNIQUE INDEX team_name ON team (organization_id, lower(name));
CREATE UNIQUE INDEX team_member_once ON team_member (team_id, user_id);
CREATE INDEX team_member_user ON team_member (user_id);
-- Set for the team of a group in the directory: it is as the directory says, and goes with the group.
ALTER TABLE team ADD COLUMN scim_group_id text UNIQUE REFERENCES scim_group (id) ON DELETE CASCADE;

-- What follows holds for every way into and out of an organisation, whoever writes it: this application, better-auth, SCIM.

-- Whoever joins comes back into the teams that the directory names them in. And no directory keeps the name and address of
-- somebody who belongs to another organisation too: with the address it could take over what they are allowed there. Nor
-- does it get back by an old id whom it deleted and who has joined another organisation since.
CREATE FUNCTION member_joined() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE scim_subject s SET profile_source_id = NULL, revision = revision + 1, updated_at = now()
    WHERE s.user_id = NEW.user_id AND s.profile_source_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM scim_user u WHERE u.id = s.profile_source_id AND u.connection_id = NEW.organization_id::text);
    DELETE FROM scim_identity_tombstone
    WHERE user_id = NEW.user_id AND connection_id <> NEW.organization_id::text;
    INSERT INTO team_member (id, team_id, user_id)
    SELECT gen_random_uuid(), t.id, NEW.user_id
    FROM scim_user u JOIN scim_group_member g ON g.scim_user_id = u.id JOIN team t ON t.scim_group_id = g.group_id
    WHERE u.user_id = NEW.user_id AND t.organization_id = NEW.organization_id
    ON CONFLICT (team_id, user_id) DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER member_joined AFTER INSERT ON member FOR EACH ROW EXECUTE FUNCTION member_joined();

-- With a membership ends all that hung on it: teams, API keys, tokens of programs, and sessions in this organisation.
CREATE FUNCTION member_left() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    elsewhere boolean := EXISTS (SELECT 1 FROM member m WHERE m.user_id = OLD.user_id);
    -- What names no organisation works in the one joined first.
    unnamed boolean := NOT EXISTS (
        SELECT 1 FROM member m WHERE m.user_id = OLD.user_id AND m.created_at < OLD.created_at);
    here text := OLD.organization_id::text;
BEGIN
    DELETE FROM team_member tm USING team t
    WHERE t.id = tm.team_id AND t.organization_id = OLD.organization_id AND tm.user_id = OLD.user_id;
    DELETE FROM api_key WHERE organization_id = OLD.organization_id AND reference_id = OLD.user_id::text;
    DELETE FROM oauth_access_token
    WHERE user_id = OLD.user_id AND (reference_id = here OR (reference_id IS NULL AND unnamed));
    DELETE FROM oauth_refresh_token
    WHERE user_id = OLD.user_id AND (reference_id = here OR (reference_id IS NULL AND unnamed));
    DELETE FROM oauth_consent WHERE user_id = OLD.user_id AND reference_id = here;
    DELETE FROM auth_session
    WHERE user_id = OLD.user_id AND
        (active_organization_id = OLD.organization_id OR (active_organization_id IS NULL AND unnamed) OR NOT elsewhere);
    RETURN NULL;
END $$;
CREATE TRIGGER member_left AFTER DELETE ON member FOR EACH ROW EXECUTE FUNCTION member_left();

-- A group of the directory is a team. A name that another team has already gets the beginning of the group's id.
CREATE FUNCTION scim_group_is_team() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    organization uuid := NEW.connection_id::uuid;
    free text := NEW.display_name;
BEGIN
    IF EXISTS (SELECT 1 FROM team t WHERE t.organization_id = organization AND lower(t.name) = lower(free)
               AND t.scim_group_id IS DISTINCT FROM NEW.id) THEN
        free := free || ' (' || left(NEW.id, 8) || ')';
    END IF;
    INSERT INTO team (id, name, organization_id, scim_group_id) VALUES (gen_random_uuid(), free, organization, NEW.id)
    ON CONFLICT (scim_group_id) DO UPDATE SET name = excluded.name, updated_at = now();
    RETURN NULL;
END $$;
CREATE TRIGGER scim_group_is_team AFTER INSERT OR UPDATE OF display_name ON scim_group
    FOR EACH ROW EXECUTE FUNCTION scim_group_is_team();

CREATE FUNCTION scim_group_member_is_team_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO team_member (id, team_id, user_id)
        SELECT gen_random_uuid(), t.id, u.user_id
        FROM team t JOIN scim_user u ON u.id = NEW.scim_user_id
        JOIN member m ON m.organization_id = t.organization_id AND m.user_id = u.user_id
        WHERE t.scim_group_id = NEW.group_id
        ON CONFLICT (team_id, user_id) DO NOTHING;
    ELSE
        DELETE FROM team_member tm USING team t, scim_user u
        WHERE t.scim_group_id = OLD.group_id AND tm.team_id = t.id AND u.id = OLD.scim_user_id AND tm.user_id = u.user_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER scim_group_member_is_team_member AFTER INSERT OR DELETE ON scim_group_member
    FOR EACH ROW EXECUTE FUNCTION scim_group_member_is_team_member();
