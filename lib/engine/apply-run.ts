import { assertKnownFlags } from '@/lib/engine/flags';
import type { Program } from '@/lib/engine/program';
import { enqueue, isSettled, leaveSignal, mustNode, openScope, pokeClose } from '@/lib/engine/state';
import type { EngineEventOf, NodeState, RunState, StartedEvent } from '@/lib/engine/types';
import type { RUN_EVENTS } from '@/lib/protocol/events-run';
import type { RunStatus } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';

type RunEventType = Exclude<keyof typeof RUN_EVENTS, 'WORKFLOW_EXECUTION_STARTED'>;
export type Appliers<K extends keyof typeof import('@/lib/protocol/events').EVENT_CATALOGUE> = {
  [T in K]: (program: Program, state: RunState, event: EngineEventOf<T>) => void;
};

/** State of a run after its first event. Throws for behaviour flags this build does not know. */
export function initialState(program: Program, event: StartedEvent): RunState {
  const { data } = event;
  assertKnownFlags(data.flags);
  const state: RunState = {
    runId: data.runId,
    workflowId: data.workflowId,
    organizationId: data.organizationId,
    workflow: data.workflow,
    version: data.version,
    definitionHash: data.definitionHash,
    startedBy: data.startedBy,
    onBehalfOf: data.onBehalfOf,
    parent: data.parent,
    previousRunId: data.previousRunId,
    priority: data.priority,
    correlationId: data.correlationId,
    trace: data.trace,
    flags: data.flags,
    input: data.input as Json,
    seeds: data.seeds,
    status: 'running',
    paused: false,
    startedAt: event.at,
    closedAt: undefined,
    now: event.at,
    historyLength: 1,
    warned: false,
    output: undefined,
    failure: undefined,
    searchAttributes: {},
    begun: 0,
    nodes: new Map(),
    scopes: new Map(),
    timers: new Map(),
    signals: new Map(),
    signalIds: new Set(),
    signalWaiters: new Map(),
    undo: [],
    draining: 0,
    closing: undefined,
    agenda: new Map(),
    cancelReason: undefined,
    usage: {
      calls: 0,
      errors: 0,
      totalMs: 0,
      bytesIn: 0,
      bytesOut: 0,
      tokens: 0,
      costUsd: 0,
      servers: new Map(),
    },
  };
  openScope(program, state, { path: '', graph: '', owner: null, parent: null, index: 0 });
  return state;
}

/** The run is over: whatever was still open is given up. */
function close(state: RunState, status: RunStatus, at: number): void {
  state.status = status;
  state.paused = false;
  state.closedAt = at;
  state.agenda.clear();
  state.timers.clear();
  state.signalWaiters.clear();
  for (const node of state.nodes.values())
    if (node.status !== 'pending' && !isSettled(node.status)) giveUp(node, at);
}

function giveUp(node: NodeState, at: number): void {
  if (node.compensation !== undefined && node.compensation.status !== 'closed') {
    node.status = 'compensation_failed';
    node.compensation.status = 'closed';
    return;
  }
  node.status = 'cancelled';
  node.endedAt = at;
  if (node.call !== undefined) node.call.status = 'closed';
  if (node.approval !== undefined) node.approval.open = false;
  if (node.child !== undefined) node.child.open = false;
}

/** A timer has fired: what it means for its node. The node's own state decides whether it still matters. */
function timerFired(program: Program, state: RunState, event: EngineEventOf<'TIMER_FIRED'>): void {
  const timer = state.timers.get(event.data.timerId);
  if (timer === undefined) return;
  forgetTimer(state, event.data.timerId);
  if (timer.purpose === 'workflow-timeout') {
    enqueue(state, '#timeout', 'run-timeout');
    return;
  }
  const node = timer.nodePath === undefined ? undefined : state.nodes.get(timer.nodePath);
  if (node === undefined) return;
  if (timer.purpose === 'retry' || timer.purpose === 'circuit') {
    enqueue(state, node.path, 'retry');
    return;
  }
  if (timer.purpose === 'escalation') {
    if (!state.agenda.has(node.path)) enqueue(state, node.path, 'escalate');
    return;
  }
  if (node.settled !== undefined || state.agenda.get(node.path) === 'approval') return;
  node.settled = meaning(program, node, timer.purpose);
  leaveSignal(state, node);
  enqueue(state, node.path, 'settled');
}

function meaning(
  program: Program,
  node: NodeState,
  purpose: 'wait' | 'timeout' | 'deadline',
): NodeState['settled'] {
  if (purpose === 'wait') return { output: null };
  const compiled = program.nodes.get(node.id);
  if (compiled?.kind === 'wait' && compiled.outgoing.some((edge) => edge.port === 'timeout'))
    return { output: null, port: 'timeout' };
  const what =
    purpose === 'deadline' ? 'Nobody decided before the deadline.' : 'The time of the node was over.';
  return { failure: { code: 'TIMEOUT', message: what, nodePath: node.path } };
}

/** Drops a timer from the run and from its node. */
export function forgetTimer(state: RunState, timerId: string): void {
  const timer = state.timers.get(timerId);
  state.timers.delete(timerId);
  const node = timer?.nodePath === undefined ? undefined : state.nodes.get(timer.nodePath);
  if (node?.timers !== undefined) node.timers = node.timers.filter((id) => id !== timerId);
}

/** Folds of the events about the run as a whole. */
export const APPLY_RUN: Appliers<RunEventType> = {
  WORKFLOW_EXECUTION_COMPLETED: (_program, state, { at, data }) => {
    state.output = data.output as Json;
    close(state, 'completed', at);
  },
  WORKFLOW_EXECUTION_FAILED: (_program, state, { at, data }) => {
    state.failure = data.failure;
    close(state, 'failed', at);
  },
  WORKFLOW_EXECUTION_TIMED_OUT: (_program, state, { at, data }) => {
    state.failure = data.failure;
    close(state, 'timed_out', at);
  },
  WORKFLOW_EXECUTION_CANCELED: (_program, state, { at, data }) => {
    state.failure = { code: 'CANCELLED', message: data.reason ?? 'The run was cancelled.' };
    close(state, 'cancelled', at);
  },
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: (_program, state, { at }) => close(state, 'continued_as_new', at),
  WORKFLOW_EXECUTION_TERMINATED: (_program, state, { at, data }) => {
    state.failure = { code: 'CANCELLED', message: data.reason ?? 'The run was terminated.' };
    close(state, 'terminated', at);
  },
  WORKFLOW_EXECUTION_CANCEL_REQUESTED: (_program, state, { data }) => {
    state.paused = false;
    if (state.status === 'paused')
      state.status = state.closing?.queue === undefined ? 'running' : 'compensating';
    state.cancelReason = data.reason;
    enqueue(state, '#cancel', 'cancel-run');
  },
  WORKFLOW_EXECUTION_SIGNALED: (_program, state, { data }) => {
    if (data.signalId !== undefined) state.signalIds.add(data.signalId);
    const waiters = state.signalWaiters.get(data.name);
    const path = waiters?.shift();
    if (path === undefined) {
      const kept = state.signals.get(data.name);
      if (kept === undefined) state.signals.set(data.name, [data.payload as Json]);
      else kept.push(data.payload as Json);
      return;
    }
    if (waiters?.length === 0) state.signalWaiters.delete(data.name);
    mustNode(state, path).settled = { output: data.payload as Json };
    enqueue(state, path, 'settled');
  },
  WORKFLOW_EXECUTION_PAUSED: (_program, state) => {
    state.paused = true;
    state.status = 'paused';
  },
  WORKFLOW_EXECUTION_UNPAUSED: (_program, state) => {
    state.paused = false;
    state.status = state.closing?.queue === undefined ? 'running' : 'compensating';
  },
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: (_program, state, { data }) => {
    Object.assign(state.searchAttributes, data.attributes);
  },
  RUN_CLOSING: (_program, state, { data }) => {
    state.closing = {
      status: data.status,
      failure: data.failure,
      reason: data.reason,
      output: data.output as Json | undefined,
      input: data.input as Json | undefined,
      compensate: data.compensate,
      queue: undefined,
      next: 0,
      compensated: 0,
      failed: 0,
    };
    state.paused = false;
    state.status = 'running';
    state.agenda.delete('#cancel');
    state.agenda.delete('#timeout');
    state.agenda.delete(scopeKeyOfRoot);
    pokeClose(state);
  },
  HISTORY_SIZE_WARNED: (_program, state) => {
    state.warned = true;
  },
  COMPENSATION_STARTED: (_program, state, { data }) => {
    if (state.closing === undefined) return;
    state.closing.queue = data.nodePaths;
    state.status = 'compensating';
  },
  COMPENSATION_FAILED: (_program, state, { data }) => {
    const node = mustNode(state, data.nodePath);
    node.status = 'compensation_failed';
    node.failure = data.failure;
    if (node.compensation !== undefined) node.compensation.status = 'closed';
    state.agenda.delete(node.path);
    if (state.closing !== undefined) {
      state.closing.next++;
      state.closing.failed++;
    }
    pokeClose(state);
  },
  COMPENSATION_COMPLETED: () => {},
  TIMER_STARTED: (_program, state, { at, data }) => {
    state.timers.set(data.timerId, { ...data });
    const node = data.nodePath === undefined ? undefined : mustNode(state, data.nodePath);
    if (node === undefined) return;
    node.timers = [...(node.timers ?? []), data.timerId];
    if (data.purpose === 'wait') {
      if (node.order === 0) node.order = ++state.begun;
      node.startedAt ??= at;
      node.status = 'waiting';
      state.agenda.delete(node.path);
    } else if (data.purpose === 'retry' || data.purpose === 'circuit') {
      const call = data.activityId?.endsWith(':compensate') ? node.compensation : node.call;
      if (call !== undefined) {
        call.status = 'backing_off';
        call.pending = undefined;
        call.waitedForCircuit = data.purpose === 'circuit';
      }
      if (call === node.call) node.status = 'backing_off';
      state.agenda.delete(node.path);
    }
  },
  TIMER_FIRED: timerFired,
  TIMER_CANCELED: (_program, state, { data }) => forgetTimer(state, data.timerId),
};

const scopeKeyOfRoot = '#';
