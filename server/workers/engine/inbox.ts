import { roughBytes } from '@/lib/shared/json';
import type { ExecutionStore, InboxLimits, InboxRow } from '@/server/ports/execution-store';

/** What one page holds. Each organisation has room for as many as it had if it were alone, until there are many of them. */
const PAGE: InboxLimits = { each: 500, rows: 5_000, bytes: 16 * 1024 * 1024 };
/** Pages of one read; the next read goes on. A backlog must not become memory faster than it is worked off. */
const MAX_PAGES = 10;
/** Rows handed over at a time: a page of new runs at once would keep everything else in this process waiting. */
const SLICE = 16;

/**
 * Which inbox rows this process has in hand. A row is taken at most once, however often it is announced or read, until its
 * answer is committed or it is left for a later read.
 */
export class Inbox {
  private readonly inHand = new Set<number>();
  /** For each read under way: the rows answered since it began. */
  private readonly reads = new Set<Set<number>>();
  /**
   * Rows given since a read came to the end, told to the store like those in hand: they may be left again, and must not be the
   * only ones that are ever read. A place in the order of ids would pass over what a page has left out of one organisation.
   */
  private readonly seen = new Set<number>();
  /** The same of the commands that are read apart from starts. */
  private readonly passed = new Set<number>();
  private hinted = false;
  private hurrying = false;

  constructor(private readonly store: ExecutionStore) {}

  /** False when the row is in hand already. */
  take(id: number): boolean {
    if (this.inHand.has(id)) return false;
    this.inHand.add(id);
    return true;
  }

  /** Puts a row back: the next read brings it again. */
  leave(id: number): void {
    this.inHand.delete(id);
  }

  /** The row's answer is committed, the row is gone. */
  answered(id: number): void {
    this.inHand.delete(id);
    for (const read of this.reads) read.add(id);
  }

  /** Reads because of a hint. Hints that come while such a read is under way share the next one. */
  async hurried(read: () => Promise<void>): Promise<void> {
    this.hinted = true;
    if (this.hurrying) return;
    this.hurrying = true;
    try {
      while (this.hinted) {
        this.hinted = false;
        await read();
      }
    } finally {
      this.hurrying = false;
    }
  }

  /**
   * Gives the rows of the shards that are not in hand to `receive`, oldest first, page by page, each row once: what is left
   * again meanwhile is for a later read. Stops after some pages, and when `receive` refuses a row (false): there is no room
   * for new runs. Then the commands that wait behind starts are read apart from them in the same way: what is for a run under
   * way, and may make room, must not wait for room. Later reads go on.
   *
   * @returns false when a row was refused
   */
  async read(shards: readonly number[], receive: (row: InboxRow) => boolean): Promise<boolean> {
    const { store } = this;
    if (await this.pages((known) => store.readInbox(shards, known, PAGE), this.seen, receive)) {
      this.passed.clear();
      return true;
    }
    await this.pages((known) => store.readCommands(shards, known, PAGE), this.passed, receive);
    return false;
  }

  /** False when a row was refused. */
  private async pages(
    next: (known: readonly number[]) => Promise<InboxRow[]>,
    seen: Set<number>,
    receive: (row: InboxRow) => boolean,
  ): Promise<boolean> {
    for (let page = 0; page < MAX_PAGES; page++) {
      const answered = new Set<number>();
      this.reads.add(answered);
      try {
        const rows = await next(seen.size === 0 ? [...this.inHand] : [...new Set([...this.inHand, ...seen])]);
        let refused = false;
        // A row answered since the read began is gone from the table, though this result still shows it.
        for (const [i, row] of rows.entries()) {
          if (i > 0 && i % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
          seen.add(row.id);
          if (!answered.has(row.id) && !receive(row)) refused = true;
        }
        if (refused || isShort(rows)) {
          seen.clear();
          return !refused;
        }
      } finally {
        this.reads.delete(answered);
      }
    }
    return true;
  }
}

/** The last page for now: short of rows, and not because it is full of bytes. */
function isShort(rows: readonly InboxRow[]): boolean {
  return (
    rows.length < PAGE.each && rows.reduce((sum, { data }) => sum + roughBytes(data), 0) < PAGE.bytes / 2
  );
}
