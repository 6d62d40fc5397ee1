import { createHash } from 'node:crypto';
import type { Actor } from '@/lib/protocol/actor';
import { toAppError } from '@/lib/protocol/errors';
import type { EventType } from '@/lib/protocol/events';
import type { Clock } from '@/lib/shared/clock';
import { canonicalJson, type JsonObject } from '@/lib/shared/json';
import type { BulkFailure, BulkOperation, BulkQueue, BulkTarget } from '@/server/ports/bulk-store';
import type { Bus } from '@/server/ports/bus';
import type { ExecutionStore, InboxRow } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import { BULK_CHANNEL } from '@/server/services/bulk-service';

/** Runs of one turn, fewer for a retry (MOST_RETRIES). Their commands share a few writes, and between turns an operation can be cancelled. */
const CHUNK = 200;

/** Retries sent at once: each reads a whole history. */
const RETRIES = 4;

/** What a database answers now and may not answer again: serialization failures, deadlocks, locks, cancelled statements. */
const PASSING = /^(40|55|57)[0-9A-Z]{3}$|^P2034$/;

const EVENTS = {
  pause: 'WORKFLOW_EXECUTION_PAUSED',
  resume: 'WORKFLOW_EXECUTION_UNPAUSED',
  cancel: 'WORKFLOW_EXECUTION_CANCEL_REQUESTED',
  terminate: 'WORKFLOW_EXECUTION_TERMINATED',
  signal: 'WORKFLOW_EXECUTION_SIGNALED',
} as const satisfies Record<Exclude<BulkOperation['action'], 'retry'>, EventType>;

export interface BulkWorkerDeps {
  queue: BulkQueue;
  store: Pick<ExecutionStore, 'accept'>;
  announce: (row: InboxRow) => void;
  /** Starts the next run of a closed run's chain; with the same key again it is the same run. */
  retry: (actor: Actor, runId: string, key: string) => Promise<unknown>;
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
    const failures: (BulkFailure | null)[] = [];
    const size = operation.action === 'retry' ? RETRIES : targets.length;
    for (let from = 0; from < targets.length; from += size) {
      const some = targets.slice(from, from + size).map((target) => this.sendOne(operation, target));
      failures.push(...(await Promise.all(some)));
    }
    return failures.filter((failure) => failure !== null);
  }

  /**
   * Null when the command is in the inbox; throws what passes with time (the chunk is then tried again). Anything else is
   * about this run and would come again: it is a failure of this run, and no other has to wait for it.
   */
  private async sendOne(operation: BulkOperation, target: BulkTarget): Promise<BulkFailure | null> {
    const key = `bulk:${operation.bulkId}:${target.runId}`;
    try {
      if (operation.action === 'retry') await this.deps.retry(actorOf(operation), target.runId, key);
      else await this.command({ ...operation, action: operation.action }, target, key);
      return null;
    } catch (error) {
      if (passes(error)) throw error;
      const { code, message } = toAppError(error);
      if (code === 'INTERNAL') this.unexpected(operation, target, error);
      return { runId: target.runId, code, message };
    }
  }

  private unexpected({ bulkId }: BulkOperation, { runId }: BulkTarget, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.deps.log.error('bulk', { status: 'failed', bulk_id: bulkId, run_id: runId, error: text });
  }

  private async command(
    operation: BulkOperation & { action: keyof typeof EVENTS },
    { runId, shard }: BulkTarget,
    key: string,
  ): Promise<void> {
    const { organizationId, bulkId, action, actorKind, actorId } = operation;
    const data = dataOf(operation, key);
    const requestHash = createHash('sha256').update(canonicalJson({ runId, action, data })).digest('hex');
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
  }
}

function passes(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return toAppError(error).entry.retriable || (typeof code === 'string' && PASSING.test(code));
}

/** Who asked for the operation; that they may was checked then. */
function actorOf({ organizationId, actorKind, actorId }: BulkOperation): Actor {
  return {
    kind: actorKind as Actor['kind'],
    id: actorId,
    organizationId,
    role: 'operator',
    displayName: actorId,
  };
}

function dataOf({ action, actorId: by, reason, signal }: BulkOperation, key: string): JsonObject {
  if (action === 'signal')
    return { name: signal?.name ?? '', payload: signal?.payload ?? null, signalId: key, by };
  return { by, ...(reason === null ? {} : { reason }) };
}
