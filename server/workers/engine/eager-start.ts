import type { Command, RunActivity } from '@/lib/engine/commands';
import { findCall } from '@/lib/engine/state';
import { step } from '@/lib/engine/step';
import type { EngineEvent, Transition } from '@/lib/engine/types';
import type { Clock } from '@/lib/shared/clock';
import type { CallPlace, McpFleet } from '@/server/ports/mcp-fleet';
import { mayRepeat } from '@/server/workers/engine/activities';
import type { ReadyQueue, Slot } from '@/server/workers/engine/ready-queue';
import { type ResidentRun, subjectOf } from '@/server/workers/engine/resident-run';

/** What is kept for a call that is on record as begun before it is made: its slot here, and its place at the server. */
export interface EagerCall {
  slot: Slot;
  place: CallPlace | undefined;
}

/** What an eager start needs of the host. */
interface EagerHost {
  readonly deps: {
    readonly activities: { readonly fleet: McpFleet };
    readonly clock: Clock;
    readonly process: { readonly id: string };
  };
  readonly ready: ReadyQueue;
  readonly isDraining: boolean;
}

/** What is kept for calls, by the commands that ask for them. */
export type KeptCalls = Map<Command, EagerCall>;

/** A transition with the starts of the calls that are begun at once; `kept` only when there are any. */
interface EagerStart {
  transition: Transition;
  kept: KeptCalls | undefined;
}

/**
 * Begins calls that must not be repeated in the very commit that schedules them: ACTIVITY_TASK_STARTED, which has to be
 * durable before such a call leaves, then costs no commit of its own. Only calls that nothing holds up are begun so, and what
 * they need is kept for them until the commit is known.
 */
export function startEagerly(host: EagerHost, run: ResidentRun, decided: Transition): EagerStart {
  let transition = decided;
  let kept: KeptCalls | undefined;
  const { state } = decided;
  if (host.isDraining || state.paused || state.closedAt !== undefined) return { transition, kept };
  try {
    for (const command of decided.commands) {
      if (command.type !== 'RUN_ACTIVITY' || !mayBegin(run, command)) continue;
      const call = keep(host, run.info.organizationId, subjectOf(state), command);
      if (call === null) continue;
      kept ??= new Map();
      kept.set(command, call);
      const begun = step(run.program, state, startedOf(host, command));
      transition = {
        state: begun.state,
        events: [...transition.events, ...begun.events],
        commands: [...transition.commands, ...begun.commands],
      };
    }
  } catch (error) {
    giveBack(kept);
    throw error;
  }
  return { transition, kept };
}

/** What is kept for the call of a command, which is about to be made. */
export function takeOut(kept: KeptCalls | undefined, command: Command): EagerCall | undefined {
  const call = kept?.get(command);
  kept?.delete(command);
  return call;
}

/** Gives back what is kept for calls that are not made after all. */
export function giveBack(kept: KeptCalls | undefined): void {
  if (kept === undefined) return;
  for (const { slot, place } of kept.values()) {
    place?.release();
    slot.release();
  }
}

/**
 * What became of a call between its command and now: it is still wanted, it is over (the run has moved on), or it was asked
 * to stop and somebody has to say what became of it.
 */
export function wantedStill(
  run: ResidentRun,
  { activityId, attempt }: RunActivity,
): 'wanted' | 'over' | 'cancelled' {
  const { state } = run;
  const call = state === null || state.closedAt !== undefined ? undefined : findCall(state, activityId)?.call;
  if (call === undefined || call.attempt !== attempt || call.pending !== undefined) return 'over';
  if (call.status !== 'scheduled' && call.status !== 'started' && call.status !== 'input_required')
    return 'over';
  return call.cancelRequested ? 'cancelled' : 'wanted';
}

/** Not for calls that go on: a task that is followed, an answer for a call that is open. */
function mayBegin(
  run: ResidentRun,
  { idempotent, target, started, resume, activityId }: RunActivity,
): boolean {
  if (idempotent ?? target.kind === 'function') return false;
  return started === undefined && resume?.input.taskId === undefined && !run.questions.has(activityId);
}

function keep(
  host: EagerHost,
  organizationId: string,
  subject: string | undefined,
  { idempotent, target }: RunActivity,
): EagerCall | null {
  const slot = host.ready.reserve(organizationId);
  if (slot === null) return null;
  if (target.kind === 'function') return { slot, place: undefined };
  const place = host.deps.activities.fleet.keepPlace(organizationId, target.server, target.tool, subject);
  if (place !== undefined && (idempotent === false || !mayRepeat(place.tool))) return { slot, place };
  place?.release();
  slot.release();
  return null;
}

function startedOf({ deps }: EagerHost, { activityId, attempt }: RunActivity): EngineEvent {
  return {
    type: 'ACTIVITY_TASK_STARTED',
    at: deps.clock.now(),
    data: { activityId, attempt, retrySafe: false, worker: deps.process.id },
  } as EngineEvent;
}
