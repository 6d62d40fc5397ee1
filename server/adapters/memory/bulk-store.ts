import type { MemoryDatabase, MemoryRun } from '@/server/adapters/memory/database';
import {
  type BulkFilter,
  type BulkOperation,
  type BulkQueue,
  type BulkRequest,
  type BulkStore,
  type BulkTarget,
  MOST_RETRIES,
} from '@/server/ports/bulk-store';

/** Failures that are kept with their reasons; the rest is only counted. */
const MOST_FAILURES = 100;

interface Kept {
  operation: BulkOperation;
  request: BulkRequest;
  after: string;
  chunk: BulkTarget[] | null;
  touched: number;
  held: boolean;
}

/** Bulk operations without a database, with the same promises: as people see them, and as the worker does. */
export function createMemoryBulk(db: MemoryDatabase): { store: BulkStore; queue: BulkQueue } {
  const kept = new Map<string, Kept>();
  let turns = 0;
  const of = (organizationId: string) =>
    [...kept.values()].filter(({ operation }) => operation.organizationId === organizationId);
  const underKey = (organizationId: string, key: string) => {
    const found = of(organizationId).find(({ request }) => request.key === key);
    return found ? { operation: structuredClone(found.operation), hash: found.request.hash } : null;
  };
  const store: BulkStore = {
    async now() {
      return new Date(db.now());
    },
    async count(organizationId, filter, until) {
      return fitting(db, organizationId, filter, '', until).length;
    },
    async keyUse(organizationId, key) {
      return underKey(organizationId, key);
    },
    async create(operation, request) {
      const { organizationId, bulkId, action } = operation;
      const first = request.key === null ? null : underKey(organizationId, request.key);
      if (first !== null) return first;
      db.audit.push({ organizationId, action: `bulk.${action}`, object: bulkId });
      kept.set(bulkId, {
        operation: structuredClone(operation),
        request,
        after: '',
        chunk: null,
        touched: turns++,
        held: false,
      });
      return { operation, hash: request.hash };
    },
    async list(organizationId, limit) {
      const found = of(organizationId).map(({ operation }) => {
        const { filter, ...rest } = structuredClone(operation);
        return { ...rest, filter: { ...filter, ids: null }, named: filter.ids?.length ?? null };
      });
      return found.sort((a, b) => (a.bulkId < b.bulkId ? 1 : -1)).slice(0, limit);
    },
    async get(organizationId, bulkId) {
      const found = of(organizationId).find(({ operation }) => operation.bulkId === bulkId);
      return found ? structuredClone(found.operation) : null;
    },
    async cancel(organizationId, bulkId) {
      const found = of(organizationId).find(({ operation }) => operation.bulkId === bulkId);
      if (found?.operation.state !== 'running') return false;
      Object.assign(found.operation, { state: 'cancelled', finishedAt: new Date(db.now()) });
      return true;
    },
  };
  const queue: BulkQueue = {
    async turn(size, work) {
      const [next] = [...kept.values()]
        .filter(({ operation, held }) => operation.state === 'running' && !held)
        .sort((a, b) => a.touched - b.touched);
      if (!next) return false;
      const { operation } = next;
      if (next.chunk === null) {
        const { organizationId, filter, createdAt, action } = operation;
        const most = action === 'retry' ? Math.min(size, MOST_RETRIES) : size;
        const runs = fitting(db, organizationId, filter, next.after, createdAt).slice(0, most);
        if (runs.length > 0) next.chunk = runs.map(({ run }) => ({ runId: run.runId, shard: run.shard }));
        else Object.assign(operation, { state: 'completed', finishedAt: new Date(db.now()) });
        return true;
      }
      next.held = true;
      try {
        const failures = await work(structuredClone(operation), next.chunk);
        operation.done += next.chunk.length - failures.length;
        operation.failed += failures.length;
        operation.failures = [...operation.failures, ...failures].slice(0, MOST_FAILURES);
        next.after = next.chunk.at(-1)?.runId ?? next.after;
        next.chunk = null;
      } finally {
        next.touched = turns++;
        next.held = false;
      }
      return true;
    },
  };
  return { store, queue };
}

/** The runs after one run id and made until then that fit, in the order of their ids. */
function fitting(
  db: MemoryDatabase,
  organizationId: string,
  filter: BulkFilter,
  after: string,
  until: Date,
): MemoryRun[] {
  const runs = [...db.runs.values()].filter(({ run }) => run.organizationId === organizationId);
  const goneOn = new Set(runs.map(({ run }) => run.previousRunId));
  const fits = ({ run, createdAt, status, closedAt }: MemoryRun): boolean => {
    if (run.runId <= after || createdAt > until.getTime()) return false;
    if (filter.closed ? closedAt === null || goneOn.has(run.runId) : filter.ids === null && closedAt !== null)
      return false;
    return (
      (filter.ids === null || filter.ids.includes(run.runId)) &&
      !filter.except?.includes(run.workflow) &&
      (filter.status === null || filter.status.includes(status)) &&
      (filter.workflow === null || filter.workflow === run.workflow) &&
      (filter.startedAfter === null || createdAt >= filter.startedAfter) &&
      (filter.startedBefore === null || createdAt < filter.startedBefore)
    );
  };
  return runs.filter(fits).sort((a, b) => (a.run.runId < b.run.runId ? -1 : 1));
}
