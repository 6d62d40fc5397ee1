import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MAX_ATTEMPTS, waitBeforeNext } from '@/server/services/webhook-backoff';

it('triples from the base up to six hours and ends after a day and some hours', () => {
  const waits: number[] = [];
  for (let attempts = 1; ; attempts++) {
    const wait = waitBeforeNext(attempts, 5_000, 0.5, null);
    if (wait === null) break;
    waits.push(wait);
  }
  expect(waits.slice(0, 4)).toEqual([5_000, 15_000, 45_000, 135_000]);
  expect(Math.max(...waits)).toBe(6 * 3_600_000);
  expect(waits).toHaveLength(MAX_ATTEMPTS - 1);
  const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000;
  expect(hours).toBeGreaterThan(24);
  expect(hours).toBeLessThan(36);
});

it('varies by a fifth at most, and waits as long as the receiver asks, within an hour', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: MAX_ATTEMPTS - 1 }),
      fc.integer({ min: 10, max: 60_000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.option(fc.integer({ min: 0, max: 10_000_000 })),
      (attempts, base, random, asked) => {
        const middle = waitBeforeNext(attempts, base, 0.5, null) ?? 0;
        const wait = waitBeforeNext(attempts, base, random, asked) ?? 0;
        expect(wait).toBeGreaterThanOrEqual(
          Math.max(Math.floor(middle * 0.8), Math.min(asked ?? 0, 3_600_000)),
        );
        expect(wait).toBeLessThanOrEqual(Math.max(Math.ceil(middle * 1.2), 3_600_000));
      },
    ),
  );
});
