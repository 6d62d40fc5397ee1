import type { Actor } from '@/lib/protocol/actor';
import type { ImportServersAnswer, ServerConfigAnswer } from '@/lib/protocol/api-servers';
import { AppError } from '@/lib/protocol/errors';
import { requirePermission } from '@/lib/protocol/permissions';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { AuditLog } from '@/server/ports/audit-log';
import type { SecretStore } from '@/server/ports/secret-store';
import type { ServerStore } from '@/server/ports/server-store';
import { type CheckedServer, checkServer } from '@/server/services/server-check';
import { importServers } from '@/server/services/server-import';
import type { MergedServerRegistry } from '@/server/services/server-registry';

export interface ServerAdminDeps {
  registry: MergedServerRegistry;
  store: ServerStore;
  secrets: SecretStore;
  audit: AuditLog;
  stdioCommands: readonly string[];
  /** The folder that `${workspaceFolder}` of an imported file stands for. */
  workspace: string;
  /** Throws QUOTA_EXCEEDED when no further server may be added. */
  admit: (organizationId: string) => Promise<void>;
  /** Told that a server was removed. */
  removed: (organizationId: string, server: string) => void;
}

/** Use cases of those who add, change and remove servers. */
export class ServerAdmin {
  constructor(private readonly deps: ServerAdminDeps) {}

  /** Throws SERVER_EXISTS, COMMAND_NOT_ALLOWED, INVALID_INPUT. */
  async add(actor: Actor, name: string, config: ServerConfig): Promise<ServerConfigAnswer> {
    requirePermission(actor, 'servers:manage');
    const checked = checkServer(name, config, this.deps.stdioCommands);
    await this.deps.admit(actor.organizationId);
    if (!(await this.put(actor, name, checked)))
      throw new AppError('SERVER_EXISTS', `There is a server ${name} already.`, { path: '/name' });
    return this.answer(actor, name, checked);
  }

  /** Throws SERVER_NOT_FOUND, SERVER_READ_ONLY, COMMAND_NOT_ALLOWED, INVALID_INPUT. */
  async replace(actor: Actor, name: string, config: ServerConfig): Promise<ServerConfigAnswer> {
    requirePermission(actor, 'servers:manage');
    this.mustBeAdded(actor, name);
    const { registry, store, audit, stdioCommands } = this.deps;
    const checked = checkServer(name, config, stdioCommands);
    if (!(await this.addedNames(actor)).has(name)) throw notFound(name);
    await this.keepSecrets(actor, checked);
    if (!(await store.replace(actor.organizationId, name, checked.config, actor.id))) throw notFound(name);
    await audit.record(actor, 'server.edit', name, {});
    await registry.refresh(actor.organizationId);
    return this.answer(actor, name, checked);
  }

  /** Throws SERVER_NOT_FOUND, SERVER_READ_ONLY. */
  async remove(actor: Actor, name: string): Promise<void> {
    requirePermission(actor, 'servers:manage');
    this.mustBeAdded(actor, name);
    const { registry, store, audit, removed } = this.deps;
    if (!(await store.remove(actor.organizationId, name))) throw notFound(name);
    await audit.record(actor, 'server.remove', name, {});
    await registry.refresh(actor.organizationId);
    removed(actor.organizationId, name);
  }

  /** Throws SERVER_NOT_FOUND, SERVER_READ_ONLY (what the file holds is not shown: its placeholders are filled in). */
  async show(actor: Actor, name: string): Promise<ServerConfigAnswer> {
    requirePermission(actor, 'servers:manage');
    this.mustBeAdded(actor, name);
    const config = await this.deps.registry.find(actor.organizationId, name);
    if (config === undefined) throw notFound(name);
    const { uses } = checkServer(name, config, config.type === 'stdio' ? [config.command] : []);
    return this.answer(actor, name, { config, secrets: [], uses });
  }

  /**
   * Takes over the servers of a file of another program. One that cannot be taken over is a problem of its own; the
   * others are added. Throws INVALID_JSON, INVALID_INPUT when the file as a whole is of no use.
   */
  async import(
    actor: Actor,
    text: string,
    workspaceFolder: string | undefined,
  ): Promise<ImportServersAnswer> {
    requirePermission(actor, 'servers:manage');
    const { workspace, stdioCommands } = this.deps;
    const found = importServers(text, workspaceFolder ?? workspace);
    const answer: ImportServersAnswer = {
      added: [],
      storedSecrets: [],
      missingSecrets: [],
      problems: [...found.problems],
    };
    for (const { name, config } of found.servers) {
      try {
        // A value that their program took from its environment is kept here under the same name.
        const plain = JSON.stringify(config).replaceAll(/\$\{env:([A-Za-z_]\w*)\}/g, '${secret:$1}');
        const checked = checkServer(name, JSON.parse(plain) as ServerConfig, stdioCommands);
        const values = found.secrets.filter((secret) => secret.usedBy === name && secret.value !== null);
        checked.secrets.push(...values.map((secret) => ({ name: secret.name, value: secret.value ?? '' })));
        await this.deps.admit(actor.organizationId);
        if (!(await this.put(actor, name, checked)))
          throw new AppError('SERVER_EXISTS', 'The name is taken.');
        const { storedSecrets, missingSecrets } = await this.answer(actor, name, checked);
        answer.added.push(name);
        answer.storedSecrets.push(...storedSecrets);
        answer.missingSecrets.push(...missingSecrets.filter((it) => !answer.missingSecrets.includes(it)));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        answer.problems.push({ pointer: `/${name}`, message: error.message });
      }
    }
    return answer;
  }

  /** False when the name is taken, by the file or by another. Secrets are kept only after the name is ours. */
  private async put(actor: Actor, name: string, checked: CheckedServer): Promise<boolean> {
    const { registry, store, audit } = this.deps;
    const { organizationId, id } = actor;
    if (registry.isFromFile(organizationId, name)) return false;
    if ((await this.addedNames(actor)).has(name)) return false;
    await this.keepSecrets(actor, checked);
    if (!(await store.add(organizationId, name, checked.config, id))) return false;
    await audit.record(actor, 'server.add', name, { type: checked.config.type });
    await registry.refresh(organizationId);
    return true;
  }

  private async addedNames(actor: Actor): Promise<Set<string>> {
    return new Set((await this.deps.store.list(actor.organizationId)).map(({ name }) => name));
  }

  private async keepSecrets(actor: Actor, checked: CheckedServer): Promise<void> {
    const { secrets, audit } = this.deps;
    for (const { name, value } of checked.secrets) {
      await audit.record(actor, 'secret.set', name, {});
      await secrets.set(actor.organizationId, name, value, actor.id);
    }
  }

  private async answer(actor: Actor, name: string, checked: CheckedServer): Promise<ServerConfigAnswer> {
    const stored = new Set((await this.deps.secrets.list(actor.organizationId)).map((secret) => secret.name));
    return {
      name,
      config: checked.config,
      storedSecrets: checked.secrets.map((secret) => secret.name),
      missingSecrets: checked.uses.filter((secret) => !stored.has(secret) && isOfAll(checked.config, secret)),
    };
  }

  private mustBeAdded(actor: Actor, name: string): void {
    if (this.deps.registry.isFromFile(actor.organizationId, name))
      throw new AppError('SERVER_READ_ONLY', `The server ${name} stands in the configuration file.`);
  }
}

/** False for a secret that everybody sets for themselves; those of OAuth clients are the organisation's in any case. */
function isOfAll(config: ServerConfig, secret: string): boolean {
  if (config.credentials !== 'user') return true;
  const oauth = config.type === 'stdio' ? undefined : config.oauth;
  return JSON.stringify(oauth ?? {}).includes(`\${secret:${secret}}`);
}

function notFound(name: string): AppError {
  return new AppError('SERVER_NOT_FOUND', `There is no server ${name}.`);
}
