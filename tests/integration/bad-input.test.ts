import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

/** Requests that are wrong in one way each: 4xx, a code, the path of the field, and nothing written. */

const VALID = {
  schemaVersion: 1,
  name: 'plain',
  input: { type: 'object', required: ['path'], properties: { path: { type: 'string' } } },
  nodes: [{ id: 'a', kind: 'transform', output: '${input.path}' }],
};

describe('bad input', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let sql: pg.Client;

  const counts = async () => {
    const { rows } = await sql.query(
      `SELECT (SELECT count(*) FROM workflow_run) AS runs, (SELECT count(*) FROM workflow_version) AS versions,
         (SELECT count(*) FROM audit_entry) AS audit, (SELECT count(*) FROM idempotency_record) AS keys`,
    );
    return rows[0];
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
    expect((await engine.request('POST', '/api/v1/workflows', VALID)).status).toBe(201);
  });
  afterAll(async () => {
    await engine.end();
    await engine.removeData();
    await sql.end();
    await database.drop();
  });

  const cases: [
    string,
    { method?: string; path: string; body?: unknown; headers?: Record<string, string> },
    number,
    string,
    string?,
  ][] = [
    ['broken JSON', { path: '/api/v1/runs', body: '{"workflow": "plain",' }, 400, 'INVALID_JSON', '/'],
    [
      'not UTF-8 type',
      { path: '/api/v1/runs', body: 'a=b', headers: { 'content-type': 'text/plain' } },
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ],
    [
      'unknown workflow',
      { path: '/api/v1/runs', body: { workflow: 'nope' } },
      404,
      'WORKFLOW_NOT_FOUND',
      '/workflow',
    ],
    [
      'unknown version',
      { path: '/api/v1/runs', body: { workflow: 'plain', version: 9 } },
      404,
      'WORKFLOW_NOT_FOUND',
      '/workflow',
    ],
    [
      'wrong type in the body',
      { path: '/api/v1/runs', body: { workflow: 7 } },
      400,
      'INVALID_INPUT',
      '/workflow',
    ],
    [
      'unknown field in the body',
      { path: '/api/v1/runs', body: { workflow: 'plain', inptu: {} } },
      400,
      'INVALID_INPUT',
    ],
    [
      'input without a required field',
      { path: '/api/v1/runs', body: { workflow: 'plain', input: {} } },
      422,
      'INVALID_WORKFLOW_INPUT',
      '/input/path',
    ],
    [
      'input of the wrong type',
      { path: '/api/v1/runs', body: { workflow: 'plain', input: { path: 7 } } },
      422,
      'INVALID_WORKFLOW_INPUT',
      '/input/path',
    ],
    [
      'unknown server',
      { path: '/api/v1/runs', body: { workflow: 'plain', input: { path: 'x' }, servers: ['nope'] } },
      404,
      'SERVER_NOT_FOUND',
      '/servers/0',
    ],
    [
      '5 MB input',
      { path: '/api/v1/runs', body: { workflow: 'plain', input: { path: 'x'.repeat(5_000_000) } } },
      413,
      'PAYLOAD_TOO_LARGE',
      '/',
    ],
    [
      'control characters in an id',
      { path: '/api/v1/runs', body: { workflow: 'plain', input: { path: 'x' }, workflowId: 'a\u0000b' } },
      400,
      'INVALID_INPUT',
      '/workflowId',
    ],
    [
      'bad idempotency key',
      {
        path: '/api/v1/runs',
        body: { workflow: 'plain', input: { path: 'x' } },
        headers: { 'idempotency-key': 'x'.repeat(300) },
      },
      400,
      'INVALID_INPUT',
      '/headers/idempotency-key',
    ],
    [
      'unknown run',
      { method: 'GET', path: '/api/v1/runs/01999999-0000-7000-8000-000000000000' },
      404,
      'RUN_NOT_FOUND',
      '/runId',
    ],
    ['a run id that is none', { method: 'GET', path: '/api/v1/runs/abc' }, 404, 'RUN_NOT_FOUND', '/runId'],
    ['bad query', { method: 'GET', path: '/api/v1/runs?limit=0' }, 400, 'INVALID_INPUT', '/limit'],
    [
      'unknown status',
      { method: 'GET', path: '/api/v1/runs?status=sleeping' },
      400,
      'INVALID_INPUT',
      '/status',
    ],
    ['bad cursor', { method: 'GET', path: '/api/v1/runs?cursor=zzz' }, 400, 'INVALID_INPUT', '/cursor'],
    [
      'invalid definition',
      { path: '/api/v1/workflows', body: { ...VALID, name: 'broken', nodes: [{ id: 'a', kind: 'nope' }] } },
      422,
      'INVALID_DEFINITION',
    ],
    ['not a definition', { path: '/api/v1/workflows', body: [] }, 422, 'INVALID_DEFINITION'],
    ['unknown address', { method: 'GET', path: '/api/v1/nothing' }, 404, 'NOT_FOUND'],
    ['wrong method', { method: 'DELETE', path: '/api/v1/runs' }, 405, 'METHOD_NOT_ALLOWED'],
    [
      'a page of another origin',
      { path: '/api/v1/runs', body: { workflow: 'plain' }, headers: { origin: 'https://evil.example' } },
      403,
      'FORBIDDEN_ORIGIN',
    ],
  ];

  it.each(cases)('%s', async (_name, { method = 'POST', path, body, headers }, status, code, field) => {
    const before = await counts();
    const answer = await engine.request(method, path, body, headers);
    expect(answer.body).toMatchObject({ status, code, ...(field === undefined ? {} : { path: field }) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.body.next.length).toBeGreaterThan(10);
    expect(await counts()).toEqual(before);
  });

  const NUL = 'a\u0000b';
  const run = (more: string) => `/api/v1/runs/01999999-0000-7000-8000-000000000000${more}`;
  const plain = { workflow: 'plain' };
  it.each([
    ['/api/v1/runs', { workflow: NUL }, '/workflow'],
    ['/api/v1/runs', { ...plain, servers: [NUL] }, '/servers/0'],
    ['/api/v1/runs', { ...plain, [NUL]: 1 }, '/'],
    [run('/signal'), { name: NUL, payload: NUL }, '/name'],
    [run('/cancel'), { reason: NUL }, '/reason'],
    [run('/approve'), { comment: NUL, form: NUL }, '/comment'],
    ['/api/v1/bulk-operations', { action: 'cancel', filter: { workflow: NUL } }, '/filter/workflow'],
    ['/api/v1/bulk-operations', { action: 'cancel', filter: plain, reason: NUL }, '/reason'],
    ['/api/v1/bulk-operations', { action: 'signal', filter: plain, signal: { name: NUL } }, '/signal/name'],
    ['/api/v1/schedules', { name: 's', workflow: NUL, every: '1h' }, '/workflow'],
    ['/api/v1/schedules', { name: 's', ...plain, every: '1h', note: NUL }, '/note'],
    ['/api/v1/schedules', { name: 's', ...plain, every: '1h', timeZone: NUL }, '/timeZone'],
    ['/api/v1/teams', { name: NUL }, '/name'],
    ['/api/v1/api-keys', { name: NUL }, '/name'],
  ])('a NUL character is refused, not an error of ours: %s %j', async (path, body, field) => {
    const before = await counts();
    const answer = await engine.request('POST', path, body);
    expect([answer.status, answer.body.code, answer.body.path]).toEqual([400, 'INVALID_INPUT', field]);
    expect(await counts()).toEqual(before);
  });

  it('a NUL character may be in contents: inputs, payloads, and what is made of them', async () => {
    const waits = { schemaVersion: 1, name: 'waits', nodes: [{ id: 'w', kind: 'wait', signal: 'go' }] };
    expect((await engine.request('POST', '/api/v1/workflows', waits)).status).toBe(201);
    const contents = { path: NUL, [NUL]: [NUL] };
    const started = await engine.request('POST', '/api/v1/runs', { workflow: 'waits', input: contents });
    expect(started.status).toBe(201);
    const path = `/api/v1/runs/${started.body.runId}`;
    const signal = await engine.request('POST', `${path}/signal`, { name: 'go', payload: contents });
    expect(signal.status).toBe(202);
    await eventually(
      'the run closes',
      async () => (await engine.request('GET', path)).body.closedAt !== null,
    );
    const { body } = await engine.request('GET', path);
    expect([body.status, body.input]).toEqual(['completed', contents]);
    expect(JSON.stringify(body.output)).toContain(JSON.stringify(contents));
    const again = await engine.request('POST', `${path}/restart`, { input: contents });
    expect(again.status).toBe(201);
    const schedule = { name: 'nul', workflow: 'waits', every: '1h', input: contents };
    expect((await engine.request('POST', '/api/v1/schedules', schedule)).status).toBe(201);
    const bulk = {
      action: 'signal',
      filter: { ids: [again.body.runId] },
      signal: { name: 'go', payload: contents },
    };
    expect((await engine.request('POST', '/api/v1/bulk-operations', bulk)).status).toBe(202);
    await eventually('the bulk signal arrives', async () => {
      const { body: other } = await engine.request('GET', `/api/v1/runs/${again.body.runId}`);
      return other.status === 'completed';
    });
  });

  it('says which methods an address takes', async () => {
    const answer = await engine.request('DELETE', '/api/v1/runs');
    expect(answer.headers.get('allow')).toBe('GET, POST');
  });

  it('the same Idempotency-Key gives the same run; another request with it is refused', async () => {
    const headers = { 'idempotency-key': 'order-1' };
    const body = { workflow: 'plain', input: { path: 'x' } };
    const [first, second] = [
      await engine.request('POST', '/api/v1/runs', body, headers),
      await engine.request('POST', '/api/v1/runs', body, headers),
    ];
    expect(second.body.runId).toBe(first.body.runId);
    const other = await engine.request('POST', '/api/v1/runs', { ...body, input: { path: 'y' } }, headers);
    expect(other.body).toMatchObject({ status: 409, code: 'IDEMPOTENCY_CONFLICT' });
  });
});
