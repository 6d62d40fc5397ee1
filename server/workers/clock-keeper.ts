import type { SteeredClock } from '@/lib/shared/clock';
import type { Log } from '@/server/ports/log';

export interface ClockKeeperDeps {
  clock: SteeredClock;
  /** Asks the database for its clock, epoch milliseconds. */
  read: () => Promise<number>;
  log: Log;
  everyMs: number;
}

/**
 * Steers the process's clock by the database's. Every process reads it before it serves; from then on an engine has it with each
 * heartbeat (`LeaseManager`), and a process without one from here.
 */
export class ClockKeeper {
  private cancel: () => void = () => {};
  private stopped = false;

  constructor(private readonly deps: ClockKeeperDeps) {}

  /** Reads the database's clock once. */
  async steer(): Promise<void> {
    const { clock, read } = this.deps;
    const asked = clock.now();
    const now = await read();
    if (!this.stopped) clock.adjust(now, (clock.now() - asked) / 2);
  }

  /** Steers now and then from now on. */
  start(): void {
    const { clock, log, everyMs } = this.deps;
    if (this.stopped) return;
    this.cancel = clock.at(clock.now() + everyMs, () => {
      const steered = this.steer().catch((error: unknown) => {
        if (!this.stopped) log.warn('clock', { status: 'failed', error: String(error) });
      });
      void steered.then(() => this.start());
    });
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }
}
