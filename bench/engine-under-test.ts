import { randomBytes, randomUUID } from 'node:crypto';
import { INTERRUPTED, MARKED, NOISY, THREE_STEPS, WAITING } from '@/bench/engine-definitions';
import { ENGINE_FLAGS } from '@/lib/engine/flags';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { RunStatus } from '@/lib/protocol/run';
import { shardOf, uuidv7 } from '@/lib/shared/ids';
import type { JsonObject } from '@/lib/shared/json';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { createLeaseStore } from '@/server/adapters/postgres/lease-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { roleUrl } from '@/server/adapters/postgres/roles';
import { createStreamStore } from '@/server/adapters/postgres/stream-store';
import type { ActivityFunction } from '@/server/ports/activity';
import type { McpFleet } from '@/server/ports/mcp-fleet';
import { Relay } from '@/server/workers/relay';
import { createTestEngine } from '../tests/support/memory-engine';

/** As in the product's own wiring. */
const POOL_SIZE = 10;
const SHARDS = 64;
const POLL_MS = 500;
const LEASE_TTL_MS = 3_000;
const MAX_RESIDENTS = 100_000;

export interface EngineUnderTestOptions {
  /** Administrator's URL of a prepared database. */
  databaseUrl: string;
  functions?: Record<string, ActivityFunction>;
  /** Definitions beside the bench's own, and the MCP servers that they call. */
  definitions?: readonly WorkflowDefinition[];
  fleet?: McpFleet;
  /** The organisation of runs that name none. */
  organizationId?: string;
  /** Numbers committed events for watchers, as the product does. */
  relay: boolean;
  /** Runs kept in memory; as many as the product keeps when left out. */
  maxResidents?: number;
}

/** The engine as the product wires it, without HTTP, on a Postgres; with MCP servers only when a fleet is given. */
export function createEngineUnderTest(options: EngineUnderTestOptions) {
  const pool = createPool(roleUrl(options.databaseUrl, 'oc_engine'), POOL_SIZE, 'openconductor-bench');
  const engine = createTestEngine({
    definitions: [THREE_STEPS, MARKED, INTERRUPTED, WAITING, NOISY, ...(options.definitions ?? [])],
    ...(options.fleet === undefined ? {} : { fleet: options.fleet }),
    ...(options.organizationId === undefined ? {} : { organizationId: options.organizationId }),
    functions: { noop: () => ({ ok: true }), ...options.functions },
    execution: createExecutionStore(pool),
    leases: createLeaseStore(pool),
    shards: SHARDS,
    leaseTtlMs: LEASE_TTL_MS,
    maxResidents: options.maxResidents ?? MAX_RESIDENTS,
  });
  const { host, store, organizationId } = engine;
  const { bus, clock, children } = host.deps;
  host.deps.pollMs = POLL_MS;
  const relayDeps = { store: createStreamStore(pool), bus, clock, log: host.deps.log, pollMs: POLL_MS };
  let relay: Relay | null = null;

  const startRelay = () => {
    relay = new Relay(relayDeps);
    relay.start();
  };
  const stopRelay = async () => {
    await relay?.stop();
    relay = null;
  };

  const send = async (
    organization: string,
    runId: string,
    eventType: string,
    data: JsonObject,
    start: boolean,
  ): Promise<void> => {
    const workflow = data.workflow as string;
    const shard = shardOf(runId, SHARDS);
    const { row } = await store.accept({
      organizationId: organization,
      runId,
      shard,
      newRun: start
        ? {
            runId,
            organizationId: organization,
            workflowId: runId,
            workflow,
            version: 1,
            definitionHash: workflow,
            shard,
            startedBy: 'bench',
            parentRunId: null,
            parentNodePath: null,
            previousRunId: null,
            started: data,
          }
        : null,
      eventType,
      data,
      idempotency: null,
      audit: {
        actorKind: 'user',
        actorId: 'bench',
        action: start ? 'run.start' : 'run.signal',
        object: runId,
        details: {},
      },
    });
    children.announce(row);
  };

  return {
    pool,
    host,
    startRelay,
    stopRelay,

    async open(): Promise<void> {
      await host.start();
      if (options.relay) startRelay();
    },

    async close(): Promise<void> {
      await host.drain(5_000);
      await stopRelay();
      await pool.end();
    },

    newRunId: () => uuidv7(clock.now(), randomBytes(10)),
    newOrganization: () => randomUUID(),

    /** Accepts a start: durable when it resolves. */
    start(workflow: string, runId: string, organization = organizationId): Promise<void> {
      const started = {
        runId,
        workflowId: runId,
        organizationId: organization,
        workflow,
        version: 1,
        definitionHash: workflow,
        input: {},
        startedBy: 'bench',
        flags: [...ENGINE_FLAGS],
      };
      return send(organization, runId, 'WORKFLOW_EXECUTION_STARTED', started, true);
    },

    /** Accepts a signal: durable when it resolves. */
    signal(runId: string, name: string): Promise<void> {
      return send(organizationId, runId, 'WORKFLOW_EXECUTION_SIGNALED', { name, payload: {} }, false);
    },

    /** Starts a run and waits until it has closed. @throws Error when it did not complete */
    async run(workflow: string, organization = organizationId): Promise<void> {
      const runId = uuidv7(clock.now(), randomBytes(10));
      const closed = host.closed(runId);
      await this.start(workflow, runId, organization);
      expectCompleted(await closed);
    },

    async count(sql: string): Promise<number> {
      const { rows } = await pool.query<{ n: number }>(sql);
      return Number(rows[0]?.n);
    },
  };
}

export type EngineUnderTest = ReturnType<typeof createEngineUnderTest>;

function expectCompleted(status: RunStatus): void {
  if (status !== 'completed') throw new Error(`A run ended as ${status}.`);
}
