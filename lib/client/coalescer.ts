import type { Timers } from '@/lib/client/timers';

/** Shortest and longest gap between two flushes, milliseconds. Never slower: a frozen screen lies. */
export const MIN_WINDOW_MS = 16;
export const MAX_WINDOW_MS = 100;
/** A batch of this size, or a timer this late, means that drawing cannot keep up. */
const HEAVY_BATCH = 200;
const LATE_MS = 12;

export interface Coalescer<T> {
  push(items: readonly T[]): void;
  /** The present gap between flushes, milliseconds. */
  windowMs(): number;
  /** Drops what waits and stops the timer. */
  stop(): void;
}

/**
 * Gathers items and hands them on in batches. The first item after a quiet moment is handed on at once;
 * what follows within the window goes out together. Under load the window doubles up to 100 ms and comes
 * back to 16 ms when the load is gone.
 */
export function createCoalescer<T>(timers: Timers, flush: (batch: T[]) => void): Coalescer<T> {
  let waiting: T[] = [];
  let windowMs = MIN_WINDOW_MS;
  let cancel: (() => void) | null = null;

  const arm = () => {
    const due = timers.now() + windowMs;
    cancel = timers.after(windowMs, () => {
      cancel = null;
      adapt(timers.now() - due);
      if (waiting.length > 0) send();
    });
  };

  const adapt = (lateMs: number) => {
    const heavy = lateMs > LATE_MS || waiting.length > HEAVY_BATCH;
    windowMs = heavy ? Math.min(MAX_WINDOW_MS, windowMs * 2) : Math.max(MIN_WINDOW_MS, windowMs / 2);
  };

  const send = () => {
    const batch = waiting;
    waiting = [];
    arm();
    flush(batch);
  };

  return {
    push(items) {
      if (items.length === 0) return;
      for (const item of items) waiting.push(item);
      if (cancel === null) send();
    },
    windowMs: () => windowMs,
    stop() {
      cancel?.();
      cancel = null;
      waiting = [];
    },
  };
}
