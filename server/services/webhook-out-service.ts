import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type {
  CreateWebhookOut,
  OutboundDeliveryBody,
  OutboundState,
  WebhookFormat,
  WebhookOutBody,
  WebhookOutSecretBody,
  WebhookOutSpec,
} from '@/lib/protocol/webhooks';
import { isUuid } from '@/lib/shared/ids';
import type { AuditLog } from '@/server/ports/audit-log';
import type {
  Address,
  OutboundDelivery,
  WebhookOut,
  WebhookOutFacts,
  WebhookOutStore,
  WebhookSender,
} from '@/server/ports/webhook-out-store';
import type { AccessService } from '@/server/services/access-service';
import { envelope } from '@/server/services/webhook-events';
import { type Revised, stale } from '@/server/services/webhook-in-service';
import { newSecret } from '@/server/services/webhook-signature';

/** Channel of the bus on which new deliveries are told, as a hint to look. */
export const WEBHOOKS_CHANNEL = 'webhooks';

export interface WebhookOutServiceDeps {
  store: WebhookOutStore;
  sender: Pick<WebhookSender, 'check'>;
  audit: AuditLog;
  access: Pick<AccessService, 'refuseRestricted' | 'refuseTakingOver'>;
  /** Ids that sort by time. */
  newId: () => string;
  now: () => number;
  /** Tells workers in reach that there is something to send. */
  changed: () => void;
}

/** Use cases around subscriptions and what was sent to them. */
export class WebhookOutService {
  constructor(private readonly deps: WebhookOutServiceDeps) {}

  async list(actor: Actor): Promise<WebhookOutBody[]> {
    requirePermission(actor, 'webhooks:read');
    return (await this.deps.store.list(actor.organizationId)).map(toBody);
  }

  /** Throws WEBHOOK_NOT_FOUND. */
  async get(actor: Actor, name: string): Promise<Revised<WebhookOutBody>> {
    requirePermission(actor, 'webhooks:read');
    const hook = await this.find(actor, name);
    return { revision: hook.revision, body: toBody(hook) };
  }

  /** The secret is in the answer, and never shown again. Throws WEBHOOK_EXISTS, ADDRESS_NOT_ALLOWED. */
  async create(actor: Actor, spec: CreateWebhookOut): Promise<Revised<WebhookOutSecretBody>> {
    requirePermission(actor, 'webhooks:write');
    const { store, audit, newId } = this.deps;
    const { name } = spec;
    await this.mayHear(actor, spec);
    const address = this.address(spec.url, spec.format);
    const secret = newSecret();
    const { organizationId, id: createdBy } = actor;
    const about = { id: newId(), organizationId, name, createdBy };
    const hook = await store.create({ ...about, ...factsOf(spec) }, address, secret);
    if (hook === null) {
      throw new AppError('WEBHOOK_EXISTS', `There is a subscription "${name}" already.`, { path: '/name' });
    }
    await audit.record(actor, 'webhook-out.create', name, { target: hook.target, format: hook.format });
    return { revision: hook.revision, body: { ...toBody(hook), secret } };
  }

  /** The address stays when it is left out. Throws WEBHOOK_NOT_FOUND, VERSION_CONFLICT, ADDRESS_NOT_ALLOWED. */
  async replace(
    actor: Actor,
    name: string,
    spec: WebhookOutSpec,
    seen: number | null,
  ): Promise<Revised<WebhookOutBody>> {
    requirePermission(actor, 'webhooks:write');
    const { store, audit } = this.deps;
    await this.mayHear(actor, spec);
    const before = await store.get(actor.organizationId, name);
    if (before !== null) await this.deps.access.refuseTakingOver(actor, before.createdBy);
    const address = spec.url === undefined ? null : this.address(spec.url, spec.format);
    const changed = await store.update(actor.organizationId, name, factsOf(spec), address, seen);
    if (changed === 'missing') throw notFound(name);
    if (changed === 'stale') throw stale(name);
    await audit.record(actor, 'webhook-out.update', name, {
      target: changed.done.target,
      enabled: spec.enabled,
    });
    return { revision: changed.done.revision, body: toBody(changed.done) };
  }

  /** Throws WORKFLOW_NOT_FOUND or FORBIDDEN when the one workflow that is asked for is restricted and the actor does not see its runs. */
  private async mayHear(actor: Actor, { workflow }: Pick<WebhookOutSpec, 'workflow'>): Promise<void> {
    if (workflow === undefined) return;
    await this.deps.access.refuseRestricted(actor, 'executions:read', { kind: 'workflow', id: workflow });
  }

  /** What is not sent yet is not sent any more. Throws WEBHOOK_NOT_FOUND. */
  async remove(actor: Actor, name: string): Promise<void> {
    requirePermission(actor, 'webhooks:write');
    if (!(await this.deps.store.remove(actor.organizationId, name))) throw notFound(name);
    await this.deps.audit.record(actor, 'webhook-out.delete', name, {});
  }

  /** A new secret; deliveries carry signatures of both for a while. Throws WEBHOOK_NOT_FOUND. */
  async rotate(actor: Actor, name: string, graceSeconds: number): Promise<Revised<WebhookOutSecretBody>> {
    requirePermission(actor, 'webhooks:write');
    const secret = newSecret();
    const hook = await this.deps.store.rotate(actor.organizationId, name, secret, graceSeconds * 1000);
    if (hook === null) throw notFound(name);
    await this.deps.audit.record(actor, 'webhook-out.rotate', name, { graceSeconds });
    return { revision: hook.revision, body: { ...toBody(hook), secret } };
  }

  /** What was sent, and what is waiting; newest first. Throws WEBHOOK_NOT_FOUND. */
  async deliveries(
    actor: Actor,
    name: string,
    query: { limit: number; cursor?: string | undefined; state?: OutboundState | undefined },
  ): Promise<{ items: OutboundDeliveryBody[]; nextCursor: string | null }> {
    requirePermission(actor, 'webhooks:read');
    const hook = await this.find(actor, name);
    const { limit } = query;
    const rows = await this.deps.store.deliveries(actor.organizationId, hook.id, {
      limit,
      before: query.cursor ?? null,
      state: query.state ?? null,
    });
    return {
      items: rows.map(toDelivery),
      nextCursor: rows.length < limit ? null : (rows.at(-1)?.id ?? null),
    };
  }

  /** Throws WEBHOOK_NOT_FOUND, DELIVERY_NOT_FOUND. */
  async delivery(actor: Actor, name: string, id: string): Promise<OutboundDeliveryBody> {
    requirePermission(actor, 'webhooks:read');
    return toDelivery(await this.one(actor, await this.find(actor, name), id));
  }

  /** Sends a delivery once more, under its old id. Throws WEBHOOK_NOT_FOUND, WEBHOOK_DISABLED, DELIVERY_NOT_FOUND. */
  async replay(actor: Actor, name: string, id: string): Promise<OutboundDeliveryBody> {
    requirePermission(actor, 'webhooks:write');
    const hook = await this.mustBeOn(actor, name);
    await this.one(actor, hook, id);
    await this.deps.store.replay(actor.organizationId, hook.id, { id });
    await this.deps.audit.record(actor, 'webhook-out.replay', name, { delivery: id });
    this.deps.changed();
    return toDelivery(await this.one(actor, hook, id));
  }

  /** Sends all failed deliveries made since a time once more. Throws WEBHOOK_NOT_FOUND, WEBHOOK_DISABLED. */
  async replayFailed(actor: Actor, name: string, since: string): Promise<number> {
    requirePermission(actor, 'webhooks:write');
    const hook = await this.mustBeOn(actor, name);
    const replayed = await this.deps.store.replay(actor.organizationId, hook.id, {
      since: Date.parse(since),
    });
    await this.deps.audit.record(actor, 'webhook-out.replay', name, { since, replayed });
    this.deps.changed();
    return replayed;
  }

  /** Sends a sample, like any other delivery. Throws WEBHOOK_NOT_FOUND, WEBHOOK_DISABLED. */
  async test(actor: Actor, name: string): Promise<OutboundDeliveryBody> {
    requirePermission(actor, 'webhooks:write');
    const { store, newId, now, audit, changed } = this.deps;
    const hook = await this.mustBeOn(actor, name);
    const id = newId();
    const data = {
      message: `A test of the webhook "${name}": nothing has happened.`,
      by: actor.id,
    };
    const delivery = await store.add({
      id,
      organizationId: actor.organizationId,
      webhookId: hook.id,
      eventKey: `test:${id}`,
      event: 'webhook.test',
      payload: envelope('webhook.test', now(), data),
    });
    await audit.record(actor, 'webhook-out.test', name, { delivery: id });
    changed();
    return toDelivery(delivery);
  }

  private async find(actor: Actor, name: string): Promise<WebhookOut> {
    const hook = await this.deps.store.get(actor.organizationId, name);
    if (hook === null) throw notFound(name);
    return hook;
  }

  private async mustBeOn(actor: Actor, name: string): Promise<WebhookOut> {
    const hook = await this.find(actor, name);
    if (hook.enabled) return hook;
    throw new AppError('WEBHOOK_DISABLED', `The subscription "${name}" is switched off; switch it on first.`);
  }

  private async one(actor: Actor, hook: WebhookOut, id: string): Promise<OutboundDelivery> {
    const { store } = this.deps;
    const found = isUuid(id) ? await store.delivery(actor.organizationId, hook.id, id) : null;
    if (found === null) {
      throw new AppError('DELIVERY_NOT_FOUND', `"${hook.name}" has no delivery ${id.slice(0, 100)}.`);
    }
    return found;
  }

  private address(url: string, format: WebhookFormat): Address {
    this.deps.sender.check(url);
    const { username, password } = new URL(url);
    if (username !== '' || password !== '') {
      throw new AppError('INVALID_INPUT', 'Deliveries are signed: leave user and password out of the URL.', {
        path: '/url',
      });
    }
    return { url, target: shownTarget(url, format) };
  }
}

/** Where a URL leads, without what may be secret: of chat systems the host alone, of others no query. */
export function shownTarget(url: string, format: WebhookFormat): string {
  const { origin, pathname, search } = new URL(url);
  if (format !== 'generic') return `${origin}/…`;
  return `${origin}${pathname}${search === '' ? '' : '?…'}`;
}

function factsOf({ format, events, workflow, enabled }: WebhookOutSpec): WebhookOutFacts {
  return { format, events: [...new Set(events)], workflow: workflow ?? null, enabled };
}

function notFound(name: string): AppError {
  return new AppError('WEBHOOK_NOT_FOUND', `There is no subscription "${name.slice(0, 100)}".`);
}

function toBody(hook: WebhookOut): WebhookOutBody {
  const { name, target, format, events, workflow, enabled, disabledReason, createdBy } = hook;
  return {
    name,
    target,
    format,
    events: [...events],
    workflow,
    enabled,
    disabledAt: iso(hook.disabledAt),
    disabledReason,
    failingSince: iso(hook.failingSince),
    previousSecretUntil: iso(hook.previousUntil),
    createdBy,
    createdAt: new Date(hook.createdAt).toISOString(),
    updatedAt: new Date(hook.updatedAt).toISOString(),
  };
}

function toDelivery(delivery: OutboundDelivery): OutboundDeliveryBody {
  const { id, event, state, attempts, replays, history, payload } = delivery;
  const last = history.at(-1);
  return {
    id,
    event,
    state,
    attempts,
    replays,
    nextAt: state === 'waiting' ? new Date(delivery.nextAt).toISOString() : null,
    createdAt: new Date(delivery.createdAt).toISOString(),
    settledAt: iso(delivery.settledAt),
    status: last?.status ?? null,
    latencyMs: last?.latencyMs ?? null,
    error: last?.error ?? null,
    history,
    payload,
  };
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
