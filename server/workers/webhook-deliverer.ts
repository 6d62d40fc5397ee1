import { isAppError } from '@/lib/protocol/errors';
import type { Attempt, WebhookFormat } from '@/lib/protocol/webhooks';
import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';
import type {
  AttemptOutcome,
  OutboundDelivery,
  WebhookOutStore,
  WebhookQueue,
  WebhookSender,
} from '@/server/ports/webhook-out-store';
import { waitBeforeNext } from '@/server/services/webhook-backoff';
import { envelope, wants } from '@/server/services/webhook-events';
import { renderBody } from '@/server/services/webhook-format';
import { WEBHOOKS_CHANNEL } from '@/server/services/webhook-out-service';
import { signedHeaders } from '@/server/services/webhook-signature';
import { WebhookLoop } from '@/server/workers/webhook-loop';

/** Deliveries under way at once; the queue gives no receiver and no organisation all of them. */
const SLOTS = 32;
/** A claimed delivery is free again this long after its attempt must have ended. */
const LEASE_SLACK_MS = 15_000;
const MAX_ERROR = 300;
const FORGET_EVERY_MS = 3_600_000;
/** Settled deliveries are kept this long. */
const KEEP_DAYS = 30;
/** The receiver says that it is gone for good (Standard Webhooks). */
const GONE = 410;

type Claimed = OutboundDelivery & { format: WebhookFormat };

export interface WebhookDelivererDeps {
  queue: WebhookQueue;
  store: Pick<WebhookOutStore, 'destination'>;
  sender: WebhookSender;
  bus: Bus;
  clock: Clock;
  log: Log;
  random: () => number;
  newId: () => string;
  pollMs: number;
  /** Wait before the second attempt; later ones grow from it. */
  retryMs: number;
  timeoutMs: number;
  /** A subscription that has failed for this long without a single success is switched off. */
  disableAfterMs: number;
}

/** Sends what is due, and writes down what came of it. Any number of processes may run one. */
export class WebhookDeliverer {
  private readonly loop: WebhookLoop;
  private readonly underWay = new Map<Claimed, Promise<void>>();
  private forgotAt: number;

  constructor(private readonly deps: WebhookDelivererDeps) {
    this.forgotAt = deps.clock.now();
    const timing = { name: 'webhook_deliver', channels: [WEBHOOKS_CHANNEL], spacingMs: 0 };
    this.loop = new WebhookLoop({ ...deps, ...timing }, (isStopped) => this.turn(isStopped));
  }

  start(): void {
    this.loop.start();
  }

  /** Ends after the attempts under way; the rest is for others, or for the next start. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.underWay.values());
  }

  private async turn(isStopped: () => boolean): Promise<void> {
    const { queue, clock, timeoutMs } = this.deps;
    if (clock.now() - this.forgotAt > FORGET_EVERY_MS) {
      this.forgotAt = clock.now();
      await queue.forget(KEEP_DAYS);
    }
    const free = SLOTS - this.underWay.size;
    if (free === 0 || isStopped()) return;
    const claimed = await queue.claim(free, timeoutMs + LEASE_SLACK_MS, [...this.underWay.keys()]);
    // Begun in the order in which things happened; receivers may still see them in another.
    for (const delivery of claimed.sort((a, b) => (a.id < b.id ? -1 : 1))) this.begin(delivery);
  }

  /** Nobody waits for it: whatever slot is free again is filled at once, however long others take. */
  private begin(delivery: Claimed): void {
    const done = this.deliver(delivery).finally(() => {
      this.underWay.delete(delivery);
      this.loop.kick();
    });
    this.underWay.set(delivery, done);
  }

  /** Never throws: what could not be written down is tried again when the claim has run out. */
  private async deliver(delivery: Claimed): Promise<void> {
    const { queue, log, clock, disableAfterMs } = this.deps;
    try {
      const { outcome, isGone } = await this.attempt(delivery);
      const failingSince = await queue.settle(delivery, outcome);
      const { status, latencyMs, error } = outcome.attempt;
      log.debug('webhook_out', {
        delivery: delivery.id,
        event: delivery.event,
        status,
        latency_ms: latencyMs,
      });
      if (isGone) await this.disable(delivery, 'The receiver answered 410: it is gone.');
      else if (failingSince !== null && clock.now() - failingSince >= disableAfterMs) {
        const since = new Date(failingSince).toISOString();
        await this.disable(
          delivery,
          `Every attempt since ${since} failed, the last with: ${error ?? status}.`,
        );
      }
    } catch (error) {
      log.warn('webhook_out', { status: 'failed', delivery: delivery.id, error: String(error) });
    }
  }

  private async attempt(delivery: Claimed): Promise<{ outcome: AttemptOutcome; isGone: boolean }> {
    const { store, sender, clock, random, retryMs, timeoutMs } = this.deps;
    const begun = clock.now();
    const done = (status: number | null, error: string | null): Attempt => ({
      at: new Date(begun).toISOString(),
      status,
      latencyMs: Math.max(0, Math.round(clock.now() - begun)),
      error: error?.slice(0, MAX_ERROR) ?? null,
    });
    const again = (askedMs: number | null) =>
      waitBeforeNext(delivery.attempts + 1, retryMs, random(), askedMs);
    try {
      const destination = await store.destination(delivery.organizationId, delivery.webhookId);
      if (destination === null) {
        const attempt = done(null, 'The subscription is gone.');
        return { outcome: { attempt, delivered: false, retryAfterMs: null }, isGone: false };
      }
      const body = renderBody(delivery.format, delivery.payload);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'OpenConductor-Webhooks',
        ...signedHeaders(destination.secrets, delivery.id, begun, body),
      };
      const { status, retryAfterMs } = await sender.post(destination.url, body, headers, timeoutMs);
      const delivered = status >= 200 && status < 300;
      const attempt = done(status, delivered ? null : `HTTP ${status}`);
      const isGone = status === GONE;
      const wait = delivered || isGone ? null : again(retryAfterMs);
      return { outcome: { attempt, delivered, retryAfterMs: wait }, isGone };
    } catch (error) {
      // An address that may not be reached will not be allowed by waiting.
      const isRefused = isAppError(error) && error.code === 'ADDRESS_NOT_ALLOWED';
      const text = error instanceof Error ? error.message || error.name : String(error);
      const attempt = done(null, text);
      return {
        outcome: { attempt, delivered: false, retryAfterMs: isRefused ? null : again(null) },
        isGone: false,
      };
    }
  }

  private async disable(delivery: Claimed, reason: string): Promise<void> {
    const { queue, bus, log, clock, newId } = this.deps;
    const { organizationId, webhookId } = delivery;
    const at = clock.now();
    const off = await queue.disable(delivery, reason, (other, name) =>
      wants(other, 'webhook.disabled', null)
        ? {
            id: newId(),
            organizationId,
            webhookId: other.id,
            eventKey: `disabled:${webhookId}:${at}`,
            event: 'webhook.disabled',
            payload: envelope('webhook.disabled', at, { webhook: name, reason }),
          }
        : null,
    );
    if (!off) return;
    log.warn('webhook_disabled', { webhook: webhookId, organization_id: organizationId, reason });
    bus.publish(WEBHOOKS_CHANNEL, null);
  }
}
