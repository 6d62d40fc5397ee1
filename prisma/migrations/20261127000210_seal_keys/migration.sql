-- Which master key values are sealed under, the rotation under way or done last, and who holds which keys. Ids of keys
-- only: the keys themselves never come here. Of the whole instance, so there is no organisation.
CREATE TABLE seal_state (
    one              boolean PRIMARY KEY DEFAULT true CHECK (one),
    active_key       text NOT NULL CHECK (active_key ~ '^[0-9a-f]{8}$'),
    -- 1: values directly under the master key; 2: each under a data key of its own.
    form             smallint NOT NULL DEFAULT 2 CHECK (form IN (1, 2)),
    -- Nothing may be sealed under these any more.
    retired_keys     text[] NOT NULL DEFAULT '{}',
    -- What cookies and tokens of people are signed with.
    identity_sealed  bytea NOT NULL,
    phase            text CHECK (phase IN ('preparing', 'resealing', 'done')),
    from_key         text,
    to_key           text,
    started_by       text,
    started_at       timestamptz(3),
    ended_at         timestamptz(3),
    total            integer,
    done             integer NOT NULL DEFAULT 0,
    -- Values that could not be opened: they stay as they are.
    unreadable       integer NOT NULL DEFAULT 0
);

CREATE TABLE seal_holder (
    process_id  uuid PRIMARY KEY,
    host        text NOT NULL,
    pid         integer NOT NULL,
    keys        text[] NOT NULL,
    -- The key it seals under.
    active_key  text NOT NULL,
    seen_at     timestamptz(3) NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, UPDATE ON seal_state TO oc_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON seal_holder TO oc_app;

-- Where values are there already, processes of the version before may still read them: the new form begins with the
-- first rotation, for which all processes have to be of this version.
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM secret) OR EXISTS (SELECT 1 FROM oauth_record) OR EXISTS (SELECT 1 FROM webhook_in)
        OR EXISTS (SELECT 1 FROM webhook_out) THEN
        ALTER TABLE seal_state ALTER COLUMN form SET DEFAULT 1;
    END IF;
END $$;

-- Bytes 2 to 5 of a sealed value are the id of its key. A process that has slept through a rotation must not leave a
-- value behind that nobody can open: its write fails. FOR SHARE, so that a rotation ends after the writes that it has
-- not seen, or before those that see its end.
CREATE FUNCTION refuse_retired_key() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    retired  text[];
    name     text;
BEGIN
    SELECT retired_keys INTO retired FROM seal_state FOR SHARE;
    FOREACH name IN ARRAY TG_ARGV LOOP
        IF substr(to_jsonb(NEW) ->> name, 5, 8) = ANY (retired) THEN
            RAISE EXCEPTION '%.% is sealed under a key that was rotated away', TG_TABLE_NAME, name
                USING ERRCODE = '55000', HINT = 'Try again: this process learns of the new key within seconds.';
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

-- Restoring a backup (as oc_owner) takes everything as it was.
CREATE TRIGGER retired_key BEFORE INSERT OR UPDATE OF sealed ON secret FOR EACH ROW
    WHEN (current_user = 'oc_app') EXECUTE FUNCTION refuse_retired_key('sealed');
CREATE TRIGGER retired_key BEFORE INSERT OR UPDATE OF sealed ON personal_secret FOR EACH ROW
    WHEN (current_user = 'oc_app') EXECUTE FUNCTION refuse_retired_key('sealed');
CREATE TRIGGER retired_key BEFORE INSERT OR UPDATE OF sealed ON oauth_record FOR EACH ROW
    WHEN (current_user = 'oc_app') EXECUTE FUNCTION refuse_retired_key('sealed');
CREATE TRIGGER retired_key BEFORE INSERT OR UPDATE OF secret_sealed ON webhook_in FOR EACH ROW
    WHEN (current_user = 'oc_app') EXECUTE FUNCTION refuse_retired_key('secret_sealed');
CREATE TRIGGER retired_key BEFORE INSERT OR UPDATE OF url_sealed, secret_sealed ON webhook_out FOR EACH ROW
    WHEN (current_user = 'oc_app') EXECUTE FUNCTION refuse_retired_key('url_sealed', 'secret_sealed');
