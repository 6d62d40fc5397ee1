import type pg from 'pg';
import type { Json } from '@/lib/shared/json';
import type { PrismaClient, BulkOperation as Row } from '@/server/adapters/postgres/generated/client';
import { inOrganization, Prisma } from '@/server/adapters/postgres/prisma';
import { inTransaction } from '@/server/adapters/postgres/transactions';
import type {
  BulkFailure,
  BulkFilter,
  BulkOperation,
  BulkQueue,
  BulkStore,
  BulkTarget,
} from '@/server/ports/bulk-store';

/** Failures that are kept with their reasons; the rest is only counted. */
const MOST_FAILURES = 100;
const FIRST = '00000000-0000-0000-0000-000000000000';

/** The runs after one run id and up to another that fit, as `FROM … WHERE …` with its values; only what is asked for. */
function fitting(organizationId: string, filter: BulkFilter, after: string, until: string) {
  const values: unknown[] = [organizationId, after, until];
  const where = ['r.organization_id = $1::uuid', 'r.run_id > $2::uuid', 'r.run_id <= $3::uuid'];
  const add = (value: unknown, condition: (place: string) => string) => {
    if (value !== null) where.push(condition(`$${values.push(value)}`));
  };
  if (filter.closed) {
    where.push('r.closed_at IS NOT NULL');
    where.push(`NOT EXISTS (SELECT 1 FROM workflow_run n
      WHERE n.organization_id = r.organization_id AND n.previous_run_id = r.run_id)`);
  } else if (filter.ids === null) where.push('r.closed_at IS NULL');
  add(filter.ids, (place) => `r.run_id = ANY(${place}::uuid[])`);
  add(filter.status, (place) => `r.status = ANY(${place}::text[])`);
  add(filter.except, (place) => `r.workflow <> ALL(${place}::text[])`);
  add(filter.workflow, (place) => `r.workflow = ${place}`);
  add(filter.startedAfter, (place) => `r.created_at >= to_timestamp(${place}::float8 / 1000.0)`);
  add(filter.startedBefore, (place) => `r.created_at < to_timestamp(${place}::float8 / 1000.0)`);
  return { values, text: `FROM workflow_run r WHERE ${where.join(' AND ')}` };
}

function toFilter(json: unknown): BulkFilter {
  const { status, workflow, startedAfter, startedBefore, ids, except, closed } = json as Partial<BulkFilter>;
  return {
    status: status ?? null,
    workflow: workflow ?? null,
    startedAfter: startedAfter ?? null,
    startedBefore: startedBefore ?? null,
    ids: ids ?? null,
    except: except ?? null,
    closed: closed ?? false,
  };
}

function toOperation(row: Row): BulkOperation {
  return {
    bulkId: row.bulkId,
    organizationId: row.organizationId,
    action: row.action as BulkOperation['action'],
    filter: toFilter(row.filter),
    reason: row.reason,
    signal: row.signalName === null ? null : { name: row.signalName, payload: row.signalPayload as Json },
    state: row.state as BulkOperation['state'],
    matched: row.matched,
    done: row.done,
    failed: row.failed,
    failures: row.failures as unknown as BulkFailure[],
    untilRunId: row.untilRunId,
    actorKind: row.actorKind,
    actorId: row.actorId,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
  };
}

/**
 * Bulk operations as people see them, through Prisma.
 *
 * @param prisma a client that connects as oc_app
 */
export function createBulkStore(prisma: PrismaClient): BulkStore {
  return {
    async count(organizationId, filter, untilRunId) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const { text, values } = fitting(organizationId, filter, FIRST, untilRunId);
        const rows = await tx.$queryRawUnsafe<{ n: number }[]>(
          `SELECT count(*)::int AS n ${text}`,
          ...values,
        );
        return rows[0]?.n ?? 0;
      });
    },

    async create(operation, request) {
      const { bulkId, organizationId, action, filter, reason, signal, state, matched } = operation;
      const { untilRunId, actorKind, actorId, createdAt, finishedAt } = operation;
      return inOrganization(prisma, organizationId, async (tx) => {
        const { count } = await tx.bulkOperation.createMany({
          skipDuplicates: true,
          data: {
            bulkId,
            organizationId,
            action,
            filter: filter as unknown as Prisma.InputJsonValue,
            reason,
            signalName: signal?.name ?? null,
            signalPayload: signal?.payload ?? Prisma.JsonNull,
            state,
            matched,
            untilRunId,
            actorKind,
            actorId,
            createdAt,
            touchedAt: createdAt,
            finishedAt,
            idempotencyKey: request.key,
            requestHash: request.hash,
          },
        });
        if (count === 0) {
          const idempotencyKey = request.key;
          const first = await tx.bulkOperation.findFirstOrThrow({
            where: { organizationId, idempotencyKey },
          });
          return { operation: toOperation(first), hash: first.requestHash };
        }
        await tx.auditEntry.create({
          data: {
            id: crypto.randomUUID(),
            organizationId,
            actorKind,
            actorId,
            action: `bulk.${action}`,
            object: bulkId,
            details: { matched },
            source: request.source,
          },
        });
        return { operation, hash: request.hash };
      });
    },

    async keyUse(organizationId, idempotencyKey) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const row = await tx.bulkOperation.findFirst({ where: { organizationId, idempotencyKey } });
        return row ? { operation: toOperation(row), hash: row.requestHash } : null;
      });
    },

    async list(organizationId, limit) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const where = { organizationId };
        const rows = await tx.bulkOperation.findMany({ where, orderBy: { bulkId: 'desc' }, take: limit });
        return rows.map(toOperation);
      });
    },

    async get(organizationId, bulkId) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const row = await tx.bulkOperation.findFirst({ where: { organizationId, bulkId } });
        return row ? toOperation(row) : null;
      });
    },

    async cancel(organizationId, bulkId) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const { count } = await tx.bulkOperation.updateMany({
          where: { organizationId, bulkId, state: 'running' },
          data: { state: 'cancelled', finishedAt: new Date() },
        });
        return count > 0;
      });
    },
  };
}

const TAKE = `
SELECT bulk_id AS "bulkId", organization_id AS "organizationId", action, filter, reason, signal_name AS "signalName",
  signal_payload AS "signalPayload", state, matched, done, failed, failures, after_run_id AS "afterRunId",
  until_run_id AS "untilRunId", chunk, actor_kind AS "actorKind", actor_id AS "actorId", created_at AS "createdAt",
  touched_at AS "touchedAt", finished_at AS "finishedAt"
FROM bulk_operation WHERE state = 'running' ORDER BY touched_at LIMIT 1 FOR UPDATE SKIP LOCKED`;

const PROGRESS = `
UPDATE bulk_operation SET chunk = NULL, after_run_id = $2, done = $3, failed = $4, failures = $5,
  touched_at = clock_timestamp()
WHERE bulk_id = $1`;

const TOUCH = 'UPDATE bulk_operation SET touched_at = clock_timestamp() WHERE bulk_id = $1';

/**
 * Bulk operations as the worker sees them, over `pg`. A turn is one transaction that holds the operation's row.
 *
 * @param pool connections as oc_engine
 */
export function createBulkQueue(pool: pg.Pool): BulkQueue {
  return {
    async turn(size, work) {
      let row: Row | undefined;
      try {
        return await inTransaction(pool, async (client) => {
          const { rows } = await client.query<Row>(TAKE);
          row = rows[0];
          if (row?.chunk) await finishChunk(client, row, work);
          else if (row) await nextChunk(client, row, size);
          return row !== undefined;
        });
      } catch (error) {
        // Else it would be the one that was served longest ago for ever, and none of the others would be served. When this
        // fails too the database is away, for all of them.
        if (row !== undefined) await pool.query(TOUCH, [row.bulkId]).catch(() => {});
        throw error;
      }
    },
  };
}

/** Chooses the next runs and notes them; without any the operation has ended. */
async function nextChunk(client: pg.PoolClient, row: Row, size: number): Promise<void> {
  const { text, values } = fitting(row.organizationId, toFilter(row.filter), row.afterRunId, row.untilRunId);
  const { rows } = await client.query<BulkTarget>(
    `SELECT r.run_id AS "runId", r.shard ${text} ORDER BY r.run_id LIMIT ${size}`,
    values,
  );
  if (rows.length > 0) {
    await client.query('UPDATE bulk_operation SET chunk = $2 WHERE bulk_id = $1', [
      row.bulkId,
      JSON.stringify(rows),
    ]);
  } else {
    await client.query(
      `UPDATE bulk_operation SET state = 'completed', finished_at = clock_timestamp() WHERE bulk_id = $1`,
      [row.bulkId],
    );
  }
}

async function finishChunk(
  client: pg.PoolClient,
  row: Row,
  work: Parameters<BulkQueue['turn']>[1],
): Promise<void> {
  const targets = row.chunk as unknown as BulkTarget[];
  const failures = await work(toOperation(row), targets);
  const kept = [...(row.failures as unknown as BulkFailure[]), ...failures].slice(0, MOST_FAILURES);
  await client.query(PROGRESS, [
    row.bulkId,
    targets.at(-1)?.runId ?? row.afterRunId,
    row.done + targets.length - failures.length,
    row.failed + failures.length,
    JSON.stringify(kept),
  ]);
}
