import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { shardOf } from '@/lib/shared/ids';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';

const FOR_EVER = 3_600_000;
const SHARDS = 16;
const definitions: WorkflowDefinition[] = [
  {
    schemaVersion: 1,
    name: 'long',
    nodes: [
      { id: 'call', kind: 'activity', activity: 'hang' },
      { id: 'then', kind: 'wait', signal: 'go' },
    ],
    edges: [{ from: 'call', to: 'then' }],
  },
  { schemaVersion: 1, name: 'waiting', nodes: [{ id: 'go', kind: 'wait', signal: 'go' }] },
];

describe('a process that is asked to stop while a call is under way', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
  });

  const setUp = async () => {
    const db = new MemoryDatabase(() => Date.now());
    let end = (_output: string) => {};
    const common = {
      organizationId: randomUUID(),
      execution: createMemoryExecutionStore(db),
      leases: createMemoryLeaseStore(db),
      definitions,
      functions: {
        hang: () =>
          new Promise<string>((resolve) => {
            end = resolve;
          }),
      },
      shards: SHARDS,
      leaseTtlMs: 3_000,
    };
    const launch = async () => {
      const made = createTestEngine(common);
      engines.push(made);
      await made.host.start();
      return made;
    };
    const first = await launch();
    const called = await first.start('long', {}, 'long');
    await eventually('the call is made', () => first.host.activityCount() === 1);
    return { db, launch, first, called, end: () => end('ok') };
  };
  const busy = shardOf('long', SHARDS);

  it('gives each shard back as soon as nothing is under way on it, and others take them', async () => {
    const { db, launch, first, called, end } = await setUp();
    const second = await launch();
    const held = (made: typeof first) => made.host.leases.held();
    await eventually('they share', () => held(first).length === 8 && held(second).length === 8);
    let workflowId = randomUUID();
    const isOther = (shard: number) => held(first).includes(shard) && shard !== busy;
    while (!isOther(shardOf(workflowId, SHARDS))) workflowId = randomUUID();
    const waiting = await first.start('waiting', {}, workflowId);
    await eventually('it waits', () => db.events.has(waiting));

    let isDrained = false;
    const drained = first.host.drain(FOR_EVER).then(() => {
      isDrained = true;
    });
    await eventually('the other process has all but one', () => held(second).length === SHARDS - 1);
    expect(held(first)).toEqual([busy]);
    await second.send(waiting, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 }, workflowId);
    await eventually('it goes on there', () => db.runs.get(waiting)?.status === 'completed');
    expect([isDrained, first.host.activityCount()]).toEqual([false, 1]);

    end();
    await drained;
    expect(db.events.get(called)?.map(({ type }) => type)).toContain('ACTIVITY_TASK_COMPLETED');
    await eventually('the other process has all', () => held(second).length === SHARDS);
  });

  it('takes no further shard', async () => {
    const { db, first, end } = await setUp();
    const mine = first.host.leases.held();
    expect(mine).toHaveLength(SHARDS);
    const drained = first.host.drain(FOR_EVER);
    await eventually('the others are free', () => first.host.leases.held().length === 1);
    // The database's word that its heartbeats go on.
    const until = () => db.shards.get(busy)?.leaseUntil ?? 0;
    const before = until();
    await eventually('several heartbeats have passed', () => until() > before + 2_500);
    expect([...db.shards].filter(([, { owner }]) => owner !== null).map(([shard]) => shard)).toEqual([busy]);
    end();
    await drained;
    expect([...db.shards.values()].every(({ owner }) => owner === null)).toBe(true);
  });
});

describe('a process that is asked to stop while the database is away', () => {
  it('ends all the same: its leases run out by themselves', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const leases = createMemoryLeaseStore(db);
    let isAway = false;
    const { host } = createTestEngine({
      organizationId: randomUUID(),
      definitions,
      execution: createMemoryExecutionStore(db),
      leases: {
        ...leases,
        release: async (...args) => {
          if (isAway) throw new Error('The database is away.');
          await leases.release(...args);
        },
      },
    });
    await host.start();
    isAway = true;
    await expect(host.drain(0)).resolves.toBeUndefined();
    expect(host.leases.held()).toEqual([]);
  });
});
