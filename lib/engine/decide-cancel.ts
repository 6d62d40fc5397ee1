import type { Command } from '@/lib/engine/commands';
import { hasFlag } from '@/lib/engine/flags';
import { compiledOf, isUnderWay, parkedTask, serverTask } from '@/lib/engine/state';
import type { Turn } from '@/lib/engine/turn';
import type { NodeState } from '@/lib/engine/types';

interface Harvest {
  scopes: string[];
  /** Nodes that end as cancelled at once. */
  nodes: NodeState[];
  /** Nodes with a call that is open. */
  calls: NodeState[];
}

/** Gives up whole graph instances with everything that goes on inside them. */
export function cancelScopes(turn: Turn, paths: readonly string[], reason?: string): void {
  const open = paths.filter((path) => turn.state.scopes.get(path)?.closed === false);
  if (open.length === 0) return;
  const harvest: Harvest = { scopes: [], nodes: [], calls: [] };
  for (const path of open) gatherScope(turn, path, harvest);
  giveUp(turn, harvest, reason);
}

/** Gives up single nodes; their graphs live on, and the edges behind them die. */
export function cancelNodes(turn: Turn, nodes: readonly NodeState[], reason?: string): void {
  if (nodes.length === 0) return;
  const harvest: Harvest = { scopes: [], nodes: [], calls: [] };
  for (const node of nodes) gatherNode(turn, node, harvest);
  giveUp(turn, harvest, reason);
}

function gatherScope(turn: Turn, path: string, harvest: Harvest): void {
  const scope = turn.state.scopes.get(path);
  if (scope === undefined || scope.closed) return;
  harvest.scopes.push(path);
  for (const nodePath of scope.active) {
    const node = turn.state.nodes.get(nodePath);
    if (node !== undefined) gatherNode(turn, node, harvest);
  }
}

function gatherNode(turn: Turn, node: NodeState, harvest: Harvest): void {
  for (const scope of node.progress?.openScopes ?? []) gatherScope(turn, scope, harvest);
  const { call } = node;
  if (call !== undefined && call.status !== 'closed' && call.status !== 'idle') {
    if (!call.cancelRequested) harvest.calls.push(node);
  } else harvest.nodes.push(node);
}

function giveUp(turn: Turn, harvest: Harvest, reason: string | undefined): void {
  const why = reason === undefined ? {} : { reason };
  const before = harvest.nodes.map((node): [NodeState, readonly string[], boolean, boolean] => [
    node,
    node.timers ?? [],
    node.approval?.open === true,
    node.child?.open === true,
  ]);
  if (harvest.nodes.length > 0 || harvest.scopes.length > 0) {
    turn.emit('NODES_CANCELED', {
      nodePaths: harvest.nodes.map((node) => node.path),
      scopes: harvest.scopes,
      ...why,
    });
  }
  for (const [node, timers, hadApproval, hadChild] of before) {
    endTimers(turn, timers);
    if (hadApproval && node.approval !== undefined) {
      const { approvalId } = node.approval;
      turn.emit('APPROVAL_CLOSED', { approvalId, nodePath: node.path, outcome: 'cancelled' });
      turn.command({ type: 'CLOSE_APPROVAL', approvalId, outcome: 'cancelled' });
    }
    if (hadChild) stopChild(turn, node);
  }
  for (const node of harvest.calls) cancelCall(turn, node, why);
}

function endTimers(turn: Turn, timers: readonly string[]): void {
  for (const timerId of timers) {
    turn.emit('TIMER_CANCELED', { timerId });
    turn.command({ type: 'CANCEL_TIMER', timerId });
  }
}

/** What the parent close policy says about a child that is given up. */
export function stopChild(turn: Turn, node: NodeState): void {
  const { child } = node;
  if (child === undefined || child.parentClosePolicy === 'abandon') return;
  const command: Command = {
    type: child.parentClosePolicy === 'cancel' ? 'CANCEL_CHILD' : 'TERMINATE_CHILD',
    nodePath: node.path,
    childWorkflowId: child.childWorkflowId,
    ...(child.childRunId === undefined ? {} : { childRunId: child.childRunId }),
  };
  turn.command(command);
}

/**
 * A call is given up. One that may have taken effect and could be undone is asked to stop and awaited, so that
 * compensation knows; any other is over at once.
 */
function cancelCall(turn: Turn, node: NodeState, why: { reason?: string }): void {
  const { call } = node;
  if (call === undefined) return;
  const activityId = `${node.path}:do`;
  endTimers(turn, node.timers ?? []);
  // A failure that nobody has decided on yet (the run was paused) is an answer too.
  const running = isUnderWay(call);
  const undoable = compiledOf(turn.program, node).compensate !== undefined;
  const isMade = running && !turn.isFresh(activityId);
  // A call that goes on in this very turn is not made, but its server may have made a task of it before.
  const task = (running && !isMade ? serverTask : parkedTask)(turn.program, node, 'do');
  const cancel: Command = {
    type: 'CANCEL_ACTIVITY',
    activityId,
    ...(task === undefined ? {} : { task }),
  };
  const mayHaveEffect = isMade || call.doubtful === true;
  if (mayHaveEffect && undoable && hasFlag(turn.state, 'await-cancelled-compensable')) {
    turn.emit('ACTIVITY_TASK_CANCEL_REQUESTED', { activityId, ...why });
    if (!isMade && call.pending === undefined && call.status !== 'unknown_outcome') {
      // An attempt before this one may have taken effect, and none is under way that could say so.
      turn.emit('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId, attempt: call.attempt });
    }
    if (running || task !== undefined) turn.command(cancel);
    return;
  }
  turn.emit('ACTIVITY_TASK_CANCELED', { activityId, attempt: call.attempt, ...why });
  if (running || task !== undefined) turn.command(cancel);
}
