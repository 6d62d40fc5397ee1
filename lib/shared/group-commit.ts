interface Entry<T, R> {
  item: T;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

/** How a group commit shares its batches out. */
export interface GroupCommitOptions<T> {
  /** Most items in one write. */
  maxBatch: number;
  /** Whose item it is: owners take turns. Items of one owner keep their order. */
  ownerOf?: (item: T) => string;
  /**
   * Most items of one owner in a write while others are active too. An owner that leaves more than that waiting is a
   * flood for a while: the writes of all others then go beside its writes and not behind them.
   */
  sharedBatch?: number;
  /** Clock in milliseconds, for who was active or a flood within the last second. Without it only waiting owners count. */
  now?: () => number;
  /**
   * Rests after a write of a flood that took so many milliseconds (100 at most), while others are active: one owner that
   * kept the store busy all the time would slow everybody's writes, beside its own or not. It has to end within a second.
   */
  rest?: (ms: number) => Promise<void>;
}

const ACTIVE_MS = 1_000;
/**
 * A write that took longer than this did not take long because of the flood: the store was slow, or away. A rest that
 * outlasted the flood would keep everybody waiting.
 */
const RESTED_MS = 100;
const NOBODY: ReadonlySet<string> = new Set();

/** `main` serves all; while somebody floods it serves the floods, and `beside` everybody else. */
type Lane = 'main' | 'beside';

/**
 * Group commit without a timer: the first item goes at once, whatever arrives while that write is under way goes
 * together in the next one. Under load batches grow by themselves; when idle nothing waits.
 */
export class GroupCommit<T, R> {
  private readonly queues = new Map<string, Entry<T, R>[]>();
  private readonly lastSeen = new Map<string, number>();
  /** Owners that flood, and until when they count as such. */
  private readonly floods = new Map<string, number>();
  /** Lanes with a write under way, and whose items are in it: their next items wait for it, which keeps their order. */
  private readonly writing = new Map<Lane, ReadonlySet<string>>();

  /**
   * @param write stores a batch and gives one result (or Error) for each item, in order. At most two run at a time, never
   *   with items of the same owner
   */
  constructor(
    private readonly write: (items: T[]) => Promise<(R | Error)[]>,
    private readonly options: GroupCommitOptions<T>,
  ) {}

  /** Resolves with the item's result once its batch is stored. */
  submit(item: T): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const owner = this.options.ownerOf?.(item) ?? '';
      let queue = this.queues.get(owner);
      if (!queue) {
        queue = [];
        this.queues.set(owner, queue);
      }
      queue.push({ item, resolve, reject });
      this.noteActivity(owner, queue.length);
      this.wake();
    });
  }

  private noteActivity(owner: string, waiting: number): void {
    const { sharedBatch, now } = this.options;
    if (now === undefined) return;
    const until = now() + ACTIVE_MS;
    this.lastSeen.set(owner, until);
    if (sharedBatch !== undefined && waiting > sharedBatch) this.floods.set(owner, until);
  }

  /** Starts the lanes that have something to do and do not run. */
  private wake(): void {
    for (const lane of ['main', 'beside'] as const) {
      if (!this.writing.has(lane) && this.hasWork(lane)) void this.run(lane);
    }
  }

  private async run(lane: Lane): Promise<void> {
    this.writing.set(lane, NOBODY);
    // One turn of the microtask queue, so that items submitted in the same tick share the first write.
    await Promise.resolve();
    for (let batch = this.next(lane); batch.length > 0; batch = this.next(lane)) {
      const begun = this.options.now?.() ?? 0;
      try {
        const results = await this.write(batch.map((entry) => entry.item));
        batch.forEach((entry, i) => {
          const result = results[i] as R | Error;
          if (result instanceof Error) entry.reject(result);
          else entry.resolve(result);
        });
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
      this.writing.set(lane, NOBODY);
      // What waited for this write may be the other lane's by now.
      this.wake();
      if (lane === 'main') await this.restAfter(begun);
    }
    this.writing.delete(lane);
    this.wake();
  }

  private async restAfter(begun: number): Promise<void> {
    const { rest, now } = this.options;
    if (rest === undefined || now === undefined || this.activeOwners() < 2 || this.floods.size === 0) return;
    await rest(Math.min(now() - begun, RESTED_MS));
  }

  private hasWork(lane: Lane): boolean {
    for (const owner of this.queues.keys()) if (this.serves(lane, owner)) return true;
    return false;
  }

  private serves(lane: Lane, owner: string): boolean {
    const other = lane === 'main' ? 'beside' : 'main';
    if (this.writing.get(other)?.has(owner)) return false;
    return this.floods.size === 0 || this.floods.has(owner) ? lane === 'main' : lane === 'beside';
  }

  /** The next batch: each owner's oldest items, in equal shares. An owner that got its share goes to the end of the line. */
  private next(lane: Lane): Entry<T, R>[] {
    const { maxBatch, sharedBatch = maxBatch } = this.options;
    const share = this.activeOwners() > 1 ? sharedBatch : maxBatch;
    const batch: Entry<T, R>[] = [];
    const owners = new Set<string>();
    for (const [owner, queue] of [...this.queues]) {
      if (batch.length >= maxBatch) break;
      if (!this.serves(lane, owner)) continue;
      owners.add(owner);
      batch.push(...queue.splice(0, Math.min(share, maxBatch - batch.length)));
      this.queues.delete(owner);
      if (queue.length > 0) this.queues.set(owner, queue);
    }
    this.writing.set(lane, owners);
    return batch;
  }

  private activeOwners(): number {
    if (!this.options.now) return this.queues.size;
    const now = this.options.now();
    for (const seen of [this.lastSeen, this.floods]) {
      for (const [owner, until] of seen) if (until < now) seen.delete(owner);
    }
    return this.lastSeen.size;
  }
}
