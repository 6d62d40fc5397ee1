import { admits } from '@/lib/engine/admit';
import { initialState } from '@/lib/engine/apply-run';
import { decide } from '@/lib/engine/decide';
import { beginClosing } from '@/lib/engine/decide-close';
import { toFailure } from '@/lib/engine/failure';
import { firstMismatch } from '@/lib/engine/json-schema';
import { lookupFor } from '@/lib/engine/lookup';
import type { Program } from '@/lib/engine/program';
import { isUnderWay, parkedTask } from '@/lib/engine/state';
import { Turn } from '@/lib/engine/turn';
import type { EngineEvent, RunState, StartedEvent, Transition } from '@/lib/engine/types';
import type { Failure } from '@/lib/protocol/run';
import type { Json, JsonObject } from '@/lib/shared/json';

export { apply, replay } from '@/lib/engine/apply';
export { outstanding } from '@/lib/engine/outstanding';

/** Begins a run: folds its first event and decides what follows. */
export function createRun(program: Program, started: StartedEvent): Transition {
  const state = initialState(program, started);
  const turn = new Turn(program, state, started.at);
  turn.events.push(started);
  const failure = prepare(turn);
  if (failure !== null) beginClosing(turn, { status: 'failed', failure, compensate: false });
  decide(turn);
  return { state, events: turn.events, commands: turn.collected() };
}

/**
 * Takes one event from outside and decides everything that follows from it. Pure in what it gives: same program, state
 * and event, same transition. The state passed in is reused (mutated), so callers go on with the returned one only.
 * An event that no longer fits (see `admits`) gives a transition without events. Cost depends on what the event touches,
 * not on the length of the history or the size of the graph.
 */
export function step(program: Program, state: RunState, event: EngineEvent): Transition {
  if (!admits(state, event)) return { state, events: [], commands: [] };
  const turn = new Turn(program, state, event.at);
  if (event.type === 'WORKFLOW_EXECUTION_TERMINATED') giveUpOutside(turn);
  turn.take(event);
  if (state.closedAt !== undefined) {
    turn.command({
      type: 'CLOSE_RUN',
      status: state.status,
      ...(state.failure === undefined ? {} : { failure: state.failure }),
    });
  } else decide(turn);
  return { state, events: turn.events, commands: turn.collected() };
}

/** What a definition's input schema says about an input; null when it fits. For the doors, before a run is started. */
export function checkInput(program: Program, input: Json): Failure | null {
  const schema = program.definition.input;
  const problem = schema === undefined ? null : firstMismatch(schema as JsonObject, input);
  if (problem === null) return null;
  return {
    code: 'INVALID_WORKFLOW_INPUT',
    message: `The input does not match the input schema: ${problem.pointer || '/'} ${problem.message}.`,
  };
}

function prepare(turn: Turn): Failure | null {
  const { program, state } = turn;
  const refused = checkInput(program, state.input);
  if (refused !== null) return refused;
  if (program.timeoutMs !== undefined) {
    const fireAt = turn.at + program.timeoutMs;
    turn.emit('TIMER_STARTED', { timerId: 'run:timeout', purpose: 'workflow-timeout', fireAt });
    turn.command({ type: 'START_TIMER', timerId: 'run:timeout', fireAt });
  }
  if (program.searchAttributes !== undefined) {
    try {
      const attributes = program.searchAttributes.fill(lookupFor(program, state, ''), turn.at) as JsonObject;
      turn.emit('UPSERT_WORKFLOW_SEARCH_ATTRIBUTES', { attributes });
    } catch (error) {
      return toFailure(error);
    }
  }
  return null;
}

/** A terminated run leaves nothing behind: calls, timers, approvals and children outside are told. */
function giveUpOutside(turn: Turn): void {
  const { state } = turn;
  for (const timerId of state.timers.keys()) turn.command({ type: 'CANCEL_TIMER', timerId });
  for (const node of state.nodes.values()) {
    for (const [purpose, call] of [
      ['do', node.call],
      ['compensate', node.compensation],
    ] as const) {
      const activityId = `${node.path}:${purpose}`;
      const task = parkedTask(turn.program, node, purpose);
      if (isUnderWay(call)) turn.command({ type: 'CANCEL_ACTIVITY', activityId });
      else if (task !== undefined) turn.command({ type: 'CANCEL_ACTIVITY', activityId, task });
    }
    if (node.approval?.open)
      turn.command({ type: 'CLOSE_APPROVAL', approvalId: node.approval.approvalId, outcome: 'cancelled' });
    const { child } = node;
    if (child?.open && child.parentClosePolicy !== 'abandon') {
      turn.command({
        type: child.parentClosePolicy === 'cancel' ? 'CANCEL_CHILD' : 'TERMINATE_CHILD',
        nodePath: node.path,
        childWorkflowId: child.childWorkflowId,
        ...(child.childRunId === undefined ? {} : { childRunId: child.childRunId }),
      });
    }
  }
}
