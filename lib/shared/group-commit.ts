/**
 * Group commit without a timer: the first item goes at once, whatever arrives while that write is under way goes
 * together in the next one. Under load batches grow by themselves; when idle nothing waits.
 */
export class GroupCommit<T, R> {
  private readonly waiting: { item: T; resolve: (result: R) => void; reject: (error: unknown) => void }[] =
    [];
  private flushing = false;

  /**
   * @param write stores a batch and gives one result (or Error) for each item, in order
   * @param maxBatch most items in one write
   */
  constructor(
    private readonly write: (items: T[]) => Promise<(R | Error)[]>,
    private readonly maxBatch: number,
  ) {}

  /** Resolves with the item's result once its batch is stored. */
  submit(item: T): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      if (!this.flushing) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.flushing = true;
    // One turn of the microtask queue, so that items submitted in the same tick share the first write.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, this.maxBatch);
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
}
