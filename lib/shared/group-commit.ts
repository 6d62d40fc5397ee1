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
  /** Most items of one owner in a write while others are active too: keeps writes short for those with few. */
  sharedBatch?: number;
  /** Clock in milliseconds, for who was active within the last second. Without it only waiting owners count. */
  now?: () => number;
}

const ACTIVE_MS = 1_000;

/**
 * Group commit without a timer: the first item goes at once, whatever arrives while that write is under way goes
 * together in the next one. Under load batches grow by themselves; when idle nothing waits.
 */
export class GroupCommit<T, R> {
  private readonly queues = new Map<string, Entry<T, R>[]>();
  private readonly lastSeen = new Map<string, number>();
  private flushing = false;

  /**
   * @param write stores a batch and gives one result (or Error) for each item, in order
   */
  constructor(
    private readonly write: (items: T[]) => Promise<(R | Error)[]>,
    private readonly options: GroupCommitOptions<T>,
  ) {}

  /** Resolves with the item's result once its batch is stored. */
  submit(item: T): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const owner = this.options.ownerOf?.(item) ?? '';
      const queue = this.queues.get(owner);
      if (queue) queue.push({ item, resolve, reject });
      else this.queues.set(owner, [{ item, resolve, reject }]);
      if (this.options.now) this.lastSeen.set(owner, this.options.now());
      if (!this.flushing) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.flushing = true;
    // One turn of the microtask queue, so that items submitted in the same tick share the first write.
    await Promise.resolve();
    while (this.queues.size > 0) {
      const batch = this.next();
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
    }
    this.flushing = false;
  }

  /** The next batch: each owner's oldest items, in equal shares. An owner that got its share goes to the end of the line. */
  private next(): Entry<T, R>[] {
    const { maxBatch, sharedBatch = maxBatch } = this.options;
    const share = this.activeOwners() > 1 ? sharedBatch : maxBatch;
    const batch: Entry<T, R>[] = [];
    for (const [owner, queue] of [...this.queues]) {
      if (batch.length >= maxBatch) break;
      batch.push(...queue.splice(0, Math.min(share, maxBatch - batch.length)));
      this.queues.delete(owner);
      if (queue.length > 0) this.queues.set(owner, queue);
    }
    return batch;
  }

  private activeOwners(): number {
    if (!this.options.now) return this.queues.size;
    const since = this.options.now() - ACTIVE_MS;
    for (const [owner, seen] of this.lastSeen) if (seen < since) this.lastSeen.delete(owner);
    return this.lastSeen.size;
  }
}
