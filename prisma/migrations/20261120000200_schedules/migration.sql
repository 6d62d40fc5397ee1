-- Schedules: workflows started at set times.

CREATE TABLE workflow_schedule (
    schedule_id         uuid PRIMARY KEY,
    organization_id     uuid NOT NULL,
    name                text NOT NULL,
    workflow            text NOT NULL,
    version             integer,
    input               json NOT NULL,
    -- Either a cron expression in a time zone, or an interval counted from 1970 and shifted by its offset.
    cron                text,
    time_zone           text NOT NULL DEFAULT 'UTC',
    interval_ms         bigint CHECK (interval_ms > 0),
    offset_ms           bigint NOT NULL DEFAULT 0,
    jitter_ms           bigint NOT NULL DEFAULT 0,
    overlap             text NOT NULL
        CHECK (overlap IN ('skip', 'buffer-one', 'allow-all', 'cancel-other', 'terminate-other')),
    catchup_window_ms   bigint NOT NULL,
    paused              boolean NOT NULL DEFAULT false,
    note                text,
    -- The next time that has no occurrence yet; NULL when there is none.
    next_at             timestamptz(3),
    -- When a scheduler has to look at the row: a time has come, or an occurrence waits.
    attention_at        timestamptz(3),
    created_by          text NOT NULL,
    created_at          timestamptz(3) NOT NULL DEFAULT now(),
    updated_at          timestamptz(3) NOT NULL DEFAULT now(),
    CHECK ((cron IS NULL) <> (interval_ms IS NULL)),
    UNIQUE (organization_id, name)
) WITH (fillfactor = 80);
CREATE INDEX workflow_schedule_attention ON workflow_schedule (attention_at) WHERE attention_at IS NOT NULL;

-- One row for each time of a schedule that has come (or was asked for), and what became of it. The run of a time is
-- started under an idempotency key made of schedule and time, so no time is ever started twice.
CREATE TABLE workflow_schedule_occurrence (
    schedule_id         uuid NOT NULL REFERENCES workflow_schedule (schedule_id) ON DELETE CASCADE,
    nominal_at          timestamptz(3) NOT NULL,
    organization_id     uuid NOT NULL,
    kind                text NOT NULL CHECK (kind IN ('schedule', 'trigger', 'backfill')),
    due_at              timestamptz(3) NOT NULL,
    -- Overrides the policy of the schedule, for backfills.
    overlap             text,
    -- Key of the request that asked for it, so that a repeated request asks once.
    request_key         text,
    state               text NOT NULL CHECK (state IN ('waiting', 'started', 'skipped', 'missed', 'failed')),
    run_id              uuid,
    reason              text,
    settled_at          timestamptz(3),
    PRIMARY KEY (schedule_id, nominal_at)
);
CREATE INDEX workflow_schedule_occurrence_waiting ON workflow_schedule_occurrence (schedule_id, due_at)
    WHERE state = 'waiting';
CREATE UNIQUE INDEX workflow_schedule_occurrence_request ON workflow_schedule_occurrence (schedule_id, request_key)
    WHERE request_key IS NOT NULL;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['workflow_schedule', 'workflow_schedule_occurrence'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format(
            'CREATE POLICY tenant ON %I TO oc_app USING (organization_id = current_organization()) '
            'WITH CHECK (organization_id = current_organization())', t);
        EXECUTE format('CREATE POLICY engine ON %I TO oc_engine USING (true) WITH CHECK (true)', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO oc_app, oc_engine', t);
    END LOOP;
END $$;
