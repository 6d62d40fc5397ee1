import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCliProcess } from '../../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { EngineProcess } from '../../support/engine-process';
import { eventually } from '../../support/eventually';
import { sendRaw } from '../../support/raw-http';
import { WebhookReceiver } from '../../support/webhook-receiver';

const root = resolve(import.meta.dirname, '../../..');
const SERVER = join(root, 'tests/fixtures/attacks/injecting-server.mjs');
const FILES = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js');
const OUTSIDE = 'outside-the-workspace-5b1d';
const FORGED = 'x\r\nset-cookie: stolen=1\r\n\r\n{"level":"FATAL","operation":"forged"}\n\u001b[2J\u0007';
/** Characters that terminals and readers of logs obey. */
const CONTROL = /\p{Cc}/u;
const ENCODED = encodeURIComponent(FORGED);

/** What callers and servers say, where it ends up in headers, in lines of the log and in paths of files. */
describe('injection and traversal', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let receiver: WebhookReceiver;
  let workspace: string;
  let outside: string;

  const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    engine.request(method, `/api/v1${path}`, body, headers);
  /** Every line of the log is one entry of ours: JSON with a known level, nothing of it forged. */
  const logHolds = () => {
    expect(engine.log.length).toBeGreaterThan(0);
    for (const line of engine.log) {
      const entry = JSON.parse(line) as { level: string; operation: string };
      expect(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR'], line).toContain(entry.level);
      expect(entry.operation, line).not.toBe('forged');
      expect(line).not.toMatch(CONTROL);
    }
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    receiver = await WebhookReceiver.start();
    const base = join(tmpdir(), `oc-traversal-${process.pid}-${Date.now()}`);
    workspace = join(base, 'workspace');
    outside = join(base, 'workspace-secret');
    await mkdir(join(workspace, 'inner'), { recursive: true });
    await mkdir(outside, { recursive: true });
    await writeFile(join(outside, 'secret.txt'), OUTSIDE);
    await writeFile(join(workspace, 'inner', 'file.txt'), 'inside');
    await symlink(join(outside, 'secret.txt'), join(workspace, 'link.txt'));
    await symlink(outside, join(workspace, 'folder'));
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {
        nasty: { command: 'node', args: [SERVER] },
        files: { command: 'node', args: [FILES, workspace] },
      },
      env: { OPENCONDUCTOR_LOG_LEVEL: 'debug', OPENCONDUCTOR_NETWORKS: 'public,loopback' },
    });
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await receiver.stop();
    await database.drop();
  });

  const paths = () => [
    '../workspace-secret/secret.txt',
    '../../../../../../../../etc/passwd',
    '/etc/passwd',
    join(outside, 'secret.txt'),
    join(workspace, '../workspace-secret/secret.txt'),
    `${workspace}/inner/../../workspace-secret/secret.txt`,
    // The name of the outer folder begins with that of the workspace.
    `${workspace}-secret/secret.txt`,
    join(workspace, 'link.txt'),
    join(workspace, 'folder/secret.txt'),
    `file://${outside}/secret.txt`,
    '..%2fworkspace-secret%2fsecret.txt',
    '%2e%2e/workspace-secret/secret.txt',
    '..%252fworkspace-secret%252fsecret.txt',
    '．．／workspace-secret／secret.txt',
    '..\\workspace-secret\\secret.txt',
    `${workspace}/inner/..\u0000/../workspace-secret/secret.txt`,
    '~/../../etc/passwd',
    '/proc/self/environ',
    '/proc/self/root/etc/passwd',
  ];

  it('path traversal: the filesystem server reads and writes nothing outside its root, however the path is written', async () => {
    const call = (tool: string, args: object) =>
      ask('POST', '/servers/files/call', { tool, arguments: args });
    const good = await call('read_text_file', { path: join(workspace, 'inner/file.txt') });
    expect(JSON.stringify(good.body)).toContain('inside');
    for (const path of paths()) {
      for (const [tool, args] of [
        ['read_text_file', { path }],
        ['read_media_file', { path }],
        ['read_multiple_files', { paths: [path] }],
        ['get_file_info', { path }],
        ['edit_file', { path, edits: [{ oldText: OUTSIDE, newText: 'changed' }] }],
        ['write_file', { path, content: 'changed' }],
        ['move_file', { source: path, destination: join(workspace, 'stolen.txt') }],
      ] as const) {
        const text = JSON.stringify((await call(tool, args)).body);
        expect(text, `${tool} ${path}`).not.toContain(OUTSIDE);
        expect(text, `${tool} ${path}`).not.toContain('root:x:0');
        expect(text, `${tool} ${path}`).not.toMatch(/DATABASE_URL|OPENCONDUCTOR_/);
      }
    }
    const { readFile } = await import('node:fs/promises');
    expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe(OUTSIDE);
  });

  it('path traversal: no address of ours leads to a file', async () => {
    const doors = (path: string) => [
      `/api/v1/workflows/${path}`,
      `/api/v1/runs/${path}`,
      `/api/v1/runs/01999999-0000-7000-8000-000000000000/payloads/${path}`,
      `/api/v1/servers/${path}/logs`,
      `/api/v1/servers/${path}/config`,
      `/api/v1/schedules/${path}`,
      `/schemas/${path}`,
      `/${path}`,
    ];
    for (const path of ['../../../../etc/passwd', ...paths().slice(0, 3)]) {
      for (const written of [
        path,
        encodeURIComponent(path),
        path.replaceAll('.', '%2e'),
        path.replaceAll('/', '%2f'),
      ]) {
        for (const address of doors(written)) {
          // Not through fetch, which would tidy the path up.
          const answer = await sendRaw(engine.url, [
            `GET ${address} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
          ]);
          expect(answer, address).toMatch(/^HTTP\/1\.1 4\d\d/);
          expect(answer, address).not.toContain('root:x:0');
          expect(answer, address).not.toContain(OUTSIDE);
        }
      }
    }
  });

  it('path traversal: what is named becomes no path: servers, workflows, hooks, secrets, roles, views', async () => {
    const config = { type: 'stdio', command: 'node', args: ['x.mjs'] };
    for (const name of ['../x', '..', '/etc/x', 'a/b', 'a\\b', '.hidden', 'x\u0000', '..%2fx']) {
      for (const [path, body] of [
        ['/servers', { name, config }],
        ['/webhooks/out', { name, url: 'https://example.com/' }],
        ['/webhooks/in', { name, action: { kind: 'start', workflow: 'x' } }],
      ] as const) {
        const { status } = await ask('POST', path, body);
        expect([400, 404], `${path} ${name}`).toContain(status);
      }
      expect([400, 404, 405]).toContain(
        (await ask('PUT', `/secrets/${encodeURIComponent(name)}`, { value: 'v' })).status,
      );
    }
  });

  it('path traversal: the command line takes names of workflows and starters, not of files on the server', async () => {
    for (const args of [
      ['workflow', 'starter', '../../../etc/passwd'],
      ['workflow', 'show', '../../../../etc/passwd'],
      ['workflow', 'export', '/etc/passwd'],
      ['run', 'payload', '../../etc/passwd', '../../etc/passwd'],
    ]) {
      const { code, out } = await runCliProcess(args, { url: engine.url });
      expect(code, args.join(' ')).not.toBe(0);
      expect(out).not.toContain('root:x:0');
    }
  });

  it('header injection: names and addresses of callers come back in no header of their making', async () => {
    const attempts = await Promise.all([
      ask('GET', `/workflows/${ENCODED}`),
      ask('GET', `/runs/${ENCODED}/history`),
      ask('GET', `/runs/${ENCODED}`),
      ask('GET', `/runs/01999999-0000-7000-8000-000000000000/payloads/${ENCODED}`),
      ask('GET', `/runs?cursor=${ENCODED}`),
      ask('POST', '/schedules', { name: FORGED, workflow: 'x', cron: '0 3 * * *' }),
      ask('POST', '/servers', { name: FORGED, config: { type: 'sse', url: 'https://example.com' } }),
      ask('POST', '/webhooks/out', { name: FORGED, url: 'https://example.com' }),
      ask('POST', '/runs', { workflow: FORGED, workflowId: FORGED }),
      ask('POST', '/workflows', {
        schemaVersion: 1,
        name: FORGED,
        nodes: [{ id: 'a', kind: 'transform', output: '1' }],
      }),
    ]);
    for (const { status, headers } of attempts) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(headers.getSetCookie()).toEqual([]);
    }
    const page = await fetch(
      `${engine.url}/api/oauth/callback?error=${ENCODED}&error_description=<script>alert(1)</script>&state=${ENCODED}`,
    );
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(await page.text()).not.toContain('<script>alert');
  });

  it('header injection: a header of a server with a line end in it is not sent, wherever the line end comes from', async () => {
    const send = async (headers: Record<string, string>, name: string) => {
      const added = await ask('POST', '/servers', {
        name,
        config: { type: 'streamable-http', url: `${receiver.url}/mcp`, headers },
      });
      if (added.status !== 201) return expect(added.status).toBe(400);
      const { status } = await ask('POST', `/servers/${name}/call`, { tool: 'x', arguments: {} });
      expect(status).toBeGreaterThanOrEqual(400);
    };
    await send({ 'x-plain': 'v\r\nx-injected: 1' }, 'value');
    await send({ 'x-plain\r\nx-injected': '1' }, 'name');
    expect((await ask('PUT', '/secrets/NASTY', { value: 'v\r\nx-injected: 1' })).status).toBeLessThan(300);
    await send({ 'x-plain': '${secret:NASTY}' }, 'secret');
    expect(receiver.received.filter(({ headers }) => 'x-injected' in headers)).toEqual([]);
  });

  it('header injection: the headers of a delivery are made of what we know, whatever is delivered', async () => {
    await ask('POST', '/webhooks/out', {
      name: 'out',
      url: `${receiver.url}/out`,
      events: ['run.completed'],
    });
    const definition = {
      schemaVersion: 1,
      name: 'said',
      title: FORGED,
      nodes: [{ id: 'a', kind: 'transform', output: '${input}' }],
    };
    expect((await ask('POST', '/workflows', definition)).status).toBe(201);
    expect((await ask('POST', '/runs', { workflow: 'said', input: { text: FORGED } })).status).toBe(201);
    const sent = await eventually('the delivery', () =>
      receiver.received.find(({ path }) => path === '/out'),
    );
    expect(sent.headers['set-cookie']).toBeUndefined();
    expect(() => JSON.parse(sent.text)).not.toThrow();
  });

  it('header injection: the media type and name of what a tool gave come back in no header', async () => {
    const definition = {
      schemaVersion: 1,
      name: 'blob',
      nodes: [{ id: 'a', kind: 'mcp-server', server: 'nasty', tool: 'blob' }],
    };
    expect((await ask('POST', '/workflows', definition)).body).toMatchObject({ name: 'blob' });
    const { runId } = (await ask('POST', '/runs', { workflow: 'blob' })).body;
    await eventually(
      'the run is over',
      async () => (await ask('GET', `/runs/${runId}`)).body.status === 'completed',
    );
    const sql = new pg.Client(database.adminUrl);
    await sql.connect();
    const { rows } = await sql.query('SELECT sha256 FROM workflow_payload WHERE run_id = $1', [runId]);
    await sql.end();
    const hashes = rows.map(({ sha256 }) => sha256 as string);
    expect(new Set(hashes).size).toBe(2);
    for (const hash of hashes) {
      const response = await fetch(`${engine.url}/api/v1/runs/${runId}/payloads/${hash}`);
      expect(response.status).toBe(200);
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(response.headers.get('content-type')).not.toMatch(/html/);
      expect(response.headers.get('content-disposition')).toMatch(
        /^(attachment|inline); filename="payload-[0-9a-f]{12}\.\w+"$/,
      );
      await response.body?.cancel();
    }
  });

  it('log injection: names, agents, request ids and errors of strangers stay within one line of JSON', async () => {
    const ANSI = '\u001b[31mred\u001b[0m';
    for (const headers of [
      { 'user-agent': `x ${encodeURIComponent(FORGED)}` },
      { 'x-request-id': '{"level":"FATAL"}' },
      { traceparent: '00-x\\n{"level":"FATAL"}-01' },
      { 'idempotency-key': '"},{"level":"FATAL' },
      { 'x-forwarded-for': '{"level":"FATAL"}' },
    ] as Record<string, string>[])
      await ask('GET', `/runs/${ENCODED}`, undefined, headers);
    for (const text of [
      FORGED,
      ANSI,
      '\u2028{"level":"FATAL"}',
      '\u0085x',
      '{"level":"FATAL","operation":"forged"}',
    ]) {
      await ask('GET', `/workflows/${encodeURIComponent(text)}`);
      await ask('POST', '/runs', { workflow: text, input: text });
      await ask('POST', '/servers/nasty/call', { tool: text, arguments: { [text]: text } });
      await ask('POST', '/servers', { name: 'x', title: text, config: { type: 'sse', url: text } });
    }
    await ask('POST', '/servers/nasty/call', { tool: 'fail', arguments: {} });
    await ask('POST', '/servers/nasty/call', { tool: 'blob', arguments: {} });
    await ask('POST', '/servers/nasty/test', {});
    // Raw bytes where Node lets them through.
    await sendRaw(engine.url, [
      `GET /api/v1/runs HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \u001b[2J\u0007\u009b\r\nConnection: close\r\n\r\n`,
    ]);
    logHolds();
  });

  it('log injection: what a server says reaches a terminal as text, never as a command', async () => {
    for (const args of [
      ['server', 'inspect', 'nasty'],
      ['server', 'tools', 'nasty'],
      ['server', 'logs', 'nasty'],
      ['server', 'list'],
      ['server', 'call', 'nasty', 'fail'],
      ['server', 'call', 'nasty', 'blob'],
      ['audit', 'list'],
      ['run', 'list'],
      ['events'],
    ]) {
      for (const format of [[], ['--json'], ['--output', 'csv']]) {
        const { out, err } = await runCliProcess([...args, ...format], { url: engine.url });
        const rest = (out + err).replace(/[\t\r\n]/g, '');
        expect(rest, [...args, ...format].join(' ')).not.toMatch(CONTROL);
      }
    }
  });
});
