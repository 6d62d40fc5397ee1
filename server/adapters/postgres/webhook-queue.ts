import type pg from 'pg';
import type { WebhookFormat } from '@/lib/protocol/webhooks';
import { inTransaction, ms } from '@/server/adapters/postgres/transactions';
import { DELIVERY_COLUMNS } from '@/server/adapters/postgres/webhook-out-store';
import type {
  NewDelivery,
  OutboundDelivery,
  SourceEvent,
  Subscription,
  WebhookQueue,
} from '@/server/ports/webhook-out-store';

/** Stream entries (batches of a commit) that one dispatch looks through. */
const ENTRIES = 500;
/** Payloads over these many bytes are not looked at: what is told of an event is never that long. */
const MAX_LOOKED_AT = 65_536;
/** Of events whose telling parts may lie beside large ones. */
const MAX_LOOKED_AT_MORE = 1_048_576;
/** Deliveries of one subscription that are under way at once in a process; a slow receiver holds up no other. */
const PER_SUBSCRIPTION = 4;
/** The same of one organisation, however many subscriptions it has. */
const PER_ORGANIZATION = 16;
/** An organisation whose events could not be worked on has its next turn after this. */
const REST_MS = 5_000;
/** Attempts that are kept of each delivery. */
const KEPT_ATTEMPTS = 10;
/** A run that is given up may commit this much later than the time it says: looked back for, now and then. */
const GIVEN_UP_SLACK = `interval '1 minute'`;
const GIVEN_UP_EVERY = `interval '3 seconds'`;
const MOST_GIVEN_UP = 10_000;

/** The organisation with something new that was served longest ago, of those that nobody else works on. */
const TAKE = `
SELECT c.organization_id AS "organizationId", c.last_seq AS "lastSeq", ${ms('c.given_up_at', 'givenUpAt')}
FROM webhook_cursor c
WHERE c.next_at <= clock_timestamp() AND (
  EXISTS (
    SELECT 1 FROM stream_head h
    WHERE h.organization_id = c.organization_id AND h.topic = 'runs' AND h.last_seq > c.last_seq)
  OR c.given_up_at < clock_timestamp() - ${GIVEN_UP_EVERY} AND EXISTS (
    SELECT 1 FROM workflow_run r
    WHERE r.organization_id = c.organization_id AND r.status = 'dead_letter'
      AND r.closed_at > c.given_up_at - ${GIVEN_UP_SLACK}))
ORDER BY c.next_at LIMIT 1 FOR UPDATE OF c SKIP LOCKED`;

const REST = `
UPDATE webhook_cursor SET next_at = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
WHERE organization_id = $1`;

const SUBSCRIPTIONS = `
SELECT id, events, workflow, created_by AS "createdBy", from_seq AS "fromSeq", ${ms('from_at', 'fromAt')}
FROM webhook_out WHERE organization_id = $1 AND enabled`;

/**
 * LATERAL with LIMIT makes the planner probe the primary key for each reference, as the stream's own reader does. The data
 * of what may be large is not read at all. Without entries there is nothing up to the head, as this statement sees it: entries
 * that retention took away leave a gap up to there. A later statement would see a newer head, and skip what it never looked at.
 */
const EVENTS = `
WITH entry AS MATERIALIZED (
  SELECT seq, event_count, refs FROM stream_entry
  WHERE organization_id = $1 AND topic = 'runs' AND seq > $2 ORDER BY seq LIMIT ${ENTRIES}
), told AS (
  SELECT entry.seq AS first, run.workflow, run.workflow_id, run.version, e.run_id, e.seq, e.type, e.at, e.data
  FROM entry
  CROSS JOIN LATERAL json_array_elements(entry.refs) AS ref
  CROSS JOIN LATERAL (
    SELECT run_id, seq, type, at, CASE
      WHEN type = 'WORKFLOW_EXECUTION_COMPLETED' THEN NULL
      WHEN octet_length(data::text) <= CASE WHEN type IN ('APPROVAL_REQUESTED', 'WORKFLOW_EXECUTION_FAILED')
        THEN ${MAX_LOOKED_AT_MORE} ELSE ${MAX_LOOKED_AT} END THEN data END AS data
    FROM workflow_event
    WHERE run_id = (ref->>0)::uuid AND seq BETWEEN (ref->>1)::int AND (ref->>2)::int AND type = ANY($3)
    ORDER BY seq LIMIT 1000000
  ) AS e
  CROSS JOIN LATERAL (
    SELECT workflow, workflow_id, version FROM workflow_run WHERE run_id = e.run_id LIMIT 1
  ) AS run
)
SELECT coalesce((SELECT max(seq + event_count - 1) FROM entry),
    (SELECT last_seq FROM stream_head WHERE organization_id = $1 AND topic = 'runs')) AS "upTo", told.first, told.workflow,
  told.workflow_id AS "workflowId", told.version, told.run_id AS "runId", told.seq, told.type,
  ${ms('told.at', 'at')}, told.data
FROM (SELECT 1) AS always LEFT JOIN told ON true ORDER BY told.first, told.run_id, told.seq`;

const GIVEN_UP = `
SELECT run_id AS "runId", workflow, workflow_id AS "workflowId", version, ${ms('closed_at', 'at')}, failure,
  history_length AS seq
FROM workflow_run
WHERE organization_id = $1 AND status = 'dead_letter' AND closed_at > to_timestamp($2::float8 / 1000) - ${GIVEN_UP_SLACK}
ORDER BY closed_at LIMIT ${MOST_GIVEN_UP}`;

const INSERT = `
INSERT INTO webhook_out_delivery (id, organization_id, webhook_id, event_key, event, payload)
SELECT n.id, n.organization_id, n.webhook_id, n.event_key, n.event, n.payload::json
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
  AS n(id, organization_id, webhook_id, event_key, event, payload)
WHERE EXISTS (SELECT 1 FROM webhook_out w WHERE w.id = n.webhook_id)
ON CONFLICT (webhook_id, event_key) DO NOTHING`;

/**
 * Few of each subscription and of each organisation, with those that the process has under way ($3 and $4); first of whoever
 * has fewest. The limit counts what nobody else has locked.
 */
const CLAIM = `
WITH busy AS (
  SELECT organization_id, webhook_id FROM unnest($3::uuid[], $4::uuid[]) AS b(organization_id, webhook_id)
), due AS (
  SELECT d.id, d.next_at, w.format, w.organization_id, d.nth + open.n AS place
  FROM webhook_out w
  CROSS JOIN LATERAL (SELECT count(*) AS n FROM busy WHERE busy.webhook_id = w.id) AS open
  CROSS JOIN LATERAL (
    SELECT id, next_at, row_number() OVER (ORDER BY next_at) AS nth FROM webhook_out_delivery
    WHERE webhook_id = w.id AND state = 'waiting' AND next_at <= clock_timestamp()
    ORDER BY next_at LIMIT greatest(${PER_SUBSCRIPTION} - open.n, 0)
  ) AS d
  WHERE w.enabled
), turns AS (
  SELECT id, next_at, format, row_number() OVER (PARTITION BY organization_id ORDER BY place, next_at)
    + (SELECT count(*) FROM busy WHERE busy.organization_id = due.organization_id) AS turn
  FROM due
), mine AS (
  SELECT d.id, turns.format FROM webhook_out_delivery d JOIN turns ON turns.id = d.id
  WHERE turns.turn <= ${PER_ORGANIZATION} AND d.state = 'waiting' AND d.next_at <= clock_timestamp()
  ORDER BY turns.turn, turns.next_at LIMIT $1 FOR UPDATE OF d SKIP LOCKED
)
UPDATE webhook_out_delivery d SET next_at = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
FROM mine WHERE d.id = mine.id RETURNING ${DELIVERY_COLUMNS}, mine.format`;

/** Only what is still waiting: a replay that came meanwhile, or another's attempt, counts for itself. */
const SETTLE = `
UPDATE webhook_out_delivery SET attempts = attempts + 1, history = $2::json,
  state = CASE WHEN $3 THEN 'delivered' WHEN $4::float8 IS NULL THEN 'failed' ELSE 'waiting' END,
  settled_at = CASE WHEN $3 OR $4::float8 IS NULL THEN clock_timestamp() END,
  next_at = clock_timestamp() + make_interval(secs => coalesce($4::float8, 0) / 1000)
WHERE id = $1 AND state = 'waiting'`;

const FAILING = `
UPDATE webhook_out SET failing_since = CASE WHEN $2 THEN NULL ELSE coalesce(failing_since, clock_timestamp()) END
WHERE id = $1 AND (NOT $2 OR failing_since IS NOT NULL) RETURNING ${ms('failing_since', 'since')}`;

interface EventRow extends Omit<SourceEvent, 'organizationId' | 'runId'> {
  upTo: number | null;
  first: number;
  runId: string | null;
}

type Candidate = Subscription & { fromSeq: number; fromAt: number };

interface Cursor {
  organizationId: string;
  lastSeq: number;
  givenUpAt: number;
}

/**
 * The queue of deliveries over `pg`.
 *
 * @param pool connections as oc_engine; best not those of the engine itself, which should not wait behind these
 * @param restMs after this an organisation whose events could not be worked on has its next turn
 */
export function createWebhookQueue(pool: pg.Pool, restMs = REST_MS): WebhookQueue {
  return {
    async dispatch(types, match) {
      let organizationId: string | undefined;
      try {
        return await inTransaction(pool, async (client) => {
          const { rows } = await client.query<Cursor>(TAKE);
          const cursor = rows[0];
          if (cursor === undefined) return null;
          organizationId = cursor.organizationId;
          await lookThrough(client, cursor, types, match);
          return { organizationId, error: null };
        });
      } catch (error) {
        if (organizationId === undefined) throw error;
        // Else it would be the one that waits longest for ever, and none of the others would be served. When this fails too the
        // database is away, for all of them.
        await pool.query(REST, [organizationId, restMs]);
        return { organizationId, error };
      }
    },

    async claim(limit, leaseMs, busy = []) {
      const { rows } = await pool.query<OutboundDelivery & { format: WebhookFormat }>(CLAIM, [
        limit,
        leaseMs,
        busy.map(({ organizationId }) => organizationId),
        busy.map(({ webhookId }) => webhookId),
      ]);
      return rows;
    },

    settle(delivery, { attempt, delivered, retryAfterMs }) {
      return inTransaction(pool, async (client) => {
        const history = JSON.stringify([...delivery.history, attempt].slice(-KEPT_ATTEMPTS));
        await client.query(SETTLE, [delivery.id, history, delivered, retryAfterMs]);
        const { rows } = await client.query<{ since: number | null }>(FAILING, [
          delivery.webhookId,
          delivered,
        ]);
        return rows[0]?.since ?? null;
      });
    },

    disable({ organizationId, webhookId }, reason, tell) {
      return inTransaction(pool, async (client) => {
        const { rows } = await client.query<{ name: string }>(
          `UPDATE webhook_out SET enabled = false, disabled_at = clock_timestamp(), disabled_reason = $2
           WHERE id = $1 AND enabled RETURNING name`,
          [webhookId, reason],
        );
        const name = rows[0]?.name;
        if (name === undefined) return false;
        await client.query(
          `UPDATE webhook_out_delivery SET state = 'failed', settled_at = clock_timestamp()
           WHERE webhook_id = $1 AND state = 'waiting'`,
          [webhookId],
        );
        const { rows: others } = await client.query<Subscription>(SUBSCRIPTIONS, [organizationId]);
        await insert(
          client,
          others.flatMap((other) => tell(other, name) ?? []),
        );
        return true;
      });
    },

    async forget(days) {
      const { rowCount } = await pool.query(
        'DELETE FROM webhook_out_delivery WHERE settled_at < clock_timestamp() - make_interval(days => $1)',
        [days],
      );
      return rowCount ?? 0;
    },
  };
}

/** Looks through what is new of an organisation, stores what is to be sent and moves its place, within the transaction. */
async function lookThrough(
  client: pg.PoolClient,
  { organizationId, lastSeq, givenUpAt }: Cursor,
  types: readonly string[],
  match: Parameters<WebhookQueue['dispatch']>[1],
): Promise<void> {
  const { rows: all } = await client.query<Candidate>(SUBSCRIPTIONS, [organizationId]);
  if (all.length === 0) {
    // Whoever subscribes now waits for the lock of the place, and hears of nothing before that.
    await client.query(
      `UPDATE webhook_cursor SET given_up_at = clock_timestamp(), next_at = clock_timestamp(), last_seq = coalesce(
         (SELECT last_seq FROM stream_head WHERE organization_id = $1 AND topic = 'runs'), last_seq)
       WHERE organization_id = $1`,
      [organizationId],
    );
    return;
  }
  const { rows } = await client.query<EventRow>(EVENTS, [organizationId, lastSeq, types]);
  const upTo = rows[0]?.upTo ?? null;
  const offered = rows.flatMap((row) => {
    const { upTo: _upTo, first, runId, ...event } = row;
    if (runId === null) return [];
    const subscriptions = all.filter(({ fromSeq }) => first > fromSeq);
    return [{ event: { ...event, runId, organizationId }, subscriptions }];
  });
  const gone = await client.query<SourceEvent & { failure: unknown }>(GIVEN_UP, [organizationId, givenUpAt]);
  const dead = gone.rows.map(({ failure, ...row }) => {
    const data = { failure } as SourceEvent['data'];
    const event = { ...row, organizationId, type: 'RUN_GIVEN_UP', data };
    return { event, subscriptions: all.filter(({ fromAt }) => row.at >= fromAt) };
  });
  await insert(client, await match([...offered, ...dead]));
  await client.query(
    `UPDATE webhook_cursor SET given_up_at = clock_timestamp(), next_at = clock_timestamp(),
       last_seq = greatest(last_seq, $2::bigint)
     WHERE organization_id = $1`,
    [organizationId, upTo],
  );
}

/** Stores deliveries; one whose event the subscription has heard of already is left out. */
export async function insert(client: pg.PoolClient, deliveries: readonly NewDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await client.query(INSERT, [
    deliveries.map(({ id }) => id),
    deliveries.map(({ organizationId }) => organizationId),
    deliveries.map(({ webhookId }) => webhookId),
    deliveries.map(({ eventKey }) => eventKey),
    deliveries.map(({ event }) => event),
    deliveries.map(({ payload }) => JSON.stringify(payload)),
  ]);
}
