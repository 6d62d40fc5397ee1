import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { apiKey, firstOwner, member, type Visitor } from '../support/people';
import { plainWorkflow, WAITING } from './rest-cases/definitions';

const LIMIT = 60;
const NONE = { maxOpenRuns: null, maxRunsPerDay: null, maxServers: null, maxStorageBytes: null };

describe('how much one may ask for, and use', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let olga: Visitor;

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_AUTH: 'required', OPENCONDUCTOR_RATE_LIMIT: String(LIMIT) },
    });
    olga = await firstOwner(engine);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  it('quotas: what would be too much is refused when it is begun, and said', async () => {
    for (const definition of [plainWorkflow('plain'), WAITING])
      expect((await olga.send('POST', '/api/v1/workflows', definition)).status).toBe(201);
    const quota = (limits: object) => olga.send('PUT', '/api/v1/quotas', { ...NONE, ...limits });
    const start = (workflow: string) => olga.send('POST', '/api/v1/runs', { workflow });

    // Runs of today are counted from midnight UTC, which may not come in between.
    const DAY = 86_400_000;
    const today = Math.floor(Date.now() / DAY);
    const left = DAY - (Date.now() % DAY);
    if (left < 30_000) await eventually('tomorrow', () => Math.floor(Date.now() / DAY) > today);
    await quota({ maxOpenRuns: 1 });
    const first = await start('waiting');
    expect(first.status).toBe(201);
    // A start is acknowledged before its history is written. Seen in the database: olga's requests are counted.
    const sql = new pg.Client(database.adminUrl);
    await sql.connect();
    await eventually('the history of the first', async () => {
      const { rowCount } = await sql.query('SELECT 1 FROM workflow_event WHERE run_id = $1', [
        first.body.runId,
      ]);
      return rowCount !== 0;
    }).finally(() => sql.end());
    const second = await start('waiting');
    expect(second.body).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      detail: expect.stringContaining('1 open runs'),
    });
    await quota({ maxRunsPerDay: 1 });
    expect((await start('plain')).body).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await quota({ maxStorageBytes: 0 });
    expect((await start('plain')).body).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    await quota({ maxServers: 0 });
    const server = { name: 'extra', config: { type: 'stdio', command: 'node', args: ['x.mjs'] } };
    const added = await olga.send('POST', '/api/v1/servers', server);
    expect(added.body, JSON.stringify(added.body)).toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
    const { body } = await quota({});
    expect(body.usage).toMatchObject({ openRuns: 1, runsToday: 1, servers: 0 });
    expect(body.usage.storageBytes).toBeGreaterThan(0);
    expect((await start('plain')).status).toBe(201);
  });

  it('requests: one user’s are counted over sessions and keys; others are not held up', async () => {
    const bert = await member(olga, 'bert@example.com', 'viewer');
    const key = { authorization: `Bearer ${await apiKey(bert)}` };
    let last = await bert.send('GET', '/api/v1/me');
    let asked = 2;
    while (last.status === 200 && asked < LIMIT + 10) {
      last = await bert.send('GET', '/api/v1/me', undefined, asked % 2 === 0 ? key : {});
      asked += 1;
    }
    expect(asked).toBe(LIMIT + 1);
    expect(last.body).toMatchObject({ code: 'RATE_LIMITED', retriable: true });
    const wait = Number(last.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    expect(last.headers.get('ratelimit-remaining')).toBe('0');
    expect((await olga.send('GET', '/api/v1/me')).status).toBe(200);
  });
});
