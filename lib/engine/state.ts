import type { CompiledNode, Program } from '@/lib/engine/program';
import type { AgendaKind, CallState, NodeState, RunState, ScopeState } from '@/lib/engine/types';
import type { NodeStatus } from '@/lib/protocol/run';
import type { JsonObject } from '@/lib/shared/json';

/** Path of a node in a scope: `loop/3` + `extract` → `loop/3/extract`. */
export function joinPath(scope: string, id: string | number): string {
  return scope === '' ? String(id) : `${scope}/${id}`;
}

/** Agenda key of a scope. */
export function scopeKey(path: string): string {
  return `${path}#`;
}

/** Puts something on the agenda. A node that is settled stays settled: what comes later does not matter any more. */
export function enqueue(state: RunState, key: string, kind: AgendaKind): void {
  const present = state.agenda.get(key);
  if (present === 'settled' || present === 'approval') return;
  // Moved to the end, so that a pass over the agenda that is under way comes to it again.
  if (present !== undefined) state.agenda.delete(key);
  state.agenda.set(key, kind);
}

/** Puts `#close` at the end of the agenda: something happened that the end of the run waits for. */
export function pokeClose(state: RunState): void {
  if (state.closing === undefined) return;
  state.agenda.delete('#close');
  state.agenda.set('#close', 'close');
}

/** The node's state; made on first use. */
export function nodeIn(state: RunState, scope: ScopeState, id: string): NodeState {
  const path = joinPath(scope.path, id);
  let node = state.nodes.get(path);
  if (node === undefined) {
    node = {
      path,
      id,
      scope: scope.path,
      status: 'pending',
      order: 0,
      settledIn: 0,
      takenIn: 0,
      failedIn: 0,
    };
    state.nodes.set(path, node);
  }
  return node;
}

/** The node of a path that must exist. */
export function mustNode(state: RunState, path: string): NodeState {
  const node = state.nodes.get(path);
  if (node === undefined) throw new Error(`No node ${path} in run ${state.runId}.`);
  return node;
}

/** The scope that a node lies in. */
export function scopeOf(state: RunState, node: NodeState): ScopeState {
  const scope = state.scopes.get(node.scope);
  if (scope === undefined) throw new Error(`No scope ${node.scope} in run ${state.runId}.`);
  return scope;
}

/** The node's place in the program. */
export function compiledOf(program: Program, node: NodeState): CompiledNode {
  const compiled = program.nodes.get(node.id);
  if (compiled === undefined) throw new Error(`The definition has no node ${node.id}.`);
  return compiled;
}

/** Marks a node as begun: first time only, its place in the order and its start are noted. */
export function begin(state: RunState, node: NodeState, status: NodeStatus, at: number): void {
  if (node.order === 0) node.order = ++state.begun;
  node.startedAt ??= at;
  node.status = status;
  state.agenda.delete(node.path);
}

/** Opens a graph instance: its roots go on the agenda. */
export function openScope(
  program: Program,
  state: RunState,
  scope: Pick<ScopeState, 'path' | 'graph' | 'owner' | 'parent' | 'index'> & {
    vars?: JsonObject | undefined;
  },
): void {
  const graph = program.graphs.get(scope.graph);
  if (graph === undefined) throw new Error(`The definition has no graph ${scope.graph}.`);
  const opened: ScopeState = { ...scope, remaining: graph.nodes.length, active: new Set(), closed: false };
  state.scopes.set(scope.path, opened);
  if (scope.owner !== null) state.nodes.get(scope.owner)?.progress?.openScopes.add(scope.path);
  for (const root of graph.roots) {
    const node = nodeIn(state, opened, root.id);
    opened.active.add(node.path);
    enqueue(state, node.path, 'start');
  }
}

/** How a node ended, as its outgoing edges see it. */
export interface Outcome {
  kind: 'completed' | 'failed' | 'dead';
  port?: string | undefined;
}

/**
 * A node is settled: its edges are taken or die, the nodes behind them may become ready, and the scope may be done.
 * The verdicts here only fill the agenda; what really happens next is decided, and recorded, by events.
 */
export function propagate(program: Program, state: RunState, node: NodeState, outcome: Outcome): void {
  const scope = scopeOf(state, node);
  scope.active.delete(node.path);
  if (scope.closed) return;
  const compiled = compiledOf(program, node);
  const goesOn =
    outcome.kind === 'completed' || (outcome.kind === 'failed' && compiled.node.onError === 'continue');
  for (const edge of compiled.outgoing) {
    const target = nodeIn(state, scope, edge.to.id);
    if (target.status !== 'pending') continue;
    let taken: boolean;
    if (edge.to.join === 'on-failure' && edge.port === undefined) taken = outcome.kind === 'failed';
    else if (edge.port === 'error') taken = outcome.kind === 'failed';
    else if (edge.port !== undefined) taken = outcome.kind === 'completed' && outcome.port === edge.port;
    else taken = goesOn && (outcome.port === undefined || compiled.kind === 'condition');
    target.settledIn++;
    if (taken) {
      target.takenIn++;
      target.firstFrom ??= node.path;
    } else if (outcome.kind === 'failed') target.failedIn++;
    judge(state, scope, edge.to, target);
  }
  scope.remaining--;
  if (scope.remaining === 0) enqueue(state, scopeKey(scope.path), 'scope-done');
}

/** Puts a node on the agenda when its join has enough to decide. */
function judge(state: RunState, scope: ScopeState, compiled: CompiledNode, node: NodeState): void {
  const verdict = joinVerdict(compiled, node.settledIn, node.takenIn, node.failedIn);
  if (verdict === null) return;
  scope.active.add(node.path);
  enqueue(state, node.path, verdict);
}

/** What the join says about these numbers; null = not yet. */
export function joinVerdict(
  compiled: CompiledNode,
  settled: number,
  taken: number,
  failed: number,
): 'start' | 'skip' | 'join-failed' | null {
  const needed =
    compiled.join === 'any' ? 1 : typeof compiled.join === 'object' ? compiled.join.atLeast : null;
  const done = settled >= compiled.incoming.length;
  if (needed === null) return done ? (taken > 0 ? 'start' : 'skip') : null;
  if (taken >= needed) return 'start';
  if (!done) return null;
  return taken > 0 || failed > 0 ? 'join-failed' : 'skip';
}

/** Splits an activity id into node path and purpose; null when it is none of ours. */
export function parseActivityId(activityId: string): { path: string; purpose: 'do' | 'compensate' } | null {
  const cut = activityId.lastIndexOf(':');
  const purpose = activityId.slice(cut + 1);
  if (cut <= 0 || (purpose !== 'do' && purpose !== 'compensate')) return null;
  return { path: activityId.slice(0, cut), purpose };
}

/** The call behind an activity id, with its node; null when there is none. */
export function findCall(
  state: RunState,
  activityId: string,
): { node: NodeState; call: CallState; purpose: 'do' | 'compensate' } | null {
  const parsed = parseActivityId(activityId);
  if (parsed === null) return null;
  const node = state.nodes.get(parsed.path);
  const call = parsed.purpose === 'do' ? node?.call : node?.compensation;
  return node === undefined || call === undefined ? null : { node, call, purpose: parsed.purpose };
}

/** True when the host has the call under way, so that it has to be told when it is given up. */
export function isUnderWay(call: CallState | undefined): boolean {
  if (call === undefined || call.pending !== undefined) return false;
  // A question of the 2025 era is asked inside the open call; after any other round nothing is under way.
  const asks = call.status === 'input_required' && (call.question ?? call.resume?.input)?.durable === false;
  return call.status === 'scheduled' || call.status === 'started' || asks;
}

/** The task of a server that a call waits for without being under way: its question is with a person. */
export function parkedTask(
  program: Program,
  node: NodeState,
  purpose: 'do' | 'compensate',
): { server: string; taskId: string } | undefined {
  const call = purpose === 'do' ? node.call : node.compensation;
  return call?.status === 'input_required' && !isUnderWay(call)
    ? serverTask(program, node, purpose)
    : undefined;
}

/** The task that a server made of a call, wherever the call stands. */
export function serverTask(
  program: Program,
  node: NodeState,
  purpose: 'do' | 'compensate',
): { server: string; taskId: string } | undefined {
  const call = purpose === 'do' ? node.call : node.compensation;
  if (call?.remoteTask === undefined) return undefined;
  const compiled = compiledOf(program, node);
  const target = (purpose === 'do' ? compiled.call : compiled.compensate)?.target;
  return target?.kind === 'mcp' ? { server: target.server, taskId: call.remoteTask } : undefined;
}

/** Statuses of a node that is over. */
export function isSettled(status: NodeStatus): boolean {
  return (
    status === 'completed' ||
    status === 'failed' ||
    status === 'skipped' ||
    status === 'cancelled' ||
    status === 'compensated' ||
    status === 'compensation_failed'
  );
}

/** A node no longer waits for its signal. */
export function leaveSignal(state: RunState, node: NodeState): void {
  if (node.signal === undefined) return;
  const waiters = state.signalWaiters.get(node.signal)?.filter((path) => path !== node.path);
  if (waiters === undefined) return;
  if (waiters.length === 0) state.signalWaiters.delete(node.signal);
  else state.signalWaiters.set(node.signal, waiters);
}
