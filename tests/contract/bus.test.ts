import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import { createRedisBus, MAX_MESSAGE_BYTES } from '@/server/adapters/redis/bus';
import { RedisLink } from '@/server/adapters/redis/link';
import { SystemClock } from '@/server/adapters/system-clock';
import type { Bus } from '@/server/ports/bus';
import type { Log, LogFacts } from '@/server/ports/log';
import { eventually } from '../support/eventually';
import { describeWithRedis, type PrivateRedis, startPrivateRedis } from '../support/redis';

/** What a bus promises, in memory and over Redis: every case of the first part runs against both. */

const crossing = {
  news: z.object({ n: z.number(), text: z.string().optional() }),
  other: z.null(),
};
const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Two parties of one bus: the same process in memory, two processes' ends over Redis. */
type Parties = () => Promise<{ one: Bus; two: Bus; errors: unknown[] }>;

function promises(parties: Parties): void {
  it('a message reaches every receiver of its channel, in the order of publishing, and no other channel', async () => {
    const { one, two } = await parties();
    const told: unknown[] = [];
    const again: unknown[] = [];
    const others: unknown[] = [];
    two.subscribe('news', (message) => told.push(message));
    two.subscribe('news', (message) => again.push(message));
    two.subscribe('other', (message) => others.push(message));
    await reaches(one, two);
    told.length = 0;
    again.length = 0;
    for (const n of [1, 2, 3]) one.publish('news', { n });
    one.publish('other', null);
    await eventually('all of it', () => told.length >= 3 && again.length >= 3 && others.length >= 1);
    const mine = (messages: unknown[]) => messages.filter((message) => (message as { n: number }).n > 0);
    expect(mine(told)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(mine(again)).toEqual(mine(told));
    expect(others).toEqual([null]);
  });

  it('the publisher’s own receivers get the message itself, in its turn', async () => {
    const { one } = await parties();
    const told: [unknown, string][] = [];
    one.subscribe('news', (message, from) => told.push([message, from]));
    const message = { n: 1, secret: 'stays' };
    one.publish('news', message);
    expect(told).toEqual([[message, 'here']]);
    expect(told[0]?.[0]).toBe(message);
  });

  it('whoever has unsubscribed, or closed, is told nothing; one that fails does not stop the others', async () => {
    const { one, two, errors } = await parties();
    const told: number[] = [];
    const stop = two.subscribe('news', () => told.push(1));
    two.subscribe('news', () => {
      throw new Error('a receiver that fails');
    });
    let last = 0;
    two.subscribe('news', (message) => {
      last = (message as { n: number }).n;
    });
    stop();
    await eventually('the one behind it', () => {
      one.publish('news', { n: 7 });
      return last === 7;
    });
    expect(told).toEqual([]);
    expect(String(errors[0])).toContain('a receiver that fails');
    await two.close();
    last = 0;
    one.publish('news', { n: 8 });
    expect(last).toBe(0);
  });
}

/** Subscribing takes a moment over Redis: waits until a message gets through. */
async function reaches(one: Bus, two: Bus): Promise<void> {
  let heard = false;
  const stop = two.subscribe('news', () => {
    heard = true;
  });
  await eventually('the first message', () => {
    one.publish('news', { n: 0 });
    return heard;
  });
  stop();
}

describe('the bus in memory', () => {
  promises(async () => {
    const errors: unknown[] = [];
    const bus = createMemoryBus((error) => errors.push(error));
    closing.push(() => bus.close());
    return { one: bus, two: bus, errors };
  });
});

describeWithRedis('the bus over Redis', () => {
  let redis: PrivateRedis;
  beforeAll(async () => {
    redis = await startPrivateRedis();
  });
  afterAll(() => redis.remove());

  async function party(prefix: string) {
    const errors: unknown[] = [];
    const lines: [string, LogFacts][] = [];
    const note = (operation: string, facts: LogFacts = {}) => lines.push([operation, facts]);
    const log: Log = { debug() {}, info: note, warn: note, error: note, with: () => log };
    const link = new RedisLink({ url: redis.url, prefix, clock: new SystemClock(), log });
    const local = createMemoryBus((error) => errors.push(error));
    const counts = { sent: 0, received: 0, dropped: 0 };
    const bus = createRedisBus({
      link,
      local,
      crossing,
      processId: randomUUID(),
      count: (outcome, messages) => {
        counts[outcome] += messages;
      },
    });
    await link.start();
    closing.push(async () => {
      await bus.close();
      link.close();
    });
    return { bus, link, errors, lines, counts };
  }
  const fresh = () => `oc:${randomUUID()}:`;

  promises(async () => {
    const prefix = fresh();
    const [one, two] = [await party(prefix), await party(prefix)];
    return { one: one.bus, two: two.bus, errors: two.errors };
  });

  it('only what may leave a process does: named fields of named channels, up to the largest size', async () => {
    const prefix = fresh();
    const [one, two] = [await party(prefix), await party(prefix)];
    const told: unknown[] = [];
    two.bus.subscribe('news', (message, from) => told.push([message, from]));
    two.bus.subscribe('unnamed', (message) => told.push(message));
    await reaches(one.bus, two.bus);
    const dropped = one.counts.dropped;
    one.bus.publish('unnamed', { n: 1 });
    one.bus.publish('news', { n: 2, text: 'x'.repeat(MAX_MESSAGE_BYTES) });
    one.bus.publish('news', { n: 'no number' });
    expect(one.counts.dropped - dropped).toBe(2);
    one.bus.publish('news', { n: 3, secret: 'stays' });
    await eventually('the small one', () => JSON.stringify(told).includes('"n":3'));
    expect(told.filter((one) => !JSON.stringify(one).includes('"n":0'))).toEqual([[{ n: 3 }, 'elsewhere']]);
  });

  it('equal hints of one moment are sent once, and many go in messages of bounded size', async () => {
    const prefix = fresh();
    const [one, two] = [await party(prefix), await party(prefix)];
    const sizes: number[] = [];
    two.link.listener.on('message', (_topic: string, text: string) => sizes.push(Buffer.byteLength(text)));
    const told: number[] = [];
    two.bus.subscribe('news', (message) => told.push((message as { n: number }).n));
    await reaches(one.bus, two.bus);
    for (let i = 0; i < 1_000; i++) one.bus.publish('news', { n: 5 });
    for (let n = 10; n < 20; n++) one.bus.publish('news', { n, text: 'x'.repeat(20_000) });
    await eventually('the last one', () => told.includes(19));
    expect(told.filter((n) => n === 5)).toHaveLength(1);
    expect(told.filter((n) => n >= 10)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  });

  it('what is none of ours is left alone: other instances, no JSON, wrong shapes, too much', async () => {
    const prefix = fresh();
    const [one, two] = [await party(prefix), await party(prefix)];
    const elsewhere = fresh();
    const [stranger, friend] = [await party(elsewhere), await party(elsewhere)];
    const told: unknown[] = [];
    const strange: unknown[] = [];
    two.bus.subscribe('news', (message) => told.push(message));
    stranger.bus.subscribe('news', (message) => strange.push(message));
    await reaches(one.bus, two.bus);
    await reaches(friend.bus, stranger.bus);
    const topic = `${prefix}bus:news`;
    const envelope = (messages: unknown) => JSON.stringify({ from: 'x', messages });
    const wrong = [
      'no json',
      'null',
      '{"from":"x"}',
      envelope([{ n: 'one' }]),
      envelope({ n: 1 }),
      envelope([{ n: 1, text: 'x'.repeat(MAX_MESSAGE_BYTES) }]),
    ];
    for (const text of wrong) await one.link.commands.publish(topic, text);
    one.bus.publish('news', { n: 9 });
    await eventually('the right one', () => JSON.stringify(told).includes('"n":9'));
    expect(told.filter((message) => (message as { n: number }).n !== 0)).toEqual([{ n: 9 }]);
    expect(two.counts.dropped).toBe(wrong.length);
    // But for probes of its own instance that were still under way.
    expect(strange.filter((message) => (message as { n: number }).n !== 0)).toEqual([]);
    expect(two.errors).toEqual([]);
  });

  it.each(['kill', 'stall'] as const)(
    'a Redis that goes away (%s): nothing fails, it is said once, and what comes after its return gets through',
    async (way) => {
      const prefix = fresh();
      const [one, two] = [await party(prefix), await party(prefix)];
      const told: unknown[] = [];
      const own: unknown[] = [];
      two.bus.subscribe('news', (message) => told.push(message));
      one.bus.subscribe('news', (message) => own.push(message));
      await reaches(one.bus, two.bus);
      if (way === 'kill') await redis.kill();
      else redis.stall();
      try {
        await eventually('both have noticed', () => !one.link.isUp && !two.link.isUp);
        await expect(one.link.ping()).rejects.toThrow();
        own.length = 0;
        one.bus.publish('news', { n: 1 });
        expect(own).toEqual([{ n: 1 }]);
      } finally {
        if (way === 'kill') await redis.start();
        else redis.goOn();
      }
      await eventually('both are back', () => one.link.isUp && two.link.isUp);
      told.length = 0;
      await eventually('a hint gets through', () => {
        one.bus.publish('news', { n: 2 });
        return told.length > 0;
      });
      expect(told[0]).toEqual({ n: 2 });
      const said = one.lines.filter(([operation]) => operation === 'redis').map(([, facts]) => facts.status);
      // A slow machine may lose it once more afterwards, and find it again.
      expect(said.slice(0, 3)).toEqual(['connected', 'away', 'connected']);
      await eventually('it answers', () =>
        one.link.ping().then(
          () => true,
          () => false,
        ),
      );
    },
  );

  it('a Redis that is away from the beginning does not stop a start, and is noticed when it comes', async () => {
    await redis.kill();
    const late = await party(fresh()).finally(() => undefined);
    expect(late.link.isUp).toBe(false);
    expect(late.lines.map(([, facts]) => facts.status)).toEqual(['away']);
    await redis.start();
    await eventually('it is noticed', () => late.link.isUp);
    expect(late.lines.map(([, facts]) => facts.status)).toEqual(['away', 'connected']);
  });
});
