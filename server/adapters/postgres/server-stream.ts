import type pg from 'pg';
import type { StreamEvent } from '@/lib/protocol/event';
import { inTransaction } from '@/server/adapters/postgres/transactions';
import type { StreamRange } from '@/server/ports/stream-store';

/** Events older than this are left unnumbered: whoever wrote them died before numbering, and nobody came by since. */
const STILL_NEWS = '1 hour';
/** Entries in which events of that time are looked for: more than an hour can bring. */
const LOOK_BACK = 10_000;

/** Whoever numbers holds the head of the stream, so that no event gets two numbers. */
const HOLD = `
INSERT INTO stream_head (organization_id, topic, last_seq) VALUES ($1, 'servers', 0)
ON CONFLICT (organization_id, topic) DO UPDATE SET last_seq = stream_head.last_seq
RETURNING last_seq`;

const NUMBER = `
WITH fresh AS (
  SELECT id, row_number() OVER (ORDER BY id) AS place FROM server_event e
  WHERE organization_id = $1 AND at > now() - interval '${STILL_NEWS}' AND NOT EXISTS (
    SELECT 1 FROM stream_entry s
    WHERE s.organization_id = $1 AND s.topic = 'servers' AND s.seq > $2::bigint - ${LOOK_BACK}
      AND (s.refs->>0)::bigint = e.id)
), entries AS (
  INSERT INTO stream_entry (organization_id, topic, seq, event_count, refs)
  SELECT $1, 'servers', $2::bigint + place, 1, json_build_array(id) FROM fresh
)
UPDATE stream_head SET last_seq = $2::bigint + (SELECT count(*) FROM fresh)
WHERE organization_id = $1 AND topic = 'servers'
RETURNING last_seq`;

const READ = `
SELECT s.seq AS "streamSeq", e.id, e.server, e.type, e.at, e.data
FROM stream_entry s JOIN server_event e ON e.id = (s.refs->>0)::bigint AND e.organization_id = $1
WHERE s.organization_id = $1 AND s.topic = 'servers' AND s.seq > $2 ORDER BY s.seq LIMIT $3`;

interface Row {
  streamSeq: string;
  id: string;
  server: string;
  type: string;
  at: Date;
  data: StreamEvent['event']['data'];
}

/**
 * Gives the events of an organisation's servers that have none their numbers in the stream `servers`; the range given, or
 * null when there was none.
 *
 * @param engine connections as oc_engine
 */
export async function numberServerEvents(
  engine: pg.Pool,
  organizationId: string,
): Promise<StreamRange | null> {
  return inTransaction(engine, async (client) => {
    const held = await client.query<{ last_seq: string }>(HOLD, [organizationId]);
    const before = Number(held.rows[0]?.last_seq ?? 0);
    // A statement of its own: it sees what the holder before us has written.
    const { rows } = await client.query<{ last_seq: string }>(NUMBER, [organizationId, before]);
    const to = Number(rows[0]?.last_seq ?? before);
    return to === before ? null : { organizationId, topic: 'servers', from: before + 1, to };
  });
}

/** Entries of the stream `servers` behind `after`. */
export async function readServerStream(
  engine: pg.Pool,
  organizationId: string,
  after: number,
  limit: number,
): Promise<StreamEvent[]> {
  const { rows } = await engine.query<Row>({
    name: 'oc_server_stream_read',
    text: READ,
    values: [organizationId, after, limit],
  });
  return rows.map(({ streamSeq, id, server, type, at, data }) => ({
    streamSeq: Number(streamSeq),
    workflow: '',
    workflowId: '',
    server,
    event: { runId: '', seq: Number(id), type, at: at.toISOString(), data },
  }));
}
