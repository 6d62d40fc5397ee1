import { APPLY_ACTIVITY } from '@/lib/engine/apply-activity';
import { APPLY_NODE } from '@/lib/engine/apply-node';
import { APPLY_RUN, type Appliers, initialState } from '@/lib/engine/apply-run';
import type { Program } from '@/lib/engine/program';
import type { EngineEvent, EventType, RunState } from '@/lib/engine/types';

const APPLY: Appliers<Exclude<EventType, 'WORKFLOW_EXECUTION_STARTED'>> = {
  ...APPLY_RUN,
  ...APPLY_ACTIVITY,
  ...APPLY_NODE,
};

/**
 * Folds one event into the state: the ONLY thing that changes a run's state. It decides nothing, so that histories
 * written by other versions of the decisions fold the same. Reuses (mutates) the state passed in: callers go on with
 * the returned one only. Without a state the event must be WORKFLOW_EXECUTION_STARTED.
 */
export function apply(program: Program, state: RunState | undefined, event: EngineEvent): RunState {
  if (event.type === 'WORKFLOW_EXECUTION_STARTED') return initialState(program, event);
  if (state === undefined)
    throw new Error(`A history begins with WORKFLOW_EXECUTION_STARTED, not ${event.type}.`);
  (APPLY[event.type] as (program: Program, state: RunState, event: EngineEvent) => void)(
    program,
    state,
    event,
  );
  state.now = event.at;
  state.historyLength++;
  return state;
}

/** State of a run from its whole history (or any prefix of it). Never decides anything. */
export function replay(program: Program, events: Iterable<EngineEvent>): RunState {
  let state: RunState | undefined;
  for (const event of events) state = apply(program, state, event);
  if (state === undefined) throw new Error('A history has at least one event.');
  return state;
}
