import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenAsModels } from '../fixtures/model-endpoints.mjs';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

const root = resolve(import.meta.dirname, '../..');
const hold = join(root, 'tests/fixtures/mcp-servers/hold.mjs');
const script = (name: string) =>
  join(root, `node_modules/@modelcontextprotocol/server-${name}/dist/index.js`);

type Output = { text: string; json?: unknown; structuredContent?: unknown; content: Array<{ type: string }> };
type Resolution = 'retry' | 'completed' | 'failed';

/** One tool as a step. Arguments are made anew for each run of it, numbered from 0. */
interface Case {
  server: string;
  tool: string;
  args?: (n: number) => object;
  /** What the output must be, of a repeated call too. */
  check: (output: Output, n: number) => void;
  /** What a repetition leads to when the call has taken effect already. */
  repeated?: 'completed' | 'failed';
}

const TOPIC = 'tea';
const REFERENCE = ['everything', 'filesystem', 'memory', 'sequential-thinking'];
/** These ask something in the middle or go on for a while: they have tests of their own below. */
const ELSEWHERE = [
  'everything/trigger-long-running-operation',
  'everything/trigger-elicitation-request',
  'everything/trigger-url-elicitation',
  'everything/trigger-sampling-request',
  'everything/simulate-research-query',
];

function cases(files: string): Case[] {
  const says = (part: string | ((n: number) => string)) => (output: Output, n: number) =>
    expect(output.text).toContain(typeof part === 'string' ? part : part(n));
  const file = (name: string) => join(files, name);
  const everything = (tool: string, args: object, check: Case['check']): Case => ({
    server: 'everything',
    tool,
    args: () => args,
    check,
  });
  const disk = (tool: string, args: (n: number) => object, check: Case['check']): Case => ({
    server: 'filesystem',
    tool,
    args,
    check,
  });
  const memory = (tool: string, args: (n: number) => object, check: Case['check']): Case => ({
    server: 'memory',
    tool,
    args,
    check,
  });
  return [
    everything('echo', { message: 'hello' }, says('hello')),
    everything('get-annotated-message', { messageType: 'error' }, says('Error')),
    everything('get-env', {}, (output) => expect(output.json).toMatchObject({ WHO: 'reference' })),
    everything('get-resource-links', { count: 2 }, (output) =>
      expect(output.content.filter(({ type }) => type === 'resource_link')).toHaveLength(2),
    ),
    everything('get-resource-reference', { resourceType: 'Text', resourceId: 1 }, (output) =>
      expect(output.content.map(({ type }) => type)).toContain('resource'),
    ),
    everything('get-structured-content', { location: 'Chicago' }, (output) =>
      expect(output.structuredContent).toMatchObject({ temperature: expect.any(Number) }),
    ),
    everything('get-sum', { a: 2, b: 40 }, says('42')),
    everything('get-tiny-image', {}, (output) =>
      expect(output.content.map(({ type }) => type)).toContain('image'),
    ),
    everything(
      'gzip-file-as-resource',
      { name: 'a.gz', data: 'data:text/plain,hello', outputType: 'resource' },
      (output) => expect(output.content.map(({ type }) => type)).toContain('resource'),
    ),
    everything('get-roots-list', {}, says('file:///data')),
    everything('toggle-simulated-logging', {}, says('simulated')),
    everything('toggle-subscriber-updates', {}, says('simulated')),

    disk('read_file', () => ({ path: file('read.txt') }), says('first line')),
    disk('read_text_file', () => ({ path: file('read.txt'), head: 1 }), says('first line')),
    disk(
      'read_media_file',
      () => ({ path: file('dot.png') }),
      (output) => expect(output.content.map(({ type }) => type)).toContain('image'),
    ),
    disk('read_multiple_files', () => ({ paths: [file('read.txt')] }), says('first line')),
    disk(
      'write_file',
      (n) => ({ path: file(`written-${n}.txt`), content: `text ${n}` }),
      (_output, n) => expect(readFileSync(file(`written-${n}.txt`), 'utf8')).toBe(`text ${n}`),
    ),
    disk(
      'edit_file',
      (n) => ({ path: file(`edit-${n}.txt`), edits: [{ oldText: 'old', newText: 'old and new' }] }),
      says('old and new'),
    ),
    disk(
      'create_directory',
      (n) => ({ path: file(`made-${n}`) }),
      (_output, n) => expect(existsSync(file(`made-${n}`))).toBe(true),
    ),
    disk('list_directory', () => ({ path: file('tree') }), says('leaf.txt')),
    disk('list_directory_with_sizes', () => ({ path: file('tree') }), says('leaf.txt')),
    disk('directory_tree', () => ({ path: file('tree') }), says('leaf.txt')),
    {
      ...disk(
        'move_file',
        (n) => ({ source: file(`from-${n}.txt`), destination: file(`to-${n}.txt`) }),
        says(''),
      ),
      // The first call has moved the file away.
      repeated: 'failed',
    },
    disk('search_files', () => ({ path: files, pattern: '**/leaf*' }), says('leaf.txt')),
    disk('get_file_info', () => ({ path: file('read.txt') }), says('size')),
    disk('list_allowed_directories', () => ({}), says(files)),

    memory(
      'create_entities',
      (n) => ({ entities: [{ name: `new-${n}`, entityType: 'thing', observations: [] }] }),
      says(''),
    ),
    memory(
      'create_relations',
      (n) => ({ relations: [{ from: 'ada', to: 'loom', relationType: `knows-${n}` }] }),
      says(''),
    ),
    memory(
      'add_observations',
      (n) => ({ observations: [{ entityName: 'ada', contents: [`saw ${n}`] }] }),
      says('ada'),
    ),
    memory('delete_entities', () => ({ entityNames: ['gone'] }), says('deleted')),
    memory(
      'delete_observations',
      () => ({ deletions: [{ entityName: 'ada', observations: ['is old'] }] }),
      says('deleted'),
    ),
    memory(
      'delete_relations',
      () => ({ relations: [{ from: 'ada', to: 'loom', relationType: 'left' }] }),
      says('deleted'),
    ),
    memory('read_graph', () => ({}), says('ada')),
    memory('search_nodes', () => ({ query: 'ada' }), says('ada')),
    memory('open_nodes', () => ({ names: ['ada'] }), says('ada')),

    {
      server: 'sequential-thinking',
      tool: 'sequentialthinking',
      args: () => ({ thought: 'so', nextThoughtNeeded: false, thoughtNumber: 1, totalThoughts: 1 }),
      check: (output) => expect(output.json).toMatchObject({ thoughtNumber: 1 }),
    },
  ];
}

/**
 * Every tool of the bundled reference servers as a step, in a real process on a real database that is killed in the middle
 * of each call: the server has answered, and the answer is kept back from the process that dies. A new version of a server
 * with a tool that is not here fails the first test.
 */
describe('the reference servers, killed in the middle of each call', () => {
  let database: TestDatabase;
  let models: Awaited<ReturnType<typeof listenAsModels>>;
  let engine: EngineProcess;
  let folder = '';
  let all: Case[] = [];
  const tools = new Map<string, { readOnlyHint?: boolean; idempotentHint?: boolean }>();

  const path = (name: string) => join(folder, name);
  const launch = async (env: Record<string, string> = {}, concurrency = 64) => {
    const server = (name: string, args: string[] = [], more: object = {}, environment: object = {}) => ({
      command: 'node',
      args: ['--import', hold, script(name), ...args],
      env: { JOURNAL_FILE: path('journal'), HOLD_FILE: path('hold'), ...environment },
      concurrency,
      ...more,
    });
    const everything = (more: object = {}) => server('everything', ['stdio'], more, { WHO: 'reference' });
    const files = path('files');
    return EngineProcess.start({
      databaseUrl: database.adminUrl,
      dataDir: join(folder, 'data'),
      env: { OPENCONDUCTOR_PROBE_INTERVAL_MS: '0', ...env },
      servers: {
        everything: everything({ roots: ['file:///data'] }),
        forms: everything(),
        pages: everything(),
        models: everything({ sampling: 'ask' }),
        endpoint: everything({ sampling: 'endpoint' }),
        refusing: everything({ elicitation: 'refuse' }),
        research: everything(),
        filesystem: server('filesystem', [files], { cwd: files }),
        memory: server('memory', [], {}, { MEMORY_FILE_PATH: path('graph.jsonl') }),
        'sequential-thinking': server('sequential-thinking'),
      },
    });
  };
  const killAndRestart = async (env: Record<string, string> = {}, concurrency?: number) => {
    await engine.end('SIGKILL');
    engine = await launch(env, concurrency);
  };
  const ask = (method: string, at: string, body?: unknown) => engine.request(method, `/api/v1${at}`, body);

  beforeAll(async () => {
    database = await createTestDatabase();
    models = await listenAsModels();
    folder = await mkdtemp(join(tmpdir(), 'oc-reference-'));
    const files = path('files');
    await mkdir(join(files, 'tree'), { recursive: true });
    await writeFile(join(files, 'tree/leaf.txt'), 'leaf');
    await writeFile(join(files, 'read.txt'), 'first line\nsecond line\n');
    await writeFile(join(files, 'dot.png'), Buffer.from('iVBORw0KGgo=', 'base64'));
    for (let n = 0; n < 3; n++) {
      await writeFile(join(files, `edit-${n}.txt`), 'old\n');
      await writeFile(join(files, `from-${n}.txt`), 'moved\n');
    }
    const entity = (name: string, observations: string[]) => ({
      type: 'entity',
      name,
      entityType: 'person',
      observations,
    });
    const relation = { type: 'relation', from: 'ada', to: 'loom', relationType: 'left' };
    const graph = [entity('ada', ['is old']), entity('loom', []), entity('gone', []), relation];
    await writeFile(path('graph.jsonl'), graph.map((line) => JSON.stringify(line)).join('\n'));
    await writeFile(path('journal'), '');
    all = cases(files);
    engine = await launch();
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await models.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const publish = async (name: string, step: object) => {
    const nodes = [{ id: 'call', kind: 'mcp-server', timeout: '60s', ...step }];
    const { status, body } = await ask('POST', '/workflows', { schemaVersion: 1, name, nodes });
    expect(status, JSON.stringify(body)).toBe(201);
  };
  const start = async (workflow: string, input: object = {}): Promise<string> => {
    const { status, body } = await ask('POST', '/runs', { workflow, input });
    expect(status, JSON.stringify(body)).toBe(201);
    return body.runId;
  };
  const detailOf = async (runId: string) => (await ask('GET', `/runs/${runId}`)).body;
  const typesOf = async (runId: string): Promise<string[]> =>
    (await ask('GET', `/runs/${runId}/events`)).body.items.map((event: { type: string }) => event.type);
  const node = (runId: string, wanted: string) =>
    eventually(`${wanted} of ${runId}`, async () => {
      const detail = await detailOf(runId);
      const [call] = detail.nodes;
      if (detail.closedAt !== null && call?.status !== wanted)
        throw new Error(`${runId} ended as ${call?.status}: ${JSON.stringify(call?.failure)}`);
      return call?.status === wanted ? call : null;
    });
  const closed = (runId: string) =>
    eventually(`the end of ${runId}`, async () => {
      const detail = await detailOf(runId);
      return detail.closedAt === null ? null : detail;
    });
  const journal = async (): Promise<Array<{ event: string; tool: string; key: string }>> =>
    (await readFile(path('journal'), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const events = async (runId: string, event: string) =>
    (await journal()).filter((entry) => entry.key.startsWith(runId) && entry.event === event);
  const answer = async (runId: string, given: object) =>
    expect((await ask('POST', `/runs/${runId}/input`, { answer: given })).status).toBe(202);
  const resolveAs = async (runId: string, resolution: Resolution) => {
    const output = resolution === 'completed' ? { output: { text: 'seen to' } } : {};
    expect((await ask('POST', `/runs/${runId}/resolve`, { resolution, ...output })).status).toBe(202);
    return closed(runId);
  };

  it('every tool is covered', async () => {
    const covered = new Set([...all.map(({ server, tool }) => `${server}/${tool}`), ...ELSEWHERE]);
    const listed: string[] = [];
    for (const server of REFERENCE) {
      // Of `everything`, some tools are offered only to clients that can answer what they ask.
      for (const from of server === 'everything' ? [server, 'models'] : [server]) {
        const { status, body } = await ask('GET', `/servers/${from}`);
        expect(status, JSON.stringify(body)).toBe(200);
        for (const { name, annotations } of body.toolList) {
          listed.push(`${server}/${name}`);
          tools.set(`${server}/${name}`, annotations);
        }
      }
    }
    expect([...new Set(listed)].sort()).toEqual([...covered].sort());
  });

  it('what may be repeated completes under the same key; the rest waits for a person, who can say all three things', async () => {
    const isSafe = ({ server, tool }: Case) => {
      const { readOnlyHint, idempotentHint } = tools.get(`${server}/${tool}`) ?? {};
      return readOnlyHint === true || idempotentHint === true;
    };
    const resolutions: Resolution[] = ['retry', 'completed', 'failed'];
    const runs: Array<{ runId: string; of: Case; n: number }> = [];
    await writeFile(path('hold'), '');
    for (const of of all) {
      const { server, tool, args = () => ({}) } = of;
      for (let n = 0; n < (isSafe(of) ? 1 : resolutions.length); n++) {
        await publish(`${server}-${tool}-${n}`, { server, tool, arguments: args(n) });
        const runId = await start(`${server}-${tool}-${n}`);
        runs.push({ runId, of, n });
        // The memory server writes its whole file at each change: one after the other.
        if (server === 'memory')
          await eventually(`the answer to ${tool}`, async () => (await events(runId, 'held')).length > 0);
      }
    }
    await eventually('every answer', async () => {
      const held = (await journal()).filter(({ event }) => event === 'held');
      return held.length === runs.length;
    });
    await rm(path('hold'));
    await killAndRestart({}, 1);

    for (const { runId, of, n } of runs) {
      const label = `${of.server}/${of.tool} ${n}`;
      const key = `${runId}:call:do`;
      const called = async () => (await events(runId, 'called')).map((entry) => entry.key);
      if (isSafe(of)) {
        const detail = await closed(runId);
        expect(detail.status, `${label}: ${JSON.stringify(detail.failure)}`).toBe('completed');
        of.check(detail.nodes[0].output, n);
        expect(await called(), label).toEqual([key, key]);
        continue;
      }
      await node(runId, 'unknown_outcome');
      expect(await called(), label).toEqual([key]);
      expect(await typesOf(runId), label).toEqual(
        expect.arrayContaining(['ACTIVITY_TASK_STARTED', 'ACTIVITY_TASK_OUTCOME_UNKNOWN']),
      );
      const resolution = resolutions[n] as Resolution;
      const detail = await resolveAs(runId, resolution);
      if (resolution === 'retry') {
        expect(detail.status, `${label}: ${JSON.stringify(detail.failure)}`).toBe(of.repeated ?? 'completed');
        if (detail.status === 'completed') of.check(detail.nodes[0].output, n);
        expect(await called(), label).toEqual([key, key]);
      } else if (resolution === 'completed') {
        expect(detail, label).toMatchObject({
          status: 'completed',
          nodes: [{ output: { text: 'seen to' } }],
        });
      } else {
        expect(detail, label).toMatchObject({ status: 'failed', failure: { code: 'UNKNOWN_OUTCOME' } });
      }
    }
    // What must not be repeated took effect once (completed, failed) or as often as somebody said (retry).
    const edited = (n: number) => readFile(join(path('files'), `edit-${n}.txt`), 'utf8');
    expect([await edited(0), await edited(1), await edited(2)]).toEqual([
      'old and new and new\n',
      'old and new\n',
      'old and new\n',
    ]);
    expect(await readFile(path('graph.jsonl'), 'utf8')).toContain('knows-2');
  });

  it('questions, long calls and tasks: the answers given count after the crash', async () => {
    await publish('forms', { server: 'forms', tool: 'trigger-elicitation-request' });
    await publish('forms-safe', { server: 'forms', tool: 'trigger-elicitation-request', idempotent: true });
    const url = 'https://example.com/pay';
    await publish('pages', { server: 'pages', tool: 'trigger-url-elicitation', arguments: { url } });
    const refused = { url, errorPath: true };
    await publish('pages-first', { server: 'research', tool: 'trigger-url-elicitation', arguments: refused });
    await publish('models', {
      server: 'models',
      tool: 'trigger-sampling-request',
      arguments: { prompt: 'Hi' },
    });
    // Long enough that it is still under way when what is started after it has come to its task.
    const duration = { duration: 20, steps: 40 };
    await publish('long', {
      server: 'everything',
      tool: 'trigger-long-running-operation',
      arguments: duration,
    });
    await publish('research', {
      server: 'research',
      tool: 'simulate-research-query',
      arguments: { topic: TOPIC, ambiguous: true },
    });
    await killAndRestart();

    const form = { name: 'Ada', check: true, email: 'ada@example.com' };
    const accept = { action: 'accept', content: form };
    const asking = {
      forms: await start('forms'),
      pages: await start('pages'),
      first: await start('pages-first'),
      models: await start('models'),
      research: await start('research'),
    };
    for (const runId of Object.values(asking)) await node(runId, 'waiting');
    expect(await typesOf(asking.research)).toContain('ACTIVITY_TASK_REMOTE_TASK');
    const long = await start('long');
    const later = await start('research');
    await eventually('the long call', async () => (await events(long, 'called')).length === 1);
    await eventually('its progress', async () => {
      const [call] = (await detailOf(long)).nodes;
      return call.progress?.total === duration.steps && call.progress.progress >= 1;
    });
    await eventually('the task', async () => (await typesOf(later)).includes('ACTIVITY_TASK_REMOTE_TASK'));
    await killAndRestart();

    for (const runId of Object.values(asking)) await node(runId, 'waiting');
    const spoken = {
      role: 'assistant',
      model: 'a person',
      content: { type: 'text', text: 'Good day to you.' },
    };
    await answer(asking.forms, accept);
    await answer(asking.pages, { action: 'accept' });
    await answer(asking.models, { action: 'result', result: spoken });
    await answer(asking.research, { action: 'accept', content: { interpretation: 'historical' } });
    // Nothing was open for a call that was refused until a page was visited: it goes on. The server, started anew, wants
    // that page visited again, then asks for the one it was called with.
    const visited: string[] = [];
    await eventually('the pages', async () => {
      const { items } = (await ask('GET', '/tasks?kind=input')).body;
      const task = items.find((one: { runId: string }) => one.runId === asking.first);
      const page = task?.requests[0]?.url;
      if (page === undefined) return false;
      await ask('POST', `/runs/${asking.first}/input`, { answer: { action: 'accept' } });
      if (visited.at(-1) !== page) visited.push(page);
      return page === url;
    });
    expect(visited).toEqual(['https://modelcontextprotocol.io', url]);
    expect((await closed(asking.first)).nodes[0].output.text).toContain(url);

    for (const runId of [asking.forms, asking.pages, asking.models, asking.research, later])
      await node(runId, 'unknown_outcome');
    const text = async (runId: string) => {
      const detail = await resolveAs(runId, 'retry');
      expect(detail.status, JSON.stringify(detail.failure)).toBe('completed');
      return detail.nodes[0].output.text as string;
    };
    expect(await text(asking.forms)).toContain('Ada');
    expect(await text(asking.pages)).toContain(url);
    expect(await text(asking.models)).toContain('Good day to you.');
    // Each question was put to a person once.
    for (const runId of [asking.forms, asking.pages, asking.models])
      expect((await typesOf(runId)).filter((type) => type === 'ACTIVITY_TASK_INPUT_REQUIRED')).toHaveLength(
        1,
      );
    expect(await text(asking.research)).toContain('historical');
    expect(await resolveAs(later, 'completed')).toMatchObject({ status: 'completed' });

    const detail = await closed(long);
    expect(detail.status, JSON.stringify(detail.failure)).toBe('completed');
    expect(detail.nodes[0].output.text).toContain(
      `Duration: ${duration.duration} seconds, Steps: ${duration.steps}`,
    );
    expect((await events(long, 'called')).map(({ key }) => key)).toEqual([
      `${long}:call:do`,
      `${long}:call:do`,
    ]);
  });

  it('answers that were given before the crash, in an open call, are kept for its repetition', async () => {
    await writeFile(path('hold'), '');
    const runId = await start('forms-safe');
    await node(runId, 'waiting');
    await answer(runId, { action: 'accept', content: { name: 'Grace', check: true } });
    await eventually('the answer', async () => (await events(runId, 'held')).length === 1);
    await rm(path('hold'));
    await killAndRestart();
    const detail = await closed(runId);
    expect(detail.status, JSON.stringify(detail.failure)).toBe('completed');
    expect(detail.nodes[0].output.text).toContain('Grace');
    expect(await events(runId, 'called')).toHaveLength(2);
    expect((await typesOf(runId)).filter((type) => type === 'ACTIVITY_TASK_INPUT_REQUIRED')).toHaveLength(1);
  });

  it('sampling goes to an OpenAI-compatible or an Anthropic endpoint, or is refused by policy', async () => {
    const step = { tool: 'trigger-sampling-request', arguments: { prompt: 'Hi there' }, idempotent: true };
    await publish('sampled', { server: 'endpoint', ...step });
    const openai = {
      OPENCONDUCTOR_SAMPLING: 'openai',
      OPENCONDUCTOR_SAMPLING_URL: `${models.url}/v1`,
      OPENCONDUCTOR_SAMPLING_MODEL: 'm-o',
      OPENCONDUCTOR_SAMPLING_API_KEY: 'key-o',
    };
    await killAndRestart(openai);
    const detail = await closed(await start('sampled'));
    expect(detail.nodes[0].output.text).toContain(
      'openai heard: Resource trigger-sampling-request context: Hi there',
    );
    const [asked] = models.state.requests;
    expect(asked?.body).toMatchObject({
      model: 'm-o',
      max_tokens: 100,
      messages: [{ role: 'system', content: 'You are a helpful test server.' }, { role: 'user' }],
    });
    // Tools that ask are not even offered to a client that refuses, so no definition can use them.
    for (const tool of [
      'trigger-sampling-request',
      'trigger-elicitation-request',
      'trigger-url-elicitation',
    ]) {
      const nodes = [{ id: 'call', kind: 'mcp-server', server: 'refusing', tool }];
      const { body } = await ask('POST', '/workflows', { schemaVersion: 1, name: 'refused', nodes });
      expect(body.problems).toMatchObject([{ code: 'TOOL_UNKNOWN' }]);
    }

    // Killed while the model thinks; the next process has another model.
    models.state.silent = true;
    const runId = await start('sampled');
    await eventually('the model to be asked', () => models.state.requests.length === 2);
    models.state.silent = false;
    await killAndRestart({
      OPENCONDUCTOR_SAMPLING: 'anthropic',
      OPENCONDUCTOR_SAMPLING_URL: models.url,
      OPENCONDUCTOR_SAMPLING_MODEL: 'm-a',
      OPENCONDUCTOR_SAMPLING_API_KEY: 'key-a',
    });
    expect((await closed(runId)).nodes[0].output.text).toContain('anthropic heard: ');
    expect(models.state.requests.at(-1)?.body).toMatchObject({
      model: 'm-a',
      max_tokens: 100,
      system: 'You are a helpful test server.',
    });

    // Without a model that is set up, the request is refused and the tool says so.
    await killAndRestart();
    expect(await closed(await start('sampled'))).toMatchObject({
      status: 'failed',
      failure: { code: 'TOOL_ERROR', message: expect.stringContaining('refused') },
    });
  });
});
