/** Gives back the place taken by `acquire`. */
export type Release = () => void;

/** At most `limit` holders at once; the others wait in order of arrival. */
export class Limiter {
  private held = 0;
  private readonly waiting: Array<{ grant: () => void; cancelled: boolean }> = [];

  constructor(readonly limit: number) {}

  /** Holders now, and those that wait. */
  get load(): { held: number; waiting: number } {
    return {
      held: this.held,
      waiting: this.waiting.reduce((sum, entry) => sum + (entry.cancelled ? 0 : 1), 0),
    };
  }

  /**
   * A place at once, or undefined when all are taken.
   *
   * @param share only while less than this part of all is taken
   */
  tryAcquire(share = 1): Release | undefined {
    if (this.held >= this.limit * share || this.waiting.length > 0) return undefined;
    this.held++;
    return this.releaseOnce();
  }

  /** A place when one is free; rejects with the signal's reason when it is aborted first. */
  acquire(signal: AbortSignal): Promise<Release> {
    const now = this.tryAcquire();
    if (now !== undefined) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = () => {
        entry.cancelled = true;
        reject(signal.reason);
      };
      const entry = {
        cancelled: false,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          resolve(this.releaseOnce());
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.push(entry);
    });
  }

  private releaseOnce(): Release {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      for (;;) {
        const next = this.waiting.shift();
        if (next === undefined) {
          this.held--;
          return;
        }
        if (!next.cancelled) {
          next.grant();
          return;
        }
      }
    };
  }
}
