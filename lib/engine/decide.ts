import { closeDecided, escalate, expire } from '@/lib/engine/decide-approval';
import { resumeCall, scheduleCall } from '@/lib/engine/decide-call';
import { cancelScopes, stopChild } from '@/lib/engine/decide-cancel';
import { advanceClosing, beginClosing } from '@/lib/engine/decide-close';
import { advance, scopeDone } from '@/lib/engine/decide-container';
import { attemptFailed, completeNode, failNode, failScope } from '@/lib/engine/decide-failure';
import { startNode } from '@/lib/engine/decide-node';
import type { CompiledNode } from '@/lib/engine/program';
import { compiledOf, joinVerdict, mustNode } from '@/lib/engine/state';
import type { Turn } from '@/lib/engine/turn';
import type { AgendaKind, NodeState, RunState } from '@/lib/engine/types';

/** A run with this many events fails with HISTORY_LIMIT; at the other number it is warned about (Temporal's figures). */
export const HISTORY_LIMIT = 51_200;
export const HISTORY_WARNING = 10_240;

/**
 * Works off the agenda: every item leads to one or more events, whose folding may add items. Reads the state,
 * never changes it but through events. While the run is paused only a cancellation, the run's timeout and the limit of its
 * history get through.
 */
export function decide(turn: Turn): void {
  const { state } = turn;
  if (state.closedAt === undefined) urgent(turn);
  // A run that waits has nothing to decide, and signals make its history grow all the same.
  if (isFull(state)) historyFull(turn);
  if (!state.paused) {
    for (const [key, kind] of state.agenda) {
      if (state.closedAt !== undefined) return;
      if (isFull(state)) historyFull(turn);
      else decideItem(turn, key, kind);
    }
  }
  if (state.closedAt === undefined && !state.warned && state.historyLength >= HISTORY_WARNING) {
    turn.emit('HISTORY_SIZE_WARNED', { events: state.historyLength });
  }
}

function isFull({ historyLength, closing, closedAt }: RunState): boolean {
  return historyLength >= HISTORY_LIMIT && closing === undefined && closedAt === undefined;
}

function historyFull(turn: Turn): void {
  const message = `The history has reached ${HISTORY_LIMIT} events.`;
  beginClosing(turn, { status: 'failed', failure: { code: 'HISTORY_LIMIT', message }, compensate: true });
}

function urgent(turn: Turn): void {
  const { agenda, cancelReason } = turn.state;
  if (agenda.has('#cancel')) {
    beginClosing(turn, {
      status: 'cancelled',
      compensate: true,
      ...(cancelReason === undefined ? {} : { reason: cancelReason }),
    });
  } else if (agenda.has('#timeout')) {
    const failure = { code: 'TIMEOUT', message: 'The time of the run was over.' };
    beginClosing(turn, { status: 'timed_out', failure, compensate: true });
  }
}

function decideItem(turn: Turn, key: string, kind: AgendaKind): void {
  const { state } = turn;
  switch (kind) {
    case 'close':
      advanceClosing(turn);
      return;
    case 'scope-done':
    case 'scope-failed': {
      const scope = state.scopes.get(key.slice(0, -1));
      if (scope === undefined) return;
      if (kind === 'scope-done') scopeDone(turn, scope);
      else failScope(turn, scope);
      return;
    }
    case 'cancel-run':
    case 'run-timeout':
      return;
    default:
      decideNode(turn, mustNode(state, key), kind);
  }
}

function decideNode(turn: Turn, node: NodeState, kind: AgendaKind): void {
  switch (kind) {
    case 'start':
      startNode(turn, node);
      return;
    case 'skip':
      turn.emit('NODES_SKIPPED', { nodePaths: deadPath(turn, node) });
      return;
    case 'join-failed':
      failNode(turn, node, {
        code: 'JOIN_UNSATISFIED',
        message: 'Too few of the nodes before it completed.',
        nodePath: node.path,
      });
      return;
    case 'attempt-failed':
      attemptFailed(turn, node);
      return;
    case 'retry':
      retry(turn, node);
      return;
    case 'resume':
      resumeCall(turn, node);
      return;
    case 'settled':
      settle(turn, node);
      return;
    case 'approval':
      closeDecided(turn, node);
      return;
    case 'escalate':
      escalate(turn, node);
      return;
    case 'advance':
      advance(turn, node);
      return;
    default:
  }
}

/** The delay is over: the same attempt again after an open breaker, the next one otherwise. */
function retry(turn: Turn, node: NodeState): void {
  const purpose = node.compensation === undefined ? 'do' : 'compensate';
  const call = purpose === 'do' ? node.call : node.compensation;
  if (call === undefined) return;
  scheduleCall(turn, node, purpose, call.waitedForCircuit ? call.attempt : call.attempt + 1, call.input);
}

/** What a waiting node waited for has come, or its time is over. */
function settle(turn: Turn, node: NodeState): void {
  const { settled } = node;
  if (settled === undefined) return;
  if (settled.failure === undefined) {
    completeNode(turn, node, settled.output ?? null, settled.port);
    return;
  }
  if (node.approval?.open) {
    expire(turn, node);
    return;
  }
  if (node.child?.open) stopChild(turn, node);
  cancelScopes(turn, [...(node.progress?.openScopes ?? [])], settled.failure.message);
  failNode(turn, node, settled.failure);
}

/** All nodes that die with this one: those whose joins have nothing left to wait for. */
function deadPath(turn: Turn, first: NodeState): string[] {
  const { state, program } = turn;
  const prefix = first.path.slice(0, first.path.length - first.id.length);
  const dead = [first.path];
  const extra = new Map<CompiledNode, number>();
  const queue = [compiledOf(program, first)];
  for (const compiled of queue) {
    for (const { to } of compiled.outgoing) {
      const node = state.nodes.get(prefix + to.id);
      if (node !== undefined && (node.status !== 'pending' || state.agenda.has(node.path))) continue;
      const settled = (extra.get(to) ?? 0) + 1;
      extra.set(to, settled);
      if (
        joinVerdict(to, (node?.settledIn ?? 0) + settled, node?.takenIn ?? 0, node?.failedIn ?? 0) !== 'skip'
      )
        continue;
      dead.push(prefix + to.id);
      queue.push(to);
    }
  }
  return dead;
}
