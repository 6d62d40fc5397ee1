import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenWithTasks } from '../fixtures/mcp-servers/tasks-server.mjs';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

const root = resolve(import.meta.dirname, '../..');
const fixture = (name: string) => join(root, 'tests/fixtures/mcp-servers', name);
const reference = (name: string) =>
  join(root, `node_modules/@modelcontextprotocol/server-${name}/dist/index.js`);
const node = (...args: string[]) => ({ type: 'stdio', command: 'node', args });

interface Step {
  server: string;
  tool: string;
  arguments?: object;
  idempotent?: boolean;
}

/** What servers ask in the middle of calls, and long calls, across kill -9 of the process that makes them. */
describe('a call that is not over when the process dies', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let tasks: Awaited<ReturnType<typeof listenWithTasks>>;
  const launch = (dataDir?: string) =>
    EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_NETWORKS: 'public,loopback', OPENCONDUCTOR_PROBE_INTERVAL_MS: '0' },
      ...(dataDir === undefined ? {} : { dataDir }),
    });
  const killAndRestart = async () => {
    await engine.end('SIGKILL');
    engine = await launch(engine.dataDir);
  };
  const ask = (method: string, path: string, body?: unknown) =>
    engine.request(method, `/api/v1${path}`, body);

  beforeAll(async () => {
    database = await createTestDatabase();
    tasks = await listenWithTasks();
    engine = await launch();
    const files = join(engine.dataDir, 'files');
    await mkdir(files, { recursive: true });
    const everything = node(reference('everything'), 'stdio');
    const servers = {
      modern: node(fixture('modern-server.mjs'), 'stdio'),
      everything: { ...everything, sampling: 'ask' },
      asking: node(fixture('asking-server.mjs')),
      tasks: { type: 'streamable-http', url: tasks.url },
      filesystem: { ...node(reference('filesystem'), files), cwd: files },
      memory: {
        ...node(reference('memory')),
        env: { MEMORY_FILE_PATH: join(engine.dataDir, 'memory.jsonl') },
        concurrency: 1,
      },
      thinking: node(reference('sequential-thinking')),
    };
    for (const [name, config] of Object.entries(servers))
      expect(await ask('POST', '/servers', { name, config }), name).toMatchObject({ status: 201 });
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await tasks.close();
    await database.drop();
  });

  const start = async (name: string, steps: Step[], input: object = {}): Promise<string> => {
    const nodes = steps.map((step, i) => ({ id: `s${i}`, kind: 'mcp-server', timeout: '60s', ...step }));
    const edges = steps.slice(1).map((_, i) => ({ from: `s${i}`, to: `s${i + 1}` }));
    const published = await ask('POST', '/workflows', { schemaVersion: 1, name, nodes, edges });
    expect([200, 201], JSON.stringify(published.body)).toContain(published.status);
    const { status, body } = await ask('POST', '/runs', { workflow: name, input });
    expect(status, JSON.stringify(body)).toBe(201);
    return body.runId;
  };
  const detailOf = async (runId: string) => (await ask('GET', `/runs/${runId}`)).body;
  const typesOf = async (runId: string): Promise<string[]> =>
    (await ask('GET', `/runs/${runId}/events`)).body.items.map((event: { type: string }) => event.type);
  const status = (runId: string, wanted: string, at = 0) =>
    eventually(`${wanted} of ${runId}`, async () => {
      const detail = await detailOf(runId);
      return detail.nodes[at]?.status === wanted ? detail : null;
    });
  const closed = (runId: string) =>
    eventually(`the end of ${runId}`, async () => {
      const detail = await detailOf(runId);
      return detail.closedAt === null ? null : detail;
    });
  const taskOf = async (runId: string) => {
    const { items } = (await ask('GET', '/tasks?kind=input')).body;
    return items.find((task: { runId: string }) => task.runId === runId);
  };
  const answer = (runId: string, body: object) => ask('POST', `/runs/${runId}/input`, body);

  it('2026-07-28: the question waits over a crash, and the call goes on with its answer', async () => {
    const runId = await start('deploys', [{ server: 'modern', tool: 'deploy', arguments: { env: 'prod' } }]);
    await status(runId, 'waiting');
    await killAndRestart();
    await status(runId, 'waiting');
    expect(await taskOf(runId)).toMatchObject({
      kind: 'input',
      server: 'modern',
      tool: 'deploy',
      requests: [{ key: 'confirm', kind: 'form', message: 'Deploy to prod?' }],
    });
    const wrong = await answer(runId, { answer: { action: 'accept', content: { confirm: 'perhaps' } } });
    expect(wrong).toMatchObject({
      status: 400,
      body: { code: 'INVALID_INPUT', path: '/answers/confirm/content/confirm' },
    });
    const stranger = await answer(runId, { answers: { other: { action: 'decline' } } });
    expect(stranger.body.code).toBe('INVALID_INPUT');
    expect((await answer(runId, { answer: { action: 'accept', content: { confirm: true } } })).status).toBe(
      202,
    );
    const detail = await closed(runId);
    expect(detail).toMatchObject({ status: 'completed' });
    expect(detail.nodes[0].output.text).toBe('deployed prod with state-of-prod');
    expect((await answer(runId, { answer: { action: 'decline' } })).body.code).toBe('RUN_CLOSED');
    expect((await typesOf(runId)).filter((type) => type.startsWith('ACTIVITY_TASK_'))).toEqual([
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_INPUT_REQUIRED',
      'ACTIVITY_TASK_INPUT_PROVIDED',
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_STARTED',
      'ACTIVITY_TASK_COMPLETED',
    ]);
    expect(await taskOf(runId)).toBeUndefined();
  });

  const form = { name: 'Ada', check: true, email: 'ada@example.com' };
  const elicit = (idempotent: boolean): Step => ({
    server: 'everything',
    tool: 'trigger-elicitation-request',
    idempotent,
  });

  it('2025: the answer goes into the open call', async () => {
    const runId = await start('elicits', [elicit(true)]);
    await status(runId, 'waiting');
    expect((await answer(runId, { answer: { action: 'accept', content: form } })).status).toBe(202);
    const detail = await closed(runId);
    expect(detail.nodes[0].output.text).toContain('Ada');
    expect(await typesOf(runId)).not.toContain('ACTIVITY_TASK_STARTED');
  });

  it('2025: after a crash the answer is kept and the call, which may be repeated, made again', async () => {
    const runId = await start('elicits', [elicit(true)]);
    await status(runId, 'waiting');
    await killAndRestart();
    await status(runId, 'waiting');
    await answer(runId, { answer: { action: 'accept', content: form } });
    const detail = await closed(runId);
    expect(detail).toMatchObject({ status: 'completed' });
    expect(detail.nodes[0].output.text).toContain('Ada');
    // Asked once: the repeated call was answered from what was kept.
    expect((await typesOf(runId)).filter((type) => type === 'ACTIVITY_TASK_INPUT_REQUIRED')).toHaveLength(1);
  });

  it('2025: after a crash a call that must not be repeated has an unknown outcome; a retry uses the answer', async () => {
    const runId = await start('elicits-unsafe', [elicit(false)]);
    await status(runId, 'waiting');
    await killAndRestart();
    await answer(runId, { answer: { action: 'accept', content: form } });
    await status(runId, 'unknown_outcome');
    expect((await ask('POST', `/runs/${runId}/resolve`, { resolution: 'retry' })).status).toBe(202);
    const detail = await closed(runId);
    expect(detail.nodes[0].output.text).toContain('Ada');
    expect((await typesOf(runId)).filter((type) => type === 'ACTIVITY_TASK_INPUT_REQUIRED')).toHaveLength(1);
  });

  it('2025: several questions of one call are each answered once, whenever the process dies in between', async () => {
    const asked = async (runId: string, message: string) =>
      eventually(`"${message}" of ${runId}`, async () => {
        const task = await taskOf(runId);
        return task?.requests[0]?.message === message ? task : null;
      });
    const say = async (runId: string, content: object) =>
      expect((await answer(runId, { answer: { action: 'accept', content } })).status).toBe(202);
    const runId = await start('books', [{ server: 'asking', tool: 'book' }]);
    await asked(runId, 'Where to?');
    await say(runId, { where: 'Delft' });
    await asked(runId, 'Sure?');
    await killAndRestart();
    await say(runId, { sure: 'yes' });
    // The call is made again and is given both answers; the question in the same words is a third one.
    await eventually('the third question', async () => {
      const types = await typesOf(runId);
      return types.filter((type) => type === 'ACTIVITY_TASK_INPUT_REQUIRED').length === 3;
    });
    await killAndRestart();
    await say(runId, { sure: 'really' });
    expect((await closed(runId)).nodes[0].output.text).toBe('Delft: yes, really');
    const types = await typesOf(runId);
    expect(types.filter((type) => type === 'ACTIVITY_TASK_INPUT_REQUIRED')).toHaveLength(3);

    const both = await start('journeys', [{ server: 'asking', tool: 'journey' }]);
    await asked(both, 'From?');
    await say(both, { from: 'Delft' });
    await asked(both, 'To?');
    await killAndRestart();
    await say(both, { to: 'Leiden' });
    expect((await closed(both)).nodes[0].output.text).toBe('Delft to Leiden');
  });

  it('a task whose question waits is given up at the server when its run is cancelled', async () => {
    const runId = await start('gives-up', [{ server: 'tasks', tool: 'approve' }]);
    await status(runId, 'waiting');
    expect((await ask('POST', `/runs/${runId}/cancel`, { reason: 'no longer wanted' })).status).toBe(202);
    expect((await closed(runId)).status).toBe('cancelled');
    await eventually('tasks/cancel', () => tasks.state.cancelled.length === 1);
    tasks.state.calls.length = 0;
  });

  it('sampling is answered by a person, over a crash', async () => {
    const step = {
      server: 'everything',
      tool: 'trigger-sampling-request',
      arguments: { prompt: 'Hi' },
      idempotent: true,
    };
    const runId = await start('samples', [step]);
    await status(runId, 'waiting');
    await killAndRestart();
    expect((await taskOf(runId)).requests[0]).toMatchObject({ kind: 'sampling' });
    const result = {
      role: 'assistant',
      model: 'a person',
      content: { type: 'text', text: 'Good day to you.' },
    };
    expect((await answer(runId, { answer: { action: 'accept' } })).body.code).toBe('INVALID_INPUT');
    expect((await answer(runId, { answer: { action: 'result', result } })).status).toBe(202);
    expect((await closed(runId)).nodes[0].output.text).toContain('Good day to you.');
  });

  it('a long call with progress is made again after a crash', async () => {
    const args = { duration: 3, steps: 10 };
    const runId = await start('long', [
      { server: 'everything', tool: 'trigger-long-running-operation', arguments: args },
    ]);
    await eventually('the child to run', async () =>
      (await ask('GET', '/servers')).body.items.some(
        (server: { name: string; calls: number; status: string }) =>
          server.name === 'everything' && server.status === 'connected',
      ),
    );
    await killAndRestart();
    const detail = await closed(runId);
    expect(detail).toMatchObject({ status: 'completed' });
    expect(detail.nodes[0].output.text).toContain('Long running operation completed');
  });

  it('a task of the server is followed by the next process; the call is not made again', async () => {
    const runId = await start('works', [{ server: 'tasks', tool: 'approve' }]);
    await status(runId, 'waiting');
    expect(await typesOf(runId)).toContain('ACTIVITY_TASK_REMOTE_TASK');
    await killAndRestart();
    const { requests } = await taskOf(runId);
    const content = Object.fromEntries(
      Object.entries((requests[0].schema.properties ?? {}) as Record<string, { type: string }>).map(
        ([name, field]) => [name, field.type === 'boolean' ? true : 'yes'],
      ),
    );
    expect((await answer(runId, { answer: { action: 'accept', content } })).status).toBe(202);
    expect(await closed(runId)).toMatchObject({ status: 'completed' });

    const second = await start('works-on', [{ server: 'tasks', tool: 'work' }]);
    await eventually('the task', async () => (await typesOf(second)).includes('ACTIVITY_TASK_REMOTE_TASK'));
    await killAndRestart();
    expect(await closed(second)).toMatchObject({ status: 'completed' });
    expect(tasks.state.calls).toEqual(['approve', 'work']);
  });

  it('all reference servers, driven through one definition, survive a kill in the middle', async () => {
    const name = "${'note-' + string(input.n) + '.txt'}";
    const file = join(engine.dataDir, 'files');
    const steps: Step[] = [
      {
        server: 'filesystem',
        tool: 'write_file',
        arguments: { path: name, content: "${'text ' + string(input.n)}" },
        idempotent: true,
      },
      { server: 'filesystem', tool: 'read_text_file', arguments: { path: name } },
      {
        server: 'memory',
        tool: 'create_entities',
        arguments: { entities: [{ name, entityType: 'note', observations: ['${s1.output.text}'] }] },
        idempotent: true,
      },
      {
        server: 'thinking',
        tool: 'sequentialthinking',
        arguments: {
          thought: '${s1.output.text}',
          nextThoughtNeeded: false,
          thoughtNumber: 1,
          totalThoughts: 1,
        },
        idempotent: true,
      },
      { server: 'everything', tool: 'get-sum', arguments: { a: '${input.n}', b: 1 }, idempotent: true },
    ];
    const runs = [await start('tour', steps, { n: 0 })];
    for (let n = 1; n < 12; n++)
      runs.push((await ask('POST', '/runs', { workflow: 'tour', input: { n } })).body.runId);
    await eventually('some steps', async () => {
      const all = await Promise.all(runs.slice(0, 3).map(typesOf));
      return all.flat().filter((type) => type === 'ACTIVITY_TASK_COMPLETED').length >= 3;
    });
    await killAndRestart();
    for (const [n, runId] of runs.entries()) {
      const detail = await closed(runId);
      expect(detail.status, JSON.stringify(detail.failure)).toBe('completed');
      expect(detail.nodes[4].output.text).toContain(String(n + 1));
      expect(await readFile(join(file, `note-${n}.txt`), 'utf8')).toBe(`text ${n}`);
    }
  });
});
