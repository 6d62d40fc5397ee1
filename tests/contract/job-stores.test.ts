import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { shardOf, uuidv7 } from '@/lib/shared/ids';
import { createMemoryBulk } from '@/server/adapters/memory/bulk-store';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { createMemorySchedules } from '@/server/adapters/memory/schedule-store';
import { createBulkQueue, createBulkStore } from '@/server/adapters/postgres/bulk-store';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { createLeaseStore } from '@/server/adapters/postgres/lease-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { createPrisma } from '@/server/adapters/postgres/prisma';
import { createScheduleQueue } from '@/server/adapters/postgres/schedule-queue';
import { createScheduleStore } from '@/server/adapters/postgres/schedule-store';
import { SETTINGS } from '@/server/config/settings.mjs';
import {
  type BulkFilter,
  type BulkKeyUse,
  type BulkOperation,
  type BulkQueue,
  type BulkStore,
  MOST_RETRIES,
} from '@/server/ports/bulk-store';
import type { ExecutionStore } from '@/server/ports/execution-store';
import type { LeaseStore } from '@/server/ports/lease-store';
import type { Occurrence, Schedule, ScheduleQueue, ScheduleStore } from '@/server/ports/schedule-store';
import { createTestDatabase } from '../support/database';
import { eventually } from '../support/eventually';

/** Schedules and bulk operations in Postgres and in memory keep the same promises: every test here runs against both. */

interface Stores {
  bulk: BulkStore;
  bulkQueue: BulkQueue;
  schedules: ScheduleStore;
  scheduleQueue: ScheduleQueue;
  execution: ExecutionStore;
  leases: LeaseStore;
  /** Entries of the audit log with this action. */
  entries: (action: string) => Promise<number>;
  close: () => Promise<void>;
}

/** The fewest connections that OPENCONDUCTOR_DATABASE_POOL allows. */
const SMALLEST_POOL = SETTINGS.find(({ name }) => name === 'OPENCONDUCTOR_DATABASE_POOL')?.min ?? 0;

async function memoryStores(): Promise<Stores> {
  const db = new MemoryDatabase(() => Date.now());
  const bulk = createMemoryBulk(db);
  const schedules = createMemorySchedules(db);
  return {
    bulk: bulk.store,
    bulkQueue: bulk.queue,
    schedules: schedules.store,
    scheduleQueue: schedules.queue,
    execution: createMemoryExecutionStore(db),
    leases: createMemoryLeaseStore(db),
    entries: async (action) => db.audit.filter((entry) => entry.action === action).length,
    close: async () => {},
  };
}

async function postgresStores(): Promise<Stores> {
  const database = await createTestDatabase();
  const pool = createPool(database.url('oc_engine'), SMALLEST_POOL, 'contract');
  const app = createPool(database.url('oc_app'), 4, 'contract');
  const prisma = createPrisma(app);
  return {
    bulk: createBulkStore(prisma, app),
    bulkQueue: createBulkQueue(pool),
    schedules: createScheduleStore(prisma),
    scheduleQueue: createScheduleQueue(pool),
    execution: createExecutionStore(pool),
    leases: createLeaseStore(pool),
    entries: async (action) =>
      (await pool.query('SELECT 1 FROM audit_entry WHERE action = $1', [action])).rows.length,
    close: async () => {
      await prisma.$disconnect();
      await Promise.all([pool.end(), app.end()]);
      await database.drop();
    },
  };
}

const SHARDS = 4;
let latest = 0;
/** Ids in rising order, also within a millisecond. */
const newId = () => {
  latest = Math.max(latest + 1, Date.now());
  return uuidv7(latest, randomBytes(10));
};
const anything: BulkFilter = {
  status: null,
  workflow: null,
  startedAfter: null,
  startedBefore: null,
  ids: null,
  except: null,
  closed: false,
};

describe.each([
  ['memory', memoryStores],
  ['postgres', postgresStores],
] as const)('stores of jobs: %s', (_name, open) => {
  let stores: Stores;
  let organizationId: string;
  const owner = randomUUID();
  const epochs = new Map<number, number>();

  beforeAll(async () => {
    stores = await open();
    await stores.leases.ensureShards(SHARDS);
    await stores.leases.heartbeat({ id: owner, buildId: 'test', host: 'test', pid: process.pid }, 600_000);
    for (const { shard, epoch } of await stores.leases.acquire(owner, 600_000, SHARDS))
      epochs.set(shard, epoch);
  });
  afterAll(() => stores.close());
  beforeEach(() => {
    organizationId = randomUUID();
  });

  /** `clock` is how far that of the process that starts it is off, in milliseconds. */
  const startRun = async (
    workflow: string,
    of: { workflowId?: string; previousRunId?: string; clock?: number } = {},
  ) => {
    const runId = of.clock === undefined ? newId() : uuidv7(Date.now() + of.clock, randomBytes(10));
    const workflowId = of.workflowId ?? runId;
    const shard = shardOf(workflowId, SHARDS);
    await stores.execution.accept({
      organizationId,
      runId,
      shard,
      newRun: {
        runId,
        organizationId,
        workflowId,
        workflow,
        version: 1,
        definitionHash: 'hash',
        shard,
        startedBy: 'tester',
        parentRunId: null,
        parentNodePath: null,
        previousRunId: of.previousRunId ?? null,
        started: {},
      },
      eventType: 'WORKFLOW_EXECUTION_STARTED',
      data: {},
      idempotency: null,
      audit: { actorKind: 'user', actorId: 'tester', action: 'run.start', object: runId, details: {} },
    });
    return { runId, shard };
  };
  const closeRun = async (
    { runId, shard }: { runId: string; shard: number },
    status: 'failed' | 'completed',
  ) => {
    const update = { status, closedAt: Date.now(), historyLength: 0, failure: null, wakeAt: null };
    await stores.execution.commit(owner, [
      {
        organizationId,
        runId,
        shard,
        epoch: epochs.get(shard) ?? -1,
        correlationId: null,
        events: [],
        update,
        newRuns: [],
        inboxAdds: [],
        inboxDone: [],
      },
    ]);
  };

  describe('bulk operations', () => {
    const operationOf = async (of: Partial<BulkOperation>): Promise<BulkOperation> => {
      const bulkId = newId();
      const filter = of.filter ?? anything;
      const createdAt = await stores.bulk.now();
      return {
        bulkId,
        organizationId,
        action: 'cancel',
        filter,
        reason: null,
        signal: null,
        state: 'running',
        matched: await stores.bulk.count(organizationId, filter, createdAt),
        done: 0,
        failed: 0,
        failures: [],
        actorKind: 'user',
        actorId: 'tester',
        createdAt,
        finishedAt: null,
        ...of,
      };
    };
    const make = async (of: Partial<BulkOperation> = {}): Promise<BulkOperation> => {
      const operation = await operationOf(of);
      await stores.bulk.create(operation, { key: null, hash: 'h', source: null });
      return operation;
    };
    /** Works until nothing is to be done; gives the chunks. */
    const work = async (size: number) => {
      const chunks: string[][] = [];
      while (
        await stores.bulkQueue.turn(size, async (_operation, targets) => {
          chunks.push(targets.map(({ runId }) => runId));
          return [];
        })
      );
      return chunks;
    };

    it('count what fits; open runs, or for a retry the newest closed one of each chain', async () => {
      const first = await startRun('a', { workflowId: `chain ${organizationId}` });
      await closeRun(first, 'failed');
      const second = await startRun('a', {
        workflowId: `chain ${organizationId}`,
        previousRunId: first.runId,
      });
      await closeRun(second, 'failed');
      const done = await startRun('b');
      await closeRun(done, 'completed');
      const running = await startRun('b');
      const now = await stores.bulk.now();
      const count = (filter: Partial<BulkFilter>) =>
        stores.bulk.count(organizationId, { ...anything, ...filter }, now);
      expect(await count({})).toBe(1);
      expect(await count({ workflow: 'a' })).toBe(0);
      expect(await count({ ids: [first.runId, running.runId] })).toBe(2);
      expect(await count({ closed: true })).toBe(2);
      expect(await count({ closed: true, status: ['failed'] })).toBe(1);
      expect(await count({ closed: true, ids: [first.runId] })).toBe(0);
      expect(await count({ startedBefore: Date.now() - 3_600_000 })).toBe(0);
      expect(await count({ startedAfter: Date.now() - 3_600_000 })).toBe(1);
      expect(await stores.bulk.count(randomUUID(), anything, now)).toBe(0);
      await make();
      expect(await work(10)).toEqual([[running.runId]]);
    });

    it('are worked off in chunks, in the order of runs; runs made later are not among them', async () => {
      const runs = [];
      for (let i = 0; i < 5; i++) runs.push((await startRun('a')).runId);
      const { bulkId } = await make({
        reason: 'because',
        signal: { name: 's', payload: { x: 1 } },
        action: 'signal',
      });
      await delay(2);
      await startRun('a');
      expect(await work(2)).toEqual([runs.slice(0, 2), runs.slice(2, 4), runs.slice(4)]);
      expect(await stores.bulk.get(organizationId, bulkId)).toMatchObject({
        state: 'completed',
        matched: 5,
        done: 5,
        failed: 0,
        reason: 'because',
        signal: { name: 's', payload: { x: 1 } },
        finishedAt: expect.any(Date),
      });
      expect(await stores.bulk.get(randomUUID(), bulkId)).toBeNull();
    });

    it('reach every run that was started before, whatever the clocks of the processes that started them say', async () => {
      const ahead = await startRun('a', { clock: 30_000 });
      const behind = await startRun('a', { clock: -30_000 });
      const { bulkId, matched } = await make();
      expect(matched).toBe(2);
      await delay(2);
      // Made later, by a process whose clock is behind: its id is smaller than one that is among them.
      await startRun('a', { clock: -20_000 });
      expect(await work(1)).toEqual([[behind.runId], [ahead.runId]]);
      expect(await stores.bulk.get(organizationId, bulkId)).toMatchObject({ state: 'completed', done: 2 });
    });

    it('a retry goes in small chunks: whoever ends it waits for the one under way', async () => {
      const runs = [];
      for (let i = 0; i < MOST_RETRIES + 2; i++) {
        const run = await startRun('a');
        await closeRun(run, 'failed');
        runs.push(run.runId);
      }
      await make({ action: 'retry', filter: { ...anything, closed: true } });
      expect(await work(200)).toEqual([runs.slice(0, MOST_RETRIES), runs.slice(MOST_RETRIES)]);
    });

    it('give the very same chunk again when the work throws, though its runs fit no longer', async () => {
      const run = await startRun('a');
      const { bulkId } = await make();
      let tries = 0;
      const turn = () =>
        stores.bulkQueue.turn(10, async (_operation, targets) => {
          tries += 1;
          expect(targets.map(({ runId }) => runId)).toEqual([run.runId]);
          if (tries > 1) return [{ runId: run.runId, code: 'RUN_CLOSED', message: 'closed' }];
          await closeRun(run, 'completed');
          throw new Error('the process ends here');
        });
      await turn();
      await expect(turn()).rejects.toThrow('ends here');
      await turn();
      await turn();
      expect(await stores.bulk.get(organizationId, bulkId)).toMatchObject({
        state: 'completed',
        done: 0,
        failed: 1,
        failures: [{ runId: run.runId, code: 'RUN_CLOSED', message: 'closed' }],
      });
    });

    it('an operation that fails as a whole lets the others have their turn', async () => {
      await startRun('a');
      const broken = await make();
      const sound = await make();
      const served: string[] = [];
      const turn = () =>
        stores.bulkQueue.turn(10, async ({ bulkId }) => {
          served.push(bulkId);
          if (bulkId === broken.bulkId) throw new Error('again and again');
          return [];
        });
      const isOpen = async () =>
        (await stores.bulk.get(organizationId, sound.bulkId))?.state === 'running' && served.length < 10;
      while (await isOpen()) await turn().catch(() => {});
      expect((await stores.bulk.get(organizationId, sound.bulkId))?.state).toBe('completed');
      // First come, first served; then they take turns, and nothing of the broken one is noted as done.
      expect(served.slice(0, 2)).toEqual([broken.bulkId, sound.bulkId]);
      expect(await stores.bulk.get(organizationId, broken.bulkId)).toMatchObject({
        state: 'running',
        done: 0,
      });
      await stores.bulk.cancel(organizationId, broken.bulkId);
    });

    it('are one under one key, also when they are asked for twice at the same moment', async () => {
      await startRun('a');
      const before = await stores.entries('bulk.cancel');
      const asked = [await operationOf({}), await operationOf({})];
      const request = { key: 'k', hash: 'h', source: null };
      const uses = await Promise.all(asked.map((operation) => stores.bulk.create(operation, request)));
      const first = uses[0] as BulkKeyUse;
      expect(uses.map(({ operation, hash }) => [operation.bulkId, hash])).toEqual([
        [first.operation.bulkId, 'h'],
        [first.operation.bulkId, 'h'],
      ]);
      expect((await stores.bulk.list(organizationId, 10)).map(({ bulkId }) => bulkId)).toEqual([
        first.operation.bulkId,
      ]);
      expect(await stores.entries('bulk.cancel')).toBe(before + 1);
      const other = await stores.bulk.create(await operationOf({}), { ...request, hash: 'other' });
      expect([other.operation.bulkId, other.hash]).toEqual([first.operation.bulkId, 'h']);
      expect(await stores.bulk.keyUse(organizationId, 'k')).toMatchObject({ hash: 'h' });
      expect(await stores.bulk.keyUse(organizationId, 'another')).toBeNull();
      expect(await stores.bulk.keyUse(randomUUID(), 'k')).toBeNull();
      const elsewhere = await operationOf({ organizationId: randomUUID() });
      expect((await stores.bulk.create(elsewhere, request)).operation.bulkId).toBe(elsewhere.bulkId);
      expect(await work(10)).toHaveLength(1);
    });

    it('a list tells how many ids an operation names, and does not carry them', async () => {
      const ids = Array.from({ length: 10_000 }, () => randomUUID());
      const one = await make({
        filter: { ...anything, ids, status: ['failed'], except: ['w'], startedAfter: 5 },
      });
      const two = await make({ filter: { ...anything, workflow: 'a', closed: true } });
      const listed = await stores.bulk.list(organizationId, 10);
      expect(JSON.stringify(listed).length).toBeLessThan(2_000);
      expect(listed).toMatchObject([
        { bulkId: two.bulkId, filter: two.filter, named: null },
        { ...one, filter: { ...one.filter, ids: null }, named: 10_000 },
      ]);
      expect((await stores.bulk.get(organizationId, one.bulkId))?.filter).toEqual(one.filter);
      for (const { bulkId } of [one, two]) await stores.bulk.cancel(organizationId, bulkId);
    });

    it('end when they are cancelled, once; the newest is listed first', async () => {
      await startRun('a');
      const one = await make();
      const two = await make();
      expect((await stores.bulk.list(organizationId, 10)).map(({ bulkId }) => bulkId)).toEqual([
        two.bulkId,
        one.bulkId,
      ]);
      expect(await stores.bulk.list(organizationId, 1)).toHaveLength(1);
      expect(await stores.bulk.cancel(randomUUID(), one.bulkId)).toBe(false);
      expect(await stores.bulk.cancel(organizationId, one.bulkId)).toBe(true);
      expect(await stores.bulk.cancel(organizationId, one.bulkId)).toBe(false);
      expect(await work(10)).toHaveLength(1);
      expect((await stores.bulk.get(organizationId, one.bulkId))?.state).toBe('cancelled');
      expect((await stores.bulk.get(organizationId, two.bulkId))?.state).toBe('completed');
    });
  });

  describe('schedules', () => {
    const make = async (of: Partial<Schedule> = {}): Promise<Schedule> => {
      const now = await stores.schedules.now();
      const schedule: Schedule = {
        scheduleId: randomUUID(),
        organizationId,
        name: `s-${randomUUID().slice(0, 8)}`,
        workflow: 'a',
        version: null,
        input: { x: [1, null] },
        cron: null,
        timeZone: 'UTC',
        everyMs: 60_000,
        offsetMs: 0,
        jitterMs: 0,
        overlap: 'skip',
        catchupWindowMs: 3_600_000,
        paused: false,
        note: null,
        priority: 2,
        nextAt: now - 1_000,
        createdBy: 'tester',
        createdAt: now,
        updatedAt: now,
        ...of,
      };
      expect(await stores.schedules.create(schedule)).toBe(true);
      return schedule;
    };
    const occurrence = (nominalAt: number, of: Partial<Occurrence> = {}): Occurrence => ({
      nominalAt,
      kind: 'schedule',
      dueAt: nominalAt,
      overlap: null,
      state: 'waiting',
      runId: null,
      reason: null,
      settledAt: null,
      ...of,
    });
    /** Lets go of whatever other tests have left. */
    const calm = async () => {
      while (
        await stores.scheduleQueue.turn(async ({ schedule }) => ({
          nextAt: schedule.nextAt,
          attentionAt: null,
          occurrences: [],
        }))
      );
    };

    /** Has it looked at now. */
    const nudge = (schedule: Schedule) =>
      stores.schedules.update(
        organizationId,
        schedule.scheduleId,
        { ...schedule, note: undefined },
        () => schedule.nextAt,
      );

    it('are created once a name, listed by name, changed, removed; each organisation has its own', async () => {
      const b = await make({ name: 'b' });
      const a = await make({ name: 'a', cron: '0 3 * * *', everyMs: null, priority: null });
      expect(await stores.schedules.create({ ...b, scheduleId: randomUUID() })).toBe(false);
      expect(await stores.schedules.list(organizationId)).toEqual([a, b]);
      expect(await stores.schedules.get(randomUUID(), 'a')).toBeNull();
      const { scheduleId } = b;
      expect(
        await stores.schedules.update(
          organizationId,
          scheduleId,
          { ...b, paused: true, note: 'x' },
          () => null,
        ),
      ).toBe(true);
      expect(await stores.schedules.get(organizationId, 'b')).toMatchObject({
        scheduleId,
        paused: true,
        note: 'x',
        nextAt: null,
        priority: 2,
        createdAt: b.createdAt,
      });
      expect(await stores.schedules.remove(randomUUID(), scheduleId)).toBe(false);
      expect(await stores.schedules.remove(organizationId, scheduleId)).toBe(true);
      expect(await stores.schedules.remove(organizationId, scheduleId)).toBe(false);
      await calm();
    });

    it('come up when they need attention, are held by one, and keep what the turn leaves', async () => {
      await calm();
      expect(await stores.scheduleQueue.turn(async () => Promise.reject(new Error('nothing is due')))).toBe(
        false,
      );
      const schedule = await make();
      const time = schedule.nextAt as number;
      expect(await stores.scheduleQueue.untilAttention()).toBe(0);
      await expect(
        stores.scheduleQueue.turn(async () => {
          throw new Error('the process ends here');
        }),
      ).rejects.toThrow('ends here');
      const wait = (await stores.scheduleQueue.untilAttention()) ?? 0;
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(5_000);
      await nudge(schedule);
      const later = (await stores.schedules.now()) + 3_600_000;
      const taken = await stores.scheduleQueue.turn(async (view) => {
        expect(view.schedule).toMatchObject({
          scheduleId: schedule.scheduleId,
          priority: 2,
          input: { x: [1, null] },
        });
        expect([view.waiting, view.taken, view.openRuns]).toEqual([[], [], []]);
        // Held: nobody else gets it meanwhile.
        expect(await stores.scheduleQueue.turn(async () => Promise.reject(new Error('held')))).toBe(false);
        return { nextAt: later, attentionAt: later, occurrences: [occurrence(time)] };
      });
      expect(taken).toBe(true);
      expect(await stores.scheduleQueue.turn(async () => Promise.reject(new Error('not due')))).toBe(false);
      expect(await stores.scheduleQueue.untilAttention()).toBeGreaterThan(3_500_000);
      expect((await stores.schedules.get(organizationId, schedule.name))?.nextAt).toBe(later);
      expect(await stores.schedules.occurrences(organizationId, schedule.scheduleId, 10)).toEqual([
        occurrence(time),
      ]);
      await stores.schedules.remove(organizationId, schedule.scheduleId);
    });

    it('a turn and one of a bulk operation, both under way, leave connections for the runs that they start', async () => {
      await calm();
      await startRun('a');
      const { scheduleId, name } = await make();
      const bulkId = newId();
      const operation: BulkOperation = {
        ...{ bulkId, organizationId, action: 'cancel', filter: anything, reason: null, signal: null },
        ...{ state: 'running', matched: 1, done: 0, failed: 0, failures: [] },
        ...{ actorKind: 'user', actorId: 'tester', createdAt: await stores.bulk.now(), finishedAt: null },
      };
      await stores.bulk.create(operation, { key: null, hash: 'h', source: null });
      // Its first turn only notes the chunk.
      await stores.bulkQueue.turn(10, async () => []);
      let inside = 0;
      let bothInside = () => {};
      const both = new Promise<void>((resolve) => {
        bothInside = resolve;
      });
      const startOne = async () => {
        inside += 1;
        if (inside === 2) bothInside();
        await both;
        await startRun('b');
      };
      const turns = await Promise.all([
        stores.scheduleQueue.turn(async () => {
          await startOne();
          return { nextAt: null, attentionAt: null, occurrences: [] };
        }),
        stores.bulkQueue.turn(10, async () => {
          await startOne();
          return [];
        }),
      ]);
      expect([turns, inside]).toEqual([[true, true], 2]);
      expect((await stores.schedules.get(organizationId, name))?.scheduleId).toBe(scheduleId);
      await stores.schedules.remove(organizationId, scheduleId);
      await stores.bulk.cancel(organizationId, bulkId);
    });

    it.each<[string, (time: number) => Occurrence[]]>([
      ['one time twice', (time) => [occurrence(time), occurrence(time, { state: 'missed' })]],
      ['a NUL', (time) => [occurrence(time, { state: 'failed', reason: 'a\u0000b', settledAt: 1 })]],
      ['half a pair', (time) => [occurrence(time, { state: 'failed', reason: '\ud83d', settledAt: 1 })]],
    ])('a schedule whose turn fails (%s) lets the others have theirs', async (_what, refused) => {
      await calm();
      const now = await stores.schedules.now();
      const broken = await make({ nextAt: now - 2_000 });
      const sound = await make({ nextAt: now - 1_000 });
      const served: string[] = [];
      const turn = () =>
        stores.scheduleQueue.turn(async ({ schedule }) => {
          served.push(schedule.scheduleId);
          const isBroken = schedule.scheduleId === broken.scheduleId;
          return {
            nextAt: null,
            attentionAt: null,
            occurrences: isBroken ? refused(now - 2_000) : [occurrence(now - 1_000)],
          };
        });
      await expect(turn()).rejects.toThrow();
      expect(await turn()).toBe(true);
      expect(served).toEqual([broken.scheduleId, sound.scheduleId]);
      // Nothing of it is kept, and it comes up again by itself.
      expect(await stores.schedules.occurrences(organizationId, broken.scheduleId, 10)).toEqual([]);
      expect((await stores.schedules.get(organizationId, broken.name))?.nextAt).toBe(now - 2_000);
      const wait = (await stores.scheduleQueue.untilAttention()) ?? 0;
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(5_000);
      await stores.schedules.remove(organizationId, broken.scheduleId);
      await stores.schedules.remove(organizationId, sound.scheduleId);
    });

    it('show a scheduler the first 500 that wait, and which times have an occurrence already', async () => {
      await calm();
      const { scheduleId, nextAt } = await make();
      const time = nextAt as number;
      const asked = Array.from({ length: 510 }, (_none, i) => ({
        nominalAt: time - 505 + i,
        kind: 'backfill' as const,
        overlap: null,
        requestKey: null,
      }));
      await stores.schedules.ask(organizationId, scheduleId, asked);
      await stores.scheduleQueue.turn(async (view) => {
        expect(view.waiting.map((it) => it.nominalAt)).toEqual(asked.slice(0, 500).map((it) => it.nominalAt));
        expect([...view.taken].sort()).toEqual([time, time + 1, time + 2, time + 3, time + 4]);
        return { nextAt: null, attentionAt: null, occurrences: [] };
      });
      await stores.schedules.remove(organizationId, scheduleId);
    });

    it('a change counts the next time from when the turn under way is over', async () => {
      await calm();
      const schedule = await make({ paused: true });
      const { scheduleId } = schedule;
      const from: number[] = [];
      const next = (_timing: unknown, now: number) => {
        from.push(now);
        return null;
      };
      let changes: Promise<boolean>[] = [];
      let over = 0;
      await stores.scheduleQueue.turn(async ({ now }) => {
        const edit = { ...schedule, note: undefined, paused: undefined };
        changes = [
          stores.schedules.update(organizationId, scheduleId, edit, next),
          stores.schedules.pause(organizationId, scheduleId, false, undefined, next),
        ];
        over = await eventually('time passes', async () => {
          const later = await stores.schedules.now();
          return later > now + 200 && later;
        });
        return { nextAt: null, attentionAt: null, occurrences: [] };
      });
      expect(await Promise.all(changes)).toEqual([true, true]);
      expect(from).toHaveLength(2);
      expect(Math.min(...from)).toBeGreaterThanOrEqual(over);
      await stores.schedules.remove(organizationId, scheduleId);
    });

    it('a pause undoes no change, a change no pause, and what is so already discards no time', async () => {
      await calm();
      const schedule = await make();
      const { scheduleId, name } = schedule;
      const get = () => stores.schedules.get(organizationId, name);
      const pause = (paused: boolean, note?: string) =>
        stores.schedules.pause(organizationId, scheduleId, paused, note, () => 7_000);
      const edit = { ...schedule, note: undefined, paused: undefined, workflow: 'b' };
      // Resumed though it is not paused, with and without a note: the time that is due stays due.
      expect([await pause(false), await pause(false, 'why')]).toEqual([true, true]);
      expect(await get()).toMatchObject({ nextAt: schedule.nextAt, note: 'why', paused: false });
      await pause(true);
      expect(await get()).toMatchObject({ nextAt: schedule.nextAt, note: 'why', paused: true });
      await stores.schedules.update(organizationId, scheduleId, edit, () => 5_000);
      expect(await get()).toMatchObject({ nextAt: 5_000, note: 'why', paused: true, workflow: 'b' });
      await pause(false, '');
      expect(await get()).toMatchObject({ nextAt: 7_000, note: '', paused: false, workflow: 'b' });
      expect(await stores.schedules.pause(randomUUID(), scheduleId, true, 'x', () => 1)).toBe(false);
      expect(await stores.scheduleQueue.untilAttention()).toBe(0);
      await stores.schedules.remove(organizationId, scheduleId);
      expect(await pause(true)).toBe(false);
      const asked = { nominalAt: 1, kind: 'trigger', overlap: null, requestKey: null } as const;
      expect(await stores.schedules.ask(organizationId, scheduleId, [asked])).toBeNull();
    });

    it('see what waits, and the open runs that they started; a settled time stays settled', async () => {
      await calm();
      const schedule = await make();
      const { scheduleId } = schedule;
      const time = schedule.nextAt as number;
      const run = await startRun('a', { workflowId: `${scheduleId} run` });
      const started = occurrence(time, { state: 'started', runId: run.runId, settledAt: time });
      const now = await stores.schedules.now();
      const turn = (occurrences: Occurrence[], see: (open: string[], waiting: number[]) => void = () => {}) =>
        stores.scheduleQueue.turn(async (view) => {
          see(
            view.openRuns,
            view.waiting.map((it) => it.nominalAt),
          );
          return { nextAt: null, attentionAt: now - 1, occurrences };
        });
      await turn([started, occurrence(time + 1)]);
      await turn([occurrence(time, { state: 'skipped' })], (runs, waiting) => {
        expect([runs, waiting]).toEqual([[run.runId], [time + 1]]);
      });
      expect(
        (await stores.schedules.occurrences(organizationId, scheduleId, 10)).map(({ state }) => state),
      ).toEqual(['waiting', 'started']);
      await closeRun(run, 'completed');
      await turn([], (runs) => expect(runs).toEqual([]));
      expect(await stores.scheduleQueue.runOf(organizationId, `${scheduleId} run`)).toBe(run.runId);
      expect(await stores.scheduleQueue.runOf(randomUUID(), `${scheduleId} run`)).toBeNull();
      await stores.schedules.remove(organizationId, scheduleId);
    });

    it('times that are asked for are taken once; a backfill asks anew for what was not started', async () => {
      await calm();
      const { scheduleId } = await make({ nextAt: null });
      const ask = (nominalAt: number, kind: 'trigger' | 'backfill', requestKey: string | null = null) =>
        stores.schedules.ask(organizationId, scheduleId, [{ nominalAt, kind, overlap: null, requestKey }]);
      expect(await ask(1_000, 'trigger', 'key')).toEqual([1_000]);
      expect(await ask(2_000, 'trigger', 'key')).toEqual([1_000]);
      expect(await ask(1_000, 'backfill')).toEqual([]);
      await stores.scheduleQueue.turn(async (view) => {
        expect(view.waiting.map(({ nominalAt, kind }) => [nominalAt, kind])).toEqual([[1_000, 'trigger']]);
        return {
          nextAt: null,
          attentionAt: null,
          occurrences: [occurrence(1_000, { state: 'missed', reason: 'old', settledAt: 5 })],
        };
      });
      expect(await ask(1_000, 'trigger')).toEqual([]);
      expect(await ask(1_000, 'backfill')).toEqual([1_000]);
      expect(await stores.schedules.occurrences(organizationId, scheduleId, 10)).toEqual([
        occurrence(1_000, { kind: 'backfill' }),
      ]);
      await calm();
    });

    it('keep the last 200 settled times, and every one that waits', async () => {
      await calm();
      const { scheduleId } = await make();
      const many = Array.from({ length: 210 }, (_none, i) =>
        occurrence(1_000 + i, { state: 'skipped', settledAt: 1 }),
      );
      await stores.scheduleQueue.turn(async () => ({
        nextAt: null,
        attentionAt: null,
        occurrences: [occurrence(1), ...many],
      }));
      const kept = await stores.schedules.occurrences(organizationId, scheduleId, 1_000);
      expect([kept.length, kept.at(-1)?.nominalAt, kept.at(-2)?.nominalAt]).toEqual([202, 1, 1_009]);
      await stores.schedules.remove(organizationId, scheduleId);
    });
  });
});
