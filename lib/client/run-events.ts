import { failureOf, intOf } from '@/lib/client/event-data';
import type { StreamEvent, WorkflowEventRecord } from '@/lib/protocol/event';
import { OPEN_RUN_STATUSES, type RunStatus, type RunSummary } from '@/lib/protocol/run';

/**
 * How events change the row of a run before the server's own view has been read again. Unknown events
 * only count: the next read puts everything right.
 */

const STATUS_OF: Record<string, RunStatus> = {
  WORKFLOW_EXECUTION_STARTED: 'running',
  WORKFLOW_EXECUTION_UNPAUSED: 'running',
  WORKFLOW_EXECUTION_PAUSED: 'paused',
  COMPENSATION_STARTED: 'compensating',
  WORKFLOW_EXECUTION_COMPLETED: 'completed',
  WORKFLOW_EXECUTION_FAILED: 'failed',
  WORKFLOW_EXECUTION_CANCELED: 'cancelled',
  WORKFLOW_EXECUTION_TERMINATED: 'terminated',
  WORKFLOW_EXECUTION_TIMED_OUT: 'timed_out',
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: 'continued_as_new',
};

/** The status that an event of this type puts its run in, or undefined when it does not. */
export function statusAfter(type: string): RunStatus | undefined {
  return Object.hasOwn(STATUS_OF, type) ? STATUS_OF[type] : undefined;
}

/** True for the event that begins a run. */
export function beginsRun(type: string): boolean {
  return type === 'WORKFLOW_EXECUTION_STARTED';
}

/** True for an event after which nothing more happens in its run. */
export function closesRun(type: string): boolean {
  const status = statusAfter(type);
  return status !== undefined && !OPEN_RUN_STATUSES.includes(status);
}

/** The row of a run that has just begun. */
export function rowFromStart(item: StreamEvent): RunSummary {
  const { event } = item;
  return {
    runId: event.runId,
    workflowId: item.workflowId,
    workflow: item.workflow,
    version: intOf(event.data, 'version') ?? 1,
    status: 'running',
    createdAt: event.at,
    closedAt: null,
    durationMs: null,
    historyLength: event.seq,
    failure: null,
  };
}

/** The row after an event. An event that the row already contains (by seq) changes nothing. */
export function advanceRow<T extends RunSummary>(row: T, event: WorkflowEventRecord): T {
  if (event.seq <= row.historyLength) return row;
  const status = statusAfter(event.type);
  const next = { ...row, historyLength: event.seq };
  if (status === undefined) return next;
  next.status = status;
  if (closesRun(event.type)) {
    next.closedAt = event.at;
    next.durationMs = Math.max(0, Math.round(Date.parse(event.at) - Date.parse(row.createdAt)));
    next.failure = failureOf(event.data) ?? row.failure;
  }
  return next;
}
