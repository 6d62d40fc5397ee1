import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';

/** Rereads while waiting: a hint can be lost, or the writer be a process that is not on this bus. Milliseconds, growing. */
const RECHECK_MS = { first: 250, longest: 2_000 };

export interface HintDeps {
  bus: Bus;
  clock: Clock;
  hintChannel: string;
}

/**
 * Reads until there is something, `waitMs` are over or `signal` fires; gives what the last reading gave. Reads again when a
 * message for which `isMine` holds comes over the bus, and now and then without one.
 */
export async function waitForHint<T>(
  deps: HintDeps,
  isMine: (message: unknown) => boolean,
  waitMs: number,
  signal: AbortSignal,
  read: () => Promise<T[]>,
): Promise<T[]> {
  const until = deps.clock.now() + waitMs;
  for (let recheck = RECHECK_MS.first; ; recheck = Math.min(recheck * 2, RECHECK_MS.longest)) {
    // Listening begins before the read, so that what is written in between is not slept through.
    const hint = listen(deps, isMine, signal, Math.min(until, deps.clock.now() + recheck));
    try {
      const items = await read();
      if (items.length > 0 || signal.aborted || deps.clock.now() >= until) return items;
      await hint.fired;
      // Whoever waited has gone, or the process stops and its stores with it: nothing is read any more.
      if (signal.aborted) return [];
    } finally {
      hint.cancel();
    }
  }
}

function listen(deps: HintDeps, isMine: (message: unknown) => boolean, signal: AbortSignal, until: number) {
  let cancel = () => {};
  const fired = new Promise<void>((resolve) => {
    const unsubscribe = deps.bus.subscribe(deps.hintChannel, (message) => {
      if (isMine(message)) cancel();
    });
    const stopTimer = deps.clock.at(until, () => cancel());
    cancel = () => {
      unsubscribe();
      stopTimer();
      signal.removeEventListener('abort', cancel);
      resolve();
    };
    signal.addEventListener('abort', cancel, { once: true });
  });
  return { fired, cancel: () => cancel() };
}
