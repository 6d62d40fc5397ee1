import type { Clock } from '@/lib/shared/clock';
import type { Log } from '@/server/ports/log';
import type { MaintenanceStore } from '@/server/ports/maintenance-store';

const EVERY_MS = 6 * 3_600_000;
const WEEKS_AHEAD = 8;
/** Rows of one statement: short enough that nobody waits long behind it. */
const BATCH = 2_000;

export interface MaintenanceDeps {
  store: MaintenanceStore;
  clock: Clock;
  log: Log;
  /** Runs that closed more than this many days ago are dropped, a week at a time; 0 = never. */
  retentionDays?: number;
  batch?: number;
}

/** Slow housekeeping of the engine's tables: event partitions exist well before they are needed, and go when they expire. */
export class Maintenance {
  private cancel: () => void = () => {};
  private stopped = false;
  private expiring: Promise<void> = Promise.resolve();

  constructor(private readonly deps: MaintenanceDeps) {}

  /** Resolves once the partitions that are needed soon exist; what has expired goes in the background. */
  async start(): Promise<void> {
    await this.round();
  }

  /** Ends after the statement under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.expiring;
  }

  private async round(): Promise<void> {
    const { clock, log, store } = this.deps;
    try {
      const missing = await store.ensureEventPartitions(WEEKS_AHEAD);
      if (missing.length > 0) {
        // Nothing is lost, but retention never drops what is in the default partition.
        const partitions = missing.map(({ name }) => name);
        log.warn('maintenance', { status: 'incomplete', partitions, error: 'events are in the default one' });
      }
    } catch (error) {
      log.warn('maintenance', { status: 'failed', error: String(error) });
    }
    this.expiring = this.expire()
      .catch((error: unknown) => log.warn('retention', { status: 'failed', error: String(error) }))
      .finally(() => {
        if (!this.stopped) this.cancel = clock.at(clock.now() + EVERY_MS, () => void this.round());
      });
  }

  /** Drops week after week. Rows go before events, so that no run is ever shown without its history. */
  private async expire(): Promise<void> {
    const { store, log, retentionDays = 0, batch = BATCH } = this.deps;
    if (retentionDays === 0) return;
    for (;;) {
      const partition = this.stopped ? null : await store.expiredPartition(retentionDays);
      if (partition === null) return;
      while (!this.stopped && (await store.deleteStream(partition, batch)) > 0);
      let runs = 0;
      for (let gone = -1; gone !== 0 && !this.stopped; runs += gone)
        gone = await store.deleteRuns(partition, batch);
      if (this.stopped || !(await store.dropPartition(partition, retentionDays))) return;
      log.info('retention', { status: 'success', partition: partition.name, runs });
    }
  }
}
