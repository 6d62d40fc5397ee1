import type { Actor } from '@/lib/protocol/actor';
import type { CreatedScimToken, ScimTokenBody } from '@/lib/protocol/api-teams';
import { AppError } from '@/lib/protocol/errors';
import { ALL_PERMISSIONS, may, permissionsOf, requirePermission } from '@/lib/protocol/permissions';
import type { AuditLog } from '@/server/ports/audit-log';
import type { ScimStore } from '@/server/ports/scim-store';

const DAY_MS = 86_400_000;
/** As many characters of a token as tell it from others. */
const START = 9;

export interface ScimServiceDeps {
  scim: ScimStore;
  audit: AuditLog;
  now: () => number;
  newId: () => string;
  /** A new token, and what is kept of it. */
  newToken: () => { token: string; hash: string };
  /** What directories are told as our address. */
  url: () => string;
}

/** Use cases around the tokens with which directories keep users (SCIM 2.0). */
export class ScimService {
  constructor(private readonly deps: ScimServiceDeps) {}

  async list(actor: Actor): Promise<{ url: string; items: ScimTokenBody[] }> {
    requirePermission(actor, 'users:manage');
    const rows = await this.deps.scim.tokens(actor.organizationId);
    const items = rows.map((row) => ({
      ...row,
      createdAt: row.createdAt.toISOString(),
      expiresAt: row.expiresAt?.toISOString() ?? null,
      lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    }));
    return { url: this.deps.url(), items };
  }

  /** Throws FORBIDDEN for who could not bring in a viewer themselves. */
  async create(actor: Actor, body: { name: string; days?: number | undefined }): Promise<CreatedScimToken> {
    requirePermission(actor, 'users:manage');
    for (const one of permissionsOf('viewer')) requirePermission(actor, one);
    const { scim, audit, now, newId, newToken, url } = this.deps;
    const { name, days } = body;
    const id = newId();
    const { token, hash } = newToken();
    await audit.record(actor, 'scim.token.create', id, { name, days: days ?? null });
    await scim.addToken({
      id,
      organizationId: actor.organizationId,
      name,
      start: token.slice(0, START),
      hash,
      permissions: ALL_PERMISSIONS.filter((one) => may(actor, one)),
      createdBy: actor.id,
      expiresAt: days === undefined ? null : new Date(now() + days * DAY_MS),
    });
    return { id, name, url: url(), token };
  }

  /** Throws SCIM_TOKEN_NOT_FOUND. */
  async remove(actor: Actor, id: string): Promise<void> {
    requirePermission(actor, 'users:manage');
    const gone = await this.deps.scim.removeToken(actor.organizationId, id);
    if (gone === null) throw new AppError('SCIM_TOKEN_NOT_FOUND', 'There is no such token.');
    await this.deps.audit.record(actor, 'scim.token.remove', id, { name: gone.name });
  }
}
