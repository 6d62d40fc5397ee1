import type { Clock } from '@/lib/shared/clock';

/** Lets calls start at a steady rate, some at once after a quiet time; the others wait in order of arrival. */
export class TokenBucket {
  private tokens: number;
  private filledAt: number;
  private readonly burst: number;
  private queue: Array<{ grant: () => void; cancelled: boolean }> = [];
  private timer: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    readonly perSecond: number,
    burst: number | undefined,
  ) {
    this.burst = burst ?? Math.max(1, Math.ceil(perSecond));
    this.tokens = this.burst;
    this.filledAt = clock.now();
  }

  /** Resolves when the call may start; rejects with the signal's reason when that comes first. */
  take(signal: AbortSignal): Promise<void> {
    this.fill();
    if (this.queue.length === 0 && this.tokens >= 1) {
      this.tokens--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        entry.cancelled = true;
        reject(signal.reason);
      };
      const entry = {
        cancelled: false,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.queue.push(entry);
      this.schedule();
    });
  }

  private fill(): void {
    const now = this.clock.now();
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.filledAt) * this.perSecond) / 1000);
    this.filledAt = now;
  }

  private schedule(): void {
    if (this.timer !== undefined || this.queue.length === 0) return;
    const wait = Math.max(1, Math.ceil(((1 - this.tokens) * 1000) / this.perSecond));
    this.timer = this.clock.at(this.clock.now() + wait, () => {
      this.timer = undefined;
      this.serve();
    });
  }

  private serve(): void {
    this.fill();
    this.queue = this.queue.filter((entry) => !entry.cancelled);
    // A whole token can be missing by a rounding error of the clock's milliseconds.
    while (this.tokens >= 0.999 && this.queue.length > 0) {
      this.tokens--;
      this.queue.shift()?.grant();
    }
    this.schedule();
  }
}
