import { beginClosing, checkOutput, closeCompleted } from '@/lib/engine/decide-close';
import { branchId, completeNode, failNode, failScope } from '@/lib/engine/decide-failure';
import { toJson } from '@/lib/engine/expression/values';
import { toFailure } from '@/lib/engine/failure';
import { lookupFor } from '@/lib/engine/lookup';
import type { CompiledNode } from '@/lib/engine/program';
import { progressVerdict } from '@/lib/engine/progress';
import { compiledOf, joinPath, mustNode } from '@/lib/engine/state';
import type { Turn } from '@/lib/engine/turn';
import type { NodeState, ProgressState, ScopeState } from '@/lib/engine/types';
import { AppError } from '@/lib/protocol/errors';
import type { Failure } from '@/lib/protocol/run';
import type { Json, JsonObject } from '@/lib/shared/json';

/** Every node of a graph is settled: its result goes to the container, or ends the run. */
export function scopeDone(turn: Turn, scope: ScopeState): void {
  let output: Json;
  try {
    output = scopeOutput(turn, scope);
  } catch (error) {
    failScope(turn, scope, toFailure(error));
    return;
  }
  if (scope.owner === null) {
    completeRun(turn, output);
    return;
  }
  const owner = mustNode(turn.state, scope.owner);
  switch (compiledOf(turn.program, owner).kind) {
    case 'parallel':
      turn.emit('BRANCH_COMPLETED', { nodePath: owner.path, branch: branchId(owner, scope), output });
      return;
    case 'loop':
      turn.emit('LOOP_ITERATION_COMPLETED', { nodePath: owner.path, index: scope.index, output });
      return;
    default:
      completeNode(turn, owner, output);
  }
}

function completeRun(turn: Turn, output: Json): void {
  const refused = checkOutput(turn.program, output);
  if (refused !== null) {
    beginClosing(turn, { status: 'failed', failure: refused, compensate: true });
    return;
  }
  for (const timer of [...turn.state.timers.values()]) {
    turn.emit('TIMER_CANCELED', { timerId: timer.timerId });
    turn.command({ type: 'CANCEL_TIMER', timerId: timer.timerId });
  }
  closeCompleted(turn, output);
}

/** The template of the graph's owner, else the output of its one last node, else of all last nodes by id. */
function scopeOutput(turn: Turn, scope: ScopeState): Json {
  const graph = turn.program.graphs.get(scope.graph);
  if (graph === undefined) return null;
  const owner = graph.owner === null ? undefined : turn.program.nodes.get(graph.owner);
  const template = graph.owner === null ? turn.program.output : (graph.output ?? owner?.output);
  if (template !== undefined) return template.fill(lookupFor(turn.program, turn.state, scope.path), turn.at);
  const [only] = graph.sinks;
  const outputOf = (node: CompiledNode): Json =>
    turn.state.nodes.get(joinPath(scope.path, node.id))?.output ?? null;
  if (graph.sinks.length === 1 && only !== undefined) return outputOf(only);
  const out: JsonObject = {};
  for (const sink of graph.sinks) {
    if (turn.state.nodes.get(joinPath(scope.path, sink.id))?.status === 'completed')
      out[sink.id] = outputOf(sink);
  }
  return out;
}

/** Goes on with a parallel node or a loop. */
export function advance(turn: Turn, node: NodeState): void {
  const compiled = compiledOf(turn.program, node);
  const { progress } = node;
  if (progress === undefined) return;
  switch (progressVerdict(compiled, progress)) {
    case 'next':
      turn.emit('LOOP_ITERATION_STARTED', { nodePath: node.path, index: progress.started });
      return;
    case 'ask':
      askWhile(turn, node, compiled, progress);
      return;
    case 'complete':
      completeNode(turn, node, containerOutput(compiled, progress));
      return;
    case 'fail':
      failNode(turn, node, partFailure(compiled, progress));
      return;
    default:
  }
}

function partFailure(compiled: CompiledNode, progress: ProgressState): Failure {
  const first = progress.failures[0];
  const cause: Failure = first?.failure ?? {
    code: 'JOIN_UNSATISFIED',
    message: 'Too few branches were left.',
  };
  const part =
    compiled.node.kind === 'parallel'
      ? `Branch ${compiled.node.branches[first?.index ?? 0]?.id}`
      : `Iteration ${first?.index ?? 0}`;
  return { ...cause, message: `${part}: ${cause.message}` };
}

function containerOutput(compiled: CompiledNode, progress: ProgressState): Json {
  if (compiled.node.kind === 'parallel') {
    const out: JsonObject = {};
    compiled.node.branches.forEach((branch, i) => {
      const result = progress.results[i];
      if (result !== undefined) out[branch.id] = result;
    });
    return out;
  }
  return {
    count: progress.started,
    results: Array.from({ length: progress.started }, (_none, i) => progress.results[i] ?? null),
    failures: [...progress.failures]
      .sort((a, b) => a.index - b.index)
      .map(({ index, failure }) => ({ index, code: failure.code, message: failure.message })),
  };
}

function askWhile(turn: Turn, node: NodeState, compiled: CompiledNode, progress: ProgressState): void {
  if (compiled.node.kind !== 'loop' || compiled.while === undefined) return;
  const { maxIterations = 1, onBound = 'fail', indexAs = 'index' } = compiled.node;
  const last = progress.results[progress.started - 1] ?? null;
  const outer = turn.lookup(node);
  let again: boolean;
  try {
    const answer = compiled.while.run(
      (name) => (name === 'last' ? last : name === indexAs ? progress.started : outer(name)),
      turn.at,
    );
    if (typeof answer !== 'boolean') {
      throw new AppError(
        'EXPRESSION_FAILED',
        `The condition of the loop gives neither true nor false: ${JSON.stringify(toJson(answer))}`,
      );
    }
    again = answer;
  } catch (error) {
    failNode(turn, node, toFailure(error, node.path));
    return;
  }
  if (again && progress.started < maxIterations)
    turn.emit('LOOP_ITERATION_STARTED', { nodePath: node.path, index: progress.started });
  else if (again && onBound === 'fail') {
    failNode(turn, node, {
      code: 'LOOP_LIMIT',
      message: `The loop reached its bound of ${maxIterations} iterations.`,
      nodePath: node.path,
    });
  } else completeNode(turn, node, { count: progress.started, last });
}
