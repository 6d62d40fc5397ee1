import type { Clock } from '@/lib/shared/clock';

const LONGEST_MS = 1_000;

/**
 * Waits before something that did not work is tried again: `firstMs` after the first try, twice as long after each further
 * one, a second at most.
 *
 * @param attempt tries before this one that failed too: 0 after the first
 */
export function backOff(clock: Clock, attempt: number, firstMs = 25): Promise<void> {
  const next = clock.now() + Math.min(LONGEST_MS, firstMs * 2 ** attempt);
  return new Promise((resolve) => clock.at(next, resolve));
}
