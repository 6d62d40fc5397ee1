/** SQL of the engine's hot path. Batches travel as one JSON array a kind; short keys because they repeat a row. Payloads travel in it as
 * JSON *text*: json_to_recordset takes strings apart and refuses \\u0000, a cast of text to json keeps it as it is. */

/** Which kinds of rows a commit writes. */
export interface CommitShape {
  events: boolean;
  updates: boolean;
  newRuns: boolean;
  inboxAdds: boolean;
  inboxDone: boolean;
}

const SHAPES = ['events', 'updates', 'newRuns', 'inboxAdds', 'inboxDone'] as const;
const statements = new Map<string, { name: string; text: string }>();

/**
 * Fenced append. `held` locks the shard rows FOR SHARE and compares owner and epoch in the same statement, so a
 * take-over waits for this commit or this commit sees the take-over. Every other part writes only for held shards.
 *
 * The answer to a statement may be lost while it is still under way: the engine then writes the same again, goes on, and the
 * first one may take effect after that, under the same epoch. With an event it cannot: (run_id, seq) is taken, and it fails
 * as a whole. Without one it changes nothing: rows of the inbox are gone for good, and an update is only made of a run that
 * is open and no longer than the update knows it. (A child that is given up may so tell its parent twice; the parent takes the
 * end of a child that it waits for once.)
 *
 * A statement has only the parts that its shape needs: those that write nothing cost Postgres a sixth of a small commit.
 *
 * $1 owner, $2 shards, $3 epochs, then one JSON array for each kind of the shape, in the order of its fields.
 */
export function commitStatement(shape: CommitShape): { name: string; text: string } {
  const key = SHAPES.map((kind) => (shape[kind] ? '1' : '0')).join('');
  let statement = statements.get(key);
  if (statement === undefined) {
    statement = { name: `oc_commit_${key}`, text: commitSql(shape) };
    statements.set(key, statement);
  }
  return statement;
}

function commitSql(shape: CommitShape): string {
  let place = 3;
  const rows = new Map<keyof CommitShape, string>();
  for (const kind of SHAPES) {
    if (!shape[kind]) continue;
    place += 1;
    rows.set(kind, `json_to_recordset($${place}::json)`);
  }
  const parts = [
    `held AS MATERIALIZED (
  SELECT s.shard FROM workflow_shard s
  JOIN unnest($2::smallint[], $3::bigint[]) AS u(shard, epoch) ON u.shard = s.shard AND u.epoch = s.epoch
  WHERE s.owner = $1::uuid
  FOR SHARE OF s
)`,
  ];
  if (shape.events) {
    parts.push(
      `added AS (
  INSERT INTO workflow_event (run_id, seq, organization_id, type, at, data, causation_seq, correlation_id)
  SELECT e.r, e.s, e.o, e.t, to_timestamp(e.a / 1000.0), e.d::json, e.c, e.k
  FROM ${rows.get('events')}
    AS e(h smallint, r uuid, s int, o uuid, t text, a float8, d text, c int, k text)
  WHERE e.h IN (SELECT shard FROM held)
  RETURNING organization_id, run_id, seq
)`,
      `told AS (
  INSERT INTO event_outbox (organization_id, refs, event_count)
  SELECT organization_id, json_agg(json_build_array(run_id, low, high)), sum(high - low + 1)
  FROM (
    SELECT organization_id, run_id, min(seq) AS low, max(seq) AS high FROM added GROUP BY organization_id, run_id
  ) AS runs
  GROUP BY organization_id
)`,
    );
  }
  if (shape.updates) {
    parts.push(`updated AS (
  UPDATE workflow_run r SET
    status = u.s,
    closed_at = to_timestamp(u.c / 1000.0),
    history_length = u.n,
    failure = u.f::json,
    wake_at = coalesce(to_timestamp(u.w / 1000.0), 'infinity'),
    recoveries = 0
  FROM ${rows.get('updates')} AS u(h smallint, r uuid, s text, c float8, n int, f text, w float8)
  WHERE r.run_id = u.r AND u.h IN (SELECT shard FROM held) AND r.closed_at IS NULL AND r.history_length <= u.n
  RETURNING r.run_id
)`);
  }
  if (shape.newRuns) {
    // After the updates: a run that continues as new frees its workflow id in this very statement.
    const afterUpdates = shape.updates ? 'AND (SELECT count(*) FROM updated) >= 0' : '';
    parts.push(
      `started AS (
  INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard,
    started_by, parent_run_id, parent_node_path, previous_run_id)
  SELECT n.r, n.o, n.w, n.n, n.v, n.f, n.s, n.b, n.p, n.q, n.l
  FROM ${rows.get('newRuns')}
    AS n(h smallint, r uuid, o uuid, w text, n text, v int, f text, s smallint, b text, p uuid, q text, l uuid,
      y boolean)
  WHERE n.h IN (SELECT shard FROM held) ${afterUpdates}
    AND NOT (n.y AND EXISTS (SELECT 1 FROM workflow_run t WHERE t.organization_id = n.o AND t.workflow_id = n.w
      AND t.workflow_id <> t.run_id::text))
  RETURNING run_id
)`,
      `queued_starts AS (
  INSERT INTO workflow_inbox (shard, organization_id, run_id, event_type, data)
  SELECT n.s, n.o, n.r, 'WORKFLOW_EXECUTION_STARTED', n.d::json
  FROM ${rows.get('newRuns')} AS n(r uuid, o uuid, s smallint, d text)
  WHERE n.r IN (SELECT run_id FROM started)
)`,
      `noted AS (
  INSERT INTO audit_entry (id, organization_id, actor_kind, actor_id, action, object, details)
  SELECT gen_random_uuid(), n.o, n.ak, n.ai, n.aa, n.ao, n.ad::json
  FROM ${rows.get('newRuns')} AS n(r uuid, o uuid, ak text, ai text, aa text, ao text, ad text)
  WHERE n.aa IS NOT NULL AND n.r IN (SELECT run_id FROM started)
)`,
    );
  }
  if (shape.inboxAdds) {
    parts.push(`queued AS (
  INSERT INTO workflow_inbox (shard, organization_id, run_id, event_type, data)
  SELECT i.s, i.o, i.r, i.t, i.d::json
  FROM ${rows.get('inboxAdds')} AS i(h smallint, s smallint, o uuid, r uuid, t text, d text)
  WHERE i.h IN (SELECT shard FROM held)
)`);
  }
  if (shape.inboxDone) {
    parts.push(`answered AS (
  DELETE FROM workflow_inbox w USING ${rows.get('inboxDone')} AS d(h smallint, i bigint)
  WHERE w.id = d.i AND d.h IN (SELECT shard FROM held)
)`);
  }
  return `WITH ${parts.join(', ')}\nSELECT array_agg(shard) AS held FROM held`;
}

/**
 * Takes commands from outside. A request whose idempotency key exists writes nothing; one to a run that is not open
 * writes nothing. A second open run of a workflow id breaks the unique index and with it the whole statement.
 * $1 requests, $2 runs to create (z = index of the request).
 */
export const ACCEPT = `
WITH asked AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json)
    AS a(n int, o uuid, r uuid, s smallint, t text, d text, k text, q text, x boolean,
         ak text, ai text, aa text, ao text, ad text)
), target AS MATERIALIZED (
  SELECT a.n, r.closed_at IS NULL AS open FROM asked a
  JOIN workflow_run r ON r.run_id = a.r AND r.organization_id = a.o WHERE NOT a.x
), possible AS (
  SELECT a.* FROM asked a LEFT JOIN target t ON t.n = a.n WHERE a.x OR t.open
), keyed AS (
  INSERT INTO idempotency_record (organization_id, key, request_hash, run_id)
  SELECT o, k, q, r FROM possible WHERE k IS NOT NULL
  ON CONFLICT DO NOTHING
  RETURNING organization_id, key
), going AS MATERIALIZED (
  SELECT p.* FROM possible p LEFT JOIN keyed y ON y.organization_id = p.o AND y.key = p.k
  WHERE p.k IS NULL OR y.key IS NOT NULL
), started AS (
  INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard,
    started_by, parent_run_id, parent_node_path, previous_run_id)
  SELECT c.r, c.o, c.w, c.n, c.v, c.f, c.s, c.b, c.p, c.q, c.l
  FROM json_to_recordset($2::json)
    AS c(z int, r uuid, o uuid, w text, n text, v int, f text, s smallint, b text, p uuid, q text, l uuid)
  JOIN going g ON g.n = c.z
), noted AS (
  INSERT INTO audit_entry (id, organization_id, actor_kind, actor_id, action, object, details)
  SELECT gen_random_uuid(), o, ak, ai, aa, ao, ad::json FROM going
), queued AS (
  INSERT INTO workflow_inbox (shard, organization_id, run_id, event_type, data)
  SELECT s, o, r, t, d::json FROM going ORDER BY n
  RETURNING id, run_id, event_type
), ranked AS (
  SELECT id, row_number() OVER (ORDER BY id) AS place FROM queued
), places AS (
  SELECT n, row_number() OVER (ORDER BY n) AS place FROM going
)
SELECT a.n, r.id, t.open AS run_open
FROM asked a
LEFT JOIN places p ON p.n = a.n
LEFT JOIN ranked r ON r.place = p.place
LEFT JOIN target t ON t.n = a.n`;

export const SEEN_KEY =
  'SELECT run_id, request_hash FROM idempotency_record WHERE organization_id = $1 AND key = $2';

export const HISTORY_LENGTHS =
  'SELECT run_id, max(seq)::int AS n FROM workflow_event WHERE run_id = ANY($1::uuid[]) GROUP BY run_id';

/**
 * One statement, so one snapshot: where the lease is still the caller's, no heir's events are in it. A shard's epoch rises
 * with every change of hands, so a lease that is held was held all the time since.
 * $1 owner, then runs, shards and epochs of the parts.
 */
export const OWN_LENGTHS = `
SELECT u.run_id, coalesce((SELECT max(e.seq) FROM workflow_event e WHERE e.run_id = u.run_id), 0)::int AS n
FROM unnest($2::uuid[], $3::smallint[], $4::bigint[]) AS u(run_id, shard, epoch)
JOIN workflow_shard s ON s.shard = u.shard AND s.epoch = u.epoch AND s.owner = $1::uuid`;

/**
 * Each organisation's oldest rows: a walk over the distinct organisations (a loose index scan), then a page of each. The
 * ids in hand are a subquery because Postgres hashes it; an array in a parameter is searched anew for each row. Where not
 * all of that fits, organisations take turns, and chance decides who is first: rows that nobody has room for come back with
 * every read, and must not be the only ones that are ever seen.
 *
 * An organisation's page is asked for as a range in the order of its index: for one of few organisations the planner would
 * else walk the table by id, past all rows of whoever floods, to find the few of another.
 * $1 shards, $2 ids in hand, $3 rows of one organisation, $4 rows, $5 bytes.
 *
 * @param condition on a row of the inbox `i`; as a partial index says it
 */
function readInboxSql(condition: string): string {
  return `
WITH RECURSIVE waiting AS (
  (SELECT i.organization_id FROM workflow_inbox i WHERE ${condition} ORDER BY i.organization_id LIMIT 1)
  UNION ALL
  SELECT (SELECT i.organization_id FROM workflow_inbox i WHERE i.organization_id > w.organization_id AND ${condition}
          ORDER BY i.organization_id LIMIT 1)
  FROM waiting w WHERE w.organization_id IS NOT NULL
), chosen AS MATERIALIZED (
  SELECT r.id, row_number() OVER (ORDER BY r.turn, random()) AS place FROM waiting CROSS JOIN LATERAL (
    SELECT id, row_number() OVER (ORDER BY i.organization_id, i.id) AS turn
    FROM workflow_inbox i
    WHERE i.organization_id BETWEEN waiting.organization_id AND waiting.organization_id AND i.shard = ANY($1::smallint[])
      AND i.id NOT IN (SELECT unnest($2::bigint[])) AND ${condition}
    ORDER BY i.organization_id, i.id
    LIMIT $3
  ) AS r
  WHERE waiting.organization_id IS NOT NULL
  ORDER BY place
  LIMIT $4
), read AS (
  SELECT i.*, sum(octet_length(i.data::text)) OVER (ORDER BY c.place) - octet_length(i.data::text) AS before
  FROM chosen c CROSS JOIN LATERAL (SELECT * FROM workflow_inbox w WHERE w.id = c.id LIMIT 1) i
)
SELECT id, shard, organization_id AS "organizationId", run_id AS "runId", event_type AS "eventType", data
FROM read
WHERE before < $5
ORDER BY id`;
}

export const READ_INBOX = readInboxSql('true');

/** What is for runs that are there: found without passing over the starts, of which there may be any number before it. */
export const READ_COMMANDS = readInboxSql("i.event_type <> 'WORKFLOW_EXECUTION_STARTED'");

const OPEN_RUN_COLUMNS = `
  r.run_id AS "runId", r.organization_id AS "organizationId", r.workflow_id AS "workflowId", r.workflow, r.version,
  r.definition_hash AS "definitionHash", r.shard, r.status, r.recoveries,
  (extract(epoch FROM r.wake_at) * 1000)::float8 AS "wakeAt",
  r.parent_run_id AS "parentRunId", r.parent_node_path AS "parentNodePath",
  (SELECT p.shard FROM workflow_run p WHERE p.run_id = r.parent_run_id) AS "parentShard"`;

export const DUE_RUNS = `
SELECT ${OPEN_RUN_COLUMNS} FROM workflow_run r
WHERE shard = ANY($1::smallint[]) AND closed_at IS NULL AND wake_at <= to_timestamp($4::float8 / 1000.0)
  AND (wake_at, run_id) > (coalesce(to_timestamp($2::float8 / 1000.0), '-infinity'),
    coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY wake_at, run_id
LIMIT $5`;

/** The rows' other columns count a little. */
export const HISTORY_SIZES = `
SELECT run_id, sum(octet_length(data::text) + 100)::float8 AS n
FROM workflow_event WHERE run_id = ANY($1::uuid[]) GROUP BY run_id`;

/** By the index of open workflow ids: a chain can be long. */
const CHAIN = `workflow_run c JOIN workflow_run r ON r.organization_id = c.organization_id AND r.workflow_id = c.workflow_id
  WHERE c.run_id = $1 AND c.status = 'continued_as_new'`;

export const SUCCESSOR = `
SELECT r.run_id AS "runId" FROM ${CHAIN} AND c.parent_run_id::text = $2 AND r.closed_at IS NULL
  AND r.parent_run_id = c.parent_run_id AND r.parent_node_path = c.parent_node_path
UNION ALL
SELECT r.run_id FROM ${CHAIN} AND c.parent_run_id::text IS DISTINCT FROM $2 AND r.previous_run_id = c.run_id`;

export const OPEN_RUN = `SELECT ${OPEN_RUN_COLUMNS} FROM workflow_run r WHERE run_id = $1 AND closed_at IS NULL`;

export const READ_HISTORIES = `
SELECT run_id AS "runId", seq, type, (extract(epoch FROM at) * 1000)::float8 AS at, data,
  causation_seq AS "causationSeq"
FROM workflow_event WHERE run_id = ANY($1::uuid[]) ORDER BY run_id, seq`;

export const COUNT_RECOVERIES = `
UPDATE workflow_run SET recoveries = greatest(recoveries, least(recoveries + 1, $2)) WHERE run_id = ANY($1::uuid[])
RETURNING run_id, recoveries::int AS n`;

export const UNCOUNT_RECOVERIES =
  'UPDATE workflow_run SET recoveries = recoveries - 1 WHERE run_id = ANY($1::uuid[]) AND recoveries > 0';

export const CLEAR_RECOVERIES =
  'UPDATE workflow_run SET recoveries = 0 WHERE run_id = ANY($1::uuid[]) AND recoveries > 0';
