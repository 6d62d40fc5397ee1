-- Webhooks in and out, and alerts.

-- ── Ways in ─────────────────────────────────────────────────────────────────────────────────────────────────────

-- An address that other programs post to. Its id is random; what is posted counts only when it is signed.
CREATE TABLE webhook_in (
    id               text PRIMARY KEY,
    organization_id  uuid NOT NULL,
    name             text NOT NULL,
    -- Raised by each change: what an editor has to have seen.
    revision         integer NOT NULL DEFAULT 1,
    enabled          boolean NOT NULL DEFAULT true,
    scheme           text NOT NULL CHECK (scheme IN ('standard', 'github')),
    -- What a delivery does: start a run or signal one, with templates over what was posted.
    action           json NOT NULL,
    -- Only deliveries for which this expression holds are acted on.
    condition        text,
    secret_sealed    bytea NOT NULL,
    -- The secret before the last rotation; good until previous_until.
    previous_sealed  bytea,
    previous_until   timestamptz(3),
    last_at          timestamptz(3),
    created_by       text NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    updated_at       timestamptz(3) NOT NULL DEFAULT now(),
    UNIQUE (organization_id, name)
);

-- What came in, whatever became of it. Only the newest ones are kept.
CREATE TABLE webhook_in_delivery (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id  uuid NOT NULL,
    webhook_id       text NOT NULL REFERENCES webhook_in (id) ON DELETE CASCADE,
    delivery_id      text NOT NULL,
    at               timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    status           text NOT NULL CHECK (status IN ('accepted', 'repeated', 'ignored', 'refused')),
    run_id           uuid,
    code             text,
    error            text,
    bytes            integer NOT NULL
);
CREATE INDEX webhook_in_delivery_list ON webhook_in_delivery (webhook_id, id DESC);
CREATE INDEX webhook_in_delivery_taken ON webhook_in_delivery (webhook_id, delivery_id)
    WHERE status IN ('accepted', 'ignored');

-- ── Ways out ────────────────────────────────────────────────────────────────────────────────────────────────────

-- Who wants to hear of what. Addresses of chat systems are secrets themselves: sealed, and shown shortened (target).
CREATE TABLE webhook_out (
    id               uuid PRIMARY KEY,
    organization_id  uuid NOT NULL,
    name             text NOT NULL,
    revision         integer NOT NULL DEFAULT 1,
    enabled          boolean NOT NULL DEFAULT true,
    url_sealed       bytea NOT NULL,
    target           text NOT NULL,
    format           text NOT NULL CHECK (format IN ('generic', 'slack', 'teams')),
    events           text[] NOT NULL,
    -- Only events of runs of this workflow; all when NULL.
    workflow         text,
    secret_sealed    bytea NOT NULL,
    previous_sealed  bytea,
    previous_until   timestamptz(3),
    -- First failed attempt since the last good one.
    failing_since    timestamptz(3),
    -- Set when it was switched off for us, not by a person.
    disabled_at      timestamptz(3),
    disabled_reason  text,
    -- Only entries of the stream behind this number: what happened before it was switched on is not told.
    from_seq         bigint NOT NULL,
    from_at          timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    created_by       text NOT NULL,
    created_at       timestamptz(3) NOT NULL DEFAULT now(),
    updated_at       timestamptz(3) NOT NULL DEFAULT now(),
    UNIQUE (organization_id, name)
);

-- The queue, and the record of what was sent. id goes out as webhook-id and stays the same over attempts and replays.
CREATE TABLE webhook_out_delivery (
    id               uuid PRIMARY KEY,
    organization_id  uuid NOT NULL,
    webhook_id       uuid NOT NULL REFERENCES webhook_out (id) ON DELETE CASCADE,
    -- Names what happened: each subscription hears of it once, however often the streams are read.
    event_key        text NOT NULL,
    event            text NOT NULL,
    payload          json NOT NULL,
    state            text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts         integer NOT NULL DEFAULT 0,
    replays          integer NOT NULL DEFAULT 0,
    -- Not before. An attempt under way moves it on, so that nobody else makes it and a crash does not lose it.
    next_at          timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    created_at       timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    settled_at       timestamptz(3),
    -- The latest attempts, oldest first: [{"at", "status", "latencyMs", "error"}, ...]
    history          json NOT NULL DEFAULT '[]',
    UNIQUE (webhook_id, event_key)
) WITH (fillfactor = 80);
CREATE INDEX webhook_out_delivery_due ON webhook_out_delivery (webhook_id, next_at) WHERE state = 'waiting';
CREATE INDEX webhook_out_delivery_list ON webhook_out_delivery (webhook_id, id DESC);
CREATE INDEX webhook_out_delivery_settled ON webhook_out_delivery (settled_at) WHERE settled_at IS NOT NULL;

-- How far the events of an organisation have been looked through for subscriptions.
CREATE TABLE webhook_cursor (
    organization_id  uuid PRIMARY KEY,
    last_seq         bigint NOT NULL,
    -- Runs that are given up close without an event: looked for by the time at which they closed.
    given_up_at      timestamptz(3) NOT NULL
);
CREATE INDEX workflow_run_given_up ON workflow_run (organization_id, closed_at) WHERE status = 'dead_letter';

-- ── Alerts ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- Rules of an organisation that differ from the built-in ones.
CREATE TABLE alert_rules (
    organization_id  uuid PRIMARY KEY,
    revision         integer NOT NULL DEFAULT 1,
    rules            json NOT NULL,
    updated_by       text NOT NULL,
    updated_at       timestamptz(3) NOT NULL DEFAULT now()
);

CREATE TABLE alert (
    id               uuid PRIMARY KEY,
    organization_id  uuid NOT NULL,
    rule             text NOT NULL,
    -- What it is about, where a rule can fire more than once: the name of a server. Else ''.
    subject          text NOT NULL DEFAULT '',
    state            text NOT NULL CHECK (state IN ('firing', 'resolved')),
    message          text NOT NULL,
    value            double precision NOT NULL,
    threshold        double precision NOT NULL,
    raised_at        timestamptz(3) NOT NULL,
    updated_at       timestamptz(3) NOT NULL,
    -- Since when its condition no longer holds; it is resolved when that has lasted.
    quiet_since      timestamptz(3),
    resolved_at      timestamptz(3)
);
CREATE UNIQUE INDEX alert_firing ON alert (organization_id, rule, subject) WHERE state = 'firing';
CREATE INDEX alert_list ON alert (organization_id, id DESC);

-- Entries of the topic `alerts`: numbered by stream_head in the transaction that changes the alert.
CREATE TABLE alert_change (
    organization_id  uuid NOT NULL,
    seq              bigint NOT NULL,
    alert_id         uuid NOT NULL,
    -- 1 = raised, 2 = resolved
    step             integer NOT NULL,
    type             text NOT NULL,
    at               timestamptz(3) NOT NULL,
    data             json NOT NULL,
    PRIMARY KEY (organization_id, seq)
);

-- What only one process knows of (an open circuit breaker), told by it again and again while it holds.
CREATE TABLE alert_observation (
    organization_id  uuid NOT NULL,
    rule             text NOT NULL,
    subject          text NOT NULL,
    reporter         uuid NOT NULL,
    seen_at          timestamptz(3) NOT NULL,
    PRIMARY KEY (organization_id, rule, subject, reporter)
);

-- When the rules were last looked at: one row, made by the first look.
CREATE TABLE alert_round (
    only_row         boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    evaluated_at     timestamptz(3) NOT NULL
);

-- Runs that closed in the last minutes. Rows come in the order of time, so the smallest kind of index will do.
CREATE INDEX workflow_run_closed ON workflow_run USING brin (closed_at) WITH (pages_per_range = 32, autosummarize = on);

-- ── Walls ───────────────────────────────────────────────────────────────────────────────────────────────────────

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['webhook_in', 'webhook_in_delivery', 'webhook_out', 'webhook_out_delivery', 'webhook_cursor',
            'alert_rules', 'alert', 'alert_change', 'alert_observation'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY owner ON %I TO oc_owner USING (true) WITH CHECK (true)', t);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO oc_app USING (organization_id = current_organization()) '
            'WITH CHECK (organization_id = current_organization())', t);
        EXECUTE format('CREATE POLICY engine ON %I TO oc_engine USING (true) WITH CHECK (true)', t);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_in, webhook_out, webhook_cursor, alert_rules TO oc_app;
GRANT SELECT, INSERT, DELETE ON webhook_in_delivery TO oc_app;
GRANT SELECT, INSERT, UPDATE ON webhook_out_delivery TO oc_app;
GRANT SELECT ON alert, alert_change TO oc_app;

-- The engine's role crosses organisations, so it sees no secret and no address: those are opened within one only.
GRANT SELECT (id, organization_id) ON webhook_in TO oc_engine;
GRANT SELECT (id, organization_id, name, enabled, format, events, workflow, failing_since, from_seq, from_at),
    UPDATE (enabled, failing_since, disabled_at, disabled_reason) ON webhook_out TO oc_engine;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_out_delivery, alert, alert_change, alert_observation TO oc_engine;
GRANT SELECT, INSERT, UPDATE ON webhook_cursor TO oc_engine;
GRANT SELECT, DELETE ON webhook_in_delivery TO oc_engine;
GRANT SELECT ON alert_rules TO oc_engine;
GRANT SELECT, INSERT, UPDATE ON alert_round TO oc_engine;
