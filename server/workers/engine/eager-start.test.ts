import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { CommitPart, ExecutionStore } from '@/server/ports/execution-store';
import type { LeaseStore } from '@/server/ports/lease-store';
import type { McpFleet, ToolCall, ToolOutcome } from '@/server/ports/mcp-fleet';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine, type TestEngineOptions } from '../../../tests/support/memory-engine';

const paid: ToolOutcome = {
  ok: true,
  result: {
    isError: false,
    content: [],
    structuredContent: { paid: true },
    durationMs: 1,
    bytesIn: 1,
    bytesOut: 1,
  },
};
const notSent: ToolOutcome = {
  ok: false,
  failure: { code: 'NETWORK_ERROR', message: 'no connection', retriable: true, ambiguous: false },
};

/** Waits for a signal, then pays by a tool that must not be called twice. */
const pays = (node: object = {}): WorkflowDefinition =>
  ({
    schemaVersion: 1,
    name: 'pays',
    nodes: [
      { id: 'go', kind: 'wait', signal: 'go' },
      { id: 'n', kind: 'mcp-server', server: 's', tool: 'pay', retry: { initialDelay: '1ms' }, ...node },
    ],
    edges: [{ from: 'go', to: 'n' }],
  }) as WorkflowDefinition;

const gate = () => {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
};

/** A server that is connected, with so many places, and a tool that says nothing of itself. */
class Till {
  free = 1;
  readonly calls: ToolCall[] = [];
  answer: (call: ToolCall) => ToolOutcome | Promise<ToolOutcome> = () => paid;
  annotations = {};
  readonly fleet = {
    tool: async () => ({ annotations: this.annotations }),
    keepPlace: () => {
      if (this.free === 0) return undefined;
      this.free--;
      let kept = true;
      return {
        tool: { annotations: this.annotations },
        release: () => {
          if (kept) this.free++;
          kept = false;
        },
      };
    },
    call: async (call: ToolCall) => {
      await call.beforeSending?.();
      this.calls.push(call);
      try {
        return await this.answer(call);
      } finally {
        call.place?.release();
      }
    },
    cancelTask: async () => {},
  } as unknown as McpFleet;
}

describe('a call that must not be repeated', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
  });

  /** An engine on a store whose commits are noted, and may be held up. */
  const setUp = async (options: Partial<TestEngineOptions> = {}, definition = pays()) => {
    const db = new MemoryDatabase(() => Date.now());
    const execution = createMemoryExecutionStore(db);
    const leases = createMemoryLeaseStore(db);
    const organizationId = randomUUID();
    const till = new Till();
    const commits: string[][] = [];
    const hold: { when: (part: CommitPart) => boolean; until: Promise<void>; after?: Promise<void> } = {
      when: () => false,
      until: Promise.resolve(),
    };
    const noting: ExecutionStore = {
      ...execution,
      commit: async (owner, parts) => {
        const held = parts.some(hold.when);
        if (held) await hold.until;
        const shards = await execution.commit(owner, parts);
        for (const part of parts) commits.push(part.events.map(({ type }) => type));
        if (held) await hold.after;
        return shards;
      },
    };
    const common = { organizationId, definitions: [definition], fleet: till.fleet };
    const isDead = { is: false };
    /** A dead process does not ask for shards again. */
    const mortal: LeaseStore = {
      ...leases,
      heartbeat: (...args) => (isDead.is ? Promise.reject(new Error('dead')) : leases.heartbeat(...args)),
    };
    const open = async (store: ExecutionStore, leased = leases) => {
      const made = createTestEngine({ ...common, ...options, execution: store, leases: leased });
      engines.push(made);
      await made.host.start();
      return made;
    };
    const made = await open(noting, mortal);
    const runId = await made.start('pays');
    await eventually('it waits', () => db.events.get(runId)?.length === 2);
    const go = () => made.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    const begun = () => commits.find((types) => types.includes('ACTIVITY_TASK_STARTED'));
    const types = () => (db.events.get(runId) ?? []).map(({ type }) => type);
    const heir = () => open(execution);
    const die = () => {
      isDead.is = true;
      for (const row of db.shards.values()) Object.assign(row, { owner: 'nobody', leaseUntil: 0 });
    };
    return { db, made, till, hold, runId, go, begun, types, heir, die };
  };
  const isStart = (part: CommitPart) => part.events.some(({ type }) => type === 'ACTIVITY_TASK_STARTED');

  it('is begun in the commit that schedules it, and made after that', async () => {
    const { made, till, runId, go, begun, types } = await setUp();
    let seen: string[] = [];
    till.answer = () => {
      seen = types();
      expect(till.free).toBe(0);
      return paid;
    };
    const closed = made.host.closed(runId);
    await go();
    expect(await closed).toBe('completed');
    expect(begun()?.slice(-2)).toEqual(['ACTIVITY_TASK_SCHEDULED', 'ACTIVITY_TASK_STARTED']);
    expect(seen.at(-1)).toBe('ACTIVITY_TASK_STARTED');
    expect([till.calls.length, till.calls[0]?.place === undefined, till.free]).toEqual([1, false, 1]);
  });

  it('is begun in a commit of its own when the server has no place for it now', async () => {
    const { made, till, runId, go, begun } = await setUp();
    till.free = 0;
    const closed = made.host.closed(runId);
    await go();
    expect(await closed).toBe('completed');
    expect(begun()).toEqual(['ACTIVITY_TASK_STARTED']);
    expect(till.calls[0]?.place).toBeUndefined();
  });

  it('leaves no start on record when its tool may be repeated', async () => {
    const { made, till, runId, go, types } = await setUp();
    till.annotations = { idempotentHint: true };
    const closed = made.host.closed(runId);
    await go();
    expect(await closed).toBe('completed');
    expect(types()).not.toContain('ACTIVITY_TASK_STARTED');
    expect(till.free).toBe(1);
  });

  it('is a function too, when its node says that it must not be repeated', async () => {
    const node = { kind: 'activity', activity: 'pay', idempotent: false };
    const functions = { pay: () => 'paid' };
    const { made, runId, go, begun } = await setUp({ functions }, pays(node));
    const closed = made.host.closed(runId);
    await go();
    expect(await closed).toBe('completed');
    expect(begun()?.slice(-2)).toEqual(['ACTIVITY_TASK_SCHEDULED', 'ACTIVITY_TASK_STARTED']);
  });

  it('is not made when the process ends between the commit and the call: a person is asked', async () => {
    const { db, made, till, hold, runId, go, types, heir, die } = await setUp();
    const dead = gate();
    Object.assign(hold, { when: isStart, after: dead.passed });
    await go();
    await eventually('its start is on record', () => types().includes('ACTIVITY_TASK_STARTED'));
    // Gone without a word.
    made.host.leases.lose(made.host.leases.held());
    die();
    await heir();
    await eventually('it is parked', () => types().includes('ACTIVITY_TASK_OUTCOME_UNKNOWN'));
    dead.open();
    await eventually('what was kept for it is given back', () => till.free === 1);
    expect(till.calls).toEqual([]);
    expect(db.runs.get(runId)?.status).toBe('running');
  });

  it('is tried again when it was begun but could not be sent', async () => {
    const { made, till, runId, go, types } = await setUp();
    till.answer = () => (till.calls.length === 1 ? notSent : paid);
    const closed = made.host.closed(runId);
    await go();
    expect(await closed).toBe('completed');
    expect(till.calls).toHaveLength(2);
    expect(types().filter((type) => type.startsWith('ACTIVITY_TASK'))).toEqual([
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_FAILED',
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_COMPLETED',
    ]);
    expect(till.free).toBe(1);
  });

  it.each([
    ['that leaves nothing to undo', {}],
    ['that could be undone', { compensate: { server: 's', tool: 'refund' } }],
  ])('%s is not made when the run is cancelled while its start is being written', async (_what, node) => {
    const { made, till, hold, runId, go, types } = await setUp({}, pays(node));
    const written = gate();
    let waits = false;
    Object.assign(hold, {
      when: (part: CommitPart) => {
        waits ||= isStart(part);
        return isStart(part);
      },
      until: written.passed,
    });
    const closed = made.host.closed(runId);
    await go();
    await eventually('its start is on its way', () => waits);
    await made.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    await eventually('the cancel was taken up', () => [...made.host.residents.values()][0]?.pending === 2);
    written.open();
    expect(await closed).toBe('cancelled');
    expect(till.calls).toEqual([]);
    expect(types()).toContain('ACTIVITY_TASK_CANCELED');
    await eventually('its place is free', () => till.free === 1);
  });

  it('is made when the run is paused while its start is being written', async () => {
    const { made, till, hold, runId, go, types } = await setUp();
    const written = gate();
    let waits = false;
    Object.assign(hold, {
      when: (part: CommitPart) => {
        waits ||= isStart(part);
        return isStart(part);
      },
      until: written.passed,
    });
    await go();
    await eventually('its start is on its way', () => waits);
    await made.send(runId, 'WORKFLOW_EXECUTION_PAUSED', { by: 'tester' });
    await eventually('the pause was taken up', () => [...made.host.residents.values()][0]?.pending === 2);
    written.open();
    await eventually('it has its answer', () => types().includes('ACTIVITY_TASK_COMPLETED'));
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_UNPAUSED', { by: 'tester' });
    expect(await closed).toBe('completed');
    expect(till.calls).toHaveLength(1);
  });

  it('is made by a process that is asked to stop while its start is being written', async () => {
    const { made, till, hold, go, types } = await setUp();
    const written = gate();
    let waits = false;
    Object.assign(hold, {
      when: (part: CommitPart) => {
        waits ||= isStart(part);
        return isStart(part);
      },
      until: written.passed,
    });
    await go();
    await eventually('its start is on its way', () => waits);
    const drained = made.host.drain(5_000);
    written.open();
    await drained;
    expect(till.calls).toHaveLength(1);
    expect(types()).toContain('ACTIVITY_TASK_COMPLETED');
  });

  it('does not pass by calls that wait for a slot', async () => {
    const answer = gate();
    const { made, till, go, begun } = await setUp({ maxActivities: 1 });
    till.answer = () => answer.passed.then(() => paid);
    const other = await made.start('pays');
    await eventually('the other waits', () => made.host.residentCount() === 2);
    const send = () => made.send(other, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    await send();
    await eventually('the slot is taken', () => till.calls.length === 1);
    const first = begun();
    await go();
    await eventually('the second stands in line', () => made.host.ready.depth === 1);
    expect(first?.slice(-1)).toEqual(['ACTIVITY_TASK_STARTED']);
    expect(till.calls).toHaveLength(1);
    answer.open();
    await eventually('both are made', () => till.calls.length === 2 && made.host.residentCount() === 0);
    expect(till.calls.map(({ place }) => place === undefined)).toEqual([false, true]);
  });

  it('gives its place back when the commit is refused', async () => {
    const { db, made, till, hold, go } = await setUp();
    const written = gate();
    let waits = false;
    Object.assign(hold, {
      when: (part: CommitPart) => {
        waits ||= isStart(part);
        return isStart(part);
      },
      until: written.passed,
    });
    await go();
    await eventually('its start is on its way', () => waits);
    expect(till.free).toBe(0);
    for (const row of db.shards.values()) Object.assign(row, { owner: 'another', epoch: row.epoch + 1 });
    written.open();
    await eventually('the run has left memory', () => made.host.residentCount() === 0);
    expect([till.free, till.calls.length]).toEqual([1, 0]);
  });
});
