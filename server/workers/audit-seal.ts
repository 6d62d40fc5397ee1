import type { Clock } from '@/lib/shared/clock';
import type { AuditSealer } from '@/server/ports/audit-store';
import type { Log } from '@/server/ports/log';

const BATCH = 500;

/** Seals new audit entries into their chains, every few seconds: one chain an organisation, so that nobody waits for others. */
export class AuditSeal {
  private cancel: () => void = () => {};
  private stopped = false;
  private round: Promise<void> = Promise.resolve();

  constructor(private readonly deps: { store: AuditSealer; clock: Clock; log: Log; everyMs: number }) {}

  start(): void {
    this.next();
  }

  /** Ends after the batch under way. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel();
    await this.round;
  }

  private next(): void {
    const { clock, everyMs } = this.deps;
    this.cancel = clock.at(clock.now() + everyMs, () => {
      this.round = this.seal().finally(() => {
        if (!this.stopped) this.next();
      });
    });
  }

  private async seal(): Promise<void> {
    const { store, log } = this.deps;
    try {
      for (const organizationId of await store.waiting()) {
        while (!this.stopped && (await store.seal(organizationId, BATCH)) === BATCH);
      }
    } catch (error) {
      log.warn('audit_seal', { status: 'failed', error: String(error) });
    }
  }
}
