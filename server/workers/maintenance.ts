import type { Clock } from '@/lib/shared/clock';
import type { Log } from '@/server/ports/log';
import type { MaintenanceStore } from '@/server/ports/maintenance-store';

const EVERY_MS = 6 * 3_600_000;
const WEEKS_AHEAD = 8;

/** Slow housekeeping of the engine's tables: event partitions exist well before they are needed. */
export class Maintenance {
  private cancel: () => void = () => {};

  constructor(private readonly deps: { store: MaintenanceStore; clock: Clock; log: Log }) {}

  async start(): Promise<void> {
    await this.round();
    this.schedule();
  }

  stop(): void {
    this.cancel();
  }

  private schedule(): void {
    const { clock } = this.deps;
    this.cancel = clock.at(clock.now() + EVERY_MS, () => {
      void this.round().finally(() => this.schedule());
    });
  }

  private async round(): Promise<void> {
    try {
      await this.deps.store.ensureEventPartitions(WEEKS_AHEAD);
    } catch (error) {
      this.deps.log.warn('maintenance', { status: 'failed', error: String(error) });
    }
  }
}
