import type { CancelActivity, Command, RunActivity } from '@/lib/engine/commands';
import type { EngineEvent, EventData, EventType } from '@/lib/engine/types';
import type { Clock } from '@/lib/shared/clock';
import type { Tracing } from '@/server/ports/tracing';
import { type ActivityDeps, asFailure, isRetrySafe } from '@/server/workers/engine/activities';
import { CallAbort } from '@/server/workers/engine/call-abort';
import { type ChildDeps, startChild } from '@/server/workers/engine/children';
import type { Delivery } from '@/server/workers/engine/committer';
import { crashPoint } from '@/server/workers/engine/crash-points';
import { answerOpenCall, callDialogue } from '@/server/workers/engine/dialogue';
import { type EagerCall, wantedStill } from '@/server/workers/engine/eager-start';
import type { Pressure } from '@/server/workers/engine/pressure';
import { type ReadyQueue, rankOf } from '@/server/workers/engine/ready-queue';
import { type ResidentRun, subjectOf } from '@/server/workers/engine/resident-run';
import { runTracedAttempt } from '@/server/workers/engine/traced-attempt';

/** What carrying out a command needs of the host. */
export interface EffectsHost {
  readonly deps: {
    readonly activities: ActivityDeps;
    readonly children: ChildDeps;
    readonly clock: Clock;
    readonly process: { readonly id: string };
    readonly random: () => number;
    readonly tracing?: Tracing | undefined;
  };
  readonly ready: ReadyQueue;
  readonly pressure: Pressure;
  readonly isDraining: boolean;
  readonly leases: { confirmed(): Promise<void> };
  deliver(run: ResidentRun, event: EngineEvent): Promise<Delivery>;
  track(promise: Promise<unknown>): void;
}

/** What a call was told when its abort signal fired. */
const CANCELLED = 'cancelled';

/**
 * Carries out a committed command of a run; everything it leads to comes back as an event.
 *
 * @param eager what is kept for a call whose start was committed together with its schedule
 */
export function carryOut(host: EffectsHost, run: ResidentRun, command: Command, eager?: EagerCall): void {
  switch (command.type) {
    case 'RUN_ACTIVITY': {
      if (eager === undefined && answerOpenCall(run, command)) return;
      const { organizationId } = run.info;
      run.calls++;
      host.pressure.add(organizationId);
      const begin = () => runActivity(host, run, command, eager);
      const made =
        eager === undefined
          ? host.ready.submit(organizationId, rankOf(run.state?.priority), begin)
          : eager.slot.use(begin);
      host.track(
        made.finally(() => {
          // Whatever kept it from being made.
          eager?.place?.release();
          run.calls--;
          host.pressure.remove(organizationId);
        }),
      );
      return;
    }
    case 'CANCEL_ACTIVITY':
      cancelActivity(host, run, command);
      return;
    case 'START_TIMER': {
      const cancel = host.deps.clock.at(command.fireAt, () => {
        run.timers.delete(command.timerId);
        host.track(host.deliver(run, event(host, 'TIMER_FIRED', { timerId: command.timerId })));
      });
      run.timers.set(command.timerId, cancel);
      return;
    }
    case 'CANCEL_TIMER':
      run.timers.get(command.timerId)?.();
      run.timers.delete(command.timerId);
      return;
    case 'START_CHILD':
      // Whether it could be started is told to this copy of the run only: until then the run stays in memory.
      run.calls++;
      host.track(
        startChild(host.deps.children, run, command)
          .then((fact) => host.deliver(run, fact))
          .finally(() => run.calls--),
      );
      return;
    case 'CANCEL_CHILD':
    case 'TERMINATE_CHILD':
      // The row that tells the child was written in the same commit.
      return;
    case 'REQUEST_APPROVAL':
    case 'CLOSE_APPROVAL':
      // An approval lives in the run's own state and in the event that was just committed: watchers see it there, and
      // the decision comes in through the inbox. Nothing is to be carried out.
      return;
    case 'START_WORKFLOW':
    case 'CLOSE_RUN':
      // Both belong to the close of a run, which the host handles as one.
      return;
  }
}

function cancelActivity(host: EffectsHost, run: ResidentRun, { activityId, task }: CancelActivity): void {
  const open = run.activities.get(activityId);
  if (open !== undefined) open.abort(CANCELLED);
  else if (task !== undefined)
    host.track(
      host.deps.activities.fleet.cancelTask(
        run.info.organizationId,
        task.server,
        task.taskId,
        subjectOf(run.state),
      ),
    );
}

function event<T extends EventType>(host: EffectsHost, type: T, data: EventData<T>): EngineEvent {
  return { type, at: host.deps.clock.now(), data } as unknown as EngineEvent;
}

async function runActivity(
  host: EffectsHost,
  run: ResidentRun,
  command: RunActivity,
  eager: EagerCall | undefined,
): Promise<void> {
  const { activityId, attempt, started } = command;
  if (started && !started.retrySafe) {
    await host.deliver(run, event(host, 'ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId, attempt }));
    return;
  }
  if (run.gone) return;
  if (eager === undefined) {
    if (host.isDraining) return;
  } else {
    // It counts as begun, so a process that is to stop makes it; but the run may have moved on while that was written.
    const fate = wantedStill(run, command);
    if (fate === 'cancelled')
      await host.deliver(run, event(host, 'ACTIVITY_TASK_CANCELED', { activityId, attempt }));
    if (fate !== 'wanted') return;
  }
  const abort = new CallAbort();
  run.activities.set(activityId, abort);
  try {
    await attemptActivity(host, run, command, abort, eager);
  } finally {
    if (run.activities.get(activityId) === abort) run.activities.delete(activityId);
  }
}

async function attemptActivity(
  host: EffectsHost,
  run: ResidentRun,
  command: RunActivity,
  abort: CallAbort,
  eager: EagerCall | undefined,
): Promise<void> {
  const { activityId, attempt } = command;
  const { organizationId, runId } = run.info;
  // The process may be stopped while it connects: what counts is that the lease runs when the call leaves.
  const beforeSending = () => host.leases.confirmed();
  const place = eager?.place;
  const scope = {
    ...{ organizationId, runId, subject: subjectOf(run.state), abort, beforeSending },
    ...(place === undefined ? {} : { place }),
  };
  let retrySafe: boolean;
  try {
    retrySafe = eager === undefined && (await isRetrySafe(host.deps.activities, scope, command));
  } catch (error) {
    const failure = asFailure(error);
    await host.deliver(
      run,
      event(host, 'ACTIVITY_TASK_FAILED', {
        activityId,
        attempt,
        failure,
        jitter: host.deps.random(),
        ambiguous: false,
      }),
    );
    return;
  }
  // A task that is followed is the server's: nothing is made that could be made twice.
  if (!retrySafe && eager === undefined && !command.started && command.resume?.input.taskId === undefined) {
    // Written down before the call, so that after a crash nobody mistakes a call that was made for one that was not.
    const noted = event(host, 'ACTIVITY_TASK_STARTED', {
      activityId,
      attempt,
      retrySafe,
      worker: host.deps.process.id,
    });
    // Ignored when the run was cancelled meanwhile: its end may not be committed yet, the call is not wanted all the same.
    if ((await host.deliver(run, noted)) !== 'written') return;
  }
  await host.leases.confirmed();
  if (run.gone) return;
  crashPoint('before-effect');
  if (activityId.endsWith(':compensate')) crashPoint('during-compensation');
  const { tracing, activities } = host.deps;
  const called =
    command.target.kind === 'mcp' ? { ...scope, dialogue: callDialogue(host, run, command) } : scope;
  const outcome = await runTracedAttempt(tracing, run, activities, called, command);
  crashPoint('after-effect-before-append');
  if (run.gone) return;
  const took = command.target.kind === 'mcp' ? { server: command.target.server } : {};
  if (outcome.kind === 'completed') {
    const { output, usage } = outcome;
    const usagePart = typeof usage.durationMs === 'number' ? { usage: usage as { durationMs: number } } : {};
    await host.deliver(
      run,
      event(host, 'ACTIVITY_TASK_COMPLETED', { activityId, attempt, output, ...usagePart, ...took }),
    );
    return;
  }
  const { failure, ambiguous, retryAt, inputRequired } = outcome;
  if (abort.reason === CANCELLED) {
    await host.deliver(run, event(host, 'ACTIVITY_TASK_CANCELED', { activityId, attempt }));
  } else if (inputRequired !== undefined) {
    await host.deliver(
      run,
      event(host, 'ACTIVITY_TASK_INPUT_REQUIRED', { activityId, attempt, input: inputRequired }),
    );
  } else if (ambiguous && !retrySafe) {
    await host.deliver(run, event(host, 'ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId, attempt, failure }));
  } else {
    const facts = { activityId, attempt, failure, jitter: host.deps.random(), ambiguous, retrySafe };
    const when = retryAt === undefined ? {} : { retryAt };
    const type = failure.code === 'TIMEOUT' ? 'ACTIVITY_TASK_TIMED_OUT' : 'ACTIVITY_TASK_FAILED';
    await host.deliver(run, event(host, type, { ...facts, ...when }));
  }
}
