import type { Actor } from '@/lib/protocol/actor';
import type { SecretInfoBody } from '@/lib/protocol/api-servers';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { AuditLog } from '@/server/ports/audit-log';
import type { PersonalSecretStore } from '@/server/ports/personal-secret-store';
import type { SecretStore } from '@/server/ports/secret-store';

export interface SecretServiceDeps {
  secrets: SecretStore;
  audit: AuditLog;
  /** Told that configurations which use the secret are filled in differently from now on. */
  changed: (organizationId: string, name: string) => Promise<void>;
  personal: PersonalSecretStore;
  /** The same for one person's. */
  personalChanged: (organizationId: string, name: string, userId: string) => Promise<void>;
}

/** Use cases around secrets. Values go in and never come out. */
export class SecretService {
  constructor(private readonly deps: SecretServiceDeps) {}

  async list(actor: Actor): Promise<SecretInfoBody[]> {
    requirePermission(actor, 'secrets:read');
    const rows = await this.deps.secrets.list(actor.organizationId);
    return rows.map((row) => ({ ...row, updatedAt: new Date(row.updatedAt).toISOString() }));
  }

  async set(actor: Actor, name: string, value: string): Promise<void> {
    requirePermission(actor, 'secrets:write');
    const { secrets, audit, changed } = this.deps;
    await audit.record(actor, 'secret.set', name, {});
    await secrets.set(actor.organizationId, name, value, actor.id);
    await changed(actor.organizationId, name);
  }

  /** Throws SECRET_NOT_FOUND. */
  async remove(actor: Actor, name: string): Promise<void> {
    requirePermission(actor, 'secrets:write');
    const { secrets, audit, changed } = this.deps;
    if (!(await secrets.remove(actor.organizationId, name)))
      throw new AppError('SECRET_NOT_FOUND', `There is no secret ${name}.`);
    await audit.record(actor, 'secret.remove', name, {});
    await changed(actor.organizationId, name);
  }

  /** What the actor has set for themselves; through a key or a client, what its person has. */
  async listMine(actor: Actor): Promise<SecretInfoBody[]> {
    requirePermission(actor, 'workflows:execute');
    const rows = await this.deps.personal.list(actor.organizationId, actor.id);
    return rows.map(({ name, updatedAt }) => ({
      name,
      updatedBy: actor.id,
      updatedAt: new Date(updatedAt).toISOString(),
    }));
  }

  /** Throws FORBIDDEN for whoever is no member. */
  async setMine(actor: Actor, name: string, value: string): Promise<void> {
    requirePermission(actor, 'workflows:execute');
    const { personal, audit, personalChanged } = this.deps;
    await audit.record(actor, 'secret.set-personal', name, {});
    if (!(await personal.set(actor.organizationId, actor.id, name, value)))
      throw new AppError('FORBIDDEN', 'Only members have secrets of their own.');
    await personalChanged(actor.organizationId, name, actor.id);
  }

  /** Throws SECRET_NOT_FOUND. */
  async removeMine(actor: Actor, name: string): Promise<void> {
    requirePermission(actor, 'workflows:execute');
    const { personal, audit, personalChanged } = this.deps;
    if (!(await personal.remove(actor.organizationId, actor.id, name)))
      throw new AppError('SECRET_NOT_FOUND', `You have no secret ${name} of your own.`);
    await audit.record(actor, 'secret.remove-personal', name, {});
    await personalChanged(actor.organizationId, name, actor.id);
  }
}
