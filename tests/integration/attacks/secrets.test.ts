import { resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenWithOAuth } from '../../fixtures/mcp-servers/oauth-server.mjs';
import { assertCleanDatabase, assertCleanLog, formsOf, leakIn, plant } from '../../support/canary';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { EngineProcess } from '../../support/engine-process';
import { eventually } from '../../support/eventually';
import { OtlpCollector } from '../../support/otlp-collector';
import { apiKey, firstOwner, member, type Visitor } from '../../support/people';
import { WebhookReceiver } from '../../support/webhook-receiver';

const SERVER = resolve(import.meta.dirname, '../../fixtures/attacks/echoing-server.mjs');

/** A secret for each use that a secret has. The wall of tests/support/canary.ts looks for them in logs and tables as well. */
const CANARY = {
  env: plant('canary-env-ÄÖ+/=-1d9c42', 'the variable of a server'),
  header: plant('canary-header-77aa31-x', 'the header of a server'),
  inline: plant('sk-canary-inline-5fe0b6a1c2', 'a secret written into a configuration'),
  client: plant('canary-client-secret-90ab', 'the secret of an OAuth client'),
  chat: plant('canary-chat-address-31f7', 'the address of a chat webhook'),
  unused: plant('canary-unused-secret-8e21', 'a secret that nothing uses'),
  password: plant('canary password of vera 44', 'a password'),
  guess: plant('canary password guessed 19', 'a wrong password'),
  secretKey: plant('canary-secret-key-of-the-instance-0123456789', 'what everything is sealed under'),
};

/** Secrets used in every way that a secret can be used, then looked for everywhere that something is told. */
describe('secret leakage', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let receiver: WebhookReceiver;
  let collector: OtlpCollector;
  let remote: Awaited<ReturnType<typeof listenWithOAuth>>;
  let olga: Visitor;
  /** Everything that was answered to anybody. */
  const told: string[] = [];
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const answer = await olga.send(method, `/api/v1${path}`, body, headers);
    told.push(
      `${method} ${path}: ${typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body)}`,
    );
    told.push(`${method} ${path} headers: ${JSON.stringify([...answer.headers])}`);
    return answer;
  };
  const stdio = (env: Record<string, string>) => ({ type: 'stdio', command: 'node', args: [SERVER], env });

  beforeAll(async () => {
    database = await createTestDatabase();
    receiver = await WebhookReceiver.start();
    receiver.answer = () => 401;
    collector = await OtlpCollector.listen();
    remote = await listenWithOAuth({ clients: { app: { secret: CANARY.client } } });
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: {
        OPENCONDUCTOR_AUTH: 'required',
        OPENCONDUCTOR_RATE_LIMIT: '0',
        OPENCONDUCTOR_NETWORKS: 'public,loopback',
        OPENCONDUCTOR_SECRET_KEY: CANARY.secretKey,
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      },
    });
    olga = await firstOwner(engine);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await receiver.stop();
    await collector.close();
    await remote.close();
    await database.drop();
  });

  it('secrets are used: by servers, headers, OAuth clients, webhooks, people and programs', async () => {
    for (const [name, value] of Object.entries({
      ENV: CANARY.env,
      HEADER: CANARY.header,
      UNUSED: CANARY.unused,
    }))
      expect((await ask('PUT', `/secrets/${name}`, { value })).status).toBeLessThan(300);
    const servers: [string, object][] = [
      ['env', stdio({ API_TOKEN: '${secret:ENV}' })],
      ['inline', stdio({ API_TOKEN: CANARY.inline })],
      [
        'header',
        {
          type: 'streamable-http',
          url: `${receiver.url}/mcp`,
          headers: { Authorization: 'Bearer ${secret:HEADER}', 'X-Api-Key': CANARY.inline },
        },
      ],
      ['query', { type: 'streamable-http', url: `${receiver.url}/mcp?token=\${secret:HEADER}` }],
      ['dead', { type: 'streamable-http', url: 'http://127.0.0.1:9/${secret:HEADER}' }],
      [
        'oauth',
        {
          type: 'streamable-http',
          url: remote.url,
          oauth: { grant: 'client-credentials', clientId: 'app', clientSecret: CANARY.client },
        },
      ],
    ];
    for (const [name, config] of servers) {
      const added = await ask('POST', '/servers', { name, config });
      expect(added.status, JSON.stringify(added.body)).toBe(201);
    }
    await ask('POST', '/servers/import', {
      document: {
        mcpServers: { imported: { command: 'node', args: [SERVER], env: { API_TOKEN: CANARY.inline } } },
      },
    });
    for (const name of ['env', 'inline', 'header', 'query', 'dead']) {
      await ask('POST', `/servers/${name}/test`, {});
      await ask('POST', `/servers/${name}/call`, { tool: 'quiet', arguments: {} });
      await ask('POST', `/servers/${name}/authorize`);
    }
    expect(
      JSON.stringify((await ask('POST', '/servers/env/call', { tool: 'quiet', arguments: {} })).body),
    ).toContain('has a secret');
    expect(
      (await ask('POST', '/servers/oauth/call', { tool: 'echo', arguments: { value: 'hi' } })).status,
    ).toBe(200);
    // The secrets did arrive.
    expect(receiver.received.some(({ headers }) => headers.authorization === `Bearer ${CANARY.header}`)).toBe(
      true,
    );

    const hooks: [string, object][] = [
      ['chat', { url: `${receiver.url}/services/${CANARY.chat}`, format: 'slack' }],
      ['plain', { url: `${receiver.url}/plain`, format: 'generic' }],
    ];
    for (const [name, body] of hooks) {
      const made = await olga.send('POST', '/api/v1/webhooks/out', { name, ...body });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      // Shown this once; from now on nowhere.
      if (made.body.secret) plant(made.body.secret.replace('whsec_', ''), 'the secret of a webhook');
      await ask('POST', `/webhooks/out/${name}/test`);
    }
    const vera = await member(olga, 'vera@example.com', 'viewer');
    const changed = { currentPassword: 'correct horse battery staple', newPassword: CANARY.password };
    expect((await vera.send('POST', '/api/auth/change-password', changed)).status).toBe(200);
    expect((await vera.signIn('vera@example.com', CANARY.password)).status).toBe(200);
    expect((await vera.signIn('vera@example.com', CANARY.guess)).status).toBe(401);
    const key = await apiKey(olga, { name: 'program' });
    expect((await olga.send('GET', '/api/v1/me', undefined, { authorization: `Bearer ${key}` })).status).toBe(
      200,
    );
    // As somebody does who pastes it into the wrong field.
    await ask('GET', `/runs?cursor=${encodeURIComponent('not-a-cursor')}`);

    const nodes = ['quiet'].map((tool) => ({ id: tool, kind: 'mcp-server', server: 'env', tool }));
    await ask('POST', '/workflows', { schemaVersion: 1, name: 'uses', nodes });
    await ask('POST', '/workflows', {
      schemaVersion: 1,
      name: 'dies',
      nodes: [{ id: 'a', kind: 'mcp-server', server: 'dead', tool: 'x', retry: { maxAttempts: 1 } }],
    });
    for (const workflow of ['uses', 'dies']) {
      const { runId } = (await ask('POST', '/runs', { workflow })).body;
      await eventually(`${workflow} is over`, async () =>
        /completed|failed/.test((await ask('GET', `/runs/${runId}`)).body.status),
      );
    }
  });

  it('secret leakage: no answer of the API, export, metric or page tells a secret', async () => {
    const { body } = await ask('GET', '/openapi.json');
    const { items } = (await ask('GET', '/runs')).body;
    const names: Record<string, string[]> = {
      runId: items.map(({ runId }: { runId: string }) => runId),
      name: ['env', 'inline', 'header', 'query', 'dead', 'oauth', 'chat', 'plain', 'uses', 'ENV', 'imported'],
    };
    const cookie = [...olga.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const read = async (path: string) => {
      const response = await fetch(engine.url + path, { headers: { cookie } });
      told.push(`${path} ${JSON.stringify([...response.headers])} ${await response.text()}`);
    };
    for (const [template, methods] of Object.entries(body.paths as Record<string, object>)) {
      if (!('get' in methods)) continue;
      const parameter = /\{(\w+)\}/.exec(template)?.[1];
      for (const value of parameter === undefined ? [''] : (names[parameter] ?? ['1']))
        await read(template.replace(/\{\w+\}/, value).replaceAll(/\{\w+\}/g, '1'));
    }
    for (const path of [
      '/metrics',
      '/health',
      '/health/deep',
      '/api/docs',
      '/api/v1/audit/export?format=csv',
    ])
      await read(path);
    expect(told.length).toBeGreaterThan(150);
    for (const answer of told) expect(leakIn(answer)).toBeNull();
  });

  it('secret leakage: no live event, trace or delivery tells a secret', async () => {
    const sql = new pg.Client(database.adminUrl);
    await sql.connect();
    const { rows } = await sql.query('SELECT row_to_json(s)::text AS text FROM stream_entry s');
    await sql.end();
    expect(rows.length).toBeGreaterThan(5);
    for (const { text } of rows) expect(leakIn(text)).toBeNull();
    for (const { text, headers } of receiver.received.filter(({ path }) => path === '/plain'))
      expect(leakIn(text + JSON.stringify(headers))).toBeNull();
    await eventually('spans were exported', () => JSON.stringify(collector.spans).includes('quiet'));
    expect(leakIn(JSON.stringify(collector.spans))).toBeNull();
  });

  it('secret leakage: no line of the log at its most talkative, and no table, holds a secret', async () => {
    const session =
      decodeURIComponent(olga.cookies.get('openconductor.session_token') ?? '').split('.')[0] ?? '';
    expect(engine.log.some((line) => line.includes('"level":"DEBUG"'))).toBe(true);
    assertCleanLog(engine.log);
    for (const line of engine.log) expect(leakIn(line, [session])).toBeNull();
    await assertCleanDatabase(database.adminUrl);
  });

  it('the wall itself finds what it is for: in text, in JSON, in base64 wherever it begins, in hex and in bytes', async () => {
    const sql = new pg.Client(database.adminUrl);
    await sql.connect();
    try {
      await sql.query('CREATE TABLE public.wall_check (t text, j jsonb, b bytea)');
      const put = async (column: string, value: unknown) => {
        await sql.query('TRUNCATE wall_check');
        await sql.query(`INSERT INTO wall_check (${column}) VALUES ($1)`, [value]);
        await expect(assertCleanDatabase(database.adminUrl), `${column} ${value}`).rejects.toThrow(
          /wall_check/,
        );
      };
      const secret = CANARY.header;
      await put('t', `before ${secret} after`);
      await put('j', JSON.stringify({ deep: [{ value: `x${secret}` }] }));
      await put('b', Buffer.from(`xx${secret}`));
      await put('t', Buffer.from(secret).toString('hex'));
      for (const before of ['', 'a', 'ab', 'abc']) {
        await put('t', Buffer.from(`${before}${secret}:more`).toString('base64'));
        await put('t', Buffer.from(`${before}${secret}:more`).toString('base64url'));
      }
      await put('t', encodeURIComponent(CANARY.env));
      expect(formsOf(secret).length).toBeGreaterThan(5);
      expect(() => assertCleanLog([`{"x":"${secret}"}`])).toThrow(/A log holds/);
    } finally {
      await sql.query('DROP TABLE IF EXISTS wall_check');
      await sql.end();
    }
  });

  it('secret leakage: a secret that a tool gives back is masked, in its answer, its error and its history', async () => {
    const other = await createTestDatabase();
    const local = await EngineProcess.start({ databaseUrl: other.adminUrl, servers: {} });
    try {
      const secret = 'canary-echoed-by-a-tool-2b7e';
      const send = async (method: string, path: string, body?: unknown) =>
        (await local.request(method, `/api/v1${path}`, body)).body;
      await send('PUT', '/secrets/ENV', { value: secret });
      await send('POST', '/servers', { name: 'env', config: stdio({ API_TOKEN: '${secret:ENV}' }) });
      const tools = ['echo', 'is_error', 'fail'];
      const answers: unknown[] = [];
      for (const tool of tools) {
        answers.push(await send('POST', '/servers/env/call', { tool, arguments: {} }));
        const node = { id: 'a', kind: 'mcp-server', server: 'env', tool, retry: { maxAttempts: 1 } };
        await send('POST', '/workflows', { schemaVersion: 1, name: tool.replace('_', '-'), nodes: [node] });
        const { runId } = await send('POST', '/runs', { workflow: tool.replace('_', '-') });
        await eventually(`${tool} is over`, async () =>
          /completed|failed/.test((await send('GET', `/runs/${runId}`)).status),
        );
        answers.push(await send('GET', `/runs/${runId}/history`));
      }
      expect(answers.map((answer) => leakIn(JSON.stringify(answer), [secret]))).toEqual(
        answers.map(() => null),
      );
      for (const line of local.log) expect(leakIn(line, [secret])).toBeNull();
      await assertCleanDatabase(other.adminUrl, [secret]);
    } finally {
      await local.end('SIGTERM');
      await local.removeData();
      await other.drop();
    }
  });
});
