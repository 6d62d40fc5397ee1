import { describe, expect, it } from 'vitest';
import type { InputRequired, ServerTask, ToolCall } from '@/server/ports/mcp-fleet';
import { listenWithTasks } from '../fixtures/mcp-servers/tasks-server.mjs';
import { afterTest, failureOf, fleetOf, http, textOf, toolCall, until } from './mcp-fleet-support';

async function setUp() {
  const server = await listenWithTasks();
  afterTest(() => server.close());
  return { server, fleet: fleetOf({ t: http(server.url) }) };
}

const call = (tool: string, extra: Partial<ToolCall> = {}) => toolCall('t', tool, {}, extra);

describe('a call that its server makes a task of', () => {
  it('is followed to its end, with its state as progress', async () => {
    const { server, fleet } = await setUp();
    const tasks: ServerTask[] = [];
    const messages: Array<string | undefined> = [];
    const outcome = await fleet.call(
      call('work', {
        onTask: (task) => void tasks.push(task),
        onProgress: ({ message }) => messages.push(message),
      }),
    );
    expect(textOf(outcome)).toBe('done after 3 polls');
    expect(tasks).toEqual([{ taskId: 'task-1', pollIntervalMs: 60, ttlMs: 60_000 }]);
    expect(messages).toEqual(['poll 1', 'poll 2']);
    expect(server.state.calls).toEqual(['work']);
  });

  it('is taken up by another process without being called again', async () => {
    const { server, fleet } = await setUp();
    let taskId = '';
    const crash = new AbortController();
    const lost = fleet.call(
      call('work', {
        // Stands for the crash: nothing of this call goes on afterwards.
        onTask: (task) => {
          taskId = task.taskId;
          return new Promise(() => undefined);
        },
        signal: crash.signal,
      }),
    );
    await until(() => taskId !== '');
    void lost;
    const other = fleetOf({ t: http(server.url) });
    const input: InputRequired = { requests: [], durable: true, taskId };
    expect(textOf(await other.call(call('work', { resume: { input, answers: {} } })))).toBe(
      'done after 3 polls',
    );
    expect(server.state.calls).toEqual(['work']);
  });

  it('passes on what the task asks, or parks with it', async () => {
    const { fleet } = await setUp();
    const rounds: InputRequired[] = [];
    const onInputRequired: ToolCall['onInputRequired'] = async (input) => {
      rounds.push(input);
      return { confirm: { action: 'accept', content: { yes: true } } };
    };
    expect(textOf(await fleet.call(call('approve', { onInputRequired })))).toBe(
      '{"action":"accept","content":{"yes":true}}',
    );
    expect(rounds).toMatchObject([
      { durable: true, taskId: 'task-1', requests: [{ key: 'confirm', kind: 'form', message: 'Sure?' }] },
    ]);
    const parked = failureOf(await fleet.call(call('approve')));
    expect(parked).toMatchObject({ code: 'INPUT_REQUIRED', inputRequired: { taskId: 'task-2' } });
    const input = parked.inputRequired as InputRequired;
    const resume = { input, answers: { confirm: { action: 'decline' } } } as const;
    expect(textOf(await fleet.call(call('approve', { resume })))).toBe('{"action":"decline"}');
  });

  it('that fails is a failure of the tool', async () => {
    const { fleet } = await setUp();
    const failure = failureOf(await fleet.call(call('fail')));
    expect(failure).toMatchObject({ code: 'TOOL_ERROR', ambiguous: false });
    expect(failure.message).toContain('the disk is full');
  });

  it('is cancelled at the server when the call is out of time or cancelled', async () => {
    const { server, fleet } = await setUp();
    expect(failureOf(await fleet.call(call('forever', { timeoutMs: 400 })))).toMatchObject({
      code: 'TIMEOUT',
      ambiguous: true,
    });
    await until(() => server.state.cancelled.includes('task-1'));
    const controller = new AbortController();
    const outcome = fleet.call(
      call('forever', { signal: controller.signal, onTask: () => controller.abort() }),
    );
    expect(failureOf(await outcome)).toMatchObject({ code: 'CANCELLED', ambiguous: true });
    await until(() => server.state.cancelled.includes('task-2'));
  });

  it('survives that the server cannot be reached for a moment', async () => {
    const { server, fleet } = await setUp();
    server.state.unreachable = 1;
    expect(textOf(await fleet.call(call('work')))).toBe('done after 3 polls');
  });
});
