import type { Clock } from '@/lib/shared/clock';

/** A deadline that stands still while somebody is asked. */
export class PausableDeadline {
  private cancel: (() => void) | undefined;
  private remaining: number;
  private startedAt = 0;
  private pauses = 0;

  constructor(
    private readonly clock: Clock,
    ms: number,
    private readonly onExpired: () => void,
  ) {
    this.remaining = ms;
    this.start();
  }

  /** Stops the count; pauses nest. */
  pause(): void {
    if (this.pauses++ > 0) return;
    this.cancel?.();
    this.cancel = undefined;
    this.remaining -= this.clock.now() - this.startedAt;
  }

  /** Goes on counting when the last pause ends. */
  resume(): void {
    if (--this.pauses === 0) this.start();
  }

  /** No longer needed. */
  end(): void {
    this.cancel?.();
    this.cancel = undefined;
    this.pauses = Number.MAX_SAFE_INTEGER;
  }

  private start(): void {
    this.startedAt = this.clock.now();
    this.cancel = this.clock.at(this.startedAt + Math.max(0, this.remaining), this.onExpired);
  }
}
