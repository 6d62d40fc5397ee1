import type { MemoryDatabase } from '@/server/adapters/memory/database';
import {
  MOST_WAITING,
  type Occurrence,
  type Schedule,
  type ScheduleQueue,
  type ScheduleStore,
} from '@/server/ports/schedule-store';

/** Settled times that are kept of each schedule, besides those whose run is open. */
const KEPT = 200;
/** How long a schedule is left alone whose turn failed. */
const REST_MS = 5_000;

type KeptOccurrence = Occurrence & { requestKey: string | null };

interface Kept {
  schedule: Schedule;
  attentionAt: number | null;
  /** By nominal time. */
  occurrences: Map<number, KeptOccurrence>;
  /** The turn under way, which ends whether it fails or not. */
  held: Promise<void> | null;
}

/** Schedules without a database, with the same promises: as people work on them, and as the scheduler does. */
export function createMemorySchedules(db: MemoryDatabase): { store: ScheduleStore; queue: ScheduleQueue } {
  const kept = new Map<string, Kept>();
  const find = (organizationId: string, scheduleId: string) => {
    const found = kept.get(scheduleId);
    return found?.schedule.organizationId === organizationId ? found : undefined;
  };
  /** The same, once no scheduler works on it. */
  const lock = async (organizationId: string, scheduleId: string) => {
    for (;;) {
      const held = find(organizationId, scheduleId)?.held;
      if (!held) return find(organizationId, scheduleId);
      await held;
    }
  };
  const of = (organizationId: string) =>
    [...kept.values()]
      .filter(({ schedule }) => schedule.organizationId === organizationId)
      .sort((a, b) => (a.schedule.name < b.schedule.name ? -1 : 1));

  const store: ScheduleStore = {
    now: async () => db.now(),
    async list(organizationId) {
      return of(organizationId).map(({ schedule }) => structuredClone(schedule));
    },
    async get(organizationId, name) {
      const found = of(organizationId).find(({ schedule }) => schedule.name === name);
      return found ? structuredClone(found.schedule) : null;
    },
    async create(schedule) {
      if (of(schedule.organizationId).some((other) => other.schedule.name === schedule.name)) return false;
      kept.set(schedule.scheduleId, {
        schedule: structuredClone(schedule),
        attentionAt: schedule.nextAt,
        occurrences: new Map(),
        held: null,
      });
      return true;
    },
    async update(organizationId, scheduleId, edit, next) {
      const found = await lock(organizationId, scheduleId);
      if (!found) return false;
      const { schedule } = found;
      const { paused = schedule.paused, note = schedule.note, ...changed } = structuredClone(edit);
      const nextAt = next(edit, db.now());
      const { createdBy, createdAt } = schedule;
      const fixed = { scheduleId, organizationId, createdBy, createdAt };
      Object.assign(schedule, changed, fixed, { paused, note, nextAt, updatedAt: db.now() });
      found.attentionAt = 0;
      return true;
    },
    async pause(organizationId, scheduleId, paused, note, next) {
      const found = await lock(organizationId, scheduleId);
      if (!found) return false;
      const { schedule } = found;
      const isTurned = schedule.paused !== paused;
      if (!isTurned && note === undefined) return true;
      Object.assign(schedule, { paused, note: note ?? schedule.note, updatedAt: db.now() });
      if (isTurned) found.attentionAt = 0;
      if (isTurned && !paused) schedule.nextAt = next(schedule, db.now());
      return true;
    },
    async remove(organizationId, scheduleId) {
      return find(organizationId, scheduleId) !== undefined && kept.delete(scheduleId);
    },
    async occurrences(organizationId, scheduleId, limit) {
      const all = [...(find(organizationId, scheduleId)?.occurrences.values() ?? [])];
      return all
        .sort((a, b) => b.nominalAt - a.nominalAt)
        .slice(0, limit)
        .map(bare);
    },
    async ask(organizationId, scheduleId, asked) {
      const found = await lock(organizationId, scheduleId);
      if (!found) return null;
      const { occurrences } = found;
      found.attentionAt = Math.min(found.attentionAt ?? Number.POSITIVE_INFINITY, db.now());
      const keys = new Set(asked.flatMap((it) => it.requestKey ?? []));
      const seen = [...occurrences.values()].filter(
        (it) => it.requestKey !== null && keys.has(it.requestKey),
      );
      if (seen.length > 0) return seen.map((it) => it.nominalAt);
      const taken = asked.filter((it) => {
        const before = occurrences.get(it.nominalAt);
        const again =
          before && ['skipped', 'missed', 'failed'].includes(before.state) && it.kind === 'backfill';
        return before === undefined || again;
      });
      for (const it of taken) {
        const before = occurrences.get(it.nominalAt);
        occurrences.set(it.nominalAt, {
          dueAt: it.nominalAt,
          runId: null,
          ...before,
          ...it,
          requestKey: before?.requestKey ?? it.requestKey,
          state: 'waiting',
          reason: null,
          settledAt: null,
        });
      }
      return taken.map((it) => it.nominalAt).sort((a, b) => a - b);
    },
  };

  const queue: ScheduleQueue = {
    async turn(work) {
      const now = db.now();
      const due = ({ attentionAt, held }: Kept) =>
        attentionAt !== null && attentionAt <= now && held === null;
      const [next] = [...kept.values()]
        .filter(due)
        .sort((a, b) => (a.attentionAt ?? 0) - (b.attentionAt ?? 0));
      if (!next) return false;
      let letGo = () => {};
      next.held = new Promise((resolve) => {
        letGo = resolve;
      });
      try {
        const { schedule, occurrences } = next;
        const all = [...occurrences.values()];
        const waiting = all.filter(({ state }) => state === 'waiting').sort((a, b) => a.dueAt - b.dueAt);
        const { nextAt } = schedule;
        const taken = nextAt === null ? [] : [...occurrences.keys()].filter((time) => time >= nextAt);
        const started = all.flatMap(({ state, runId }) =>
          state === 'started' && runId !== null ? [runId] : [],
        );
        const change = await work({
          schedule: structuredClone(schedule),
          now,
          waiting: waiting.slice(0, MOST_WAITING).map(bare),
          taken,
          openRuns: started.flatMap((runId) => openOf(db, runId)),
        });
        refuse(change.occurrences);
        for (const it of change.occurrences) {
          const before = occurrences.get(it.nominalAt);
          if (before === undefined) occurrences.set(it.nominalAt, { ...it, requestKey: null });
          else if (before.state === 'waiting') {
            const { state, runId, reason, settledAt } = it;
            Object.assign(before, { state, runId, reason, settledAt });
          }
        }
        if (change.occurrences.length > 0) prune(db, occurrences);
        schedule.nextAt = change.nextAt;
        next.attentionAt = change.attentionAt;
      } catch (error) {
        next.attentionAt = db.now() + REST_MS;
        throw error;
      } finally {
        next.held = null;
        letGo();
      }
      return true;
    },
    async runOf(organizationId, workflowId) {
      const runs = [...db.runs.values()].filter(
        ({ run }) =>
          run.organizationId === organizationId && run.workflowId === workflowId && workflowId !== run.runId,
      );
      return runs.map(({ run }) => run.runId).sort()[0] ?? null;
    },
    async untilAttention() {
      const times = [...kept.values()].flatMap(({ attentionAt }) => attentionAt ?? []);
      return times.length === 0 ? null : Math.max(0, Math.min(...times) - db.now());
    },
  };
  return { store, queue };
}

/** Refuses what Postgres refuses: one time twice in one statement, and texts that it cannot keep. */
function refuse(occurrences: readonly Occurrence[]): void {
  if (new Set(occurrences.map((it) => it.nominalAt)).size < occurrences.length) {
    throw new Error('One time is there twice.');
  }
  if (occurrences.some(({ reason }) => reason !== null && /[\0\p{Surrogate}]/u.test(reason))) {
    throw new Error('A reason holds what is no text.');
  }
}

function bare({ requestKey: _key, ...occurrence }: KeptOccurrence): Occurrence {
  return structuredClone(occurrence);
}

/** The run, or what it continues as under the same workflow id, where that is open. */
function openOf(db: MemoryDatabase, runId: string): string[] {
  const first = db.runs.get(runId)?.run;
  return [...db.runs.values()]
    .filter(
      ({ run, closedAt }) =>
        closedAt === null &&
        run.organizationId === first?.organizationId &&
        run.workflowId === first.workflowId,
    )
    .map(({ run }) => run.runId);
}

function prune(db: MemoryDatabase, occurrences: Map<number, KeptOccurrence>): void {
  const times = [...occurrences.keys()].sort((a, b) => b - a);
  const oldest = times[KEPT] ?? Number.NEGATIVE_INFINITY;
  for (const it of [...occurrences.values()]) {
    const isOpen = it.runId !== null && openOf(db, it.runId).length > 0;
    if (it.state !== 'waiting' && it.nominalAt < oldest && !isOpen) occurrences.delete(it.nominalAt);
  }
}
