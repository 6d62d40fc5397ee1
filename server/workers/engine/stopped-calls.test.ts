import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { InputRequired, McpFleet, ServerTask, ToolCall, ToolOutcome } from '@/server/ports/mcp-fleet';
import { eventually } from '../../../tests/support/eventually';
import { startedEngines } from '../../../tests/support/started-engines';

const charges = (node: object = {}): WorkflowDefinition =>
  ({
    schemaVersion: 1,
    name: 'charges',
    nodes: [
      {
        id: 'n',
        kind: 'mcp-server',
        server: 's',
        tool: 'charge',
        compensate: { server: 's', tool: 'refund', arguments: { of: '${n.output.json}' } },
        ...node,
      },
    ],
  }) as WorkflowDefinition;

const done = (structuredContent: object): ToolOutcome =>
  ({
    ok: true,
    result: { isError: false, content: [], structuredContent, durationMs: 1, bytesIn: 1, bytesOut: 1 },
  }) as ToolOutcome;
const cancelled = {
  ok: false as const,
  failure: { code: 'CANCELLED', message: 'cancelled', retriable: false, ambiguous: true },
};

/** A server on which the first charge takes effect at once and is answered too late; a cancelled call is not waited for. */
class Bank {
  readonly calls: string[] = [];
  readonly keys = new Set<string>();
  annotations: object = {};
  /** Answers the first charge, late. */
  answer = (_outcome: ToolOutcome) => {};
  /** Asks what it has to know first, inside the open call. */
  ask: () => Promise<unknown> = () => Promise.resolve();
  /** Makes a task of the call. */
  task: (task: ServerTask) => Promise<unknown> = () => Promise.resolve();
  readonly question = {
    requests: [{ key: 'q', kind: 'elicitation', params: { message: 'Sure?', requestedSchema: {} } }],
    durable: false,
  } as unknown as InputRequired;
  /** What charges after the first are answered. */
  again: ToolOutcome = done({ charge: 1 });
  readonly fleet = {
    tool: async () => ({ annotations: this.annotations }),
    keepPlace: () => undefined,
    call: async (call: ToolCall): Promise<ToolOutcome> => {
      await call.beforeSending?.();
      if (call.signal.aborted)
        return { ok: false, failure: { ...cancelled.failure, message: 'not sent', ambiguous: false } };
      this.calls.push(call.tool);
      this.keys.add(`${call.tool} ${call.idempotencyKey}`);
      if (call.tool !== 'charge') return done({ refunded: call.arguments.of ?? null });
      if (this.charged > 1) return this.again;
      return new Promise((resolve) => {
        this.answer = resolve;
        this.task = async (task) => call.onTask?.(task);
        this.ask = () => call.onInputRequired?.(this.question, call.signal) ?? Promise.resolve('park');
        call.signal.addEventListener('abort', () => resolve(cancelled), { once: true });
      });
    },
    cancelTask: async () => {},
  } as unknown as McpFleet;

  get charged(): number {
    return this.calls.filter((tool) => tool === 'charge').length;
  }
}

const engine = startedEngines();

describe('a call that could be undone and is cancelled while it is under way', () => {
  const cancelMidCall = async (bank: Bank, definition = charges()) => {
    const made = await engine({ definitions: [definition], fleet: bank.fleet });
    const runId = await made.start('charges');
    await eventually('the charge has taken effect', () => bank.charged === 1);
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    const types = () => made.eventTypes(runId);
    await eventually('the cancel is on record', async () =>
      (await types()).includes('WORKFLOW_EXECUTION_CANCEL_REQUESTED'),
    );
    return { made, runId, closed, types };
  };

  it('is awaited where it must not be repeated, and undone', async () => {
    const bank = new Bank();
    const { closed, types } = await cancelMidCall(bank);
    bank.answer(done({ charge: 1 }));
    expect(await closed).toBe('cancelled');
    expect(bank.calls).toEqual(['charge', 'refund']);
    expect(await types()).not.toContain('ACTIVITY_TASK_OUTCOME_UNKNOWN');
  });

  it('is not kept waiting by a question: that is withdrawn, and a later one is not asked', async () => {
    const bank = new Bank();
    const made = await engine({ definitions: [charges()], fleet: bank.fleet });
    const runId = await made.start('charges');
    await eventually('the charge is under way', () => bank.charged === 1);
    const withdrawn = expect(bank.ask()).rejects.toThrow();
    await eventually('the question is open', async () =>
      (await made.eventTypes(runId)).includes('ACTIVITY_TASK_INPUT_REQUIRED'),
    );
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    await withdrawn;
    await expect(bank.ask()).rejects.toThrow();
    bank.answer(done({ charge: 1 }));
    expect(await closed).toBe('cancelled');
    expect(bank.calls).toEqual(['charge', 'refund']);
  });

  it('whose server has made a task of it is asked to stop, and a person about what became of it', async () => {
    const bank = new Bank();
    const { types } = await cancelMidCall(bank);
    await bank.task({ taskId: 't1', pollIntervalMs: 1_000, ttlMs: null });
    await eventually('a person is asked', async () =>
      (await types()).includes('ACTIVITY_TASK_OUTCOME_UNKNOWN'),
    );
  });

  it('is over when its answer says that it had no effect', async () => {
    const bank = new Bank();
    const { closed } = await cancelMidCall(bank);
    bank.answer({
      ok: false,
      failure: { code: 'TOOL_ERROR', message: 'no money', retriable: true, ambiguous: false },
    });
    expect(await closed).toBe('cancelled');
    expect(bank.calls).toEqual(['charge']);
  });

  it('is not forgotten: its outcome is unknown, and undone when a person says that it took effect', async () => {
    const bank = new Bank();
    const { made, runId, closed, types } = await cancelMidCall(bank);
    bank.answer({
      ok: false,
      failure: { code: 'NETWORK_ERROR', message: 'gone', retriable: true, ambiguous: true },
    });
    await eventually('a person is asked', async () =>
      (await types()).includes('ACTIVITY_TASK_OUTCOME_UNKNOWN'),
    );
    await made.send(runId, 'OUTCOME_RESOLVED', {
      activityId: 'n:do',
      resolution: 'completed',
      output: { json: { charge: 1 } },
      by: 'tester',
    });
    expect(await closed).toBe('cancelled');
    expect(bank.calls).toEqual(['charge', 'refund']);
    expect(await types()).not.toContain('ACTIVITY_TASK_CANCELED');
  });

  it('is called again for its result where a repeat is safe, and undone', async () => {
    const bank = new Bank();
    bank.annotations = { idempotentHint: true };
    const { closed } = await cancelMidCall(bank);
    expect(await closed).toBe('cancelled');
    expect(bank.calls).toEqual(['charge', 'charge', 'refund']);
    expect(bank.keys.size).toBe(2);
  });

  it('is over when the repeated call says that it had no effect, and unknown when that is not reached either', async () => {
    const refusing = new Bank();
    refusing.annotations = { idempotentHint: true };
    refusing.again = {
      ok: false,
      failure: { code: 'TOOL_ERROR', message: 'no money', retriable: false, ambiguous: false },
    };
    expect(await (await cancelMidCall(refusing)).closed).toBe('cancelled');
    expect(refusing.calls).toEqual(['charge', 'charge']);

    const unreached = new Bank();
    unreached.annotations = { idempotentHint: true };
    unreached.again = {
      ok: false,
      failure: { code: 'NETWORK_ERROR', message: 'gone', retriable: true, ambiguous: false },
    };
    const { types } = await cancelMidCall(unreached);
    await eventually('a person is asked', async () =>
      (await types()).includes('ACTIVITY_TASK_OUTCOME_UNKNOWN'),
    );
  });

  it('is over at once where nothing could undo it', async () => {
    const bank = new Bank();
    bank.annotations = { idempotentHint: true };
    const { closed } = await cancelMidCall(bank, charges({ compensate: undefined }));
    expect(await closed).toBe('cancelled');
    expect(bank.calls).toEqual(['charge']);
  });

  it('is awaited when it is a function, and undone when it ends well all the same', async () => {
    const calls: string[] = [];
    let answer = (_output: number) => {};
    let asked = false;
    const made = await engine({
      definitions: [
        {
          schemaVersion: 1,
          name: 'charges',
          nodes: [{ id: 'n', kind: 'activity', activity: 'charge', compensate: { activity: 'refund' } }],
        },
      ],
      functions: {
        charge: (_input, { signal }) => {
          calls.push('charge');
          signal.addEventListener('abort', () => {
            asked = true;
          });
          return new Promise((resolve) => {
            answer = resolve;
          });
        },
        refund: () => calls.push('refund'),
      },
    });
    const runId = await made.start('charges');
    await eventually('the charge is under way', () => calls.length === 1);
    const closed = made.host.closed(runId);
    await made.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    await eventually('it is asked to stop', () => asked);
    answer(1);
    expect(await closed).toBe('cancelled');
    expect(calls).toEqual(['charge', 'refund']);
  });

  it('is called again for its result by the next owner of the run', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const execution = createMemoryExecutionStore(db);
    const bank = new Bank();
    bank.annotations = { idempotentHint: true };
    let alive = true;
    const leases = createMemoryLeaseStore(db);
    const common = { organizationId: randomUUID(), definitions: [charges()], fleet: bank.fleet };
    const first = await engine({
      ...common,
      // What comes after the request to stop is not written any more: the process ends there.
      execution: {
        ...execution,
        commit: async (owner, parts) => {
          if (!alive) return new Promise(() => {});
          const held = await execution.commit(owner, parts);
          alive = !parts.some((part) =>
            part.events.some(({ type }) => type.endsWith('TASK_CANCEL_REQUESTED')),
          );
          return held;
        },
      },
      // A dead process does not ask for shards again.
      leases: {
        ...leases,
        heartbeat: (...args) => (alive ? leases.heartbeat(...args) : Promise.reject(new Error('dead'))),
      },
    });
    const runId = await first.start('charges');
    await eventually('the charge has taken effect', () => bank.charged === 1);
    await first.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
    await eventually('the process is gone', () => !alive);
    first.host.leases.lose(first.host.leases.held());
    for (const row of db.shards.values()) Object.assign(row, { owner: 'nobody', leaseUntil: 0 });
    await engine({ ...common, execution, leases });
    await eventually('the run is over', () => db.runs.get(runId)?.status === 'cancelled');
    expect(bank.calls.at(-1)).toBe('refund');
    expect(bank.keys.size).toBe(2);
  });

  it.each([
    ['open', false],
    ['answered while the run was paused', true],
  ])(
    'does not keep the run open for ever when its process has ended, and its question is %s',
    async (_how, answered) => {
      const db = new MemoryDatabase(() => Date.now());
      const execution = createMemoryExecutionStore(db);
      const bank = new Bank();
      bank.annotations = { idempotentHint: true };
      let alive = true;
      const leases = createMemoryLeaseStore(db);
      const common = { organizationId: randomUUID(), definitions: [charges()], fleet: bank.fleet };
      const first = await engine({
        ...common,
        execution: {
          ...execution,
          commit: async (owner, parts) => {
            if (!alive) return new Promise(() => {});
            const held = await execution.commit(owner, parts);
            alive = !parts.some((part) =>
              part.events.some(({ type }) => type === 'ACTIVITY_TASK_INPUT_REQUIRED'),
            );
            return held;
          },
        },
        leases: {
          ...leases,
          heartbeat: (...args) => (alive ? leases.heartbeat(...args) : Promise.reject(new Error('dead'))),
        },
      });
      const runId = await first.start('charges');
      await eventually('the charge has taken effect', () => bank.charged === 1);
      bank.ask().catch(() => undefined);
      await eventually('the process is gone', () => !alive);
      first.host.leases.lose(first.host.leases.held());
      for (const row of db.shards.values()) Object.assign(row, { owner: 'nobody', leaseUntil: 0 });
      const second = await engine({ ...common, execution, leases });
      if (answered) {
        await second.send(runId, 'WORKFLOW_EXECUTION_PAUSED', { by: 'tester' });
        const answers = { q: { action: 'accept' as const, content: {} } };
        await second.send(runId, 'ACTIVITY_TASK_INPUT_PROVIDED', { activityId: 'n:do', answers, by: 'ada' });
      }
      await second.send(runId, 'WORKFLOW_EXECUTION_CANCEL_REQUESTED', { by: 'tester' });
      await eventually('the run is over', () => db.runs.get(runId)?.status === 'cancelled');
      expect(bank.calls).toEqual(['charge', 'charge', 'refund']);
      expect(bank.keys.size).toBe(2);
    },
  );
});
