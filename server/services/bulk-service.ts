import type { Actor } from '@/lib/protocol/actor';
import type { BulkAction, BulkFilterBody, BulkOperationBody, CreateBulkBody } from '@/lib/protocol/bulk';
import { AppError, idempotencyConflict } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { RunStatus } from '@/lib/protocol/run';
import { isUuid } from '@/lib/shared/ids';
import type { AuditLog } from '@/server/ports/audit-log';
import type { BulkFilter, BulkKeyUse, BulkOperation, BulkStore } from '@/server/ports/bulk-store';
import type { AccessService } from '@/server/services/access-service';
import { hashOf } from '@/server/services/run-service';

/** Channel of the bus on which a new bulk operation is told, as a hint to look. */
export const BULK_CHANNEL = 'bulk';

/** Runs on which an action has an effect, when nobody says which. */
const USUAL: Partial<Record<BulkAction, RunStatus[]>> = {
  pause: ['running'],
  resume: ['paused'],
  retry: ['failed', 'timed_out', 'dead_letter'],
};

export interface BulkServiceDeps {
  store: BulkStore;
  audit: AuditLog;
  access: Pick<AccessService, 'of' | 'workflowOf' | 'refuseRestricted'>;
  /** Makes a UUIDv7: the newest operations are listed first. */
  newId: () => string;
  maxPayloadBytes: number;
  /** Tells workers in reach that there is something to do. */
  changed: () => void;
}

/** Use cases around bulk operations: one command to every run that a filter finds. */
export class BulkService {
  constructor(private readonly deps: BulkServiceDeps) {}

  /**
   * Writes a bulk operation down, with the number of runs that fit now; workers carry it out. The same request again under its
   * key gives the first one as it is now. A dry run only counts, and uses no key. Throws INVALID_INPUT (no filter, or a signal
   * missing), PAYLOAD_TOO_LARGE, WORKFLOW_NOT_FOUND (a restricted one), IDEMPOTENCY_CONFLICT.
   */
  async create(actor: Actor, body: CreateBulkBody, key: string | null): Promise<BulkOperationBody> {
    requirePermission(actor, 'executions:control');
    const hash = hashOf({ bulk: body, by: actor.id });
    const first =
      key === null || body.dryRun ? null : await this.deps.store.keyUse(actor.organizationId, key);
    if (first !== null) return this.firstAnswer(actor, first, hash);
    if (Object.values(body.filter).every((value) => value === undefined)) {
      const message = 'Say which runs: an empty filter would mean every one. Give a status to mean that.';
      throw new AppError('INVALID_INPUT', message, { path: '/filter' });
    }
    if ((body.action === 'signal') !== (body.signal !== undefined)) {
      const message = body.action === 'signal' ? 'Say which signal.' : `${body.action} takes no signal.`;
      throw new AppError('INVALID_INPUT', message, { path: '/signal' });
    }
    if (body.filter.workflow !== undefined) {
      const ref = { kind: 'workflow', id: body.filter.workflow } as const;
      await this.deps.access.refuseRestricted(actor, 'executions:control', ref);
    }
    const bytes = Buffer.byteLength(JSON.stringify(body.signal?.payload ?? null));
    if (bytes > this.deps.maxPayloadBytes) {
      const message = `${bytes} bytes; the limit is ${this.deps.maxPayloadBytes}.`;
      throw new AppError('PAYLOAD_TOO_LARGE', message, { path: '/signal/payload' });
    }
    const bulkId = this.deps.newId();
    const except = (await this.deps.access.of(actor))?.without('executions:control', 'workflow') ?? [];
    const filter = { ...toFilter(body), except: except.length === 0 ? null : except };
    // Not by the clock of this process: runs have their times from the database, whichever process started them.
    const createdAt = await this.deps.store.now();
    const matched = await this.deps.store.count(actor.organizationId, filter, createdAt);
    const operation: BulkOperation = {
      bulkId,
      organizationId: actor.organizationId,
      action: body.action,
      filter,
      reason: body.reason ?? null,
      signal: body.signal ? { name: body.signal.name, payload: body.signal.payload ?? null } : null,
      state: 'running',
      matched,
      done: 0,
      failed: 0,
      failures: [],
      actorKind: actor.kind,
      actorId: actor.id,
      createdAt,
      finishedAt: null,
    };
    if (body.dryRun) return { ...toBody(operation), bulkId: null, state: 'dry-run', createdAt: null };
    const kept = await this.deps.store.create(operation, { key, hash, source: actor.source ?? null });
    this.deps.changed();
    return this.firstAnswer(actor, kept, hash);
  }

  private firstAnswer(actor: Actor, use: BulkKeyUse, hash: string): Promise<BulkOperationBody> {
    if (use.hash === hash) return this.shown(actor, use.operation);
    throw idempotencyConflict();
  }

  async list(actor: Actor, limit: number): Promise<BulkOperationBody[]> {
    requirePermission(actor, 'executions:read');
    const found = await this.deps.store.list(actor.organizationId, limit);
    return Promise.all(
      found.map(async ({ named, ...operation }) => ({
        ...(await this.shown(actor, operation)),
        ...(named === null ? {} : { named }),
      })),
    );
  }

  /** With the ids that its filter names, unless they are not wanted. Throws BULK_NOT_FOUND. */
  async get(actor: Actor, bulkId: string, withIds = true): Promise<BulkOperationBody> {
    requirePermission(actor, 'executions:read');
    const found = isUuid(bulkId) ? await this.deps.store.get(actor.organizationId, bulkId) : null;
    if (found) {
      const shown = await this.shown(actor, found);
      return withIds ? shown : { ...shown, filter: { ...shown.filter, ids: undefined } };
    }
    const message = `There is no bulk operation ${bulkId.slice(0, 100)}.`;
    throw new AppError('BULK_NOT_FOUND', message, { path: '/bulkId' });
  }

  /** Without the failures of runs that the actor does not see. */
  private async shown(actor: Actor, operation: BulkOperation): Promise<BulkOperationBody> {
    const { access } = this.deps;
    const hidden =
      operation.failures.length === 0 ? [] : ((await access.of(actor))?.hidden('workflow') ?? []);
    if (hidden.length === 0) return toBody(operation);
    const failures = [];
    for (const failure of operation.failures) {
      const workflow = await access.workflowOf(actor.organizationId, failure.runId);
      if (workflow !== null && !hidden.includes(workflow)) failures.push(failure);
    }
    return toBody({ ...operation, failures });
  }

  /** Ends it early: runs that have the command already keep it. Without effect when it is over. Throws BULK_NOT_FOUND. */
  async cancel(actor: Actor, bulkId: string): Promise<BulkOperationBody> {
    requirePermission(actor, 'executions:control');
    await this.get(actor, bulkId);
    if (await this.deps.store.cancel(actor.organizationId, bulkId)) {
      await this.deps.audit.record(actor, 'bulk.stop', bulkId, {});
    }
    return this.get(actor, bulkId);
  }
}

function toFilter({ action, filter }: CreateBulkBody): Omit<BulkFilter, 'except'> {
  const { status, workflow, startedAfter, startedBefore, ids } = filter;
  return {
    status: status ?? (ids === undefined ? (USUAL[action] ?? null) : null),
    workflow: workflow ?? null,
    startedAfter: startedAfter === undefined ? null : Date.parse(startedAfter),
    startedBefore: startedBefore === undefined ? null : Date.parse(startedBefore),
    ids: ids ?? null,
    closed: action === 'retry',
  };
}

function toBody(operation: BulkOperation): BulkOperationBody {
  const { bulkId, action, state, matched, done, failed, failures, createdAt, finishedAt } = operation;
  const { status, workflow, startedAfter, startedBefore, ids } = operation.filter;
  const filter: BulkFilterBody = {
    ...(status === null ? {} : { status: [...status] }),
    ...(workflow === null ? {} : { workflow }),
    ...(startedAfter === null ? {} : { startedAfter: new Date(startedAfter).toISOString() }),
    ...(startedBefore === null ? {} : { startedBefore: new Date(startedBefore).toISOString() }),
    ...(ids === null ? {} : { ids: [...ids] }),
  };
  return {
    bulkId,
    action,
    filter,
    ...(ids === null ? {} : { named: ids.length }),
    state,
    matched,
    done,
    failed,
    failures,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}
