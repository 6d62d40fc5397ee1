'use client';

import { useSyncExternalStore } from 'react';

/** One shared ticker per period, so that a hundred running rows cost one timer and draw in one pass. */
interface Ticker {
  now: number;
  listeners: Set<() => void>;
  subscribe: (listener: () => void) => () => void;
}

const tickers = new Map<number, Ticker>();

function ticker(periodMs: number): Ticker {
  const known = tickers.get(periodMs);
  if (known) return known;
  let timer: ReturnType<typeof setInterval> | undefined;
  const made: Ticker = {
    now: Date.now(),
    listeners: new Set(),
    subscribe: (listener) => {
      made.listeners.add(listener);
      timer ??= setInterval(() => {
        made.now = Date.now();
        for (const each of made.listeners) each();
      }, periodMs);
      return () => {
        made.listeners.delete(listener);
        if (made.listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
  tickers.set(periodMs, made);
  return made;
}

/** The time, renewed every `periodMs`. 0 on the server and in the first drawing, so that both agree. */
export function useNow(periodMs: number): number {
  const source = ticker(periodMs);
  return useSyncExternalStore(
    source.subscribe,
    () => source.now,
    () => 0,
  );
}
