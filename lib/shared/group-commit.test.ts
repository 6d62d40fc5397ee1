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

  it('owners take turns, and a flood gets small shares while another owner is active', async () => {
    const { writes, write, end, tick } = store();
    let now = 0;
    const ownerOf = (item: string) => item[0] as string;
    const group = new GroupCommit<string, string>(write, {
      maxBatch: 100,
      sharedBatch: 2,
      ownerOf,
      now: () => now,
    });
    void group.submit('q0');
    for (let i = 0; i < 6; i++) void group.submit(`n${i}`);
    await tick();
    void group.submit('q1');
    await end();
    await end();
    expect(writes).toEqual([
      ['q0', 'n0', 'n1'],
      ['n2', 'n3', 'q1'],
      ['n4', 'n5'],
    ]);
    // A second later the quiet owner is gone: the flood gets whole batches again.
    now = 2_000;
    for (let i = 6; i < 12; i++) void group.submit(`n${i}`);
    await end();
    expect(writes.at(-1)).toEqual(['n6', 'n7', 'n8', 'n9', 'n10', 'n11']);
  });
});
