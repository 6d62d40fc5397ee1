import { describe, expect, it } from 'vitest';
import { StreamCursor } from '@/lib/client/stream-cursor';
import type { StreamEvent } from '@/lib/protocol/event';

const event = (streamSeq: number): StreamEvent => ({
  streamSeq,
  workflow: 'w',
  workflowId: 'id',
  event: { runId: 'r', seq: streamSeq, type: 'X', at: '2026-01-01T00:00:00.000Z', data: {} },
});
const seqs = (items: StreamEvent[]) => items.map((item) => item.streamSeq);

describe('StreamCursor', () => {
  it('holds everything back until it knows where the stream stands', () => {
    const cursor = new StreamCursor();
    expect(cursor.accept([event(5), event(6)])).toEqual({ ready: [], gap: false });
    expect(seqs(cursor.place(5).ready)).toEqual([6]);
  });
  it('hands on in order and drops repeats', () => {
    const cursor = new StreamCursor();
    cursor.place(0);
    expect(seqs(cursor.accept([event(1), event(2)]).ready)).toEqual([1, 2]);
    expect(seqs(cursor.accept([event(2), event(3)]).ready)).toEqual([3]);
    expect(cursor.last()).toBe(3);
  });
  it('reports a gap, and hands on what was held once it is filled', () => {
    const cursor = new StreamCursor();
    cursor.place(10);
    expect(cursor.accept([event(12), event(13)])).toEqual({ ready: [], gap: true });
    const filled = cursor.accept([event(11)]);
    expect(seqs(filled.ready)).toEqual([11, 12, 13]);
    expect(filled.gap).toBe(false);
  });
  it('passes over what it does not get to see', () => {
    const cursor = new StreamCursor();
    cursor.place(10);
    const advance = cursor.accept([event(12), event(14)], [11, 13]);
    expect(seqs(advance.ready)).toEqual([12, 14]);
    expect(advance.gap).toBe(false);
    expect(cursor.accept([], [15])).toEqual({ ready: [], gap: false });
    expect(cursor.last()).toBe(15);
  });
  it('can give a hole up', () => {
    const cursor = new StreamCursor();
    cursor.place(10);
    cursor.accept([event(15), event(16)]);
    expect(seqs(cursor.skipGap().ready)).toEqual([15, 16]);
    expect(cursor.last()).toBe(16);
  });
  it('does not hold without bound', () => {
    const cursor = new StreamCursor();
    cursor.place(0);
    const flood = Array.from({ length: 6_000 }, (_, i) => event(i + 2));
    expect(cursor.accept(flood).ready).toHaveLength(6_000);
  });
  it('starts over when the stream was reset', () => {
    const cursor = new StreamCursor();
    cursor.place(100);
    cursor.place(3);
    expect(seqs(cursor.accept([event(4)]).ready)).toEqual([4]);
  });
});
