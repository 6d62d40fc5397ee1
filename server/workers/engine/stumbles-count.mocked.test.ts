import { afterEach, describe, expect, it, vi } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { CommitPart, OpenRun } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import { emptyPart } from '@/server/workers/engine/parts';
import { MAX_STUMBLES, Stumbles } from '@/server/workers/engine/stumbles';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';

/** How often the engine has met its bug, and how often it still has it. */
const bug = { met: 0, left: 0 };

// A bug of the pure engine for one run: `step` throws on signals of one name.
vi.mock(import('@/lib/engine/step'), async (importOriginal) => {
  const real = await importOriginal();
  return {
    ...real,
    step: (program, state, event) => {
      if (event.type === 'WORKFLOW_EXECUTION_SIGNALED' && event.data.name === 'bug' && bug.left > 0) {
        bug.met += 1;
        bug.left -= 1;
        throw new Error('a bug of the engine');
      }
      return real.step(program, state, event);
    },
  };
});

const waiting: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'waiting',
  nodes: [{ id: 'go', kind: 'wait', signal: 'go' }],
};
const nothing = () => {};
const quiet: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => quiet };

describe('stumbles of one run', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
    Object.assign(bug, { met: 0, left: 0 });
  });

  it('that have nothing to do with each other do not add up: each time it got on, and goes on', async () => {
    const made = createTestEngine({ definitions: [waiting], log: quiet, calmMs: 0 });
    engines.push(made);
    await made.host.start();
    const runId = await made.start('waiting');
    await eventually('it waits', () => made.host.residentCount() === 1);
    const signals = async () =>
      (await made.eventTypes(runId)).filter((type) => type === 'WORKFLOW_EXECUTION_SIGNALED').length;
    for (let n = 1; n <= MAX_STUMBLES + 1; n++) {
      bug.left = 1;
      await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'bug', payload: n });
      await eventually('it got on', async () => (await signals()) === n || made.db.runs.get(runId)?.closedAt);
    }
    expect(bug.met).toBe(MAX_STUMBLES + 1);
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    expect(await closed).toBe('completed');
  });
});

describe('the count of stumbles', () => {
  const info = { runId: 'r', organizationId: 'o', workflow: 'w', shard: 3 } as OpenRun;
  /** The counts that are logged while time and epochs are the test's. */
  const counting = () => {
    const world = { now: 0, epoch: 1 as number | undefined };
    const counts: unknown[] = [];
    const log: Log = { ...quiet, error: (_, facts) => void counts.push(facts?.attempt), with: () => log };
    const stumbles = new Stumbles({
      deps: {
        store: {} as never,
        telemetry: {} as never,
        log,
        clock: { now: () => world.now, at: () => nothing },
        calmMs: 1_000,
      },
      leases: { epoch: () => world.epoch },
      isDraining: false,
      drop: nothing,
      commit: async () => 'fenced',
      reload: async () => {},
      ended: nothing,
      track: nothing,
    });
    const event = { seq: 1, type: 'MARKER', at: 0, data: {}, causationSeq: null };
    const part: CommitPart = { ...emptyPart({ ...info, epoch: 1 }), events: [event] };
    return { world, counts, note: () => stumbles.note(info, null, 'e'), stumbles, part };
  };

  it('begins anew after progress and a time of calm, not after one of the two', () => {
    const { world, counts, note, stumbles, part } = counting();
    note();
    world.now += 5_000;
    note();
    stumbles.written(part);
    world.now += 999;
    note();
    stumbles.written({ ...part, events: [] });
    world.now += 5_000;
    note();
    stumbles.written(part);
    world.now += 1_000;
    note();
    expect(counts).toEqual([1, 2, 3, 4, 1]);
  });

  it('begins anew when the shard was lost and came back', () => {
    const { world, counts, note } = counting();
    note();
    note();
    world.epoch = undefined;
    note();
    world.epoch = 2;
    note();
    note();
    expect(counts).toEqual([1, 2, 1, 1, 2]);
  });
});
