import type { NamedServerConfig, ServerConfig } from '@/lib/protocol/server-config';
import type { Clock } from '@/lib/shared/clock';
import type { Log } from '@/server/ports/log';
import type { ServerRegistry, ToolPinPolicy } from '@/server/ports/mcp-fleet';
import type { ServerStore } from '@/server/ports/server-store';

/** How often other processes' changes are looked for. */
const POLL_MS = 2_000;

export interface ServerRegistryDeps {
  /** The organisation that the servers of the configuration file belong to, and these servers. */
  fileOrganization: string;
  fileServers: readonly NamedServerConfig[];
  store: ServerStore;
  clock: Clock;
  log: Log;
  /** What changed tools lead to where a server says nothing of its own. */
  defaultToolPolicy: (organizationId: string) => ToolPinPolicy;
  /** Told of a server whose configuration changed or that is gone: its connections are of the past. */
  changed: (organizationId: string, server: string) => void;
}

/**
 * The servers of the configuration file and those added at run time, as one. An organisation is read at its first use and
 * kept in memory; changes of this process are seen at once, those of others within two seconds, and a name that is not
 * known is always looked for in the store.
 */
export class MergedServerRegistry implements ServerRegistry {
  private readonly known = new Map<string, Map<string, ServerConfig>>();
  private readonly loading = new Map<string, Promise<Map<string, ServerConfig>>>();
  private fingerprint: string | undefined;
  private cancelPoll: (() => void) | undefined;
  private polling: Promise<void> = Promise.resolve();

  constructor(private readonly deps: ServerRegistryDeps) {}

  async list(organizationId: string): Promise<NamedServerConfig[]> {
    const servers = this.known.get(organizationId) ?? (await this.load(organizationId));
    return [...servers].map(([name, config]) => ({ name, config }));
  }

  find(organizationId: string, server: string): ServerConfig | undefined | Promise<ServerConfig | undefined> {
    return (
      this.known.get(organizationId)?.get(server) ??
      this.load(organizationId).then((servers) => servers.get(server))
    );
  }

  /** Whether the server stands in the configuration file, which nothing here can change. */
  isFromFile(organizationId: string, server: string): boolean {
    const { fileOrganization, fileServers } = this.deps;
    return organizationId === fileOrganization && fileServers.some(({ name }) => name === server);
  }

  /** What changed tools of a server lead to; of one that is not in memory, the default. */
  toolPolicy(organizationId: string, server: string): ToolPinPolicy {
    return (
      this.known.get(organizationId)?.get(server)?.toolChanges ?? this.deps.defaultToolPolicy(organizationId)
    );
  }

  /** Reads an organisation anew, after a change. */
  load(organizationId: string): Promise<Map<string, ServerConfig>> {
    const under = this.loading.get(organizationId);
    if (under !== undefined) return under;
    const load = this.read(organizationId).finally(() => this.loading.delete(organizationId));
    this.loading.set(organizationId, load);
    return load;
  }

  /** After a change of ours: a read that began before it may have missed it, so another one follows. */
  async refresh(organizationId: string): Promise<void> {
    await this.loading.get(organizationId)?.catch(() => undefined);
    await this.load(organizationId);
  }

  start(): void {
    const { clock } = this.deps;
    this.cancelPoll = clock.at(clock.now() + POLL_MS, () => {
      this.polling = this.poll().finally(() => {
        if (this.cancelPoll !== undefined) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.cancelPoll?.();
    this.cancelPoll = undefined;
    await this.polling;
  }

  private async poll(): Promise<void> {
    const { store, log } = this.deps;
    try {
      const fingerprint = await store.fingerprint();
      const before = this.fingerprint;
      this.fingerprint = fingerprint;
      // The first time, too: what was read before may have changed before anybody looked.
      if (before === fingerprint) return;
      for (const organizationId of [...this.known.keys()]) await this.refresh(organizationId);
    } catch (error) {
      log.warn('server_registry', { status: 'failed', error: String(error) });
    }
  }

  private async read(organizationId: string): Promise<Map<string, ServerConfig>> {
    const { fileOrganization, fileServers, store, changed } = this.deps;
    const added = await store.list(organizationId);
    const servers = new Map(added.map(({ name, config }) => [name, config]));
    // A name of the file wins: it may have been added there after a server of that name was added here.
    if (organizationId === fileOrganization)
      for (const { name, config } of fileServers) servers.set(name, config);
    const before = this.known.get(organizationId);
    this.known.set(organizationId, servers);
    for (const [name, config] of before ?? []) {
      if (JSON.stringify(servers.get(name)) !== JSON.stringify(config)) changed(organizationId, name);
    }
    return servers;
  }
}
