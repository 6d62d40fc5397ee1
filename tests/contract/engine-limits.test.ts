import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '@/lib/shared/ids';
import type { JsonObject } from '@/lib/shared/json';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { createLeaseStore } from '@/server/adapters/postgres/lease-store';
import { createPool } from '@/server/adapters/postgres/pool';
import type { ExecutionStore, InboxRow } from '@/server/ports/execution-store';
import type { LeaseStore } from '@/server/ports/lease-store';
import { createTestDatabase } from '../support/database';

/** How much the engine reads at once: the Postgres store and its in-memory twin keep the same limits. */

interface Stores {
  execution: ExecutionStore;
  leases: LeaseStore;
  close: () => Promise<void>;
}

async function memoryStores(): Promise<Stores> {
  const db = new MemoryDatabase(() => Date.now());
  return {
    execution: createMemoryExecutionStore(db),
    leases: createMemoryLeaseStore(db),
    close: async () => {},
  };
}

async function postgresStores(): Promise<Stores> {
  const database = await createTestDatabase();
  const pool = createPool(database.url('oc_engine'), 4, 'contract');
  return {
    execution: createExecutionStore(pool),
    leases: createLeaseStore(pool),
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
}

const SHARD = 0;

for (const [name, open] of [
  ['memory', memoryStores],
  ['postgres', postgresStores],
] as const) {
  describe(`limits of engine stores: ${name}`, () => {
    let stores: Stores;
    const owner = randomUUID();
    let epoch = 0;

    beforeAll(async () => {
      stores = await open();
      await stores.leases.ensureShards(1);
      await stores.leases.heartbeat({ id: owner, buildId: 'test', host: 'test', pid: process.pid }, 60_000);
      epoch = (await stores.leases.acquire(owner, 60_000, 1))[0]?.epoch ?? 0;
    });
    afterAll(() => stores.close());

    /** Accepts the start of a run. */
    async function start(organizationId: string, started: JsonObject = {}): Promise<InboxRow> {
      const runId = uuidv7(Date.now(), randomBytes(10));
      const facts = { workflowId: runId, workflow: 'limits', version: 1, definitionHash: 'hash' };
      const links = { parentRunId: null, parentNodePath: null, previousRunId: null };
      const { row } = await stores.execution.accept({
        organizationId,
        runId,
        shard: SHARD,
        newRun: { runId, organizationId, shard: SHARD, startedBy: 'tester', started, ...facts, ...links },
        eventType: 'WORKFLOW_EXECUTION_STARTED',
        data: started,
        idempotency: null,
        audit: { actorKind: 'user', actorId: 'tester', action: 'run.start', object: runId, details: {} },
      });
      if (!row) throw new Error('not accepted');
      return row;
    }

    /** Appends events to a run and answers its start. */
    async function write({ organizationId, runId, id }: InboxRow, events: JsonObject[]): Promise<void> {
      const held = await stores.execution.commit(owner, [
        {
          ...{ organizationId, runId, shard: SHARD, epoch, correlationId: null },
          ...{ update: null, newRuns: [], inboxAdds: [], inboxDone: [id] },
          events: events.map((data, i) => ({
            ...{ seq: i + 1, type: 'MARKER', at: Date.now(), data, causationSeq: null },
          })),
        },
      ]);
      expect(held.has(SHARD)).toBe(true);
    }

    it('tells how many bytes histories have, as text and not as they are packed', async () => {
      const organizationId = randomUUID();
      const [large, small, none] = [
        await start(organizationId),
        await start(organizationId),
        await start(organizationId),
      ];
      await write(large, [{ text: 'x'.repeat(300_000) }, { text: 'ä'.repeat(100_000) }]);
      await write(small, [{}]);
      await write(none, []);
      const sizes = await stores.execution.historySizes([large.runId, small.runId, none.runId]);
      expect(sizes.get(large.runId)).toBe(500_000 + 2 * '{"text":""}'.length + 200);
      expect(sizes.get(small.runId)).toBe(102);
      expect(sizes.has(none.runId)).toBe(false);
    });
  });
}
