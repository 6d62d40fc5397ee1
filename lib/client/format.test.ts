import { describe, expect, it } from 'vitest';
import { age, clockTime, duration, plural, rowTime, shortId } from '@/lib/client/format';

describe('times', () => {
  it('are UTC with milliseconds', () => {
    expect(clockTime('2026-11-20T14:23:45.123Z')).toBe('14:23:45.123');
  });
  it('carry the date once the day has changed', () => {
    const now = Date.parse('2026-11-20T00:00:01Z');
    expect(rowTime('2026-11-20T00:00:00.500Z', now)).toBe('00:00:00.500');
    expect(rowTime('2026-11-19T23:59:59.999Z', now)).toBe('11-19 23:59');
    expect(rowTime('nonsense', now)).toBe('—');
  });
});

describe('duration', () => {
  it.each([
    [-5, '0 ms'],
    [999.4, '999 ms'],
    [1_239, '1.23 s'],
    [59_999, '59.9 s'],
    [60_000, '1 m 00 s'],
    [3_599_999, '59 m 59 s'],
    [7_620_000, '2 h 07 m'],
    [100_000_000, '1 d 03 h'],
  ])('%d ms is %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});

describe('age, ids and counts', () => {
  it('are short', () => {
    expect([0, 1_500, 61_000, 7_200_000, 200_000_000].map(age)).toEqual(['now', '1 s', '1 m', '2 h', '2 d']);
    expect(shortId('01937a3e-0000-7000-8000-00001234abcd')).toBe('1234abcd');
    expect(shortId('short')).toBe('short');
    expect([plural(1, 'event'), plural(1200, 'event')]).toEqual(['1 event', '1,200 events']);
  });
});
