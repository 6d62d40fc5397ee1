import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type DeepHealth, TOPICS } from '@/lib/protocol/api';
import type { Clock } from '@/lib/shared/clock';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import type { RegisterGauge } from '@/server/adapters/observability/prometheus';
import { databaseIdentity } from '@/server/adapters/postgres/database-identity';
import type { Pool } from '@/server/adapters/postgres/pool';
import { type Crossing, createRedisBus } from '@/server/adapters/redis/bus';
import { type MakeCounter, memoryCounter, redisCounters } from '@/server/adapters/redis/counters';
import { RedisLink } from '@/server/adapters/redis/link';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';
import type { Telemetry } from '@/server/ports/telemetry';
import { ACCESS_CHANNEL } from '@/server/services/access-service';
import { BULK_CHANNEL } from '@/server/services/bulk-service';
import { SCHEDULES_CHANNEL } from '@/server/services/schedule-service';
import { WEBHOOKS_CHANNEL } from '@/server/services/webhook-out-service';
import { INBOX_CHANNEL, OUTBOX_CHANNEL, PROGRESS_CHANNEL } from '@/server/workers/engine/host-deps';
import { STREAM_CHANNEL } from '@/server/workers/relay';

const id = z.string().max(200);

/**
 * All that leaves a process over Redis: where something is new, never what it is. Of a command only its shard crosses; the owner
 * reads the command from its table. The progress of calls is the exception: it is in no table, and nothing rests on it.
 */
export const CROSSING: Crossing = {
  [INBOX_CHANNEL]: z.object({ shard: z.int() }),
  [OUTBOX_CHANNEL]: z.object({ organizationId: id, runId: id }),
  [STREAM_CHANNEL]: z.object({ organizationId: id, topic: z.enum(TOPICS) }),
  [PROGRESS_CHANNEL]: z.object({
    organizationId: id,
    runId: id,
    nodePath: z.string().max(2_000),
    at: z.number(),
    progress: z.number(),
    total: z.number().optional(),
    message: z.string().optional(),
  }),
  [ACCESS_CHANNEL]: id,
  [SCHEDULES_CHANNEL]: z.null(),
  [BULK_CHANNEL]: z.null(),
  [WEBHOOKS_CHANNEL]: z.null(),
};

/** What processes of one instance tell each other and count together. */
export interface Shared {
  bus: Bus;
  counter: MakeCounter;
  /** What /health/deep says of it; nothing without Redis. */
  checks: Record<string, () => Promise<DeepHealth['checks'][string]>>;
  close(): Promise<void>;
}

export interface SharedDeps {
  redisUrl: string | undefined;
  pool: Pool;
  clock: Clock;
  log: Log;
  telemetry: Telemetry;
  gauge: RegisterGauge;
}

/**
 * Part of the composition root: the bus and the counters, over Redis when there is one. Redis may be away at any time, also now:
 * then the bus ends at this process, everything is found by polling, and each process counts for itself.
 */
export async function createShared(deps: SharedDeps): Promise<Shared> {
  const { redisUrl, pool, clock, log, telemetry, gauge } = deps;
  const local = createMemoryBus((error) => log.error('bus', { error: String(error) }));
  if (redisUrl === undefined) {
    gauge('conductor_redis_up', () => undefined);
    return { bus: local, counter: memoryCounter, checks: {}, close: () => local.close() };
  }
  const link = new RedisLink({ url: redisUrl, prefix: `oc:${await databaseIdentity(pool)}:`, clock, log });
  const bus = createRedisBus({
    link,
    local,
    crossing: CROSSING,
    processId: randomUUID(),
    count: (outcome, messages) => telemetry.busMessages(outcome, messages),
  });
  gauge('conductor_redis_up', () => (link.isUp ? 1 : 0));
  await link.start();
  return {
    bus,
    counter: redisCounters(link),
    checks: {
      redis: async () => {
        try {
          await link.ping();
          return { status: 'ok', detail: 'answers' };
        } catch (error) {
          // Never down: nothing is lost without it.
          const why = error instanceof Error ? error.message : String(error);
          return {
            status: 'degraded',
            detail: `away (${why}); hints by polling, limits counted in each process`,
          };
        }
      },
    },
    async close() {
      await bus.close();
      link.close();
    },
  };
}
