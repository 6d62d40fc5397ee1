import { firstMismatch } from '@/lib/engine/json-schema';
import { findCall } from '@/lib/engine/state';
import type { ApprovalState, EngineEvent, EngineEventOf, RunState } from '@/lib/engine/types';
import type { Json } from '@/lib/shared/json';

/**
 * The one place that says whether an event from outside still fits. One that does not (the result of a call that is over,
 * a timer nobody waits for, a second decision of one person, anything for a closed run) gives a transition without events.
 */
export function admits(state: RunState, event: EngineEvent): boolean {
  if (state.closedAt !== undefined) return false;
  switch (event.type) {
    case 'ACTIVITY_TASK_STARTED':
      return callFits(state, event.data, ['scheduled']);
    case 'ACTIVITY_TASK_COMPLETED':
      // A result that comes in after all settles an unknown outcome.
      return callFits(state, event.data, [...OPEN, 'unknown_outcome']);
    case 'ACTIVITY_TASK_FAILED':
    case 'ACTIVITY_TASK_TIMED_OUT':
    case 'ACTIVITY_TASK_OUTCOME_UNKNOWN':
      return callFits(state, event.data, OPEN);
    case 'ACTIVITY_TASK_INPUT_REQUIRED':
    case 'ACTIVITY_TASK_REMOTE_TASK':
      return callFits(state, event.data, ['scheduled', 'started']);
    case 'ACTIVITY_TASK_INPUT_PROVIDED':
      return answersFit(state, event);
    case 'ACTIVITY_TASK_CANCELED':
      return (
        findCall(state, event.data.activityId)?.call.cancelRequested === true &&
        callFits(state, event.data, OPEN)
      );
    case 'OUTCOME_RESOLVED':
      return findCall(state, event.data.activityId)?.call.status === 'unknown_outcome';
    case 'TIMER_FIRED':
      return state.timers.has(event.data.timerId);
    case 'WORKFLOW_EXECUTION_SIGNALED':
      return (
        state.closing === undefined &&
        (event.data.signalId === undefined || !state.signalIds.has(event.data.signalId))
      );
    case 'WORKFLOW_EXECUTION_CANCEL_REQUESTED':
      return state.closing === undefined;
    case 'WORKFLOW_EXECUTION_PAUSED':
      return !state.paused;
    case 'WORKFLOW_EXECUTION_UNPAUSED':
      return state.paused;
    case 'WORKFLOW_EXECUTION_TERMINATED':
      return true;
    case 'APPROVAL_DECIDED':
      return decisionFits(state, event);
    case 'CHILD_WORKFLOW_EXECUTION_STARTED': {
      const child = state.nodes.get(event.data.nodePath)?.child;
      return child?.open === true && child.childRunId === undefined;
    }
    case 'START_CHILD_WORKFLOW_EXECUTION_FAILED':
    case 'CHILD_WORKFLOW_EXECUTION_COMPLETED':
    case 'CHILD_WORKFLOW_EXECUTION_FAILED':
    case 'CHILD_WORKFLOW_EXECUTION_CANCELED':
    case 'CHILD_WORKFLOW_EXECUTION_TIMED_OUT':
    case 'CHILD_WORKFLOW_EXECUTION_TERMINATED':
      return state.nodes.get(event.data.nodePath)?.child?.open === true;
    default:
      // Decisions of the engine are not for others to make.
      return false;
  }
}

/** Of calls that may give a result: a server may also give up its question and answer the call. */
const OPEN = ['scheduled', 'started', 'input_required'] as const;

/** Answers count once, while the question is open, and only to what was asked. */
function answersFit(state: RunState, { data }: EngineEventOf<'ACTIVITY_TASK_INPUT_PROVIDED'>): boolean {
  const call = findCall(state, data.activityId)?.call;
  // The question of a call that is over, or is to stop, is nobody's any more.
  if (call?.question === undefined || call.status !== 'input_required') return false;
  if (call.cancelRequested || call.pending !== undefined) return false;
  const keys = new Set(call.question.requests.map((request) => request.key));
  return Object.keys(data.answers).every((key) => keys.has(key));
}

function callFits(
  state: RunState,
  data: { activityId: string; attempt?: number | undefined },
  statuses: readonly string[],
): boolean {
  const call = findCall(state, data.activityId)?.call;
  if (call === undefined || call.pending !== undefined || !statuses.includes(call.status)) return false;
  return data.attempt === undefined || data.attempt === call.attempt;
}

/** Why a decision on an approval is refused; null when it counts. For the doors, so that they can say it. */
export function refusedDecision(
  approval: ApprovalState | undefined,
  decision: {
    by: string;
    decision: 'approve' | 'reject';
    roles?: string[] | undefined;
    form?: Json | undefined;
  },
): 'not-open' | 'decided-already' | 'not-an-approver' | 'form-invalid' | null {
  if (approval?.open !== true) return 'not-open';
  if (approval.decisions.some((item) => item.by === decision.by)) return 'decided-already';
  if (approval.decisions.some((item) => item.decision === 'reject')) return 'not-open';
  if (!mayDecide(approval, decision.by, decision.roles ?? [])) return 'not-an-approver';
  if (
    decision.decision === 'approve' &&
    approval.form !== undefined &&
    firstMismatch(approval.form, decision.form ?? {}) !== null
  ) {
    return 'form-invalid';
  }
  return null;
}

function mayDecide(approval: ApprovalState, by: string, roles: readonly string[]): boolean {
  const groups = [approval.approvers, approval.moreApprovers].filter((group) => group !== undefined);
  const limited =
    approval.approvers !== undefined &&
    ((approval.approvers.users?.length ?? 0) > 0 || (approval.approvers.roles?.length ?? 0) > 0);
  if (!limited) return true;
  return groups.some(
    (group) => group.users?.includes(by) || group.roles?.some((role) => roles.includes(role)),
  );
}

function decisionFits(state: RunState, { data }: EngineEventOf<'APPROVAL_DECIDED'>): boolean {
  const node = state.nodes.get(data.approvalId);
  if (node?.settled !== undefined || state.agenda.get(data.approvalId) === 'approval') return false;
  return (
    refusedDecision(node?.approval, {
      by: data.by,
      decision: data.decision,
      roles: data.roles,
      form: data.form as Json | undefined,
    }) === null
  );
}
