import { describe, expect, it } from 'vitest';
import { createFakeTimers } from '@/lib/client/fake-timers';
import { appendBounded } from '@/lib/client/ring-buffer';
import { createThrottle } from '@/lib/client/throttle';

describe('createThrottle', () => {
  it('runs at once, then at most once in the gap, and keeps the last request', () => {
    const timers = createFakeTimers();
    const at: number[] = [];
    const throttle = createThrottle(timers, 250, () => at.push(timers.now()));
    throttle.request();
    throttle.request();
    timers.advance(100);
    throttle.request();
    timers.advance(1000);
    expect(at).toEqual([0, 250]);
    throttle.request();
    expect(at).toEqual([0, 250, 1100]);
  });
  it('runs no more once stopped', () => {
    const timers = createFakeTimers();
    let calls = 0;
    const throttle = createThrottle(timers, 250, () => calls++);
    throttle.request();
    throttle.request();
    throttle.stop();
    timers.advance(1000);
    expect(calls).toBe(1);
  });
});

describe('appendBounded', () => {
  it('drops the oldest past the limit', () => {
    expect(appendBounded([1, 2, 3], [4, 5], 4)).toEqual([2, 3, 4, 5]);
    expect(appendBounded([1], [2, 3, 4, 5, 6], 3)).toEqual([4, 5, 6]);
  });
  it('keeps identity when nothing is added', () => {
    const items = [1, 2];
    expect(appendBounded(items, [], 3)).toBe(items);
  });
});
