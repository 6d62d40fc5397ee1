import type { StreamEvent } from '@/lib/protocol/event';

/** Events that may wait for a missing one; more than this and the hole is given up. */
const MAX_HELD = 5_000;

/** What a batch of stream events led to. */
export interface Advance {
  /** Events that are next in line, in order, each once. */
  ready: StreamEvent[];
  /** True when numbers are missing: ask for what comes after `last()`. */
  gap: boolean;
}

/**
 * Keeps the place in one numbered stream: drops repeats, holds events back that came too early, and tells
 * when some are missing. It is unplaced until `place` says where the stream stands.
 */
export class StreamCursor {
  #last: number | null = null;
  /** By number; null where there is an event that this client does not get to see. */
  #held = new Map<number, StreamEvent | null>();

  /** Number of the last event handed on, or null before the first `place`. */
  last(): number | null {
    return this.#last;
  }

  /** Starts (again) after `head`. Events held back that lie beyond it are kept. */
  place(head: number): Advance {
    this.#last = head;
    return this.#drain();
  }

  /** `hidden` are numbers whose events are kept from this client: they are passed over, and are no hole. */
  accept(items: readonly StreamEvent[], hidden: readonly number[] = []): Advance {
    const isNew = (streamSeq: number) => this.#last === null || streamSeq > this.#last;
    for (const item of items) if (isNew(item.streamSeq)) this.#held.set(item.streamSeq, item);
    for (const streamSeq of hidden) if (isNew(streamSeq)) this.#held.set(streamSeq, null);
    return this.#drain();
  }

  /** Gives a hole up: goes on with the first event that is there. The caller reads the state anew. */
  skipGap(): Advance {
    const first = Math.min(...this.#held.keys());
    if (Number.isFinite(first)) this.#last = first - 1;
    return this.#drain();
  }

  #drain(): Advance {
    const ready: StreamEvent[] = [];
    if (this.#last === null) return { ready, gap: false };
    for (const seq of this.#held.keys()) if (seq <= this.#last) this.#held.delete(seq);
    for (;;) {
      const next = this.#held.get(this.#last + 1);
      if (next === undefined) break;
      this.#last += 1;
      this.#held.delete(this.#last);
      if (next !== null) ready.push(next);
    }
    if (this.#held.size > MAX_HELD) {
      const skipped = this.skipGap();
      return { ready: [...ready, ...skipped.ready], gap: skipped.gap };
    }
    return { ready, gap: this.#held.size > 0 };
  }
}
