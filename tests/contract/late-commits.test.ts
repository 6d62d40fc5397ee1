import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '@/lib/shared/ids';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { createLeaseStore } from '@/server/adapters/postgres/lease-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { SystemClock } from '@/server/adapters/system-clock';
import type { CommitPart, InboxRow, RunUpdate } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import { Committer } from '@/server/workers/engine/committer';
import { emptyPart } from '@/server/workers/engine/parts';
import { createTestDatabase } from '../support/database';

/** Writes whose time has passed: of an epoch that is over, or of a try that was given up. The same over both stores. */

const TTL = 60_000;
const nothing = () => {};
const log: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => log };

function memoryStores() {
  const db = new MemoryDatabase(() => Date.now());
  return {
    execution: createMemoryExecutionStore(db),
    leases: createMemoryLeaseStore(db),
    close: async () => {},
  };
}

async function postgresStores() {
  const database = await createTestDatabase();
  const pool = createPool(database.url('oc_engine'), 4, 'contract');
  return {
    execution: createExecutionStore(pool),
    leases: createLeaseStore(pool),
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

for (const [name, open] of [
  ['memory', memoryStores],
  ['postgres', postgresStores],
] as const) {
  describe(`commits that come too late: ${name}`, () => {
    let stores: Awaited<ReturnType<typeof open>>;
    const owner = randomUUID();
    const organizationId = randomUUID();
    const old = 1;
    const now = 2;
    const committer = () =>
      new Committer({
        owner,
        store: stores.execution,
        clock: new SystemClock(),
        log,
        telemetry: { committed: nothing } as never,
      });

    beforeAll(async () => {
      stores = await open();
      await stores.leases.ensureShards(1);
      await stores.leases.heartbeat({ id: owner, buildId: 'test', host: 'test', pid: process.pid }, TTL);
      expect(await stores.leases.acquire(owner, TTL, 1)).toEqual([{ shard: 0, epoch: old }]);
      await stores.leases.release(owner, [0]);
      expect(await stores.leases.acquire(owner, TTL, 1)).toEqual([{ shard: 0, epoch: now }]);
    });
    afterAll(() => stores.close());

    async function accepted(): Promise<InboxRow> {
      const runId = uuidv7(Date.now(), randomBytes(10));
      const facts = { organizationId, runId, shard: 0 };
      const started = { runId };
      const newRun = {
        ...facts,
        workflowId: runId,
        workflow: 'contract',
        version: 1,
        definitionHash: 'hash',
        startedBy: 'tester',
        parentRunId: null,
        parentNodePath: null,
        previousRunId: null,
        started,
      };
      const { row } = await stores.execution.accept({
        ...facts,
        newRun,
        eventType: 'WORKFLOW_EXECUTION_STARTED',
        data: started,
        idempotency: null,
        audit: { actorKind: 'user', actorId: 'tester', action: 'run.start', object: runId, details: {} },
      });
      if (!row) throw new Error('not accepted');
      return row;
    }

    const part = (runId: string, epoch: number, of: Partial<CommitPart>): CommitPart => ({
      ...emptyPart({ organizationId, runId, shard: 0, epoch }),
      ...of,
    });
    const event = (seq: number) => ({ seq, type: 'MARKER', at: 0, data: {}, causationSeq: null });
    const isWaiting = async (row: InboxRow) =>
      (await stores.execution.readInbox([0], [], { each: 100, rows: 100, bytes: 1_000_000 })).some(
        ({ id }) => id === row.id,
      );
    const length = async (runId: string) => (await stores.execution.historyLengths([runId])).get(runId) ?? 0;

    it('parts of two epochs of a shard, of different runs: the old one is fenced whatever the order, the new one is written', async () => {
      const [stale, first, second] = [await accepted(), await accepted(), await accepted()];
      const made = committer();
      const verdicts = await Promise.all([
        made.submit(part(first.runId, now, { events: [event(1)] })),
        made.submit(part(stale.runId, old, { inboxDone: [stale.id] })),
        made.submit(part(second.runId, now, { events: [event(1)] })),
      ]);
      expect(verdicts).toEqual(['written', 'fenced', 'written']);
      const reversed = await Promise.all([
        made.submit(part(first.runId, now, { events: [event(2)] })),
        made.submit(part(stale.runId, old, { events: [event(1)], inboxDone: [stale.id] })),
      ]);
      expect(reversed).toEqual(['written', 'fenced']);
      expect(await isWaiting(stale)).toBe(true);
      expect([await length(stale.runId), await length(first.runId), await length(second.runId)]).toEqual([
        0, 2, 1,
      ]);
    });

    it('parts of two epochs of one run are not merged: the old one answers no command and changes no row', async () => {
      const row = await accepted();
      const made = committer();
      const asleep = {
        status: 'running',
        closedAt: null,
        historyLength: 1,
        failure: null,
        wakeAt: null,
      } as const;
      const verdicts = await Promise.all([
        made.submit(part(row.runId, old, { inboxDone: [row.id] })),
        made.submit(part(row.runId, now, { events: [event(1)] })),
        made.submit(part(row.runId, old, { update: asleep })),
      ]);
      expect(verdicts).toEqual(['fenced', 'written', 'fenced']);
      expect(await isWaiting(row)).toBe(true);
      expect((await stores.execution.openRun(row.runId))?.wakeAt).toBeLessThan(Number.POSITIVE_INFINITY);
    });

    it('parts of two epochs in one batch are refused by the store', async () => {
      const [stale, fresh] = [await accepted(), await accepted()];
      const batch = [
        part(stale.runId, old, { inboxDone: [stale.id] }),
        part(fresh.runId, now, { events: [event(1)] }),
      ];
      await expect(stores.execution.commit(owner, batch)).rejects.toMatchObject({ code: 'INTERNAL' });
      expect(await isWaiting(stale)).toBe(true);
      expect(await length(fresh.runId)).toBe(0);
    });

    it('an older update neither opens a run again that has closed, nor takes back what is written', async () => {
      const row = await accepted();
      const update = (of: Partial<RunUpdate>) => ({
        update: {
          status: 'running',
          closedAt: null,
          historyLength: 1,
          failure: null,
          wakeAt: null,
          ...of,
        } as const,
      });
      const commit = (of: Partial<CommitPart>) => stores.execution.commit(owner, [part(row.runId, now, of)]);
      const later = Date.now() + 3_600_000;
      await commit({ events: [event(1), event(2)], ...update({ historyLength: 2, wakeAt: later }) });
      await commit(update({}));
      expect((await stores.execution.openRun(row.runId))?.wakeAt).toBe(later);
      // The end of a run that is given up is no event of its own: its history is as long as before.
      await commit(update({ status: 'dead_letter', closedAt: Date.now(), historyLength: 2 }));
      await commit(update({ historyLength: 2 }));
      expect(await stores.execution.openRun(row.runId)).toBeNull();
    });
  });
}
