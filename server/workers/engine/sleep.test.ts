import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { AppError } from '@/lib/protocol/errors';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { inMemory } from '@/server/workers/engine/sleep';
import { eventually } from '../../../tests/support/eventually';
import { startedEngines } from '../../../tests/support/started-engines';

const waiting: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
  output: '${go.output}',
};

const parent: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'parent',
  nodes: [{ id: 'child', kind: 'subworkflow', workflow: 'waiting', input: {} }],
};

const LARGE = { text: 'x'.repeat(50_000) };

describe('runs put to sleep', () => {
  const engine = startedEngines();
  type Engine = Awaited<ReturnType<typeof engine>>;

  /** A place where one engine after another finds the same runs. */
  const place = () => {
    const db = new MemoryDatabase(() => Date.now());
    const execution = createMemoryExecutionStore(db);
    return { db, execution, leases: createMemoryLeaseStore(db), organizationId: randomUUID() };
  };
  const bytes = (made: Engine) => inMemory(made.host.residents.values()).bytes;
  const allEnd = async (made: Engine, db: MemoryDatabase, runIds: string[]) => {
    for (const [i, runId] of runIds.entries()) {
      await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: i });
    }
    await eventually('all end', () => runIds.every((id) => db.runs.get(id)?.status === 'completed'));
    const outputs = runIds.map((id) => db.events.get(id)?.at(-1)?.data);
    expect(outputs).toEqual(runIds.map((_, i) => ({ output: i })));
  };

  it('few large runs are put to sleep by their bytes, and all of them end', async () => {
    const made = await engine({ definitions: [waiting], maxResidentBytes: 500_000 });
    const runIds = await Promise.all(Array.from({ length: 40 }, () => made.start('waiting', LARGE)));
    await eventually('there is room', () => {
      const begun = runIds.every((id) => (made.db.events.get(id)?.length ?? 0) > 0);
      return begun && made.host.residentCount() < 10;
    });
    expect(bytes(made)).toBeLessThanOrEqual(500_000);
    // No more than it takes.
    expect(made.host.residentCount()).toBe(9);
    await allEnd(made, made.db, runIds);
  });

  it('runs that were taken over and only wait are put to sleep, too', async () => {
    const { db, ...stores } = place();
    const common = { ...stores, definitions: [waiting] };
    const first = await engine(common);
    const runIds = await Promise.all(Array.from({ length: 30 }, () => first.start('waiting', LARGE)));
    await eventually('all wait', () => runIds.every((id) => db.events.has(id)));
    await first.host.drain(0);
    const second = await engine({ ...common, maxResidentBytes: 200_000 });
    const asleep = () => [...db.runs.values()].filter(({ wakeAt }) => wakeAt === Number.POSITIVE_INFINITY);
    await eventually('most of them sleep', () => asleep().length === 27);
    expect(second.host.residentCount()).toBe(3);
    await allEnd(second, db, runIds);
  });

  it('a run holds as many bytes after a take-over as before', async () => {
    const { db, ...stores } = place();
    const common = { ...stores, definitions: [waiting] };
    const first = await engine(common);
    const runId = await first.start('waiting', LARGE);
    await eventually('it waits', () => db.events.has(runId));
    await first.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'other', payload: LARGE });
    await eventually('it has the signal', () => db.inbox.size === 0);
    const before = bytes(first);
    expect(before).toBeGreaterThan(100_000);
    expect(before).toBeLessThan(110_000);
    await first.host.drain(0);
    const second = await engine(common);
    await eventually('it was loaded', () => second.host.residentCount() === 1);
    expect(bytes(second)).toBe(before);
  });

  it('a parent is not put to sleep before it knows whether its child could be started', async () => {
    const { db, ...stores } = place();
    let refuse = () => {};
    const refused = new Promise<never>((_resolve, reject) => {
      refuse = () => reject(new AppError('WORKFLOW_ID_IN_USE', 'A run with this workflow id is open.'));
    });
    let isAsked = false;
    const execution: typeof stores.execution = {
      ...stores.execution,
      accept(request) {
        if (!request.newRun?.parentRunId) return stores.execution.accept(request);
        isAsked = true;
        return refused;
      },
    };
    const made = await engine({ ...stores, execution, definitions: [waiting, parent], maxResidents: 1 });
    const runId = await made.start('parent');
    await eventually('the child is being started', () => isAsked);
    const others = [await made.start('waiting'), await made.start('waiting')];
    const sleeps = (id: string) => db.runs.get(id)?.wakeAt === Number.POSITIVE_INFINITY;
    await eventually('others are put to sleep', () => others.every((id) => sleeps(id)));
    expect(sleeps(runId)).toBe(false);
    refuse();
    await eventually('the parent fails', () => db.runs.get(runId)?.status === 'failed');
  });
});
