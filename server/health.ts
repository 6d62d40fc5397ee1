import type { Clock } from '@/lib/shared/clock';
import { limited, type Pool } from '@/server/adapters/postgres/pool';
import { engineHealth, type LeasesSeen } from '@/server/services/engine-health';
import { HealthService, type HealthServiceDeps } from '@/server/services/health-service';

/** How long a part may take to say how it is, in milliseconds. */
export const HEALTH_TIMEOUT_MS = 2_000;

export interface HealthDeps {
  version: string;
  /** Connections as oc_engine. */
  pool: Pool;
  /** Of this process's engine; null when it has none. */
  leases: LeasesSeen | null;
  shards: number;
  servers: () => Promise<readonly { name: string; status: string }[]>;
  clock: Clock;
  more: HealthServiceDeps['checks'];
}

/** Part of the composition root: what `/health/deep` looks at. */
export function createHealth({ version, pool, leases, shards, servers, clock, more }: HealthDeps) {
  // What nobody waits for any more must not keep a connection from those who work.
  const statements = limited(pool, HEALTH_TIMEOUT_MS);
  return new HealthService({
    version,
    startedAt: clock.now(),
    now: () => clock.now(),
    timeoutMs: HEALTH_TIMEOUT_MS,
    checks: {
      database: async () => {
        await statements.query('SELECT 1');
        return { status: 'ok', detail: 'answers' };
      },
      engine: async () => {
        if (leases === null) return { status: 'ok', detail: 'not in this process' };
        return engineHealth(leases, shards);
      },
      queue: async () => {
        const { rows } = await statements.query<{ n: number; oldest: number | null }>(
          `SELECT count(*) AS n, extract(epoch FROM clock_timestamp() - min(created_at))::float8 AS oldest
           FROM workflow_inbox`,
        );
        const waiting = rows[0]?.n ?? 0;
        const oldest = rows[0]?.oldest ?? 0;
        const late = waiting > 10_000 || oldest > 30;
        return {
          status: late ? 'degraded' : 'ok',
          detail: `${waiting} commands waiting${waiting > 0 ? `, the oldest for ${oldest.toFixed(1)} s` : ''}`,
        };
      },
      servers: async () => {
        const list = await servers();
        const failed = list.filter((server) => server.status === 'failed').map((server) => server.name);
        const detail = failed.length > 0 ? `failed: ${failed.join(', ')}` : `${list.length} configured`;
        return { status: failed.length > 0 ? 'degraded' : 'ok', detail };
      },
      ...more,
    },
  });
}
