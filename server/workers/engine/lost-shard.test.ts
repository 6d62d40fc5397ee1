import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';

it('a signal whose commit was fenced after its shard came back is not taken up a second time', async () => {
  const db = new MemoryDatabase(() => Date.now());
  const inner = createMemoryExecutionStore(db);
  const gates: (() => void)[] = [];
  let reads = 0;
  const made = createTestEngine({
    organizationId: randomUUID(),
    definitions: [{ schemaVersion: 1, name: 'waiting', nodes: [{ id: 'go', kind: 'wait', signal: 'go' }] }],
    leases: createMemoryLeaseStore(db),
    shards: 1,
    leaseTtlMs: 150,
    execution: {
      ...inner,
      readInbox: async (...args) => {
        reads += 1;
        return inner.readInbox(...args);
      },
      commit: async (owner, parts) => {
        const isSignal = parts.some(({ events }) => events.some(({ type }) => type.endsWith('SIGNALED')));
        if (isSignal && gates.length < 2) await new Promise<void>((resolve) => gates.push(resolve));
        return inner.commit(owner, parts);
      },
    },
  });
  try {
    await made.host.start();
    const runId = await made.start('waiting');
    await eventually('it waits', () => db.events.get(runId)?.length === 2);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'other', payload: 1 });
    await eventually('the signal is being written', () => gates.length === 1);
    // The shard is lost and comes back: the run is loaded anew, and takes the signal from the table.
    Object.assign(db.shards.get(0) as object, { owner: null, leaseUntil: Number.NEGATIVE_INFINITY });
    made.host.leases.lose([0]);
    await eventually('the new copy has the signal', () => made.host.residents.get(runId)?.inbox.size === 1);
    gates[0]?.();
    await eventually('the new copy writes it', () => gates.length === 2);
    const before = reads;
    await eventually('the table is looked at twice meanwhile', () => reads >= before + 2);
    gates[1]?.();
    await eventually('nothing is left to do', () => db.inbox.size === 0);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 2 });
    await eventually('it completes', () => db.runs.get(runId)?.status === 'completed');
    const signals = (db.events.get(runId) ?? []).filter(({ type }) => type.endsWith('SIGNALED'));
    expect(signals.map(({ data }) => data.name)).toEqual(['other', 'go']);
  } finally {
    for (const open of gates) open();
    await made.host.drain(0);
  }
});
