import { describe, expect, it } from 'vitest';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { Connection } from '@/server/adapters/mcp/connection';
import { ConnectionPool, type PoolKey } from '@/server/adapters/mcp/pool';

/** A clock that is moved by hand. */
function handClock() {
  let now = 1_000_000;
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
    async advance(ms: number) {
      now += ms;
      for (const timer of timers.filter((due) => due.at <= now)) {
        timers = timers.filter((other) => other !== timer);
        timer.run();
      }
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    },
  };
}

/** Stands where a connection would: the pool only opens, watches and closes it. */
class FakeConnection {
  closed = false;
  private listeners: Array<() => void> = [];
  whenEnded(listener: () => void) {
    this.listeners.push(listener);
  }
  async close() {
    this.closed = true;
    for (const listener of this.listeners.splice(0)) listener();
  }
}

const config: ServerConfig = { type: 'stdio', command: 'node', args: [], env: {} };
const key = (organizationId: string, subject = ''): PoolKey => ({ organizationId, server: 's', subject });
const never = new AbortController().signal;

function setUp(idleMs = 1000) {
  const clock = handClock();
  const opened: FakeConnection[] = [];
  let failing = false;
  const pool = new ConnectionPool({
    clock,
    idleMs,
    open: async () => {
      if (failing) throw new Error('refused');
      const connection = new FakeConnection();
      opened.push(connection);
      return connection as unknown as Connection;
    },
  });
  return { clock, opened, pool, fail: (value: boolean) => (failing = value) };
}

describe('ConnectionPool', () => {
  it('shares one connection for equal keys and none between organisations or people', async () => {
    const { pool, opened } = setUp();
    const [a, b] = await Promise.all([
      pool.acquire(key('one'), config, never),
      pool.acquire(key('one'), config, never),
    ]);
    expect(a?.connection).toBe(b?.connection);
    await pool.acquire(key('two'), config, never);
    await pool.acquire(key('one', 'ada'), config, never);
    expect(opened).toHaveLength(3);
    expect(pool.tryAcquire(key('one'), config)?.connection).toBe(a?.connection);
  });

  it('closes a connection after the idle time, never while it is in use', async () => {
    const { pool, opened, clock } = setUp(1000);
    const long = await pool.acquire(key('one'), config, never);
    const short = await pool.acquire(key('one'), config, never);
    short.release();
    await clock.advance(5000);
    expect(opened[0]?.closed).toBe(false);
    long.release();
    await clock.advance(600);
    pool.tryAcquire(key('one'), config)?.release();
    await clock.advance(600);
    expect(opened[0]?.closed).toBe(false);
    await clock.advance(600);
    expect(opened[0]?.closed).toBe(true);
    await pool.acquire(key('one'), config, never);
    expect(opened).toHaveLength(2);
  });

  it('waits longer and longer between failed attempts; a person need not wait', async () => {
    const { pool, clock, fail, opened } = setUp();
    fail(true);
    await expect(pool.acquire(key('one'), config, never)).rejects.toThrow('refused');
    await expect(pool.acquire(key('one'), config, never)).rejects.toThrow('refused');
    let settled = false;
    const third = pool.acquire(key('one'), config, never).catch(() => (settled = true));
    await clock.advance(200);
    expect(settled).toBe(false);
    await clock.advance(100);
    expect(settled).toBe(true);
    await third;
    fail(false);
    await pool.acquire(key('one'), config, never, true);
    expect(opened).toHaveLength(1);
  });

  it('replaces a connection whose configuration changed, after its calls are done', async () => {
    const { pool, opened } = setUp();
    const old = await pool.acquire(key('one'), config, never);
    const same = await pool.acquire(key('one'), { ...config }, never);
    expect(same.connection).toBe(old.connection);
    same.release();
    const fresh = await pool.acquire(key('one'), { ...config, args: ['x'] }, never);
    expect(fresh.connection).not.toBe(old.connection);
    expect(opened[0]?.closed).toBe(false);
    old.release();
    expect(opened[0]?.closed).toBe(true);
    expect(opened[1]?.closed).toBe(false);
  });

  it('gives up waiting when the caller does, and the attempt goes on for others', async () => {
    const { pool, opened } = setUp();
    await expect(pool.acquire(key('one'), config, AbortSignal.abort('gone'))).rejects.toBe('gone');
    await pool.acquire(key('one'), config, never);
    expect(opened).toHaveLength(1);
  });

  it('closes everything at the end and opens nothing more', async () => {
    const { pool, opened } = setUp();
    await pool.acquire(key('one'), config, never);
    await pool.close();
    expect(opened[0]?.closed).toBe(true);
    await expect(pool.acquire(key('one'), config, never)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});
