-- Sign-in, sessions, invitations, roles of one's own, API keys, single sign-on and the OAuth 2.1 provider.
-- The tables have the shape that better-auth wants and belong to oc_auth alone: no row-level security, because sign-in
-- happens before there is an organisation.

-- Roles may be an organisation's own; the application checks that they exist.
ALTER TABLE member DROP CONSTRAINT IF EXISTS member_role_check;
ALTER TABLE member ADD CONSTRAINT member_role_text CHECK (role ~ '^[a-z][a-z0-9-]{0,39}$');

CREATE TABLE auth_session (
    id                      text PRIMARY KEY,
    user_id                 uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    token                   text NOT NULL UNIQUE,
    expires_at              timestamptz(3) NOT NULL,
    ip_address              text,
    user_agent              text,
    active_organization_id  uuid REFERENCES organization (id) ON DELETE SET NULL,
    active_team_id          text,
    created_at              timestamptz(3) NOT NULL DEFAULT now(),
    updated_at              timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX auth_session_user ON auth_session (user_id);

CREATE TABLE auth_account (
    id                        text PRIMARY KEY,
    user_id                   uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    account_id                text NOT NULL,
    provider_id               text NOT NULL,
    access_token              text,
    refresh_token             text,
    id_token                  text,
    access_token_expires_at   timestamptz(3),
    refresh_token_expires_at  timestamptz(3),
    scope                     text,
    password                  text,
    created_at                timestamptz(3) NOT NULL DEFAULT now(),
    updated_at                timestamptz(3) NOT NULL DEFAULT now(),
    UNIQUE (provider_id, account_id)
);
CREATE INDEX auth_account_user ON auth_account (user_id);

CREATE TABLE auth_verification (
    id          text PRIMARY KEY,
    identifier  text NOT NULL,
    value       text NOT NULL,
    expires_at  timestamptz(3) NOT NULL,
    created_at  timestamptz(3) NOT NULL DEFAULT now(),
    updated_at  timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX auth_verification_identifier ON auth_verification (identifier);

CREATE TABLE invitation (
    id               text PRIMARY KEY,
    organization_id  uuid NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    email            text NOT NULL,
    role             text NOT NULL,
    team_id          text,
    status           text NOT NULL DEFAULT 'pending',
    expires_at       timestamptz(3) NOT NULL,
    inviter_id       uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    created_at       timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX invitation_list ON invitation (organization_id, created_at DESC);

CREATE TABLE organization_role (
    organization_id  uuid NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    name             text NOT NULL CHECK (name ~ '^[a-z][a-z0-9-]{0,39}$'),
    description      text NOT NULL DEFAULT '',
    permissions      text[] NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    updated_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, name)
);

CREATE TABLE team (
    id               text PRIMARY KEY,
    name             text NOT NULL,
    member_count     integer NOT NULL DEFAULT 0,
    organization_id  uuid NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    updated_at       timestamptz(3)
);
CREATE INDEX team_organization ON team (organization_id);

CREATE TABLE team_member (
    id              text PRIMARY KEY,
    team_id         text NOT NULL REFERENCES team (id) ON DELETE CASCADE,
    user_id         uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    membership_key  text UNIQUE,
    created_at      timestamptz(3) DEFAULT now()
);

CREATE TABLE api_key (
    id                      text PRIMARY KEY,
    config_id               text NOT NULL DEFAULT 'default',
    name                    text,
    start                   text,
    prefix                  text,
    key                     text NOT NULL,
    -- The user; the organisation is in metadata, and in organization_id for our own queries.
    reference_id            text NOT NULL,
    organization_id         uuid GENERATED ALWAYS AS ((metadata::json ->> 'organizationId')::uuid) STORED
                            REFERENCES organization (id) ON DELETE CASCADE,
    refill_interval         integer,
    refill_amount           integer,
    last_refill_at          timestamptz(3),
    enabled                 boolean DEFAULT true,
    rate_limit_enabled      boolean DEFAULT false,
    rate_limit_time_window  integer,
    rate_limit_max          integer,
    request_count           integer DEFAULT 0,
    remaining               integer,
    last_request            timestamptz(3),
    expires_at              timestamptz(3),
    created_at              timestamptz(3) NOT NULL DEFAULT now(),
    updated_at              timestamptz(3) NOT NULL DEFAULT now(),
    permissions             text,
    metadata                text,
    -- Requests over the whole life of the key.
    uses                    bigint NOT NULL DEFAULT 0
);
CREATE INDEX api_key_key ON api_key (key);
CREATE INDEX api_key_reference ON api_key (reference_id);
CREATE INDEX api_key_organization ON api_key (organization_id);

CREATE TABLE sso_provider (
    id               text PRIMARY KEY,
    issuer           text NOT NULL,
    oidc_config      text,
    saml_config      text,
    user_id          uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    provider_id      text NOT NULL UNIQUE,
    organization_id  uuid REFERENCES organization (id) ON DELETE CASCADE,
    domain           text NOT NULL
);

CREATE TABLE jwks (
    id           text PRIMARY KEY,
    public_key   text NOT NULL,
    private_key  text NOT NULL,
    created_at   timestamptz(3) NOT NULL DEFAULT now(),
    expires_at   timestamptz(3),
    alg          text,
    crv          text
);

CREATE TABLE oauth_client (
    id                                   text PRIMARY KEY,
    client_id                            text NOT NULL UNIQUE,
    client_secret                        text,
    client_discovery_id                  text,
    disabled                             boolean DEFAULT false,
    skip_consent                         boolean,
    enable_end_session                   boolean,
    subject_type                         text,
    scopes                               text[] NOT NULL DEFAULT '{}',
    client_credentials_scopes            text[] NOT NULL DEFAULT '{}',
    user_id                              uuid REFERENCES app_user (id) ON DELETE CASCADE,
    created_at                           timestamptz(3) DEFAULT now(),
    updated_at                           timestamptz(3) DEFAULT now(),
    name                                 text,
    uri                                  text,
    icon                                 text,
    contacts                             text[] NOT NULL DEFAULT '{}',
    tos                                  text,
    policy                               text,
    software_id                          text,
    software_version                     text,
    software_statement                   text,
    redirect_uris                        text[] NOT NULL DEFAULT '{}',
    post_logout_redirect_uris            text[] NOT NULL DEFAULT '{}',
    backchannel_logout_uri               text,
    backchannel_logout_session_required  boolean,
    token_endpoint_auth_method           text,
    application_type                     text,
    jwks                                 text,
    jwks_uri                             text,
    grant_types                          text[] NOT NULL DEFAULT '{}',
    response_types                       text[] NOT NULL DEFAULT '{}',
    require_pkce                         boolean,
    dpop_bound_access_tokens             boolean,
    reference_id                         text,
    metadata                             jsonb
);

CREATE TABLE oauth_resource (
    id                                 text PRIMARY KEY,
    identifier                         text NOT NULL UNIQUE,
    name                               text NOT NULL,
    access_token_ttl                   integer,
    refresh_token_ttl                  integer,
    signing_algorithm                  text,
    signing_key_id                     text,
    allowed_scopes                     text[] NOT NULL DEFAULT '{}',
    custom_claims                      jsonb,
    dpop_bound_access_tokens_required  boolean,
    disabled                           boolean DEFAULT false,
    created_at                         timestamptz(3) DEFAULT now(),
    updated_at                         timestamptz(3) DEFAULT now(),
    policy_version                     integer,
    metadata                           jsonb
);

CREATE TABLE oauth_client_resource (
    id           text PRIMARY KEY,
    client_id    text NOT NULL REFERENCES oauth_client (client_id) ON DELETE CASCADE,
    resource_id  text NOT NULL REFERENCES oauth_resource (identifier) ON DELETE CASCADE,
    metadata     jsonb,
    created_at   timestamptz(3) DEFAULT now()
);

CREATE TABLE oauth_refresh_token (
    id                          text PRIMARY KEY,
    token                       text NOT NULL UNIQUE,
    client_id                   text NOT NULL REFERENCES oauth_client (client_id) ON DELETE CASCADE,
    session_id                  text REFERENCES auth_session (id) ON DELETE SET NULL,
    user_id                     uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    reference_id                text,
    authorization_code_id       text,
    resources                   text[] NOT NULL DEFAULT '{}',
    requested_user_info_claims  text[] NOT NULL DEFAULT '{}',
    expires_at                  timestamptz(3) NOT NULL,
    created_at                  timestamptz(3) NOT NULL DEFAULT now(),
    revoked                     timestamptz(3),
    rotated_at                  timestamptz(3),
    rotation_replay_response    text,
    rotation_replay_expires_at  timestamptz(3),
    auth_time                   timestamptz(3),
    confirmation                jsonb,
    scopes                      text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE oauth_access_token (
    id                          text PRIMARY KEY,
    token                       text NOT NULL UNIQUE,
    client_id                   text NOT NULL REFERENCES oauth_client (client_id) ON DELETE CASCADE,
    session_id                  text REFERENCES auth_session (id) ON DELETE SET NULL,
    user_id                     uuid REFERENCES app_user (id) ON DELETE CASCADE,
    reference_id                text,
    authorization_code_id       text,
    resources                   text[] NOT NULL DEFAULT '{}',
    requested_user_info_claims  text[] NOT NULL DEFAULT '{}',
    refresh_id                  text REFERENCES oauth_refresh_token (id) ON DELETE SET NULL,
    expires_at                  timestamptz(3) NOT NULL,
    created_at                  timestamptz(3) NOT NULL DEFAULT now(),
    revoked                     timestamptz(3),
    confirmation                jsonb,
    scopes                      text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE oauth_consent (
    id                          text PRIMARY KEY,
    client_id                   text NOT NULL REFERENCES oauth_client (client_id) ON DELETE CASCADE,
    user_id                     uuid REFERENCES app_user (id) ON DELETE CASCADE,
    reference_id                text,
    resources                   text[] NOT NULL DEFAULT '{}',
    requested_user_info_claims  text[] NOT NULL DEFAULT '{}',
    scopes                      text[] NOT NULL DEFAULT '{}',
    created_at                  timestamptz(3) NOT NULL DEFAULT now(),
    updated_at                  timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE oauth_client_assertion (
    id          text PRIMARY KEY,
    expires_at  timestamptz(3) NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON auth_session, auth_account, auth_verification, invitation, organization_role,
    team, team_member, api_key, sso_provider, jwks, oauth_client, oauth_resource, oauth_client_resource,
    oauth_refresh_token, oauth_access_token, oauth_consent, oauth_client_assertion TO oc_auth;
