import { create } from 'zustand';
import { createAnnouncer } from '@/lib/client/announcer';
import { createCoalescer } from '@/lib/client/coalescer';
import { notify, useConnection } from '@/lib/client/connection-store';
import { plural } from '@/lib/client/format';
import { LiveConnection } from '@/lib/client/live-connection';
import { getRun, listEvents, listRuns } from '@/lib/client/rest';
import { applyToRun, setOpenRun, takeEvents, takeSnapshot, useRun } from '@/lib/client/run-store';
import { applyToRuns, mergeRuns, useRuns } from '@/lib/client/runs-store';
import { createSocket } from '@/lib/client/socket';
import { createThrottle } from '@/lib/client/throttle';
import { browserTimers as timers } from '@/lib/client/timers';
import { toAppError } from '@/lib/protocol/errors';
import type { StreamEvent } from '@/lib/protocol/event';
import type { RunStatus } from '@/lib/protocol/run';

/**
 * Ties the live stream and the REST reads to the stores. Events are applied at once; reads follow, throttled,
 * and put right whatever an event did not tell.
 */

/** At most four reads a second of the open run, and one of the list in two seconds. */
const RUN_GAP_MS = 250;
const LIST_GAP_MS = 2_000;

/** Text of the polite live region. */
export const useAnnouncement = create<{ text: string }>(() => ({ text: '' }));
const announcer = createAnnouncer(timers, (text) => useAnnouncement.setState({ text }));

const rereadRun = createThrottle(timers, RUN_GAP_MS, () => void readRun());
const rereadRuns = createThrottle(timers, LIST_GAP_MS, () => void readRuns());
const rereadEvents = createThrottle(timers, RUN_GAP_MS, () => void readEvents());

const coalescer = createCoalescer<StreamEvent>(timers, (batch) => {
  useConnection.setState((state) => ({ lastEventAt: timers.now(), events: state.events + batch.length }));
  const delta = applyToRuns(batch);
  announcer.count(delta);
  if (delta.unknown || delta.closed) rereadRuns.request();
  const run = applyToRun(batch);
  if (run.touched) rereadRun.request();
  if (run.hole) rereadEvents.request();
});

/** Reads the newest page of runs into the list. */
export async function readRuns(status?: RunStatus): Promise<void> {
  try {
    const page = await listRuns(status === undefined ? {} : { status });
    useRuns.setState((state) => ({
      ...mergeRuns(state, page.items),
      load: 'ready',
      error: null,
      nextCursor: state.load === 'ready' ? state.nextCursor : page.nextCursor,
    }));
  } catch (error) {
    useRuns.setState((state) => ({
      load: state.order.length > 0 ? 'ready' : 'error',
      error: toAppError(error),
    }));
  }
}

/** Reads the next page of older runs, if there is one and no read is under way. */
export async function readOlderRuns(): Promise<void> {
  const { nextCursor, loadingMore } = useRuns.getState();
  if (nextCursor === null || loadingMore) return;
  useRuns.setState({ loadingMore: true });
  try {
    const page = await listRuns({ cursor: nextCursor });
    useRuns.setState((state) => ({
      ...mergeRuns(state, page.items),
      nextCursor: page.nextCursor,
      loadingMore: false,
    }));
  } catch (error) {
    useRuns.setState({ loadingMore: false, error: toAppError(error) });
  }
}

async function readRun(): Promise<void> {
  const { runId } = useRun.getState();
  if (runId === null) return;
  try {
    if (!takeSnapshot(await getRun(runId))) rereadRun.request();
  } catch (error) {
    if (useRun.getState().runId !== runId) return;
    useRun.setState((state) => ({ load: state.detail ? 'ready' : 'error', error: toAppError(error) }));
  }
}

async function readEvents(): Promise<void> {
  const { runId } = useRun.getState();
  if (runId === null) return;
  try {
    for (;;) {
      const after = useRun.getState().events.at(-1)?.seq ?? 0;
      const page = await listEvents(runId, after);
      if (useRun.getState().runId !== runId) return;
      takeEvents(runId, page.items);
      if (page.nextCursor === null || page.items.length === 0) break;
    }
    useRun.setState({ eventsLoad: 'ready' });
  } catch {
    if (useRun.getState().runId === runId) useRun.setState({ eventsLoad: 'error' });
  }
}

/** Opens a run in the detail panel and keeps it up to date; null closes it. */
export function openRun(runId: string | null): void {
  if (useRun.getState().runId === runId) return;
  setOpenRun(runId);
  if (runId === null) return;
  void readRun();
  void readEvents();
}

/** Reads everything that is shown again. */
function resync(): void {
  rereadRuns.request();
  rereadRun.request();
  rereadEvents.request();
}

let connection: LiveConnection | null = null;

/** Connects the page to the live stream; the result disconnects it. */
export function startLive(): () => void {
  if (connection !== null) return () => undefined;
  const started = new LiveConnection(
    createSocket(),
    'runs',
    {
      onPhase(phase, reason) {
        const before = useConnection.getState();
        const lostAt = phase === 'live' ? null : (before.lostAt ?? timers.now());
        useConnection.setState({ phase, reason, lostAt });
        if (phase !== before.phase && phase === 'offline' && before.phase !== 'connecting') {
          announcer.say('Connection lost. What is shown may be out of date.');
        }
      },
      onEvents: (items) => coalescer.push(items),
      onResync: resync,
      onReplayed(count) {
        const text = `Reconnected: ${plural(count, 'event')} replayed`;
        notify(text);
        announcer.say(`${text}.`);
      },
      onLatency: (latencyMs) => useConnection.setState({ latencyMs }),
    },
    timers,
  );
  connection = started;
  // The list is read at once: with the stream down it still shows what is known, or says what is wrong.
  rereadRuns.request();
  return () => {
    started.close();
    coalescer.stop();
    connection = null;
  };
}

/** Reads and checks every stream now, and says so. */
export async function refreshAll(): Promise<void> {
  connection?.refresh();
  await Promise.all([readRuns(), readRun(), readEvents()]);
  const streams = useRun.getState().runId === null ? 1 : 3;
  const failed = useRuns.getState().error ?? useRun.getState().error;
  const text = failed ? `Refresh failed: ${failed.message}` : `${plural(streams, 'stream')} refreshed`;
  notify(text);
  announcer.say(`${text}.`);
}
