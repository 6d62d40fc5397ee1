import type { Json } from '@/lib/shared/json';
import { NOW } from '@/server/adapters/postgres/database-clock';
import type {
  PrismaClient,
  WorkflowSchedule,
  WorkflowScheduleOccurrence,
} from '@/server/adapters/postgres/generated/client';
import { inOrganization, Prisma, type UnitOfWork } from '@/server/adapters/postgres/prisma';
import type { Occurrence, Schedule, ScheduleEdit, ScheduleStore } from '@/server/ports/schedule-store';

const ms = (date: Date | null) => date?.getTime() ?? null;
const date = (at: number | null) => (at === null ? null : new Date(at));

/** Waiting and started times stay as they are; any other one is asked for anew. */
const ASK = `
INSERT INTO workflow_schedule_occurrence
  (schedule_id, organization_id, nominal_at, due_at, kind, overlap, request_key, state)
SELECT $1::uuid, $2::uuid, to_timestamp(a.n / 1000.0), to_timestamp(a.n / 1000.0), a.k, a.o, a.r, 'waiting'
FROM json_to_recordset($3::json) AS a(n float8, k text, o text, r text)
ON CONFLICT (schedule_id, nominal_at) DO UPDATE SET
  state = 'waiting', kind = excluded.kind, overlap = excluded.overlap, reason = NULL, settled_at = NULL
  WHERE workflow_schedule_occurrence.state IN ('skipped', 'missed', 'failed') AND excluded.kind = 'backfill'
RETURNING (extract(epoch FROM nominal_at) * 1000)::float8 AS at`;

function facts(of: Omit<ScheduleEdit, 'paused' | 'note'>) {
  const { name, workflow, version, input, cron, timeZone, everyMs, offsetMs, jitterMs } = of;
  const { overlap, catchupWindowMs, priority } = of;
  return {
    name,
    workflow,
    version,
    input: input as Prisma.InputJsonValue,
    cron,
    timeZone,
    intervalMs: everyMs,
    offsetMs,
    jitterMs,
    overlap,
    catchupWindowMs,
    priority,
  };
}

/** What does not stay as it is. */
function state({ paused, note }: { paused: boolean | undefined; note: string | null | undefined }) {
  return { ...(paused === undefined ? {} : { paused }), ...(note === undefined ? {} : { note }) };
}

function toSchedule(row: WorkflowSchedule): Schedule {
  return {
    scheduleId: row.scheduleId,
    organizationId: row.organizationId,
    name: row.name,
    workflow: row.workflow,
    version: row.version,
    input: row.input as Json,
    cron: row.cron,
    timeZone: row.timeZone,
    everyMs: row.intervalMs === null ? null : Number(row.intervalMs),
    offsetMs: Number(row.offsetMs),
    jitterMs: Number(row.jitterMs),
    overlap: row.overlap as Schedule['overlap'],
    catchupWindowMs: Number(row.catchupWindowMs),
    paused: row.paused,
    note: row.note,
    priority: row.priority,
    nextAt: ms(row.nextAt),
    createdBy: row.createdBy,
    createdAt: row.createdAt.getTime(),
    updatedAt: row.updatedAt.getTime(),
  };
}

function toOccurrence(row: WorkflowScheduleOccurrence): Occurrence {
  return {
    nominalAt: row.nominalAt.getTime(),
    dueAt: row.dueAt.getTime(),
    kind: row.kind as Occurrence['kind'],
    overlap: row.overlap as Occurrence['overlap'],
    state: row.state as Occurrence['state'],
    runId: row.runId,
    reason: row.reason,
    settledAt: ms(row.settledAt),
  };
}

function isTaken(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'P2002';
}

async function clockOf(tx: Pick<UnitOfWork, '$queryRaw'>): Promise<number> {
  const rows = await tx.$queryRaw<{ now: number }[]>`
    SELECT floor(${Prisma.raw(NOW)}) AS now`;
  return rows[0]?.now ?? 0;
}

/**
 * Takes the row's lock, so that no scheduler works on it any more, and only then reads the row and the clock: a time that
 * was taken meanwhile lies before `now`. Null when there is no such schedule.
 */
async function lock(tx: UnitOfWork, organizationId: string, scheduleId: string) {
  await tx.$queryRaw`SELECT 1 FROM workflow_schedule WHERE schedule_id = ${scheduleId}::uuid FOR UPDATE`;
  const row = await tx.workflowSchedule.findFirst({ where: { organizationId, scheduleId } });
  return row && { schedule: toSchedule(row), now: await clockOf(tx) };
}

/**
 * Schedules as people work on them, through Prisma.
 *
 * @param prisma a client that connects as oc_app
 */
export function createScheduleStore(prisma: PrismaClient): ScheduleStore {
  return {
    now: () => clockOf(prisma),

    async list(organizationId) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const rows = await tx.workflowSchedule.findMany({
          where: { organizationId },
          orderBy: { name: 'asc' },
        });
        return rows.map(toSchedule);
      });
    },

    async get(organizationId, name) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const row = await tx.workflowSchedule.findFirst({ where: { organizationId, name } });
        return row ? toSchedule(row) : null;
      });
    },

    async create(schedule) {
      const { organizationId, scheduleId, createdBy, createdAt, updatedAt } = schedule;
      const nextAt = date(schedule.nextAt);
      const said = { ...facts(schedule), ...state(schedule) };
      const data = { ...said, organizationId, scheduleId, createdBy, nextAt, attentionAt: nextAt };
      const times = { createdAt: new Date(createdAt), updatedAt: new Date(updatedAt) };
      try {
        await inOrganization(prisma, organizationId, (tx) =>
          tx.workflowSchedule.create({ data: { ...data, ...times } }),
        );
        return true;
      } catch (error) {
        if (isTaken(error)) return false;
        throw error;
      }
    },

    async update(organizationId, scheduleId, edit, next) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const found = await lock(tx, organizationId, scheduleId);
        if (!found) return false;
        const nextAt = date(next(edit, found.now));
        // Looked at once more at once, in case something waits.
        const looked = { attentionAt: new Date(0), updatedAt: new Date(found.now) };
        await tx.workflowSchedule.updateMany({
          where: { organizationId, scheduleId },
          data: { ...facts(edit), ...state(edit), nextAt, ...looked },
        });
        return true;
      });
    },

    async pause(organizationId, scheduleId, paused, note, next) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const found = await lock(tx, organizationId, scheduleId);
        if (!found) return false;
        const { schedule, now } = found;
        const isTurned = schedule.paused !== paused;
        if (!isTurned && note === undefined) return true;
        const nextAt = isTurned && !paused ? { nextAt: date(next(schedule, now)) } : {};
        const looked = isTurned ? { attentionAt: new Date(0) } : {};
        await tx.workflowSchedule.updateMany({
          where: { organizationId, scheduleId },
          data: { ...state({ paused, note }), ...nextAt, ...looked, updatedAt: new Date(now) },
        });
        return true;
      });
    },

    async remove(organizationId, scheduleId) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const { count } = await tx.workflowSchedule.deleteMany({ where: { organizationId, scheduleId } });
        return count > 0;
      });
    },

    async occurrences(organizationId, scheduleId, limit) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const rows = await tx.workflowScheduleOccurrence.findMany({
          where: { organizationId, scheduleId },
          orderBy: { nominalAt: 'desc' },
          take: limit,
        });
        return rows.map(toOccurrence);
      });
    },

    async ask(organizationId, scheduleId, asked) {
      const rows = asked.map((it) => ({ n: it.nominalAt, k: it.kind, o: it.overlap, r: it.requestKey }));
      const keys = asked.flatMap((it) => (it.requestKey === null ? [] : [it.requestKey]));
      return inOrganization(prisma, organizationId, async (tx) => {
        // The row's lock comes first: requests with one key come one after another, and never in the midst of a turn.
        const count = await tx.$executeRaw`
          UPDATE workflow_schedule SET attention_at = least(attention_at, clock_timestamp())
          WHERE schedule_id = ${scheduleId}::uuid`;
        if (count === 0) return null;
        const seen = await tx.workflowScheduleOccurrence.findMany({
          where: { scheduleId, requestKey: { in: keys } },
        });
        if (seen.length > 0) return seen.map((row) => row.nominalAt.getTime());
        const taken = await tx.$queryRawUnsafe<{ at: number }[]>(
          ASK,
          scheduleId,
          organizationId,
          JSON.stringify(rows),
        );
        return taken.map(({ at }) => Math.round(at)).sort((a, b) => a - b);
      });
    },
  };
}
