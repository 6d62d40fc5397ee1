-- OpenConductor: first migration. Applied as oc_owner; the roles oc_auth, oc_app and oc_engine exist already.
--
-- Walls between organisations: every tenant table has organization_id and forced row-level security. oc_app sees one
-- organisation per transaction (set_config('app.organization_id', ..., true)); oc_engine works across organisations
-- on the engine's tables only; oc_auth owns the way to the identity tables, which have no row-level security.

GRANT USAGE ON SCHEMA public TO oc_auth, oc_app, oc_engine;

-- ── Identity ────────────────────────────────────────────────────────────────────────────────────────────────────

CREATE TABLE organization (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    slug        text NOT NULL UNIQUE,
    logo        text,
    metadata    text,
    created_at  timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE app_user (
    id              uuid PRIMARY KEY,
    name            text NOT NULL,
    email           text NOT NULL UNIQUE,
    email_verified  boolean NOT NULL DEFAULT false,
    image           text,
    created_at      timestamptz(3) NOT NULL DEFAULT now(),
    updated_at      timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE member (
    id               uuid PRIMARY KEY,
    organization_id  uuid NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
    user_id          uuid NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    role             text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'owner')),
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    UNIQUE (organization_id, user_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON organization, app_user, member TO oc_auth;

-- The organisation of the current unit of work; NULL outside one, which matches no row.
CREATE FUNCTION current_organization() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.organization_id', true), '')::uuid $$;

-- ── Workflow definitions ────────────────────────────────────────────────────────────────────────────────────────

-- Content-addressed: a run points at the hash of the definition it started with, which never changes.
CREATE TABLE workflow_definition (
    organization_id  uuid NOT NULL,
    hash             text NOT NULL,
    definition       json NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, hash)
);

CREATE TABLE workflow_version (
    organization_id  uuid NOT NULL,
    name             text NOT NULL,
    version          integer NOT NULL CHECK (version > 0),
    hash             text NOT NULL,
    created_by       text NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, name, version),
    FOREIGN KEY (organization_id, hash) REFERENCES workflow_definition (organization_id, hash)
);

-- ── Runs ────────────────────────────────────────────────────────────────────────────────────────────────────────

-- One narrow row a run. Only status, wake_at and the closing facts ever change; the history is in workflow_event.
CREATE TABLE workflow_run (
    run_id            uuid PRIMARY KEY,
    organization_id   uuid NOT NULL,
    workflow_id       text NOT NULL,
    workflow          text NOT NULL,
    version           integer NOT NULL,
    definition_hash   text NOT NULL,
    shard             smallint NOT NULL,
    status            text NOT NULL DEFAULT 'running',
    created_at        timestamptz(3) NOT NULL DEFAULT now(),
    closed_at         timestamptz(3),
    history_length    integer NOT NULL DEFAULT 0,
    failure           json,
    -- When the owner must have this run in memory: now for a run with work to do, else its next timer,
    -- 'infinity' when only a signal can wake it.
    wake_at           timestamptz(3) NOT NULL DEFAULT now(),
    parent_run_id     uuid,
    parent_node_path  text,
    previous_run_id   uuid,
    started_by        text NOT NULL,
    -- Loads after a crash without progress since; a poison run goes to dead-letter when it passes the limit.
    recoveries        smallint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);

CREATE UNIQUE INDEX workflow_run_open_workflow_id ON workflow_run (organization_id, workflow_id) WHERE closed_at IS NULL;
CREATE INDEX workflow_run_wake ON workflow_run (shard, wake_at) WHERE closed_at IS NULL;
CREATE INDEX workflow_run_list ON workflow_run (organization_id, run_id DESC);
CREATE INDEX workflow_run_list_workflow ON workflow_run (organization_id, workflow, run_id DESC);

-- Append-only history. json, not jsonb: the text is kept as it came (jsonb refuses \u0000 and reorders keys).
-- Partitioned by range of run_id (UUIDv7, so by time): retention drops a partition; a unique key cannot span
-- partitions by time.
CREATE TABLE workflow_event (
    run_id           uuid NOT NULL,
    seq              integer NOT NULL,
    organization_id  uuid NOT NULL,
    type             text NOT NULL,
    at               timestamptz(3) NOT NULL,
    data             json NOT NULL,
    -- seq of the event of the same run that caused this one
    causation_seq    integer,
    correlation_id   text,
    PRIMARY KEY (run_id, seq)
) PARTITION BY RANGE (run_id);

CREATE TABLE workflow_event_default PARTITION OF workflow_event DEFAULT;

-- The smallest UUIDv7 of an instant: its 48 bits of milliseconds, the rest zero.
CREATE FUNCTION uuidv7_floor(t timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE
    AS $$
        SELECT (lpad(to_hex((extract(epoch FROM t) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
    $$;

-- Makes the weekly partitions from last week to `weeks_ahead` weeks from now that do not exist yet. Runs with the
-- owner's rights so that the engine's role needs no right to create tables.
CREATE FUNCTION ensure_event_partitions(weeks_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
DECLARE
    week   timestamptz;
    name   text;
    made   integer := 0;
BEGIN
    FOR i IN -1..weeks_ahead LOOP
        week := date_trunc('week', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + make_interval(weeks => i);
        name := 'workflow_event_' || to_char(week AT TIME ZONE 'UTC', 'IYYY"w"IW');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF workflow_event FOR VALUES FROM (%L) TO (%L)',
                name, uuidv7_floor(week), uuidv7_floor(week + interval '1 week'));
            made := made + 1;
        END IF;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION ensure_event_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_event_partitions(integer) TO oc_engine;

SELECT ensure_event_partitions(8);

-- ── Engine ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- Live processes with the role `engine`, so that shards can be shared out evenly.
CREATE TABLE engine_process (
    id          uuid PRIMARY KEY,
    build_id    text NOT NULL,
    host        text NOT NULL,
    pid         integer NOT NULL,
    started_at  timestamptz(3) NOT NULL DEFAULT now(),
    live_until  timestamptz(3) NOT NULL
);

-- Leases. Every batch of appends takes FOR SHARE on the rows of its shards and compares the epoch in the same
-- transaction; a take-over raises the epoch, so that a stalled former owner can never append again.
CREATE TABLE workflow_shard (
    shard        smallint PRIMARY KEY,
    owner        uuid,
    epoch        bigint NOT NULL DEFAULT 0,
    lease_until  timestamptz(3) NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 50);

-- Commands from outside (start, signal, cancel, ...) and between runs. Acknowledged = committed here. The owner of
-- the shard deletes a row in the transaction that appends what it led to.
CREATE TABLE workflow_inbox (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard            smallint NOT NULL,
    organization_id  uuid NOT NULL,
    run_id           uuid NOT NULL,
    event_type       text NOT NULL,
    data             json NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
-- Read organisation by organisation, so that a flood of one does not hide another's rows.
CREATE INDEX workflow_inbox_organization ON workflow_inbox (organization_id, id);

-- Answers to requests with an Idempotency-Key, written in the transaction of the command itself.
CREATE TABLE idempotency_record (
    organization_id  uuid NOT NULL,
    key              text NOT NULL,
    request_hash     text NOT NULL,
    run_id           uuid NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, key)
);

-- Committed batches that the relay has not numbered yet. refs = [[run_id, first seq, last seq], ...]
CREATE TABLE event_outbox (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id  uuid NOT NULL,
    refs             json NOT NULL,
    event_count      integer NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- What watchers read: numbers without gaps per (organisation, topic). One row covers event_count numbers from seq on.
CREATE TABLE stream_head (
    organization_id  uuid NOT NULL,
    topic            text NOT NULL,
    last_seq         bigint NOT NULL,
    PRIMARY KEY (organization_id, topic)
) WITH (fillfactor = 50);

CREATE TABLE stream_entry (
    organization_id  uuid NOT NULL,
    topic            text NOT NULL,
    seq              bigint NOT NULL,
    event_count      integer NOT NULL,
    refs             json NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    PRIMARY KEY (organization_id, topic, seq)
);

-- ── Audit ───────────────────────────────────────────────────────────────────────────────────────────────────────

-- Every write by a person, key or agent. chain_seq, previous_hash and hash are filled when a batch is sealed.
CREATE TABLE audit_entry (
    id               uuid PRIMARY KEY,
    organization_id  uuid NOT NULL,
    at               timestamptz(3) NOT NULL DEFAULT now(),
    actor_kind       text NOT NULL,
    actor_id         text NOT NULL,
    action           text NOT NULL,
    object           text NOT NULL,
    details          json NOT NULL,
    chain_seq        bigint,
    previous_hash    text,
    hash             text
);
CREATE INDEX audit_entry_list ON audit_entry (organization_id, id DESC);

-- ── Row-level security and grants ───────────────────────────────────────────────────────────────────────────────

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY[
        'workflow_definition', 'workflow_version', 'workflow_run', 'workflow_event', 'workflow_inbox',
        'idempotency_record', 'event_outbox', 'stream_head', 'stream_entry', 'audit_entry'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO oc_app USING (organization_id = current_organization()) '
            'WITH CHECK (organization_id = current_organization())', t);
        EXECUTE format('CREATE POLICY engine ON %I TO oc_engine USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

GRANT SELECT, INSERT ON workflow_definition, workflow_version, audit_entry TO oc_app;
GRANT SELECT ON workflow_run, workflow_event, stream_head, stream_entry, idempotency_record TO oc_app;

GRANT SELECT ON workflow_definition, workflow_version TO oc_engine;
GRANT SELECT, INSERT ON workflow_event, audit_entry, idempotency_record TO oc_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON workflow_run, workflow_shard, workflow_inbox, event_outbox,
    stream_head, stream_entry, engine_process TO oc_engine;
GRANT DELETE ON idempotency_record TO oc_engine;
