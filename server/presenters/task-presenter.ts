import { refusedDecision } from '@/lib/engine/admit';
import type { Masker } from '@/lib/engine/mask';
import { maskFailureOf } from '@/lib/engine/mask-events';
import { compiledOf, parseActivityId } from '@/lib/engine/state';
import type { ApprovalState } from '@/lib/engine/types';
import { type Actor, hasRole, ROLES } from '@/lib/protocol/actor';
import type { Task } from '@/lib/protocol/api-runs';
import { isAppError } from '@/lib/protocol/errors';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { Failure } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';
import { isoTime } from '@/lib/shared/time';
import type { Log } from '@/server/ports/log';
import type { RunRow } from '@/server/ports/run-queries';
import type { AccessService } from '@/server/services/access-service';
import { openQuestions } from '@/server/services/run-answers';
import { openApprovals, unknownCalls } from '@/server/services/run-control';
import type { RunMasks } from '@/server/services/run-masks';
import type { RunService } from '@/server/services/run-service';
import type { ReadRun, RunReader } from '@/server/services/run-state';

/** Runs read in one round of a page. */
const ROUND = 100;
/** Answers kept; a run whose history has not grown asks what it asked before. */
const MAX_KEPT = 5_000;

type Kind = Task['kind'];
/** A task without what depends on who looks at it. */
type Found = { task: Task; approval: ApprovalState | null };

/**
 * What waits for people, over all open runs of the organisation, newest run first.
 *
 * Cost: one index walk over the runs that ever asked somebody something, then one replay of the history of each open one; a run
 * whose history has not grown since is answered from memory. A page reads no more runs than it needs to be full.
 */
export class TaskPresenter {
  private readonly kept = new Map<string, { length: number; found: Found[] }>();

  constructor(
    private readonly deps: {
      runs: RunService;
      reader: RunReader;
      masks: RunMasks;
      access: Pick<AccessService, 'may'>;
      log: Log;
    },
  ) {}

  /** `nextCursor` is the last run that the page looked at. All tasks of one run are on one page, so it can be longer than `limit`. */
  async list(actor: Actor, kind: Kind | undefined, limit: number, cursor: string | null) {
    const items: Task[] = [];
    let before = cursor;
    for (;;) {
      const rows = await this.deps.runs.asking(actor, ROUND, before);
      for (const row of rows) {
        const tasks = await this.tasksOf(actor, row);
        const masker = tasks.length === 0 ? null : await this.deps.masks.of(row.organizationId, row.runId);
        for (const { task: open, approval } of tasks) {
          const task = masker === null ? open : maskTask(masker, open);
          if (kind !== undefined && task.kind !== kind) continue;
          if (approval === null) items.push(task);
          else
            items.push({ ...task, mayDecide: await this.mayDecide(actor, row.workflow, approval) } as Task);
        }
        before = row.runId;
        if (items.length >= limit) return { items, nextCursor: before };
      }
      if (rows.length < ROUND) return { items, nextCursor: null };
    }
  }

  /** True when the actor's yes would count, were the form filled in. */
  private async mayDecide(actor: Actor, workflow: string, approval: ApprovalState): Promise<boolean> {
    const roles = ROLES.filter((role) => hasRole(actor.role, role));
    if (refusedDecision(approval, { by: actor.id, decision: 'reject', roles }) !== null) return false;
    return this.deps.access.may(actor, 'approvals:decide', { kind: 'workflow', id: workflow });
  }

  private async tasksOf(actor: Actor, row: RunRow): Promise<Found[]> {
    const known = this.kept.get(row.runId);
    if (known !== undefined && known.length === row.historyLength) return known.found;
    const read = await this.read(actor, row);
    this.kept.delete(row.runId);
    if (this.kept.size >= MAX_KEPT) this.kept.delete(this.kept.keys().next().value as string);
    this.kept.set(row.runId, read);
    return read.found;
  }

  /** A run that cannot be read is left out, with a line in the log: nobody else's question is hidden by it. */
  private async read(actor: Actor, row: RunRow): Promise<{ length: number; found: Found[] }> {
    let read: ReadRun;
    try {
      read = await this.deps.reader.readRow(actor, row);
    } catch (error) {
      // A database that is away is about all runs.
      if (!isAppError(error) || error.entry.retriable) throw error;
      return this.leaveOut(row, error);
    }
    try {
      return { length: read.events.length, found: tasksIn(read) };
    } catch (error) {
      return this.leaveOut(row, error);
    }
  }

  private leaveOut({ organizationId, runId, historyLength }: RunRow, error: unknown) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.deps.log.error('list_tasks', {
      status: 'failed',
      organization_id: organizationId,
      run_id: runId,
      error: text,
    });
    return { length: historyLength, found: [] };
  }
}

/** A task as it may be shown: who decides sees what everybody sees. */
function maskTask(masker: Masker, task: Task): Task {
  const at = ['nodes', task.nodePath.slice(task.nodePath.lastIndexOf('/') + 1)];
  switch (task.kind) {
    case 'approval':
      return {
        ...task,
        title: masker.text(task.title),
        description: task.description === null ? null : masker.text(task.description),
        subject: masker.value(task.subject, [...at, 'input']),
        decisions: task.decisions.map((one) => ({
          ...one,
          comment: one.comment === null ? null : masker.text(one.comment),
        })),
      };
    case 'unknown-outcome':
      return {
        ...task,
        input: masker.value(task.input, [...at, task.purpose === 'do' ? 'input' : 'compensate']),
        failure: maskFailureOf(masker, task.failure),
      };
    case 'input':
      return { ...task, requests: masker.value(task.requests as unknown as Json) as typeof task.requests };
  }
}

/** What a run asks of people now. */
export function tasksIn({ row, program, state, events }: ReadRun): Found[] {
  if (state === null || state.closedAt !== undefined) return [];
  const { runId, workflowId, workflow, version } = row;
  const base = { runId, workflowId, workflow, version };
  const approvals = openApprovals(state).map(({ approval, node }): Found => {
    const { approvalId, approvers, moreApprovers } = approval;
    return {
      approval,
      task: {
        kind: 'approval',
        taskId: `${runId}:approval:${approvalId}`,
        ...base,
        nodePath: node.path,
        since: sinceOf(events, 'APPROVAL_REQUESTED', 'approvalId', approvalId),
        approvalId,
        title: approval.title,
        description: approval.description ?? null,
        quorum: approval.quorum,
        approvers:
          approvers === undefined
            ? []
            : moreApprovers === undefined
              ? [approvers]
              : [approvers, moreApprovers],
        decisions: approval.decisions.map(({ by, decision, comment, at }) => ({
          by,
          decision,
          comment: comment ?? null,
          at: isoTime(at),
        })),
        form: approval.form ?? null,
        subject: approval.subject ?? null,
        deadline: approval.deadline === undefined ? null : isoTime(approval.deadline),
        mayDecide: false,
      },
    };
  });
  const unknown = unknownCalls(state).map(({ activityId, node }): Found => {
    const purpose = parseActivityId(activityId)?.purpose ?? 'do';
    const call = purpose === 'do' ? node.call : node.compensation;
    const compiled = compiledOf(program, node);
    const target = purpose === 'do' ? compiled.call?.target : compiled.compensate?.target;
    return {
      approval: null,
      task: {
        kind: 'unknown-outcome',
        taskId: `${runId}:unknown:${activityId}`,
        ...base,
        nodePath: node.path,
        since: sinceOf(events, 'ACTIVITY_TASK_OUTCOME_UNKNOWN', 'activityId', activityId),
        purpose,
        server: target?.kind === 'mcp' ? target.server : null,
        tool: target === undefined ? null : target.kind === 'mcp' ? target.tool : target.name,
        attempt: call?.attempt ?? 1,
        input: (call?.input ?? null) as Json,
        failure: failureOf(events, activityId),
      },
    };
  });
  const questions = openQuestions(state).map(({ activityId, node, question }): Found => {
    const compiled = compiledOf(program, node);
    const target = (activityId.endsWith(':do') ? compiled.call : compiled.compensate)?.target;
    return {
      approval: null,
      task: {
        kind: 'input',
        taskId: `${runId}:input:${activityId}`,
        ...base,
        nodePath: node.path,
        since: sinceOf(events, 'ACTIVITY_TASK_INPUT_REQUIRED', 'activityId', activityId),
        server: target?.kind === 'mcp' ? target.server : null,
        tool: target?.kind === 'mcp' ? target.tool : null,
        requests: question.requests,
      },
    };
  });
  return [...approvals, ...unknown, ...questions];
}

function sinceOf(events: readonly WorkflowEventRecord[], type: string, field: string, value: string): string {
  const event = events.findLast((one) => one.type === type && one.data[field] === value);
  return event?.at ?? events[0]?.at ?? new Date(0).toISOString();
}

function failureOf(events: readonly WorkflowEventRecord[], activityId: string): Failure | null {
  const event = events.findLast(
    (one) => one.type === 'ACTIVITY_TASK_OUTCOME_UNKNOWN' && one.data.activityId === activityId,
  );
  return (event?.data.failure ?? null) as Failure | null;
}
