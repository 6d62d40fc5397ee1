import { randomBytes, randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { ENGINE_FLAGS } from '@/lib/engine/flags';
import type { Actor } from '@/lib/protocol/actor';
import { uuidv7 } from '@/lib/shared/ids';
import { createOperations } from '@/server/adapters/http/operations';
import { payloadOperations } from '@/server/adapters/http/operations/payloads';
import { createRouter } from '@/server/adapters/http/router';
import { createSystemRoutes } from '@/server/adapters/http/system-routes';
import { isAlive, machineName } from '@/server/adapters/machine';
import { createPrometheus } from '@/server/adapters/observability/prometheus';
import type { TraceScope } from '@/server/adapters/observability/trace-scope';
import { tracedFleet } from '@/server/adapters/observability/traced-fleet';
import { createAuditLog } from '@/server/adapters/postgres/audit-log';
import { mustBeBound } from '@/server/adapters/postgres/bound';
import { databaseNow } from '@/server/adapters/postgres/database-clock';
import { createDefinitionStore } from '@/server/adapters/postgres/definition-store';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { withNothingHidden } from '@/server/adapters/postgres/hidden-scope';
import { createIdentityStore } from '@/server/adapters/postgres/identity-store';
import { createLeaseStore } from '@/server/adapters/postgres/lease-store';
import { createMaintenanceStore } from '@/server/adapters/postgres/maintenance-store';
import { createMaskSource } from '@/server/adapters/postgres/mask-source';
import { createPayloadReader, createPayloads } from '@/server/adapters/postgres/payload-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { createPrisma } from '@/server/adapters/postgres/prisma';
import { roleUrl } from '@/server/adapters/postgres/roles';
import { createRunQueries } from '@/server/adapters/postgres/run-queries';
import { createStreamStore } from '@/server/adapters/postgres/stream-store';
import { SystemClock } from '@/server/adapters/system-clock';
import type { Config } from '@/server/config/config';
import { createFleet } from '@/server/fleet';
import { createGovernance } from '@/server/governance';
import { createHealth } from '@/server/health';
import { createIdentity } from '@/server/identity';
import { createJobs } from '@/server/jobs';
import { createKeys } from '@/server/keys';
import { createTracing, registerGauges } from '@/server/observability';
import type { ActivityFunction, ActivityProgress } from '@/server/ports/activity';
import type { Bus } from '@/server/ports/bus';
import type { Log } from '@/server/ports/log';
import { createPreferences } from '@/server/preferences';
import { RunPresenter } from '@/server/presenters/run-presenter';
import { TaskPresenter } from '@/server/presenters/task-presenter';
import { createShared } from '@/server/redis';
import { CallProgress } from '@/server/services/call-progress';
import { maskedRuns } from '@/server/services/masked-runs';
import { maskedStreams } from '@/server/services/masked-streams';
import { PayloadService } from '@/server/services/payload-service';
import { RerunService } from '@/server/services/rerun-service';
import { RunControl } from '@/server/services/run-control';
import { RunEventFeed } from '@/server/services/run-event-feed';
import { RunMasks } from '@/server/services/run-masks';
import { RunService } from '@/server/services/run-service';
import { RunReader } from '@/server/services/run-state';
import { ServerService } from '@/server/services/server-service';
import { publishStarters } from '@/server/services/starters';
import { StreamFeed } from '@/server/services/stream-feed';
import { toolKnowledge } from '@/server/services/tool-knowledge';
import { WorkflowService } from '@/server/services/workflow-service';
import { createSharing } from '@/server/sharing';
import { createWebhooks } from '@/server/webhooks';
import { ClockKeeper } from '@/server/workers/clock-keeper';
import { crashPoint } from '@/server/workers/engine/crash-points';
import { EngineHost } from '@/server/workers/engine/host';
import { INBOX_CHANNEL, OUTBOX_CHANNEL, PROGRESS_CHANNEL } from '@/server/workers/engine/host-deps';
import { Programs } from '@/server/workers/engine/programs';
import { Maintenance } from '@/server/workers/maintenance';
import { Relay, STREAM_CHANNEL } from '@/server/workers/relay';

const ENGINE_POLL_MS = 500;
const RELAY_POLL_MS = 500;
const CLOCK_MS = 30_000;
const MAX_RECOVERIES = 5;
const SURVIVE_MS = 30_000;
const CALM_MS = 600_000;
const MAX_ACTIVITIES = 1_000;
/** The part of the heap that runs may fill when no number of bytes is set. */
const RESIDENT_SHARE = 1 / 3;
const MAX_PRESSURE = 2_000;
const WATCH_CONNECTIONS = 4;

export interface RuntimeOptions {
  config: Config & { databaseUrl: string };
  log: Log;
  version: string;
  buildId: string;
  /** Folder of the clone: bundled servers, starters and sample documents are found below it. */
  root: string;
  /** Environment from which a few harmless variables are passed to server processes. */
  environment: Readonly<Record<string, string | undefined>>;
  /** How wrong this process's clock is made to be, in milliseconds (fault harness only). */
  clockOffsetMs?: number;
  /** How long a suspect is held back before its last trial (fault harness only). */
  calmMs?: number;
  /** What the log's lines are told of the traces they belong to. */
  traceScope?: TraceScope;
  /** In-process functions that `activity` nodes may call. */
  functions?: ReadonlyMap<string, ActivityFunction>;
}

/** Everything but the HTTP server and Next: built here, once, and handed to whoever serves it. */
export async function createRuntime(options: RuntimeOptions) {
  const { config, log, version, buildId, root } = options;
  const clock = new SystemClock(options.clockOffsetMs);
  const { telemetry, registry, gauge } = createPrometheus();
  const now = () => clock.now();
  const tracing = await createTracing({ config, version, log, telemetry, now, scope: options.traceScope });
  const pools = {
    engine: createPool(roleUrl(config.databaseUrl, 'oc_engine'), config.databasePool, 'openconductor-engine'),
    app: createPool(roleUrl(config.databaseUrl, 'oc_app'), config.databasePool, 'openconductor-app'),
    // Watchers read on connections of their own: however many there are, the engine's commits never queue behind them.
    watch: createPool(roleUrl(config.databaseUrl, 'oc_engine'), WATCH_CONNECTIONS, 'openconductor-watch'),
    auth: createPool(roleUrl(config.databaseUrl, 'oc_auth'), 2, 'openconductor-auth'),
  };
  await Promise.all([pools.engine, pools.app, pools.auth].map((pool) => mustBeBound(pool)));
  // Whoever starts a run divides it, so a process without engine too must know the right number.
  const leases = createLeaseStore(pools.engine);
  await leases.ensureShards(config.shards);
  // Before anything is given a time or an id, over a connection that is open already.
  const clockKeeper = new ClockKeeper({
    clock,
    read: () => databaseNow(pools.engine),
    log,
    everyMs: CLOCK_MS,
  });
  await clockKeeper.steer();
  const { redisUrl } = config;
  const shared = await createShared({ redisUrl, pool: pools.engine, clock, log, telemetry, gauge });
  // Whoever is told works for the whole organisation, not for the request that told it.
  const bus: Bus = {
    ...shared.bus,
    publish: (channel, message) => withNothingHidden(() => shared.bus.publish(channel, message)),
  };
  const prisma = createPrisma(pools.app);
  const store = createExecutionStore(pools.engine);
  const streams = createStreamStore(pools.watch);
  const definitions = createDefinitionStore(prisma, pools.app);
  const queries = createRunQueries(prisma, pools.app);
  const masks = new RunMasks({
    source: createMaskSource(prisma, queries),
    audit: createAuditLog(prisma),
    now: () => clock.now(),
    everywhere: async (organizationId) => (await settings.current(organizationId))['runs.sensitive'],
  });
  const shownStreams = maskedStreams(streams, masks);
  const programs = new Programs(definitions);
  const newRunId = () => uuidv7(clock.now(), randomBytes(10));
  const announce = (row: unknown) => {
    crashPoint('after-append-before-ack');
    bus.publish(INBOX_CHANNEL, row);
  };
  const identities = createIdentityStore(pools.auth);
  const owner: Actor = await identities.ensureLocalOwner();
  const keys = await createKeys({
    config,
    app: pools.app,
    prisma,
    organizations: () => identities.everyOrganization(),
    operators: owner.organizationId,
    clock,
    log,
  });
  const { sealer } = keys;

  const sharing = createSharing({
    auth: pools.auth,
    app: pools.app,
    prisma,
    bus,
    clock,
    find: {
      workflow: (actor, name) => workflows.get(actor, name),
      view: (actor, id) => views.get(actor, id),
    },
  });
  const { access } = sharing;
  const preferences = createPreferences({
    config,
    prisma,
    clock,
    environment: options.environment,
    access,
    forgetView: (organizationId, id) => sharing.service.forget(organizationId, { kind: 'view', id }),
  });
  const { settings, views } = preferences;

  const governance = createGovernance({
    pool: pools.engine,
    prisma,
    clock,
    log,
    countServers: async (organizationId) => (await servers.fleet.list(organizationId)).length,
  });
  const { quotas } = governance;
  let listeningAt = '';
  const servers = createFleet({
    config,
    fileOrganization: owner.organizationId,
    app: pools.app,
    prisma,
    engine: pools.engine,
    sealer,
    clock,
    log,
    version,
    root,
    environment: options.environment,
    settings,
    admitServer: (organizationId) => quotas.admitServer(organizationId),
    publicUrl: () => config.url ?? listeningAt,
    published: (range) => bus.publish(STREAM_CHANNEL, range),
  });
  const fleet = tracing === undefined ? servers.fleet : tracedFleet(servers.fleet, tracing);
  registerGauges(gauge, { version, pools, fleet });

  const serverStates = async (organizationId: string) =>
    new Map((await fleet.list(organizationId)).map((server) => [server.name, server.status]));
  const workflows = new WorkflowService({
    definitions,
    knowledge: toolKnowledge(fleet),
    serverStates,
    access,
  });
  const { shards, maxPayloadBytes } = config;
  const runs = new RunService({
    workflows,
    store,
    queries: maskedRuns(queries, masks),
    fleet,
    newRunId,
    shards,
    maxPayloadBytes,
    buildId,
    tracing,
    settings: (organizationId) => settings.current(organizationId),
    admit: (organizationId) => quotas.admitRun(organizationId),
    announce,
  });
  const serverService = new ServerService({ fleet, audit: createAuditLog(prisma), newId: randomUUID });
  const program = (organizationId: string, hash: string) => programs.get(organizationId, hash);
  const feed = new RunEventFeed({ runs, masks, access, bus, clock, hintChannel: OUTBOX_CHANNEL });
  const stream = new StreamFeed({ store: shownStreams, access, bus, clock, hintChannel: STREAM_CHANNEL });
  const reader = new RunReader({ runs, program });
  const calls = new CallProgress(bus, PROGRESS_CHANNEL);
  const runDetails = new RunPresenter({
    runs,
    reader,
    masks,
    now: () => clock.now(),
    progress: (runId, nodes) => calls.addTo(runId, nodes),
  });
  const tasks = new TaskPresenter({ runs, reader, masks, access, log });
  const control = new RunControl({ runs, reader, newId: newRunId });
  const payloads = new PayloadService({ runs, masks, store: createPayloadReader(prisma) });
  const reruns = new RerunService({ runs, reader, workflows });
  const stopping = new AbortController();

  // Volatile: whoever watches is told, nothing is written.
  const onProgress = masks.progress((facts: ActivityProgress) => bus.publish(PROGRESS_CHANNEL, facts));
  const hasEngine = config.roles.includes('engine');
  const host = new EngineHost({
    process: { id: randomUUID(), buildId, host: machineName(), pid: process.pid },
    store,
    leases,
    isAlive,
    programs,
    activities: {
      fleet,
      functions: options.functions ?? new Map(),
      clock,
      telemetry,
      maxPayloadBytes,
      payloads: {
        store: createPayloads(pools.engine),
        thresholdBytes: config.payloadThresholdBytes,
        maxMessageBytes: config.maxMessageBytes,
      },
      onProgress,
    },
    children: { store, definitions, clock, newRunId, shards, flags: ENGINE_FLAGS, announce, tracing },
    clock,
    bus,
    log,
    telemetry,
    tracing,
    random: Math.random,
    shards,
    leaseTtlMs: config.leaseTtlMs,
    pollMs: ENGINE_POLL_MS,
    maxRecoveries: MAX_RECOVERIES,
    surviveMs: SURVIVE_MS,
    calmMs: options.calmMs ?? CALM_MS,
    maxActivities: MAX_ACTIVITIES,
    maxResidents: config.maxResidentRuns,
    maxResidentBytes: config.maxResidentBytes || getHeapStatistics().heap_size_limit * RESIDENT_SHARE,
    maxPressure: MAX_PRESSURE,
  });
  const relay = new Relay({ store: createStreamStore(pools.engine), bus, clock, log, pollMs: RELAY_POLL_MS });
  const { retentionDays } = config;
  const maintenance = new Maintenance({
    store: createMaintenanceStore(pools.engine),
    clock,
    log,
    retentionDays,
  });
  const jobs = createJobs({
    pool: pools.engine,
    prisma,
    app: pools.app,
    store,
    workflows,
    runs,
    reruns,
    bus,
    clock,
    log,
    newRunId,
    announce,
    maxPayloadBytes,
    access,
  });

  const webhooks = createWebhooks({
    config,
    app: pools.app,
    prisma,
    watch: pools.watch,
    sealer,
    workflows,
    runs,
    masks,
    access,
    openBreakers: () => servers.fleet.openCircuits(),
    bus,
    clock,
    log,
  });

  const health = createHealth({
    version,
    pool: pools.engine,
    leases: hasEngine ? host.leases : null,
    shards,
    servers: () => fleet.list(owner.organizationId),
    clock,
    more: shared.checks,
  });

  const identity = createIdentity({
    config,
    pool: pools.auth,
    engine: pools.engine,
    prisma,
    owner,
    clock,
    log,
    secret: keys.sessionSecret,
    counter: shared.counter,
    publicUrl: () => config.url ?? listeningAt,
  });
  const operations = createOperations({
    workflows,
    runs,
    runDetails,
    views,
    control,
    reruns,
    tasks,
    feed,
    stream,
    servers: serverService,
    version,
    log,
    more: [
      ...servers.operations,
      ...jobs.operations,
      ...webhooks.operations,
      ...preferences.operations,
      ...payloadOperations(payloads),
      ...identity.operations,
      ...governance.operations,
      ...sharing.operations,
      ...keys.operations,
    ],
  });
  const handleApi = createRouter({
    operations,
    authenticate: identity.ofRequest,
    limit: identity.limit,
    gate: sharing.gate,
    allowedHosts: [...config.allowedHosts, config.host],
    maxBodyBytes: config.maxBodyBytes,
    log,
    newRequestId: randomUUID,
    stopping: stopping.signal,
    telemetry,
    tracing,
  });
  const handleSystem = createSystemRoutes({ health, registry, admit: identity.authenticate });

  return {
    owner,
    host,
    store,
    definitions,
    /** As watchers may see them. */
    streams: shownStreams,
    bus,
    clock,
    fleet,
    runs,
    workflows,
    access,
    authenticate: identity.authenticate,
    /** Every REST operation, hidden ones too. */
    operations,
    notes: async (): Promise<string[]> => [...keys.notes, ...(await identity.notes())],

    /** REST, sign-in, health and metrics. */
    async handle(request: Request): Promise<Response> {
      const system = await handleSystem(request);
      return system ?? (await identity.handle(request)) ?? handleApi(request);
    },

    /** Says at which address this process listens; needed before somebody grants access to a remote server. */
    listensAt(url: string): void {
      listeningAt = url;
    },

    async start(): Promise<void> {
      const configured = new Set((await serverStates(owner.organizationId)).keys());
      await publishStarters(workflows, owner, resolve(root, 'workflows', 'starters'), configured, log);
      keys.start();
      servers.start({ probes: config.roles.includes('sync') });
      if (!hasEngine) return clockKeeper.start();
      await maintenance.start();
      await host.start();
      relay.start();
      jobs.start();
      governance.start();
      webhooks.start();
    },

    /**
     * Drains the engine, ends servers and connections: one part after the other, also when one cannot be stopped; then throws what
     * was in its way.
     */
    async stop(): Promise<void> {
      stopping.abort();
      const engine = [
        () => jobs.stop(),
        () => governance.stop(),
        () => webhooks.stop(),
        () => host.drain(config.drainTimeoutMs),
        () => relay.stop(),
        () => maintenance.stop(),
      ];
      const parts = [
        ...(hasEngine ? engine : []),
        () => clockKeeper.stop(),
        () => servers.stop(),
        () => keys.stop(),
        () => identity.stop(),
        () => prisma.$disconnect(),
        () => shared.close(),
        async () => tracing?.shutdown(),
        () => Promise.all(Object.values(pools).map((pool) => pool.end())),
      ];
      const errors: unknown[] = [];
      for (const stop of parts) {
        try {
          await stop();
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0)
        throw errors.length === 1 ? errors[0] : new AggregateError(errors, 'Not all of it could be stopped.');
    },
  };
}

export type Runtime = Awaited<ReturnType<typeof createRuntime>>;
