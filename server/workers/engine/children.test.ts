import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { CommitPart, ExecutionStore } from '@/server/ports/execution-store';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine, type TestEngineOptions } from '../../../tests/support/memory-engine';

const engines: ReturnType<typeof createTestEngine>[] = [];
afterEach(async () => {
  for (const made of engines.splice(0)) await made.host.drain(0);
});

/** Engines on one database, each a process of its own. */
function world(definitions: readonly WorkflowDefinition[]) {
  const db = new MemoryDatabase(() => Date.now());
  const execution = createMemoryExecutionStore(db);
  const leases = createMemoryLeaseStore(db);
  const organizationId = randomUUID();
  const runsOf = (workflow: string) => [...db.runs.values()].filter(({ run }) => run.workflow === workflow);
  const open = async (options: Partial<TestEngineOptions> = {}) => {
    const made = createTestEngine({ definitions, execution, leases, organizationId, ...options });
    engines.push(made);
    await made.host.start();
    return made;
  };
  return { db, execution, runsOf, open };
}

/** A store whose commits that begin a run are held until they may go on. */
function heldAtNewRun(execution: ExecutionStore) {
  let underWay = false;
  let goOn = () => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const store: ExecutionStore = {
    ...execution,
    commit: async (owner, parts) => {
      if (parts.some((part) => part.newRuns.length > 0)) {
        underWay = true;
        await held;
      }
      return execution.commit(owner, parts);
    },
  };
  return { store, isUnderWay: () => underWay, goOn: () => goOn() };
}

describe('a failure workflow', () => {
  const alarm: WorkflowDefinition = {
    schemaVersion: 1,
    name: 'alarm',
    nodes: [{ id: 'tell', kind: 'activity', activity: 'tell', input: { of: '${input.runId}' } }],
  };
  const fragile: WorkflowDefinition = {
    schemaVersion: 1,
    name: 'fragile',
    failureWorkflow: 'alarm',
    nodes: [{ id: 'n', kind: 'activity', activity: 'work', idempotent: true, retry: { maxAttempts: 1 } }],
  } as WorkflowDefinition;
  const breaks = () => {
    throw Object.assign(new Error('no such table'), { code: 'ACTIVITY_FAILED' });
  };
  const isClose = (part: CommitPart) => part.events.some(({ type }) => type === 'WORKFLOW_EXECUTION_FAILED');

  it('is not started when the close of the failed run is refused and its next owner completes the run', async () => {
    const { db, execution, runsOf, open } = world([fragile, alarm]);
    let refused = 0;
    // Asleep past its lease: what it writes at the end comes too late.
    const tooLate: ExecutionStore = {
      ...execution,
      commit: async (owner, parts) => {
        if (!parts.some(isClose)) return execution.commit(owner, parts);
        refused += 1;
        return new Set();
      },
    };
    const tell = () => null;
    const sleeper = await open({ execution: tooLate, leaseTtlMs: 300, functions: { work: breaks, tell } });
    const runId = await sleeper.start('fragile');
    await eventually('its close is refused', () => refused > 0);
    await sleeper.host.drain(0);
    const heir = await open({ leaseTtlMs: 300, functions: { work: () => 'done', tell } });
    expect(await eventually('the run has closed', () => db.runs.get(runId)?.closedAt)).toBeTruthy();
    expect(db.runs.get(runId)?.status).toBe('completed');
    await eventually('nothing is left to do', () => db.inbox.size === 0 && heir.host.activityCount() === 0);
    expect(runsOf('alarm')).toEqual([]);
  });

  it('is started once, with its entry in the audit log, by the commit that closes the failed run', async () => {
    const { db, execution, runsOf, open } = world([fragile, alarm]);
    const withClose: number[] = [];
    const noting: ExecutionStore = {
      ...execution,
      commit: async (owner, parts) => {
        if (parts.some(isClose)) withClose.push(runsOf('alarm').length);
        const held = await execution.commit(owner, parts);
        if (parts.some(isClose)) withClose.push(runsOf('alarm').length);
        return held;
      },
    };
    const told: unknown[] = [];
    const made = await open({
      execution: noting,
      functions: { work: breaks, tell: (input) => told.push(input) },
    });
    const runId = await made.start('fragile');
    await eventually('the failure workflow has run', () => runsOf('alarm')[0]?.status === 'completed');
    expect(withClose).toEqual([0, 1]);
    expect(runsOf('alarm')).toHaveLength(1);
    expect(told).toEqual([{ of: runId }]);
    const alarmId = runsOf('alarm')[0]?.run.runId;
    expect(db.audit.filter(({ object }) => object === alarmId)).toEqual([
      { organizationId: made.organizationId, action: 'run.start', object: alarmId },
    ]);
  });

  it('whose workflow id is taken does not keep the failed run from closing', async () => {
    const { db, runsOf, open } = world([fragile, alarm]);
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const made = await open({ functions: { work: () => held.then(breaks), tell: () => null } });
    const runId = await made.start('fragile');
    const closed = made.host.closed(runId);
    await made.start('alarm', { runId: 'taken' }, `${runId}/failure/${runId}`);
    goOn();
    expect(await closed).toBe('failed');
    expect(db.runs.get(runId)?.status).toBe('failed');
    expect(runsOf('alarm')).toHaveLength(1);
  });
});

describe('a child that continues as new', () => {
  const parent = (policy: 'cancel' | 'terminate'): WorkflowDefinition =>
    ({
      schemaVersion: 1,
      name: 'parent',
      nodes: [
        {
          id: 'child',
          kind: 'subworkflow',
          workflow: 'rounds',
          input: { round: 1 },
          parentClosePolicy: policy,
        },
      ],
      output: '${child.output}',
    }) as WorkflowDefinition;
  const rounds = {
    schemaVersion: 1,
    name: 'rounds',
    nodes: [
      { id: 'go', kind: 'wait', signal: 'go' },
      { id: 'more', kind: 'condition', cases: [{ port: 'yes', when: 'input.round < 2' }] },
      { id: 'next', kind: 'terminate', status: 'continue-as-new', input: { round: '${input.round + 1}' } },
      { id: 'end', kind: 'terminate', output: { rounds: '${input.round}' } },
    ],
    edges: [
      { from: 'go', to: 'more' },
      { from: 'more', port: 'yes', to: 'next' },
      { from: 'more', port: 'else', to: 'end' },
    ],
  } as unknown as WorkflowDefinition;

  /** A parent whose child waits in its second round. */
  const inRoundTwo = async (policy: 'cancel' | 'terminate', options: Partial<TestEngineOptions> = {}) => {
    const made = world([parent(policy), rounds]);
    const engine = await made.open(options);
    const runId = await engine.start('parent');
    const closed = engine.host.closed(runId);
    const waiting = (count: number) =>
      eventually(`round ${count} waits`, async () => {
        const child = made.runsOf('rounds')[count - 1]?.run;
        return child && (await engine.eventTypes(child.runId)).length > 0 ? child : null;
      });
    const first = await waiting(1);
    const signal = (of: typeof first) =>
      engine.send(of.runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: null }, of.workflowId);
    await signal(first);
    const second = await waiting(2);
    return { ...made, engine, runId, closed, first, second, signal };
  };

  it('gives its parent the output of the last run of the chain', async () => {
    const { db, closed, runId, first, second, signal, runsOf } = await inRoundTwo('terminate');
    expect(second).toMatchObject({ previousRunId: first.runId, parentRunId: runId, parentNodePath: 'child' });
    expect(db.runs.get(runId)?.status).toBe('running');
    await signal(second);
    expect(await closed).toBe('completed');
    expect(runsOf('rounds').map(({ status }) => status)).toEqual(['continued_as_new', 'completed']);
    const events = db.events.get(runId) ?? [];
    expect(events.filter(({ type }) => type === 'CHILD_WORKFLOW_EXECUTION_COMPLETED')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({
      type: 'WORKFLOW_EXECUTION_COMPLETED',
      data: { output: { rounds: 2 } },
    });
  });

  it.each([
    ['cancel', 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'cancelled', 'cancelled'],
    ['terminate', 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'cancelled', 'terminated'],
    ['cancel', 'WORKFLOW_EXECUTION_TERMINATED', 'terminated', 'cancelled'],
  ] as const)(
    'is reached in a later round by its parent: %s on %s',
    async (policy, told, ends, childEnds) => {
      const { db, engine, closed, runId, runsOf } = await inRoundTwo(policy);
      await engine.send(runId, told, { by: 'tester' });
      expect(await closed).toBe(ends);
      await eventually('the child has closed', () => runsOf('rounds')[1]?.closedAt);
      expect(runsOf('rounds').map(({ status }) => status)).toEqual(['continued_as_new', childEnds]);
      await eventually('every row is answered', () => db.inbox.size === 0);
    },
  );

  it('is reached by its parent even in the moment in which it goes on to its next run', async () => {
    const { execution, runsOf, open } = world([parent('cancel'), rounds]);
    const held = heldAtNewRun(execution);
    const engine = await open({ execution: held.store });
    const runId = await engine.start('parent');
    const first = await eventually('round 1 waits', async () => {
      const child = runsOf('rounds')[0]?.run;
      return child && (await engine.eventTypes(child.runId)).length > 0 ? child : null;
    });
    const tell = (type: string, data: { by: string } | { name: string; payload: null }) =>
      engine.send(first.runId, type, data, first.workflowId);
    await tell('WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: null });
    await eventually('the commit that goes on is under way', held.isUnderWay);
    await tell('WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: runId });
    held.goOn();
    await eventually('round 2 has closed', () => runsOf('rounds')[1]?.closedAt);
    expect(runsOf('rounds').map(({ status }) => status)).toEqual(['continued_as_new', 'cancelled']);
  });
});

describe('a run that continues as new', () => {
  const order = {
    schemaVersion: 1,
    name: 'orders',
    nodes: [
      { id: 'order', kind: 'wait', signal: 'order' },
      { id: 'work', kind: 'activity', activity: 'work', input: '${order.output}' },
      { id: 'more', kind: 'condition', cases: [{ port: 'yes', when: 'input.round < 3' }] },
      { id: 'next', kind: 'terminate', status: 'continue-as-new', input: { round: '${input.round + 1}' } },
      { id: 'end', kind: 'terminate', output: null },
    ],
    edges: [
      { from: 'order', to: 'work' },
      { from: 'work', to: 'more' },
      { from: 'more', port: 'yes', to: 'next' },
      { from: 'more', port: 'else', to: 'end' },
    ],
  } as unknown as WorkflowDefinition;

  it('hands the signals on that it was sent and has not taken, in their order', async () => {
    const { open, runsOf } = world([order]);
    const worked: unknown[] = [];
    const held: (() => void)[] = [];
    const work = (input: unknown) => {
      worked.push(input);
      return worked.length > 1 ? null : new Promise<null>((resolve) => held.push(() => resolve(null)));
    };
    const engine = await open({ functions: { work } });
    const runId = await engine.start('orders', { round: 1 });
    const signal = (payload: string) =>
      engine.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'order', payload, signalId: payload });
    await signal('first');
    await eventually('the first order is worked on', () => held.length === 1);
    await signal('second');
    await signal('third');
    await signal('third');
    await eventually('both are kept', async () => (await engine.eventTypes(runId)).length > 5);
    held[0]?.();
    await eventually('the last round has closed', () => runsOf('orders')[2]?.status === 'completed');
    expect(worked).toEqual(['first', 'second', 'third']);
  });

  it.each([
    [
      'a signal',
      'WORKFLOW_EXECUTION_SIGNALED',
      { name: 'order', payload: 'late', signalId: 'late' },
      'running',
    ],
    ['a cancel', 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'a person' }, 'cancelled'],
    ['a pause', 'WORKFLOW_EXECUTION_PAUSED', { by: 'a person' }, 'paused'],
  ])('hands %s on that was acknowledged while it went on', async (_what, type, data, status) => {
    const { execution, runsOf, open, db } = world([order]);
    const held = heldAtNewRun(execution);
    const worked: unknown[] = [];
    const engine = await open({ execution: held.store, functions: { work: (input) => worked.push(input) } });
    const runId = await engine.start('orders', { round: 1 });
    await engine.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'order', payload: 'first' });
    await eventually('the commit that goes on is under way', held.isUnderWay);
    await engine.send(runId, type, data);
    // The same once more, as of a client that had no answer: it counts once.
    await engine.send(runId, type, data);
    held.goOn();
    const last = type === 'WORKFLOW_EXECUTION_SIGNALED' ? 2 : 1;
    await eventually('it has come to the run that goes on', () => runsOf('orders')[last]?.status === status);
    await eventually('every row is answered', () => db.inbox.size === 0);
    expect(worked).toEqual(last === 2 ? ['first', 'late'] : ['first']);
  });
});
