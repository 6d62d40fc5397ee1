import { refusedDecision } from '@/lib/engine/admit';
import type { ApprovalState, NodeState, RunState } from '@/lib/engine/types';
import { type Actor, hasRole, ROLES } from '@/lib/protocol/actor';
import type { ApproveBody, InputBody, ResolveBody } from '@/lib/protocol/api-runs';
import { AppError } from '@/lib/protocol/errors';
import type { EventType } from '@/lib/protocol/events';
import { requirePermission } from '@/lib/protocol/permissions';
import type { Json, JsonObject } from '@/lib/shared/json';
import { checkedAnswers, questionOf } from '@/server/services/run-answers';
import type { RunService } from '@/server/services/run-service';
import type { RunReader } from '@/server/services/run-state';

export interface RunControlDeps {
  runs: RunService;
  reader: RunReader;
  newId: () => string;
}

type Decision = 'approve' | 'reject';

/**
 * Commands to open runs. All of them throw RUN_NOT_FOUND, RUN_CLOSED and IDEMPOTENCY_CONFLICT. What a person answers is checked
 * here against the run as it is, so that a refusal can be told; the engine checks again when the answer reaches it.
 */
export class RunControl {
  constructor(private readonly deps: RunControlDeps) {}

  /** Sends a signal; it is kept until a node waits for its name. */
  async signal(actor: Actor, runId: string, name: string, payload: Json, key: string | null): Promise<void> {
    // The key doubles as the signal's id, so that a repeated request is dropped by the engine as well.
    const signalId = key ?? this.deps.newId();
    const data = { name, payload, signalId, by: actor.id };
    const command = { eventType: 'WORKFLOW_EXECUTION_SIGNALED', data, action: 'run.signal' } as const;
    await this.deps.runs.send(actor, runId, command, key);
  }

  /** Asks the run to cancel: running calls are stopped, compensation runs. */
  async cancel(actor: Actor, runId: string, reason: string | undefined, key: string | null): Promise<void> {
    await this.plain(actor, runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'run.cancel', reason, key);
  }

  /** Ends the run at once; nothing is compensated. */
  async terminate(
    actor: Actor,
    runId: string,
    reason: string | undefined,
    key: string | null,
  ): Promise<void> {
    await this.plain(actor, runId, 'WORKFLOW_EXECUTION_TERMINATED', 'run.terminate', reason, key);
  }

  /** Begins nothing new until `resume`; what runs may end. Without effect on a paused run. */
  async pause(actor: Actor, runId: string, reason: string | undefined, key: string | null): Promise<void> {
    await this.plain(actor, runId, 'WORKFLOW_EXECUTION_PAUSED', 'run.pause', reason, key);
  }

  /** Lets a paused run go on. Without effect on one that is not paused. */
  async resume(actor: Actor, runId: string, reason: string | undefined, key: string | null): Promise<void> {
    await this.plain(actor, runId, 'WORKFLOW_EXECUTION_UNPAUSED', 'run.resume', reason, key);
  }

  /**
   * Answers an open question. Throws APPROVAL_NOT_FOUND, APPROVAL_CLOSED, APPROVAL_DECIDED_ALREADY, AMBIGUOUS_TARGET,
   * FORBIDDEN (not among the approvers), INVALID_INPUT at /form.
   */
  async decide(
    actor: Actor,
    runId: string,
    decision: Decision,
    body: ApproveBody,
    key: string | null,
  ): Promise<void> {
    requirePermission(actor, 'approvals:decide');
    const { comment } = body;
    // Keys are the organisation's: without who asks, a second person's decision would be taken for the first one's, repeated.
    const request = { decision, body, by: actor.id };
    const state = await this.openState(actor, runId, key, 'APPROVAL_DECIDED', request);
    if (state === 'done') return;
    const approval = approvalOf(state, body.approvalId);
    const roles = ROLES.filter((role) => hasRole(actor.role, role));
    const answer = { by: actor.id, decision, roles, ...(body.form === undefined ? {} : { form: body.form }) };
    refuse(refusedDecision(approval, answer), approval, actor);
    const { approvalId } = approval;
    const data: JsonObject = { approvalId, ...answer, ...(comment === undefined ? {} : { comment }) };
    const details = { approvalId, decision };
    const action = `run.${decision}`;
    const command = { eventType: 'APPROVAL_DECIDED', data, action, details, request } as const;
    await this.deps.runs.send(actor, runId, command, key);
  }

  /** Says what became of a call with unknown outcome. Throws NODE_NOT_FOUND, OUTCOME_KNOWN, AMBIGUOUS_TARGET. */
  async resolve(actor: Actor, runId: string, body: ResolveBody, key: string | null): Promise<void> {
    requirePermission(actor, 'tasks:answer');
    const { resolution, comment } = body;
    const request = { body, by: actor.id };
    const state = await this.openState(actor, runId, key, 'OUTCOME_RESOLVED', request);
    if (state === 'done') return;
    const activityId = unknownCall(state, body.nodePath);
    const data: JsonObject = {
      activityId,
      resolution,
      by: actor.id,
      ...(resolution === 'completed' ? { output: body.output ?? null } : {}),
      ...(comment === undefined ? {} : { comment }),
    };
    const details = { activityId, resolution };
    const command = { eventType: 'OUTCOME_RESOLVED', data, action: 'run.resolve', details, request } as const;
    await this.deps.runs.send(actor, runId, command, key);
  }

  /**
   * Answers what a server asks in the middle of a call. Throws INPUT_NOT_EXPECTED, NODE_NOT_FOUND, AMBIGUOUS_TARGET,
   * INVALID_INPUT.
   */
  async answer(actor: Actor, runId: string, body: InputBody, key: string | null): Promise<void> {
    requirePermission(actor, 'tasks:answer');
    const request = { body, by: actor.id };
    const state = await this.openState(actor, runId, key, 'ACTIVITY_TASK_INPUT_PROVIDED', request);
    if (state === 'done') return;
    const open = questionOf(state, body.nodePath);
    const { comment } = body;
    const data = {
      activityId: open.activityId,
      answers: checkedAnswers(open, body),
      by: actor.id,
      ...(comment === undefined ? {} : { comment }),
    } as JsonObject;
    const details = { activityId: open.activityId };
    const eventType = 'ACTIVITY_TASK_INPUT_PROVIDED';
    const command = { eventType, data, action: 'run.answer', details, request } as const;
    await this.deps.runs.send(actor, runId, command, key);
  }

  private async plain(
    actor: Actor,
    runId: string,
    eventType: Parameters<RunService['send']>[2]['eventType'],
    action: string,
    reason: string | undefined,
    key: string | null,
  ): Promise<void> {
    const data: JsonObject = { by: actor.id, ...(reason === undefined ? {} : { reason }) };
    await this.deps.runs.send(actor, runId, { eventType, data, action }, key);
  }

  /** The run as it is; `done` when this very request was carried out before. */
  private async openState(
    actor: Actor,
    runId: string,
    key: string | null,
    eventType: EventType,
    request: unknown,
  ): Promise<RunState | 'done'> {
    const { row, state } = await this.deps.reader.read(actor, runId);
    if (await this.deps.runs.isRepeated(actor, runId, { eventType, data: {}, request }, key)) return 'done';
    if (row.closedAt !== null) throw new AppError('RUN_CLOSED', `Run ${runId} has closed.`);
    if (state === null) throw new AppError('APPROVAL_NOT_FOUND', 'The run has only just been started.');
    return state;
  }
}

/** Calls of the run that wait for a person: activity id and node, in the order in which the nodes began. */
export function unknownCalls(state: RunState): { activityId: string; node: NodeState }[] {
  return [...state.nodes.values()].flatMap((node) =>
    (['do', 'compensate'] as const).flatMap((purpose) => {
      const call = purpose === 'do' ? node.call : node.compensation;
      return call?.status === 'unknown_outcome' ? [{ activityId: `${node.path}:${purpose}`, node }] : [];
    }),
  );
}

/** Open questions of the run. */
export function openApprovals(state: RunState): { approval: ApprovalState; node: NodeState }[] {
  return [...state.nodes.values()].flatMap((node) =>
    node.approval?.open ? [{ approval: node.approval, node }] : [],
  );
}

function approvalOf(state: RunState, approvalId: string | undefined): ApprovalState {
  if (approvalId !== undefined) {
    const approval = state.nodes.get(approvalId)?.approval;
    if (approval !== undefined) return approval;
    throw new AppError('APPROVAL_NOT_FOUND', `The run asks nothing under "${approvalId.slice(0, 200)}".`, {
      path: '/approvalId',
    });
  }
  const open = openApprovals(state);
  const [first] = open;
  if (first === undefined) throw new AppError('APPROVAL_NOT_FOUND', 'The run asks nobody anything now.');
  if (open.length === 1) return first.approval;
  throw new AppError('AMBIGUOUS_TARGET', `${open.length} questions of the run are open: say which.`, {
    path: '/approvalId',
    details: open.map(({ approval }) => ({ path: approval.approvalId, message: approval.title })),
  });
}

function unknownCall(state: RunState, nodePath: string | undefined): string {
  const calls = unknownCalls(state);
  const fitting = nodePath === undefined ? calls : calls.filter(({ node }) => node.path === nodePath);
  const [first] = fitting;
  if (nodePath !== undefined && !state.nodes.has(nodePath)) {
    throw new AppError('NODE_NOT_FOUND', `The run has no node "${nodePath.slice(0, 200)}".`, {
      path: '/nodePath',
    });
  }
  if (first === undefined) {
    const what =
      nodePath === undefined ? 'No call of the run waits' : `The call of "${nodePath}" does not wait`;
    throw new AppError('OUTCOME_KNOWN', `${what} for a person.`, { path: '/nodePath' });
  }
  if (fitting.length === 1) return first.activityId;
  throw new AppError('AMBIGUOUS_TARGET', `${fitting.length} calls of the run wait: say which.`, {
    path: '/nodePath',
    details: fitting.map(({ node }) => ({ path: node.path, message: 'Its outcome is unknown.' })),
  });
}

function refuse(why: ReturnType<typeof refusedDecision>, approval: ApprovalState, actor: Actor): void {
  switch (why) {
    case null:
      return;
    case 'not-open':
      throw new AppError('APPROVAL_CLOSED', `"${approval.title}" is settled.`, { path: '/approvalId' });
    case 'decided-already':
      throw new AppError(
        'APPROVAL_DECIDED_ALREADY',
        `${actor.displayName} has decided "${approval.title}".`,
        {
          path: '/approvalId',
        },
      );
    case 'not-an-approver':
      throw new AppError(
        'FORBIDDEN',
        `${actor.displayName} is not among those who decide "${approval.title}".`,
        {
          path: '/approvalId',
        },
      );
    case 'form-invalid':
      throw new AppError('INVALID_INPUT', 'The form does not match the schema of the question.', {
        path: '/form',
      });
  }
}
