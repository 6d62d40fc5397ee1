import type { Appliers } from '@/lib/engine/apply-run';
import type { Program } from '@/lib/engine/program';
import {
  begin,
  compiledOf,
  enqueue,
  findCall,
  mustNode,
  pokeClose,
  propagate,
  scopeOf,
} from '@/lib/engine/state';
import type { CallState, NodeState, PendingFailure, RunState } from '@/lib/engine/types';
import type { ACTIVITY_EVENTS } from '@/lib/protocol/events-activity';
import type { Usage } from '@/lib/protocol/events-common';
import type { AnsweredRound } from '@/lib/protocol/input-required';
import type { Failure } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';

/** A forward call is over with a result: the node is completed, whether or not it was being cancelled. */
function completed(
  program: Program,
  state: RunState,
  node: NodeState,
  call: CallState,
  output: Json,
  at: number,
): void {
  call.status = 'closed';
  call.pending = undefined;
  node.status = 'completed';
  // A result that came in after all settles what was unknown.
  node.failure = undefined;
  node.output = output;
  node.endedAt = at;
  state.agenda.delete(node.path);
  if (compiledOf(program, node).compensate !== undefined) state.undo.push(node.path);
  if (call.cancelRequested) drained(state);
  else propagate(program, state, node, { kind: 'completed' });
}

/** A cancelled call has answered. */
function drained(state: RunState): void {
  state.draining--;
  pokeClose(state);
}

function compensated(state: RunState, node: NodeState, call: CallState): void {
  call.status = 'closed';
  call.pending = undefined;
  node.status = 'compensated';
  state.agenda.delete(node.path);
  if (state.closing !== undefined) {
    state.closing.next++;
    state.closing.compensated++;
  }
  pokeClose(state);
}

function failed(state: RunState, activityId: string, pending: PendingFailure): void {
  const found = findCall(state, activityId);
  if (found === null) return;
  const { call } = found;
  call.pending = pending;
  withdrawQuestion(call);
  const { code } = pending.failure;
  // Only the tool's own word settles what an attempt before this one left open.
  call.doubtful = pending.ambiguous || (call.doubtful === true && code !== 'TOOL_ERROR');
  // Only when the way to the server failed the next attempt goes on where this one was.
  if (!UNREACHED.has(code)) call.remoteTask = undefined;
  if (code === 'TASK_LOST') call.resume = withoutTask(call.resume);
  else if (!UNREACHED.has(code) && code !== 'TIMEOUT') call.resume = undefined;
  enqueue(state, found.node.path, 'attempt-failed');
}

const UNREACHED = new Set(['NETWORK_ERROR', 'CIRCUIT_OPEN', 'SERVER_START_FAILED']);

/** The call is over without an answer to its open question; what it was answered before is kept for the next one. */
function withdrawQuestion(call: CallState): void {
  call.question = undefined;
  const last = call.earlier?.at(-1);
  if (last !== undefined) call.resume = { ...last, earlier: call.earlier?.slice(0, -1) ?? [] };
  call.earlier = undefined;
}

/** Answers kept for a call that is made anew: those of an open call. A round of its own belonged to what is gone. */
function withoutTask(resume: CallState['resume']): CallState['resume'] {
  if (resume === undefined || resume.input.durable) return undefined;
  const { taskId: _gone, ...input } = resume.input;
  return { ...resume, input };
}

/** Every question of an open call that was answered, in order. */
function answeredSoFar({ resume }: CallState): AnsweredRound[] | undefined {
  if (resume === undefined || resume.input.durable) return undefined;
  const { earlier = [], ...last } = resume;
  return [...earlier, last];
}

/** Adds up what calls cost. Failed calls count as errors of the server, except for the tool's own verdict. */
function count(
  program: Program,
  state: RunState,
  activityId: string,
  at: number,
  usage: Usage | undefined,
  failure: Failure | null,
): void {
  const found = findCall(state, activityId);
  if (found === null || failure?.code === 'CIRCUIT_OPEN') return;
  const total = state.usage;
  const error = failure === null ? 0 : 1;
  const ms = usage?.durationMs ?? 0;
  total.calls++;
  total.errors += error;
  total.totalMs += ms;
  total.bytesIn += usage?.bytesIn ?? 0;
  total.bytesOut += usage?.bytesOut ?? 0;
  total.tokens += usage?.tokens ?? 0;
  total.costUsd += usage?.costUsd ?? 0;
  const compiled = compiledOf(program, found.node);
  const target = (found.purpose === 'do' ? compiled.call : compiled.compensate)?.target;
  if (target?.kind !== 'mcp') return;
  let server = total.servers.get(target.server);
  if (server === undefined) {
    server = { calls: 0, errors: 0, totalMs: 0, lastCallAt: at };
    total.servers.set(target.server, server);
  }
  server.calls++;
  server.errors += error;
  server.totalMs += ms;
  server.lastCallAt = at;
}

function childSettled(state: RunState, path: string, settled: NodeState['settled']): void {
  const node = mustNode(state, path);
  if (node.child !== undefined) node.child.open = false;
  if (node.settled !== undefined) return;
  node.settled = settled;
  enqueue(state, path, 'settled');
}

const childFailure = (path: string, message: string, cause?: Failure): Failure => ({
  code: 'CHILD_FAILED',
  message: cause === undefined ? message : `${message} ${cause.message}`,
  nodePath: path,
  ...(cause === undefined ? {} : { details: { code: cause.code, message: cause.message } }),
});

/** Folds of the events about calls and children. */
export const APPLY_ACTIVITY: Appliers<keyof typeof ACTIVITY_EVENTS> = {
  ACTIVITY_TASK_SCHEDULED: (_program, state, { at, data }) => {
    const node = mustNode(state, data.nodePath);
    const before = data.purpose === 'do' ? node.call : node.compensation;
    const call: CallState = {
      status: 'scheduled',
      attempt: data.attempt,
      input: (data.input ?? before?.input ?? null) as Json,
      started: data.resumed === 'answer' ? before?.started : undefined,
      pending: undefined,
      cancelRequested: before?.cancelRequested,
      ...(before?.resume === undefined ? {} : { resume: before.resume }),
      ...(before?.remoteTask === undefined ? {} : { remoteTask: before.remoteTask }),
      ...(before?.doubtful === undefined ? {} : { doubtful: before.doubtful }),
    };
    if (data.purpose === 'do') {
      node.call = call;
      begin(state, node, 'scheduled', at);
    } else {
      node.compensation = call;
      node.status = 'compensating';
      state.agenda.delete(node.path);
    }
  },
  ACTIVITY_TASK_STARTED: (_program, state, { data }) => {
    const found = findCall(state, data.activityId);
    if (found === null) return;
    found.call.status = 'started';
    found.call.started = { retrySafe: data.retrySafe };
    if (found.purpose === 'do') found.node.status = 'running';
  },
  ACTIVITY_TASK_COMPLETED: (program, state, { at, data }) => {
    count(program, state, data.activityId, at, data.usage, null);
    const found = findCall(state, data.activityId);
    if (found === null) return;
    if (found.purpose === 'do') completed(program, state, found.node, found.call, data.output as Json, at);
    else compensated(state, found.node, found.call);
  },
  ACTIVITY_TASK_FAILED: (program, state, { at, data }) => {
    count(program, state, data.activityId, at, data.usage, data.failure);
    failed(state, data.activityId, {
      failure: data.failure,
      jitter: data.jitter ?? 0.5,
      retryAt: data.retryAt,
      ambiguous: data.ambiguous ?? false,
      retrySafe: data.retrySafe,
    });
  },
  ACTIVITY_TASK_TIMED_OUT: (program, state, { at, data }) => {
    const failure = data.failure ?? { code: 'TIMEOUT', message: 'No answer within the timeout.' };
    count(program, state, data.activityId, at, data.usage, failure);
    failed(state, data.activityId, {
      failure,
      jitter: data.jitter ?? 0.5,
      retryAt: undefined,
      ambiguous: data.ambiguous ?? true,
      retrySafe: data.retrySafe,
    });
  },
  ACTIVITY_TASK_CANCEL_REQUESTED: (program, state, { data }) => {
    const found = findCall(state, data.activityId);
    if (found === null) return;
    found.call.cancelRequested = true;
    state.draining++;
    // A call that is to stop does not go on with its answers.
    if (state.agenda.get(found.node.path) === 'resume') state.agenda.delete(found.node.path);
    propagate(program, state, found.node, { kind: 'dead' });
  },
  ACTIVITY_TASK_CANCELED: (program, state, { at, data }) => {
    const found = findCall(state, data.activityId);
    if (found === null) return;
    found.call.status = 'closed';
    found.call.pending = undefined;
    state.agenda.delete(found.node.path);
    found.node.status = 'cancelled';
    found.node.endedAt = at;
    if (found.call.cancelRequested) drained(state);
    else if (!scopeOf(state, found.node).closed) propagate(program, state, found.node, { kind: 'dead' });
  },
  ACTIVITY_TASK_OUTCOME_UNKNOWN: (_program, state, { data }) => {
    const found = findCall(state, data.activityId);
    if (found === null) return;
    found.call.status = 'unknown_outcome';
    found.call.doubtful = true;
    found.call.pending = undefined;
    withdrawQuestion(found.call);
    found.call.remoteTask = undefined;
    found.call.resume = withoutTask(found.call.resume);
    found.node.status = 'unknown_outcome';
    found.node.failure = data.failure ?? {
      code: 'UNKNOWN_OUTCOME',
      message: 'Nobody knows whether the call took effect.',
    };
    state.agenda.delete(found.node.path);
  },
  ACTIVITY_TASK_INPUT_REQUIRED: (_program, state, { data }) => {
    const found = findCall(state, data.activityId);
    if (found === null) return;
    const { call, node } = found;
    call.status = 'input_required';
    call.question = data.input;
    call.earlier = data.input.durable ? undefined : answeredSoFar(call);
    call.resume = undefined;
    if (data.input.taskId !== undefined) call.remoteTask = data.input.taskId;
    if (found.purpose === 'do') node.status = 'waiting';
  },
  ACTIVITY_TASK_INPUT_PROVIDED: (_program, state, { data }) => {
    const found = findCall(state, data.activityId);
    if (found?.call.question === undefined) return;
    const { question, earlier } = found.call;
    found.call.resume = {
      input: question,
      answers: data.answers,
      ...(earlier === undefined ? {} : { earlier }),
    };
    found.call.question = undefined;
    found.call.earlier = undefined;
    enqueue(state, found.node.path, 'resume');
  },
  ACTIVITY_TASK_REMOTE_TASK: (_program, state, { data }) => {
    const found = findCall(state, data.activityId);
    if (found === null) return;
    found.call.remoteTask = data.taskId;
    found.call.resume = undefined;
  },
  OUTCOME_RESOLVED: (program, state, { at, data }) => {
    const found = findCall(state, data.activityId);
    if (found === null) return;
    const { node, call, purpose } = found;
    const failure = node.failure;
    node.failure = undefined;
    if (data.resolution === 'completed') {
      if (purpose === 'do') completed(program, state, node, call, (data.output ?? null) as Json, at);
      else compensated(state, node, call);
      return;
    }
    if (purpose === 'compensate') node.status = 'compensating';
    if (data.resolution === 'retry' && !call.cancelRequested) {
      call.status = 'backing_off';
      if (purpose === 'do') node.status = 'backing_off';
      enqueue(state, node.path, 'retry');
      return;
    }
    const message =
      failure === undefined
        ? 'The outcome of the call was judged a failure.'
        : `Judged a failure: ${failure.message}`;
    call.status = 'started';
    call.doubtful = false;
    call.pending = {
      failure: { code: 'UNKNOWN_OUTCOME', message, retriable: false },
      jitter: 0.5,
      retryAt: undefined,
      ambiguous: false,
      retrySafe: undefined,
    };
    enqueue(state, node.path, 'attempt-failed');
  },
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: (_program, state, { at, data }) => {
    const node = mustNode(state, data.nodePath);
    begin(state, node, 'running', at);
    node.child = {
      childWorkflowId: data.childWorkflowId,
      childRunId: undefined,
      workflow: data.workflow,
      version: data.version,
      input: data.input as Json,
      parentClosePolicy: data.parentClosePolicy,
      open: true,
    };
  },
  CHILD_WORKFLOW_EXECUTION_STARTED: (_program, state, { data }) => {
    const node = mustNode(state, data.nodePath);
    if (node.child !== undefined) node.child.childRunId = data.childRunId;
  },
  CHILD_WORKFLOW_EXECUTION_COMPLETED: (_program, state, { data }) =>
    childSettled(state, data.nodePath, { output: data.output as Json }),
  START_CHILD_WORKFLOW_EXECUTION_FAILED: (_program, state, { data }) =>
    childSettled(state, data.nodePath, {
      failure: childFailure(data.nodePath, 'The child could not be started.', data.failure),
    }),
  CHILD_WORKFLOW_EXECUTION_FAILED: (_program, state, { data }) =>
    childSettled(state, data.nodePath, {
      failure: childFailure(data.nodePath, 'The child failed.', data.failure),
    }),
  CHILD_WORKFLOW_EXECUTION_CANCELED: (_program, state, { data }) =>
    childSettled(state, data.nodePath, {
      failure: childFailure(data.nodePath, `The child was cancelled. ${data.reason ?? ''}`.trim()),
    }),
  CHILD_WORKFLOW_EXECUTION_TIMED_OUT: (_program, state, { data }) =>
    childSettled(state, data.nodePath, {
      failure: childFailure(data.nodePath, 'The child timed out.', data.failure),
    }),
  CHILD_WORKFLOW_EXECUTION_TERMINATED: (_program, state, { data }) =>
    childSettled(state, data.nodePath, {
      failure: childFailure(data.nodePath, `The child was terminated. ${data.reason ?? ''}`.trim()),
    }),
};
