import { randomUUID } from 'node:crypto';
import type { Clock } from '@/lib/shared/clock';
import type { Operation } from '@/server/adapters/http/operation';
import { bulkOperations } from '@/server/adapters/http/operations/bulk';
import { scheduleOperations } from '@/server/adapters/http/operations/schedules';
import { createAuditLog } from '@/server/adapters/postgres/audit-log';
import { createBulkQueue, createBulkStore } from '@/server/adapters/postgres/bulk-store';
import type { Pool } from '@/server/adapters/postgres/pool';
import type { createPrisma } from '@/server/adapters/postgres/prisma';
import { createScheduleQueue } from '@/server/adapters/postgres/schedule-queue';
import { createScheduleStore } from '@/server/adapters/postgres/schedule-store';
import type { Bus } from '@/server/ports/bus';
import type { ExecutionStore, InboxRow } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import type { AccessService } from '@/server/services/access-service';
import { BULK_CHANNEL, BulkService } from '@/server/services/bulk-service';
import type { RerunService } from '@/server/services/rerun-service';
import type { RunService } from '@/server/services/run-service';
import { SCHEDULES_CHANNEL, ScheduleService } from '@/server/services/schedule-service';
import type { WorkflowService } from '@/server/services/workflow-service';
import { BulkWorker } from '@/server/workers/bulk-worker';
import { Scheduler } from '@/server/workers/scheduler';

const POLL_MS = 1_000;

export interface JobDeps {
  /** Connections as oc_engine. */
  pool: Pool;
  /** A client that connects as oc_app, and its connections. */
  prisma: ReturnType<typeof createPrisma>;
  app: Pool;
  store: ExecutionStore;
  workflows: WorkflowService;
  runs: RunService;
  reruns: RerunService;
  bus: Bus;
  clock: Clock;
  log: Log;
  newRunId: () => string;
  announce: (row: InboxRow) => void;
  maxPayloadBytes: number;
  access: AccessService;
}

/** Part of the composition root: schedules and bulk operations, their REST operations and their workers. */
export function createJobs(deps: JobDeps) {
  const { pool, prisma, app, store, workflows, runs, bus, clock, log, newRunId, announce, maxPayloadBytes } =
    deps;
  const { access } = deps;
  const audit = createAuditLog(prisma);
  const schedules = new ScheduleService({
    store: createScheduleStore(prisma),
    workflows,
    access,
    audit,
    newId: randomUUID,
    maxPayloadBytes,
    changed: () => bus.publish(SCHEDULES_CHANNEL, null),
  });
  const bulk = new BulkService({
    store: createBulkStore(prisma, app),
    access,
    audit,
    newId: newRunId,
    maxPayloadBytes,
    changed: () => bus.publish(BULK_CHANNEL, null),
  });
  const scheduler = new Scheduler({
    queue: createScheduleQueue(pool),
    runs,
    lostBy: (...of) => access.lostBy(...of),
    bus,
    clock,
    log,
    pollMs: POLL_MS,
  });
  const worker = new BulkWorker({
    queue: createBulkQueue(pool),
    store,
    announce,
    retry: (actor, runId, key) => deps.reruns.retry(actor, runId, key),
    bus,
    clock,
    log,
    pollMs: POLL_MS,
  });
  const operations: Operation[] = [...scheduleOperations(schedules), ...bulkOperations(bulk)];
  return {
    operations,

    /** Only in processes with the role `engine`. */
    start(): void {
      scheduler.start();
      worker.start();
    },

    /** Ends after what is under way; harmless when it was never started. */
    async stop(): Promise<void> {
      await Promise.all([scheduler.stop(), worker.stop()]);
    },
  };
}
