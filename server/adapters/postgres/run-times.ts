import { uuidv7 } from '@/lib/shared/ids';

/** How far the clock that made a run's id and the database's clock may be apart. */
const CLOCK_SLACK_MS = 60_000;

/**
 * Runs made at a time or later have ids from this one on: a time narrows a scan by the run id (UUIDv7, which the indexes are sorted
 * by), and `created_at`, which no index has, is compared only for what is left.
 *
 * @param ms epoch milliseconds
 */
export function idAtLeast(ms: number): string {
  return floorOf(ms - CLOCK_SLACK_MS);
}

/** Runs made before a time (epoch milliseconds) have smaller ids than this one. */
export function idBelow(ms: number): string {
  return floorOf(ms + CLOCK_SLACK_MS);
}

function floorOf(ms: number): string {
  return uuidv7(Math.max(0, ms), new Uint8Array(10));
}
