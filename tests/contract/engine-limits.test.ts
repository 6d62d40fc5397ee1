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
/** A shard a test, so that none finds rows of another. */
const SHARDS = { fair: 1, bytes: 2, commands: 3 };
const MANY = 1_000_000_000;

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
      await stores.leases.ensureShards(4);
      await stores.leases.heartbeat({ id: owner, buildId: 'test', host: 'test', pid: process.pid }, 60_000);
      epoch =
        (await stores.leases.acquire(owner, 60_000, 4)).find(({ shard }) => shard === SHARD)?.epoch ?? 0;
    });
    afterAll(() => stores.close());

    /** Accepts the start of a run. */
    async function start(organizationId: string, started: JsonObject = {}, shard = SHARD): Promise<InboxRow> {
      const runId = uuidv7(Date.now(), randomBytes(10));
      const facts = { workflowId: runId, workflow: 'limits', version: 1, definitionHash: 'hash' };
      const links = { parentRunId: null, parentNodePath: null, previousRunId: null };
      const { row } = await stores.execution.accept({
        organizationId,
        runId,
        shard,
        newRun: { runId, organizationId, shard, startedBy: 'tester', started, ...facts, ...links },
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

    it('gives each organisation its share of a read, whoever floods', async () => {
      const [flood, some, one] = [randomUUID(), randomUUID(), randomUUID()];
      const ids: Record<string, number[]> = { [flood]: [], [some]: [], [one]: [] };
      for (const [owner, count] of [
        [flood, 20],
        [some, 3],
        [one, 1],
      ] as const) {
        for (let i = 0; i < count; i++) ids[owner]?.push((await start(owner, {}, SHARDS.fair)).id);
      }
      const read = async (inHand: number[], each: number, rows: number) => {
        const found = await stores.execution.readInbox([SHARDS.fair], inHand, { each, rows, bytes: MANY });
        expect(found.map(({ id }) => id)).toEqual(found.map(({ id }) => id).sort((a, b) => a - b));
        return [flood, some, one].map((owner) =>
          found.flatMap(({ id, organizationId }) =>
            organizationId === owner ? [ids[owner]?.indexOf(id)] : [],
          ),
        );
      };
      expect(await read([], 10, 9)).toEqual([[0, 1, 2, 3, 4], [0, 1, 2], [0]]);
      expect(await read([], 10, 3)).toEqual([[0], [0], [0]]);
      expect(await read([], 2, 100)).toEqual([[0, 1], [0, 1], [0]]);
      const inHand = [...(ids[flood]?.slice(0, 18) ?? []), ...(ids[some] ?? [])];
      expect(await read(inHand, 10, 100)).toEqual([[18, 19], [], [0]]);
      expect((await read([], 10, 2)).flat()).toEqual([0, 0]);
    });

    it('gives commands apart from starts, within the same limits', async () => {
      const [flood, some] = [randomUUID(), randomUUID()];
      const shard = SHARDS.commands;
      const first = await start(flood, {}, shard);
      for (let i = 0; i < 20; i++) await start(flood, {}, shard);
      const command = async ({ organizationId, runId }: InboxRow, data: JsonObject) => {
        const { row } = await stores.execution.accept({
          ...{ organizationId, runId, shard, newRun: null, data, idempotency: null },
          eventType: 'WORKFLOW_EXECUTION_SIGNALED',
          audit: { actorKind: 'user', actorId: 'tester', action: 'run.signal', object: runId, details: {} },
        });
        if (!row) throw new Error('not accepted');
        return row;
      };
      const ours: InboxRow[] = [];
      for (let i = 0; i < 4; i++) ours.push(await command(first, { text: 'x'.repeat(1_000) }));
      const theirs = await command(await start(some, {}, shard), {});
      const read = (each: number, rows: number, bytes = MANY, inHand: number[] = []) =>
        stores.execution.readCommands([shard], inHand, { each, rows, bytes });
      expect(await read(100, 100)).toEqual([...ours, theirs]);
      expect(await read(2, 100)).toEqual([...ours.slice(0, 2), theirs]);
      expect((await read(100, 2)).map(({ organizationId }) => organizationId)).toEqual([flood, some]);
      expect(await read(100, 100, MANY, [ours[0]?.id ?? 0, theirs.id])).toEqual(ours.slice(1));
      expect(await read(100, 100, 1)).toHaveLength(1);
      expect(
        await stores.execution.readCommands([SHARDS.fair], [], { each: 9, rows: 9, bytes: MANY }),
      ).toEqual([]);
    });

    it('gives no more rows than their bytes allow, and always one', async () => {
      const organizationId = randomUUID();
      const rows: InboxRow[] = [];
      for (let i = 0; i < 10; i++) {
        rows.push(await start(organizationId, { text: 'x'.repeat(10_000) }, SHARDS.bytes));
      }
      const read = async (bytes: number) =>
        stores.execution.readInbox([SHARDS.bytes], [], { each: 100, rows: 100, bytes });
      expect(await read(35_000)).toEqual(rows.slice(0, 4));
      expect(await read(1)).toEqual(rows.slice(0, 1));
      expect(await read(MANY)).toEqual(rows);
    });
  });
}
