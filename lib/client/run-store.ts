import { create } from 'zustand';
import { advanceRun, replayOver } from '@/lib/client/node-events';
import { appendBounded } from '@/lib/client/ring-buffer';
import { beginsRun, rowFromStart } from '@/lib/client/run-events';
import type { AppError } from '@/lib/protocol/errors';
import type { StreamEvent, WorkflowEventRecord } from '@/lib/protocol/event';
import type { RunDetail } from '@/lib/protocol/run';

/** Events of the open run that the browser keeps. */
const MAX_EVENTS = 5_000;

export interface RunState {
  /** The open run, or null. */
  runId: string | null;
  detail: RunDetail | null;
  load: 'loading' | 'ready' | 'error';
  error: AppError | null;
  /** Ascending by seq, without holes, except that the oldest may have fallen out. */
  events: readonly WorkflowEventRecord[];
  eventsLoad: 'loading' | 'ready' | 'error';
}

const CLOSED: RunState = {
  runId: null,
  detail: null,
  load: 'loading',
  error: null,
  events: [],
  eventsLoad: 'loading',
};

/** The open run. */
export const useRun = create<RunState>(() => CLOSED);

/** Opens a run (empty until read), or closes the open one with null. */
export function setOpenRun(runId: string | null): void {
  if (useRun.getState().runId !== runId) useRun.setState({ ...CLOSED, runId });
}

/**
 * Takes the server's view of the open run, with the events on top that it does not contain yet.
 * @returns false when the view is older than the screen and cannot be brought up to it: read again.
 */
export function takeSnapshot(snapshot: RunDetail): boolean {
  const state = useRun.getState();
  if (state.runId !== snapshot.runId) return true;
  if (state.detail && state.detail.historyLength > snapshot.historyLength) {
    const newer = state.events.filter((event) => event.seq > snapshot.historyLength);
    if (newer[0]?.seq !== snapshot.historyLength + 1) return false;
  }
  useRun.setState({ detail: replayOver(snapshot, state.events), load: 'ready', error: null });
  return true;
}

/**
 * Adds events of the open run, from the stream or from a read, in any order and with repeats. Events that would
 * leave a hole are left out.
 * @returns true when a hole is there: the events after the last known seq must be read.
 */
export function takeEvents(runId: string, added: readonly WorkflowEventRecord[]): boolean {
  const state = useRun.getState();
  if (state.runId !== runId) return false;
  const fresh: WorkflowEventRecord[] = [];
  let last = state.events.at(-1)?.seq ?? 0;
  let hole = false;
  for (const event of [...added].sort((a, b) => a.seq - b.seq)) {
    if (event.seq <= last) continue;
    if (event.seq > last + 1) {
      hole = true;
      break;
    }
    fresh.push(event);
    last = event.seq;
  }
  if (fresh.length > 0) useRun.setState({ events: appendBounded(state.events, fresh, MAX_EVENTS) });
  return hole;
}

/**
 * Applies a batch of the stream to the open run.
 * @returns whether the run was in the batch, and whether its list of events has a hole.
 */
export function applyToRun(items: readonly StreamEvent[]): { touched: boolean; hole: boolean } {
  const { runId } = useRun.getState();
  const events = items.filter((item) => item.event.runId === runId).map((item) => item.event);
  if (runId === null || events.length === 0) return { touched: false, hole: false };
  const hole = takeEvents(runId, events);
  const before = useRun.getState().detail ?? firstDetail(items, runId);
  if (before) {
    let next = before;
    for (const event of events) next = advanceRun(next, event);
    useRun.setState({ detail: next, load: 'ready' });
  }
  return { touched: true, hole };
}

/** A run that began in this batch needs no read to be shown. */
function firstDetail(items: readonly StreamEvent[], runId: string): RunDetail | null {
  const first = items.find((item) => item.event.runId === runId && beginsRun(item.event.type));
  if (!first) return null;
  return { ...rowFromStart(first), input: first.event.data.input ?? null, output: null, nodes: [] };
}
