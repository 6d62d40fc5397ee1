import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { ExecutionStore } from '@/server/ports/execution-store';
import { inBatches } from '@/server/workers/engine/recovery';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine, type TestEngineOptions } from '../../../tests/support/memory-engine';

const waiting: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
  output: '${go.output}',
};

const MIB = 1024 * 1024;

describe('inBatches', () => {
  const sizes = (...items: number[]) => inBatches(items, (size) => size, 10);

  it('fills each batch up to the limit, in order', () => {
    expect(sizes(4, 6, 1, 9, 5, 5, 1)).toEqual([[4, 6], [1, 9], [5, 5], [1]]);
    expect(sizes(0, 0, 10, 0)).toEqual([[0, 0, 10, 0]]);
    expect(sizes()).toEqual([]);
  });

  it('gives what is over the limit a batch of its own', () => {
    expect(sizes(1, 50, 1, 2)).toEqual([[1], [50], [1, 2]]);
  });
});

describe('a take-over of more than memory holds', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  const engine = async (options: TestEngineOptions) => {
    const made = createTestEngine(options);
    engines.push(made);
    await made.host.start();
    return made;
  };
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
  });

  it('reads few large histories at once, puts runs to sleep on the way, and all of them end', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const inner = createMemoryExecutionStore(db);
    const reads: { runs: number; resident: number }[] = [];
    let resident = () => 0;
    const execution: ExecutionStore = {
      ...inner,
      // As if they were large.
      historySizes: async (runIds) => new Map(runIds.map((id) => [id, 6 * MIB])),
      async readHistories(runIds) {
        reads.push({ runs: runIds.length, resident: resident() });
        return inner.readHistories(runIds);
      },
    };
    const leases = createMemoryLeaseStore(db);
    const common = { execution, leases, organizationId: randomUUID(), definitions: [waiting], shards: 1 };
    const first = await engine(common);
    const runIds = await Promise.all(Array.from({ length: 30 }, () => first.start('waiting')));
    await eventually('all wait', () => runIds.every((id) => db.events.has(id)));
    await first.host.drain(0);
    const second = createTestEngine({ ...common, maxResidents: 4 });
    engines.push(second);
    resident = () => second.host.residentCount();
    await second.host.start();
    const asleep = () => [...db.runs.values()].filter(({ wakeAt }) => wakeAt === Number.POSITIVE_INFINITY);
    await eventually('all but four sleep', () => asleep().length === 26);
    expect(reads.map(({ runs }) => runs)).toEqual(Array.from({ length: 15 }, () => 2));
    expect(Math.max(...reads.map((read) => read.resident))).toBeLessThanOrEqual(4);
    for (const runId of runIds) {
      expect(db.runs.get(runId)?.recoveries).toBeLessThanOrEqual(1);
      await second.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    }
    await eventually('all end', () => runIds.every((id) => db.runs.get(id)?.status === 'completed'));
  });
});
