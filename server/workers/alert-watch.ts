import type { Clock } from '@/lib/shared/clock';
import type { AlertBoard, OpenBreaker } from '@/server/ports/alert-store';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';
import type { StreamRange } from '@/server/ports/stream-store';
import { judge } from '@/server/services/alert-rules';
import { matchAlert } from '@/server/services/webhook-events';
import { WEBHOOKS_CHANNEL } from '@/server/services/webhook-out-service';
import { STREAM_CHANNEL } from '@/server/workers/relay';
import { WebhookLoop } from '@/server/workers/webhook-loop';

const FORGET_EVERY_MS = 6 * 3_600_000;
/** Resolved alerts are kept this long. */
const KEEP_DAYS = 90;

export interface AlertWatchDeps {
  board: AlertBoard;
  /** Breakers that are open in this process now. */
  openBreakers: () => OpenBreaker[];
  /** Names this process. */
  reporter: string;
  bus: Bus;
  clock: Clock;
  log: Log;
  newId: () => string;
  /** How often the rules are looked at, whichever process does it. */
  everyMs: number;
}

/** Looks at the rules every few seconds. Every process runs one; a round belongs to whoever comes first. */
export class AlertWatch {
  private readonly loop: WebhookLoop;
  private forgotAt: number;

  constructor(private readonly deps: AlertWatchDeps) {
    this.forgotAt = deps.clock.now();
    const timing = { name: 'alerts', channels: [], pollMs: deps.everyMs, spacingMs: 0 };
    this.loop = new WebhookLoop({ ...deps, ...timing }, () => this.turn());
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async turn(): Promise<void> {
    const { board, bus, clock, reporter, newId, everyMs } = this.deps;
    await board.report(reporter, this.deps.openBreakers());
    // A little less than a whole period: a timer that fires a moment early must not skip a round.
    const changed = await board.round(
      everyMs * 0.9,
      (measured, now) => judge(measured, now, newId),
      (alert, subscriptions) => matchAlert(alert, subscriptions, newId),
    );
    for (const { organizationId, seq } of changed ?? []) {
      const range: StreamRange = { organizationId, topic: 'alerts', from: seq, to: seq };
      bus.publish(STREAM_CHANNEL, range);
    }
    if ((changed ?? []).length > 0) bus.publish(WEBHOOKS_CHANNEL, null);
    if (clock.now() - this.forgotAt > FORGET_EVERY_MS) {
      this.forgotAt = clock.now();
      await board.forget(KEEP_DAYS);
    }
  }
}
