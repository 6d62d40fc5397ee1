import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { ExecutionStore } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine, type TestEngineOptions } from '../../../tests/support/memory-engine';

/** How often the engine has met its bug. */
let met = 0;
/** How often it still has it. */
let left = Number.POSITIVE_INFINITY;

// A bug of the pure engine for one run: `step` throws on signals of one name, a start throws for one input.
vi.mock(import('@/lib/engine/step'), async (importOriginal) => {
  const real = await importOriginal();
  const trip = (isMet: boolean) => {
    if (!isMet || left <= 0) return;
    met += 1;
    left -= 1;
    throw new Error('a bug of the engine\u0000');
  };
  return {
    ...real,
    step: (program, state, event) => {
      trip(event.type === 'WORKFLOW_EXECUTION_SIGNALED' && event.data.name === 'bug');
      return real.step(program, state, event);
    },
    createRun: (program, started) => {
      trip(JSON.stringify(started.data.input) === '"bug"');
      return real.createRun(program, started);
    },
  };
});

const waiting: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
  output: '${go.output}',
};
const nothing = () => {};
const quiet: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => quiet };

describe('a run on which the engine itself fails', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  const engine = async (options: Partial<TestEngineOptions> = {}) => {
    const made = createTestEngine({ definitions: [waiting], log: quiet, ...options });
    engines.push(made);
    await made.host.start();
    return made;
  };
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
    met = 0;
    left = Number.POSITIVE_INFINITY;
  });

  it('step throws: after three tries the run goes to dead-letter with the error, and its neighbours go on', async () => {
    const made = await engine();
    const runId = await made.start('waiting');
    const other = await made.start('waiting');
    await eventually('both wait', () => made.host.residentCount() === 2);
    const closed = made.host.closed(runId);
    const otherClosed = made.host.closed(other);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'bug', payload: 1 });
    await made.send(other, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 2 });
    expect(await closed).toBe('dead_letter');
    expect(await otherClosed).toBe('completed');
    expect(met).toBe(3);
    expect(made.db.runs.get(runId)).toMatchObject({ status: 'dead_letter', historyLength: 2 });
    // The history is as it was, for the retry; the command that could not be carried out is gone with the run.
    expect(await made.eventTypes(runId)).toEqual((await made.eventTypes(other)).slice(0, 2));
    await eventually('its inbox is empty', () => made.db.inbox.size === 0);
  });

  it('step throws once: the run is read anew and takes the command up again', async () => {
    const made = await engine();
    left = 1;
    const runId = await made.start('waiting');
    await eventually('it waits', () => made.host.residentCount() === 1);
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'bug', payload: 1 });
    await eventually('the signal is in the history', async () =>
      (await made.eventTypes(runId)).includes('WORKFLOW_EXECUTION_SIGNALED'),
    );
    expect(met).toBe(1);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 2 });
    expect(await closed).toBe('completed');
    const signals = (await made.eventTypes(runId)).filter((type) => type === 'WORKFLOW_EXECUTION_SIGNALED');
    expect(signals).toHaveLength(2);
  });

  it('a start that throws is given up with its input on record', async () => {
    const made = await engine();
    const runId = await made.start('waiting', 'bug');
    expect(await made.host.closed(runId)).toBe('dead_letter');
    const [first] = await made.store.readHistories([runId]);
    expect(first).toMatchObject({ seq: 1, type: 'WORKFLOW_EXECUTION_STARTED', data: { input: 'bug' } });
    expect(made.db.inbox.size).toBe(0);
  });

  it('a write that the store refuses for good does not leave the run out of memory: tried again, then dead-letter', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const memory = createMemoryExecutionStore(db);
    let refused = 0;
    let refusals = 1;
    const execution: ExecutionStore = {
      ...memory,
      commit: async (owner, parts) => {
        const bad = parts.some((part) =>
          part.events.some(({ data }) => JSON.stringify(data).includes('"poison"')),
        );
        if (bad && refused < refusals) {
          refused += 1;
          throw Object.assign(new Error('value too long'), { code: '22001' });
        }
        return memory.commit(owner, parts);
      },
    };
    const made = await engine({ execution, leases: createMemoryLeaseStore(db) });
    const signal = async (runId: string) => {
      await eventually('it waits', () => (db.events.get(runId)?.length ?? 0) > 1);
      const closed = made.host.closed(runId);
      await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 'poison' });
      return closed;
    };
    expect(await signal(await made.start('waiting'))).toBe('completed');
    refusals = Number.POSITIVE_INFINITY;
    refused = 0;
    const lost = await made.start('waiting');
    expect(await signal(lost)).toBe('dead_letter');
    expect(refused).toBe(3);
    // Nothing behind the refused part was written.
    expect(db.events.get(lost)?.map(({ seq }) => seq)).toEqual([1, 2]);
  });
});

describe('a run that a newer build has moved on', () => {
  it('is left alone by an older process, neither failed nor given up, and taken up by the newer one', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const warnings: unknown[][] = [];
    const log: Log = { ...quiet, warn: (...facts) => void warnings.push(facts), with: () => log };
    const execution = createMemoryExecutionStore(db);
    const common = { definitions: [waiting], execution, log, organizationId: randomUUID() };
    const make = () => createTestEngine({ ...common, leases: createMemoryLeaseStore(db) });
    const made = make();
    await made.host.start();
    const flagged = await made.start('waiting', {}, undefined, { flags: ['a-behaviour-of-tomorrow'] });
    const known = await made.start('waiting');
    await eventually('the other run waits', () => made.host.residentCount() === 1);
    await made.send(flagged, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    await made.send(known, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    expect(await made.host.closed(known)).toBe('completed');
    expect(db.runs.get(flagged)).toMatchObject({ status: 'running', closedAt: null });
    expect([...db.inbox.values()].map((row) => row.runId)).toEqual([flagged, flagged]);

    // One that it knew, until a newer process wrote an event of a kind that this one has never heard of.
    const moved = await made.start('waiting');
    await eventually('it waits', () => made.host.residentCount() === 1);
    await made.host.drain(0);
    const run = db.events.get(moved) ?? [];
    run.push({
      runId: moved,
      seq: run.length + 1,
      type: 'NODE_DREAMED',
      at: Date.now(),
      data: {},
      causationSeq: null,
    });
    for (let i = 0; i < 8; i++) {
      const older = make();
      await older.host.start();
      await eventually(
        'it was looked at',
        () => warnings.filter(([name]) => name === 'newer_run').length >= 2 + i,
      );
      expect(older.host.residentCount()).toBe(0);
      await older.host.drain(0);
    }
    expect(db.runs.get(moved)).toMatchObject({ status: 'running', closedAt: null, recoveries: 0 });
    expect(db.events.get(moved)).toHaveLength(run.length);
    // The build that knows the event.
    run.pop();
    const newer = make();
    await newer.host.start();
    const closed = newer.host.closed(moved);
    await newer.send(moved, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    expect(await closed).toBe('completed');
    await newer.host.drain(0);
  });
});
