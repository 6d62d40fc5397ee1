import type { Transition } from '@/lib/engine/types';
import { type JsonObject, roughBytes } from '@/lib/shared/json';
import type { CommitPart } from '@/server/ports/execution-store';
import {
  type ChildDeps,
  childClosedEvent,
  openClosingWorkflows,
  stopChildRows,
  stopStartingChildren,
} from '@/server/workers/engine/children';
import { emptyPart, rowUpdate } from '@/server/workers/engine/parts';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

/** A part on its way. `ready` settles when it holds all that has to join it; null when it does already. */
export interface PreparedPart {
  part: CommitPart;
  ready: Promise<unknown> | null;
}

/** What a transition writes: events numbered from here on, the run's row, and what others are told in the same commit. */
export function preparePart(
  children: ChildDeps,
  run: ResidentRun,
  transition: Transition,
  inboxId: number | undefined,
  now: number,
): PreparedPart {
  const first = run.seq + 1;
  const { organizationId, runId, shard } = run.info;
  const part = emptyPart({ organizationId, runId, shard, epoch: run.epoch });
  run.correlationId ??= transition.state.correlationId ?? transition.state.runId;
  part.correlationId = run.correlationId;
  part.events = transition.events.map((event, i) => ({
    seq: ++run.seq,
    type: event.type,
    at: event.at,
    data: event.data as unknown as JsonObject,
    causationSeq: i === 0 ? null : first,
  }));
  for (const { data } of part.events) run.bytes += roughBytes(data);
  if (inboxId !== undefined) part.inboxDone = [inboxId];
  part.update = rowUpdate(run, transition, now);
  const { commands } = transition;
  part.inboxAdds.push(...stopChildRows(children, run, commands));
  let ready: Promise<unknown> | null = stopStartingChildren(children, run, commands, part);
  const closing = commands.find((command) => command.type === 'CLOSE_RUN');
  if (closing) {
    const parentEvent = childClosedEvent(run, transition.state, closing);
    if (parentEvent) part.inboxAdds.push(parentEvent);
    // Started before the close is committed and under an idempotency key: a crash between the two repeats it harmlessly.
    if (commands.some((command) => command.type === 'START_WORKFLOW'))
      ready = Promise.all([ready, openClosingWorkflows(children, run, transition, part)]);
  }
  return { part, ready };
}

/** Waits until the part before this one, and this one, have what they need: parts leave in the order of their events. */
export async function inTurn(run: ResidentRun, ready: Promise<unknown> | null): Promise<void> {
  const gate = Promise.all([run.gate, ready]);
  run.gate = gate;
  await gate;
  if (run.gate === gate) run.gate = null;
}
