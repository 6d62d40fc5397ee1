import { performance } from 'node:perf_hooks';
import type { SteeredClock } from '@/lib/shared/clock';

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * The process's clock, steered by the database's (`ClockKeeper`, heartbeats): what lies in histories and decides when timers
 * fire is the same time in every process, however wrong a machine's own clock is. Monotonic between adjustments.
 */
export class SystemClock implements SteeredClock {
  private offset: number;
  private adjusted = false;

  /** @param wrongByMs how far off the machine's clock is to be taken; for tests */
  constructor(wrongByMs = 0) {
    this.offset = wrongByMs;
  }

  now(): number {
    return Math.floor(performance.timeOrigin + performance.now() + this.offset);
  }

  /**
   * Moves towards the database's clock. The first reading is taken as it is; later ones only when they differ by
   * more than the reading's own uncertainty, so that time does not jitter.
   */
  adjust(databaseNow: number, halfRoundTripMs: number): void {
    const local = performance.timeOrigin + performance.now() + this.offset;
    const error = databaseNow + halfRoundTripMs - local;
    if (this.adjusted && Math.abs(error) <= halfRoundTripMs + 5) return;
    this.offset += error;
    this.adjusted = true;
  }

  at(atMs: number, run: () => void): () => void {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const wait = atMs - this.now();
      if (wait <= 0) timer = setTimeout(run, 0);
      else timer = setTimeout(arm, Math.min(wait, MAX_TIMEOUT_MS));
    };
    arm();
    return () => clearTimeout(timer);
  }
}
