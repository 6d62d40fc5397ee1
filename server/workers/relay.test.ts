import { describe, expect, it } from 'vitest';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import type { StreamRange, StreamStore } from '@/server/ports/stream-store';
import { OUTBOX_CHANNEL } from '@/server/workers/engine/host-deps';
import { Relay, STREAM_CHANNEL } from '@/server/workers/relay';

/** A clock moved by hand. */
function handClock() {
  let now = 1_000;
  const due: { at: number; run: () => void }[] = [];
  return {
    now: () => now,
    at(at: number, run: () => void) {
      const entry = { at, run };
      due.push(entry);
      return () => {
        const i = due.indexOf(entry);
        if (i >= 0) due.splice(i, 1);
      };
    },
    async move(ms: number) {
      now += ms;
      for (const entry of due.filter(({ at }) => at <= now)) {
        due.splice(due.indexOf(entry), 1);
        entry.run();
      }
      for (let i = 0; i < 10; i++) await Promise.resolve();
    },
  };
}

const silent = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent };

async function bench() {
  const clock = handClock();
  const bus = createMemoryBus();
  const rounds: number[] = [];
  let outbox = 0;
  let head = 0;
  /** How long the next rounds take; their end is then up to the test. */
  const slow: { ends: (() => void) | null; on: boolean } = { ends: null, on: false };
  const store: StreamStore = {
    async relay() {
      rounds.push(clock.now());
      if (slow.on) await new Promise<void>((resolve) => (slow.ends = resolve));
      if (outbox === 0) return [];
      const from = head + 1;
      head += outbox;
      outbox = 0;
      return [{ organizationId: 'o', topic: 'runs', from, to: head }];
    },
    head: async () => head,
    read: async () => [],
    trimmed: async () => null,
  };
  const told: StreamRange[] = [];
  bus.subscribe(STREAM_CHANNEL, (range) => told.push(range as StreamRange));
  const relay = new Relay({ store, bus, clock, log: silent, pollMs: 500 });
  const commit = () => {
    outbox++;
    bus.publish(OUTBOX_CHANNEL, {});
  };
  relay.start();
  await clock.move(0);
  await clock.move(100);
  rounds.length = 0;
  return { clock, relay, rounds, told, commit, slow };
}

describe('Relay', () => {
  it('numbers the first commit at once, and those that follow closely in one later round', async () => {
    const { clock, rounds, told, commit } = await bench();
    commit();
    await clock.move(0);
    expect(rounds).toEqual([1_100]);
    commit();
    commit();
    await clock.move(4);
    expect(rounds).toEqual([1_100]);
    await clock.move(1);
    expect(rounds).toEqual([1_100, 1_105]);
    expect(told.map(({ from, to }) => [from, to])).toEqual([
      [1, 1],
      [2, 3],
    ]);
  });

  it('leaves the database alone for twice as long as a round took', async () => {
    const { clock, rounds, commit, slow } = await bench();
    slow.on = true;
    commit();
    await clock.move(0);
    await clock.move(12);
    commit();
    slow.ends?.();
    await clock.move(0);
    await clock.move(23);
    expect(rounds).toEqual([1_100]);
    await clock.move(1);
    expect(rounds).toEqual([1_100, 1_136]);
  });

  it('finds by polling what no hint told of', async () => {
    const { clock, rounds } = await bench();
    await clock.move(400);
    expect(rounds).toHaveLength(1);
  });

  it('numbers everything committed before it stops', async () => {
    const { relay, told, commit } = await bench();
    commit();
    commit();
    await relay.stop();
    expect(told.at(-1)?.to).toBe(2);
  });
});
