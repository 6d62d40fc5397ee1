import { OPEN_RUN_STATUSES, type RunStatus } from '@/lib/protocol/run';
import { isUuid } from '@/lib/shared/ids';
import { Prisma } from '@/server/adapters/postgres/prisma';
import { idAtLeast, idBelow } from '@/server/adapters/postgres/run-times';
import type { RunFilter } from '@/server/ports/run-queries';

const iso = (time: string) => `to_char(${time} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * Times come as the text that is answered: to take a page of them apart and put it together again costs more than the rest of the
 * read. The length of a history is in its run's row once that is closed; of an open run it is read from the end of the history.
 */
const COLUMNS = `r.run_id AS "runId", r.workflow_id AS "workflowId", r.workflow, r.version, r.status,
  ${iso('r.created_at')} AS "createdAt", ${iso('r.closed_at')} AS "closedAt",
  CASE WHEN r.closed_at IS NOT NULL
    THEN greatest(0, extract(epoch FROM r.closed_at - r.created_at) * 1000)::int8 END AS "durationMs",
  CASE WHEN r.closed_at IS NOT NULL THEN r.history_length ELSE coalesce(
    (SELECT e.seq FROM workflow_event e WHERE e.run_id = r.run_id ORDER BY e.seq DESC LIMIT 1), r.history_length) END AS "historyLength",
  r.failure`;

/**
 * The runs that fit, newest first, as a statement for `pg`. What is asked for without any filter stays prepared. Times narrow the scan by the run id first (UUIDv7: sorted by time), then are compared
 * exactly. A search attribute has no index, and costs a look at the first events of each run that fits the rest: `from` says how far
 * that goes (`windowSql`).
 *
 * @param before only runs with smaller ids
 * @param from only runs with this id or larger ones
 */
export function runsSql(
  organizationId: string,
  filter: RunFilter,
  limit: number,
  before: string | null,
  from: string | null = null,
): { text: string; values: unknown[]; name?: string } {
  const where = conditions(organizationId, filter, before);
  if (from !== null) where.push(Prisma.sql`r.run_id >= ${from}::uuid`);
  if (filter.attribute !== undefined) where.push(hasAttribute(filter.attribute, before, from));
  const { text, values } = Prisma.sql`
    SELECT ${Prisma.raw(COLUMNS)} FROM ${source(organizationId, filter.workflowId)} AS r
    WHERE ${Prisma.join(where, ' AND ')} ORDER BY r.run_id DESC LIMIT ${limit}`;
  const isPlain = Object.values(filter).every((one) => one === undefined);
  return { text, values, ...(isPlain ? { name: before === null ? 'runs' : 'runs before' } : {}) };
}

/** The id of the run that is `size` runs down the list, the search attribute aside; no row where the list is shorter. */
export function windowSql(
  organizationId: string,
  filter: RunFilter,
  size: number,
  before: string | null,
): { text: string; values: unknown[] } {
  const { text, values } = Prisma.sql`
    SELECT r.run_id AS "runId" FROM ${source(organizationId, filter.workflowId)} AS r
    WHERE ${Prisma.join(conditions(organizationId, filter, before), ' AND ')}
    ORDER BY r.run_id DESC OFFSET ${size - 1} LIMIT 1`;
  return { text, values };
}

/** All of the filter but the search attribute. */
function conditions(organizationId: string, filter: RunFilter, before: string | null): Prisma.Sql[] {
  const where: Prisma.Sql[] = [Prisma.sql`r.organization_id = ${organizationId}::uuid`];
  if (filter.status !== undefined) where.push(isIn(filter.status));
  if (filter.workflow !== undefined) where.push(Prisma.sql`r.workflow = ${filter.workflow}`);
  if (filter.parentRunId !== undefined) where.push(Prisma.sql`r.parent_run_id = ${filter.parentRunId}::uuid`);
  if (before !== null) where.push(Prisma.sql`r.run_id < ${before}::uuid`);
  if (filter.startedAfter !== undefined) {
    where.push(Prisma.sql`r.run_id >= ${idAtLeast(filter.startedAfter)}::uuid`);
    where.push(Prisma.sql`r.created_at >= ${new Date(filter.startedAfter)}`);
  }
  if (filter.startedBefore !== undefined) {
    where.push(Prisma.sql`r.run_id < ${idBelow(filter.startedBefore)}::uuid`);
    where.push(Prisma.sql`r.created_at < ${new Date(filter.startedBefore)}`);
  }
  return where;
}

/**
 * The event that holds the attributes is among the first five of a history. The ids are bounded once more for the events, so that
 * those of other weeks are not looked at.
 */
function hasAttribute(
  { name, value }: { name: string; value: string },
  before: string | null,
  from: string | null,
): Prisma.Sql {
  const bounds = [
    ...(before === null ? [] : [Prisma.sql`AND e.run_id < ${before}::uuid`]),
    ...(from === null ? [] : [Prisma.sql`AND e.run_id >= ${from}::uuid`]),
  ];
  // A text with \u0000 cannot be taken out of json; the CASE keeps such a run from failing the whole list.
  return Prisma.sql`EXISTS (
      SELECT 1 FROM workflow_event e
      WHERE e.run_id = r.run_id ${bounds.length === 0 ? Prisma.empty : Prisma.join(bounds, ' ')}
        AND e.seq BETWEEN 2 AND 5 AND e.type = 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES'
        AND CASE WHEN position('\\u0000' IN e.data::text) = 0 THEN e.data->'attributes'->>${name} END = ${value})`;
}

/** One run with all of its row that is ever shown or needed. */
export function runSql(
  organizationId: string,
  runId: string,
): { text: string; values: unknown[]; name: string } {
  const text = `SELECT ${COLUMNS}, r.organization_id AS "organizationId", r.definition_hash AS "definitionHash", r.shard,
      r.started_by AS "startedBy"
    FROM workflow_run AS r WHERE r.organization_id = $1 AND r.run_id = $2`;
  return { text, values: [organizationId, runId], name: 'run' };
}

/** All runs, or those of one workflow id: by the partial index, or by the run id that the workflow id was made of. */
function source(organizationId: string, workflowId: string | undefined): Prisma.Sql {
  if (workflowId === undefined) return Prisma.sql`workflow_run`;
  const named = Prisma.sql`SELECT * FROM workflow_run WHERE organization_id = ${organizationId}::uuid
    AND workflow_id = ${workflowId} AND workflow_id <> run_id::text`;
  if (!isUuid(workflowId)) return Prisma.sql`(${named})`;
  return Prisma.sql`(${named} UNION ALL SELECT * FROM workflow_run
    WHERE run_id = ${workflowId}::uuid AND workflow_id = ${workflowId})`;
}

/**
 * Any of these, said so that an index answers: the few open runs of an organisation have one, and so has every state but
 * `completed`.
 */
function isIn(status: readonly RunStatus[]): Prisma.Sql {
  const open = status.filter((one) => OPEN_RUN_STATUSES.includes(one));
  const closed = status.filter((one) => !OPEN_RUN_STATUSES.includes(one));
  const isOpen = Prisma.sql`(r.closed_at IS NULL AND r.status = ANY(${open}))`;
  const isClosed = Prisma.sql`r.status = ANY(${closed})`;
  if (open.length === 0) return isClosed;
  return closed.length === 0 ? isOpen : Prisma.sql`(${isOpen} OR ${isClosed})`;
}
