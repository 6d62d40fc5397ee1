import { durationTextMs, MAX_DURATION_MS } from '@/lib/protocol/definition-common';
import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';
import { LAST_TIME_MS } from '@/lib/shared/time';

/**
 * Milliseconds of `500ms`, `30s`, `5m`, `2h`, `7d` or of a number of them, 100 years at most: a longer one, from an expression
 * or from a definition of the time before this limit, counts as 100 years. Throws EXPRESSION_FAILED for anything else.
 */
export function durationMs(value: Json): number {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value))
    return Math.min(Math.round(value), MAX_DURATION_MS);
  const ms = typeof value === 'string' ? durationTextMs(value.trim()) : null;
  if (ms !== null) return Math.min(ms, MAX_DURATION_MS);
  throw new AppError(
    'EXPRESSION_FAILED',
    `${JSON.stringify(value)} is no duration; write 500ms, 30s, 5m, 2h or 7d.`,
  );
}

/**
 * Epoch milliseconds of an ISO 8601 time, or of a number of them; one after the year 9999 counts as its end. Throws
 * EXPRESSION_FAILED for anything else.
 */
export function momentMs(value: Json): number {
  if (typeof value === 'number' && Number.isFinite(value)) return Math.min(Math.round(value), LAST_TIME_MS);
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(value)) {
    const ms = Date.parse(value);
    if (!Number.isNaN(ms)) return Math.min(ms, LAST_TIME_MS);
  }
  throw new AppError(
    'EXPRESSION_FAILED',
    `${JSON.stringify(value)} is no time; write ISO 8601 such as 2030-01-31T12:00:00Z.`,
  );
}
