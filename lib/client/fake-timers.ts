import type { Timers } from '@/lib/client/timers';

/** Timers moved by hand, for tests. `late` delays every timer, as a busy main thread does. */
export interface FakeTimers extends Timers {
  advance(ms: number): void;
  late: number;
}

/** Starts at time 0. */
export function createFakeTimers(): FakeTimers {
  let now = 0;
  let waiting: { at: number; run: () => void }[] = [];
  const timers: FakeTimers = {
    late: 0,
    now: () => now,
    after: (delayMs, run) => {
      const entry = { at: now + delayMs + timers.late, run };
      waiting.push(entry);
      return () => {
        waiting = waiting.filter((other) => other !== entry);
      };
    },
    advance: (ms) => {
      const end = now + ms;
      for (;;) {
        const next = waiting.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        waiting = waiting.filter((entry) => entry !== next);
        now = next.at;
        next.run();
      }
      now = end;
    },
  };
  return timers;
}
