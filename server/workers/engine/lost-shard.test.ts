import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { shardOf } from '@/lib/shared/ids';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';
import { startedEngines } from '../../../tests/support/started-engines';

const start = startedEngines();

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

it('a shard that its owner takes once more, because its lease ran out between a heartbeat and an acquire, is loaded anew', async () => {
  const db = new MemoryDatabase(() => Date.now());
  const leases = createMemoryLeaseStore(db);
  await leases.ensureShards(2);
  // So that it goes on looking for shards.
  Object.assign(db.shards.get(1) as object, { owner: 'another', leaseUntil: Number.POSITIVE_INFINITY });
  const ends: (() => void)[] = [];
  let isLate = false;
  const { host, start: startRun } = await start({
    organizationId: randomUUID(),
    definitions: [
      { schemaVersion: 1, name: 'long', nodes: [{ id: 'call', kind: 'activity', activity: 'hang' }] },
    ],
    functions: { hang: () => new Promise((resolve) => ends.push(() => resolve('ok'))) },
    shards: 2,
    execution: createMemoryExecutionStore(db),
    leases: {
      ...leases,
      acquire: async (...args) => {
        const shard = db.shards.get(0);
        if (isLate && shard) shard.leaseUntil = Number.NEGATIVE_INFINITY;
        isLate = false;
        return leases.acquire(...args);
      },
    },
    leaseTtlMs: 150,
  });
  let workflowId = randomUUID();
  while (shardOf(workflowId, 2) !== 0) workflowId = randomUUID();
  const runId = await startRun('long', {}, workflowId);
  await eventually('the call is made', () => ends.length === 1);
  const epoch = host.leases.epoch(0);
  isLate = true;
  await eventually('the shard is taken once more', () => host.leases.epoch(0) !== epoch);
  // What the old copy learns now is refused, and nobody would ever load its run.
  ends[0]?.();
  await eventually('the new copy makes the call', () => ends.length === 2);
  ends[1]?.();
  await eventually('it completes', () => db.runs.get(runId)?.status === 'completed');
});

it('a start whose definition is read while its shard goes to another and comes back is not begun a second time', async () => {
  const db = new MemoryDatabase(() => Date.now());
  const leases = createMemoryLeaseStore(db);
  const inner = createMemoryExecutionStore(db);
  const shared = {
    organizationId: randomUUID(),
    definitions: [
      {
        schemaVersion: 1 as const,
        name: 'long',
        nodes: [{ id: 'call', kind: 'activity' as const, activity: 'hang' }],
      },
    ],
    shards: 1,
    leaseTtlMs: 150,
  };
  let isAway = false;
  let begins = 0;
  let open: () => void = () => undefined;
  const one = await start({
    ...shared,
    functions: { hang: async () => 'ok' },
    leases: { ...leases, acquire: async (...args) => (isAway ? [] : leases.acquire(...args)) },
    execution: {
      ...inner,
      commit: async (owner, parts) => {
        begins += parts.filter(({ events }) => events[0]?.type === 'WORKFLOW_EXECUTION_STARTED').length;
        return inner.commit(owner, parts);
      },
    },
  });
  await eventually('the shard is led', () => one.host.leases.epoch(0) !== undefined);
  const { programs } = one.host.deps;
  const all = programs.all.bind(programs);
  const reading = vi.spyOn(programs, 'all').mockImplementationOnce(async (infos) => {
    await new Promise<void>((resolve) => {
      open = resolve;
    });
    return all(infos);
  });
  const runId = await one.start('long');
  await eventually('its definition is being read', () => reading.mock.calls.length === 1);
  isAway = true;
  Object.assign(db.shards.get(0) as object, { owner: null, leaseUntil: Number.NEGATIVE_INFINITY });
  one.host.leases.lose([0]);
  const other = createTestEngine({
    ...shared,
    functions: { hang: () => new Promise(() => undefined) },
    leases,
    execution: inner,
  });
  await other.host.start();
  await eventually('another has begun it', () => (db.events.get(runId)?.length ?? 0) > 1);
  await other.host.drain(0);
  isAway = false;
  await eventually('the shard is back', () => one.host.leases.epoch(0) !== undefined);
  open();
  await eventually('it completes', () => db.runs.get(runId)?.status === 'completed');
  expect(begins).toBe(0);
});
