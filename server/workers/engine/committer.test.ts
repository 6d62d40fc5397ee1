import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { AppError } from '@/lib/protocol/errors';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { SystemClock } from '@/server/adapters/system-clock';
import type { AppendedEvent, CommitPart, ExecutionStore } from '@/server/ports/execution-store';
import { Committer } from '@/server/workers/engine/committer';
import { emptyPart } from '@/server/workers/engine/parts';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';

const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => log };
const events = (from: number, to: number): AppendedEvent[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({
    seq: from + i,
    type: 'TIMER_FIRED',
    at: 0,
    data: {},
    causationSeq: null,
  }));
const noAnswer = () => new AppError('DATABASE_UNAVAILABLE', 'no answer');

/** Another process has the shard now, as after a partition that was longer than the lease. */
function heirTakes(db: MemoryDatabase, shard: number): { owner: string; epoch: number } {
  const row = db.shards.get(shard);
  if (!row) throw new Error('There is no such shard.');
  Object.assign(row, { owner: 'heir', epoch: row.epoch + 1, leaseUntil: Number.POSITIVE_INFINITY });
  return { owner: 'heir', epoch: row.epoch };
}

describe('what the store says after a commit without an answer', () => {
  const setUp = async () => {
    const clock = new SystemClock();
    const db = new MemoryDatabase(() => clock.now());
    const leases = createMemoryLeaseStore(db);
    await leases.ensureShards(2);
    await leases.acquire('me', 60_000, 2);
    const store = createMemoryExecutionStore(db);
    const committer = (commit: ExecutionStore['commit']) =>
      new Committer({
        owner: 'me',
        clock,
        log,
        telemetry: { committed: nothing } as never,
        store: { ...store, commit },
      });
    const part = (shard: number, of: Partial<CommitPart> = {}): CommitPart => ({
      ...emptyPart({ organizationId: 'o', runId: `run ${shard}`, shard, epoch: 1 }),
      ...of,
    });
    const asleep = {
      status: 'running',
      closedAt: null,
      historyLength: 0,
      failure: null,
      wakeAt: null,
    } as const;
    return { db, store, committer, part, asleep };
  };

  it("the heir's events do not make a lost batch look written", async () => {
    const { db, store, committer, part } = await setUp();
    let tries = 0;
    const cutOff = committer(async (owner, parts) => {
      if (++tries > 1) return store.commit(owner, parts);
      const heir = heirTakes(db, 0);
      await store.commit(heir.owner, [part(0, { epoch: heir.epoch, events: events(1, 3) })]);
      throw noAnswer();
    });
    expect(await cutOff.submit(part(0, { events: events(1, 2) }))).toBe('fenced');
    expect(db.events.get('run 0')).toHaveLength(3);
  });

  it('a part without events whose shard was lost is not called written because another part was', async () => {
    const { db, store, committer, part, asleep } = await setUp();
    heirTakes(db, 1);
    let tries = 0;
    const made = committer(async (owner, parts) => {
      const held = await store.commit(owner, parts);
      if (++tries === 1) throw noAnswer();
      return held;
    });
    const verdicts = await Promise.all([
      made.submit(part(0, { events: events(1, 2) })),
      made.submit(part(1, { update: asleep })),
    ]);
    expect([tries, ...verdicts]).toEqual([1, 'written', 'fenced']);
  });

  it('a part without events is sent again when no shard that is still held tells of the batch', async () => {
    const { db, store, committer, part, asleep } = await setUp();
    const sent: string[][] = [];
    const made = committer(async (owner, parts) => {
      sent.push(parts.map(({ runId }) => runId));
      const held = await store.commit(owner, parts);
      if (sent.length === 1) {
        heirTakes(db, 0);
        throw noAnswer();
      }
      return held;
    });
    const verdicts = await Promise.all([
      made.submit(part(0, { events: events(1, 2) })),
      made.submit(part(1, { update: asleep })),
    ]);
    // Both were written, but the shard that could tell is lost by now.
    expect(verdicts).toEqual(['fenced', 'written']);
    expect(sent).toEqual([
      ['run 0', 'run 1'],
      ['run 0', 'run 1'],
    ]);
    expect(db.events.get('run 0')).toHaveLength(2);
  });
});

describe('a batch with parts from before and after a shard was lost', () => {
  it('writes those under the new epoch only, and says so', async () => {
    const clock = new SystemClock();
    const db = new MemoryDatabase(() => clock.now());
    const leases = createMemoryLeaseStore(db);
    await leases.ensureShards(1);
    await leases.acquire('me', 60_000, 1);
    const store = createMemoryExecutionStore(db);
    let goOn = nothing;
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const sent: string[][] = [];
    const committer = new Committer({
      owner: 'me',
      clock,
      log,
      telemetry: { committed: nothing } as never,
      store: {
        ...store,
        commit: async (owner, parts) => {
          sent.push(parts.map(({ runId, epoch }) => `${runId} ${epoch}`));
          if (sent.length === 1) await gate;
          return store.commit(owner, parts);
        },
      },
    });
    const part = (runId: string, epoch: number): CommitPart => ({
      ...emptyPart({ organizationId: 'o', runId, shard: 0, epoch }),
      events: events(1, 1),
    });
    const first = committer.submit(part('busy', 1));
    await eventually('it is being written', () => sent.length === 1);
    const waiting = committer.submit(part('old', 1));
    const again = committer.submit(part('both', 1));
    await leases.release('me', [0]);
    await leases.acquire('me', 60_000, 1);
    const rest = [committer.submit(part('new', 2)), committer.submit(part('both', 2))];
    goOn();
    expect(await Promise.all([first, waiting, again, ...rest])).toEqual([
      'fenced',
      'fenced',
      'fenced',
      'written',
      'written',
    ]);
    expect(sent).toEqual([['busy 1'], ['new 2', 'both 2']]);
    expect([...db.events.keys()].sort()).toEqual(['both', 'new']);
  });
});

describe('a run whose batch was lost while an heir went on with it', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
  });

  const child: WorkflowDefinition = {
    schemaVersion: 1,
    name: 'child',
    nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
  };
  const parent: WorkflowDefinition = {
    schemaVersion: 1,
    name: 'parent',
    nodes: [
      { id: 'go', kind: 'wait', signal: 'go' },
      { id: 'child', kind: 'subworkflow', workflow: 'child', input: {} },
    ],
    edges: [{ from: 'go', to: 'child' }],
  };

  /** An engine whose batch with such an event is lost, while the heir writes as many other events and ends the run. */
  const cutOffAt = async (type: string) => {
    const clock = new SystemClock();
    const db = new MemoryDatabase(() => clock.now());
    const inner = createMemoryExecutionStore(db);
    let lost = 0;
    const made = createTestEngine({
      organizationId: randomUUID(),
      definitions: [parent, child],
      leases: createMemoryLeaseStore(db),
      shards: 1,
      execution: {
        ...inner,
        async commit(owner, parts) {
          const part = parts.find((some) => some.events.some((event) => event.type === type));
          if (part === undefined) return inner.commit(owner, parts);
          if (lost++ > 0) return inner.commit(owner, parts);
          const heir = heirTakes(db, 0);
          const update = { status: 'terminated', closedAt: 1, failure: null, wakeAt: null } as const;
          const historyLength = part.events.at(-1)?.seq ?? 0;
          const heirs = part.events.map((event) => ({ ...event, type: 'TIMER_FIRED', data: {} }));
          await inner.commit(heir.owner, [
            { ...emptyPart(part), epoch: heir.epoch, events: heirs, update: { ...update, historyLength } },
          ]);
          throw noAnswer();
        },
      },
    });
    engines.push(made);
    await made.host.start();
    return { made, db, isLost: () => lost > 0 };
  };

  it('starts no child', async () => {
    const { made, db, isLost } = await cutOffAt('START_CHILD_WORKFLOW_EXECUTION_INITIATED');
    const runId = await made.start('parent');
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    await eventually('the run is dropped', () => isLost() && made.host.residentCount() === 0);
    expect([...db.runs.keys()]).toEqual([runId]);
  });

  it('is not told to have completed', async () => {
    const { made, db, isLost } = await cutOffAt('WORKFLOW_EXECUTION_COMPLETED');
    const runId = await made.start('child');
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    await eventually('the run is dropped', () => isLost() && made.host.residentCount() === 0);
    expect(await Promise.race([closed, Promise.resolve('unknown here')])).toBe('unknown here');
    expect(db.runs.get(runId)?.status).toBe('terminated');
  });
});
