import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { shardOf } from '@/lib/shared/ids';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';

const waiting: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
};

describe('a take-over', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
  });

  it('while a poll reads the inbox leaves no sleeping run of the new shard behind', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const memory = createMemoryExecutionStore(db);
    const common = {
      organizationId: randomUUID(),
      leases: createMemoryLeaseStore(db),
      definitions: [waiting],
      shards: 2,
      leaseTtlMs: 150,
    };
    const first = createTestEngine({ ...common, execution: memory });
    await first.host.start();
    let workflowId = randomUUID();
    while (shardOf(workflowId, 2) !== 1) workflowId = randomUUID();
    const runId = await first.start('waiting', {}, workflowId);
    await eventually('it waits', async () => (await first.eventTypes(runId)).length > 0);
    await first.host.drain(0);
    const [shard, run] = [db.shards.get(1), db.runs.get(runId)];
    if (!shard || !run) throw new Error('There is no such run.');
    Object.assign(shard, { owner: 'another', leaseUntil: Number.POSITIVE_INFINITY });

    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let reads = 0;
    const loaded: { shards: number[]; until: number }[] = [];
    const execution = {
      ...memory,
      readInbox: async (...args: Parameters<typeof memory.readInbox>) => {
        reads++;
        await gate;
        return memory.readInbox(...args);
      },
      dueRuns: (...args: Parameters<typeof memory.dueRuns>) => {
        loaded.push({ shards: [...args[0]], until: args[1].until });
        return memory.dueRuns(...args);
      },
    };
    const second = createTestEngine({ ...common, execution });
    engines.push(second);
    await second.host.start();
    await eventually('the poll reads, and so does the first take-over', () => reads === 2);
    const horizon = loaded[0]?.until ?? Number.NaN;
    run.wakeAt = horizon + 1;
    Object.assign(shard, { owner: null, leaseUntil: Number.NEGATIVE_INFINITY });
    await eventually('the other shard is taken over', () => loaded.some(({ shards }) => shards.includes(1)));
    expect(loaded.every(({ until }) => until === horizon)).toBe(true);
    goOn();
    await eventually('it is loaded', () => second.host.residentCount() === 1);
  });
});
