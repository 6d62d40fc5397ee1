import { resolve } from 'node:path';
import type { Clock } from '@/lib/shared/clock';
import type { Operation } from '@/server/adapters/http/operation';
import { serverAdminOperations } from '@/server/adapters/http/operations/server-admin';
import { serverWatchOperations } from '@/server/adapters/http/operations/server-watch';
import { killOrphans } from '@/server/adapters/mcp/child-registry';
import { createMcpFleet } from '@/server/adapters/mcp/fleet';
import { samplingEndpoint } from '@/server/adapters/mcp/sampling-endpoint';
import { createAuditLog } from '@/server/adapters/postgres/audit-log';
import { createOAuthStore } from '@/server/adapters/postgres/oauth-store';
import { createPersonalSecretStore } from '@/server/adapters/postgres/personal-secret-store';
import type { Pool } from '@/server/adapters/postgres/pool';
import type { createPrisma } from '@/server/adapters/postgres/prisma';
import { createSecretStore } from '@/server/adapters/postgres/secret-store';
import { createServerHistory } from '@/server/adapters/postgres/server-history';
import { createServerStore } from '@/server/adapters/postgres/server-store';
import { createToolPinStore } from '@/server/adapters/postgres/tool-pin-store';
import type { Config } from '@/server/config/config';
import type { Log } from '@/server/ports/log';
import type { ManagedMcpFleet, SamplingAnswerer } from '@/server/ports/mcp-fleet';
import type { Sealer } from '@/server/ports/sealer';
import type { StreamRange } from '@/server/ports/stream-store';
import { loadFleetConfig, seedWorkspace } from '@/server/services/fleet-config';
import { FleetJournal } from '@/server/services/fleet-journal';
import { SecretService } from '@/server/services/secret-service';
import { ServerAdmin } from '@/server/services/server-admin';
import { MergedServerRegistry } from '@/server/services/server-registry';
import { ServerWatch } from '@/server/services/server-watch';
import type { SettingsService } from '@/server/services/settings-service';
import { HealthProbe } from '@/server/workers/health-probe';

export interface FleetDeps {
  config: Config;
  /** The organisation that the configuration file's servers belong to. */
  fileOrganization: string;
  /** Connections as oc_app, and through Prisma. */
  app: Pool;
  prisma: ReturnType<typeof createPrisma>;
  /** Connections as oc_engine. */
  engine: Pool;
  /** Seals secrets and tokens. */
  sealer: Sealer;
  clock: Clock;
  log: Log;
  version: string;
  /** Folder of the clone. */
  root: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** Throws QUOTA_EXCEEDED when no further server may be added. */
  admitServer: (organizationId: string) => Promise<void>;
  settings: Pick<SettingsService, 'current' | 'peek'>;
  /** Where browsers reach this instance; asked when somebody grants access to a remote server. */
  publicUrl: () => string;
  /** Told of entries that came to a stream of watchers. */
  published: (range: StreamRange) => void;
}

/** Part of the composition root: the MCP servers of every organisation, with all that is kept about them. */
export function createFleet(deps: FleetDeps) {
  const { config, prisma, engine, clock, log, root, version, sealer } = deps;
  const { dataDir, stdioCommands } = config;
  const ended = killOrphans(dataDir);
  if (ended.length > 0) log.info('orphans', { status: 'ended', count: ended.length });

  const workspace = resolve(dataDir, 'workspace');
  seedWorkspace(resolve(root, 'workspace'), workspace);
  const fileServers = loadFleetConfig(config.configFile, {
    workspace,
    dataDir,
    packageRoots: [root],
    environment: deps.environment,
  });
  const secrets = createSecretStore(prisma, sealer);
  const personal = createPersonalSecretStore(deps.app, sealer);
  const store = createServerStore(prisma, engine);
  const history = createServerHistory(prisma, engine);
  const audit = createAuditLog(prisma);
  const journal = new FleetJournal({ history, log, published: deps.published });
  const registry = new MergedServerRegistry({
    fileOrganization: deps.fileOrganization,
    fileServers,
    store,
    clock,
    log,
    defaultToolPolicy: (organizationId) => deps.settings.peek(organizationId)['tools.changes'],
    changed: (organizationId, server) => fleet.restart(organizationId, server),
  });
  const sampling = samplingAnswerer(config);
  const fleet: ManagedMcpFleet = createMcpFleet({
    servers: registry,
    clock,
    log: {
      debug: (facts, message) => log.debug(message, { ...facts }),
      info: (facts, message) => log.info(message, { ...facts }),
      warn: (facts, message) => log.warn(message, { ...facts }),
    },
    dataDir,
    stdioCommands,
    environment: deps.environment,
    client: { name: 'openconductor', version },
    network: {
      allowLoopback: config.networks.includes('loopback'),
      allowPrivate: config.networks.includes('private'),
    },
    secrets: (organizationId, name) => secrets.read(organizationId, name),
    personalSecrets: personal,
    oauth: {
      store: createOAuthStore(prisma, engine, sealer),
      redirectUrl: () => `${deps.publicUrl()}/api/oauth/callback`,
      clientName: 'OpenConductor',
    },
    pins: {
      store: createToolPinStore(prisma),
      policy: (organizationId, server) => registry.toolPolicy(organizationId, server),
    },
    ...(sampling === undefined ? {} : { sampling }),
    onEvent: (event) => journal.note(event),
  });

  const admin = new ServerAdmin({
    registry,
    store,
    secrets,
    audit,
    stdioCommands,
    workspace,
    admit: deps.admitServer,
    removed: (organizationId, server) => fleet.restart(organizationId, server),
  });
  const changed = async (organizationId: string, name: string, subject?: string) => {
    const reference = `\${secret:${name}}`;
    for (const server of await registry.list(organizationId)) {
      if (JSON.stringify(server.config).includes(reference))
        fleet.restart(organizationId, server.name, subject);
    }
  };
  const secretService = new SecretService({ secrets, audit, changed, personal, personalChanged: changed });
  const watch = new ServerWatch({ fleet, registry, history, audit });
  const probe = new HealthProbe({
    fleet,
    servers: registry,
    history,
    organizations: async () => {
      const all = [...new Set([deps.fileOrganization, ...(await store.organizations())])];
      const settings = await Promise.all(all.map((organizationId) => deps.settings.current(organizationId)));
      return all.filter((_, i) => settings[i]?.['servers.probe']);
    },
    clock,
    log,
    intervalMs: config.probeIntervalMs,
  });
  const operations: Operation[] = [
    ...serverAdminOperations(admin, secretService),
    ...serverWatchOperations(watch),
  ];
  return {
    fleet,
    registry,
    operations,

    start({ probes }: { probes: boolean }): void {
      registry.start();
      if (probes) probe.start();
    },

    /** Ends connections and child processes; what is being written down is awaited. */
    async stop(): Promise<void> {
      await Promise.all([registry.stop(), probe.stop()]);
      await fleet.close();
      await journal.flush();
    },
  };
}

/** The language model that is set up for servers, if any. Its address is the operator's own: no guard stands before it. */
function samplingAnswerer(config: Config): SamplingAnswerer | undefined {
  const { samplingKind: kind, samplingUrl: url, samplingModel: model, samplingApiKey: apiKey } = config;
  if (kind === 'off') return undefined;
  return samplingEndpoint({ kind, url, model, apiKey, maxTokens: config.samplingMaxTokens, fetch });
}
