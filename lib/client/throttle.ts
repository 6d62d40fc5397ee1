import type { Timers } from '@/lib/client/timers';

export interface Throttle {
  /** Asks for a call: at once when the gap has passed, else once at its end. */
  request(): void;
  stop(): void;
}

/** Calls `run` at most once in `gapMs`; a request inside the gap is kept, not dropped. */
export function createThrottle(timers: Timers, gapMs: number, run: () => void): Throttle {
  let last = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | null = null;
  const fire = () => {
    cancel = null;
    last = timers.now();
    run();
  };
  return {
    request() {
      if (cancel !== null) return;
      const wait = last + gapMs - timers.now();
      if (wait <= 0) fire();
      else cancel = timers.after(wait, fire);
    },
    stop() {
      cancel?.();
      cancel = null;
    },
  };
}
