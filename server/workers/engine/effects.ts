import type { CancelActivity, Command, RunActivity } from '@/lib/engine/commands';
import { outstanding } from '@/lib/engine/outstanding';
import { findCall } from '@/lib/engine/state';
import type { EngineEvent, EventData, EventType } from '@/lib/engine/types';
import type { Clock } from '@/lib/shared/clock';
import type { Tracing } from '@/server/ports/tracing';
import {
  type ActivityDeps,
  type ActivityScope,
  type AttemptOutcome,
  asFailure,
  isRetrySafe,
} from '@/server/workers/engine/activities';
import { ASKED_TO_STOP, CANCELLED, CallAbort } from '@/server/workers/engine/call-abort';
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

/**
 * Carries out a committed command of a run; everything it leads to comes back as an event.
 *
 * @param from what is kept for a call whose start was committed together with its schedule; 'inherited' for what was left
 *   open by an owner before this one, who may have made the call already
 */
export function carryOut(
  host: EffectsHost,
  run: ResidentRun,
  command: Command,
  from?: EagerCall | 'inherited',
): void {
  switch (command.type) {
    case 'RUN_ACTIVITY': {
      const eager = from === 'inherited' ? undefined : from;
      if (eager === undefined && answerOpenCall(run, command)) return;
      // The answers are for a call that was open elsewhere.
      const inherited = from === 'inherited' || command.resume?.input.durable === false;
      const { organizationId } = run.info;
      run.calls++;
      host.pressure.add(organizationId);
      const begin = () => runActivity(host, run, command, eager, inherited);
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
      // Until it is known what became of it the run stays awake: nothing else would wake it.
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
  const awaited = run.state !== null && findCall(run.state, activityId)?.call.cancelRequested === true;
  if (open !== undefined) open.abort(awaited ? ASKED_TO_STOP : CANCELLED);
  else if (task !== undefined)
    host.track(
      host.deps.activities.fleet.cancelTask(
        run.info.organizationId,
        task.server,
        task.taskId,
        subjectOf(run.state),
      ),
    );
  else if (awaited) findOut(host, run, activityId);
}

/**
 * A call that waits for a person's answer was open in a process that is gone, and is to be stopped now: what became of it is
 * found out as by a new owner. A call that only waits for its turn here hears of it by itself.
 */
function findOut(host: EffectsHost, run: ResidentRun, activityId: string): void {
  if (run.state === null || findCall(run.state, activityId)?.call.status !== 'input_required') return;
  const again = outstanding(run.program, run.state).find(
    (command) => command.type === 'RUN_ACTIVITY' && command.activityId === activityId,
  );
  if (again !== undefined) carryOut(host, run, again, 'inherited');
}

function event<T extends EventType>(host: EffectsHost, type: T, data: EventData<T>): EngineEvent {
  return { type, at: host.deps.clock.now(), data } as unknown as EngineEvent;
}

async function runActivity(
  host: EffectsHost,
  run: ResidentRun,
  command: RunActivity,
  eager: EagerCall | undefined,
  inherited: boolean,
): Promise<void> {
  const { activityId, attempt, started } = command;
  if (started && !started.retrySafe) {
    await host.deliver(run, event(host, 'ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId, attempt }));
    return;
  }
  if (run.gone) return;
  // One that counts as begun is made by a process that is to stop, too.
  if (eager === undefined && host.isDraining) return;
  // The run may have moved on while the call waited for a slot, or its start for the commit: it is not known here yet, so
  // nobody could abort it.
  const fate = wantedStill(run, command);
  if (fate === 'over') return;
  if (fate === 'cancelled' && !inherited && !isDoubtful(run, command)) {
    await host.deliver(run, event(host, 'ACTIVITY_TASK_CANCELED', { activityId, attempt }));
    return;
  }
  const abort = new CallAbort();
  if (fate === 'cancelled') abort.abort(ASKED_TO_STOP);
  run.activities.set(activityId, abort);
  try {
    await attemptActivity(host, run, command, abort, eager, inherited);
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
  inherited: boolean,
): Promise<void> {
  const { activityId, attempt } = command;
  const { organizationId, runId } = run.info;
  let retrySafe: boolean;
  // A task that is followed is the server's: nothing is made that could be made twice.
  const followsTask = command.resume?.input.taskId !== undefined;
  const beforeSending = async () => {
    // The process may be stopped while it connects: what counts is that the lease runs when the call leaves.
    await host.leases.confirmed();
    // A server that is asked to stop need not say how far it got, and this call cannot be made again to find out.
    if (!retrySafe && !followsTask) abort.hold();
    abort.isMade = true;
  };
  const place = eager?.place;
  const scope: ActivityScope = {
    ...{ organizationId, runId, subject: subjectOf(run.state), abort, beforeSending },
    ...(place === undefined ? {} : { place }),
  };
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
        // An owner before this one may have made it: what became of it is not known.
        ambiguous: inherited && isStopped(abort),
      }),
    );
    return;
  }
  if (!retrySafe && eager === undefined && !command.started && !followsTask && !isStopped(abort)) {
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
  if (command.target.kind === 'function') abort.isMade = true;
  const called =
    command.target.kind === 'mcp' ? { ...scope, dialogue: callDialogue(host, run, command, abort) } : scope;
  let outcome: AttemptOutcome =
    isStopped(abort) && !followsTask
      ? NOT_MADE
      : await runTracedAttempt(tracing, run, activities, called, command);
  crashPoint('after-effect-before-append');
  if (run.gone) return;
  const stopped = isStopped(abort);
  if (stopped && outcome.kind === 'failed') {
    // Whether or not this attempt has left: the task is at the server, or an attempt or an owner before this one may have
    // made the call.
    const ambiguous =
      outcome.ambiguous || followsTask || isDoubtful(run, command) || (inherited && retrySafe);
    outcome = { ...outcome, ambiguous };
    // It may have to be undone, and that takes its result; repeated with the same key, it is what became of it.
    if (ambiguous && retrySafe && wantedStill(run, command) === 'cancelled') {
      outcome = await callForResult(host, run, scope, command);
      if (run.gone) return;
    }
  }
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
  if (ambiguous && (stopped || !retrySafe)) {
    // Nobody waits for a call that cannot be undone once it is cancelled: then this is one fact too many, and ignored.
    await host.deliver(run, event(host, 'ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId, attempt, failure }));
  } else if (stopped || (inputRequired !== undefined && wantedStill(run, command) === 'cancelled')) {
    // Nobody answers the questions of a call that is to stop, also while the request to stop is still being written.
    await host.deliver(run, event(host, 'ACTIVITY_TASK_CANCELED', { activityId, attempt }));
  } else if (inputRequired !== undefined) {
    await host.deliver(
      run,
      event(host, 'ACTIVITY_TASK_INPUT_REQUIRED', { activityId, attempt, input: inputRequired }),
    );
  } else {
    const facts = { activityId, attempt, failure, jitter: host.deps.random(), ambiguous, retrySafe };
    const when = retryAt === undefined ? {} : { retryAt };
    const type = failure.code === 'TIMEOUT' ? 'ACTIVITY_TASK_TIMED_OUT' : 'ACTIVITY_TASK_FAILED';
    await host.deliver(run, event(host, type, { ...facts, ...when }));
  }
}

/** What became of a call that was given up before it left. */
const NOT_MADE: AttemptOutcome = {
  kind: 'failed',
  failure: { code: 'CANCELLED', message: 'The call was cancelled before it was made.', retriable: false },
  ambiguous: false,
};

function isStopped({ reason }: CallAbort): boolean {
  return reason === CANCELLED || reason === ASKED_TO_STOP;
}

/** An attempt before this one may have taken effect. */
function isDoubtful({ state }: ResidentRun, { activityId }: RunActivity): boolean {
  return state !== null && findCall(state, activityId)?.call.doubtful === true;
}

/** Makes a call that was asked to stop once more, to its end, for its result. */
async function callForResult(
  host: EffectsHost,
  run: ResidentRun,
  { place: _used, ...scope }: ActivityScope,
  command: RunActivity,
): Promise<AttemptOutcome> {
  const { activityId } = command;
  const abort = new CallAbort();
  abort.isMade = true;
  run.activities.set(activityId, abort);
  try {
    const { tracing, activities } = host.deps;
    // What it was told before goes with it; there is nobody to ask for more.
    const { resume } = callDialogue(host, run, command, abort);
    const again = { ...scope, abort, ...(resume === undefined ? {} : { dialogue: { resume } }) };
    const outcome = await runTracedAttempt(tracing, run, activities, again, command);
    if (outcome.kind === 'completed') return outcome;
    // Only the tool's own word says that there is nothing to undo.
    const ambiguous =
      command.target.kind === 'mcp' ? outcome.failure.code !== 'TOOL_ERROR' : outcome.ambiguous;
    return { ...outcome, ambiguous };
  } finally {
    if (run.activities.get(activityId) === abort) run.activities.delete(activityId);
  }
}
