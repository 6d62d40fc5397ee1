import type { Actor } from '@/lib/protocol/actor';
import { isAppError } from '@/lib/protocol/errors';
import type { Clock } from '@/lib/shared/clock';
import { storableText } from '@/lib/shared/text';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';
import type {
  Occurrence,
  Schedule,
  ScheduleChange,
  ScheduleQueue,
  ScheduleView,
} from '@/server/ports/schedule-store';
import type { AccessService } from '@/server/services/access-service';
import type { RunService } from '@/server/services/run-service';
import { planTurn } from '@/server/services/schedule-plan';
import { SCHEDULES_CHANNEL } from '@/server/services/schedule-service';

/** A schedule that could not be worked on, for reasons that may pass, is left alone for this long. */
const REST_MS = 5_000;
/** A schedule that is due and was not to be had is in the hands of another process: it is asked for again after this. */
const HELD_MS = 100;
/** What is not started after this is left to the next turn: who changes the schedule meanwhile waits for the end of the turn. */
const TURN_MS = 5_000;
/** Characters of a reason that are kept. */
const MOST_REASON = 1_000;

export interface SchedulerDeps {
  queue: ScheduleQueue;
  runs: Pick<RunService, 'start' | 'send'>;
  /** Restricted workflows that whoever made a schedule may not start any more. */
  lostBy: AccessService['lostBy'];
  bus: Bus;
  clock: Clock;
  log: Log;
  /** How often to look, besides the moments known to come. */
  pollMs: number;
}

/** Workflow id of the run of one time; the run's continuations keep it. */
export function scheduledWorkflowId(name: string, nominalAt: number): string {
  return `${name}-${new Date(nominalAt).toISOString()}`;
}

/** Idempotency key of the start of one time: whoever comes second gets the run of the first. */
export function scheduledKey(scheduleId: string, nominalAt: number): string {
  return `schedule:${scheduleId}:${new Date(nominalAt).toISOString()}`;
}

/**
 * Starts the runs of schedules. Any number of processes may run one: a schedule is worked on by one at a time, and a
 * start that was accepted just before a crash is recognised by its key. All times are the database's.
 */
export class Scheduler {
  private cancelTimer: () => void = () => {};
  private unsubscribe: () => void = () => {};
  private busy: Promise<void> | null = null;
  private again = false;
  private stopped = false;

  constructor(private readonly deps: SchedulerDeps) {}

  start(): void {
    this.unsubscribe = this.deps.bus.subscribe(SCHEDULES_CHANNEL, () => this.kick());
    this.kick();
  }

  /** Ends after the turn under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.unsubscribe();
    this.cancelTimer();
    await this.busy;
  }

  private kick(): void {
    if (this.stopped) return;
    this.again = true;
    if (this.busy) return;
    this.cancelTimer();
    this.busy = this.run().finally(() => {
      this.busy = null;
    });
  }

  private async run(): Promise<void> {
    const { queue, clock, log, pollMs } = this.deps;
    let wait = pollMs;
    try {
      while (this.again && !this.stopped) {
        this.again = false;
        while (!this.stopped && (await queue.turn((view) => this.turn(view))));
      }
      wait = Math.min(pollMs, (await queue.untilAttention()) ?? pollMs) || HELD_MS;
    } catch (error) {
      log.warn('scheduler', { status: 'failed', error: String(error) });
    }
    if (!this.stopped) this.cancelTimer = clock.at(clock.now() + Math.max(wait, 1), () => this.kick());
  }

  private async turn(view: ScheduleView): Promise<ScheduleChange> {
    const { schedule, now } = view;
    try {
      const plan = planTurn(view);
      const actor = actorOf(schedule);
      const wanted = plan.stop ? [...plan.start, plan.stop.for] : plan.start;
      if (wanted.length > 0 && (await this.isLost(schedule))) {
        const reason = `Whoever made the schedule may not start "${schedule.workflow}" any more.`;
        const skipped = wanted.map((one) => ({
          ...one,
          state: 'skipped' as const,
          reason,
          settledAt: now,
        }));
        const others = plan.settled.filter((one) => one.nominalAt !== plan.stop?.for.nominalAt);
        return {
          nextAt: plan.nextAt,
          attentionAt: plan.attentionAt,
          occurrences: [...others, ...skipped],
        };
      }
      if (plan.stop) await this.stopOthers(actor, view.openRuns, plan.stop.how, plan.stop.for);
      const occurrences = [...plan.settled];
      let { attentionAt } = plan;
      const until = this.deps.clock.now() + TURN_MS;
      for (const [i, occurrence] of plan.start.entries()) {
        if (this.deps.clock.now() > until) {
          occurrences.push(...plan.start.slice(i));
          attentionAt = now;
          break;
        }
        const after = await this.begin(actor, schedule, occurrence, now);
        occurrences.push(after);
        if (after.state !== 'waiting') continue;
        // What is behind must not overtake: it waits as well.
        occurrences.push(...plan.start.slice(i + 1));
        attentionAt = now + REST_MS;
        break;
      }
      return { nextAt: plan.nextAt, attentionAt, occurrences };
    } catch (error) {
      // One schedule that cannot be worked on must not keep the others from their turn.
      this.deps.log.warn('scheduler', {
        status: 'failed',
        schedule_id: schedule.scheduleId,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      return { nextAt: schedule.nextAt, attentionAt: now + REST_MS, occurrences: [] };
    }
  }

  private async isLost({ organizationId, createdBy, workflow }: Schedule): Promise<boolean> {
    return (await this.deps.lostBy(organizationId, createdBy, 'workflows:execute')).includes(workflow);
  }

  /** Starts the run of one time. Gives the occurrence back as it is then: `waiting` when it is worth another try. */
  private async begin(
    actor: Actor,
    schedule: Schedule,
    occurrence: Occurrence,
    now: number,
  ): Promise<Occurrence> {
    const { scheduleId, organizationId, name, workflow, version, input, priority } = schedule;
    const { nominalAt } = occurrence;
    const workflowId = scheduledWorkflowId(name, nominalAt);
    const body = {
      workflow,
      workflowId,
      input,
      ...(version === null ? {} : { version }),
      ...(priority === null ? {} : { priority }),
    };
    const started = (runId: string): Occurrence => ({
      ...occurrence,
      state: 'started',
      runId,
      settledAt: now,
    });
    try {
      const run = await this.deps.runs.start(actor, body, scheduledKey(scheduleId, nominalAt));
      this.deps.log.info('schedule', { status: 'started', schedule_id: scheduleId, run_id: run.runId });
      return started(run.runId);
    } catch (error) {
      if (isAppError(error) && error.code === 'IDEMPOTENCY_CONFLICT') {
        // Started before, with the input of that day.
        const runId = await this.deps.queue.runOf(organizationId, workflowId);
        if (runId !== null) return started(runId);
      }
      if (!isAppError(error) || error.entry.retriable) {
        this.deps.log.warn('schedule', { status: 'retry', schedule_id: scheduleId, error: String(error) });
        return occurrence;
      }
      this.deps.log.warn('schedule', { status: 'failed', schedule_id: scheduleId, error: error.message });
      // A message may quote an input.
      const reason = storableText(`${error.code}: ${error.message}`.slice(0, MOST_REASON));
      return { ...occurrence, state: 'failed', reason, settledAt: now };
    }
  }

  private async stopOthers(
    actor: Actor,
    runIds: readonly string[],
    how: 'cancel' | 'terminate',
    occurrence: Occurrence,
  ): Promise<void> {
    const at = new Date(occurrence.nominalAt).toISOString();
    const eventType =
      how === 'cancel' ? 'WORKFLOW_EXECUTION_CANCEL_REQUESTED' : 'WORKFLOW_EXECUTION_TERMINATED';
    const data = { by: actor.id, reason: `The schedule starts its next run (${at}).` };
    for (const runId of runIds) {
      try {
        const key = `${actor.id}:${how}:${runId}`;
        await this.deps.runs.send(actor, runId, { eventType, data, action: `run.${how}` }, key);
      } catch (error) {
        // Closed meanwhile, or asked before by an earlier time: both are what is wanted.
        if (isAppError(error) && ['RUN_CLOSED', 'RUN_NOT_FOUND', 'IDEMPOTENCY_CONFLICT'].includes(error.code))
          continue;
        throw error;
      }
    }
  }
}

function actorOf({ organizationId, name, createdBy }: Schedule): Actor {
  return {
    kind: 'system',
    id: `schedule:${name}`,
    onBehalfOf: createdBy,
    organizationId,
    role: 'operator',
    displayName: `Schedule ${name}`,
  };
}
