import type { Pool } from '@/server/adapters/postgres/pool';

/** How the work of all processes stands in the database. Ages are in seconds; 0 where nothing waits. */
export interface Backlog {
  inboxDepth: number;
  inboxOldest: number;
  relayEvents: number;
  relayOldest: number;
  unownedShards: number;
  processes: number;
}

// An outbox row has no time of its own: that of the first event it announces is as good.
const READ = `
WITH inbox AS (
  SELECT count(*) AS n, extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS age FROM workflow_inbox
), outbox AS (
  SELECT coalesce(sum(event_count), 0)::int8 AS n FROM event_outbox
), first AS (
  SELECT (refs->0->>0)::uuid AS run_id, (refs->0->>1)::int AS seq FROM event_outbox ORDER BY id LIMIT 1
)
SELECT inbox.n AS "inboxDepth", greatest(coalesce(inbox.age, 0), 0) AS "inboxOldest", outbox.n AS "relayEvents",
  greatest(coalesce((
    SELECT extract(epoch FROM clock_timestamp() - e.at)::float8 FROM first
    JOIN workflow_event e ON e.run_id = first.run_id AND e.seq = first.seq LIMIT 1), 0), 0) AS "relayOldest",
  (SELECT count(*) FROM workflow_shard WHERE owner IS NULL OR lease_until < clock_timestamp()) AS "unownedShards",
  (SELECT count(*) FROM engine_process WHERE live_until >= clock_timestamp()) AS "processes"
FROM inbox, outbox`;

/**
 * Reads the backlog. Readers within `freshMs` share one statement, so that a scrape asks once, however many gauges it fills.
 * Rejects when the database has not answered within `timeoutMs`.
 *
 * @param pool connections as oc_engine
 * @param now milliseconds on any clock
 */
export function createBacklogReader(
  pool: Pool,
  now: () => number,
  { freshMs = 1_000, timeoutMs = 2_000 } = {},
): () => Promise<Backlog> {
  let at = Number.NEGATIVE_INFINITY;
  let last: Promise<Backlog> | undefined;
  return () => {
    if (last !== undefined && now() - at < freshMs) return last;
    at = now();
    last = within(
      pool.query<Backlog>(READ).then(({ rows }) => rows[0] as Backlog),
      timeoutMs,
    );
    return last;
  };
}

function within<T>(work: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`The database did not answer within ${ms} ms.`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
