import { createHash } from 'node:crypto';
import { isAppError } from '@/lib/protocol/errors';
import type { EventType } from '@/lib/protocol/events';
import type { Clock } from '@/lib/shared/clock';
import { canonicalJson, type JsonObject } from '@/lib/shared/json';
import type { BulkFailure, BulkOperation, BulkQueue, BulkTarget } from '@/server/ports/bulk-store';
import type { Bus } from '@/server/ports/bus';
import type { ExecutionStore, InboxRow } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import { BULK_CHANNEL } from '@/server/services/bulk-service';

/** Runs of one turn. Their commands share a few writes, and between turns an operation can be cancelled. */
const CHUNK = 200;

const EVENTS = {
  pause: 'WORKFLOW_EXECUTION_PAUSED',
  resume: 'WORKFLOW_EXECUTION_UNPAUSED',
  cancel: 'WORKFLOW_EXECUTION_CANCEL_REQUESTED',
  terminate: 'WORKFLOW_EXECUTION_TERMINATED',
  signal: 'WORKFLOW_EXECUTION_SIGNALED',
} as const satisfies Record<BulkOperation['action'], EventType>;

export interface BulkWorkerDeps {
  queue: BulkQueue;
  store: Pick<ExecutionStore, 'accept'>;
  announce: (row: InboxRow) => void;
  bus: Bus;
  clock: Clock;
  log: Log;
  pollMs: number;
  chunk?: number;
}

/**
 * Carries bulk operations out through the durable inbox. Each command has a key made of operation and run: a chunk that
 * was sent but not noted down before a crash is sent again, and changes nothing.
 */
export class BulkWorker {
  private cancelTimer: () => void = () => {};
  private unsubscribe: () => void = () => {};
  private busy: Promise<void> | null = null;
  private stopped = false;

  constructor(private readonly deps: BulkWorkerDeps) {}

  start(): void {
    this.unsubscribe = this.deps.bus.subscribe(BULK_CHANNEL, () => this.kick());
    this.kick();
  }

  /** Ends after the chunk under way; the rest is for others, or for the next start. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.unsubscribe();
    this.cancelTimer();
    await this.busy;
  }

  private kick(): void {
    if (this.stopped || this.busy) return;
    this.cancelTimer();
    this.busy = this.run().finally(() => {
      this.busy = null;
    });
  }

  private async run(): Promise<void> {
    const { queue, clock, log, pollMs, chunk = CHUNK } = this.deps;
    try {
      while (
        !this.stopped &&
        (await queue.turn(chunk, (operation, targets) => this.send(operation, targets)))
      );
    } catch (error) {
      log.warn('bulk', { status: 'failed', error: String(error) });
    }
    if (!this.stopped) this.cancelTimer = clock.at(clock.now() + pollMs, () => this.kick());
  }

  private async send(operation: BulkOperation, targets: readonly BulkTarget[]): Promise<BulkFailure[]> {
    const failures = await Promise.all(targets.map((target) => this.sendOne(operation, target)));
    return failures.filter((failure) => failure !== null);
  }

  /** Null when the command is in the inbox; throws what may pass (the chunk is then tried again). */
  private async sendOne(operation: BulkOperation, { runId, shard }: BulkTarget): Promise<BulkFailure | null> {
    const { organizationId, bulkId, action, actorKind, actorId } = operation;
    const key = `bulk:${bulkId}:${runId}`;
    const data = dataOf(operation, key);
    const requestHash = createHash('sha256').update(canonicalJson({ runId, action, data })).digest('hex');
    try {
      const { row } = await this.deps.store.accept({
        organizationId,
        runId,
        shard,
        newRun: null,
        eventType: EVENTS[action],
        data,
        idempotency: { key, requestHash },
        audit: { actorKind, actorId, action: `run.${action}`, object: runId, details: { bulkId } },
      });
      if (row) this.deps.announce(row);
      return null;
    } catch (error) {
      if (!isAppError(error) || error.entry.retriable) throw error;
      return { runId, code: error.code, message: error.message };
    }
  }
}

function dataOf({ action, actorId: by, reason, signal }: BulkOperation, key: string): JsonObject {
  if (action === 'signal')
    return { name: signal?.name ?? '', payload: signal?.payload ?? null, signalId: key, by };
  return { by, ...(reason === null ? {} : { reason }) };
}
