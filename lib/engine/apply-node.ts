import type { Appliers } from '@/lib/engine/apply-run';
import type { Program } from '@/lib/engine/program';
import { progressVerdict } from '@/lib/engine/progress';
import {
  begin,
  compiledOf,
  enqueue,
  isSettled,
  joinPath,
  leaveSignal,
  mustNode,
  openScope,
  propagate,
  scopeKey,
  scopeOf,
} from '@/lib/engine/state';
import type { NodeState, ProgressState, RunState } from '@/lib/engine/types';
import type { NODE_EVENTS } from '@/lib/protocol/events-node';
import type { Failure } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';

function newProgress(items?: Json[]): ProgressState {
  return {
    items,
    started: 0,
    open: 0,
    completed: 0,
    failed: 0,
    results: [],
    failures: [],
    openScopes: new Set(),
  };
}

/** Opens the graphs inside a container: the sequence, or every branch. Loops open theirs one by one. */
function openBodies(program: Program, state: RunState, node: NodeState): void {
  const compiled = compiledOf(program, node);
  if (compiled.kind === 'sequential') {
    openScope(program, state, {
      path: node.path,
      graph: node.id,
      owner: node.path,
      parent: node.scope,
      index: 0,
    });
  } else if (compiled.node.kind === 'parallel' && node.progress !== undefined) {
    compiled.node.branches.forEach((branch, index) => {
      openScope(program, state, {
        path: joinPath(node.path, branch.id),
        graph: `${node.id}/${branch.id}`,
        owner: node.path,
        parent: node.scope,
        index,
      });
    });
    node.progress.started = compiled.graphs.length;
    node.progress.open = compiled.graphs.length;
  }
  advance(program, state, node);
}

/** Puts a container on the agenda when there is something to do for it. */
function advance(program: Program, state: RunState, node: NodeState): void {
  if (node.progress !== undefined && progressVerdict(compiledOf(program, node), node.progress) !== null)
    enqueue(state, node.path, 'advance');
}

function waitForSignal(state: RunState, node: NodeState, name: string): void {
  node.signal = name;
  node.status = 'waiting';
  const kept = state.signals.get(name);
  if (kept !== undefined) {
    node.settled = { output: kept.shift() ?? null };
    if (kept.length === 0) state.signals.delete(name);
    enqueue(state, node.path, 'settled');
    return;
  }
  const waiters = state.signalWaiters.get(name);
  if (waiters === undefined) state.signalWaiters.set(name, [node.path]);
  else waiters.push(node.path);
}

/** One part (iteration, branch) of a container has ended. */
function partEnded(
  program: Program,
  state: RunState,
  path: string,
  scopePath: string,
  index: number,
  result: Json | undefined,
  failure: Failure | null,
): void {
  const node = mustNode(state, path);
  const { progress } = node;
  if (progress === undefined) return;
  progress.open--;
  progress.results[index] = result;
  if (failure === null) progress.completed++;
  else {
    progress.failed++;
    progress.failures.push({ index, failure });
  }
  progress.openScopes.delete(scopePath);
  const scope = state.scopes.get(scopePath);
  if (scope !== undefined) {
    scope.closed = true;
    scope.failure = failure ?? undefined;
  }
  state.agenda.delete(scopeKey(scopePath));
  advance(program, state, node);
}

function branchIndex(program: Program, node: NodeState, branch: string): number {
  return compiledOf(program, node).graphs.indexOf(`${node.id}/${branch}`);
}

function over(state: RunState, node: NodeState, at: number): void {
  if (node.order === 0) node.order = ++state.begun;
  node.startedAt ??= at;
  node.endedAt = at;
  node.settled = undefined;
  leaveSignal(state, node);
  if (node.child !== undefined) node.child.open = false;
  state.agenda.delete(node.path);
}

/** Folds of the events about nodes that are not calls. */
export const APPLY_NODE: Appliers<keyof typeof NODE_EVENTS> = {
  NODE_STARTED: (program, state, { at, data }) => {
    const node = mustNode(state, data.nodePath);
    begin(state, node, 'running', at);
    if (data.signal !== undefined) {
      waitForSignal(state, node, data.signal);
      return;
    }
    node.progress = newProgress(data.items as Json[] | undefined);
    openBodies(program, state, node);
  },
  NODE_COMPLETED: (program, state, { at, data }) => {
    const node = mustNode(state, data.nodePath);
    over(state, node, at);
    node.status = 'completed';
    node.output = data.output as Json;
    node.port = data.port;
    if (data.seeded) node.seeded = true;
    state.agenda.delete(scopeKey(node.path));
    propagate(program, state, node, { kind: 'completed', port: data.port });
  },
  NODE_FAILED: (program, state, { at, data }) => {
    const node = mustNode(state, data.nodePath);
    over(state, node, at);
    node.status = 'failed';
    node.failure = data.failure;
    if (node.call !== undefined) {
      node.call.status = 'closed';
      node.call.pending = undefined;
    }
    const scope = scopeOf(state, node);
    if (data.handled) {
      propagate(program, state, node, { kind: 'failed' });
      return;
    }
    scope.active.delete(node.path);
    scope.failure = data.failure;
    enqueue(state, scopeKey(scope.path), 'scope-failed');
  },
  NODES_SKIPPED: (program, state, { at, data }) => {
    for (const path of data.nodePaths) {
      const node = mustNode(state, path);
      node.status = 'skipped';
      node.endedAt = at;
      if (node.order === 0) node.order = ++state.begun;
      state.agenda.delete(path);
      propagate(program, state, node, { kind: 'dead' });
    }
  },
  NODES_CANCELED: (program, state, { at, data }) => {
    for (const path of data.scopes) {
      const scope = state.scopes.get(path);
      if (scope === undefined) continue;
      scope.closed = true;
      scope.active.clear();
      state.agenda.delete(scopeKey(path));
      if (scope.owner !== null) state.nodes.get(scope.owner)?.progress?.openScopes.delete(path);
    }
    for (const path of data.nodePaths) {
      const node = mustNode(state, path);
      if (isSettled(node.status)) continue;
      over(state, node, at);
      node.status = 'cancelled';
      propagate(program, state, node, { kind: 'dead' });
    }
  },
  BRANCH_COMPLETED: (program, state, { data }) => {
    const node = mustNode(state, data.nodePath);
    partEnded(
      program,
      state,
      node.path,
      joinPath(node.path, data.branch),
      branchIndex(program, node, data.branch),
      data.output as Json,
      null,
    );
  },
  BRANCH_FAILED: (program, state, { data }) => {
    const node = mustNode(state, data.nodePath);
    partEnded(
      program,
      state,
      node.path,
      joinPath(node.path, data.branch),
      branchIndex(program, node, data.branch),
      undefined,
      data.failure,
    );
  },
  LOOP_ITERATION_STARTED: (program, state, { data }) => {
    const node = mustNode(state, data.nodePath);
    const { progress } = node;
    const loop = compiledOf(program, node).node;
    if (progress === undefined || loop.kind !== 'loop') return;
    state.agenda.delete(node.path);
    progress.started++;
    progress.open++;
    const index = loop.indexAs ?? 'index';
    const vars =
      loop.mode === 'for-each'
        ? { [loop.as ?? 'item']: progress.items?.[data.index] ?? null, [index]: data.index }
        : { last: progress.results[data.index - 1] ?? null, [index]: data.index };
    openScope(program, state, {
      path: joinPath(node.path, data.index),
      graph: node.id,
      owner: node.path,
      parent: node.scope,
      index: data.index,
      vars,
    });
    advance(program, state, node);
  },
  LOOP_ITERATION_COMPLETED: (program, state, { data }) =>
    partEnded(
      program,
      state,
      data.nodePath,
      joinPath(data.nodePath, data.index),
      data.index,
      data.output as Json,
      null,
    ),
  LOOP_ITERATION_FAILED: (program, state, { data }) =>
    partEnded(
      program,
      state,
      data.nodePath,
      joinPath(data.nodePath, data.index),
      data.index,
      undefined,
      data.failure,
    ),
  APPROVAL_REQUESTED: (_program, state, { at, data }) => {
    const node = mustNode(state, data.nodePath);
    begin(state, node, 'waiting', at);
    node.approval = {
      approvalId: data.approvalId,
      open: true,
      title: data.title,
      description: data.description,
      quorum: data.quorum,
      approvers: data.approvers,
      moreApprovers: undefined,
      form: data.form as { [key: string]: Json } | undefined,
      subject: data.subject as Json | undefined,
      deadline: data.deadline,
      decisions: [],
      outcome: undefined,
    };
  },
  APPROVAL_DECIDED: (_program, state, { at, data }) => {
    const node = mustNode(state, data.approvalId);
    const { approval } = node;
    if (approval === undefined) return;
    approval.decisions.push({
      by: data.by,
      decision: data.decision,
      comment: data.comment,
      form: data.form as Json | undefined,
      at,
    });
    const yes = approval.decisions.filter((item) => item.decision === 'approve').length;
    if (data.decision === 'reject' || yes >= approval.quorum) enqueue(state, node.path, 'approval');
  },
  APPROVAL_ESCALATED: (_program, state, { data }) => {
    const { approval } = mustNode(state, data.nodePath);
    if (approval !== undefined) approval.moreApprovers = data.approvers;
    state.agenda.delete(data.nodePath);
  },
  APPROVAL_CLOSED: (program, state, { data }) => {
    const node = mustNode(state, data.nodePath);
    if (node.approval === undefined) return;
    node.approval.open = false;
    node.approval.outcome = data.outcome;
    if (data.outcome === 'approved' && compiledOf(program, node).call !== undefined) {
      state.agenda.delete(node.path);
      enqueue(state, node.path, 'start');
    }
  },
};
