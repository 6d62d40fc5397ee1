import type pg from 'pg';
import { NOW } from '@/server/adapters/postgres/database-clock';
import { limited, STATEMENT_LIMIT_MS, type Statements } from '@/server/adapters/postgres/pool';
import { inHeldTransaction } from '@/server/adapters/postgres/transactions';
import {
  MOST_WAITING,
  type Occurrence,
  type Schedule,
  type ScheduleChange,
  type ScheduleQueue,
  type ScheduleView,
} from '@/server/ports/schedule-store';

/** Settled times that are kept of each schedule, besides those whose run is open. */
const KEPT = 200;

const at = (column: string, name: string) => `(extract(epoch FROM ${column}) * 1000)::float8 AS "${name}"`;

const TAKE = `
SELECT schedule_id AS "scheduleId", organization_id AS "organizationId", name, workflow, version, input, cron,
  time_zone AS "timeZone", interval_ms AS "everyMs", offset_ms AS "offsetMs", jitter_ms AS "jitterMs", overlap,
  catchup_window_ms AS "catchupWindowMs", paused, note, priority, created_by AS "createdBy",
  ${at('next_at', 'nextAt')}, ${at('created_at', 'createdAt')}, ${at('updated_at', 'updatedAt')},
  floor(${NOW}) AS now
FROM workflow_schedule WHERE attention_at <= clock_timestamp()
ORDER BY attention_at LIMIT 1 FOR UPDATE SKIP LOCKED`;

const WAITING = `
SELECT ${at('nominal_at', 'nominalAt')}, ${at('due_at', 'dueAt')}, kind, overlap, state, run_id AS "runId", reason,
  NULL AS "settledAt"
FROM workflow_schedule_occurrence WHERE schedule_id = $1 AND state = 'waiting' ORDER BY due_at LIMIT ${MOST_WAITING}`;

/** Times that were asked for before a scheduler got to them. */
const TAKEN = `
SELECT ${at('o.nominal_at', 'at')} FROM workflow_schedule_occurrence o
JOIN workflow_schedule s ON s.schedule_id = o.schedule_id AND o.nominal_at >= s.next_at
WHERE o.schedule_id = $1`;

/** Runs of the schedule that are open: those it started, or what they continue as under the same workflow id. */
const OPEN = `
SELECT r.run_id FROM workflow_schedule_occurrence o
JOIN workflow_run started ON started.run_id = o.run_id
JOIN workflow_run r ON r.organization_id = started.organization_id AND r.workflow_id = started.workflow_id
  AND r.closed_at IS NULL
WHERE o.schedule_id = $1 AND o.state = 'started'`;

const STORE = `
INSERT INTO workflow_schedule_occurrence
  (schedule_id, organization_id, nominal_at, due_at, kind, overlap, state, run_id, reason, settled_at)
SELECT $1, $2, to_timestamp(o.n / 1000.0), to_timestamp(o.d / 1000.0), o.k, o.p, o.s, o.r, o.w,
  to_timestamp(o.t / 1000.0)
FROM json_to_recordset($3::json) AS o(n float8, d float8, k text, p text, s text, r uuid, w text, t float8)
ON CONFLICT (schedule_id, nominal_at) DO UPDATE SET
  state = excluded.state, run_id = excluded.run_id, reason = excluded.reason, settled_at = excluded.settled_at
  WHERE workflow_schedule_occurrence.state = 'waiting'`;

const PRUNE = `
DELETE FROM workflow_schedule_occurrence o
WHERE o.schedule_id = $1 AND o.state <> 'waiting' AND o.nominal_at < (
    SELECT nominal_at FROM workflow_schedule_occurrence WHERE schedule_id = $1
    ORDER BY nominal_at DESC OFFSET ${KEPT} LIMIT 1)
  AND NOT EXISTS (
    SELECT 1 FROM workflow_run s JOIN workflow_run r
      ON r.organization_id = s.organization_id AND r.workflow_id = s.workflow_id AND r.closed_at IS NULL
    WHERE s.run_id = o.run_id)`;

const MOVE = `
UPDATE workflow_schedule SET next_at = to_timestamp($2::float8 / 1000.0), attention_at = to_timestamp($3::float8 / 1000.0)
WHERE schedule_id = $1`;

const REST = `
UPDATE workflow_schedule SET attention_at = clock_timestamp() + interval '5 seconds'
WHERE schedule_id = $1 AND attention_at <= clock_timestamp()`;

/**
 * Schedules as the scheduler works on them, over `pg`. A turn is one transaction that holds the schedule's row.
 *
 * @param pool connections as oc_engine
 * @param limitMs how long a statement is waited for, and how long Postgres keeps the row for a turn that says nothing
 */
export function createScheduleQueue(pool: pg.Pool, limitMs = STATEMENT_LIMIT_MS): ScheduleQueue {
  const statements = limited(pool, limitMs);
  return {
    async turn(work) {
      let scheduleId: string | undefined;
      try {
        return await inHeldTransaction(pool, limitMs, async (held) => {
          const view = await take(held);
          scheduleId = view?.schedule.scheduleId;
          if (view) await store(held, view.schedule, await work(view));
          return view !== null;
        });
      } catch (error) {
        // Else it would be the first in line for ever, and none of the others would have their turn. When this fails too the
        // database is away, for all of them.
        if (scheduleId !== undefined) await statements.query(REST, [scheduleId]).catch(() => {});
        throw error;
      }
    },

    async runOf(organizationId, workflowId) {
      const { rows } = await statements.query<{ run_id: string }>(
        `SELECT run_id FROM workflow_run WHERE organization_id = $1 AND workflow_id = $2 AND workflow_id <> run_id::text
         ORDER BY run_id LIMIT 1`,
        [organizationId, workflowId],
      );
      return rows[0]?.run_id ?? null;
    },

    async untilAttention() {
      const { rows } = await statements.query<{ wait: number | null }>(
        `SELECT greatest(0, extract(epoch FROM min(attention_at) - clock_timestamp()) * 1000)::float8 AS wait
         FROM workflow_schedule WHERE attention_at IS NOT NULL`,
      );
      return rows[0]?.wait ?? null;
    },
  };
}

async function take(client: Statements): Promise<ScheduleView | null> {
  const { rows } = await client.query<Schedule & { now: number }>(TAKE);
  const row = rows[0];
  if (!row) return null;
  const { now, ...schedule } = row;
  const waiting = await client.query<Occurrence>(WAITING, [schedule.scheduleId]);
  const taken = await client.query<{ at: number }>(TAKEN, [schedule.scheduleId]);
  const open = await client.query<{ run_id: string }>(OPEN, [schedule.scheduleId]);
  return {
    schedule,
    now,
    waiting: waiting.rows,
    taken: taken.rows.map((row) => row.at),
    openRuns: open.rows.map(({ run_id }) => run_id),
  };
}

async function store(client: Statements, schedule: Schedule, change: ScheduleChange): Promise<void> {
  const { scheduleId, organizationId } = schedule;
  if (change.occurrences.length > 0) {
    const rows = change.occurrences.map((it) => ({
      n: it.nominalAt,
      d: it.dueAt,
      k: it.kind,
      p: it.overlap,
      s: it.state,
      r: it.runId,
      w: it.reason,
      t: it.settledAt,
    }));
    await client.query(STORE, [scheduleId, organizationId, JSON.stringify(rows)]);
    await client.query(PRUNE, [scheduleId]);
  }
  await client.query(MOVE, [scheduleId, change.nextAt, change.attentionAt]);
}
