import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { StoredEvent } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';

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
const nothing = () => {};
const quiet: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => quiet };

/** Histories that the real fold refuses, made of one that it takes. */
const spoiled: Record<string, (events: StoredEvent[]) => StoredEvent[]> = {
  'its first event is missing': ([, second]) => [{ ...(second as StoredEvent), seq: 1 }],
  'its events are in an impossible order': ([first, second]) => [
    { ...(second as StoredEvent), seq: 1 },
    { ...(first as StoredEvent), seq: 2 },
  ],
  'it speaks of a node that there is not': ([first, second]) => [
    first as StoredEvent,
    {
      ...(second as StoredEvent),
      type: 'TIMER_STARTED',
      data: { timerId: 'x', nodePath: 'nowhere', fireAt: 1 },
    },
  ],
};

describe('a stored history that cannot be folded', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
  });

  const setUp = () => {
    const db = new MemoryDatabase(() => Date.now());
    const organizationId = randomUUID();
    const engine = async () => {
      const made = createTestEngine({
        definitions: [waiting, parent],
        organizationId,
        execution: createMemoryExecutionStore(db),
        leases: createMemoryLeaseStore(db),
        log: quiet,
      });
      engines.push(made);
      await made.host.start();
      return made;
    };
    return { db, engine };
  };

  it.each(Object.entries(spoiled))(
    'because %s: the run goes to dead-letter, its neighbours go on',
    async (_how, spoil) => {
      const { db, engine } = setUp();
      const first = await engine();
      const before = await first.start('waiting');
      const bad = await first.start('waiting');
      const after = await first.start('waiting');
      await eventually('all wait', () => [before, bad, after].every((id) => db.events.get(id)?.length === 2));
      await first.host.drain(0);
      const kept = spoil(structuredClone(db.events.get(bad) as StoredEvent[]));
      db.events.set(bad, kept);

      const second = await engine();
      // Commands to it wait in the inbox, and go with it.
      await second.send(bad, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 0 });
      for (const id of [before, after])
        await second.send(id, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
      await eventually('it is given up', () => db.runs.get(bad)?.status === 'dead_letter');
      await eventually('the others complete', () =>
        [before, after].every((id) => db.runs.get(id)?.status === 'completed'),
      );
      await eventually('nothing waits for it', () => db.inbox.size === 0);
      expect(second.host.residentCount()).toBe(0);
      // Nothing is added to what nobody understands, and nothing taken from it.
      expect(db.events.get(bad)).toEqual(kept);
      expect(db.runs.get(bad)?.historyLength).toBe(kept.length);
    },
  );

  it('of a child: its parent is told that it failed', async () => {
    const { db, engine } = setUp();
    const first = await engine();
    const runId = await first.start('parent');
    const child = await eventually('the child waits', () => {
      const found = [...db.runs.values()].find(({ run }) => run.parentRunId === runId)?.run.runId;
      return found !== undefined && db.events.get(found)?.length === 2 && found;
    });
    await eventually('the parent knows it', async () =>
      (await first.eventTypes(runId)).includes('CHILD_WORKFLOW_EXECUTION_STARTED'),
    );
    await first.host.drain(0);
    db.events.set(child, (db.events.get(child) as StoredEvent[]).slice(1));

    const second = await engine();
    await eventually('both are over', () => db.runs.get(runId)?.status === 'failed');
    expect(db.runs.get(child)?.status).toBe('dead_letter');
    expect(await second.eventTypes(runId)).toContain('CHILD_WORKFLOW_EXECUTION_FAILED');
  });
});
