import type pg from 'pg';
import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';
import { databaseNow } from '@/server/adapters/postgres/database-clock';
import type { PrismaClient, BulkOperation as Row } from '@/server/adapters/postgres/generated/client';
import { LARGE, limited, STATEMENT_LIMIT_MS, type Statements } from '@/server/adapters/postgres/pool';
import { inOrganization, Prisma } from '@/server/adapters/postgres/prisma';
import { idAtLeast, idBelow } from '@/server/adapters/postgres/run-times';
import { inHeldTransaction, withinOrganization } from '@/server/adapters/postgres/transactions';
import {
  type BulkFailure,
  type BulkFilter,
  type BulkOperation,
  type BulkQueue,
  type BulkStore,
  type BulkTarget,
  MOST_RETRIES,
} from '@/server/ports/bulk-store';

/** Failures that are kept with their reasons; the rest is only counted. */
const MOST_FAILURES = 100;
const FIRST = '00000000-0000-0000-0000-000000000000';

/**
 * For what may take longer than a unit of work has (`inOrganization`): to count the runs of years, to wait for the chunk under
 * way. Short of the 30 seconds after which the command line gives a request up.
 */
const PATIENCE_MS = 25_000;
/** SQLSTATE of a statement that was cancelled because its time was over. */
const QUERY_CANCELED = '57014';

/** The runs after one run id and made until then that fit, as `FROM … WHERE …` with its values; only what is asked for. */
export function fitting(organizationId: string, filter: BulkFilter, after: string, until: Date) {
  const values: unknown[] = [organizationId, after, idBelow(until.getTime()), until.getTime()];
  const where = [
    'r.organization_id = $1::uuid',
    'r.run_id > $2::uuid',
    'r.run_id < $3::uuid',
    'r.created_at <= to_timestamp($4::float8 / 1000.0)',
  ];
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
  if (filter.startedAfter !== null) {
    add(idAtLeast(filter.startedAfter), (place) => `r.run_id >= ${place}::uuid`);
    add(filter.startedAfter, (place) => `r.created_at >= to_timestamp(${place}::float8 / 1000.0)`);
  }
  if (filter.startedBefore !== null) {
    add(idBelow(filter.startedBefore), (place) => `r.run_id < ${place}::uuid`);
    add(filter.startedBefore, (place) => `r.created_at < to_timestamp(${place}::float8 / 1000.0)`);
  }
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
    actorKind: row.actorKind,
    actorId: row.actorId,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
  };
}

/**
 * Bulk operations as people see them, through Prisma; over `pg` what may take longer than a unit of work has.
 *
 * @param prisma a client that connects as oc_app
 * @param pool the connections of that client
 * @param patienceMs for such a statement
 */
export function createBulkStore(prisma: PrismaClient, pool: pg.Pool, patienceMs = PATIENCE_MS): BulkStore {
  const patiently = (organizationId: string, text: string, values: unknown[]) =>
    withinOrganization(pool, organizationId, async (client) => {
      const statements = limited(client, patienceMs + STATEMENT_LIMIT_MS);
      await statements.query(`SET LOCAL statement_timeout = ${patienceMs}`);
      return statements.query<{ n: number }>(text, values);
    });
  return {
    async now() {
      // Rounded up: the times of runs are rounded to the nearest millisecond.
      return new Date(Math.ceil(await databaseNow(pool)));
    },

    async count(organizationId, filter, until) {
      const { text, values } = fitting(organizationId, filter, FIRST, until);
      const { rows } = await patiently(organizationId, `SELECT count(*)::int AS n ${text}`, values).catch(
        overdue(
          'INVALID_INPUT',
          `The runs could not be counted within ${patienceMs / 1_000} s. Narrow the filter: a time, a workflow or a status.`,
          '/filter',
        ),
      );
      return rows[0]?.n ?? 0;
    },

    async create(operation, request) {
      const { bulkId, organizationId, action, filter, reason, signal, state, matched } = operation;
      const { actorKind, actorId, createdAt, finishedAt } = operation;
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
            // Where a worker of the version before stops; ours go by the time.
            untilRunId: bulkId,
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
        const rows = await tx.$queryRawUnsafe<(Row & { named: number | null })[]>(
          LIST,
          organizationId,
          limit,
        );
        return rows.map((row) => ({ ...toOperation(row), named: row.named }));
      });
    },

    async get(organizationId, bulkId) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const row = await tx.bulkOperation.findFirst({ where: { organizationId, bulkId } });
        return row ? toOperation(row) : null;
      });
    },

    // Waits for the chunk under way, which holds the row.
    async cancel(organizationId, bulkId) {
      const { rowCount } = await patiently(organizationId, STOP, [organizationId, bulkId]).catch(
        overdue('DATABASE_UNAVAILABLE', 'The chunk under way has not ended yet.'),
      );
      return rowCount !== null && rowCount > 0;
    },
  };
}

/** What a statement that was cut off at its limit is told as. */
function overdue(code: 'INVALID_INPUT' | 'DATABASE_UNAVAILABLE', message: string, path?: string) {
  return (error: unknown): never => {
    if ((error as { code?: unknown }).code !== QUERY_CANCELED) throw error;
    throw new AppError(code, message, { cause: error, ...(path === undefined ? {} : { path }) });
  };
}

const STOP = `
UPDATE bulk_operation SET state = 'cancelled', finished_at = clock_timestamp()
WHERE organization_id = $1 AND bulk_id = $2 AND state = 'running'`;

const COLUMNS = `bulk_id AS "bulkId", organization_id AS "organizationId", action, reason, signal_name AS "signalName",
  signal_payload AS "signalPayload", state, matched, done, failed, failures, after_run_id AS "afterRunId",
  actor_kind AS "actorKind", actor_id AS "actorId", created_at AS "createdAt",
  touched_at AS "touchedAt", finished_at AS "finishedAt"`;

/** All of a filter but its ids, taken out of it here: with thousands of them a page would be many megabytes. */
const LIST = `
SELECT ${COLUMNS}, json_build_object('status', filter->'status', 'workflow', filter->'workflow',
    'startedAfter', filter->'startedAfter', 'startedBefore', filter->'startedBefore', 'except', filter->'except',
    'closed', filter->'closed') AS filter,
  CASE json_typeof(filter->'ids') WHEN 'array' THEN json_array_length(filter->'ids') END AS named
FROM bulk_operation WHERE organization_id = $1::uuid ORDER BY bulk_id DESC LIMIT $2`;

const TAKE = `
SELECT ${COLUMNS}, filter, chunk
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
 * @param limitMs how long a statement is waited for, and how long Postgres keeps the row for a turn that says nothing: the
 *   runs of years are gone through, and a chunk of retries may take minutes
 */
export function createBulkQueue(pool: pg.Pool, limitMs = LARGE.query_timeout): BulkQueue {
  const statements = limited(pool, limitMs);
  return {
    async turn(size, work) {
      let row: Row | undefined;
      try {
        return await inHeldTransaction(pool, limitMs, async (held) => {
          const { rows } = await held.query<Row>(TAKE);
          row = rows[0];
          if (row?.chunk) await finishChunk(held, row, work);
          else if (row) await nextChunk(held, row, size);
          return row !== undefined;
        });
      } catch (error) {
        // Else it would be the one that was served longest ago for ever, and none of the others would be served. When this
        // fails too the database is away, for all of them.
        if (row !== undefined) await statements.query(TOUCH, [row.bulkId]).catch(() => {});
        throw error;
      }
    },
  };
}

/** Chooses the next runs and notes them; without any the operation has ended. */
async function nextChunk(client: Statements, row: Row, size: number): Promise<void> {
  const most = row.action === 'retry' ? Math.min(size, MOST_RETRIES) : size;
  const { text, values } = fitting(row.organizationId, toFilter(row.filter), row.afterRunId, row.createdAt);
  const { rows } = await client.query<BulkTarget>(
    `SELECT r.run_id AS "runId", r.shard ${text} ORDER BY r.run_id LIMIT ${most}`,
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
  client: Statements,
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
