import { describe, expect, it } from 'vitest';
import { ReadyQueue, rankOf } from '@/server/workers/engine/ready-queue';

/** Work that ends when told to, and a list of what began. */
function bench() {
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name);
      ends.push(() => resolve(name));
    });
  const endOne = async () => {
    ends.shift()?.();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return { begun, work, endOne };
}

describe('ReadyQueue', () => {
  it('runs at most as many as it has slots, and gives results back', async () => {
    const { begun, work, endOne } = bench();
    const queue = new ReadyQueue(2);
    const results = ['a', 'b', 'c'].map((name) => queue.submit('org', 0, work(name)));
    expect(begun).toEqual(['a', 'b']);
    expect(queue.depth).toBe(1);
    await endOne();
    expect(begun).toEqual(['a', 'b', 'c']);
    await endOne();
    await endOne();
    expect(await Promise.all(results)).toEqual(['a', 'b', 'c']);
  });

  it('keeps a slot only while one is free and nobody waits; given back, it goes to who waits', async () => {
    const { begun, work, endOne } = bench();
    const queue = new ReadyQueue(2);
    const kept = queue.reserve('org');
    const used = queue.reserve('org');
    expect(queue.reserve('org')).toBeNull();
    void used?.use(work('used'));
    void queue.submit('other', 0, work('waiting'));
    expect(begun).toEqual(['used']);
    // In use: it is not given up any more.
    used?.release();
    expect([begun, queue.depth]).toEqual([['used'], 1]);
    kept?.release();
    kept?.release();
    expect(begun).toEqual(['used', 'waiting']);
    await endOne();
    await endOne();
    for (let i = 0; i < 2; i++) void queue.submit('org', 0, work(`n${i}`));
    void queue.submit('other', 0, work('o'));
    await endOne();
    expect(queue.depth).toBe(0);
    await endOne();
    await endOne();
    expect(queue.reserve('org')).not.toBeNull();
  });

  it('organisations take turns: a flood does not hold up the other', async () => {
    const { begun, work, endOne } = bench();
    const queue = new ReadyQueue(1);
    for (let i = 0; i < 100; i++) void queue.submit('noisy', 0, work(`n${i}`));
    void queue.submit('quiet', 0, work('q0'));
    void queue.submit('quiet', 0, work('q1'));
    for (let i = 0; i < 5; i++) await endOne();
    expect(begun).toEqual(['n0', 'n1', 'q0', 'n2', 'q1', 'n3']);
  });

  it('however long the calls of a flood take, another organisation finds a slot', async () => {
    const { begun, work, endOne } = bench();
    const queue = new ReadyQueue(16);
    for (let i = 0; i < 40; i++) void queue.submit('noisy', 0, work(`n${i}`));
    expect(begun).toHaveLength(14);
    void queue.submit('quiet', 0, work('q0'));
    void queue.submit('third', 0, work('t0'));
    expect(begun.slice(14)).toEqual(['q0', 't0']);
    void queue.submit('quiet', 0, work('q1'));
    // A slot of the flood's comes free: the one that has none of its own waiting goes by turns.
    await endOne();
    expect(begun.slice(16)).toEqual(['n14']);
    await endOne();
    expect(begun.slice(17)).toEqual(['q1']);
    expect(queue.depth).toBe(25);
  });

  it('higher priority first, then older first', async () => {
    const { begun, work, endOne } = bench();
    const queue = new ReadyQueue(1);
    for (const [name, priority] of [
      ['first', 0],
      ['low', -1],
      ['old', 0],
      ['high', 5],
      ['new', 0],
    ] as const) {
      void queue.submit('org', priority, work(name));
    }
    for (let i = 0; i < 4; i++) await endOne();
    expect(begun).toEqual(['first', 'high', 'old', 'new', 'low']);
  });

  it('counts priorities as Temporal does: 1 goes before 5, and 3 is the usual one', () => {
    expect([1, 2, 3, 4, 5].map(rankOf)).toEqual([2, 1, 0, -1, -2]);
    expect(rankOf(undefined)).toBe(0);
  });

  it('a failing call frees its slot', async () => {
    const queue = new ReadyQueue(1);
    const failing = queue.submit('org', 0, async () => {
      throw new Error('no');
    });
    const after = queue.submit('org', 0, async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    expect(await after).toBe('yes');
  });
});
