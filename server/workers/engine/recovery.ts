import type { Program } from '@/lib/engine/compile';
import { apply } from '@/lib/engine/step';
import type { EngineEvent, RunState } from '@/lib/engine/types';
import type { Failure } from '@/lib/protocol/run';
import type { Clock } from '@/lib/shared/clock';
import { roughBytes } from '@/lib/shared/json';
import type { CommitPart, InboxRow, OpenRun, StoredEvent } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import { backOff } from '@/server/workers/engine/back-off';
import { emptyPart } from '@/server/workers/engine/parts';
import { newResidentRun, type ResidentRun } from '@/server/workers/engine/resident-run';

/** Events by run, in order. */
export function byRun(events: readonly StoredEvent[]): Map<string, StoredEvent[]> {
  const groups = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const group = groups.get(event.runId);
    if (group) group.push(event);
    else groups.set(event.runId, [event]);
  }
  return groups;
}

/** Items in groups, in their order: each group has one item, or more whose sizes add up to `limit` at most. */
export function inBatches<T>(items: readonly T[], sizeOf: (item: T) => number, limit: number): T[][] {
  const batches: T[][] = [];
  let room = 0;
  for (const item of items) {
    const size = sizeOf(item);
    const batch = batches.at(-1);
    if (batch && size <= room) batch.push(item);
    else {
      batches.push([item]);
      room = limit;
    }
    room -= size;
  }
  return batches;
}

/**
 * Does `work` again, with growing pauses, until it succeeds; null once `isWanted` says that it does not matter any more.
 *
 * @param operation name in the log
 */
export async function persist<T>(
  { clock, log }: { clock: Clock; log: Log },
  operation: string,
  isWanted: () => boolean,
  work: () => Promise<T>,
): Promise<T | null> {
  for (let attempt = 0; isWanted(); attempt++) {
    try {
      return await work();
    } catch (error) {
      log.warn(operation, { status: 'failed', attempt, error: String(error) });
      await backOff(clock, attempt, 50);
    }
  }
  return null;
}

/** A run brought back into memory by folding its history. */
export function revive(
  info: OpenRun,
  epoch: number,
  program: Program,
  history: readonly StoredEvent[],
): ResidentRun {
  const run = newResidentRun(info, epoch, program);
  let state: RunState | undefined;
  for (const { type, at, data } of history) {
    state = apply(program, state, { type, at, data } as unknown as EngineEvent);
    run.bytes += roughBytes(data);
  }
  run.state = state ?? null;
  run.seq = history.length;
  run.correlationId = state?.correlationId ?? info.runId;
  run.asleep = true;
  return run;
}

/**
 * The part that gives a run up because the engine cannot go on with it. Its history stays as it was; a parent is told that
 * its child failed.
 *
 * @param message why, for people
 */
export function deadLetterPart(
  info: OpenRun,
  epoch: number,
  length: number,
  message: string,
  now: number,
): CommitPart {
  const { organizationId, runId, shard, parentRunId, parentNodePath, parentShard } = info;
  const failure: Failure = { code: 'DEAD_LETTER', message, retriable: false };
  const part = emptyPart({ organizationId, runId, shard, epoch });
  part.update = { status: 'dead_letter', closedAt: now, historyLength: length, failure, wakeAt: null };
  if (parentRunId !== null && parentNodePath !== null && parentShard !== null) {
    part.inboxAdds.push({
      shard: parentShard,
      organizationId,
      runId: parentRunId,
      eventType: 'CHILD_WORKFLOW_EXECUTION_FAILED',
      data: { nodePath: parentNodePath, failure: { ...failure } as Record<string, string | boolean> },
    });
  }
  return part;
}

/**
 * The part that gives up a run whose start was never carried out also writes its first event: what the run was asked to do is
 * then known for a retry.
 */
export function withStart(part: CommitPart, start: InboxRow, now: number): CommitPart {
  part.correlationId = part.runId;
  part.events.push({ seq: 1, type: start.eventType, at: now, data: start.data, causationSeq: null });
  part.inboxDone.push(start.id);
  if (part.update) part.update.historyLength = 1;
  return part;
}
