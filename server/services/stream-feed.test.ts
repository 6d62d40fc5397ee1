import { describe, expect, it } from 'vitest';
import type { Actor } from '@/lib/protocol/actor';
import type { StreamEvent } from '@/lib/protocol/event';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import { SystemClock } from '@/server/adapters/system-clock';
import type { StreamStore } from '@/server/ports/stream-store';
import { resumeAfterOf, StreamFeed } from '@/server/services/stream-feed';

const actor: Actor = { kind: 'user', id: 'u', organizationId: 'o', role: 'owner', displayName: 'U' };
const signal = new AbortController().signal;

/** A stream that keeps these numbers; the runs of those in `hidden` are of a workflow that the actor does not see. */
function feedOf(kept: readonly number[], hidden: readonly number[]) {
  const entries = kept.map((streamSeq) => ({
    streamSeq,
    workflow: hidden.includes(streamSeq) ? 'hidden' : 'shown',
  })) as StreamEvent[];
  const store = {
    read: async (_organization: string, _topic: string, after: number, limit: number) =>
      entries.filter(({ streamSeq }) => streamSeq > after).slice(0, limit),
    trimmed: async (_organization: string, _topic: string, after: number) => {
      const next = kept.find((seq) => seq > after);
      return next === undefined || next === after + 1 ? null : next - 1;
    },
  } as unknown as StreamStore;
  return new StreamFeed({
    store,
    bus: createMemoryBus(),
    clock: new SystemClock(),
    hintChannel: 'stream',
    access: { hiddenWorkflows: async () => ['hidden'] },
  });
}

describe('a page of the stream before entries that are gone', () => {
  const read = async (feed: StreamFeed, after: number, limit: number, waitMs = 0) => {
    let told: [number, boolean] | null = null;
    const items = await feed.read(actor, 'runs', after, limit, waitMs, signal, (...at) => {
      told = at;
    });
    return { seqs: items.map(({ streamSeq }) => streamSeq), told };
  };

  it('ends there, also when it is filled up for entries that are hidden', async () => {
    const feed = feedOf([1, 2, 3, 4, 7, 8], [2]);
    expect(await read(feed, 0, 10)).toEqual({ seqs: [1, 3, 4], told: [4, true] });
    expect(await read(feed, 0, 4)).toEqual({ seqs: [1, 3, 4], told: [4, true] });
    expect(await read(feed, 0, 3)).toEqual({ seqs: [1, 3, 4], told: [4, false] });
    expect(await read(feed, 6, 10)).toEqual({ seqs: [7, 8], told: [8, false] });
  });

  it('tells of them at once when all before is hidden', async () => {
    const feed = feedOf([1, 2, 5], [1, 2]);
    const error = await read(feed, 1, 10, 60_000).catch((thrown: unknown) => thrown);
    expect(resumeAfterOf(error)).toBe(4);
    expect(await read(feed, 1, 10)).toEqual({ seqs: [], told: [2, true] });
  });
});
