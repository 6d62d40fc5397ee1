import { create } from 'zustand';
import { nodePathsOf } from '@/lib/client/event-data';
import { advanceRow, beginsRun, closesRun, rowFromStart, statusAfter } from '@/lib/client/run-events';
import type { AppError } from '@/lib/protocol/errors';
import type { StreamEvent } from '@/lib/protocol/event';
import type { RunSummary } from '@/lib/protocol/run';

/** Rows that the browser keeps; older ones are read again when they are scrolled to. */
const MAX_RUNS = 5_000;

/** A run as the list shows it. */
export interface RunRow extends RunSummary {
  /** Node of the newest event seen live, or null. */
  at: string | null;
}

export interface RunsState {
  byId: ReadonlyMap<string, RunRow>;
  /** Run ids, newest first (UUIDv7: the id itself is the order). */
  order: readonly string[];
  load: 'loading' | 'ready' | 'error';
  error: AppError | null;
  /** Where older runs go on, or null when all are here. */
  nextCursor: string | null;
  loadingMore: boolean;
}

/** The list of runs. */
export const useRuns = create<RunsState>(() => ({
  byId: new Map(),
  order: [],
  load: 'loading',
  error: null,
  nextCursor: null,
  loadingMore: false,
}));

function sorted(byId: ReadonlyMap<string, RunRow>): string[] {
  return [...byId.values()]
    .sort((a, b) =>
      a.createdAt === b.createdAt ? (a.runId < b.runId ? 1 : -1) : a.createdAt < b.createdAt ? 1 : -1,
    )
    .map((row) => row.runId);
}

/**
 * Puts rows from the server into the list. A row that has seen newer events than the answer stays as it is.
 */
export function mergeRuns(state: RunsState, rows: readonly RunSummary[]): Pick<RunsState, 'byId' | 'order'> {
  const byId = new Map(state.byId);
  for (const row of rows) {
    const known = byId.get(row.runId);
    if (known && known.historyLength > row.historyLength) continue;
    byId.set(row.runId, { ...row, at: known?.at ?? null });
  }
  const order = sorted(byId);
  for (const id of order.splice(MAX_RUNS)) byId.delete(id);
  return { byId, order };
}

/**
 * What a batch of events did to the list. What is counted is counted by the events, of which the stream hands each on
 * once: a read may have brought the row before its event came.
 */
export interface RunsDelta {
  started: number;
  completed: number;
  failed: number;
  /** Runs that the list does not hold: the list must be read again to show them. */
  unknown: boolean;
  /** True when a run closed: its exact figures should be read. */
  closed: boolean;
}

/** Applies a batch of events to the list: one new state, whatever the size of the batch. */
export function applyToRuns(items: readonly StreamEvent[]): RunsDelta {
  const delta: RunsDelta = { started: 0, completed: 0, failed: 0, unknown: false, closed: false };
  const state = useRuns.getState();
  const byId = new Map(state.byId);
  let added = false;
  for (const item of items) {
    const { event } = item;
    const known = byId.get(event.runId);
    if (beginsRun(event.type)) delta.started++;
    if (beginsRun(event.type) && !known) {
      byId.set(event.runId, { ...rowFromStart(item), at: null });
      added = true;
      continue;
    }
    if (!known) {
      delta.unknown = true;
      continue;
    }
    if (closesRun(event.type)) {
      const status = statusAfter(event.type);
      if (status === 'completed') delta.completed++;
      else if (status !== 'cancelled' && status !== 'continued_as_new') delta.failed++;
    }
    const next = advanceRow(known, event);
    if (next === known) continue;
    byId.set(event.runId, { ...next, at: nodePathsOf(event.data)[0] ?? known.at });
    if (closesRun(event.type)) delta.closed = true;
  }
  const order = added ? sorted(byId) : state.order;
  if (added) for (const id of (order as string[]).splice(MAX_RUNS)) byId.delete(id);
  useRuns.setState({ byId, order });
  return delta;
}
