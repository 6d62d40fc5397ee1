import type { RequestApproval } from '@/lib/engine/commands';
import { completeNode, failNode } from '@/lib/engine/decide-failure';
import { durationMs } from '@/lib/engine/duration';
import type { CompiledNode } from '@/lib/engine/program';
import { compiledOf } from '@/lib/engine/state';
import type { Turn } from '@/lib/engine/turn';
import type { ApprovalState, NodeState } from '@/lib/engine/types';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';

/** Asks people: an approval node, or a call that needs a yes first (`subject`: what it would be made with). */
export function requestApproval(
  turn: Turn,
  node: NodeState,
  compiled: CompiledNode,
  subject: Json | undefined,
): void {
  const { approval } = compiled;
  if (approval === undefined) return;
  const { settings } = approval;
  const lookup = turn.lookup(node);
  const title = String(approval.title.fill(lookup, turn.at));
  const description =
    approval.description === undefined ? undefined : String(approval.description.fill(lookup, turn.at));
  const deadline = settings.deadline === undefined ? undefined : turn.at + durationMs(settings.deadline);
  turn.emit('APPROVAL_REQUESTED', {
    approvalId: node.path,
    nodePath: node.path,
    title,
    ...(description === undefined ? {} : { description }),
    ...(settings.approvers === undefined ? {} : { approvers: settings.approvers }),
    quorum: settings.quorum ?? 1,
    ...(settings.form === undefined ? {} : { form: settings.form }),
    ...(subject === undefined ? {} : { subject }),
    ...(deadline === undefined ? {} : { deadline }),
  });
  if (node.approval !== undefined) turn.command(requestCommand(node, node.approval));
  if (deadline !== undefined) approvalTimer(turn, node, 'deadline', deadline);
  if (settings.escalation !== undefined)
    approvalTimer(turn, node, 'escalation', turn.at + durationMs(settings.escalation.after));
}

function approvalTimer(
  turn: Turn,
  node: NodeState,
  purpose: 'deadline' | 'escalation',
  fireAt: number,
): void {
  const timerId = `${node.path}:${purpose}`;
  turn.emit('TIMER_STARTED', { timerId, purpose, nodePath: node.path, fireAt });
  turn.command({ type: 'START_TIMER', timerId, fireAt });
}

/** The command that shows an open approval to people: the same from a decision and from a replayed state. */
export function requestCommand(node: NodeState, approval: ApprovalState): RequestApproval {
  const approvers = merged(approval);
  return {
    type: 'REQUEST_APPROVAL',
    approvalId: approval.approvalId,
    nodePath: node.path,
    title: approval.title,
    quorum: approval.quorum,
    ...(approval.description === undefined ? {} : { description: approval.description }),
    ...(approvers === undefined ? {} : { approvers }),
    ...(approval.form === undefined ? {} : { form: approval.form }),
    ...(approval.subject === undefined ? {} : { subject: approval.subject }),
    ...(approval.deadline === undefined ? {} : { deadline: approval.deadline }),
  };
}

function merged({ approvers, moreApprovers }: ApprovalState): ApprovalState['approvers'] {
  if (moreApprovers === undefined || approvers === undefined) return approvers;
  return {
    users: [...(approvers.users ?? []), ...(moreApprovers.users ?? [])],
    roles: [...(approvers.roles ?? []), ...(moreApprovers.roles ?? [])],
  };
}

/** Nobody decided in time: more people may, and they are shown the question. */
export function escalate(turn: Turn, node: NodeState): void {
  const { approval } = node;
  const more = compiledOf(turn.program, node).approval?.settings.escalation?.approvers;
  if (approval === undefined || more === undefined) return;
  turn.emit('APPROVAL_ESCALATED', { approvalId: approval.approvalId, nodePath: node.path, approvers: more });
  turn.command(requestCommand(node, approval));
}

/** Enough people decided: the node (or the call behind it) goes on, or it ends with the no. */
export function closeDecided(turn: Turn, node: NodeState): void {
  const { approval } = node;
  if (approval === undefined) return;
  const no = approval.decisions.find((item) => item.decision === 'reject');
  const last = approval.decisions.at(-1);
  closeApproval(turn, node, approval, no === undefined ? 'approved' : 'rejected', (no ?? last)?.by);
  if (no !== undefined)
    reject(turn, node, `${no.by} said no${no.comment === undefined ? '.' : `: ${no.comment}`}`);
  else if (compiledOf(turn.program, node).call === undefined) completeNode(turn, node, outcomeOf(approval));
}

/** The deadline has passed without enough decisions. */
export function expire(turn: Turn, node: NodeState): void {
  const { approval } = node;
  if (approval === undefined) return;
  closeApproval(turn, node, approval, 'expired', undefined);
  if (compiledOf(turn.program, node).approval?.settings.onDeadline === 'reject')
    reject(turn, node, 'Nobody decided before the deadline.');
  else
    failNode(turn, node, {
      code: 'TIMEOUT',
      message: 'Nobody decided before the deadline.',
      nodePath: node.path,
    });
}

function closeApproval(
  turn: Turn,
  node: NodeState,
  approval: ApprovalState,
  outcome: 'approved' | 'rejected' | 'expired',
  by: string | undefined,
): void {
  for (const timerId of node.timers ?? []) {
    turn.emit('TIMER_CANCELED', { timerId });
    turn.command({ type: 'CANCEL_TIMER', timerId });
  }
  turn.emit('APPROVAL_CLOSED', {
    approvalId: approval.approvalId,
    nodePath: node.path,
    outcome,
    ...(by === undefined ? {} : { by }),
  });
  turn.command({ type: 'CLOSE_APPROVAL', approvalId: approval.approvalId, outcome });
}

/** A no takes the edge `rejected` when there is one, else the node fails. */
function reject(turn: Turn, node: NodeState, message: string): void {
  const compiled = compiledOf(turn.program, node);
  const output = node.approval === undefined ? null : outcomeOf(node.approval);
  if (compiled.outgoing.some((edge) => edge.port === 'rejected'))
    completeNode(turn, node, output, 'rejected');
  else failNode(turn, node, { code: 'APPROVAL_REJECTED', message, nodePath: node.path });
}

/** Output of an approval: who said what, and the data they brought along (later answers win). */
function outcomeOf(approval: ApprovalState): Json {
  const form: JsonObject = {};
  for (const item of approval.decisions) {
    if (item.decision === 'approve' && item.form !== undefined && isJsonObject(item.form))
      Object.assign(form, item.form);
  }
  return {
    approved: approval.outcome === 'approved',
    form,
    decisions: approval.decisions.map(({ by, decision, comment, at }) => ({
      by,
      decision,
      comment: comment ?? null,
      at: new Date(at).toISOString(),
    })),
  };
}
