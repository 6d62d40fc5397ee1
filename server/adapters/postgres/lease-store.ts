import type pg from 'pg';
import { NOW } from '@/server/adapters/postgres/database-clock';
import { limited } from '@/server/adapters/postgres/pool';
import { inTransaction } from '@/server/adapters/postgres/transactions';
import { mustHaveShards } from '@/server/adapters/shard-count';
import type { Heartbeat, Lease, LeaseStore } from '@/server/ports/lease-store';

const HEARTBEAT = `
WITH me AS (
  INSERT INTO engine_process (id, build_id, host, pid, live_until)
  VALUES ($1, $3, $4, $5, clock_timestamp() + make_interval(secs => $6::float8 / 1000))
  ON CONFLICT (id) DO UPDATE SET live_until = excluded.live_until
), gone AS (
  DELETE FROM engine_process WHERE live_until < clock_timestamp() - interval '1 hour'
), kept AS (
  UPDATE workflow_shard SET lease_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
  WHERE owner = $1 RETURNING shard, epoch
)
SELECT
  (SELECT coalesce(json_agg(json_build_object('shard', shard, 'epoch', epoch)), '[]') FROM kept) AS held,
  (SELECT coalesce(json_agg(json_build_object('id', id, 'pid', pid)), '[]') FROM engine_process
   WHERE host = $4 AND id <> $1 AND live_until > clock_timestamp()) AS neighbours,
  (SELECT count(*) FROM engine_process WHERE live_until > clock_timestamp() AND id <> $1) + 1 AS processes,
  ${NOW} AS now`;

const ACQUIRE = `
UPDATE workflow_shard SET
  owner = $1, epoch = epoch + 1, lease_until = clock_timestamp() + make_interval(secs => $2::float8 / 1000)
WHERE shard IN (
  SELECT shard FROM workflow_shard WHERE owner IS NULL OR lease_until < clock_timestamp()
  ORDER BY lease_until, shard LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING shard, epoch`;

/**
 * Leases over `pg`. All times are the database's, so a process with a wrong clock neither keeps nor steals a shard.
 *
 * @param pool connections as oc_engine
 */
export function createLeaseStore(pool: pg.Pool): LeaseStore {
  const statements = limited(pool);
  return {
    async ensureShards(count) {
      if ((await countShards(pool)) === 0) await firstShards(pool, count);
      mustHaveShards(await countShards(pool), count);
    },

    async heartbeat(process, ttlMs, leaving = false) {
      const { rows } = await statements.query<Heartbeat>({
        name: 'oc_heartbeat',
        text: HEARTBEAT,
        values: [process.id, ttlMs, process.buildId, process.host, process.pid, leaving ? 0 : ttlMs],
      });
      return rows[0] ?? { held: [], processes: 1, neighbours: [], now: 0 };
    },

    async acquire(owner, ttlMs, limit) {
      const { rows } = await statements.query<Lease>(ACQUIRE, [owner, ttlMs, limit]);
      return rows;
    },

    async release(owner, shards) {
      await statements.query(
        "UPDATE workflow_shard SET owner = NULL, lease_until = '-infinity' WHERE owner = $1 AND shard = ANY($2::smallint[])",
        [owner, shards],
      );
    },

    async leave(owner) {
      await statements.query('DELETE FROM engine_process WHERE id = $1', [owner]);
    },
  };
}

async function countShards(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM workflow_shard');
  return rows[0]?.n ?? 0;
}

/** Of processes that start at once with different numbers, one is first. */
async function firstShards(pool: pg.Pool, count: number): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('LOCK TABLE workflow_shard IN SHARE ROW EXCLUSIVE MODE');
    await client.query(
      'INSERT INTO workflow_shard (shard) SELECT generate_series(0, $1 - 1) WHERE NOT EXISTS (SELECT 1 FROM workflow_shard)',
      [count],
    );
  });
}
