import type { OverlapPolicy } from '@/lib/protocol/schedule';
import type { Json } from '@/lib/shared/json';

/** When a schedule runs. Exactly one of `cron` and `everyMs` is set. */
export interface Timing {
  cron: string | null;
  timeZone: string;
  everyMs: number | null;
  offsetMs: number;
}

/** What a person decides about a schedule. Durations in milliseconds. */
export interface ScheduleFacts extends Timing {
  name: string;
  workflow: string;
  version: number | null;
  input: Json;
  jitterMs: number;
  overlap: OverlapPolicy;
  catchupWindowMs: number;
  paused: boolean;
  note: string | null;
  /** Of its runs: 1 (first) to 5; null = the usual one. */
  priority: number | null;
}

/** A schedule as somebody replaces it: what is undefined stays as it is. */
export interface ScheduleEdit extends Omit<ScheduleFacts, 'paused' | 'note'> {
  paused: boolean | undefined;
  note: string | undefined;
}

/** The first time of a timing after another one, both epoch milliseconds; null when there is none. */
export type NextTime = (timing: Timing, after: number) => number | null;

/** A stored schedule. Times in epoch milliseconds. */
export interface Schedule extends ScheduleFacts {
  scheduleId: string;
  organizationId: string;
  /** The next time that has no occurrence yet; null when there is none. */
  nextAt: number | null;
  createdBy: string;
  createdAt: number;
  updatedAt: number;
}

/** One time of a schedule that has come or was asked for. Times in epoch milliseconds. */
export interface Occurrence {
  nominalAt: number;
  kind: 'schedule' | 'trigger' | 'backfill';
  /** The nominal time and its jitter: not started before. */
  dueAt: number;
  overlap: OverlapPolicy | null;
  state: 'waiting' | 'started' | 'skipped' | 'missed' | 'failed';
  runId: string | null;
  reason: string | null;
  settledAt: number | null;
}

/** An occurrence somebody asks for. */
export interface AskedOccurrence {
  nominalAt: number;
  kind: 'trigger' | 'backfill';
  overlap: OverlapPolicy | null;
  /** A second request with the same key asks for nothing new. */
  requestKey: string | null;
}

/** Most waiting occurrences that a scheduler sees at once; those behind come up when these are settled. */
export const MOST_WAITING = 500;

/** What a scheduler sees of one schedule while it holds it. */
export interface ScheduleView {
  schedule: Schedule;
  /** The database's clock, epoch milliseconds. */
  now: number;
  /** The first `MOST_WAITING` occurrences in state `waiting`, by due time. */
  waiting: Occurrence[];
  /** Times from `nextAt` on that have an occurrence already: somebody asked for them before a scheduler got to them. */
  taken: number[];
  /** Open runs that this schedule started, and their continuations. */
  openRuns: string[];
}

/** What a turn leaves behind. */
export interface ScheduleChange {
  nextAt: number | null;
  /** When to look again; null when only a person can change anything. */
  attentionAt: number | null;
  /** New occurrences, and waiting ones that are settled now: each time once. */
  occurrences: Occurrence[];
}

/** Schedules as the scheduler works on them, across organisations. */
export interface ScheduleQueue {
  /**
   * Takes one schedule that needs attention, which no other process holds, and keeps it until `work` is done; what
   * `work` gives back is stored. Resolves with false when there was none. When `work` throws, or what it gives back is
   * refused, nothing is stored and the schedule rests for some seconds, so that the others get their turn. A process of
   * which nothing is heard any more keeps it for half a minute at most.
   */
  turn(work: (view: ScheduleView) => Promise<ScheduleChange>): Promise<boolean>;
  /** The run that was started under a workflow id, or null. */
  runOf(organizationId: string, workflowId: string): Promise<string | null>;
  /** Milliseconds until a schedule needs attention (0 = now); null when none ever will by itself. */
  untilAttention(): Promise<number | null>;
}

/** Schedules as people work on them, within one organisation. */
export interface ScheduleStore {
  /** The database's clock, epoch milliseconds. */
  now(): Promise<number>;
  list(organizationId: string): Promise<Schedule[]>;
  get(organizationId: string, name: string): Promise<Schedule | null>;
  /** False when the name is taken. */
  create(schedule: Schedule): Promise<boolean>;
  /**
   * Replaces what a person decides. The next time is counted anew from the moment at which no scheduler works on the
   * schedule any more. False when there is no such schedule.
   */
  update(organizationId: string, scheduleId: string, edit: ScheduleEdit, next: NextTime): Promise<boolean>;
  /**
   * Pauses or resumes, and sets the note when one is given; nothing else is touched. A resumed schedule goes on with its
   * first time from now; one that is as it shall be already keeps its next time. False when there is no such schedule.
   */
  pause(
    organizationId: string,
    scheduleId: string,
    paused: boolean,
    note: string | undefined,
    next: NextTime,
  ): Promise<boolean>;
  /** Runs that it started go on. False when there is no such schedule. */
  remove(organizationId: string, scheduleId: string): Promise<boolean>;
  /** Newest first. */
  occurrences(organizationId: string, scheduleId: string, limit: number): Promise<Occurrence[]>;
  /**
   * Asks for occurrences. Those that were started already, or wait, are left as they are. Resolves with the times that
   * were taken; with null when there is no such schedule.
   */
  ask(
    organizationId: string,
    scheduleId: string,
    asked: readonly AskedOccurrence[],
  ): Promise<number[] | null>;
}
