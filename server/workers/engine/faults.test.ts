import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { AppError } from '@/lib/protocol/errors';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { isRefusal } from '@/server/adapters/postgres/pool';
import type { CommitPart, ExecutionStore } from '@/server/ports/execution-store';
import type { McpFleet } from '@/server/ports/mcp-fleet';
import { engineHealth } from '@/server/services/engine-health';
import { Committer } from '@/server/workers/engine/committer';
import { LeaseManager } from '@/server/workers/engine/leases';
import { emptyPart } from '@/server/workers/engine/parts';
import { Quarantine } from '@/server/workers/engine/quarantine';
import { eventually } from '../../../tests/support/eventually';
import { startedEngines } from '../../../tests/support/started-engines';

// What the fault harness found, each made small.

const one = (name: string, activity: string): WorkflowDefinition => ({
  schemaVersion: 1,
  name,
  nodes: [{ id: 'n', kind: 'activity', activity, retry: { maxAttempts: 1 } }],
});

const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => log };
const telemetry = { committed: nothing } as never;
const clock = {
  now: () => Date.now(),
  at: (at: number, run: () => void) => {
    const timer = setTimeout(run, Math.max(0, at - Date.now()));
    return () => clearTimeout(timer);
  },
};

describe('a write that the store refuses', () => {
  const part = (): CommitPart => ({
    ...emptyPart({ organizationId: 'o', runId: 'r', shard: 0, epoch: 1 }),
    events: [{ seq: 2, type: 'TIMER_FIRED', at: 0, data: {}, causationSeq: null }],
  });
  const conflict = () => Object.assign(new Error('duplicate key'), { code: '23505' });
  const committer = (commit: ExecutionStore['commit']) =>
    new Committer({
      owner: 'me',
      clock,
      log,
      telemetry,
      store: { commit, ownLengths: async () => new Map([['r', 2]]) } as unknown as ExecutionStore,
    });

  it('because the history has grown without us is no success of ours', async () => {
    const refusing = committer(async () => {
      throw conflict();
    });
    expect(await refusing.submit(part())).toBe('fenced');
  });

  it('after a try without an answer was our own write', async () => {
    let tries = 0;
    const late = new Committer({
      owner: 'me',
      clock,
      log,
      telemetry,
      store: {
        commit: async () => {
          tries += 1;
          if (tries === 1) throw new AppError('DATABASE_UNAVAILABLE', 'no answer');
          throw conflict();
        },
        // Not there when looked at first: the statement was still under way.
        ownLengths: async () => new Map([['r', tries === 1 ? 1 : 2]]),
      } as unknown as ExecutionStore,
    });
    expect(await late.submit(part())).toBe('written');
  });

  it.each([
    ['57014', false],
    ['55P03', false],
    ['40001', false],
    ['08006', false],
    ['57P01', false],
    ['23505', true],
    ['22P02', true],
  ])('with %s is refused for good: %s', (code, expected) => {
    expect(isRefusal(Object.assign(new Error(), { code }))).toBe(expected);
  });
});

describe('leases', () => {
  const manager = (db: MemoryDatabase, store = createMemoryLeaseStore(db), now = () => Date.now()) => {
    const acquired: number[] = [];
    const made = new LeaseManager({
      store,
      clock: { ...clock, now },
      log,
      process: { id: randomUUID(), buildId: 'b', host: 'h', pid: process.pid },
      shards: 4,
      ttlMs: 60,
      isAlive: () => true,
      onDatabaseTime: nothing,
      onAcquired: (leases) => acquired.push(...leases.map((lease) => lease.epoch)),
      onLost: nothing,
    });
    return { made, acquired };
  };

  it('held in the table but lost here are taken again under a new epoch only', async () => {
    const { made, acquired } = manager(new MemoryDatabase(() => Date.now()));
    await made.start();
    expect(acquired).toEqual([1, 1, 1, 1]);
    made.lose([2]);
    await eventually('it is taken again', () => made.epoch(2));
    expect(made.epoch(2)).toBe(2);
    await made.stop();
  });

  it('are not relied upon once the last heartbeat is older than their time', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const store = createMemoryLeaseStore(db);
    let away = false;
    const { made } = manager(db, {
      ...store,
      heartbeat: (...args) => (away ? Promise.reject(new Error('away')) : store.heartbeat(...args)),
    });
    await made.start();
    await made.confirmed();
    away = true;
    await new Promise((resolve) => setTimeout(resolve, 80));
    let confirmed = false;
    const asked = made.confirmed().then(() => {
      confirmed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(confirmed).toBe(false);
    away = false;
    await asked;
    await made.stop();
  });
});

describe('what /health/deep says of the engine', () => {
  it('does not go on telling of shards whose leases have run out while the database is away', async () => {
    let now = 0;
    const due: { at: number; run: () => void }[] = [];
    const manual = {
      now: () => now,
      at: (at: number, run: () => void) => {
        const timer = { at, run };
        due.push(timer);
        return () => void due.splice(due.indexOf(timer), 1);
      },
    };
    /** Moves the clock on, and lets the heartbeats of that time end. */
    const pass = async (ms: number) => {
      now += ms;
      for (const timer of due.splice(0)) (timer.at <= now ? timer.run : () => due.push(timer))();
      await new Promise((resolve) => setImmediate(resolve));
    };
    const store = createMemoryLeaseStore(new MemoryDatabase(() => now));
    let away = false;
    const leases = new LeaseManager({
      store: {
        ...store,
        heartbeat: (...args) => (away ? Promise.reject(new Error('away')) : store.heartbeat(...args)),
      },
      clock: manual,
      log,
      process: { id: randomUUID(), buildId: 'b', host: 'h', pid: process.pid },
      shards: 4,
      ttlMs: 3_000,
      isAlive: () => true,
      onDatabaseTime: nothing,
      onAcquired: nothing,
      onLost: nothing,
    });
    await leases.start();
    expect(engineHealth(leases, 4)).toEqual({ status: 'ok', detail: '4 of 4 shards held' });
    away = true;
    await pass(1_000);
    await pass(1_000);
    expect(engineHealth(leases, 4).status).toBe('ok');
    await pass(1_000);
    expect(leases.held()).toHaveLength(4);
    expect(engineHealth(leases, 4)).toEqual({
      status: 'degraded',
      detail: expect.stringMatching(/^0 of 4 shards held: the leases of 4 have run out/),
    });
    away = false;
    await pass(1_000);
    expect(engineHealth(leases, 4).status).toBe('ok');
    await leases.stop();
    expect(engineHealth(leases, 4)).toEqual({ status: 'degraded', detail: '0 of 4 shards held' });
  });
});

describe('taking over', () => {
  const engine = startedEngines();

  const setUp = () => {
    const db = new MemoryDatabase(() => Date.now());
    return {
      db,
      execution: createMemoryExecutionStore(db),
      leases: createMemoryLeaseStore(db),
      organizationId: randomUUID(),
    };
  };

  it('goes on when the store fails in the middle of it', async () => {
    const { db, execution, ...common } = setUp();
    const definitions = [one('slow', 'slow')];
    const first = await engine({
      ...common,
      execution,
      definitions,
      functions: { slow: () => new Promise<never>(() => {}) },
    });
    const runId = await first.start('slow');
    await eventually('it is under way', () => db.events.get(runId)?.length === 2);
    await first.host.drain(0);
    let failures = 2;
    const second = await engine({
      ...common,
      definitions,
      functions: { slow: () => 'ok' },
      execution: {
        ...execution,
        dueRuns: async (...args) => {
          if (failures-- > 0) throw new AppError('DATABASE_UNAVAILABLE', 'away');
          return execution.dueRuns(...args);
        },
      },
    });
    await eventually('it completes', () => db.runs.get(runId)?.status === 'completed');
    expect(second.host.residentCount()).toBe(0);
  });

  it('never makes a second copy of a run that a command has brought up meanwhile', async () => {
    const { db, execution, ...common } = setUp();
    const definition: WorkflowDefinition = {
      schemaVersion: 1,
      name: 'short',
      nodes: [
        { id: 'go', kind: 'wait', signal: 'go' },
        { id: 'n', kind: 'activity', activity: 'count' },
      ],
      edges: [{ from: 'go', to: 'n' }],
    };
    let calls = 0;
    const functions = { count: () => ++calls };
    const first = await engine({ ...common, execution, definitions: [definition], functions });
    const runId = await first.start('short');
    await eventually('it waits', () => db.events.get(runId)?.length === 2);
    await first.host.drain(0);
    // The take-over has read the history; before it goes on, the signal comes.
    let goOn: () => void = nothing;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let counted = false;
    let reads = 0;
    const second = await engine({
      ...common,
      definitions: [definition],
      functions,
      execution: {
        ...execution,
        readHistories: async (ids) => {
          const histories = await execution.readHistories(ids);
          reads += 1;
          if (reads === 1) await held;
          return histories;
        },
        countRecoveries: async (...args) => {
          const counts = await execution.countRecoveries(...args);
          setTimeout(() => {
            counted = true;
          });
          return counts;
        },
      },
    });
    await eventually('it has read', () => reads === 1);
    await second.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    await new Promise((resolve) => setTimeout(resolve, 30));
    goOn();
    await eventually('the take-over is through', () => counted && second.host.loading.size === 0);
    await eventually('it completes', () => db.runs.get(runId)?.status === 'completed');
    await eventually('nothing of it is left', () => second.host.residentCount() === 0);
    expect(calls).toBe(1);
    const history = db.events.get(runId) ?? [];
    expect(history.map((event) => event.seq)).toEqual(history.map((_event, i) => i + 1));
  });

  it('makes no unsafe call that could not be noted because its run was cancelled', async () => {
    const { db, execution, ...common } = setUp();
    const definition: WorkflowDefinition = {
      schemaVersion: 1,
      name: 'pays',
      nodes: [{ id: 'n', kind: 'mcp-server', server: 's', tool: 'pay' }],
    };
    const gate = () => {
      let open: () => void = nothing;
      const passed = new Promise<void>((resolve) => {
        open = resolve;
      });
      return { passed, open };
    };
    const looked = gate();
    const commits = gate();
    let calls = 0;
    const fleet = {
      // The tool is looked up before the call is noted.
      tool: () => looked.passed.then(() => ({ annotations: {} })),
      call: async () => {
        calls += 1;
        return { ok: false, failure: { code: 'CANCELLED', message: '', retriable: false, ambiguous: true } };
      },
      keepPlace: () => undefined,
      cancelTask: async () => {},
    } as unknown as McpFleet;
    let held = 0;
    const made = await engine({
      ...common,
      definitions: [definition],
      fleet,
      execution: {
        ...execution,
        commit: async (owner, parts) => {
          if (parts.some((part) => part.events.some(({ type }) => type.endsWith('CANCEL_REQUESTED')))) {
            held += 1;
            await commits.passed;
          }
          return execution.commit(owner, parts);
        },
      },
    });
    const runId = await made.start('pays');
    await eventually('the call is scheduled', () => db.events.get(runId)?.length === 2);
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    // The database is slow: the run is cancelled in memory, and nobody has read so.
    await eventually('the cancel is on its way', () => held === 1);
    looked.open();
    await new Promise((resolve) => setTimeout(resolve, 30));
    commits.open();
    expect(await closed).toBe('cancelled');
    await eventually('nothing of it is left', () => made.host.residentCount() === 0);
    expect(calls).toBe(0);
    expect(await made.eventTypes(runId)).not.toContain('ACTIVITY_TASK_STARTED');
  });

  it('uses no history that was read before the shard was lost and came back', async () => {
    const { db, execution, leases, ...common } = setUp();
    const definitions = [one('slow', 'count')];
    let calls = 0;
    const functions = { count: () => (++calls === 1 ? new Promise<never>(() => {}) : 'ok') };
    const first = await engine({ ...common, leases, execution, definitions, functions, shards: 1 });
    const runId = await first.start('slow');
    await eventually('it is under way', () => calls === 1);
    await first.host.drain(0);

    // The second process reads the history and is held up; the third takes the shard and finishes the run.
    let goOn: () => void = nothing;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let reads = 0;
    const second = await engine({
      ...common,
      leases,
      definitions,
      functions,
      shards: 1,
      execution: {
        ...execution,
        readHistories: async (ids) => {
          const histories = await execution.readHistories(ids);
          reads += 1;
          if (reads === 1) await held;
          return histories;
        },
      },
    });
    await eventually('it has read', () => reads === 1);
    const [row] = db.shards.values();
    if (!row) throw new Error('There is no shard.');
    // Lost, taken by the third, given back.
    Object.assign(row, { owner: null, leaseUntil: Number.NEGATIVE_INFINITY });
    second.host.leases.lose([0]);
    const third = await engine({ ...common, leases, execution, definitions, functions, shards: 1 });
    await eventually('the third completes it', () => db.runs.get(runId)?.status === 'completed');
    await third.host.drain(0);
    await eventually('the second has the shard again', () => second.host.leases.epoch(0));
    goOn();
    await eventually('the take-over is through', () => second.host.loading.size === 0);
    expect([calls, second.host.residentCount()]).toEqual([2, 0]);
  });

  it('gives up the run that ends processes, and none of those that were beside it', async () => {
    const { db, execution, ...common } = setUp();
    const sudden: ExecutionStore = {
      ...execution,
      clearRecoveries: async () => {},
      uncountRecoveries: async () => {},
    };
    const definitions = [one('poison', 'poison'), one('innocent', 'slow')];
    const holding = () => new Promise<never>(() => {});
    let made = await engine({
      ...common,
      execution: sudden,
      definitions,
      functions: { poison: holding, slow: holding },
    });
    const innocent = await made.start('innocent');
    const poison = await made.start('poison');
    const others = await Promise.all(Array.from({ length: 10 }, () => made.start('innocent')));
    await eventually('all are under way', () =>
      [innocent, poison, ...others].every((id) => db.events.get(id)?.length === 2),
    );
    let ends = 0;
    for (; ends < 12 && db.runs.get(poison)?.status !== 'dead_letter'; ends++) {
      await made.host.drain(0);
      let alive = true;
      const dies = () => {
        alive = false;
      };
      made = await engine({
        ...common,
        // Nothing that a dead process would have done reaches the store.
        execution: {
          ...execution,
          commit: (...args) => (alive ? execution.commit(...args) : Promise.resolve(new Set<number>())),
          countRecoveries: (...args) => (alive ? execution.countRecoveries(...args) : holding()),
          clearRecoveries: async (...args) => {
            if (alive) await execution.clearRecoveries(...args);
          },
          uncountRecoveries: async (...args) => {
            if (alive) await execution.uncountRecoveries(...args);
          },
        },
        definitions,
        functions: {
          poison: () => {
            dies();
            return holding();
          },
          slow: async () => {
            await new Promise((resolve) => setTimeout(resolve, 20));
            return 'ok';
          },
        },
      });
      await eventually(
        'it dies, or gives the run up',
        () => !alive || db.runs.get(poison)?.status === 'dead_letter',
      );
    }
    expect(db.runs.get(poison)?.status).toBe('dead_letter');
    // Five of them it has ended.
    expect(ends).toBe(6);
    await eventually('the others complete', () =>
      [innocent, ...others].every((id) => db.runs.get(id)?.status === 'completed'),
    );
  });
});

describe('Quarantine', () => {
  it('does one thing after another, each once, whatever becomes of it', async () => {
    const line = new Quarantine();
    const seen: string[] = [];
    const work = (name: string) => async () => {
      seen.push(`${name} begins`);
      await Promise.resolve();
      seen.push(`${name} ends`);
      if (name === 'a') throw new Error('a fails');
    };
    const a = line.submit('a', work('a'));
    const b = line.submit('b', work('b'));
    expect(line.submit('b', work('b again'))).toBeNull();
    await expect(a).rejects.toThrow('a fails');
    await b;
    expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });
});
