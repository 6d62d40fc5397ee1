import type { Transition } from '@/lib/engine/types';
import { type JsonObject, roughBytes } from '@/lib/shared/json';
import type { CommitPart } from '@/server/ports/execution-store';
import {
  type ChildDeps,
  childClosedEvent,
  insist,
  openClosingWorkflows,
  stopChildRows,
  stopStartingChildren,
} from '@/server/workers/engine/children';
import { emptyPart, rowUpdate } from '@/server/workers/engine/parts';
import { referencesIn } from '@/server/workers/engine/payload-parts';
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
    // They join this part: what a close starts exists if the close does, and only then.
    if (commands.some((command) => command.type === 'START_WORKFLOW'))
      ready = Promise.all([ready, openClosingWorkflows(children, run, transition, part)]);
  }
  // Continued only where there is something to wait for: most parts are ready at once.
  return {
    part,
    ready: ready === null ? handOver(children, run, part) : ready.then(() => handOver(children, run, part)),
  };
}

/**
 * Copies what the part hands to other runs for them, before it joins a commit: everybody's parts in that would wait for it. Null
 * when it refers to nothing.
 */
function handOver(children: ChildDeps, run: ResidentRun, part: CommitPart): Promise<void> | null {
  const { organizationId } = part;
  const told = [...part.inboxAdds, ...part.newRuns.map(({ runId, started }) => ({ runId, data: started }))];
  const contents = told.flatMap(({ runId, data }) =>
    referencesIn(data).map(({ sha256 }) => ({ organizationId, runId, sha256 })),
  );
  return contents.length === 0 ? null : insist(children, run, () => children.store.adopt(contents));
}

/** Waits until the part before this one, and this one, have what they need: parts leave in the order of their events. */
export async function inTurn(run: ResidentRun, ready: Promise<unknown> | null): Promise<void> {
  const gate = Promise.all([run.gate, ready]);
  run.gate = gate;
  await gate;
  if (run.gate === gate) run.gate = null;
}
