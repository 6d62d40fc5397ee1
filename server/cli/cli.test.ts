import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cliHere } from '@/tests/fixtures/cli/cli-here';
import { FakeInstance, RUN_ID, step } from '@/tests/fixtures/cli/fake-instance';

/**
 * What the program prints, asks for and ends with, against a server that speaks the REST contract. It runs in this process; what
 * only a process of its own can show (signals, pipes, its file) is in tests/integration/cli-process.test.ts.
 */

let folder: string;
let instance: FakeInstance;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'oc-cli-'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'openconductor', version: '1.2.3' }));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  instance = new FakeInstance();
  await instance.listen();
});

afterEach(() => instance.close());

type Options = { input?: string; env?: Record<string, string> };
const live = (args: readonly string[], options: Options = {}) =>
  cliHere({ folder, url: instance.url }, args, options);
const oc = (args: readonly string[], options: Options = {}) => live(args, options).done;

function finish(): void {
  const ended = { endedAt: '2026-11-20T14:23:46.000Z', durationMs: 12, status: 'completed' as const };
  instance.advance('ACTIVITY_TASK_COMPLETED', { nodes: [step('read', 'completed', ended)] });
  instance.advance('WORKFLOW_EXECUTION_COMPLETED', {
    status: 'completed',
    closedAt: '2026-11-20T14:23:46.363Z',
    durationMs: 1240,
    output: { words: 3 },
  });
}

describe('orchestrate', () => {
  const args = [
    'orchestrate',
    'document-pipeline',
    '--with',
    'filesystem,memory',
    '--input',
    '{"path":"a.txt"}',
  ];

  it('answers step by step and tells each step as it happens', async () => {
    instance.problems = [
      {
        severity: 'warning',
        code: 'NO_TIMEOUT',
        nodeId: 'read',
        pointer: '/nodes/0',
        message: 'No limit.',
        fix: 'Set one.',
      },
    ];
    const run = live(args);
    await run.said('Run started');
    instance.advance('ACTIVITY_TASK_STARTED', { nodes: [step('read', 'running')] });
    await run.said('▶ RUN   read');
    expect(run.out()).not.toContain('COMPLETED');
    finish();
    const { code, out, err } = await run.done;
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out.replaceAll(/ +/g, ' ').split('\n')).toEqual([
      '✓ Workflow found document-pipeline v3',
      '✓ Servers resolved filesystem, memory',
      '⚠ Server memory failed exit 1',
      '⚠ NO_TIMEOUT read No limit. Set one.',
      `▶ Run started ${RUN_ID}`,
      '▶ RUN read filesystem.read_text_file',
      '✓ OK read filesystem.read_text_file 12 ms',
      '',
      '✓ OK COMPLETED in 1.24 s',
      '{',
      ' "words": 3',
      '}',
      `run ${RUN_ID}`,
      '',
    ]);
    const [sent] = instance.asked(/^\/api\/v1\/runs$/);
    expect(sent?.body).toEqual({
      workflow: 'document-pipeline',
      input: { path: 'a.txt' },
      servers: ['filesystem', 'memory'],
    });
    expect(sent?.headers['idempotency-key']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('prints one JSON object a line with --json: every event, then the run', async () => {
    const run = live([...args, '--json']);
    await run.said('WORKFLOW_EXECUTION_STARTED');
    finish();
    const { code, lines, err } = await run.done;
    expect(code).toBe(0);
    expect(lines.slice(0, -1)).toMatchObject([
      { seq: 1, type: 'WORKFLOW_EXECUTION_STARTED', runId: RUN_ID },
      { seq: 2, type: 'ACTIVITY_TASK_COMPLETED' },
      { seq: 3, type: 'WORKFLOW_EXECUTION_COMPLETED' },
    ]);
    expect(lines.at(-1)).toEqual(JSON.parse(JSON.stringify(instance.run)));
    expect(JSON.parse(err)).toEqual({ warning: 'Server memory failed', detail: 'exit 1' });
  });

  it('keeps standard output clean for --output json', async () => {
    const run = live([...args, '--output', 'json']);
    await run.said('Run started', 'err');
    finish();
    const { code, out, err } = await run.done;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'completed', output: { words: 3 } });
    expect(err).toContain('✓ Workflow found');
  });

  it('ends with 1 when the run fails, and says why and where', async () => {
    const run = live(args);
    await run.said('Run started');
    const failure = { code: 'TOOL_ERROR', message: 'no such file', nodePath: 'read' };
    instance.advance('ACTIVITY_TASK_FAILED', { nodes: [step('read', 'failed', { failure, durationMs: 3 })] });
    instance.advance('WORKFLOW_EXECUTION_FAILED', {
      status: 'failed',
      closedAt: '2026-11-20T14:23:46.363Z',
      durationMs: 9,
      failure,
    });
    const { code, out } = await run.done;
    expect(code).toBe(1);
    expect(out).toMatch(/✕ FAIL {2}read .*TOOL_ERROR: no such file/);
    expect(out).toContain('FAILED in 9 ms\nTOOL_ERROR: no such file\nat step read\n');
  });

  it('shows waiting and retries', async () => {
    const run = live(args);
    await run.said('Run started');
    instance.advance('NODE', {
      nodes: [step('pause', 'waiting', { kind: 'wait', server: null, tool: null })],
    });
    await run.said('⏸ WAIT  pause');
    const failure = { code: 'TIMEOUT', message: 'too slow' };
    instance.advance('NODE', { nodes: [step('read', 'backing_off', { attempt: 1, failure })] });
    await run.said('▲ RTRY  read');
    instance.advance('NODE', { nodes: [step('read', 'running', { attempt: 2 })] });
    await run.said('attempt 2');
    finish();
    expect((await run.done).code).toBe(0);
  });

  it('starts and returns at once with --detach', async () => {
    const { code, out } = await oc([...args, '--detach']);
    expect(code).toBe(0);
    expect(out).toContain(`openconductor run watch ${RUN_ID}`);
    expect(instance.asked(/\/events/)).toEqual([]);
    const lines = (await oc([...args, '-d', '--json'])).lines;
    expect(lines).toEqual([{ runId: RUN_ID }]);
  });

  it('detaches on Ctrl-C and says so', async () => {
    const run = live(args);
    await run.said('Run started');
    run.interrupt();
    const { code, out } = await run.done;
    expect(code).toBe(130);
    expect(out).toContain(`⚠ Detached; the run goes on. Watch it with: openconductor run watch ${RUN_ID}`);
  });

  it('stops waiting after --timeout with 1', async () => {
    const { code, out } = await oc([...args, '--timeout', '300ms']);
    expect(code).toBe(1);
    expect(out).toContain('The time is over; the run goes on.');
  });

  it('waits for the instance to come back, and goes on where it was', async () => {
    const run = live(args);
    await run.said('Run started');
    instance.advance('ACTIVITY_TASK_STARTED', { nodes: [step('read', 'running')] });
    await run.said('▶ RUN   read');
    await instance.close();
    await run.said('Connection lost');
    finish();
    await instance.listen();
    const { code, out } = await run.done;
    expect(code).toBe(0);
    expect(out).toContain('Connected again');
    expect(out.match(/▶ RUN {3}read/g)).toHaveLength(1);
    expect(out).toContain('COMPLETED');
  });

  it('reads input from standard input and from files', async () => {
    await writeFile(join(folder, 'in.json'), '\ufeff{"path":"b.txt"}');
    await oc(['orchestrate', 'document-pipeline', '-d', '-i', '-'], { input: '{"path":"c.txt"}' });
    await oc(['orchestrate', 'document-pipeline', '-d', '--input=@in.json']);
    const bodies = instance.asked(/^\/api\/v1\/runs$/).map((request) => request.body);
    expect(bodies).toMatchObject([{ input: { path: 'c.txt' } }, { input: { path: 'b.txt' } }]);
  });
});

describe('bad input ends with 2, names code, message, place and next step, and starts nothing', () => {
  afterEach(() => expect(instance.asked(/^\/api\/v1\/runs$/)).toEqual([]));

  it.each([
    [['orchestrate', 'nope', '--input', '{}'], 'WORKFLOW_NOT_FOUND', 'at    /workflow'],
    [['orchestrate', 'document-pipelin'], 'WORKFLOW_NOT_FOUND', 'Did you mean document-pipeline?'],
    [
      ['orchestrate', 'document-pipeline', '--with', 'filesytem'],
      'SERVER_NOT_FOUND',
      'Did you mean filesystem?',
    ],
    [['orchestrate', 'document-pipeline', '--input', '{"path":'], 'INVALID_JSON', 'line 1, column 9'],
    [
      ['orchestrate', 'document-pipeline', '--input', '@missing.json'],
      'INVALID_INPUT',
      'there is no such file',
    ],
    [['orchestrate', 'document-pipeline', '--version', 'x'], 'INVALID_VALUE', 'at    version'],
    [['run', 'show', 'x'], 'RUN_NOT_FOUND', 'next  List the runs'],
    [['run', 'list', '--status', 'done'], 'INVALID_VALUE', '^^^^'],
    [['server', 'call', 'filesystem', 'read', '--input', '[1]'], 'INVALID_INPUT', 'JSON object'],
    [['server', 'inspect', 'nope'], 'SERVER_NOT_FOUND', 'openconductor server list'],
    [['nonsense'], 'UNKNOWN_COMMAND', 'openconductor help'],
    [['run', 'list', '--json', '--output', 'csv'], 'INVALID_INPUT', 'contradict'],
    [['run', 'list', '--url', 'ftp://x'], 'INVALID_INPUT', '--url'],
    [['help', 'nonsense'], 'INVALID_INPUT', 'openconductor help'],
  ])('%j: %s', async (args, code, text) => {
    const people = await oc(args);
    expect(people.code).toBe(2);
    expect(people.out).not.toContain('Run started');
    expect(people.err.startsWith(`✕ ${code}  `) || people.err.includes(`"code":"${code}"`)).toBe(true);
    expect(people.err).toContain(text);
    const programs = await oc([...args.filter((word) => word !== '--json'), '--json']);
    expect([programs.code, programs.out]).toEqual([2, '']);
    expect(JSON.parse(programs.err)).toMatchObject({ error: { code, exit: 2, message: expect.any(String) } });
  });

  it('names line and column in files, and shows the place', async () => {
    await writeFile(join(folder, 'bad.json'), '{\n  "path": "a.txt"\n  "more": 1\n}');
    const { code, err } = await oc(['orchestrate', 'document-pipeline', '--input', '@bad.json']);
    expect(code).toBe(2);
    expect(err).toContain(
      '✕ INVALID_JSON  bad.json, line 3, column 3: a comma or } is expected.\n    "more": 1\n    ^\n  at    --input\n',
    );
  });

  it('passes on what the server refuses, with pointer and findings', async () => {
    instance.broken = { path: /servers$/, code: 'INVALID_INPUT', message: '/field: wrong type' };
    const { code, err } = await oc(['server', 'list']);
    expect(code).toBe(2);
    expect(err).toBe(
      '✕ INVALID_INPUT  /field: wrong type\n  at    /field\n  next  Correct the field at `path` and send the request again.\n',
    );
  });

  it('reports a definition with errors', async () => {
    await writeFile(join(folder, 'flow.yaml'), 'schemaVersion: 1\nname: flow\nnodes: []\n');
    instance.problems = [
      {
        severity: 'error',
        code: 'EMPTY',
        nodeId: null,
        pointer: '/nodes',
        message: 'No steps.',
        fix: 'Add one.',
      },
    ];
    const { code, out } = await oc(['workflow', 'validate', 'flow.yaml']);
    expect(code).toBe(2);
    expect(out).toMatch(/✕ error +EMPTY +– +\/nodes +No steps\. Add one\./);
    expect(instance.asked(/validate/)[0]?.body).toEqual({ schemaVersion: 1, name: 'flow', nodes: [] });
  });

  it('names the place of broken YAML', async () => {
    await writeFile(join(folder, 'bad.yaml'), 'name: flow\nnodes: [1\nx: 2\n');
    const { code, err } = await oc(['workflow', 'validate', 'bad.yaml']);
    expect(code).toBe(2);
    expect(err).toMatch(/^✕ INVALID_INPUT {2}bad\.yaml, line 3, column 1: /);
  });

  it('passes on that the input is too large, though the server cuts the connection', async () => {
    await writeFile(join(folder, 'big.json'), JSON.stringify({ text: 'x'.repeat(5 * 1024 * 1024) }));
    const { code, err } = await oc(['orchestrate', 'document-pipeline', '--input', '@big.json']);
    expect(err).toContain('✕ PAYLOAD_TOO_LARGE');
    expect(code).toBe(2);
  });
});

describe('an instance that is not there, or not well, ends with 3', () => {
  it('says where it looked and how to start it', async () => {
    await instance.close();
    const { code, out, err } = await oc(['orchestrate', 'document-pipeline']);
    expect([code, out]).toEqual([3, '']);
    expect(err).toBe(
      `✕ NOT_RUNNING  OpenConductor is not running at ${instance.url}. Start it with: npm start\n`,
    );
    await instance.listen();
  });

  it('passes on a failure of the server', async () => {
    instance.broken = { path: /runs/, code: 'DATABASE_UNAVAILABLE', message: 'The database did not answer.' };
    const { code, err } = await oc(['run', 'list']);
    expect(code).toBe(3);
    expect(err).toContain('✕ DATABASE_UNAVAILABLE  The database did not answer.');
    expect(err).toContain('request req-1');
  });

  it('sends a start again under the same key while the server is not ready', async () => {
    instance.broken = { path: /runs$/, code: 'SHUTTING_DOWN', message: 'Stopping.' };
    const { code } = await oc(['orchestrate', 'document-pipeline', '-d']);
    expect(code).toBe(3);
    const keys = instance.asked(/runs$/).map((request) => request.headers['idempotency-key']);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
  });

  it('tells another program at the address apart', async () => {
    const other = createServer((_request, response) => response.end('<html>'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const { code, err } = await oc(['run', 'list', '--url', url]);
    expect(code).toBe(3);
    expect(err).toContain('UNEXPECTED_ANSWER');
    other.close();
  });
});

describe('finding the instance', () => {
  it('takes --url, then OPENCONDUCTOR_URL, then the running instance of the data folder', async () => {
    await mkdir(join(folder, '.openconductor', 'run'), { recursive: true });
    const file = join(folder, '.openconductor', 'run', 'instance.json');
    await writeFile(file, JSON.stringify({ pid: 1, url: instance.url }));
    expect((await oc(['workflow', 'list'], { env: { OPENCONDUCTOR_URL: '' } })).out).toContain(
      'document-pipeline',
    );
    const wrong = { OPENCONDUCTOR_URL: 'http://127.0.0.1:9' };
    expect((await oc(['workflow', 'list'], { env: wrong })).code).toBe(3);
    expect((await oc(['workflow', 'list', '--url', `${instance.url}/`], { env: wrong })).code).toBe(0);
    await rm(file);
    const { err } = await oc(['health'], { env: { OPENCONDUCTOR_URL: '', PORT: '9', HOST: '0.0.0.0' } });
    expect(err).toContain('not running at http://127.0.0.1:9.');
    const bad = await oc(['health'], { env: { OPENCONDUCTOR_URL: 'nonsense' } });
    expect([bad.code, bad.err]).toEqual([2, expect.stringContaining('OPENCONDUCTOR_URL is "nonsense"')]);
  });
});

describe('the other commands', () => {
  it('lists in every form', async () => {
    const table = await oc(['run', 'list', '-n', '1', '--status', 'running']);
    expect(table.out).toMatch(/^RUN +STATUS +WORKFLOW/);
    // The next page is one of the same list.
    expect(table.out).toContain('More: openconductor run list --limit=1 --status=running --cursor=more');
    const asked = new URL(instance.asked(/runs\?/)[0]?.path ?? '', instance.url).searchParams;
    expect(Object.fromEntries(asked)).toEqual({ status: 'running', limit: '1' });
    expect(JSON.parse((await oc(['run', 'list', '-o', 'json'])).out)).toMatchObject({
      items: [{ runId: RUN_ID }],
      nextCursor: 'more',
    });
    expect((await oc(['run', 'list', '--json'])).lines).toMatchObject([{ runId: RUN_ID, status: 'running' }]);
    expect((await oc(['run', 'list', '-o', 'yaml'])).out).toContain(`- runId: ${RUN_ID}`);
    expect((await oc(['run', 'list', '-o', 'csv'])).out.split('\r\n')[1]).toBe(
      `${RUN_ID},running,document-pipeline,3,2026-11-20T14:23:45.123Z,,0,${RUN_ID},`,
    );
  });

  it('a list by search attribute goes on over pages that have nothing', async () => {
    const { code, out } = await oc(['run', 'list', '--attribute', 'customer:acme']);
    expect([code, out]).toEqual([0, expect.stringContaining(RUN_ID)]);
    const asked = instance
      .asked(/runs\?/)
      .map(({ path }) => Object.fromEntries(new URL(path, instance.url).searchParams));
    expect(asked).toEqual([{ attribute: 'customer:acme' }, { attribute: 'customer:acme', cursor: 'more' }]);
  });

  it('shows a server without letting its texts drive the terminal', async () => {
    const { code, out } = await oc(['SRV', 'filesystem']);
    expect(code).toBe(0);
    expect(out).toContain('read_text_file  reads   path, head?  Reads a file.\\u001b[31m Evil\n');
    expect(out).not.toContain('\u001b');
  });

  it('calls a tool: its answer, and 1 when it reports an error', async () => {
    const good = await oc(['server', 'call', 'filesystem', 'read', '--input', '{"path":"a"}']);
    expect([good.code, good.out]).toEqual([0, expect.stringMatching(/^Hello\nworld\n✓ Done +5 ms\n$/)]);
    expect(instance.asked(/call/)[0]?.body).toEqual({ tool: 'read', arguments: { path: 'a' } });
    const bad = await oc(['server', 'call', 'filesystem', 'fail', '--json']);
    expect([bad.code, bad.lines]).toMatchObject([1, [{ isError: true }]]);
  });

  it('cancels and signals; nobody is asked when nobody is there', async () => {
    expect((await oc(['run', 'cancel', RUN_ID, '--reason', 'wrong'])).code).toBe(0);
    expect((await oc(['run', 'signal', RUN_ID, 'go', '-p', '{"a":1}'])).out).toContain('Signal go sent');
    expect(instance.asked(/cancel|signal/).map((request) => request.body)).toEqual([
      { reason: 'wrong' },
      { name: 'go', payload: { a: 1 } },
    ]);
  });

  it('prints and follows events', async () => {
    instance.advance('WORKFLOW_EXECUTION_STARTED', {});
    instance.advance('NODE_STARTED', {});
    expect((await oc(['run', 'events', RUN_ID, '--after', '1', '--json'])).lines).toMatchObject([{ seq: 2 }]);
    const run = live(['run', 'events', RUN_ID, '--follow']);
    await run.said('NODE_STARTED');
    finish();
    const { code, out } = await run.done;
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toHaveLength(4);
  });

  it('watches a run that has already closed', async () => {
    instance.advance('WORKFLOW_EXECUTION_STARTED', {});
    finish();
    const { code, out } = await oc(['run', 'watch', RUN_ID]);
    expect(code).toBe(0);
    expect(out).toContain('✓ OK    read');
    expect((await oc(['RUN', RUN_ID])).out).toContain('COMPLETED in 1.24 s');
  });

  it('tells health from each part, with 1 when one is down', async () => {
    const { code, out } = await oc(['health']);
    expect(code).toBe(1);
    expect(out).toMatch(/✕ down +database +– +no answer/);
    expect(out).toContain('up 1 min 01 s');
  });

  it('tells versions with and without an instance', async () => {
    expect((await oc(['--version'])).out).toBe(`openconductor 1.2.3\ninstance 9.9.9 at ${instance.url}\n`);
    const { code, lines } = await oc(['version', '--json', '--url', 'http://127.0.0.1:9']);
    expect([code, lines]).toEqual([0, [{ version: '1.2.3', instance: null, url: 'http://127.0.0.1:9' }]]);
  });

  it('registers a workflow', async () => {
    const { code, out } = await oc(['workflow', 'register', '-'], { input: '{"name":"x"}' });
    expect([code, out]).toEqual([0, expect.stringMatching(/Workflow registered +document-pipeline v4/)]);
  });

  it('shows help when nothing is said', async () => {
    const { code, out } = await oc([]);
    expect(code).toBe(0);
    expect(out).toContain('Usage: openconductor');
    expect((await oc(['run', 'list', '--help'])).out).toContain('RUN  List runs, newest first');
  });
});
