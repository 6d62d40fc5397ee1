import type pg from 'pg';
import type { Failure, RunStatus, RunSummary } from '@/lib/protocol/run';
import type { JsonObject } from '@/lib/shared/json';
import type { PrismaClient, WorkflowEvent, WorkflowRun } from '@/server/adapters/postgres/generated/client';
import { inOrganization, type UnitOfWork } from '@/server/adapters/postgres/prisma';
import { runSql, runsSql, windowSql } from '@/server/adapters/postgres/run-filter-sql';
import { readInOrganization } from '@/server/adapters/postgres/scoped-query';
import type { RunNeighbours, RunPage, RunQueries, RunRow } from '@/server/ports/run-queries';

/** The run row holds the history's length only once closed; for open runs it is read from the history's end. */
async function lengths(tx: UnitOfWork, rows: readonly WorkflowRun[]): Promise<Map<string, number>> {
  const open = rows.filter((row) => row.closedAt === null).map((row) => row.runId);
  if (open.length === 0) return new Map();
  const found = await tx.$queryRaw<{ run_id: string; n: number }[]>`
    SELECT r.run_id::text, e.seq AS n FROM unnest(${open}::uuid[]) AS r(run_id)
    CROSS JOIN LATERAL (SELECT seq FROM workflow_event WHERE run_id = r.run_id ORDER BY seq DESC LIMIT 1) AS e`;
  return new Map(found.map((row) => [row.run_id, row.n]));
}

function toRow(row: WorkflowRun, length: number | undefined): RunRow {
  const { runId, organizationId, workflowId, workflow, version, definitionHash, shard } = row;
  return {
    runId,
    organizationId,
    workflowId,
    workflow,
    version,
    definitionHash,
    shard,
    status: row.status as RunStatus,
    createdAt: row.createdAt.toISOString(),
    closedAt: row.closedAt?.toISOString() ?? null,
    durationMs: row.closedAt ? Math.max(0, row.closedAt.getTime() - row.createdAt.getTime()) : null,
    historyLength: length ?? row.historyLength,
    failure: row.failure as unknown as Failure | null,
    startedBy: row.startedBy,
  };
}

/** Runs that one page looks at for a search attribute, piece by piece: few at first, for it is mostly new runs that are looked for. */
const WINDOWS = [1_000, 9_000, 20_000];

const EVENTS = `
SELECT run_id AS "runId", seq, type, at, data, causation_seq AS "causationSeq", correlation_id AS "correlationId"
FROM workflow_event WHERE organization_id = $1 AND run_id = $2 AND seq > $3 ORDER BY seq LIMIT $4`;

function toEvent(row: WorkflowEvent) {
  return {
    runId: row.runId,
    seq: row.seq,
    type: row.type,
    at: row.at.toISOString(),
    data: row.data as JsonObject,
    ...(row.causationSeq === null ? {} : { causationId: `${row.runId}:${row.causationSeq}` }),
    ...(row.correlationId === null ? {} : { correlationId: row.correlationId }),
  };
}

/**
 * Reads of runs through Prisma; what every screen and every follower of a run asks for all the time in one round trip over `pg`.
 *
 * @param prisma a client that connects as oc_app
 * @param pool the connections of that client
 */
export function createRunQueries(prisma: PrismaClient, pool: pg.Pool): RunQueries {
  return {
    async list(organizationId, filter, limit, before) {
      const read = (most: number, below: string | null, from: string | null) =>
        readInOrganization<RunSummary>(
          pool,
          organizationId,
          runsSql(organizationId, filter, most, below, from),
        );
      if (filter.attribute === undefined) return pageOf(await read(limit, before, null), limit);
      const items: RunSummary[] = [];
      let next = before;
      for (const size of WINDOWS) {
        const [end] = await readInOrganization<{ runId: string }>(
          pool,
          organizationId,
          windowSql(organizationId, filter, size, next),
        );
        items.push(...(await read(limit - items.length, next, end?.runId ?? null)));
        if (items.length === limit || end === undefined) return pageOf(items, limit);
        next = end.runId;
      }
      return { items, next };
    },

    async get(organizationId, runId) {
      const [row] = await readInOrganization<RunRow>(pool, organizationId, runSql(organizationId, runId));
      return row ?? null;
    },

    async events(organizationId, runId, after, limit) {
      const rows = await readInOrganization<WorkflowEvent>(pool, organizationId, {
        name: 'oc_run_events',
        text: EVENTS,
        values: [organizationId, runId, after, limit],
      });
      return rows.map(toEvent);
    },

    async keyUse(organizationId, key) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const [row] = await tx.$queryRaw<{ runId: string; requestHash: string }[]>`
          SELECT run_id::text AS "runId", request_hash AS "requestHash" FROM idempotency_record
          WHERE organization_id = ${organizationId}::uuid AND key = ${key}`;
        return row ?? null;
      });
    },

    async neighbours(organizationId, runId) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const [row] = await tx.$queryRaw<RunNeighbours[]>`
          SELECT r.previous_run_id::text AS "previousRunId", r.parent_run_id::text AS "parentRunId",
            r.parent_node_path AS "parentNodePath",
            ARRAY(SELECT n.run_id::text FROM workflow_run n WHERE n.organization_id = ${organizationId}::uuid
              AND n.previous_run_id = r.run_id ORDER BY n.run_id) AS "nextRunIds"
          FROM workflow_run r WHERE r.run_id = ${runId}::uuid AND r.organization_id = ${organizationId}::uuid`;
        return row ?? null;
      });
    },

    async askingRuns(organizationId, limit, before) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const found = await tx.$queryRaw<{ runId: string }[]>`
          SELECT DISTINCT r.run_id AS id, r.run_id::text AS "runId"
          FROM workflow_event e JOIN workflow_run r ON r.run_id = e.run_id
          WHERE e.organization_id = ${organizationId}::uuid
            AND e.type IN ('APPROVAL_REQUESTED', 'ACTIVITY_TASK_OUTCOME_UNKNOWN', 'ACTIVITY_TASK_INPUT_REQUIRED')
            AND e.run_id < ${before ?? LAST_ID}::uuid AND r.closed_at IS NULL
          ORDER BY r.run_id DESC LIMIT ${limit}`;
        return rowsOf(
          tx,
          found.map((row) => row.runId),
        );
      });
    },
  };
}

function pageOf(items: RunSummary[], limit: number): RunPage {
  return { items, next: items.length === limit ? (items.at(-1)?.runId ?? null) : null };
}

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The rows of these runs, in this order. */
async function rowsOf(tx: UnitOfWork, runIds: readonly string[]): Promise<RunRow[]> {
  if (runIds.length === 0) return [];
  const rows = await tx.workflowRun.findMany({ where: { runId: { in: [...runIds] } } });
  const open = await lengths(tx, rows);
  const byId = new Map(rows.map((row) => [row.runId, toRow(row, open.get(row.runId))]));
  return runIds.flatMap((runId) => byId.get(runId) ?? []);
}
