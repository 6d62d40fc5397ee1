import { scheduleCall } from '@/lib/engine/decide-call';
import { cancelScopes } from '@/lib/engine/decide-cancel';
import { toFailure } from '@/lib/engine/failure';
import { firstMismatch } from '@/lib/engine/json-schema';
import type { Program } from '@/lib/engine/program';
import { compiledOf, mustNode } from '@/lib/engine/state';
import type { Turn } from '@/lib/engine/turn';
import type { Closing } from '@/lib/engine/types';
import type { Failure } from '@/lib/protocol/run';
import type { Json, JsonObject } from '@/lib/shared/json';

/** The run will end this way: recorded, and everything open is given up. `advanceClosing` does the rest. */
export function beginClosing(
  turn: Turn,
  closing: Pick<Closing, 'status' | 'failure' | 'reason' | 'output' | 'input' | 'compensate'>,
): void {
  const { state } = turn;
  if (state.closing !== undefined || state.closedAt !== undefined) return;
  turn.emit('RUN_CLOSING', {
    status: closing.status,
    compensate: closing.compensate,
    ...(closing.failure === undefined ? {} : { failure: closing.failure }),
    ...(closing.reason === undefined ? {} : { reason: closing.reason }),
    ...(closing.output === undefined ? {} : { output: closing.output }),
    ...(closing.input === undefined ? {} : { input: closing.input }),
  });
  cancelScopes(turn, [''], closing.reason ?? closing.failure?.message);
  for (const timer of [...state.timers.values()]) {
    if (timer.purpose !== 'workflow-timeout') continue;
    turn.emit('TIMER_CANCELED', { timerId: timer.timerId });
    turn.command({ type: 'CANCEL_TIMER', timerId: timer.timerId });
  }
}

/** Goes on with the end of the run: awaits what was cancelled, undoes what must be undone, one by one, then closes. */
export function advanceClosing(turn: Turn): void {
  const { state } = turn;
  const { closing } = state;
  if (closing === undefined || state.closedAt !== undefined) return;
  if (closing.compensate) {
    if (state.draining > 0) return;
    if (closing.queue === undefined && state.undo.length > 0) {
      turn.emit('COMPENSATION_STARTED', { nodePaths: [...state.undo].reverse() });
    }
    if (closing.queue !== undefined && !compensateNext(turn, closing)) return;
  }
  finish(turn, closing);
}

/** True when every compensation has ended. */
function compensateNext(turn: Turn, closing: Closing): boolean {
  const queue = closing.queue ?? [];
  while (closing.next < queue.length) {
    const node = mustNode(turn.state, queue[closing.next] as string);
    if (node.compensation !== undefined) return false;
    const settings = compiledOf(turn.program, node).compensate;
    if (settings === undefined) {
      turn.emit('COMPENSATION_FAILED', {
        nodePath: node.path,
        failure: { code: 'INTERNAL', message: 'The definition has no compensation here.' },
      });
      continue;
    }
    let input: Json;
    try {
      input = settings.input.fill(turn.lookup(node), turn.at);
    } catch (error) {
      turn.emit('COMPENSATION_FAILED', { nodePath: node.path, failure: toFailure(error, node.path) });
      continue;
    }
    scheduleCall(turn, node, 'compensate', 1, input);
    return false;
  }
  turn.emit('COMPENSATION_COMPLETED', { compensated: closing.compensated, failed: closing.failed });
  return true;
}

const UNKNOWN_FAILURE: Failure = { code: 'INTERNAL', message: 'The run failed.' };

function finish(turn: Turn, closing: Closing): void {
  const failure = withCompensation(closing);
  switch (closing.status) {
    case 'completed':
      closeCompleted(turn, closing.output ?? null);
      return;
    case 'failed':
      turn.emit('WORKFLOW_EXECUTION_FAILED', { failure });
      break;
    case 'timed_out':
      turn.emit('WORKFLOW_EXECUTION_TIMED_OUT', { failure });
      break;
    case 'cancelled':
      turn.emit(
        'WORKFLOW_EXECUTION_CANCELED',
        closing.reason === undefined ? {} : { reason: closing.reason },
      );
      break;
    case 'continued_as_new':
      continueAsNew(turn, closing.input ?? null);
      return;
  }
  turn.command({
    type: 'CLOSE_RUN',
    status: turn.state.status,
    ...(turn.state.failure === undefined ? {} : { failure: turn.state.failure }),
  });
  startFailureWorkflow(turn, closing, failure);
}

/** The failure of the run, saying also how compensation went. */
function withCompensation(closing: Closing): Failure {
  const failure = closing.failure ?? UNKNOWN_FAILURE;
  if (closing.failed === 0) return failure;
  return {
    ...failure,
    message: `${failure.message} Also, ${closing.failed} of ${closing.queue?.length ?? 0} compensations failed.`,
  };
}

/** What the definition's output schema says about a result of the run; null when it fits. */
export function checkOutput(program: Program, output: Json): Failure | null {
  const schema = program.definition.outputSchema;
  const problem = schema === undefined ? null : firstMismatch(schema as JsonObject, output);
  if (problem === null) return null;
  return {
    code: 'INVALID_WORKFLOW_OUTPUT',
    message: `The output does not match the output schema: ${problem.pointer || '/'} ${problem.message}.`,
  };
}

/** The run completes with an output. */
export function closeCompleted(turn: Turn, output: Json): void {
  turn.emit('WORKFLOW_EXECUTION_COMPLETED', { output });
  turn.command({ type: 'CLOSE_RUN', status: 'completed', output });
}

function continueAsNew(turn: Turn, input: Json): void {
  const { workflow, version, workflowId } = turn.state;
  turn.emit('WORKFLOW_EXECUTION_CONTINUED_AS_NEW', { workflow, input });
  turn.command({ type: 'CLOSE_RUN', status: 'continued_as_new' });
  turn.command({ type: 'START_WORKFLOW', purpose: 'continue-as-new', workflow, version, workflowId, input });
}

function startFailureWorkflow(turn: Turn, closing: Closing, failure: Failure): void {
  const { failureWorkflow } = turn.program.definition;
  if (failureWorkflow === undefined || (closing.status !== 'failed' && closing.status !== 'timed_out'))
    return;
  const { runId, workflowId, workflow, version, input } = turn.state;
  turn.command({
    type: 'START_WORKFLOW',
    purpose: 'failure-workflow',
    workflow: failureWorkflow,
    workflowId: `${workflowId}/failure/${runId}`,
    input: {
      runId,
      workflowId,
      workflow,
      version,
      status: closing.status,
      failure: failure as unknown as Json,
      input,
    },
  });
}
