import type { RunActivity } from '@/lib/engine/commands';
import type { RunState } from '@/lib/engine/types';
import { runTraceSchema } from '@/lib/protocol/events-run';
import type { RunStatus } from '@/lib/protocol/run';
import type { OpenRun, StoredEvent } from '@/server/ports/execution-store';
import type { Tracing } from '@/server/ports/tracing';
import {
  type ActivityDeps,
  type ActivityScope,
  type AttemptOutcome,
  runAttempt,
} from '@/server/workers/engine/activities';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

/**
 * Carries out one attempt, as a span of the run's trace where there is one. Each attempt is a span of its own: a retry is seen
 * beside what it repeats, and an attempt after a crash below the same run. Never throws.
 */
export function runTracedAttempt(
  tracing: Tracing | undefined,
  run: ResidentRun,
  deps: ActivityDeps,
  scope: ActivityScope,
  command: RunActivity,
): Promise<AttemptOutcome> {
  const trace = tracing === undefined ? undefined : run.state?.trace;
  if (tracing === undefined || trace === undefined) return runAttempt(deps, scope, command);
  const { organizationId, runId } = run.info;
  const { activityId, nodePath, nodeId, attempt, target } = command;
  const facts = { organizationId, runId, activityId, nodePath, nodeId, attempt, target };
  const span = tracing.attempt(trace, facts);
  return runAttempt(deps, { ...scope, trace: span.context }, command).then((outcome) => {
    // A call that waits for a person has not failed.
    const asks = outcome.kind === 'failed' && outcome.inputRequired !== undefined;
    if (asks) span.set({ 'openconductor.activity.outcome': 'input_required' });
    span.end(outcome.kind === 'failed' && !asks ? outcome.failure.code : undefined);
    return outcome;
  });
}

/** Reports the span of a run that has closed, in the trace that was chosen at its start. */
export function traceClose(tracing: Tracing, state: RunState, status: RunStatus): void {
  if (state.trace === undefined) return;
  const { runId, organizationId, workflowId, workflow, version, startedAt } = state;
  const closedAt = state.closedAt ?? state.now;
  const code = state.failure?.code;
  tracing.runClosed(state.trace, {
    runId,
    organizationId,
    workflowId,
    workflow,
    version,
    status,
    startedAt,
    closedAt,
    code,
  });
}

/** Reports the span of a run that is given up without being replayed: its first event says where it belongs. */
export function traceDeadLetter(
  tracing: Tracing,
  info: OpenRun,
  history: readonly StoredEvent[],
  closedAt: number,
): void {
  const [first] = history;
  const trace = runTraceSchema.safeParse(first?.data.trace);
  if (first === undefined || !trace.success) return;
  const { runId, organizationId, workflowId, workflow, version } = info;
  tracing.runClosed(trace.data, {
    runId,
    organizationId,
    workflowId,
    workflow,
    version,
    status: 'dead_letter',
    startedAt: first.at,
    closedAt,
    code: 'DEAD_LETTER',
  });
}
