import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import pg from 'pg';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLog } from '@/server/adapters/observability/pino-log';
import { Live } from '@/server/adapters/socketio/live';
import { loadConfig } from '@/server/config/config';
import { createRuntime } from '@/server/runtime';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { firstOwner, member, type Visitor } from '../support/people';
import { openStream } from '../support/sse-client';
import { WebhookReceiver } from '../support/webhook-receiver';

const SSN = '078-05-1120';
const PASSWORD = 'correct-horse';
const CODE = 'c0de-of-the-day';
const VAULT_KEY = 'sk-live-0123456789';
/** What nobody may see of a run of `pay`; the token is made by the tool. */
const HIDDEN = [SSN, PASSWORD, CODE, 'token-of-ada'];

const pay = {
  schemaVersion: 1,
  name: 'pay',
  input: {
    type: 'object',
    required: ['ssn'],
    properties: {
      ssn: { type: 'string', 'x-sensitive': true, pattern: '^\\d{3}-\\d{2}-\\d{4}$' },
      pin: { type: 'string', writeOnly: true },
      user: { type: 'string' },
      password: { type: 'string' },
      auth: { type: 'object' },
    },
  },
  sensitive: ['/signals/go/code'],
  searchAttributes: { who: 'of ${input.ssn}', user: '${input.user}' },
  nodes: [
    {
      id: 'login',
      kind: 'mcp-server',
      server: 'vault',
      tool: 'login',
      arguments: { user: '${input.user}', password: '${input.password}' },
    },
    {
      id: 'say',
      kind: 'mcp-server',
      server: 'vault',
      tool: 'echo',
      arguments: { text: '${input.ssn} ${login.output.json.token} ${input.password}' },
    },
    {
      id: 'write',
      kind: 'mcp-server',
      server: 'vault',
      tool: 'novel',
      arguments: { text: '${input.ssn}' },
    },
    {
      id: 'ask',
      kind: 'approval',
      title: 'Pay ${input.ssn}?',
      description: 'With ${login.output.json.token}',
    },
    { id: 'hold', kind: 'wait', signal: 'go' },
    { id: 'end', kind: 'terminate', status: 'failed', message: 'no ${input.ssn} with ${hold.output.code}' },
  ],
  edges: [
    { from: 'login', to: 'say' },
    { from: 'say', to: 'write' },
    { from: 'write', to: 'ask' },
    { from: 'ask', to: 'hold' },
    { from: 'hold', to: 'end' },
  ],
  failureWorkflow: 'mourn',
};
const mourn = {
  schemaVersion: 1,
  name: 'mourn',
  nodes: [{ id: 'tell', kind: 'transform', output: 'lost: ${input.failure.message}' }],
};
/** Marks nothing itself; what its parent gave it is hidden all the same. */
const inner = {
  schemaVersion: 1,
  name: 'inner',
  nodes: [{ id: 'pass', kind: 'transform', output: 'got ${input.given}' }],
};
const outer = {
  schemaVersion: 1,
  name: 'outer',
  sensitive: ['/input/ssn', '/nodes/none/output/x'],
  nodes: [{ id: 'child', kind: 'subworkflow', workflow: 'inner', input: { given: '${input.ssn}' } }],
};
const plain = {
  schemaVersion: 1,
  name: 'leaky',
  nodes: [
    {
      id: 'leak',
      kind: 'mcp-server',
      server: 'vault',
      tool: 'leak',
      arguments: { how: '${input.how}' },
      retry: { maxAttempts: 1 },
    },
  ],
};

describe('what is sensitive in a run', () => {
  let database: TestDatabase;
  let sql: pg.Client;
  let engine: EngineProcess;
  let owner: Visitor;
  let admin: Visitor;
  let receiver: WebhookReceiver;
  let runId: string;

  const sent = async (who: Visitor, method: string, path: string, body?: unknown) => {
    const answer = await who.send(method, path, body);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  };
  const start = async (workflow: string, input: object) =>
    (await sent(owner, 'POST', '/api/v1/runs', { workflow, input })).runId as string;
  const until = (
    id: string,
    done: (run: { status: string; nodes: { path: string; status: string }[] }) => boolean,
  ) =>
    eventually(`run ${id}`, async () => {
      const run = await sent(owner, 'GET', `/api/v1/runs/${id}`);
      return done(run) && run;
    });
  const closed = (id: string) => until(id, ({ status }) => status !== 'running');
  /** Another process of the instance, as far as sockets need one. */
  const watching = () =>
    createRuntime({
      config: {
        ...loadConfig({
          DATABASE_URL: database.adminUrl,
          OPENCONDUCTOR_AUTH: 'required',
          OPENCONDUCTOR_ROLES: 'web',
          OPENCONDUCTOR_DATA_DIR: engine.dataDir,
          OPENCONDUCTOR_CONFIG: `${engine.dataDir}/none.json`,
        }),
        databaseUrl: database.adminUrl,
      },
      log: createLog('silent'),
      version: '0',
      buildId: 'test',
      root: resolve(import.meta.dirname, '../..'),
      environment: {},
    });
  const clean = (what: string, value: unknown) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    for (const hidden of HIDDEN) expect(text.includes(hidden), `${what} shows ${hidden}`).toBe(false);
    return text;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
    const script = resolve(import.meta.dirname, '../fixtures/mcp-servers/vault-server.mjs');
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: { vault: { command: 'node', args: [script], env: { VAULT_KEY: '${secret:VAULT}' } } },
      env: {
        OPENCONDUCTOR_AUTH: 'required',
        OPENCONDUCTOR_RATE_LIMIT: '0',
        OPENCONDUCTOR_NETWORKS: 'public,loopback',
        OPENCONDUCTOR_LOG_LEVEL: 'trace',
      },
    });
    owner = await firstOwner(engine);
    admin = await member(owner, 'ada@example.com', 'admin');
    receiver = await WebhookReceiver.start();
    await sent(owner, 'PUT', '/api/v1/secrets/VAULT', { value: VAULT_KEY });
    await sent(owner, 'POST', '/api/v1/webhooks/out', { name: 'told', url: receiver.url, events: [] });
    await sent(owner, 'PATCH', '/api/v1/settings', { values: { 'runs.sensitive': ['*.authorization'] } });
    for (const definition of [mourn, inner, outer, plain, pay])
      await sent(owner, 'POST', '/api/v1/workflows', definition);
  });
  afterAll(async () => {
    await receiver.stop();
    await engine.end();
    await engine.removeData();
    await sql.end();
    await database.drop();
  });

  const input = {
    ssn: SSN,
    pin: '12',
    user: 'ada',
    password: PASSWORD,
    auth: { Authorization: 'Basic QWRhOnB3' },
  };

  it('is masked while the run goes on: the run, its events, its tasks', async () => {
    runId = await start('pay', input);
    await until(runId, ({ nodes }) =>
      nodes.some(({ path, status }) => path === 'ask' && status === 'waiting'),
    );
    const run = await sent(admin, 'GET', `/api/v1/runs/${runId}`);
    clean('the run', run);
    expect(run.input).toEqual({
      ...{ ssn: '•••', pin: '•••', user: 'ada', password: '•••' },
      auth: { Authorization: '•••' },
    });
    expect(run.searchAttributes).toEqual({ who: 'of •••', user: 'ada' });
    const login = run.nodes.find(({ path }: { path: string }) => path === 'login');
    expect(login.input).toEqual({ user: 'ada', password: '•••' });
    expect(login.output.json).toEqual({ user: 'ada', token: '•••', pin: '••• number' });
    expect(login.output.text).toBe('{"user":"ada","token":"•••","pin":"••• number"}');
    const tasks = await sent(admin, 'GET', '/api/v1/tasks');
    expect(clean('the tasks', tasks)).toContain('Pay •••?');
    const { approvalId } = tasks.items[0];
    await sent(owner, 'POST', `/api/v1/runs/${runId}/approve`, { approvalId, comment: `for ${SSN}` });
    await until(runId, ({ nodes }) =>
      nodes.some(({ path, status }) => path === 'hold' && status === 'waiting'),
    );
    await sent(owner, 'POST', `/api/v1/runs/${runId}/signal`, { name: 'go', payload: { code: CODE } });
    await closed(runId);
  });

  it('is masked in every way of reading a run that has ended', async () => {
    const base = `/api/v1/runs/${runId}`;
    const events = await sent(admin, 'GET', `${base}/events?limit=1000`);
    clean('events', events);
    expect(events.items.length).toBeGreaterThan(15);
    for (const path of ['', '/timeline', '/metrics', '/history'])
      clean(path, await sent(admin, 'GET', base + path));
    for (const { seq } of events.items)
      clean(`event ${seq}`, await sent(admin, 'GET', `${base}/events/${seq}`));
    for (const node of ['login', 'say', 'write', 'ask', 'hold', 'end'])
      clean(`node ${node}`, await sent(admin, 'GET', `${base}/payload?node=${node}`));
    const temporal = await sent(admin, 'GET', `${base}/history?format=temporal`);
    const decoded = JSON.stringify(temporal).replace(/"data":"([^"]+)"/g, (_all, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    expect(clean('the file for Temporal', decoded)).toContain('•••');
    const list = await sent(admin, 'GET', '/api/v1/runs?workflow=pay');
    expect(clean('the list of runs', list)).toContain('no ••• with •••');
    clean('the stream', await sent(admin, 'GET', '/api/v1/events'));
  });

  it('is masked in what servers send: streams of a run and of the organisation, sockets', async () => {
    const key = (await sent(admin, 'POST', '/api/v1/api-keys', { name: 'watch' })).key;
    const headers = { authorization: `Bearer ${key}` };
    const over = new AbortController();
    const { messages } = await openStream(
      `${engine.url}/api/v1/runs/${runId}/events?follow`,
      headers,
      over.signal,
    );
    let seen = 0;
    for await (const message of messages()) {
      clean('the stream of the run', message.data);
      if (message.event === 'end') break;
      seen += 1;
    }
    expect(seen).toBeGreaterThan(15);
    const all = await openStream(`${engine.url}/api/v1/events?follow&after=0`, headers, over.signal);
    for await (const message of all.messages()) {
      clean('the stream of the organisation', message.data);
      if (message.data.includes('WORKFLOW_EXECUTION_FAILED')) break;
    }
    over.abort();

    const runtime = await watching();
    const server = createServer();
    const live = new Live(server, {
      ...{ store: runtime.streams, access: runtime.access, bus: runtime.bus, clock: runtime.clock },
      log: createLog('silent'),
      ...{ streamChannel: 'stream', progressChannel: 'progress', pollMs: 50 },
      authenticate: (given) => runtime.authenticate(new Headers(given as Record<string, string>)),
      checkOrigin: () => {},
    });
    try {
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const socket = io(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
        ...{ transports: ['websocket'], extraHeaders: headers },
      });
      const told: unknown[] = [];
      socket.on('events', (message: { items: unknown[] }) => told.push(...message.items));
      await socket.emitWithAck('subscribe', { topic: 'runs', after: 0 });
      await eventually('the socket tells of the failure', () =>
        JSON.stringify(told).includes('"WORKFLOW_EXECUTION_FAILED"'),
      );
      expect(clean('the socket', told)).toContain('•••');
      socket.close();
    } finally {
      await live.close();
      await runtime.stop();
    }
  });

  it('is masked in webhooks, logs, and where it goes on to: failure workflows, children, new runs of the chain', async () => {
    const hook = await eventually('the webhook tells of the failure', () =>
      receiver.received.find(({ text }) => text.includes('run.failed') && text.includes(runId)),
    );
    expect(hook.text).toContain('no ••• with •••');
    clean('webhooks', receiver.received);
    clean('deliveries', await sent(admin, 'GET', '/api/v1/webhooks/out/told/deliveries'));
    const [mourning] = (await sent(admin, 'GET', '/api/v1/runs?workflow=mourn')).items;
    const tells = await until(mourning.runId, ({ status }) => status === 'completed');
    expect(clean('the failure workflow', tells)).toContain('lost: no ••• with •••');
    const parent = await start('outer', { ssn: SSN });
    await closed(parent);
    const [child] = (await sent(admin, 'GET', `/api/v1/runs?parentRunId=${parent}`)).items;
    expect(clean('the child', await sent(admin, 'GET', `/api/v1/runs/${child.runId}`))).toContain('got •••');
    expect(clean('the parent', await sent(admin, 'GET', `/api/v1/runs/${parent}`))).toContain('got •••');
    const next = await sent(owner, 'POST', `/api/v1/runs/${runId}/rerun`, { nodeId: 'hold' });
    await until(next.runId, ({ nodes }) =>
      nodes.some(({ path, status }) => path === 'hold' && status === 'waiting'),
    );
    clean('the next run', await sent(admin, 'GET', `/api/v1/runs/${next.runId}/history`));
    await sent(owner, 'POST', `/api/v1/runs/${next.runId}/cancel`, {});
    expect(clean('the log', engine.log.join('\n')).length).toBeGreaterThan(0);
    const { rows } = await sql.query<{ t: string }>('SELECT a::text AS t FROM audit_entry a');
    clean('the audit log', rows);
  });

  it('is masked in contents that are kept apart, and refused where it is the content', async () => {
    const { rows } = await sql.query<{ sha: string }>(
      'SELECT DISTINCT sha256::text AS sha FROM workflow_payload WHERE run_id = $1',
      [runId],
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const { sha } of rows) {
      const { status, body, headers } = await admin.send('GET', `/api/v1/runs/${runId}/payloads/${sha}`);
      expect([status, headers.get('etag')]).toEqual([200, null]);
      expect(clean('the novel', body).startsWith('••• •••')).toBe(true);
      const whole = await owner.send('GET', `/api/v1/runs/${runId}/payloads/${sha}?reveal=true`);
      expect(whole.body.startsWith(SSN)).toBe(true);
      expect(whole.headers.get('cache-control')).toBe('no-store');
    }
    const whole = { ...pay, name: 'whole', failureWorkflow: undefined, sensitive: ['/nodes/write/output'] };
    await sent(owner, 'POST', '/api/v1/workflows', {
      ...whole,
      nodes: [{ ...pay.nodes[2], arguments: { text: 'an open book' } }],
      edges: [],
      searchAttributes: undefined,
    });
    const other = await start('whole', { ssn: SSN });
    await closed(other);
    const found = await sql.query<{ sha: string }>(
      'SELECT sha256::text AS sha FROM workflow_payload WHERE run_id = $1',
      [other],
    );
    const answer = await admin.send('GET', `/api/v1/runs/${other}/payloads/${found.rows[0]?.sha}`);
    expect(answer.body).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('refusals do not repeat it', async () => {
    const body = { workflow: 'pay', input: { ssn: `${SSN}-${PASSWORD}`, password: 7, user: [CODE] } };
    const { status, body: problem } = await owner.send('POST', '/api/v1/runs', body);
    expect([status, problem.code]).toEqual([422, 'INVALID_WORKFLOW_INPUT']);
    clean('the refusal', problem);
  });

  it('the history keeps it: replay agrees, and an owner who asks sees it, each time on record', async () => {
    const { rows } = await sql.query<{ data: { input: object } }>(
      "SELECT data FROM workflow_event WHERE run_id = $1 AND type = 'WORKFLOW_EXECUTION_STARTED'",
      [runId],
    );
    expect(rows[0]?.data.input).toEqual(input);
    const base = `/api/v1/runs/${runId}`;
    const asks = [
      '?reveal=true',
      '/history?reveal=true',
      '/payload?node=login&reveal=true',
      '/events/1?reveal=true',
      '/events?reveal=true',
    ];
    for (const path of asks) {
      const refused = await admin.send('GET', base + path);
      expect([path, refused.status, refused.body.code]).toEqual([path, 403, 'FORBIDDEN']);
      const shown = JSON.stringify(await sent(owner, 'GET', base + path));
      expect(shown.includes(SSN) || shown.includes('token-of-ada'), path).toBe(true);
      expect(shown, path).not.toContain('•••');
    }
    const stream = await owner.send('GET', `${base}/events?follow&reveal=true`);
    expect(stream.body).toMatchObject({ code: 'INVALID_INPUT' });
    const entries = (await sent(owner, 'GET', `/api/v1/audit?action=run.reveal&object=${runId}`)).items;
    expect(entries.map(({ details }: { details: { what: string } }) => details.what).slice(0, 5)).toEqual([
      ...[`events 1–${await lastSeq()}`, 'event 1', 'node login', 'history', 'run'],
    ]);
  });
  const lastSeq = async () =>
    (await sql.query<{ n: number }>('SELECT max(seq) AS n FROM workflow_event WHERE run_id = $1', [runId]))
      .rows[0]?.n;

  it('a warning is given for a path at which nothing can be', async () => {
    const { problems: all } = await sent(admin, 'POST', '/api/v1/workflows/validate', outer);
    const problems = all.filter(({ code }: { code: string }) => code !== 'NO_TIMEOUT');
    expect(problems).toMatchObject([
      { code: 'SENSITIVE_PATH_UNKNOWN', severity: 'warning', pointer: '/sensitive/1' },
    ]);
  });

  it('secrets that a server was started with never get into a history, a log or an answer, whatever it says', async () => {
    for (const how of ['say', 'error', 'throw', 'exit']) {
      const id = await start('leaky', { how });
      const run = await closed(id);
      const { rows } = await sql.query<{ t: string }>(
        'SELECT data::text AS t FROM workflow_event WHERE run_id = $1',
        [id],
      );
      expect(JSON.stringify(rows), how).not.toContain(VAULT_KEY);
      expect(JSON.stringify(run), how).toContain('•••');
    }
    const logs = await sent(owner, 'GET', '/api/v1/servers/vault/logs');
    expect(JSON.stringify(logs)).toContain('the key is •••');
    const called = await sent(owner, 'POST', '/api/v1/servers/vault/call', {
      tool: 'leak',
      arguments: { how: 'say' },
    });
    for (const value of [logs, called, await sent(owner, 'GET', '/api/v1/servers/vault'), engine.log])
      expect(JSON.stringify(value)).not.toContain(VAULT_KEY);
    const { rows: tables } = await sql.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
    );
    for (const { name } of tables) {
      const { rowCount } = await sql.query(`SELECT 1 FROM "${name}" t WHERE t::text LIKE $1`, [
        `%${VAULT_KEY}%`,
      ]);
      expect([name, rowCount]).toEqual([name, 0]);
    }
  });
});
