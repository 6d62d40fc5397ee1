/**
 * A line of works of which one is under way at a time. Runs stand in it that were in memory when process after process
 * ended: tried one by one, the one that does it gives itself away, and the others are not blamed for it.
 */
export class Quarantine {
  private readonly keys = new Set<string>();
  private last: Promise<unknown> = Promise.resolve();

  /** Does `work` after everything before it; null when this key stands in the line already. */
  submit(key: string, work: () => Promise<unknown>): Promise<unknown> | null {
    if (this.keys.has(key)) return null;
    this.keys.add(key);
    const next = this.last.then(work).finally(() => this.keys.delete(key));
    this.last = next.catch(() => {});
    return next;
  }
}
