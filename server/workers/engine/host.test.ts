import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { AppError } from '@/lib/protocol/errors';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { ExecutionStore } from '@/server/ports/execution-store';
import { eventually } from '../../../tests/support/eventually';
import { startedEngines } from '../../../tests/support/started-engines';

const chain = (name: string, ...activities: string[]): WorkflowDefinition => ({
  schemaVersion: 1,
  name,
  nodes: activities.map((activity, i) => ({
    id: `n${i}`,
    kind: 'activity' as const,
    activity,
    retry: { maxAttempts: 1 },
  })),
  edges: activities.slice(1).map((_, i) => ({ from: `n${i}`, to: `n${i + 1}` })),
});

const waiting: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
  output: '${go.output}',
};

describe('EngineHost', () => {
  const engine = startedEngines();

  it('runs a chain: every step is committed before the next is made', async () => {
    const seen: string[][] = [];
    const made = await engine({
      definitions: [chain('two', 'note', 'note')],
      functions: {
        note: async (_input, { runId }) => {
          seen.push(await made.eventTypes(runId));
          return 'ok';
        },
      },
    });
    const runId = await made.start('two');
    expect(await made.host.closed(runId)).toBe('completed');
    expect(seen).toEqual([
      ['WORKFLOW_EXECUTION_STARTED', 'ACTIVITY_TASK_SCHEDULED'],
      [
        'WORKFLOW_EXECUTION_STARTED',
        'ACTIVITY_TASK_SCHEDULED',
        'ACTIVITY_TASK_COMPLETED',
        'ACTIVITY_TASK_SCHEDULED',
      ],
    ]);
    expect(made.db.inbox.size).toBe(0);
    expect(made.db.runs.get(runId)).toMatchObject({ status: 'completed', historyLength: 6 });
  });

  it('a failing step fails the run and the reason is in the row', async () => {
    const made = await engine({
      definitions: [chain('fails', 'broken')],
      functions: {
        broken: () => {
          throw Object.assign(new Error('no such table'), { code: 'ACTIVITY_FAILED' });
        },
      },
    });
    expect(await made.host.closed(await made.start('fails'))).toBe('failed');
  });

  it('wakes on a signal, and drops commands to a run that has closed', async () => {
    const made = await engine({ definitions: [waiting] });
    const runId = await made.start('waiting');
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 7 });
    expect(await closed).toBe('completed');
    await expect(
      made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 8 }),
    ).rejects.toMatchObject({
      code: 'RUN_CLOSED',
    });
  });

  it('cancel reaches a running call', async () => {
    const told: unknown[] = [];
    const made = await engine({
      definitions: [chain('long', 'hang')],
      functions: {
        hang: (_input, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              told.push(signal.aborted);
              reject(Object.assign(new Error('stopped'), { code: 'CANCELLED' }));
            });
          }),
      },
    });
    const runId = await made.start('long');
    await eventually('the call runs', () => made.host.activityCount() === 1);
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    expect(await closed).toBe('cancelled');
    expect(told).toEqual([true]);
  });

  it('starts a child once and hands its output to the parent', async () => {
    const parent: WorkflowDefinition = {
      schemaVersion: 1,
      name: 'parent',
      nodes: [{ id: 'child', kind: 'subworkflow', workflow: 'waiting', input: {} }],
      output: '${child.output}',
    };
    const made = await engine({ definitions: [parent, waiting] });
    const runId = await made.start('parent');
    const closed = made.host.closed(runId);
    const child = await eventually('the child exists', () =>
      [...made.db.runs.values()].find(({ run }) => run.parentRunId === runId),
    );
    await made.send(
      child.run.runId,
      'WORKFLOW_EXECUTION_SIGNALED',
      { name: 'go', payload: 'hi' },
      child.run.workflowId,
    );
    expect(await closed).toBe('completed');
    const history = await made.store.readHistories([runId]);
    expect(history.at(-1)?.data).toEqual({ output: 'hi' });
    expect([...made.db.runs.values()].filter(({ run }) => run.parentRunId === runId)).toHaveLength(1);
  });

  it('takes over the runs of a process that is gone, and goes on where they were', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const stores = { execution: createMemoryExecutionStore(db), leases: createMemoryLeaseStore(db) };
    const organizationId = randomUUID();
    let calls = 0;
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const functions = {
      first: () => ++calls,
      second: async () => {
        await gate;
        return 'done';
      },
    };
    const common = { ...stores, organizationId, functions, definitions: [chain('pair', 'first', 'second')] };
    const first = await engine({ ...common, leaseTtlMs: 100 });
    const runId = await first.start('pair');
    await eventually(
      'the second step is under way',
      async () => (await first.eventTypes(runId)).length === 4,
    );
    // Gone without a word: leases are not given back, nothing is drained.
    first.host.leases.lose(first.host.leases.held());
    for (const row of db.shards.values()) Object.assign(row, { owner: 'nobody', leaseUntil: 0 });

    const second = await engine(common);
    release();
    await eventually('the run completes', () => db.runs.get(runId)?.status === 'completed');
    expect(calls).toBe(1);
    const types = await second.eventTypes(runId);
    expect(types.filter((type) => type === 'ACTIVITY_TASK_COMPLETED')).toHaveLength(2);
  });

  it('a commit that happened although the store reported an error is neither lost nor repeated', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const inner = createMemoryExecutionStore(db);
    let broken = 0;
    const execution: ExecutionStore = {
      ...inner,
      async commit(owner, parts) {
        const held = await inner.commit(owner, parts);
        if (++broken % 2 === 1) throw new AppError('DATABASE_UNAVAILABLE', 'timeout after commit');
        return held;
      },
    };
    let calls = 0;
    const made = await engine({
      definitions: [chain('three', 'count', 'count', 'count')],
      functions: { count: () => ++calls },
      execution,
      leases: createMemoryLeaseStore(db),
    });
    const runId = await made.start('three');
    expect(await made.host.closed(runId)).toBe('completed');
    expect(calls).toBe(3);
    expect(broken).toBeGreaterThan(2);
    expect((await inner.readHistories([runId])).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('a commit that did not happen is made again', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const inner = createMemoryExecutionStore(db);
    let tries = 0;
    const execution: ExecutionStore = {
      ...inner,
      async commit(owner, parts) {
        if (++tries % 3 !== 0) throw new AppError('DATABASE_UNAVAILABLE', 'connection refused');
        return inner.commit(owner, parts);
      },
    };
    const made = await engine({
      definitions: [chain('three', 'ok', 'ok', 'ok')],
      functions: { ok: () => 'ok' },
      execution,
      leases: createMemoryLeaseStore(db),
    });
    const runId = await made.start('three');
    expect(await made.host.closed(runId)).toBe('completed');
  });

  /** A store whose process "dies" with the run in memory: nothing it would do at a graceful end takes place. */
  const suddenDeath = (execution: ExecutionStore): ExecutionStore => ({
    ...execution,
    clearRecoveries: async () => {},
    uncountRecoveries: async () => {},
  });

  it('a run that ends every process that loads it goes to dead-letter', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const stores = {
      execution: suddenDeath(createMemoryExecutionStore(db)),
      leases: createMemoryLeaseStore(db),
    };
    const functions = { hang: () => new Promise<never>(() => {}) };
    const definitions = [chain('poison', 'hang')];
    const common = { ...stores, functions, organizationId: randomUUID(), definitions };
    let made = await engine(common);
    const runId = await made.start('poison');
    await eventually('it is under way', async () => (await made.eventTypes(runId)).length === 2);
    let ends = 0;
    const isGivenUp = () => db.runs.get(runId)?.status === 'dead_letter';
    for (; ends < 10 && !isGivenUp(); ends++) {
      await made.host.drain(0);
      made = await engine(common);
      await eventually('it was loaded', () => made.host.residentCount() === 1 || isGivenUp());
    }
    expect(isGivenUp()).toBe(true);
    // The process that started it, and five that loaded it.
    expect(ends).toBe(6);
  });

  it('a run that waits through many restarts is never taken for poison', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const stores = { execution: createMemoryExecutionStore(db), leases: createMemoryLeaseStore(db) };
    const common = { ...stores, organizationId: randomUUID(), definitions: [waiting], surviveMs: 20 };
    let made = await engine(common);
    const runId = await made.start('waiting');
    await eventually('it waits', async () => (await made.eventTypes(runId)).length > 0);
    for (let restart = 0; restart < 8; restart++) {
      await made.host.drain(0);
      made = await engine(common);
      await eventually('it was loaded', () => made.host.residentCount() === 1);
      // Cleared by time on even rounds, by the graceful end on odd ones.
      if (restart % 2 === 0) await eventually('it is cleared', () => db.runs.get(runId)?.recoveries === 0);
    }
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    expect(await closed).toBe('completed');
  });

  it('puts waiting runs to sleep when memory is full, and a signal wakes exactly the one it is for', async () => {
    const made = await engine({ definitions: [waiting], maxResidents: 10 });
    const runIds = await Promise.all(Array.from({ length: 60 }, () => made.start('waiting')));
    const asleep = () =>
      [...made.db.runs.values()].filter(({ wakeAt }) => wakeAt === Number.POSITIVE_INFINITY);
    await eventually('most of them sleep', () => asleep().length >= 50);
    expect(made.host.residentCount()).toBeLessThanOrEqual(10);
    const sleeper = asleep()[0]?.run.runId as string;
    await made.send(sleeper, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 'good morning' });
    await eventually('it completes', () => made.db.runs.get(sleeper)?.status === 'completed');
    expect((await made.store.readHistories([sleeper])).at(-1)?.data).toEqual({ output: 'good morning' });
    for (const runId of runIds) {
      if (runId !== sleeper) expect(made.db.runs.get(runId)?.status).toBe('running');
    }
  });

  it('a flood of starts waits in the table and is taken up as room appears', async () => {
    let most = 0;
    const made = await engine({
      definitions: [chain('one', 'work')],
      functions: {
        work: async () => {
          most = Math.max(most, made.host.pressure.value);
          await new Promise((resolve) => setTimeout(resolve, 1));
          return null;
        },
      },
      maxPressure: 10,
    });
    const runIds = await Promise.all(Array.from({ length: 300 }, () => made.start('one')));
    await eventually('all complete', () =>
      runIds.every((id) => made.db.runs.get(id)?.status === 'completed'),
    );
    expect(most).toBeLessThan(40);
  });

  it("another organisation is not held up by a flood, however long the flood's calls take", async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = 0;
    const made = await engine({
      definitions: [chain('flood', 'slow', 'quick'), chain('few', 'quick', 'quick')],
      functions: {
        slow: () => {
          begun += 1;
          return held.then(() => null);
        },
        quick: () => null,
      },
      // Little room of either kind: for work in hand, and for calls.
      maxPressure: 20,
      maxActivities: 8,
    });
    const flood = await Promise.all(Array.from({ length: 300 }, () => made.start('flood')));
    const statusOf = (id: string) => made.db.runs.get(id)?.status;
    await eventually('the flood has all it can get', () => begun === 7 && made.host.pressure.value >= 20);
    const other = randomUUID();
    const few = await Promise.all(
      Array.from({ length: 30 }, () => made.start('few', {}, undefined, {}, other)),
    );
    await eventually("the other's complete, each step of each", () =>
      few.every((id) => statusOf(id) === 'completed'),
    );
    // All that time nothing of the flood moved: what was begun is held, the rest waits in the table.
    expect([begun, flood.filter((id) => statusOf(id) === 'completed')]).toEqual([7, []]);
    expect(made.db.inbox.size).toBeGreaterThan(250);
    for (const id of few) expect(made.db.runs.get(id)?.run.organizationId).toBe(other);
    release();
    await eventually('then the flood gets on too', () => flood.every((id) => statusOf(id) === 'completed'));
  });
});
