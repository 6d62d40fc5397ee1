import { describe, expect, it } from 'vitest';
import { Limiter } from '@/server/adapters/mcp/limiter';

const never = new AbortController().signal;

describe('Limiter', () => {
  it('grants up to the limit and then in order of arrival', async () => {
    const limiter = new Limiter(2);
    const first = limiter.tryAcquire();
    const second = limiter.tryAcquire();
    expect(first).toBeDefined();
    expect(limiter.tryAcquire()).toBeUndefined();
    const order: string[] = [];
    const a = limiter.acquire(never).finally(() => order.push('a'));
    const b = limiter.acquire(never).finally(() => order.push('b'));
    expect(limiter.load).toEqual({ held: 2, waiting: 2 });
    first?.();
    first?.();
    (await a)();
    (await b)();
    second?.();
    expect(order).toEqual(['a', 'b']);
    expect(limiter.load).toEqual({ held: 0, waiting: 0 });
  });

  it('passes over those that gave up', async () => {
    const limiter = new Limiter(1);
    const release = limiter.tryAcquire();
    const controller = new AbortController();
    const gaveUp = limiter.acquire(controller.signal);
    const patient = limiter.acquire(never);
    controller.abort('enough');
    await expect(gaveUp).rejects.toBe('enough');
    release?.();
    (await patient)();
    expect(limiter.load).toEqual({ held: 0, waiting: 0 });
    await expect(new Limiter(1).acquire(never)).resolves.toBeTypeOf('function');
  });
});
