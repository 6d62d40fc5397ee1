import { cancelScopes } from '@/lib/engine/decide-cancel';
import { beginClosing } from '@/lib/engine/decide-close';
import { isRetriable, retryDelayMs } from '@/lib/engine/retry-policy';
import { compiledOf, joinPath, mustNode } from '@/lib/engine/state';
import type { Turn } from '@/lib/engine/turn';
import type { CallState, NodeState, PendingFailure, ScopeState } from '@/lib/engine/types';
import type { Failure } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';

/** Ends the open timers of a node. */
export function cancelTimers(turn: Turn, node: NodeState): void {
  for (const timerId of node.timers ?? []) {
    turn.emit('TIMER_CANCELED', { timerId });
    turn.command({ type: 'CANCEL_TIMER', timerId });
  }
}

/** A node completes: recorded, its timers ended. */
export function completeNode(turn: Turn, node: NodeState, output: Json, port?: string): void {
  cancelTimers(turn, node);
  cancelScopes(turn, [...(node.progress?.openScopes ?? [])]);
  turn.emit('NODE_COMPLETED', { nodePath: node.path, output, ...(port === undefined ? {} : { port }) });
}

/** A node fails for good: recorded; when nothing handles it, the graph around it fails too. */
export function failNode(turn: Turn, node: NodeState, failure: Failure): void {
  cancelTimers(turn, node);
  cancelScopes(turn, [...(node.progress?.openScopes ?? [])]);
  const handled = compiledOf(turn.program, node).handlesFailure;
  turn.emit('NODE_FAILED', {
    nodePath: node.path,
    failure: { ...failure, nodePath: failure.nodePath ?? node.path },
    handled,
  });
  if (!handled) {
    const scope = turn.state.scopes.get(node.scope);
    if (scope !== undefined) failScope(turn, scope);
  }
}

/** A graph has failed: its container takes note, or the run ends. */
export function failScope(turn: Turn, scope: ScopeState, cause?: Failure): void {
  const failure = cause ?? scope.failure ?? { code: 'INTERNAL', message: 'The graph failed.' };
  if (scope.owner === null) {
    beginClosing(turn, { status: 'failed', failure, compensate: true });
    return;
  }
  const owner = mustNode(turn.state, scope.owner);
  const compiled = compiledOf(turn.program, owner);
  cancelScopes(turn, [scope.path]);
  if (compiled.node.kind === 'sequential') failNode(turn, owner, failure);
  else if (compiled.node.kind === 'parallel') {
    turn.emit('BRANCH_FAILED', { nodePath: owner.path, branch: branchId(owner, scope), failure });
  } else turn.emit('LOOP_ITERATION_FAILED', { nodePath: owner.path, index: scope.index, failure });
}

/** Name of the branch that a scope of a parallel node is. */
export function branchId(owner: NodeState, scope: ScopeState): string {
  return scope.path.slice(joinPath(owner.path, '').length);
}

/**
 * An attempt failed: another one after a delay, a wait for the breaker, a person (unknown outcome), or the end.
 * Rules: DESIGN, "Effects are at-least-once" and "Defaults".
 */
export function attemptFailed(turn: Turn, node: NodeState): void {
  const purpose = node.compensation === undefined ? 'do' : 'compensate';
  const call = purpose === 'do' ? node.call : node.compensation;
  const compiled = compiledOf(turn.program, node);
  const settings = purpose === 'do' ? compiled.call : compiled.compensate;
  const pending = call?.pending;
  if (call === undefined || settings === undefined || pending === undefined) return;
  const activityId = `${node.path}:${purpose}`;
  // A call that was asked to stop is not repeated: when nobody knows what became of it, a person says whether to undo it.
  const isUnknown = call.cancelRequested
    ? call.doubtful === true
    : pending.ambiguous && !isRepeatSafe(settings, call, pending);
  const park = () =>
    turn.emit('ACTIVITY_TASK_OUTCOME_UNKNOWN', {
      activityId,
      attempt: call.attempt,
      failure: pending.failure,
    });
  if (isUnknown) {
    park();
    return;
  }
  if (call.cancelRequested) {
    turn.emit('ACTIVITY_TASK_CANCELED', {
      activityId,
      attempt: call.attempt,
      reason: pending.failure.message,
    });
    return;
  }
  const timer = nextAttempt(turn, settings, call, pending);
  if (timer !== null) {
    const timerId = `${activityId}:${timer.purpose}:${turn.state.historyLength}`;
    turn.emit('TIMER_STARTED', {
      timerId,
      purpose: timer.purpose,
      nodePath: node.path,
      activityId,
      fireAt: timer.fireAt,
    });
    turn.command({ type: 'START_TIMER', timerId, fireAt: timer.fireAt });
  } else if (purpose === 'do' && call.doubtful && compiled.compensate !== undefined) {
    // Failed, it would never be undone. Only a person can say whether there is something to undo.
    park();
  } else if (purpose === 'do') failNode(turn, node, pending.failure);
  else
    turn.emit('COMPENSATION_FAILED', {
      nodePath: node.path,
      failure: { ...pending.failure, nodePath: node.path },
    });
}

type Settings = NonNullable<ReturnType<typeof compiledOf>['call']>;

function nextAttempt(
  turn: Turn,
  settings: Settings,
  call: CallState,
  pending: PendingFailure,
): { purpose: 'retry' | 'circuit'; fireAt: number } | null {
  if (pending.failure.code === 'CIRCUIT_OPEN' && pending.retryAt !== undefined) {
    return { purpose: 'circuit', fireAt: Math.max(pending.retryAt, turn.at) };
  }
  if (call.attempt >= settings.retry.maxAttempts || !isRetriable(settings.retry, pending.failure))
    return null;
  return { purpose: 'retry', fireAt: turn.at + retryDelayMs(settings.retry, call.attempt, pending.jitter) };
}

/** The node's own word first, then the host's (from the tool's annotations); a function that only timed out may be repeated. */
function isRepeatSafe(settings: Settings, call: CallState, pending: PendingFailure): boolean {
  return (
    settings.idempotent ?? pending.retrySafe ?? call.started?.retrySafe ?? settings.target.kind === 'function'
  );
}
