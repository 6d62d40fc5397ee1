import { describe, expect, it } from 'vitest';
import { createCoalescer, MAX_WINDOW_MS, MIN_WINDOW_MS } from '@/lib/client/coalescer';
import { createFakeTimers } from '@/lib/client/fake-timers';

function setup() {
  const timers = createFakeTimers();
  const batches: number[][] = [];
  const coalescer = createCoalescer<number>(timers, (batch) => batches.push(batch));
  return { timers, batches, coalescer };
}

describe('createCoalescer', () => {
  it('hands the first item on at once', () => {
    const { batches, coalescer } = setup();
    coalescer.push([1]);
    expect(batches).toEqual([[1]]);
  });
  it('gathers what follows for 16 ms and keeps the order', () => {
    const { timers, batches, coalescer } = setup();
    coalescer.push([1]);
    coalescer.push([2]);
    timers.advance(10);
    coalescer.push([3, 4]);
    expect(batches).toEqual([[1]]);
    timers.advance(6);
    expect(batches).toEqual([[1], [2, 3, 4]]);
  });
  it('is immediate again after a quiet window', () => {
    const { timers, batches, coalescer } = setup();
    coalescer.push([1]);
    timers.advance(MIN_WINDOW_MS);
    coalescer.push([2]);
    expect(batches).toEqual([[1], [2]]);
  });
  it('slows down to 100 ms when timers come late, and no further', () => {
    const { timers, batches, coalescer } = setup();
    timers.late = 40;
    for (let i = 0; i < 100; i++) {
      coalescer.push([i]);
      timers.advance(10);
    }
    expect(coalescer.windowMs()).toBe(MAX_WINDOW_MS);
    timers.advance(200);
    expect(batches.flat()).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });
  it('slows down when batches are large and recovers', () => {
    const { timers, coalescer } = setup();
    coalescer.push([0]);
    coalescer.push(Array.from({ length: 500 }, (_, i) => i));
    timers.advance(MIN_WINDOW_MS);
    expect(coalescer.windowMs()).toBe(2 * MIN_WINDOW_MS);
    timers.advance(1000);
    expect(coalescer.windowMs()).toBe(MIN_WINDOW_MS);
  });
  it('forgets what waits when it is stopped', () => {
    const { timers, batches, coalescer } = setup();
    coalescer.push([1]);
    coalescer.push([2]);
    coalescer.stop();
    timers.advance(1000);
    expect(batches).toEqual([[1]]);
  });
});
