import { randomBytes, randomUUID } from 'node:crypto';
import { ENGINE_FLAGS } from '@/lib/engine/flags';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { shardOf, uuidv7 } from '@/lib/shared/ids';
import type { Json } from '@/lib/shared/json';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { SystemClock } from '@/server/adapters/system-clock';
import type { ActivityFunction } from '@/server/ports/activity';
import type { DefinitionStore } from '@/server/ports/definition-store';
import type { ExecutionStore } from '@/server/ports/execution-store';
import type { LeaseStore } from '@/server/ports/lease-store';
import type { Log } from '@/server/ports/log';
import type { McpFleet } from '@/server/ports/mcp-fleet';
import type { Telemetry } from '@/server/ports/telemetry';
import { EngineHost } from '@/server/workers/engine/host';
import { type EngineHostDeps, INBOX_CHANNEL } from '@/server/workers/engine/host-deps';
import { Programs } from '@/server/workers/engine/programs';

const quiet: Log = {
  debug() {},
  info() {},
  warn() {},
  error(...facts) {
    console.error(...facts);
  },
  with: () => quiet,
};

const uncounted: Telemetry = {
  workflowCreated() {},
  workflowClosed() {},
  taskExecuted() {},
  toolCalled() {},
  committed() {},
  fenced() {},
  tookOver() {},
  requestServed() {},
  spansExported() {},
  recovered() {},
  busMessages() {},
  gauge() {},
};

const noFleet = new Proxy({} as McpFleet, {
  get: () => () => {
    throw new Error('This engine has no MCP servers.');
  },
});

export interface TestEngineOptions {
  definitions: readonly WorkflowDefinition[];
  functions?: Record<string, ActivityFunction>;
  /** MCP servers; none when left out. */
  fleet?: McpFleet;
  /** Stores to run on; in-memory ones when left out. */
  execution?: ExecutionStore;
  leases?: LeaseStore;
  log?: Log;
  /** Moved by hand; the system's when left out. In-memory stores that are given have to go by the same. */
  clock?: EngineHostDeps['clock'];
  leaseTtlMs?: number;
  shards?: number;
  maxResidents?: number;
  maxResidentBytes?: number;
  maxPressure?: number;
  maxActivities?: number;
  surviveMs?: number;
  calmMs?: number;
  organizationId?: string;
}

/** An engine host with in-process functions, on in-memory stores or on those given: for tests and benches. */
export function createTestEngine(options: TestEngineOptions) {
  const clock = options.clock ?? new SystemClock();
  const bus = createMemoryBus((error) => {
    throw error;
  });
  const db = new MemoryDatabase(() => clock.now());
  const store = options.execution ?? createMemoryExecutionStore(db);
  const shards = options.shards ?? 16;
  const organizationId = options.organizationId ?? randomUUID();
  const byName = new Map(options.definitions.map((definition) => [definition.name, definition]));
  const definitions: DefinitionStore = {
    put: async () => {
      throw new Error('Definitions are given when the engine is made.');
    },
    get: async (_organization, name) => {
      const definition = byName.get(name);
      return definition ? { name, version: 1, hash: name, definition, createdAt: new Date() } : null;
    },
    list: async () => [],
    byHash: async (_organization, hash) => byName.get(hash) ?? null,
  };
  const newRunId = () => uuidv7(clock.now(), randomBytes(10));
  const announce = (row: unknown) => bus.publish(INBOX_CHANNEL, row);
  const host = new EngineHost({
    process: { id: randomUUID(), buildId: 'test', host: 'test', pid: process.pid },
    store,
    leases: options.leases ?? createMemoryLeaseStore(db),
    isAlive: () => true,
    programs: new Programs(definitions),
    activities: {
      fleet: options.fleet ?? noFleet,
      functions: new Map(Object.entries(options.functions ?? {})),
      clock,
      telemetry: uncounted,
    },
    children: { store, definitions, clock, newRunId, shards, flags: ENGINE_FLAGS, announce },
    clock,
    bus,
    log: options.log ?? quiet,
    telemetry: uncounted,
    random: Math.random,
    shards,
    leaseTtlMs: options.leaseTtlMs ?? 3_000,
    pollMs: 50,
    maxRecoveries: 5,
    surviveMs: options.surviveMs ?? 30_000,
    calmMs: options.calmMs ?? 20,
    maxActivities: options.maxActivities ?? 1_000,
    maxResidents: options.maxResidents ?? 200_000,
    maxResidentBytes: options.maxResidentBytes ?? Number.POSITIVE_INFINITY,
    maxPressure: options.maxPressure ?? 2_000,
  });

  return {
    host,
    db,
    store,
    organizationId,

    /** Accepts a start and gives the run id back; nothing more is awaited. `owner` is the organisation whose run it is. */
    async start(
      workflow: string,
      input: Json = {},
      workflowId?: string,
      facts: Record<string, Json> = {},
      owner = organizationId,
    ): Promise<string> {
      const runId = newRunId();
      const id = workflowId ?? runId;
      const shard = shardOf(id, shards);
      const started = {
        runId,
        workflowId: id,
        organizationId: owner,
        workflow,
        version: 1,
        definitionHash: workflow,
        input,
        startedBy: 'tester',
        flags: [...ENGINE_FLAGS],
        ...facts,
      };
      const { row } = await store.accept({
        organizationId: owner,
        runId,
        shard,
        newRun: {
          runId,
          organizationId: owner,
          workflowId: id,
          workflow,
          version: 1,
          definitionHash: workflow,
          shard,
          startedBy: 'tester',
          parentRunId: null,
          parentNodePath: null,
          previousRunId: null,
          started,
        },
        eventType: 'WORKFLOW_EXECUTION_STARTED',
        data: started,
        idempotency: null,
        audit: { actorKind: 'user', actorId: 'tester', action: 'run.start', object: runId, details: {} },
      });
      announce(row);
      return runId;
    },

    /** Sends an event from outside to an open run. */
    async send(
      runId: string,
      eventType: string,
      data: Record<string, Json>,
      workflowId = runId,
    ): Promise<void> {
      const { row } = await store.accept({
        organizationId,
        runId,
        shard: shardOf(workflowId, shards),
        newRun: null,
        eventType,
        data,
        idempotency: null,
        audit: { actorKind: 'user', actorId: 'tester', action: 'run.signal', object: runId, details: {} },
      });
      announce(row);
    },

    async eventTypes(runId: string): Promise<string[]> {
      return (await store.readHistories([runId])).map(({ type }) => type);
    },
  };
}
