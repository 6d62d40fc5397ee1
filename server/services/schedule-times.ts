import { Cron } from 'croner';
import { AppError } from '@/lib/protocol/errors';
import type { Timing } from '@/server/ports/schedule-store';

/**
 * When schedules run. Cron expressions are read in the schedule's time zone. Where clocks change:
 *
 * - An expression that names its hours and minutes (no `*`, no step) means a time of day. A time that the clock jumps
 *   over in spring is run once, at the end of the jump; one that comes twice in autumn is run the first time only.
 * - Any other expression means a rhythm, and follows elapsed time: every half hour stays every half hour.
 */

const DATE = /^\d{4}-\d\d/;
const parsed = new Map<string, Cron>();

/** Throws INVALID_INPUT at /timeZone. */
export function checkZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch {
    throw new AppError('INVALID_INPUT', `"${timeZone}" is not an IANA time zone, such as Europe/Berlin.`, {
      path: '/timeZone',
    });
  }
}

/** Reads a cron expression and a time zone. Throws INVALID_INPUT at /cron or /timeZone. */
function cronOf(expression: string, timeZone: string): Cron {
  const key = `${timeZone}\n${expression}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  checkZone(timeZone);
  let cron: Cron;
  try {
    // A single date is valid to the library, which takes anything with a colon for one, but it is no schedule.
    if (DATE.test(expression) || expression.includes(':')) throw new Error('a date is not a repeating time');
    cron = new Cron(expression, { timezone: timeZone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' });
  } catch (error) {
    const why = (error as Error).message.replace(/^CronPattern: /, '');
    throw new AppError('INVALID_INPUT', `"${expression}" is not a cron expression: ${why}`, {
      path: '/cron',
    });
  }
  if (parsed.size > 1_000) parsed.clear();
  parsed.set(key, cron);
  return cron;
}

/** The first time after `after` (epoch milliseconds), or null when there is none. Throws INVALID_INPUT. */
export function nextTime(timing: Timing, after: number): number | null {
  const { cron, timeZone, everyMs, offsetMs } = timing;
  if (cron !== null) return cronOf(cron, timeZone).nextRun(new Date(after))?.getTime() ?? null;
  if (everyMs === null) return null;
  return (Math.floor((after - offsetMs) / everyMs) + 1) * everyMs + offsetMs;
}

/** The next `count` times after `after`, fewer when there are no more. Throws INVALID_INPUT. */
export function nextTimes(timing: Timing, after: number, count: number): number[] {
  const times: number[] = [];
  let last: number | null = after;
  while (times.length < count && last !== null) {
    last = nextTime(timing, last);
    if (last !== null) times.push(last);
  }
  return times;
}

/** Throws INVALID_INPUT at /cron when an expression can never come true, or is no expression. */
export function checkTiming(timing: Timing, now: number): void {
  if (nextTime(timing, now) === null) {
    throw new AppError('INVALID_INPUT', `"${timing.cron}" never comes again.`, { path: '/cron' });
  }
}

/** Delay of one start, from 0 to `jitterMs`: the same for a schedule and a time in every process. */
export function jitterOf(scheduleId: string, nominalAt: number, jitterMs: number): number {
  if (jitterMs === 0) return 0;
  let hash = 0x811c9dc5;
  for (const char of `${scheduleId}:${nominalAt}`) {
    hash ^= char.charCodeAt(0);
    hash = Math.imul(hash, 0x01000193);
  }
  // FNV leaves neighbouring inputs close in the low bits: mix them once more.
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return ((hash ^ (hash >>> 13)) >>> 0) % (jitterMs + 1);
}
