import { describe, expect, it } from 'vitest';
import type { Timing } from '@/server/ports/schedule-store';
import { checkTiming, jitterOf, nextTime, nextTimes } from '@/server/services/schedule-times';

const cron = (expression: string, timeZone = 'UTC'): Timing => ({
  cron: expression,
  timeZone,
  everyMs: null,
  offsetMs: 0,
});
const every = (everyMs: number, offsetMs = 0): Timing => ({ cron: null, timeZone: 'UTC', everyMs, offsetMs });
const times = (timing: Timing, after: string, count: number) =>
  nextTimes(timing, Date.parse(after), count).map((time) => new Date(time).toISOString().slice(0, 16));

describe('cron times', () => {
  it.each([
    ['0 9 * * 1-5', 'Europe/Berlin', '2026-11-20T12:00Z', ['2026-11-23T08:00', '2026-11-24T08:00']],
    ['30 6 1 * *', 'Asia/Kolkata', '2026-11-20T12:00Z', ['2026-12-01T01:00', '2027-01-01T01:00']],
    ['@daily', 'America/New_York', '2026-11-20T12:00Z', ['2026-11-21T05:00', '2026-11-22T05:00']],
    ['*/15 * * * *', 'UTC', '2026-11-20T12:00Z', ['2026-11-20T12:15', '2026-11-20T12:30']],
    ['0 12 L * *', 'UTC', '2027-02-01T00:00Z', ['2027-02-28T12:00', '2027-03-31T12:00']],
  ])('%s in %s', (expression, zone, after, expected) => {
    expect(times(cron(expression, zone), after, 2)).toEqual(expected);
  });

  it('a time itself is not after itself', () => {
    const noon = Date.parse('2026-11-20T12:00Z');
    expect(nextTime(cron('0 12 * * *'), noon)).toBe(noon + 86_400_000);
    expect(nextTime(cron('0 12 * * *'), noon - 1)).toBe(noon);
  });

  it.each([
    ['61 * * * *', 'UTC', '/cron'],
    ['* *', 'UTC', '/cron'],
    ['* * * * * * 2030', 'UTC', '/cron'],
    ['2030-01-01T00:00:00', 'UTC', '/cron'],
    ['2030/01/01 12:00', 'UTC', '/cron'],
    ['0 0 31 2 *', 'UTC', '/cron'],
    ['0 0 * * *', 'Mars/Olympus', '/timeZone'],
  ])('%s in %s is refused at %s', (expression, zone, path) => {
    expect(() => checkTiming(cron(expression, zone), Date.parse('2026-11-20T12:00Z'))).toThrow(
      expect.objectContaining({ code: 'INVALID_INPUT', path }),
    );
  });
});

describe('where clocks change', () => {
  // Berlin: 2027-03-28 02:00 → 03:00 (01:00Z); 2026-10-25 03:00 → 02:00 (01:00Z).
  it('spring: a time of day that is jumped over runs once, when the jump ends', () => {
    expect(times(cron('30 2 * * *', 'Europe/Berlin'), '2027-03-27T12:00Z', 2)).toEqual([
      '2027-03-28T01:00',
      '2027-03-29T00:30',
    ]);
    expect(times(cron('15,45 2 * * *', 'Europe/Berlin'), '2027-03-27T12:00Z', 3)).toEqual([
      '2027-03-28T01:00',
      '2027-03-29T00:15',
      '2027-03-29T00:45',
    ]);
  });

  it('spring: a rhythm goes on by elapsed time', () => {
    expect(times(cron('*/30 * * * *', 'Europe/Berlin'), '2027-03-28T00:00Z', 4)).toEqual([
      '2027-03-28T00:30',
      '2027-03-28T01:00',
      '2027-03-28T01:30',
      '2027-03-28T02:00',
    ]);
  });

  it('autumn: a time of day that comes twice runs the first time only', () => {
    expect(times(cron('30 2 * * *', 'Europe/Berlin'), '2026-10-24T12:00Z', 2)).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
    // Asked for from between the two half past twos.
    expect(times(cron('15,45 2 * * *', 'Europe/Berlin'), '2026-10-25T01:00Z', 1)).toEqual([
      '2026-10-26T01:15',
    ]);
  });

  it('autumn: a rhythm goes on by elapsed time', () => {
    expect(times(cron('0 * * * *', 'Europe/Berlin'), '2026-10-24T23:30Z', 4)).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
      '2026-10-25T03:00',
    ]);
  });

  it('over a year with both changes every day has exactly one run', () => {
    const year = nextTimes(cron('30 2 * * *', 'Europe/Berlin'), Date.parse('2026-12-31T12:00Z'), 365);
    const days = year.map((at) => new Date(at).toLocaleDateString('sv', { timeZone: 'Europe/Berlin' }));
    expect(new Set(days).size).toBe(365);
    expect([days[0], days.at(-1)]).toEqual(['2027-01-01', '2027-12-31']);
  });
});

describe('intervals', () => {
  it('count from 1970, moved by the offset', () => {
    expect(times(every(3_600_000, 600_000), '2026-11-20T12:15Z', 2)).toEqual([
      '2026-11-20T13:10',
      '2026-11-20T14:10',
    ]);
    expect(times(every(3_600_000, 600_000), '2026-11-20T12:09Z', 1)).toEqual(['2026-11-20T12:10']);
  });
});

describe('jitter', () => {
  it('is the same each time, within bounds, and spreads', () => {
    const drawn = Array.from({ length: 1_000 }, (_, i) => jitterOf('a', i * 60_000, 10_000));
    expect(drawn).toEqual(Array.from({ length: 1_000 }, (_, i) => jitterOf('a', i * 60_000, 10_000)));
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(10_000);
    const mean = drawn.reduce((sum, ms) => sum + ms, 0) / drawn.length;
    expect(mean).toBeGreaterThan(4_000);
    expect(mean).toBeLessThan(6_000);
    expect(jitterOf('a', 60_000, 0)).toBe(0);
  });
});
