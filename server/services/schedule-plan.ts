import type { OverlapPolicy } from '@/lib/protocol/schedule';
import {
  MOST_WAITING,
  type Occurrence,
  type Schedule,
  type ScheduleView,
} from '@/server/ports/schedule-store';
import { jitterOf, nextTime } from '@/server/services/schedule-times';

/** More starts of one schedule than these are left to the next turn, so that others get theirs. */
const MOST_STARTS = 100;
/** A time is never missed only because a scheduler looked some seconds late, however short the catch-up window. */
const MIN_CATCHUP_MS = 10_000;
/** How often a schedule is looked at whose occurrence waits for a run to close. */
const BLOCKED_MS = 1_000;

/** What to do in one turn. */
export interface Plan {
  /** To start now, in this order; still in state `waiting`. */
  start: Occurrence[];
  /** Occurrences that are new, or settled without a start. */
  settled: Occurrence[];
  /** What to do to the open runs first, and the occurrence that wants it. */
  stop: { how: 'cancel' | 'terminate'; for: Occurrence } | null;
  nextAt: number | null;
  attentionAt: number | null;
}

/** Decides one turn of a schedule: which times have come, and what its overlap policy makes of them. Pure. */
export function planTurn(view: ScheduleView): Plan {
  const { schedule, now, openRuns } = view;
  const arrived = arrivals(view);
  const waiting = [...view.waiting, ...arrived.waiting].sort(
    (a, b) => a.dueAt - b.dueAt || a.nominalAt - b.nominalAt,
  );
  const later = waiting.filter((occurrence) => occurrence.dueAt > now);
  const plan: Plan = {
    start: [],
    settled: [...arrived.missed],
    stop: null,
    nextAt: arrived.nextAt,
    attentionAt: null,
  };
  const due: Occurrence[] = [];
  for (const occurrence of waiting.filter(({ dueAt }) => dueAt <= now)) {
    const passed = letPass(occurrence, schedule, now);
    if (passed) plan.settled.push(passed);
    else due.push(occurrence);
  }
  const blocked: Occurrence[] = [];
  const last = due.findLast((occurrence) => isStopping(policyOf(occurrence, schedule)));
  let open = openRuns.length > 0;
  let left = false;
  for (const occurrence of due) {
    const policy = policyOf(occurrence, schedule);
    if (isStopping(policy) && occurrence !== last) {
      plan.settled.push(settle(occurrence, now, 'A later time took its place.'));
    } else if (policy !== 'allow-all' && open) {
      if (policy === 'skip') {
        plan.settled.push(settle(occurrence, now, 'A run of the schedule was still open.'));
      } else if (policy === 'buffer-one' && blocked.length > 0) {
        plan.settled.push(settle(occurrence, now, 'A run was still open, and another time waits already.'));
      } else {
        blocked.push(occurrence);
        if (isStopping(policy) && openRuns.length > 0) {
          plan.stop = { how: policy === 'cancel-other' ? 'cancel' : 'terminate', for: occurrence };
        }
      }
    } else if (plan.start.length < MOST_STARTS) {
      plan.start.push(occurrence);
      open = true;
    } else {
      left = true;
    }
  }
  // New times that are not settled have to be stored too.
  plan.settled.push(...arrived.waiting.filter((it) => later.includes(it) || isKept(it, plan, blocked)));
  const moments = [
    plan.nextAt,
    later[0]?.dueAt ?? null,
    blocked.length > 0 ? now + BLOCKED_MS : null,
    left ? now : null,
  ].filter((moment) => moment !== null);
  // Never in the past: a schedule that catches up would come before all others every time.
  plan.attentionAt = moments.length > 0 ? Math.max(now, Math.min(...moments)) : null;
  return plan;
}

/** True for a due time that stays in the queue: blocked, or left to the next turn. */
function isKept(occurrence: Occurrence, plan: Plan, blocked: readonly Occurrence[]): boolean {
  if (blocked.includes(occurrence)) return true;
  const handled = [...plan.start, ...plan.settled].some((it) => it.nominalAt === occurrence.nominalAt);
  return !handled;
}

/**
 * A due time that is not to be started any more, settled; null for any other one. Times that somebody asked for, and those
 * that wait for a run to close, are started however late it is.
 */
function letPass(occurrence: Occurrence, schedule: Schedule, now: number): Occurrence | null {
  if (occurrence.kind !== 'schedule') return null;
  if (schedule.paused) return settle(occurrence, now, 'The schedule was paused.');
  const policy = policyOf(occurrence, schedule);
  if (policy !== 'skip' && policy !== 'allow-all') return null;
  if (occurrence.dueAt >= oldestToStart(schedule, now)) return null;
  return { ...settle(occurrence, now, 'It was due longer ago than the catch-up window.'), state: 'missed' };
}

function oldestToStart({ catchupWindowMs }: Schedule, now: number): number {
  return now - Math.max(catchupWindowMs, MIN_CATCHUP_MS);
}

function policyOf(occurrence: Occurrence, schedule: Schedule): OverlapPolicy {
  return occurrence.overlap ?? schedule.overlap;
}

function isStopping(policy: OverlapPolicy): boolean {
  return policy === 'cancel-other' || policy === 'terminate-other';
}

function settle(occurrence: Occurrence, now: number, reason: string): Occurrence {
  return { ...occurrence, state: 'skipped', reason, settledAt: now };
}

interface Arrivals {
  waiting: Occurrence[];
  missed: Occurrence[];
  nextAt: number | null;
}

/**
 * The times from `nextAt` to now, as many as there is room for beside those that wait. A paused schedule lets them pass;
 * those before the catch-up window are missed. One that has an occurrence already is left to that.
 */
function arrivals({ schedule, now, waiting: before, taken }: ScheduleView): Arrivals {
  const { scheduleId, jitterMs } = schedule;
  let { nextAt } = schedule;
  if (nextAt === null || nextAt > now) return { waiting: [], missed: [], nextAt };
  if (schedule.paused) return { waiting: [], missed: [], nextAt: nextTime(schedule, now) };
  const known = new Set([...taken, ...before.map(({ nominalAt }) => nominalAt)]);
  const missed: Occurrence[] = [];
  const oldest = oldestToStart(schedule, now);
  if (nextAt < oldest) {
    let first: number | null = nextAt;
    while (first !== null && known.has(first)) first = nextTime(schedule, first);
    if (first !== null && first < oldest) {
      const reason = `Times from here to ${new Date(oldest).toISOString()} were older than the catch-up window.`;
      missed.push({ ...waitingAt(first, first), state: 'missed', reason, settledAt: now });
    }
    nextAt = nextTime(schedule, oldest - 1);
  }
  const room = MOST_WAITING - before.filter(({ dueAt }) => dueAt <= now).length;
  const waiting: Occurrence[] = [];
  while (nextAt !== null && nextAt <= now && waiting.length < room) {
    if (!known.has(nextAt)) waiting.push(waitingAt(nextAt, nextAt + jitterOf(scheduleId, nextAt, jitterMs)));
    nextAt = nextTime(schedule, nextAt);
  }
  return { waiting, missed, nextAt };
}

function waitingAt(nominalAt: number, dueAt: number): Occurrence {
  return {
    nominalAt,
    dueAt,
    kind: 'schedule',
    overlap: null,
    state: 'waiting',
    runId: null,
    reason: null,
    settledAt: null,
  };
}
