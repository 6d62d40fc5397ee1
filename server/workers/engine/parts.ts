import type { Transition } from '@/lib/engine/types';
import { LAST_TIME_MS } from '@/lib/shared/time';
import type { CommitPart, InboxRow, OpenRun, RunUpdate } from '@/server/ports/execution-store';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

/** A part of a commit that writes nothing yet. */
export function emptyPart(of: Pick<CommitPart, 'organizationId' | 'runId' | 'shard' | 'epoch'>): CommitPart {
  return {
    organizationId: of.organizationId,
    runId: of.runId,
    shard: of.shard,
    epoch: of.epoch,
    correlationId: null,
    events: [],
    update: null,
    newRuns: [],
    inboxAdds: [],
    inboxDone: [],
  };
}

/** A run without parent as its start row describes it: saves reading the run's row, written together with that one. */
export function openRunOf({ data, organizationId, runId, shard }: InboxRow, now: number): OpenRun {
  return {
    runId,
    organizationId,
    workflowId: data.workflowId as string,
    workflow: data.workflow as string,
    version: data.version as number,
    definitionHash: data.definitionHash as string,
    shard,
    status: 'running',
    recoveries: 0,
    wakeAt: now,
    parentRunId: null,
    parentNodePath: null,
    parentShard: null,
  };
}

/** What a transition changes in the run's row; null when nothing. Notes in `run` what the row will say. */
export function rowUpdate(run: ResidentRun, transition: Transition, now: number): RunUpdate | null {
  let { status } = transition.state;
  let closedAt: number | null = null;
  for (const command of transition.commands) {
    if (command.type !== 'CLOSE_RUN') continue;
    status = command.status;
    closedAt = transition.state.closedAt ?? now;
  }
  if (status === run.rowStatus && closedAt === null && !run.asleep) return null;
  run.rowStatus = status;
  run.asleep = false;
  return {
    status,
    closedAt,
    historyLength: run.seq,
    failure: closedAt === null ? null : (transition.state.failure ?? null),
    wakeAt: now,
  };
}

/**
 * The part that puts a run to sleep: from now on nobody needs it in memory before its next timer. Null when the run has
 * work under way, or a timer before `earliest` (epoch ms).
 */
export function sleepPart(run: ResidentRun, earliest: number): CommitPart | null {
  const { state, info } = run;
  if (run.gone || run.pending > 0 || run.calls > 0 || run.inbox.size > 0 || !state) return null;
  let wakeAt: number | null = null;
  for (const { fireAt } of state.timers.values()) {
    if (fireAt <= earliest) return null;
    // Histories of the time before durations had a limit hold times that no column of the database can.
    wakeAt = Math.min(wakeAt ?? LAST_TIME_MS, fireAt);
  }
  const { organizationId, runId, shard } = info;
  return {
    ...emptyPart({ organizationId, runId, shard, epoch: run.epoch }),
    update: { status: run.rowStatus, closedAt: null, historyLength: run.seq, failure: null, wakeAt },
  };
}
