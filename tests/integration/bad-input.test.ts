import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';

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
