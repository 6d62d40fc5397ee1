import type { Actor } from '@/lib/protocol/actor';
import type { ApiKeyBody } from '@/lib/protocol/api-identity';
import { AppError } from '@/lib/protocol/errors';
import { may, type Permission, requirePermission, withImplied } from '@/lib/protocol/permissions';
import type { AuditLog } from '@/server/ports/audit-log';
import type { ApiKeyRow, IdentityStore } from '@/server/ports/identity-store';

const DAY_S = 86_400;

/** Makes the key itself; only its hash is kept. */
export type MakeKey = (key: {
  userId: string;
  organizationId: string;
  name: string;
  scopes: readonly string[] | null;
  /** Seconds; null = for ever. */
  expiresIn: number | null;
}) => Promise<{ id: string; key: string }>;

export interface KeyServiceDeps {
  store: IdentityStore;
  audit: AuditLog;
  makeKey: MakeKey;
}

/** Use cases around API keys. Everybody sees and ends their own; who manages users sees and ends all. */
export class KeyService {
  constructor(private readonly deps: KeyServiceDeps) {}

  async list(actor: Actor): Promise<ApiKeyBody[]> {
    requirePermission(actor, 'keys:write');
    return (await this.visible(actor)).map((row) => ({
      ...row,
      createdAt: row.createdAt.toISOString(),
      expiresAt: row.expiresAt?.toISOString() ?? null,
      lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    }));
  }

  /** Throws FORBIDDEN for a scope that the actor has not. */
  async create(
    actor: Actor,
    body: { name: string; scopes?: Permission[] | undefined; days?: number | undefined },
  ) {
    requirePermission(actor, 'keys:write');
    // A limited key or custom role cannot make a key without limits: that would be its whole user.
    const wanted = body.scopes ?? (actor.permissions as Permission[] | undefined);
    const scopes = wanted === undefined ? null : withImplied(wanted);
    for (const one of scopes ?? []) requirePermission(actor, one);
    const { audit, makeKey } = this.deps;
    const { name } = body;
    const expiresIn = body.days === undefined ? null : body.days * DAY_S;
    const { id: userId, organizationId } = actor;
    const made = await makeKey({ userId, organizationId, name, scopes, expiresIn });
    await audit.record(actor, 'key.create', made.id, { name, scopes, days: body.days ?? null });
    return { id: made.id, name, key: made.key };
  }

  /** Throws KEY_NOT_FOUND. */
  async remove(actor: Actor, id: string): Promise<void> {
    requirePermission(actor, 'keys:write');
    const key = (await this.visible(actor)).find((one) => one.id === id);
    if (!key) throw new AppError('KEY_NOT_FOUND', 'There is no such key.');
    await this.deps.audit.record(actor, 'key.remove', id, { name: key.name });
    await this.deps.store.removeKey(actor.organizationId, id);
  }

  private async visible(actor: Actor): Promise<ApiKeyRow[]> {
    const rows = await this.deps.store.keys(actor.organizationId);
    return may(actor, 'users:manage') ? rows : rows.filter((row) => row.userId === actor.id);
  }
}
