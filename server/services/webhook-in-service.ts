import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type {
  InboundDeliveryBody,
  WebhookInBody,
  WebhookInSecretBody,
  WebhookInSpec,
} from '@/lib/protocol/webhooks';
import type { AuditLog } from '@/server/ports/audit-log';
import type { WebhookIn, WebhookInFacts, WebhookInStore } from '@/server/ports/webhook-in-store';
import type { AccessService } from '@/server/services/access-service';
import { checkMapping } from '@/server/services/webhook-mapping';
import { newSecret } from '@/server/services/webhook-signature';
import type { WorkflowService } from '@/server/services/workflow-service';

export interface WebhookInServiceDeps {
  store: WebhookInStore;
  workflows: Pick<WorkflowService, 'get'>;
  access: Pick<AccessService, 'refuseRestricted' | 'refuseTakingOver'>;
  audit: AuditLog;
  /** A random text that nobody guesses, fit for an address. */
  newId: () => string;
}

/** A stored thing with the revision that an ETag is made of. */
export interface Revised<T> {
  revision: number;
  body: T;
}

/** Use cases around the addresses that other programs post to. */
export class WebhookInService {
  constructor(private readonly deps: WebhookInServiceDeps) {}

  async list(actor: Actor): Promise<WebhookInBody[]> {
    requirePermission(actor, 'webhooks:read');
    return (await this.deps.store.list(actor.organizationId)).map(toBody);
  }

  /** Throws WEBHOOK_NOT_FOUND. */
  async get(actor: Actor, name: string): Promise<Revised<WebhookInBody>> {
    requirePermission(actor, 'webhooks:read');
    const hook = await this.find(actor, name);
    return { revision: hook.revision, body: toBody(hook) };
  }

  /** The secret is in the answer, and never shown again. Throws WEBHOOK_EXISTS, WORKFLOW_NOT_FOUND, EXPRESSION_INVALID, INVALID_INPUT. */
  async create(actor: Actor, name: string, spec: WebhookInSpec): Promise<Revised<WebhookInSecretBody>> {
    requirePermission(actor, 'webhooks:write');
    const { store, audit, newId } = this.deps;
    const facts = await this.check(actor, spec);
    const secret = newSecret();
    const { organizationId, id: createdBy } = actor;
    const hook = await store.create({ id: newId(), organizationId, name, createdBy, ...facts }, secret);
    if (hook === null) {
      throw new AppError('WEBHOOK_EXISTS', `There is a way in "${name}" already.`, { path: '/name' });
    }
    await audit.record(actor, 'webhook-in.create', name, { action: spec.action.kind, scheme: spec.scheme });
    return { revision: hook.revision, body: { ...toBody(hook), secret } };
  }

  /** Throws as `create`, WEBHOOK_NOT_FOUND, VERSION_CONFLICT. */
  async replace(
    actor: Actor,
    name: string,
    spec: WebhookInSpec,
    seen: number | null,
  ): Promise<Revised<WebhookInBody>> {
    requirePermission(actor, 'webhooks:write');
    const { store, audit } = this.deps;
    const facts = await this.check(actor, spec);
    const before = await store.get(actor.organizationId, name);
    if (before !== null) await this.deps.access.refuseTakingOver(actor, before.createdBy);
    const changed = await store.update(actor.organizationId, name, facts, seen);
    if (changed === 'missing') throw notFound(name);
    if (changed === 'stale') throw stale(name);
    await audit.record(actor, 'webhook-in.update', name, { enabled: spec.enabled });
    return { revision: changed.done.revision, body: toBody(changed.done) };
  }

  /** Runs that it started go on. Throws WEBHOOK_NOT_FOUND. */
  async remove(actor: Actor, name: string): Promise<void> {
    requirePermission(actor, 'webhooks:write');
    if (!(await this.deps.store.remove(actor.organizationId, name))) throw notFound(name);
    await this.deps.audit.record(actor, 'webhook-in.delete', name, {});
  }

  /** A new secret; the old one stays good for a while. Throws WEBHOOK_NOT_FOUND. */
  async rotate(actor: Actor, name: string, graceSeconds: number): Promise<Revised<WebhookInSecretBody>> {
    requirePermission(actor, 'webhooks:write');
    const secret = newSecret();
    const hook = await this.deps.store.rotate(actor.organizationId, name, secret, graceSeconds * 1000);
    if (hook === null) throw notFound(name);
    await this.deps.audit.record(actor, 'webhook-in.rotate', name, { graceSeconds });
    return { revision: hook.revision, body: { ...toBody(hook), secret } };
  }

  /** What came in, newest first. Throws WEBHOOK_NOT_FOUND. */
  async deliveries(
    actor: Actor,
    name: string,
    limit: number,
    cursor: string | undefined,
  ): Promise<{ items: InboundDeliveryBody[]; nextCursor: string | null }> {
    requirePermission(actor, 'webhooks:read');
    const hook = await this.find(actor, name);
    const before = cursor === undefined ? null : Number(cursor);
    const items = await this.deps.store.deliveries(actor.organizationId, hook.id, limit, before);
    return { items, nextCursor: items.length < limit ? null : String(items.at(-1)?.id) };
  }

  private async find(actor: Actor, name: string): Promise<WebhookIn> {
    const hook = await this.deps.store.get(actor.organizationId, name);
    if (hook === null) throw notFound(name);
    return hook;
  }

  private async check(actor: Actor, spec: WebhookInSpec): Promise<WebhookInFacts> {
    const { action, when, scheme, enabled } = spec;
    checkMapping(action, when);
    if (action.kind === 'start') {
      await this.deps.workflows.get(actor, action.workflow, action.version);
      const ref = { kind: 'workflow', id: action.workflow } as const;
      await this.deps.access.refuseRestricted(actor, 'workflows:execute', ref);
    }
    return { action, scheme, enabled, when: when ?? null };
  }
}

function notFound(name: string): AppError {
  return new AppError('WEBHOOK_NOT_FOUND', `There is no way in "${name.slice(0, 100)}".`);
}

/** The writer has not seen the newest state. */
export function stale(name: string): AppError {
  return new AppError('VERSION_CONFLICT', `"${name.slice(0, 100)}" was changed by somebody else.`, {
    path: '/headers/if-match',
  });
}

function toBody(hook: WebhookIn): WebhookInBody {
  const { name, id, scheme, action, when, enabled, createdBy } = hook;
  return {
    name,
    id,
    path: `/api/v1/hooks/${id}`,
    scheme,
    action,
    when,
    enabled,
    previousSecretUntil: iso(hook.previousUntil),
    lastAt: iso(hook.lastAt),
    createdBy,
    createdAt: new Date(hook.createdAt).toISOString(),
    updatedAt: new Date(hook.updatedAt).toISOString(),
  };
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
