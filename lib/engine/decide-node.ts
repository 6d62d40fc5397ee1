import { aggregate } from '@/lib/engine/aggregate';
import { requestApproval } from '@/lib/engine/decide-approval';
import { scheduleCall } from '@/lib/engine/decide-call';
import { cancelNodes } from '@/lib/engine/decide-cancel';
import { beginClosing, checkOutput } from '@/lib/engine/decide-close';
import { completeNode, failNode } from '@/lib/engine/decide-failure';
import { durationMs, momentMs } from '@/lib/engine/duration';
import { toJson } from '@/lib/engine/expression/values';
import { toFailure } from '@/lib/engine/failure';
import { hasFlag } from '@/lib/engine/flags';
import type { CompiledNode } from '@/lib/engine/program';
import { compiledOf, isSettled, joinPath } from '@/lib/engine/state';
import type { Turn } from '@/lib/engine/turn';
import type { NodeState } from '@/lib/engine/types';
import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';

/** A node's turn has come: it begins, or (control flow without waiting) it completes at once. */
export function startNode(turn: Turn, node: NodeState): void {
  const compiled = compiledOf(turn.program, node);
  const seed =
    turn.state.seeds !== undefined && Object.hasOwn(turn.state.seeds, node.path)
      ? turn.state.seeds[node.path]
      : undefined;
  if (seed !== undefined) {
    turn.emit('NODE_COMPLETED', {
      nodePath: node.path,
      output: seed.output,
      ...(seed.port === undefined ? {} : { port: seed.port }),
      seeded: true,
    });
    cancelRest(turn, node, compiled);
    return;
  }
  if (isNeedless(turn, node, compiled)) {
    cancelNodes(turn, [node], 'Enough results are there.');
    return;
  }
  try {
    startByKind(turn, node, compiled);
  } catch (error) {
    failNode(turn, node, toFailure(error, node.path));
  }
}

function startByKind(turn: Turn, node: NodeState, compiled: CompiledNode): void {
  switch (compiled.kind) {
    case 'mcp-server':
    case 'activity':
      startCall(turn, node, compiled);
      return;
    case 'transform':
      completeNode(turn, node, fill(turn, node, compiled.output));
      return;
    case 'condition':
      completeNode(turn, node, null, choosePort(turn, node, compiled));
      return;
    case 'aggregator':
      completeNode(
        turn,
        node,
        compiled.output === undefined ? aggregate(turn, node, compiled) : fill(turn, node, compiled.output),
      );
      cancelRest(turn, node, compiled);
      return;
    case 'wait':
      startWait(turn, node, compiled);
      return;
    case 'approval':
      requestApproval(turn, node, compiled, undefined);
      return;
    case 'subworkflow':
      startChild(turn, node, compiled);
      return;
    case 'terminate':
      terminate(turn, node, compiled);
      return;
    case 'loop':
      startLoop(turn, node, compiled);
      return;
    default:
      turn.emit('NODE_STARTED', { nodePath: node.path });
      startTimeout(turn, node, compiled);
  }
}

type Filled = { fill(lookup: ReturnType<Turn['lookup']>, now: number): Json };

function fill(turn: Turn, node: NodeState, template: Filled | undefined): Json {
  return template === undefined ? null : template.fill(turn.lookup(node), turn.at);
}

function startCall(turn: Turn, node: NodeState, compiled: CompiledNode): void {
  const approved = node.approval?.outcome === 'approved';
  // What was approved is what is called: the arguments are made once.
  const input = approved ? (node.approval?.subject ?? null) : fill(turn, node, compiled.call?.input);
  if (compiled.approval !== undefined && !approved) requestApproval(turn, node, compiled, input);
  else scheduleCall(turn, node, 'do', 1, input);
}

function choosePort(turn: Turn, node: NodeState, compiled: CompiledNode): string {
  const lookup = turn.lookup(node);
  for (const { port, when } of compiled.cases ?? []) {
    const answer = when.run(lookup, turn.at);
    if (answer === true) return port;
    if (answer !== false) {
      throw new AppError(
        'EXPRESSION_FAILED',
        `The condition of port ${port} gives neither true nor false: ${JSON.stringify(toJson(answer))}`,
      );
    }
  }
  return 'else';
}

/** With cancelRest, an aggregator that goes ahead gives up what runs for it alone. */
function cancelRest(turn: Turn, node: NodeState, compiled: CompiledNode): void {
  if (compiled.servedOnly === undefined || !hasFlag(turn.state, 'aggregator-cancel-rest')) return;
  const open: NodeState[] = [];
  const scope = turn.state.scopes.get(node.scope);
  for (const id of compiled.servedOnly) {
    const other = turn.state.nodes.get(joinPath(node.scope, id));
    if (other !== undefined && !isSettled(other.status) && scope?.active.has(other.path)) open.push(other);
  }
  cancelNodes(turn, open, `${node.id} has enough results.`);
}

/** True when all that the node would run for went ahead without it, and gave up the rest. */
function isNeedless(turn: Turn, node: NodeState, { servesOnly }: CompiledNode): boolean {
  if (servesOnly === undefined || !hasFlag(turn.state, 'aggregator-cancel-rest')) return false;
  return servesOnly.some((id) => turn.state.nodes.get(joinPath(node.scope, id))?.status === 'completed');
}

function startWait(turn: Turn, node: NodeState, compiled: CompiledNode): void {
  const { wait } = compiled;
  if (wait === undefined) return;
  const value = fill(turn, node, wait.value);
  if (wait.kind === 'signal') {
    if (typeof value !== 'string' || value === '')
      throw new AppError('EXPRESSION_FAILED', 'The name of the signal must be a text.');
    turn.emit('NODE_STARTED', { nodePath: node.path, signal: value });
    if (compiled.node.kind === 'wait' && compiled.node.timeout !== undefined && node.settled === undefined) {
      startTimer(turn, node, 'timeout', turn.at + durationMs(compiled.node.timeout));
    }
    return;
  }
  startTimer(
    turn,
    node,
    'wait',
    wait.kind === 'duration' ? turn.at + durationMs(value) : Math.max(momentMs(value), turn.at),
  );
}

/** Sets a timer that belongs to a node. */
export function startTimer(turn: Turn, node: NodeState, purpose: 'wait' | 'timeout', fireAt: number): void {
  const timerId = `${node.path}:${purpose}`;
  turn.emit('TIMER_STARTED', { timerId, purpose, nodePath: node.path, fireAt });
  turn.command({ type: 'START_TIMER', timerId, fireAt });
}

function startTimeout(turn: Turn, node: NodeState, compiled: CompiledNode): void {
  if (compiled.timeoutMs !== undefined) startTimer(turn, node, 'timeout', turn.at + compiled.timeoutMs);
}

function startChild(turn: Turn, node: NodeState, compiled: CompiledNode): void {
  if (compiled.node.kind !== 'subworkflow') return;
  const { workflow, version, parentClosePolicy = 'terminate' } = compiled.node;
  const input = fill(turn, node, compiled.input);
  const named = compiled.workflowId === undefined ? null : fill(turn, node, compiled.workflowId);
  const childWorkflowId =
    typeof named === 'string' && named !== '' ? named : `${turn.state.runId}/${node.path}`;
  const start = {
    nodePath: node.path,
    childWorkflowId,
    workflow,
    ...(version === undefined ? {} : { version }),
    input,
    parentClosePolicy,
  };
  turn.emit('START_CHILD_WORKFLOW_EXECUTION_INITIATED', start);
  turn.command({ type: 'START_CHILD', ...start });
  startTimeout(turn, node, compiled);
}

function terminate(turn: Turn, node: NodeState, compiled: CompiledNode): void {
  if (compiled.node.kind !== 'terminate') return;
  const { status = 'completed' } = compiled.node;
  const output = fill(turn, node, compiled.output);
  const text = fill(turn, node, compiled.message);
  const message =
    typeof text === 'string' && text !== '' ? text : `Ended by ${compiled.node.name ?? node.id}.`;
  const input =
    status === 'continue-as-new'
      ? compiled.input === undefined
        ? turn.state.input
        : fill(turn, node, compiled.input)
      : undefined;
  completeNode(turn, node, output);
  switch (status) {
    case 'completed': {
      const refused = checkOutput(turn.program, output);
      if (refused === null) beginClosing(turn, { status, output, compensate: false });
      else beginClosing(turn, { status: 'failed', failure: refused, compensate: true });
      return;
    }
    case 'failed':
      beginClosing(turn, {
        status,
        failure: { code: 'ACTIVITY_FAILED', message, nodePath: node.path },
        compensate: true,
      });
      return;
    case 'cancelled':
      beginClosing(turn, { status, reason: message, compensate: true });
      return;
    case 'continue-as-new':
      beginClosing(turn, { status: 'continued_as_new', input: input ?? null, compensate: false });
  }
}

const MAX_ITEMS = 10_000;

function startLoop(turn: Turn, node: NodeState, compiled: CompiledNode): void {
  if (compiled.node.kind !== 'loop') return;
  if (compiled.node.mode === 'for-each') {
    const source = compiled.items;
    const items =
      source === undefined
        ? []
        : 'run' in source
          ? toJson(source.run(turn.lookup(node), turn.at))
          : fill(turn, node, source);
    if (!Array.isArray(items)) throw new AppError('EXPRESSION_FAILED', 'The items of the loop are no list.');
    const bound = compiled.node.maxIterations ?? MAX_ITEMS;
    if (items.length > bound)
      throw new AppError('LOOP_LIMIT', `The loop has ${items.length} items; ${bound} are allowed.`);
    turn.emit('NODE_STARTED', { nodePath: node.path, items });
  } else turn.emit('NODE_STARTED', { nodePath: node.path });
  startTimeout(turn, node, compiled);
}
