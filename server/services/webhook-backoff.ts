/** Attempts of one delivery before it counts as failed; with the usual first wait they span about 28 hours. */
export const MAX_ATTEMPTS = 13;
const FACTOR = 3;
const LONGEST_MS = 6 * 3_600_000;
/** A receiver may ask for at most this much patience with Retry-After. */
const LONGEST_ASKED_MS = 3_600_000;
/** Waits vary by this share, so that what failed together is not tried together again. */
const JITTER = 0.2;

/**
 * Milliseconds until the next attempt, or null when there will be none: 5 s, 15 s, 45 s … up to six hours.
 *
 * @param attempts attempts made so far, at least 1
 * @param baseMs the first wait
 * @param random in [0, 1)
 * @param askedMs what the receiver asked for (Retry-After), or null
 */
export function waitBeforeNext(
  attempts: number,
  baseMs: number,
  random: number,
  askedMs: number | null,
): number | null {
  if (attempts >= MAX_ATTEMPTS) return null;
  const plain = Math.min(baseMs * FACTOR ** (attempts - 1), LONGEST_MS);
  const wait = Math.round(plain * (1 - JITTER + 2 * JITTER * random));
  return Math.max(wait, Math.min(askedMs ?? 0, LONGEST_ASKED_MS));
}
