import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';

const parent: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'parent',
  nodes: [{ id: 'c', kind: 'subworkflow', workflow: 'nowhere' }],
};
const waiting: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'w', kind: 'wait', signal: 'go' }],
};

describe('a run whose start of a child is under way', () => {
  let made: ReturnType<typeof createTestEngine> | undefined;
  afterEach(async () => {
    await made?.host.drain(0);
  });

  it('does not sleep, so that it fails when the child cannot be started', async () => {
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let asked = 0;
    made = createTestEngine({ definitions: [parent, waiting], maxResidents: 0 });
    const { db, host } = made;
    const { definitions } = host.deps.children;
    const get = definitions.get.bind(definitions);
    definitions.get = async (...args) => {
      asked += 1;
      await held;
      return get(...args);
    };
    await host.start();
    const runId = await made.start('parent');
    await eventually('the child is looked for', () => asked === 1);
    // Loaded after it and put to sleep: the round that did so has looked at the parent, too.
    const sleeper = await made.start('waiting');
    await eventually('another sleeps', () => db.runs.get(sleeper)?.wakeAt === Number.POSITIVE_INFINITY);
    expect(db.runs.get(runId)?.wakeAt).not.toBe(Number.POSITIVE_INFINITY);
    answer();
    await eventually('it fails', () => db.runs.get(runId)?.status === 'failed');
  });
});
