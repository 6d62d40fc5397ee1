import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { ExecutionStore } from '@/server/ports/execution-store';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';
import { startedEngines } from '../../../tests/support/started-engines';

const waiting: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
};
const parent: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'parent',
  nodes: [{ id: 'child', kind: 'subworkflow', workflow: 'waiting', input: {} }],
};
/** Goes on without its child: the first of two branches to complete is enough. */
const racing: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'racing',
  nodes: [
    { id: 'child', kind: 'subworkflow', workflow: 'waiting', input: {} },
    { id: 'quick', kind: 'wait', signal: 'quick' },
    { id: 'first', kind: 'aggregator', join: 'any', cancelRest: true },
    { id: 'hold', kind: 'wait', signal: 'go' },
  ],
  edges: [
    { from: 'child', to: 'first' },
    { from: 'quick', to: 'first' },
    { from: 'first', to: 'hold' },
  ],
} as WorkflowDefinition;

const engine = startedEngines();

describe('a start that ends the process before any event of it is committed', () => {
  it('is counted and given up after five recoveries; starts beside it are carried out', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const memory = createMemoryExecutionStore(db);
    const common = { organizationId: randomUUID(), definitions: [waiting], leaseTtlMs: 500 };
    const before = createTestEngine({ ...common, execution: memory, leases: createMemoryLeaseStore(db) });
    const poison = await before.start('waiting', 'poison');
    const others = await Promise.all(Array.from({ length: 5 }, () => before.start('waiting')));
    let deaths = 0;
    for (let end = 0; end < 14 && db.runs.get(poison)?.status !== 'dead_letter'; end++) {
      let alive = true;
      const holding = () => new Promise<never>(() => {});
      // Dies when the first event of the poison run is about to be written; nothing that it would do then reaches the store.
      const execution: ExecutionStore = {
        ...memory,
        commit: (owner, parts) => {
          const isStart = parts.some(
            ({ runId, events, update }) => runId === poison && events.length > 0 && !update?.closedAt,
          );
          if (isStart) {
            alive = false;
            deaths += 1;
          }
          return alive ? memory.commit(owner, parts) : Promise.resolve(new Set<number>());
        },
        countRecoveries: (...args) => (alive ? memory.countRecoveries(...args) : holding()),
        clearRecoveries: async (runIds) => {
          if (alive) await memory.clearRecoveries(runIds);
        },
        uncountRecoveries: async (runIds) => {
          if (alive) await memory.uncountRecoveries(runIds);
        },
      };
      const made = await engine({ ...common, execution, leases: createMemoryLeaseStore(db) });
      await eventually(
        'it dies, or gives the run up',
        () => !alive || db.runs.get(poison)?.status === 'dead_letter',
      );
      await made.host.drain(0);
    }
    expect(db.runs.get(poison)).toMatchObject({ status: 'dead_letter', historyLength: 1 });
    // Two before it was suspected, then alone until the limit of five.
    expect(deaths).toBe(5);
    expect(db.events.get(poison)).toMatchObject([{ seq: 1, data: { input: 'poison' } }]);
    const heir = await engine({ ...common, execution: memory, leases: createMemoryLeaseStore(db) });
    await eventually('the others wait', () => others.every((id) => (db.events.get(id)?.length ?? 0) > 0));
    expect(others.map((id) => db.runs.get(id)?.status)).toEqual(others.map(() => 'running'));
    await eventually('no command is left', () => db.inbox.size === 0);
    await heir.host.drain(0);
  });
});

describe('a child whose start is under way', () => {
  /** Stores in which starts of children take until they are let go. */
  const slowStarts = async () => {
    const db = new MemoryDatabase(() => Date.now());
    const memory = createMemoryExecutionStore(db);
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let asked = 0;
    const execution: ExecutionStore = {
      ...memory,
      accept: async (request) => {
        if (request.idempotency?.key.startsWith('child:')) {
          asked += 1;
          await held;
        }
        return memory.accept(request);
      },
    };
    const definitions = [waiting, parent, racing];
    const made = await engine({ definitions, execution, leases: createMemoryLeaseStore(db) });
    const child = (runId: string) => [...db.runs.values()].filter(({ run }) => run.parentRunId === runId);
    return { db, made, letGo: () => letGo(), isAsked: () => asked > 0, child };
  };

  it('when its parent is terminated: it is started at most once, and stopped', async () => {
    const { db, made, letGo, isAsked, child } = await slowStarts();
    const runId = await made.start('parent');
    await eventually('the start is under way', isAsked);
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_TERMINATED', { by: 'tester' });
    await eventually('the command was taken up', () => db.runs.get(runId)?.status === 'running');
    letGo();
    expect(await closed).toBe('terminated');
    await eventually('the child is stopped', () => child(runId)[0]?.closedAt !== null);
    expect(child(runId).map(({ status }) => status)).toEqual(['terminated']);
    await eventually('no command is left', () => db.inbox.size === 0);
  });

  it('when its node is given up and the parent goes on: events stay in order', async () => {
    const { db, made, letGo, isAsked, child } = await slowStarts();
    const runId = await made.start('racing');
    await eventually('the start is under way', isAsked);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'quick', payload: 1 });
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 2 });
    letGo();
    expect(await closed).toBe('completed');
    expect(db.events.get(runId)?.map(({ seq }) => seq)).toEqual(
      Array.from({ length: db.events.get(runId)?.length ?? 0 }, (_, i) => i + 1),
    );
    await eventually('the child is stopped', () => child(runId)[0]?.closedAt !== null);
    expect(child(runId)).toHaveLength(1);
  });
});

describe('priorities', () => {
  it('when calls wait for slots, those of the run with the smaller number are made first', async () => {
    const made: string[] = [];
    let release = () => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const note: WorkflowDefinition = {
      schemaVersion: 1,
      name: 'note',
      nodes: [{ id: 'n', kind: 'activity', activity: 'note', input: '${input}' }],
    };
    const family: WorkflowDefinition = {
      schemaVersion: 1,
      name: 'family',
      nodes: [{ id: 'c', kind: 'subworkflow', workflow: 'note', input: 'child of the urgent' }],
    };
    const host = await engine({
      definitions: [note, family],
      maxActivities: 1,
      functions: {
        note: async (input) => {
          if (input === 'first') await blocked;
          made.push(String(input));
          return null;
        },
      },
    });
    await host.start('note', 'first');
    await eventually('the slot is taken', () => host.host.activityCount() === 1);
    const begun: string[] = [];
    for (const [input, priority] of [
      ['late', 5],
      ['usual', undefined],
      ['urgent', 1],
      ['usual too', 3],
    ] as const) {
      begun.push(await host.start('note', input, undefined, priority === undefined ? {} : { priority }));
    }
    begun.push(await host.start('family', {}, undefined, { priority: 1 }));
    await eventually('five calls wait', () => host.host.ready.depth === 5);
    const all = Promise.all(begun.map((runId) => host.host.closed(runId)));
    release();
    await all;
    expect(made).toEqual(['first', 'urgent', 'child of the urgent', 'usual', 'usual too', 'late']);
  });
});
