/** First and last moment that ISO 8601 writes with a year of four digits, in epoch milliseconds. */
export const FIRST_TIME_MS = -62_135_596_800_000;
export const LAST_TIME_MS = 253_402_300_799_999;

/**
 * ISO 8601 (UTC) of epoch milliseconds, for times out of histories: one outside the years 1 to 9999 is written as the nearest
 * moment within them, so that it never throws.
 */
export function isoTime(ms: number): string {
  return new Date(Math.min(Math.max(ms || 0, FIRST_TIME_MS), LAST_TIME_MS)).toISOString();
}
