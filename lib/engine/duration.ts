import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `500ms`, `30s`, `5m`, `2h`, `7d` or of a number of them; throws EXPRESSION_FAILED for anything else. */
export function durationMs(value: Json): number {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return Math.round(value);
  if (typeof value === 'string') {
    const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value.trim());
    if (found !== null) return Math.round(Number(found[1]) * (UNITS[found[2] as string] as number));
  }
  throw new AppError(
    'EXPRESSION_FAILED',
    `${JSON.stringify(value)} is no duration; write 500ms, 30s, 5m, 2h or 7d.`,
  );
}

/** Epoch milliseconds of an ISO 8601 time, or of a number of them; throws EXPRESSION_FAILED for anything else. */
export function momentMs(value: Json): number {
  if (typeof value === 'number' && Number.isFinite(value)) return Math.round(value);
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(value)) {
    const ms = Date.parse(value);
    if (!Number.isNaN(ms)) return ms;
  }
  throw new AppError(
    'EXPRESSION_FAILED',
    `${JSON.stringify(value)} is no time; write ISO 8601 such as 2030-01-31T12:00:00Z.`,
  );
}
