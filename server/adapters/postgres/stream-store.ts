import type pg from 'pg';
import type { Topic } from '@/lib/protocol/api';
import type { StreamEvent } from '@/lib/protocol/event';
import type { JsonObject } from '@/lib/shared/json';
import { readServerStream } from '@/server/adapters/postgres/server-stream';
import type { StreamStore } from '@/server/ports/stream-store';

/** Payloads over this many bytes are not pushed to watchers: they read the event itself when they need it. */
const MAX_PUSHED_BYTES = 16_384;

/**
 * Takes the oldest committed batches and numbers them. The row lock on stream_head serialises relays; two at once
 * choose the same oldest rows, and the second finds them gone, so the order of commits is kept.
 */
const RELAY = `
WITH taken AS (
  DELETE FROM event_outbox WHERE id IN (SELECT id FROM event_outbox ORDER BY id LIMIT $1 FOR UPDATE)
  RETURNING id, organization_id, refs, event_count
), totals AS (
  SELECT organization_id, sum(event_count) AS total FROM taken GROUP BY organization_id
), heads AS (
  INSERT INTO stream_head (organization_id, topic, last_seq) SELECT organization_id, 'runs', total FROM totals
  ON CONFLICT (organization_id, topic) DO UPDATE SET last_seq = stream_head.last_seq + excluded.last_seq
  RETURNING organization_id, last_seq
), entries AS (
  INSERT INTO stream_entry (organization_id, topic, seq, event_count, refs)
  SELECT t.organization_id, 'runs',
    h.last_seq - o.total + 1
      + sum(t.event_count) OVER (PARTITION BY t.organization_id ORDER BY t.id) - t.event_count,
    t.event_count, t.refs
  FROM taken t
  JOIN totals o ON o.organization_id = t.organization_id
  JOIN heads h ON h.organization_id = t.organization_id
)
SELECT h.organization_id AS "organizationId", h.last_seq - o.total + 1 AS "from", h.last_seq AS "to"
FROM heads h JOIN totals o ON o.organization_id = h.organization_id`;

/**
 * The page begins with the entry that holds the number behind $3, or with the next one when that is gone, and ends `limit`
 * numbers behind. LATERAL with LIMIT makes the planner probe the primary key for each reference: without statistics (a fresh
 * database) it would read every event of every partition once an entry.
 */
const READ = `
WITH holding AS (
  SELECT seq, seq + event_count - 1 AS reached FROM stream_entry
  WHERE organization_id = $1 AND topic = $2 AND seq <= $3 + 1 ORDER BY seq DESC LIMIT 1
), bound AS (
  SELECT coalesce((SELECT seq FROM holding WHERE reached > $3),
    (SELECT min(seq) FROM stream_entry WHERE organization_id = $1 AND topic = $2 AND seq > $3 + 1)) AS first
), entry AS (
  SELECT seq, refs FROM stream_entry
  WHERE organization_id = $1 AND topic = $2
    AND seq >= (SELECT first FROM bound) AND seq <= greatest((SELECT first FROM bound), $3::bigint) + $4
  ORDER BY seq LIMIT $4
), ref AS MATERIALIZED (
  SELECT entry.seq AS first, r.place, (r.ref->>0)::uuid AS run_id, (r.ref->>1)::int AS low, (r.ref->>2)::int AS high
  FROM entry, json_array_elements(entry.refs) WITH ORDINALITY AS r(ref, place)
), numbered AS (
  SELECT ref.first + row_number() OVER (PARTITION BY ref.first ORDER BY ref.place, e.seq) - 1 AS "streamSeq",
    run.workflow, run.workflow_id AS "workflowId", e.run_id AS "runId", e.seq, e.type, e.at, e.causation_seq,
    e.correlation_id, e.data
  FROM ref
  CROSS JOIN LATERAL (
    SELECT workflow, workflow_id FROM workflow_run WHERE run_id = ref.run_id LIMIT 1
  ) AS run
  CROSS JOIN LATERAL (
    SELECT run_id, seq, type, at, causation_seq, correlation_id, data FROM workflow_event
    WHERE run_id = ref.run_id AND seq BETWEEN ref.low AND ref.high ORDER BY seq LIMIT 1000000
  ) AS e
)
SELECT "streamSeq", workflow, "workflowId", "runId", seq, type, at, causation_seq, correlation_id,
  CASE WHEN octet_length(data::text) <= ${MAX_PUSHED_BYTES} THEN data END AS data
FROM numbered WHERE "streamSeq" > $3 ORDER BY "streamSeq" LIMIT $4`;

/** The topic of alerts has entries of its own, numbered as they are written. */
const READ_ALERTS = `
SELECT seq AS "streamSeq", '' AS workflow, '' AS "workflowId", alert_id AS "runId", step AS seq, type, at,
  NULL::integer AS causation_seq, NULL::text AS correlation_id, data
FROM alert_change WHERE organization_id = $1 AND seq > $2 ORDER BY alert_change.seq LIMIT $3`;

/** The numbers of an entry begin at its seq: one that begins before may reach beyond $3. */
const TRIMMED = `
SELECT h.last_seq AS head,
  (SELECT seq + event_count - 1 FROM stream_entry WHERE organization_id = $1 AND topic = $2 AND seq <= $3 + 1
   ORDER BY seq DESC LIMIT 1) AS reached,
  (SELECT min(seq) FROM stream_entry WHERE organization_id = $1 AND topic = $2 AND seq > $3 + 1) AS next
FROM stream_head h WHERE h.organization_id = $1 AND h.topic = $2`;

interface ReadRow {
  streamSeq: number;
  workflow: string;
  workflowId: string;
  runId: string;
  seq: number;
  type: string;
  at: Date;
  causation_seq: number | null;
  correlation_id: string | null;
  data: JsonObject | null;
}

/**
 * Streams over `pg`.
 *
 * @param pool connections as oc_engine (the relay works for every organisation)
 */
export function createStreamStore(pool: pg.Pool): StreamStore {
  return {
    async relay(limit) {
      const { rows } = await pool.query<{ organizationId: string; from: number; to: number }>({
        name: 'oc_relay',
        text: RELAY,
        values: [limit],
      });
      return rows.map((row) => ({
        ...row,
        from: Number(row.from),
        to: Number(row.to),
        topic: 'runs' as const,
      }));
    },

    async head(organizationId, topic) {
      const { rows } = await pool.query<{ last_seq: number }>(
        'SELECT last_seq FROM stream_head WHERE organization_id = $1 AND topic = $2',
        [organizationId, topic],
      );
      return rows[0]?.last_seq ?? 0;
    },

    async read(organizationId: string, topic: Topic, after: number, limit: number) {
      if (topic === 'alerts') {
        const { rows } = await pool.query<ReadRow>(READ_ALERTS, [organizationId, after, limit]);
        return rows.map(toStreamEvent);
      }
      if (topic === 'servers') return readServerStream(pool, organizationId, after, limit);
      const { rows } = await pool.query<ReadRow>({
        name: 'oc_stream_read',
        text: READ,
        values: [organizationId, topic, after, limit],
      });
      return rows.map(toStreamEvent);
    },

    async trimmed(organizationId, topic, after) {
      const values = [organizationId, topic, after];
      const { rows } = await pool.query<{ head: number; reached: number | null; next: number | null }>(
        TRIMMED,
        values,
      );
      const row = rows[0];
      // Only the stream of runs is numbered in entries that retention drops.
      if (!row || topic !== 'runs' || after >= row.head || (row.reached ?? 0) > after) return null;
      return row.next === null ? row.head : row.next - 1;
    },
  };
}

function toStreamEvent(row: ReadRow): StreamEvent {
  return {
    streamSeq: Number(row.streamSeq),
    workflow: row.workflow,
    workflowId: row.workflowId,
    event: {
      runId: row.runId,
      seq: row.seq,
      type: row.type,
      at: row.at.toISOString(),
      data: row.data ?? { truncated: true },
      ...(row.causation_seq === null ? {} : { causationId: `${row.runId}:${row.causation_seq}` }),
      ...(row.correlation_id === null ? {} : { correlationId: row.correlation_id }),
    },
  };
}
