import { describe, expect, it } from 'vitest';
import { GroupCommit } from '@/lib/shared/group-commit';

/** A store whose writes end when told to. */
function store() {
  const writes: string[][] = [];
  const ends: ((error?: Error) => void)[] = [];
  const write = (items: string[]) =>
    new Promise<string[]>((resolve, reject) => {
      writes.push(items);
      ends.push((error) => (error ? reject(error) : resolve(items.map((item) => `${item}!`))));
    });
  const end = async (error?: Error) => {
    ends.shift()?.(error);
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  const tick = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return { writes, write, end, tick };
}

describe('GroupCommit', () => {
  it('writes the first at once and what arrives meanwhile together', async () => {
    const { writes, write, end, tick } = store();
    const group = new GroupCommit<string, string>(write, { maxBatch: 10 });
    const first = group.submit('a');
    await tick();
    expect(writes).toEqual([['a']]);
    const rest = [group.submit('b'), group.submit('c')];
    await tick();
    expect(writes).toHaveLength(1);
    await end();
    expect(writes).toEqual([['a'], ['b', 'c']]);
    await end();
    expect(await Promise.all([first, ...rest])).toEqual(['a!', 'b!', 'c!']);
  });

  it('items of one tick share the first write; maxBatch bounds it', async () => {
    const { writes, write, end, tick } = store();
    const group = new GroupCommit<string, string>(write, { maxBatch: 2 });
    const all = ['a', 'b', 'c'].map((item) => group.submit(item));
    await tick();
    await end();
    await end();
    expect(writes).toEqual([['a', 'b'], ['c']]);
    expect(await Promise.all(all)).toEqual(['a!', 'b!', 'c!']);
  });

  it('a failed write fails its own items only', async () => {
    const { write, end, tick } = store();
    const group = new GroupCommit<string, string>(write, { maxBatch: 1 });
    const [bad, good] = [group.submit('a'), group.submit('b')];
    const failed = expect(bad).rejects.toThrow('disk full');
    await tick();
    await end(new Error('disk full'));
    await end();
    await failed;
    expect(await good).toBe('b!');
  });

  describe('with owners', () => {
    const shared = (write: (items: string[]) => Promise<string[]>, clock: { now: number }) =>
      new GroupCommit<string, string>(write, {
        maxBatch: 100,
        sharedBatch: 2,
        ownerOf: (item) => item[0] as string,
        now: () => clock.now,
      });

    it('a flood gets small shares while another owner is active, and whole batches later', async () => {
      const { writes, write, end, tick } = store();
      const clock = { now: 0 };
      const group = shared(write, clock);
      void group.submit('q0');
      for (let i = 0; i < 6; i++) void group.submit(`n${i}`);
      await tick();
      while (writes.flat().length < 7) await end();
      expect(writes.filter(([item]) => item?.startsWith('n'))).toEqual([
        ['n0', 'n1'],
        ['n2', 'n3'],
        ['n4', 'n5'],
      ]);
      await end();
      clock.now = 2_000;
      for (let i = 6; i < 12; i++) void group.submit(`n${i}`);
      await tick();
      expect(writes.at(-1)).toEqual(['n6', 'n7', 'n8', 'n9', 'n10', 'n11']);
    });

    it('the writes of others go beside those of a flood, each in its order', async () => {
      const { writes, write, end, tick } = store();
      const group = shared(write, { now: 0 });
      for (let i = 0; i < 6; i++) void group.submit(`n${i}`);
      await tick();
      expect(writes).toEqual([['n0', 'n1', 'n2', 'n3', 'n4', 'n5']]);
      for (let i = 6; i < 10; i++) void group.submit(`n${i}`);
      void group.submit('q0');
      await tick();
      void group.submit('q1');
      void group.submit('r0');
      await tick();
      // The flood's write has not ended: q0 went beside it, what came after waits for q0's.
      expect(writes.slice(1)).toEqual([['q0']]);
      await end();
      expect(writes.slice(2)).toEqual([['n6', 'n7']]);
      await end();
      expect(writes.slice(3)).toEqual([['q1', 'r0']]);
    });

    it('a flood rests between its writes while others are active, and then only', async () => {
      const { writes, write, end, tick } = store();
      const clock = { now: 0 };
      const rests: number[] = [];
      const wake: (() => void)[] = [];
      const group = new GroupCommit<string, string>(write, {
        maxBatch: 4,
        sharedBatch: 2,
        ownerOf: (item) => item[0] as string,
        now: () => clock.now,
        rest: (ms) => {
          rests.push(ms);
          return new Promise((resolve) => wake.push(resolve));
        },
      });
      for (let i = 0; i < 8; i++) void group.submit(`n${i}`);
      await tick();
      void group.submit('q0');
      await tick();
      expect(writes).toEqual([['n0', 'n1', 'n2', 'n3'], ['q0']]);
      clock.now = 3;
      await end();
      expect([writes.length, rests]).toEqual([2, [3]]);
      wake.shift()?.();
      await tick();
      expect(writes.slice(2)).toEqual([['n4', 'n5']]);
      clock.now = 2_000;
      for (let i = 8; i < 12; i++) void group.submit(`n${i}`);
      await end();
      await end();
      expect([writes.slice(3), rests]).toEqual([[['n6', 'n7', 'n8', 'n9']], [3]]);
    });

    it('a flood whose write took long because the store was away does not rest for a multiple of that', async () => {
      const { write, end, tick } = store();
      const clock = { now: 0 };
      const rests: number[] = [];
      const group = new GroupCommit<string, string>(write, {
        maxBatch: 100,
        sharedBatch: 2,
        ownerOf: (item) => item[0] as string,
        now: () => clock.now,
        rest: async (ms) => void rests.push(ms),
      });
      void group.submit('q0');
      for (let i = 0; i < 9; i++) void group.submit(`n${i}`);
      await tick();
      clock.now = 20_000;
      void group.submit('q1');
      void group.submit('n9');
      for (let i = 0; i < 8; i++) await end();
      expect(rests.length).toBeGreaterThan(0);
      expect(Math.max(...rests)).toBe(100);
    });

    it('share one write while nobody floods', async () => {
      const { writes, write, end, tick } = store();
      const group = shared(write, { now: 0 });
      void group.submit('a0');
      await tick();
      for (const item of ['b0', 'c0', 'a1', 'b1']) void group.submit(item);
      await tick();
      expect(writes).toEqual([['a0']]);
      await end();
      expect(writes.slice(1)).toEqual([['b0', 'b1', 'c0', 'a1']]);
    });

    it('never has two writes with items of one owner, whatever comes when', async () => {
      const under = new Set<string>();
      const done = new Map<string, number>();
      let most = 0;
      let random = 7;
      const chance = () => {
        random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
        return random / 2_147_483_648;
      };
      const clock = { now: 0 };
      const group = shared(async (items) => {
        const owners = new Set(items.map((item) => item[0] as string));
        for (const owner of owners) expect(under.has(owner)).toBe(false);
        for (const owner of owners) under.add(owner);
        most = Math.max(most, under.size);
        for (let i = chance() * 20; i > 0; i--) await Promise.resolve();
        for (const item of items) {
          const owner = item[0] as string;
          expect(Number(item.slice(1))).toBe((done.get(owner) ?? -1) + 1);
          done.set(owner, Number(item.slice(1)));
        }
        for (const owner of owners) under.delete(owner);
        return items;
      }, clock);
      const sent = new Map<string, number>();
      const all: Promise<string>[] = [];
      for (let i = 0; i < 3_000; i++) {
        const owner = chance() < 0.7 ? 'n' : ('abcd'[Math.floor(chance() * 4)] as string);
        const place = (sent.get(owner) ?? -1) + 1;
        sent.set(owner, place);
        all.push(group.submit(`${owner}${place}`));
        if (chance() < 0.3) await Promise.resolve();
        if (chance() < 0.01) clock.now += 700;
      }
      await Promise.all(all);
      expect(done).toEqual(sent);
      expect(most).toBeGreaterThan(1);
    });
  });
});
