import { describe, expect, it } from 'vitest';
import { TokenBucket } from '@/server/adapters/mcp/token-bucket';

function handClock() {
  let now = 0;
  let timers: Array<{ at: number; run: () => void }> = [];
  return {
    now: () => now,
    at: (at: number, run: () => void) => {
      const timer = { at, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async to(time: number) {
      for (;;) {
        const next = timers.filter((timer) => timer.at <= time).sort((left, right) => left.at - right.at)[0];
        if (next === undefined) break;
        now = Math.max(now, next.at);
        timers = timers.filter((other) => other !== next);
        next.run();
        await Promise.resolve();
      }
      now = time;
      await Promise.resolve();
    },
  };
}

const never = new AbortController().signal;

describe('TokenBucket', () => {
  it('lets a burst through at once and the rest at the rate, in order', async () => {
    const clock = handClock();
    const bucket = new TokenBucket(clock, 10, 3);
    const started: Array<[number, number]> = [];
    for (let n = 0; n < 6; n++) void bucket.take(never).then(() => started.push([n, clock.now()]));
    await clock.to(50);
    expect(started.map(([n]) => n)).toEqual([0, 1, 2]);
    await clock.to(1000);
    expect(started.slice(3)).toEqual([
      [3, 100],
      [4, 200],
      [5, 300],
    ]);
  });

  it('passes over those that gave up', async () => {
    const clock = handClock();
    const bucket = new TokenBucket(clock, 1, 1);
    await bucket.take(never);
    const controller = new AbortController();
    const gaveUp = bucket.take(controller.signal);
    let served = 0;
    const patient = bucket.take(never).then(() => {
      served = clock.now();
    });
    controller.abort('enough');
    await expect(gaveUp).rejects.toBe('enough');
    await clock.to(5000);
    await patient;
    expect(served).toBe(1000);
  });
});
