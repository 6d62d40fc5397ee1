import { AppError, idempotencyConflict } from '@/lib/protocol/errors';
import { referencedIn } from '@/lib/protocol/payload';
import type { MemoryDatabase, MemoryRun } from '@/server/adapters/memory/database';
import { adoptPayloads } from '@/server/adapters/memory/payload-store';
import type {
  AcceptRequest,
  AcceptResult,
  CommitKey,
  CommitPart,
  ExecutionStore,
  InboxLimits,
  InboxRow,
  NewInboxRow,
  NewRun,
  OpenRun,
} from '@/server/ports/execution-store';

/** The execution store without a database, with the same promises; values are copied in and out as a database would. */
export function createMemoryExecutionStore(db: MemoryDatabase): ExecutionStore {
  return {
    accept: async (request) => accept(db, structuredClone(request)),
    async adopt(contents) {
      for (const { organizationId, runId, sha256 } of contents)
        adoptPayloads(db, organizationId, runId, [sha256]);
    },
    commit: async (owner, parts) => commit(db, owner, ofOneEpoch(structuredClone([...parts]))),

    async historyLengths(runIds) {
      const lengths = runIds.map((id) => [id, db.events.get(id)?.length ?? 0] as const);
      return new Map(lengths.filter(([, length]) => length > 0));
    },

    async ownLengths(owner, parts) {
      const own = parts.filter((part) => isHeld(db, owner, part));
      return new Map(own.map(({ runId }) => [runId, db.events.get(runId)?.length ?? 0]));
    },

    readInbox: async (...args) => readRows([...db.inbox.values()], ...args),

    readCommands: async (...args) =>
      readRows(
        [...db.inbox.values()].filter(({ eventType }) => eventType !== 'WORKFLOW_EXECUTION_STARTED'),
        ...args,
      ),

    async dueRuns(shards, { after, afterRunId, until }, limit) {
      const isAfter = (run: OpenRun) =>
        after === null ||
        run.wakeAt > after ||
        (run.wakeAt === after && afterRunId !== null && run.runId > afterRunId);
      return [...db.runs.values()]
        .filter((run) => run.closedAt === null && shards.includes(run.run.shard))
        .map((run) => toOpenRun(db, run))
        .filter((run) => run.wakeAt <= until && isAfter(run))
        .sort((a, b) => a.wakeAt - b.wakeAt || (a.runId < b.runId ? -1 : 1))
        .slice(0, limit);
    },

    async historySizes(runIds) {
      const sizes = new Map<string, number>();
      for (const id of runIds) {
        for (const { data } of db.events.get(id) ?? []) {
          sizes.set(id, (sizes.get(id) ?? 0) + Buffer.byteLength(JSON.stringify(data)) + 100);
        }
      }
      return sizes;
    },

    async successor(runId, by) {
      const { run: closed, status } = db.runs.get(runId) ?? {};
      if (closed === undefined || status !== 'continued_as_new') return null;
      const isParents = closed.parentRunId !== null && closed.parentRunId === by;
      const goesOn = ({ run, closedAt }: MemoryRun) =>
        run.organizationId === closed.organizationId &&
        run.workflowId === closed.workflowId &&
        (isParents
          ? closedAt === null &&
            run.parentRunId === closed.parentRunId &&
            run.parentNodePath === closed.parentNodePath
          : run.previousRunId === runId);
      return [...db.runs.values()].find(goesOn)?.run.runId ?? null;
    },

    async openRun(runId) {
      const run = db.runs.get(runId);
      return run && run.closedAt === null ? toOpenRun(db, run) : null;
    },

    async readHistories(runIds) {
      return structuredClone([...runIds].sort().flatMap((id) => db.events.get(id) ?? []));
    },

    async countRecoveries(runIds, most) {
      const counts = new Map<string, number>();
      for (const id of runIds) {
        const run = db.runs.get(id);
        if (!run) continue;
        run.recoveries = Math.max(run.recoveries, Math.min(run.recoveries + 1, most));
        counts.set(id, run.recoveries);
      }
      return counts;
    },

    async uncountRecoveries(runIds) {
      for (const id of runIds) {
        const run = db.runs.get(id);
        if (run && run.recoveries > 0) run.recoveries -= 1;
      }
    },

    async clearRecoveries(runIds) {
      for (const id of runIds) {
        const run = db.runs.get(id);
        if (run) run.recoveries = 0;
      }
    },
  };
}

function readRows(
  inbox: readonly InboxRow[],
  shards: readonly number[],
  inHand: readonly number[],
  { each, rows, bytes }: InboxLimits,
): InboxRow[] {
  const turns = new Map<string, number>();
  const waiting = inbox
    .filter((row) => shards.includes(row.shard) && !inHand.includes(row.id))
    .sort((a, b) => a.id - b.id)
    .map((row) => {
      const turn = (turns.get(row.organizationId) ?? 0) + 1;
      turns.set(row.organizationId, turn);
      return { row, turn };
    });
  const chosen: InboxRow[] = [];
  let given = 0;
  for (const { row, turn } of waiting.sort((a, b) => a.turn - b.turn)) {
    if (turn > each || chosen.length >= rows || given >= bytes) break;
    chosen.push(row);
    given += Buffer.byteLength(JSON.stringify(row.data));
  }
  return structuredClone(chosen.sort((a, b) => a.id - b.id));
}

function ofOneEpoch(parts: CommitPart[]): CommitPart[] {
  const epochs = new Map<number, number>();
  for (const { shard, epoch } of parts) {
    if ((epochs.get(shard) ?? epoch) !== epoch) {
      throw new AppError('INTERNAL', `A batch names two epochs of shard ${shard}.`);
    }
    epochs.set(shard, epoch);
  }
  return parts;
}

function toOpenRun(db: MemoryDatabase, { run, status, recoveries, wakeAt }: MemoryRun): OpenRun {
  const { started: _started, startedBy: _by, previousRunId: _previous, ...facts } = run;
  const parentShard = run.parentRunId === null ? null : (db.runs.get(run.parentRunId)?.run.shard ?? null);
  return { ...facts, status, recoveries, wakeAt, parentShard };
}

function insertRun(db: MemoryDatabase, run: NewRun): void {
  for (const other of db.runs.values()) {
    if (other.run.workflowId !== run.workflowId || other.closedAt !== null) continue;
    if (other.run.organizationId !== run.organizationId) continue;
    throw new AppError('WORKFLOW_ID_IN_USE', `A run with workflow id "${run.workflowId}" is open.`, {
      path: '/workflowId',
    });
  }
  const now = db.now();
  db.runs.set(run.runId, {
    run,
    createdAt: now,
    status: 'running',
    closedAt: null,
    historyLength: 0,
    wakeAt: now,
    recoveries: 0,
  });
}

function enqueue(db: MemoryDatabase, row: NewInboxRow): InboxRow {
  adoptPayloads(db, row.organizationId, row.runId, referencedIn(JSON.stringify(row.data)));
  const stored = { ...row, id: db.nextInboxId++ };
  db.inbox.set(stored.id, stored);
  return structuredClone(stored);
}

function accept(db: MemoryDatabase, request: AcceptRequest): AcceptResult {
  const { organizationId, runId, shard, eventType, data, idempotency, newRun, audit } = request;
  const key = idempotency && `${organizationId} ${idempotency.key}`;
  const seen = key === null ? undefined : db.idempotency.get(key);
  if (seen && seen.requestHash !== idempotency?.requestHash) {
    throw idempotencyConflict();
  }
  if (seen) return { runId: seen.runId, row: null };
  if (newRun) insertRun(db, newRun);
  else {
    const run = db.runs.get(runId);
    if (run?.run.organizationId !== organizationId)
      throw new AppError('RUN_NOT_FOUND', `There is no run ${runId}.`);
    if (run.closedAt !== null) throw new AppError('RUN_CLOSED', `Run ${runId} has closed.`);
  }
  if (key !== null && idempotency) db.idempotency.set(key, { requestHash: idempotency.requestHash, runId });
  db.audit.push({ organizationId, action: audit.action, object: audit.object });
  return { runId, row: enqueue(db, { shard, organizationId, runId, eventType, data }) };
}

function isHeld(db: MemoryDatabase, owner: string, { shard, epoch }: CommitKey): boolean {
  const lease = db.shards.get(shard);
  return lease?.owner === owner && lease.epoch === epoch;
}

function commit(db: MemoryDatabase, owner: string, parts: CommitPart[]): ReadonlySet<number> {
  const held = parts.filter((part) => isHeld(db, owner, part));
  for (const part of held) {
    const length = db.events.get(part.runId)?.length ?? 0;
    if (part.events.some((event, i) => event.seq !== length + i + 1)) {
      throw new Error(`Run ${part.runId}: seq ${part.events[0]?.seq} does not follow ${length}.`);
    }
  }
  for (const part of held) write(db, part);
  return new Set(held.map((part) => part.shard));
}

function write(db: MemoryDatabase, part: CommitPart): void {
  const { runId, organizationId, correlationId } = part;
  const stored = part.events.map((event) => ({ ...event, runId }));
  db.events.set(runId, [...(db.events.get(runId) ?? []), ...stored]);
  const run = db.runs.get(runId);
  if (part.update && run && run.closedAt === null && run.historyLength <= part.update.historyLength) {
    const { status, closedAt, historyLength, wakeAt } = part.update;
    Object.assign(run, {
      status,
      closedAt,
      historyLength,
      wakeAt: wakeAt ?? Number.POSITIVE_INFINITY,
      recoveries: 0,
    });
  }
  for (const { audit, once, ...next } of part.newRuns) {
    const isThere = ({ run }: MemoryRun) =>
      run.organizationId === next.organizationId && run.workflowId === next.workflowId;
    if (once && [...db.runs.values()].some(isThere)) continue;
    insertRun(db, next);
    if (audit) db.audit.push({ organizationId, action: audit.action, object: audit.object });
    enqueue(db, {
      shard: next.shard,
      organizationId: next.organizationId,
      runId: next.runId,
      eventType: 'WORKFLOW_EXECUTION_STARTED',
      data: next.started,
    });
  }
  for (const row of part.inboxAdds) enqueue(db, row);
  for (const id of part.inboxDone) db.inbox.delete(id);
  if (stored.length === 0) return;
  db.outbox.push({
    organizationId,
    events: stored.map(({ seq, type, at, data, causationSeq }) => ({
      workflow: run?.run.workflow ?? '',
      workflowId: run?.run.workflowId ?? '',
      event: {
        runId,
        seq,
        type,
        at: new Date(at).toISOString(),
        data,
        ...(causationSeq === null ? {} : { causationId: `${runId}:${causationSeq}` }),
        ...(correlationId === null ? {} : { correlationId }),
      },
    })),
  });
}
