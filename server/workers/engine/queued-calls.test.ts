import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { eventually } from '../../../tests/support/eventually';
import { startedEngines } from '../../../tests/support/started-engines';

const engine = startedEngines();

/** A call that keeps the only slot until it is let go, and what the calls behind it note. */
const slot = () => {
  const calls: string[] = [];
  let free = () => {};
  const held = new Promise<void>((resolve) => {
    free = resolve;
  });
  const functions = {
    hold: async () => {
      calls.push('hold');
      await held;
      return null;
    },
    note: () => calls.push('note'),
    mark: () => calls.push('mark'),
    undo: () => calls.push('undo'),
  };
  return { calls, functions, free: () => free() };
};

const holds: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'holds',
  nodes: [{ id: 'h', kind: 'activity', activity: 'hold' }],
};

const marks: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'marks',
  nodes: [{ id: 'm', kind: 'activity', activity: 'mark' }],
};

/** Two branches, of which the first to end wins: a signal, or a call. What comes after shows that the run goes on. */
const races = (compensate: object = {}): WorkflowDefinition =>
  ({
    schemaVersion: 1,
    name: 'races',
    nodes: [
      {
        id: 'p',
        kind: 'parallel',
        branchJoin: 'any',
        branches: [
          { id: 'quick', nodes: [{ id: 'q', kind: 'wait', signal: 'quick' }] },
          { id: 'slow', nodes: [{ id: 'n', kind: 'activity', activity: 'note', ...compensate }] },
        ],
      },
      { id: 'after', kind: 'wait', signal: 'after' },
    ],
    edges: [{ from: 'p', to: 'after' }],
  }) as WorkflowDefinition;

describe('a call that waits for a slot', () => {
  it.each([
    ['is not made when its branch is cancelled while the run goes on', {}],
    ['is not made, and not undone, when it could be undone', { compensate: { activity: 'undo' } }],
  ])('%s', async (_name, compensate) => {
    const { calls, functions, free } = slot();
    const definitions = [holds, races(compensate), marks];
    const made = await engine({ definitions, functions, maxActivities: 1 });
    await made.start('holds');
    await eventually('the slot is taken', () => calls.length === 1);
    const runId = await made.start('races');
    await eventually('the call waits for it', () => made.host.ready.depth === 1);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'quick', payload: null });
    await eventually('its branch is given up', async () =>
      (await made.eventTypes(runId)).some((type) => /^ACTIVITY_TASK_CANCEL/.test(type)),
    );
    const behind = made.host.closed(await made.start('marks'));
    await eventually('another waits behind it', () => made.host.ready.depth === 2);
    free();
    await behind;
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    expect(await closed).toBe('cancelled');
    expect(calls).toEqual(['hold', 'mark']);
  });

  it('and may have been made by the owner before is made for its result when it is cancelled meanwhile', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const execution = createMemoryExecutionStore(db);
    const { calls, functions, free } = slot();
    const definition = races({ compensate: { activity: 'undo' } });
    const common = { organizationId: randomUUID(), definitions: [holds, definition], execution, shards: 1 };
    let made = 0;
    let alive = true;
    const leases = createMemoryLeaseStore(db);
    const never = () => new Promise<null>(() => made++);
    const first = await engine({
      ...common,
      functions: { hold: never, note: never },
      // A dead process does not ask for shards again.
      leases: {
        ...leases,
        heartbeat: (...args) => (alive ? leases.heartbeat(...args) : Promise.reject(new Error('dead'))),
      },
    });
    const before = Date.now();
    await first.start('holds');
    // The run with the older start is loaded first.
    await eventually('the other call is made', () => made === 1 && Date.now() > before + 1);
    const runId = await first.start('races');
    await eventually('it is made', () => made === 2);
    alive = false;
    first.host.leases.lose(first.host.leases.held());
    for (const row of db.shards.values()) Object.assign(row, { owner: 'nobody', leaseUntil: 0 });

    const second = await engine({ ...common, functions, maxActivities: 1, leases });
    await eventually('it waits for the slot', () => calls.length === 1 && second.host.ready.depth === 1);
    const closed = second.host.closed(runId);
    await second.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    await eventually('it is asked to stop', async () =>
      (await second.eventTypes(runId)).includes('ACTIVITY_TASK_CANCEL_REQUESTED'),
    );
    free();
    expect(await closed).toBe('cancelled');
    expect(calls).toEqual(['hold', 'note', 'undo']);
  });

  it('and of which an attempt may have taken effect is made for its result when it is cancelled meanwhile', async () => {
    const { calls, functions, free } = slot();
    let again = false;
    const note = () => {
      calls.push('note');
      return again ? 1 : new Promise<null>(() => {});
    };
    const node = { timeout: '5s', retry: { initialDelay: '1ms' }, compensate: { activity: 'undo' } };
    const definitions = [holds, races(node)];
    const made = await engine({ definitions, functions: { ...functions, note }, maxActivities: 1 });
    const runId = await made.start('races');
    await eventually('its first attempt is under way', () => calls.length === 1);
    again = true;
    await made.start('holds');
    await eventually('its second attempt waits', () => calls.length === 2 && made.host.ready.depth === 1);
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    await eventually('it is asked to stop', async () =>
      (await made.eventTypes(runId)).includes('ACTIVITY_TASK_CANCEL_REQUESTED'),
    );
    free();
    expect(await closed).toBe('cancelled');
    expect(calls).toEqual(['note', 'hold', 'note', 'undo']);
  });
});
