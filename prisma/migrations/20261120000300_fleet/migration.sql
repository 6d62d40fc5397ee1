-- The fleet of MCP servers: what is added at run time, what is kept secret, what was accepted, what happened.

-- Servers added at run time; those of the configuration file are not here.
CREATE TABLE mcp_server (
    organization_id  uuid NOT NULL,
    name             text NOT NULL,
    config           json NOT NULL,
    created_by       text NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    updated_by       text NOT NULL,
    updated_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, name)
);

-- Values that configurations refer to as ${secret:NAME}: sealed by the application before they come here.
CREATE TABLE secret (
    organization_id  uuid NOT NULL,
    name             text NOT NULL,
    sealed           bytea NOT NULL,
    updated_by       text NOT NULL,
    updated_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, name)
);

-- OAuth registrations and tokens, sealed. subject '' = the organisation's own.
CREATE TABLE oauth_record (
    organization_id  uuid NOT NULL,
    server           text NOT NULL,
    subject          text NOT NULL,
    sealed           bytea NOT NULL,
    updated_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, server, subject)
);

-- Sign-ins under way. Only a hash of the state is kept: who reads the table cannot finish another's sign-in.
CREATE TABLE oauth_state (
    state_hash       bytea PRIMARY KEY,
    organization_id  uuid NOT NULL,
    server           text NOT NULL,
    subject          text NOT NULL,
    expires_at       timestamptz(3) NOT NULL
);

-- Accepted tool definitions, one row a server: [{"hash", "tool", "acceptedAt"}, ...]
CREATE TABLE tool_pin (
    organization_id  uuid NOT NULL,
    server           text NOT NULL,
    tools            json NOT NULL,
    updated_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, server)
);

-- Probes, one row each.
CREATE TABLE server_health (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id   uuid NOT NULL,
    server            text NOT NULL,
    at                timestamptz(3) NOT NULL,
    state             text NOT NULL
        CHECK (state IN ('OPEN', 'NEEDS_AUTH', 'NOT_MCP', 'WRONG_TRANSPORT', 'UNREACHABLE', 'TEMPLATE_URL')),
    latency_ms        double precision NOT NULL,
    protocol_version  text,
    detail            text
);
CREATE INDEX server_health_list ON server_health (organization_id, server, at DESC);
CREATE INDEX server_health_age ON server_health USING brin (at);

-- What happened in the fleet: connections, changed tools, suspicious descriptions.
CREATE TABLE server_event (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id  uuid NOT NULL,
    server           text NOT NULL,
    at               timestamptz(3) NOT NULL,
    type             text NOT NULL,
    data             json NOT NULL
);
CREATE INDEX server_event_list ON server_event (organization_id, server, id DESC);
CREATE INDEX server_event_age ON server_event USING brin (at);

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['mcp_server', 'secret', 'oauth_record', 'oauth_state', 'tool_pin', 'server_health',
            'server_event'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner ON %I TO oc_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO oc_app USING (organization_id = current_organization()) '
            'WITH CHECK (organization_id = current_organization())', t);
    END LOOP;
    -- The engine's role crosses organisations, so it gets no further than this: which servers there are, whose sign-in
    -- comes back, and the removal of old history. Secrets and tokens are read within one organisation only.
    FOREACH t IN ARRAY ARRAY['mcp_server', 'oauth_state', 'server_health', 'server_event'] LOOP
        EXECUTE format('CREATE POLICY engine ON %I TO oc_engine USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON mcp_server, secret, oauth_record, tool_pin TO oc_app;
GRANT INSERT, DELETE ON oauth_state TO oc_app;
GRANT SELECT, INSERT ON server_health, server_event TO oc_app;
GRANT SELECT ON mcp_server TO oc_engine;
GRANT SELECT, DELETE ON oauth_state, server_health, server_event TO oc_engine;
