import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shardOf, uuidv7 } from '@/lib/shared/ids';
import type { JsonObject } from '@/lib/shared/json';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { createMemoryStreamStore } from '@/server/adapters/memory/stream-store';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { createLeaseStore } from '@/server/adapters/postgres/lease-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { createStreamStore } from '@/server/adapters/postgres/stream-store';
import type {
  AcceptRequest,
  AppendedEvent,
  CommitPart,
  ExecutionStore,
  NewRun,
} from '@/server/ports/execution-store';
import type { LeaseStore } from '@/server/ports/lease-store';
import type { StreamStore } from '@/server/ports/stream-store';
import { createTestDatabase } from '../support/database';

/** The Postgres stores and their in-memory twins keep the same promises: every test here runs against both. */

const SHARDS = 8;
const TTL = 60_000;
const ALL = { each: 1_000, rows: 10_000, bytes: 1_000_000_000 };

interface Stores {
  execution: ExecutionStore;
  leases: LeaseStore;
  streams: StreamStore;
  /** How many entries of the audit log tell of this action. */
  entries: (action: string) => Promise<number>;
  close: () => Promise<void>;
}

async function memoryStores(): Promise<Stores> {
  const db = new MemoryDatabase(() => Date.now());
  return {
    execution: createMemoryExecutionStore(db),
    leases: createMemoryLeaseStore(db),
    streams: createMemoryStreamStore(db),
    entries: async (action) => db.audit.filter((entry) => entry.action === action).length,
    close: async () => {},
  };
}

async function postgresStores(): Promise<Stores> {
  const database = await createTestDatabase();
  const pool = createPool(database.url('oc_engine'), 6, 'contract');
  return {
    execution: createExecutionStore(pool),
    leases: createLeaseStore(pool),
    streams: createStreamStore(pool),
    entries: async (action) =>
      (await pool.query('SELECT 1 FROM audit_entry WHERE action = $1', [action])).rows.length,
    close: async () => {
      await pool.end();
      await database.drop();
    },
  };
}

const organizationId = randomUUID();
const facts = (id: string) => ({ id, buildId: 'test', host: 'test', pid: process.pid });

function newRun(workflowId?: string): NewRun {
  const runId = uuidv7(Date.now(), randomBytes(10));
  const id = workflowId ?? runId;
  return {
    runId,
    organizationId,
    workflowId: id,
    workflow: 'contract',
    version: 1,
    definitionHash: 'hash',
    shard: shardOf(id, SHARDS),
    startedBy: 'tester',
    parentRunId: null,
    parentNodePath: null,
    previousRunId: null,
    started: { runId, text: 'quote " backslash \\ nul \u0000 lone \ud800 🚀' },
  };
}

function startOf(run: NewRun, idempotency: AcceptRequest['idempotency'] = null): AcceptRequest {
  return {
    organizationId,
    runId: run.runId,
    shard: run.shard,
    newRun: run,
    eventType: 'WORKFLOW_EXECUTION_STARTED',
    data: run.started,
    idempotency,
    audit: { actorKind: 'user', actorId: 'tester', action: 'run.start', object: run.runId, details: {} },
  };
}

function signalTo(run: NewRun, data: JsonObject): AcceptRequest {
  return { ...startOf(run), newRun: null, eventType: 'WORKFLOW_EXECUTION_SIGNALED', data };
}

function events(from: number, to: number): AppendedEvent[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({
    seq: from + i,
    type: 'MARKER',
    at: 1_700_000_000_123 + i,
    data: { n: from + i },
    causationSeq: i === 0 ? null : from,
  }));
}

for (const [name, open] of [
  ['memory', memoryStores],
  ['postgres', postgresStores],
] as const) {
  describe(`engine stores: ${name}`, () => {
    let stores: Stores;
    const owner = randomUUID();
    const epochs = new Map<number, number>();

    const part = (run: NewRun, of: Partial<CommitPart>): CommitPart => ({
      organizationId,
      runId: run.runId,
      shard: run.shard,
      epoch: epochs.get(run.shard) ?? -1,
      correlationId: 'corr',
      events: [],
      update: null,
      newRuns: [],
      inboxAdds: [],
      inboxDone: [],
      ...of,
    });
    const accepted = async (run: NewRun) => {
      const { row } = await stores.execution.accept(startOf(run));
      if (!row) throw new Error('not accepted');
      return row;
    };

    beforeAll(async () => {
      stores = await open();
      await stores.leases.ensureShards(SHARDS);
      await stores.leases.heartbeat(facts(owner), TTL);
      for (const { shard, epoch } of await stores.leases.acquire(owner, TTL, SHARDS))
        epochs.set(shard, epoch);
    });
    afterAll(() => stores.close());

    it('acquires every shard once, at epoch 1', async () => {
      expect([...epochs.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(new Set(epochs.values())).toEqual(new Set([1]));
      expect(await stores.leases.acquire(randomUUID(), TTL, SHARDS)).toEqual([]);
    });

    it('a number of shards other than that of the database is refused, and changes nothing', async () => {
      for (const count of [SHARDS / 2, SHARDS * 2]) {
        const refused = await stores.leases.ensureShards(count).catch((error: unknown) => error);
        expect(refused).toMatchObject({ code: 'SHARDS_MISMATCH' });
        expect((refused as Error).message).toContain(`Set OPENCONDUCTOR_SHARDS=${SHARDS}.`);
      }
      await stores.leases.ensureShards(SHARDS);
      expect(await stores.leases.acquire(randomUUID(), TTL, SHARDS * 2)).toEqual([]);
    });

    it('accepts a start: run row and inbox row appear together, payload unchanged', async () => {
      const run = newRun();
      const row = await accepted(run);
      expect(row).toMatchObject({
        runId: run.runId,
        shard: run.shard,
        eventType: 'WORKFLOW_EXECUTION_STARTED',
      });
      const inbox = await stores.execution.readInbox([run.shard], [], ALL);
      expect(inbox.find(({ id }) => id === row.id)).toEqual(row);
      expect(inbox.find(({ id }) => id === row.id)?.data).toEqual(run.started);
      const openRun = await stores.execution.openRun(run.runId);
      expect(openRun).toMatchObject({
        runId: run.runId,
        workflowId: run.workflowId,
        status: 'running',
        recoveries: 0,
      });
    });

    it('accepts many starts at once, each with its own row', async () => {
      const runs = Array.from({ length: 50 }, () => newRun());
      const results = await Promise.all(runs.map((run) => stores.execution.accept(startOf(run))));
      expect(results.map(({ runId }) => runId)).toEqual(runs.map(({ runId }) => runId));
      results.forEach(({ row }, i) => {
        expect(row?.runId).toBe(runs[i]?.runId);
      });
      const inbox = await stores.execution.readInbox([0, 1, 2, 3, 4, 5, 6, 7], [], ALL);
      for (const { row } of results) {
        const stored = inbox.find(({ id }) => id === row?.id);
        expect(stored?.runId).toBe(row?.runId);
      }
    });

    it('gives the first run back for the same idempotency key and refuses another request with it', async () => {
      const key = { key: randomUUID(), requestHash: 'h1' };
      const first = newRun();
      const results = await Promise.all(
        [first, newRun(), newRun()].map((run) => stores.execution.accept(startOf(run, key))),
      );
      const runIds = new Set(results.map(({ runId }) => runId));
      expect(runIds.size).toBe(1);
      expect(results.filter(({ row }) => row !== null)).toHaveLength(1);
      const other = startOf(newRun(), { ...key, requestHash: 'h2' });
      await expect(stores.execution.accept(other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    });

    it('allows one open run for a workflow id, and a next one once it has closed', async () => {
      const workflowId = `id ${randomUUID()}`;
      const first = newRun(workflowId);
      const row = await accepted(first);
      await expect(stores.execution.accept(startOf(newRun(workflowId)))).rejects.toMatchObject({
        code: 'WORKFLOW_ID_IN_USE',
      });
      const update = {
        status: 'completed',
        closedAt: Date.now(),
        historyLength: 2,
        failure: null,
        wakeAt: null,
      } as const;
      await stores.execution.commit(owner, [
        part(first, { events: events(1, 2), update, inboxDone: [row.id] }),
      ]);
      const second = newRun(workflowId);
      expect((await stores.execution.accept(startOf(second))).runId).toBe(second.runId);
    });

    it('refuses a command to an unknown run and to a closed one', async () => {
      await expect(stores.execution.accept(signalTo(newRun(), {}))).rejects.toMatchObject({
        code: 'RUN_NOT_FOUND',
      });
      const run = newRun();
      const row = await accepted(run);
      const update = {
        status: 'failed',
        closedAt: Date.now(),
        historyLength: 1,
        failure: null,
        wakeAt: null,
      } as const;
      await stores.execution.commit(owner, [
        part(run, { events: events(1, 1), update, inboxDone: [row.id] }),
      ]);
      await expect(stores.execution.accept(signalTo(run, {}))).rejects.toMatchObject({ code: 'RUN_CLOSED' });
    });

    it('keeps histories in order and answers inbox rows in the same commit', async () => {
      const run = newRun();
      const row = await accepted(run);
      const held = await stores.execution.commit(owner, [
        part(run, { events: events(1, 3), inboxDone: [row.id] }),
      ]);
      expect(held.has(run.shard)).toBe(true);
      await stores.execution.commit(owner, [part(run, { events: events(4, 5) })]);
      const history = await stores.execution.readHistories([run.runId]);
      expect(history.map(({ seq, at, data }) => ({ seq, at, data }))).toEqual(
        [...events(1, 3), ...events(4, 5)].map(({ seq, at, data }) => ({ seq, at, data })),
      );
      expect((await stores.execution.historyLengths([run.runId])).get(run.runId)).toBe(5);
      const inbox = await stores.execution.readInbox([run.shard], [], ALL);
      expect(inbox.some(({ id }) => id === row.id)).toBe(false);
    });

    it('refuses a seq that is taken and writes nothing of that batch', async () => {
      const [good, bad] = [newRun(), newRun()];
      await accepted(good);
      await accepted(bad);
      await stores.execution.commit(owner, [part(bad, { events: events(1, 2) })]);
      const batch = [part(good, { events: events(1, 1) }), part(bad, { events: events(2, 3) })];
      await expect(stores.execution.commit(owner, batch)).rejects.toThrow();
      const lengths = await stores.execution.historyLengths([good.runId, bad.runId]);
      expect([lengths.get(good.runId), lengths.get(bad.runId)]).toEqual([undefined, 2]);
    });

    it('a part under an old epoch writes nothing; the rest of its batch is stored', async () => {
      const stale = newRun();
      let other = newRun();
      while (other.shard === stale.shard) other = newRun();
      await accepted(stale);
      await accepted(other);
      const zombie = part(stale, { events: events(1, 1), epoch: (epochs.get(stale.shard) ?? 0) - 1 });
      const held = await stores.execution.commit(owner, [zombie, part(other, { events: events(1, 1) })]);
      expect([...held]).toEqual([other.shard]);
      const lengths = await stores.execution.historyLengths([stale.runId, other.runId]);
      expect([lengths.get(stale.runId), lengths.get(other.runId)]).toEqual([undefined, 1]);
    });

    it('tells the length of a history only to whoever holds its shard under the same epoch', async () => {
      const [run, empty] = [newRun(), newRun()];
      await accepted(run);
      await accepted(empty);
      await stores.execution.commit(owner, [part(run, { events: events(1, 3) })]);
      const keys = [part(run, {}), part(empty, {})];
      expect(await stores.execution.ownLengths(owner, keys)).toEqual(
        new Map([
          [run.runId, 3],
          [empty.runId, 0],
        ]),
      );
      const before = keys.map((key) => ({ ...key, epoch: key.epoch - 1 }));
      expect(await stores.execution.ownLengths(owner, before)).toEqual(new Map());
      expect(await stores.execution.ownLengths(randomUUID(), keys)).toEqual(new Map());
    });

    it('finds due runs by page, soonest first, and not those that sleep', async () => {
      const [due, asleep] = [newRun(), newRun()];
      for (const run of [due, asleep]) {
        const row = await accepted(run);
        const wakeAt = run === asleep ? Date.now() + 3_600_000 : Date.now() - 1_000;
        const update = {
          status: 'running',
          closedAt: null,
          historyLength: 1,
          failure: null,
          wakeAt,
        } as const;
        await stores.execution.commit(owner, [
          part(run, { events: events(1, 1), update, inboxDone: [row.id] }),
        ]);
      }
      const found: string[] = [];
      let cursor: { after: number | null; afterRunId: string | null } = { after: null, afterRunId: null };
      const all = [...epochs.keys()];
      for (;;) {
        const page = await stores.execution.dueRuns(all, { ...cursor, until: Date.now() + 5_000 }, 7);
        found.push(...page.map(({ runId }) => runId));
        const last = page.at(-1);
        if (!last || page.length < 7) break;
        cursor = { after: last.wakeAt, afterRunId: last.runId };
      }
      expect(new Set(found).size).toBe(found.length);
      expect(found).toContain(due.runId);
      expect(found).not.toContain(asleep.runId);
    });

    it('counts loads and clears the count', async () => {
      const [run, other] = [newRun(), newRun()];
      await accepted(run);
      await accepted(other);
      const loads = async () => (await stores.execution.openRun(run.runId))?.recoveries;
      const { countRecoveries, uncountRecoveries } = stores.execution;
      await countRecoveries([run.runId, other.runId], 2);
      expect(await countRecoveries([run.runId], 2)).toEqual(new Map([[run.runId, 2]]));
      // No further than it may.
      expect(await countRecoveries([run.runId], 2)).toEqual(new Map([[run.runId, 2]]));
      expect(await countRecoveries([run.runId], 1)).toEqual(new Map([[run.runId, 2]]));
      await uncountRecoveries([run.runId, other.runId]);
      await uncountRecoveries([other.runId]);
      expect([await loads(), (await stores.execution.openRun(other.runId))?.recoveries]).toEqual([1, 0]);
      await countRecoveries([run.runId, other.runId], 9);
      expect((await stores.execution.openRun(other.runId))?.recoveries).toBe(1);
      await stores.execution.clearRecoveries([run.runId]);
      expect([await loads(), (await stores.execution.openRun(other.runId))?.recoveries]).toEqual([0, 1]);
    });

    it('continues as new: the id passes to the next run in one commit', async () => {
      const first = newRun(`chain ${randomUUID()}`);
      const row = await accepted(first);
      const next = { ...newRun(first.workflowId), previousRunId: first.runId };
      const update = {
        status: 'continued_as_new',
        closedAt: Date.now(),
        historyLength: 1,
        failure: null,
        wakeAt: null,
      } as const;
      const last = part(first, { events: events(1, 1), update, newRuns: [next], inboxDone: [row.id] });
      await stores.execution.commit(owner, [last]);
      expect(await stores.execution.openRun(first.runId)).toBeNull();
      expect(await stores.execution.openRun(next.runId)).toMatchObject({ workflowId: first.workflowId });
      const inbox = await stores.execution.readInbox([next.shard], [], ALL);
      expect(inbox.some(({ runId, data }) => runId === next.runId && data.runId === next.runId)).toBe(true);
    });

    it('finds the next run of a chain, and for a word of the parent the open one, however long the chain', async () => {
      const above = newRun();
      await accepted(above);
      const chain = `chain ${randomUUID()}`;
      const child = { parentRunId: above.runId, parentNodePath: 'child' };
      const rounds: NewRun[] = [1, 2, 3].map(() => ({ ...newRun(chain), ...child }));
      const [first, second, third] = rounds as [NewRun, NewRun, NewRun];
      const update = {
        status: 'continued_as_new',
        closedAt: Date.now(),
        historyLength: 1,
        failure: null,
        wakeAt: null,
      } as const;
      const goOn = (run: NewRun, next: NewRun) =>
        stores.execution.commit(owner, [
          part(run, {
            events: events(1, 1),
            update,
            newRuns: [{ ...next, previousRunId: run.runId }],
          }),
        ]);
      const { successor } = stores.execution;
      await accepted(first);
      expect(await successor(first.runId, above.runId)).toBeNull();
      await goOn(first, second);
      await goOn(second, third);
      expect(await successor(first.runId, above.runId)).toBe(third.runId);
      for (const somebody of ['a person', null]) {
        expect(await successor(first.runId, somebody)).toBe(second.runId);
        expect(await successor(second.runId, somebody)).toBe(third.runId);
        expect(await successor(third.runId, somebody)).toBeNull();
      }
      expect(await successor(third.runId, above.runId)).toBeNull();
      const apart = newRun(`chain ${randomUUID()}`);
      const next = newRun(apart.workflowId);
      await accepted(apart);
      await goOn(apart, next);
      expect(await successor(apart.runId, 'a person')).toBe(next.runId);
      // A later run under the same id is none of the chain.
      await stores.execution.commit(owner, [
        part(next, { events: events(1, 1), update: { ...update, status: 'completed' } }),
      ]);
      await accepted(newRun(apart.workflowId));
      expect(await successor(next.runId, 'a person')).toBeNull();
    });

    it('starts another run with a close: with its audit entry, once for its id, and not when the close is refused', async () => {
      const first = newRun();
      const row = await accepted(first);
      const audit = { ...startOf(first).audit, action: 'run.start.contract' };
      const following = () => ({ ...newRun(`${first.runId}/failure/${first.runId}`), audit, once: true });
      const [lost, made, again] = [following(), following(), following()];
      const update = {
        status: 'failed',
        closedAt: Date.now(),
        historyLength: 1,
        failure: null,
        wakeAt: null,
      } as const;
      const close = (next: NewRun, epoch: number) =>
        part(first, { epoch, events: events(1, 1), update, newRuns: [next], inboxDone: [row.id] });
      const epoch = epochs.get(first.shard) ?? -1;
      const started = async (run: NewRun) => ({
        open: (await stores.execution.openRun(run.runId)) !== null,
        queued: (await stores.execution.readInbox([run.shard], [], ALL)).some((r) => r.runId === run.runId),
      });
      await stores.execution.commit(owner, [close(lost, epoch - 1)]);
      expect(await started(lost)).toEqual({ open: false, queued: false });
      await stores.execution.commit(owner, [close(made, epoch)]);
      expect(await started(made)).toEqual({ open: true, queued: true });
      expect(await stores.entries('run.start.contract')).toBe(1);
      const over = part(made, { epoch: epochs.get(made.shard) ?? -1, events: events(1, 1), update });
      await stores.execution.commit(owner, [over]);
      await stores.execution.commit(owner, [part(first, { events: events(2, 2), newRuns: [again] })]);
      expect(await started(again)).toEqual({ open: false, queued: false });
      expect(await stores.entries('run.start.contract')).toBe(1);
    });

    it('numbers committed events per stream without gaps and reads them from any place', async () => {
      for (;;) if ((await stores.streams.relay(1000)).length === 0) break;
      const before = await stores.streams.head(organizationId, 'runs');
      const runs = [newRun(), newRun(), newRun()];
      await Promise.all(runs.map(accepted));
      await stores.execution.commit(
        owner,
        runs.map((run) => part(run, { events: events(1, 2) })),
      );
      await stores.execution.commit(
        owner,
        runs.map((run) => part(run, { events: events(3, 3) })),
      );
      expect(await stores.streams.relay(1000)).toEqual([
        { organizationId, topic: 'runs', from: before + 1, to: before + 9 },
      ]);
      const entries = await stores.streams.read(organizationId, 'runs', before, 100);
      expect(entries.map(({ streamSeq }) => streamSeq)).toEqual(
        [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => before + n),
      );
      for (const run of runs) {
        const own = entries.filter(({ event }) => event.runId === run.runId);
        expect(own.map(({ event }) => event.seq)).toEqual([1, 2, 3]);
        expect(own[1]?.event).toMatchObject({ causationId: `${run.runId}:1`, correlationId: 'corr' });
      }
      const middle = await stores.streams.read(organizationId, 'runs', before + 4, 3);
      expect(middle).toEqual(entries.slice(4, 7));
      expect(await stores.streams.read(organizationId, 'runs', before + 9, 3)).toEqual([]);
    });

    it('leaves large payloads out of the stream', async () => {
      const run = newRun();
      await accepted(run);
      const big = { ...(events(1, 1)[0] as AppendedEvent), data: { text: 'x'.repeat(20_000) } };
      await stores.execution.commit(owner, [part(run, { events: [big] })]);
      await stores.streams.relay(1000);
      const head = await stores.streams.head(organizationId, 'runs');
      const [entry] = await stores.streams.read(organizationId, 'runs', head - 1, 1);
      expect(entry?.event.data).toEqual({ truncated: true });
    });

    it('hands released shards to the next process at a higher epoch', async () => {
      const next = randomUUID();
      await stores.leases.release(owner, [3]);
      const { held } = await stores.leases.heartbeat(facts(owner), TTL);
      expect(held.map(({ shard }) => shard)).not.toContain(3);
      expect(await stores.leases.acquire(next, TTL, SHARDS)).toEqual([{ shard: 3, epoch: 2 }]);
      const { processes, neighbours } = await stores.leases.heartbeat(facts(next), TTL);
      expect(processes).toBe(2);
      expect(neighbours).toEqual([{ id: owner, pid: process.pid }]);
      await stores.leases.leave(next);
      expect((await stores.leases.heartbeat(facts(owner), TTL)).processes).toBe(1);
    });

    it('renews the leases of a process that is leaving, which others do not count any more', async () => {
      const next = randomUUID();
      const kept = (await stores.leases.heartbeat(facts(owner), TTL, true)).held.length;
      expect(kept).toBeGreaterThan(0);
      expect(await stores.leases.heartbeat(facts(next), TTL)).toMatchObject({ processes: 1, neighbours: [] });
      expect((await stores.leases.heartbeat(facts(owner), TTL, true)).held).toHaveLength(kept);
      expect((await stores.leases.heartbeat(facts(owner), TTL)).processes).toBe(2);
      await stores.leases.leave(next);
    });
  });
}
