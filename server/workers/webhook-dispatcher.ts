import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';
import type { Offered, WebhookQueue } from '@/server/ports/webhook-out-store';
import type { AccessService } from '@/server/services/access-service';
import { matchEvents, TOLD_TYPES } from '@/server/services/webhook-events';
import { WEBHOOKS_CHANNEL } from '@/server/services/webhook-out-service';
import { STREAM_CHANNEL } from '@/server/workers/relay';
import { WebhookLoop } from '@/server/workers/webhook-loop';

/** A stream of commits shares rounds: subscribers wait this much longer, and the database is asked less often. */
const SPACING_MS = 100;

export interface WebhookDispatcherDeps {
  queue: Pick<WebhookQueue, 'dispatch'>;
  bus: Bus;
  /** Takes what is sensitive out of events; they are passed on as they are when left out. */
  mask?: (offered: readonly Offered[]) => Promise<readonly Offered[]>;
  clock: Clock;
  log: Log;
  pollMs: number;
  /** Restricted workflows whose runs somebody does not see. */
  lostBy: AccessService['lostBy'];
  /** Ids that sort by time. */
  newId: () => string;
}

/**
 * Makes deliveries of committed events. It reads the numbered stream behind a place of its own, which moves in the
 * transaction that stores the deliveries: a crash loses nothing and tells nothing twice, and the engine never waits for it.
 */
export class WebhookDispatcher {
  private readonly loop: WebhookLoop;

  constructor(deps: WebhookDispatcherDeps) {
    const { queue, bus, newId, lostBy } = deps;
    const timing = { name: 'webhook_dispatch', channels: [STREAM_CHANNEL], spacingMs: SPACING_MS };
    this.loop = new WebhookLoop({ ...deps, ...timing }, async (isStopped) => {
      let made = 0;
      const match: Parameters<WebhookQueue['dispatch']>[1] = async (offered) => {
        const shown = (await deps.mask?.(offered)) ?? offered;
        const deliveries = matchEvents(await seen(shown, lostBy), newId);
        made += deliveries.length;
        return deliveries;
      };
      while (!isStopped()) {
        const done = await queue.dispatch(TOLD_TYPES, match);
        if (done === null) break;
        if (done.error === null) continue;
        const error = String(done.error);
        deps.log.warn(timing.name, { status: 'failed', organization_id: done.organizationId, error });
      }
      if (made > 0) bus.publish(WEBHOOKS_CHANNEL, null);
    });
  }

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }
}

/** What is offered, each event only to subscriptions of people who see its run. */
async function seen(offered: readonly Offered[], lostBy: AccessService['lostBy']): Promise<Offered[]> {
  const hidden = new Map<string, string[]>();
  for (const { event, subscriptions } of offered) {
    for (const { createdBy } of subscriptions) {
      if (createdBy === undefined || hidden.has(createdBy)) continue;
      // One dispatch is of one organisation.
      hidden.set(createdBy, await lostBy(event.organizationId, createdBy, 'executions:read'));
    }
  }
  if ([...hidden.values()].every((names) => names.length === 0)) return [...offered];
  return offered.map(({ event, subscriptions }) => ({
    event,
    subscriptions: subscriptions.filter(
      ({ createdBy = '' }) => !hidden.get(createdBy)?.includes(event.workflow),
    ),
  }));
}
