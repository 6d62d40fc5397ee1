import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { InputRequired, ServerTask, ToolCall } from '@/server/ports/mcp-fleet';
import { listenWithTasks } from '../fixtures/mcp-servers/tasks-server.mjs';
import {
  afterTest,
  failureOf,
  fleetOf,
  http,
  ORGANIZATION,
  ROOT,
  stdio,
  textOf,
  toolCall,
  until,
} from './mcp-fleet-support';

const everything = join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');

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
    // Connects, so that the time of the next call is the task's.
    expect(textOf(await fleet.call(call('work')))).toBe('done after 3 polls');
    expect(failureOf(await fleet.call(call('forever', { timeoutMs: 400 })))).toMatchObject({
      code: 'TIMEOUT',
      ambiguous: true,
    });
    await until(() => server.state.cancelled.includes('task-2'));
    const controller = new AbortController();
    const outcome = fleet.call(
      call('forever', { signal: controller.signal, onTask: () => controller.abort() }),
    );
    expect(failureOf(await outcome)).toMatchObject({ code: 'CANCELLED', ambiguous: true });
    await until(() => server.state.cancelled.includes('task-3'));
  });

  it('survives that the server cannot be reached for a moment', async () => {
    const { server, fleet } = await setUp();
    server.state.unreachable = 1;
    expect(textOf(await fleet.call(call('work')))).toBe('done after 3 polls');
  });

  it('is asked about at once when the server has news of it, and not listened to any longer than it lasts', async () => {
    const { server, fleet } = await setUp();
    const outcome = fleet.call(call('rare'));
    await until(() => server.listeners() === 1);
    expect(server.state.polls).toBe(0);
    server.finish('task-1');
    expect(textOf(await outcome)).toBe('done');
    expect(server.state.polls).toBe(1);
    await until(() => server.listeners() === 0);
  });

  it('that its server has forgotten leaves an unknown outcome, and is not called again by itself', async () => {
    const { server, fleet } = await setUp();
    const outcome = fleet.call(call('forever', { onTask: () => server.forget() }));
    expect(failureOf(await outcome)).toMatchObject({ code: 'TASK_LOST', ambiguous: true, retriable: true });
    const input: InputRequired = { requests: [], durable: true, taskId: 'task-9' };
    const resumed = await fleet.call(call('forever', { resume: { input, answers: {} } }));
    expect(failureOf(resumed)).toMatchObject({ code: 'TASK_LOST', ambiguous: true });
    expect(server.state.calls).toEqual(['forever']);
  });

  it('is given up at the server when nobody follows it just now', async () => {
    const { server, fleet } = await setUp();
    expect(failureOf(await fleet.call(call('approve'))).code).toBe('INPUT_REQUIRED');
    await fleet.cancelTask(ORGANIZATION, 't', 'task-1');
    expect(server.state.cancelled).toEqual(['task-1']);
    await fleet.cancelTask(ORGANIZATION, 'nobody', 'task-1');
  });
});

describe('a tool of 2025-11-25 that can only be called as a task', () => {
  const research = (extra: Partial<ToolCall> = {}) =>
    toolCall(
      'e',
      'simulate-research-query',
      { topic: 'python', ambiguous: true },
      { timeoutMs: 20_000, ...extra },
    );

  it('is followed, its questions are put to its caller while others call beside, and its state is progress', async () => {
    const fleet = fleetOf({ e: stdio([everything, 'stdio']) });
    const messages: Array<string | undefined> = [];
    const asked: InputRequired[] = [];
    const tasks: ServerTask[] = [];
    const outcome = fleet.call(
      research({
        onTask: (task) => void tasks.push(task),
        onProgress: ({ message }) => messages.push(message),
        onInputRequired: async (input) => {
          asked.push(input);
          // A second call is in flight: the question says which task it belongs to.
          const long = toolCall('e', 'trigger-long-running-operation', { duration: 0.2, steps: 1 });
          expect(textOf(await fleet.call(long))).toContain('completed');
          return {
            [input.requests[0]?.key ?? '']: { action: 'accept', content: { interpretation: 'snake' } },
          };
        },
      }),
    );
    expect(textOf(await outcome)).toContain('snake');
    expect(asked).toMatchObject([{ durable: false, taskId: tasks[0]?.taskId, requests: [{ kind: 'form' }] }]);
    // How many of the states in between are seen depends on when the server is asked.
    expect(messages.length).toBeGreaterThan(1);
    expect(messages.at(-1)).toBe('Generating report...');
  });

  it('is cancelled at the server with its call', async () => {
    const fleet = fleetOf({ e: stdio([everything, 'stdio']) });
    const controller = new AbortController();
    const outcome = fleet.call(research({ signal: controller.signal, onTask: () => controller.abort() }));
    expect(failureOf(await outcome)).toMatchObject({ code: 'CANCELLED', ambiguous: true });
    // The server is well: it answers another call.
    expect(textOf(await fleet.call(toolCall('e', 'echo', { message: 'hi' })))).toContain('hi');
  });
});
