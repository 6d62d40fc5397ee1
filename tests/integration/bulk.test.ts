import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uuidv7Time } from '@/lib/shared/ids';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

const patient = (name: string) => ({
  schemaVersion: 1,
  name,
  nodes: [{ id: 'gate', kind: 'wait', signal: 'go' }],
  edges: [],
});

describe('bulk operations on real processes', () => {
  let database: TestDatabase;
  let sql: pg.Client;
  const processes: EngineProcess[] = [];

  const launch = async (env: Record<string, string> = {}) => {
    const engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env,
    });
    processes.push(engine);
    return engine;
  };

  const startMany = async (engine: EngineProcess, workflow: string, count: number): Promise<string[]> => {
    await engine.request('POST', '/api/v1/workflows', patient(workflow));
    const started: Awaited<ReturnType<typeof engine.request>>[] = [];
    // A few at a time: this test is not about load.
    while (started.length < count) {
      const some = Array.from({ length: Math.min(25, count - started.length) }, () =>
        engine.request('POST', '/api/v1/runs', { workflow }),
      );
      started.push(...(await Promise.all(some)));
    }
    expect(started.filter(({ status }) => status !== 201).map(({ body }) => body)).toEqual([]);
    return started.map(({ body }) => body.runId as string);
  };

  const bulk = (engine: EngineProcess, body: unknown) =>
    engine.request('POST', '/api/v1/bulk-operations', body);
  const finished = (engine: EngineProcess, id: string) =>
    eventually('the operation ends', async () => {
      const { body } = await engine.request('GET', `/api/v1/bulk-operations/${id}`);
      return body.state !== 'running' && body;
    });
  const count = async (where: string) =>
    Number(
      (await sql.query<{ n: string }>(`SELECT count(*) AS n FROM workflow_run WHERE ${where}`)).rows[0]?.n,
    );

  beforeEach(async () => {
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
  });

  afterEach(async () => {
    for (const engine of processes.splice(0)) {
      await engine.end();
      await engine.removeData();
    }
    await sql.end();
    await database.drop();
  });

  it('reach the newest runs through a process whose clock was wrong, which gives its own runs the right time', async () => {
    const engine = await launch();
    const other = await launch({
      OPENCONDUCTOR_ROLES: 'sync',
      OPENCONDUCTOR_CLOCK_OFFSET_MS: '-300000',
    });
    const [own = ''] = await startMany(other, 'patient', 1);
    expect(Math.abs(uuidv7Time(own) - Date.now())).toBeLessThan(60_000);
    await startMany(engine, 'patient', 5);
    const { body } = await bulk(other, { action: 'cancel', filter: { workflow: 'patient' } });
    expect(await finished(other, body.bulkId)).toMatchObject({ state: 'completed', matched: 6, done: 6 });
    await eventually('they are cancelled', async () => (await count(`status = 'cancelled'`)) === 6);
  });

  it('pause, resume, signal: only the runs that fit, each once', async () => {
    const engine = await launch();
    await startMany(engine, 'patient-a', 30);
    await startMany(engine, 'patient-b', 5);

    const dry = await bulk(engine, { action: 'pause', filter: { workflow: 'patient-a' }, dryRun: true });
    expect([dry.status, dry.body.matched, dry.body.state, dry.body.bulkId]).toEqual([
      200,
      30,
      'dry-run',
      null,
    ]);
    expect((await sql.query('SELECT 1 FROM bulk_operation')).rowCount).toBe(0);

    const made = await bulk(engine, { action: 'pause', filter: { workflow: 'patient-a' }, reason: 'night' });
    expect([made.status, made.headers.get('location')]).toEqual([
      202,
      `/api/v1/bulk-operations/${made.body.bulkId}`,
    ]);
    expect(await finished(engine, made.body.bulkId)).toMatchObject({
      state: 'completed',
      filter: { workflow: 'patient-a', status: ['running'] },
      matched: 30,
      done: 30,
      failed: 0,
    });
    await eventually('they are paused', async () => (await count(`status = 'paused'`)) === 30);
    expect(await count(`workflow = 'patient-b' AND status = 'running'`)).toBe(5);

    const resumed = await bulk(engine, { action: 'resume', filter: { workflow: 'patient-a' } });
    expect((await finished(engine, resumed.body.bulkId)).done).toBe(30);
    const signal = { name: 'go', payload: { by: 'bulk' } };
    const sent = await bulk(engine, { action: 'signal', signal, filter: { status: ['running', 'paused'] } });
    expect((await finished(engine, sent.body.bulkId)).done).toBe(35);
    await eventually('all complete', async () => (await count(`status = 'completed'`)) === 35);
    const { rows } = await sql.query<{ n: string; runs: string }>(
      `SELECT count(*) AS n, count(DISTINCT run_id) AS runs FROM workflow_event WHERE type = 'WORKFLOW_EXECUTION_SIGNALED'`,
    );
    expect(rows[0]).toEqual({ n: '35', runs: '35' });
    const audit = await sql.query(
      `SELECT 1 FROM audit_entry WHERE action = 'run.pause' AND details->>'bulkId' = $1`,
      [made.body.bulkId],
    );
    expect(audit.rowCount).toBe(30);
  });

  it('cancel and terminate by ids and by time; runs that have closed fail with a reason', async () => {
    const engine = await launch();
    const ids = await startMany(engine, 'patient-a', 4);
    const [first, ...others] = ids as [string, ...string[]];
    await engine.request('POST', `/api/v1/runs/${first}/signal`, { name: 'go' });
    await eventually('one completes', async () => (await count(`status = 'completed'`)) === 1);

    const cancelled = await bulk(engine, { action: 'cancel', filter: { ids } });
    const result = await finished(engine, cancelled.body.bulkId);
    expect(result).toMatchObject({ matched: 4, done: 3, failed: 1 });
    expect(result.failures).toEqual([{ runId: first, code: 'RUN_CLOSED', message: expect.any(String) }]);
    await eventually(
      'they are cancelled',
      async () => (await count(`status = 'cancelled'`)) === others.length,
    );

    const old = await startMany(engine, 'patient-a', 2);
    const { rows } = await sql.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    const between = rows[0]?.now.toISOString();
    const young = await startMany(engine, 'patient-a', 2);
    const ended = await bulk(engine, { action: 'terminate', filter: { startedBefore: between } });
    expect((await finished(engine, ended.body.bulkId)).matched).toBe(2);
    await eventually('the old ones are ended', async () => (await count(`status = 'terminated'`)) === 2);
    const left = await sql.query<{ run_id: string }>(
      'SELECT run_id FROM workflow_run WHERE closed_at IS NULL',
    );
    expect(left.rows.map((row) => row.run_id).sort()).toEqual([...young].sort());
    expect(old).toHaveLength(2);
  });

  it('resumes after kill -9 in the midst: every run has the command once, and the count is right', async () => {
    const calm = await launch();
    await startMany(calm, 'patient-a', 450);
    await eventually('all wait', async () => {
      const { rows } = await sql.query<{ n: string }>('SELECT count(*) AS n FROM workflow_inbox');
      return Number(rows[0]?.n) === 0;
    });
    await calm.end('SIGTERM');
    // Dies at the 250th command: in its second chunk of 200.
    const doomed = await launch({ OPENCONDUCTOR_CRASH_POINT: 'after-append-before-ack:250' });
    const signal = { name: 'go' };
    const made = await bulk(doomed, { action: 'signal', signal, filter: { workflow: 'patient-a' } });
    const { signal: how } = await doomed.ended;
    expect(how).toBe('SIGKILL');
    const { rows: partly } = await sql.query<{ done: number; state: string }>(
      'SELECT done, state FROM bulk_operation',
    );
    expect(partly).toEqual([{ done: 200, state: 'running' }]);

    const heir = await launch();
    expect(await finished(heir, made.body.bulkId)).toMatchObject({ matched: 450, done: 450, failed: 0 });
    await eventually('all complete', async () => (await count(`status = 'completed'`)) === 450);
    const { rows } = await sql.query<{ n: string }>(
      `SELECT count(*) AS n FROM workflow_event WHERE type = 'WORKFLOW_EXECUTION_SIGNALED'`,
    );
    expect(rows[0]?.n).toBe('450');
    const { rows: audit } = await sql.query<{ n: string }>(
      `SELECT count(*) AS n FROM audit_entry WHERE action = 'run.signal'`,
    );
    expect(audit[0]?.n).toBe('450');
  });

  it('can be ended early, and then goes no further', async () => {
    const engine = await launch();
    await startMany(engine, 'patient-a', 10);
    await engine.end('SIGTERM');
    // Takes requests and does no work: nobody can be faster than the cancellation.
    const web = await launch({ OPENCONDUCTOR_ROLES: 'sync' });
    const made = await bulk(web, { action: 'cancel', filter: { workflow: 'patient-a' } });
    const ended = await web.request('POST', `/api/v1/bulk-operations/${made.body.bulkId}/cancel`);
    expect(ended.body).toMatchObject({ state: 'cancelled', matched: 10 });
    const worker = await launch();
    const list = await worker.request('GET', '/api/v1/bulk-operations');
    expect(list.body.items).toHaveLength(1);
    const marker = await bulk(worker, {
      action: 'signal',
      signal: { name: 'other' },
      filter: { workflow: 'patient-a' },
    });
    await finished(worker, marker.body.bulkId);
    expect(await count(`status = 'running'`)).toBe(10);
  });

  const failing = {
    schemaVersion: 1,
    name: 'failing',
    nodes: [{ id: 'stop', kind: 'terminate', status: 'failed', message: 'no luck' }],
    edges: [],
  };

  it('retry: closed runs that fit go on as new runs of their chains, each once though the worker dies', async () => {
    const calm = await launch();
    await calm.request('POST', '/api/v1/workflows', failing);
    const started = await Promise.all(
      Array.from({ length: 40 }, () =>
        calm.request('POST', '/api/v1/runs', { workflow: 'failing', priority: 2 }),
      ),
    );
    const ids = started.map(({ body }) => body.runId as string);
    await startMany(calm, 'patient-a', 2);
    await eventually('they fail', async () => (await count(`status = 'failed'`)) === 40);
    await calm.end('SIGTERM');

    // Dies at the 15th new run, in the midst of the first chunk of 16.
    const doomed = await launch({ OPENCONDUCTOR_CRASH_POINT: 'after-append-before-ack:15' });
    const made = await bulk(doomed, { action: 'retry', filter: { workflow: 'failing' } });
    expect(made.body).toMatchObject({
      matched: 40,
      filter: { status: ['failed', 'timed_out', 'dead_letter'] },
    });
    expect((await doomed.ended).signal).toBe('SIGKILL');
    const before = await count('previous_run_id IS NOT NULL');
    expect([before > 0, before < 40]).toEqual([true, true]);

    const heir = await launch();
    expect(await finished(heir, made.body.bulkId)).toMatchObject({ done: 40, failed: 0, state: 'completed' });
    const { rows } = await sql.query<{ previous: string; n: string }>(
      `SELECT previous_run_id AS previous, count(*) AS n FROM workflow_run
       WHERE previous_run_id IS NOT NULL GROUP BY 1`,
    );
    expect(rows.map((row) => row.previous).sort()).toEqual([...ids].sort());
    expect(rows.every((row) => row.n === '1')).toBe(true);
    await eventually('they fail again', async () => (await count(`status = 'failed'`)) === 80);
    const { body: again } = await heir.request('GET', `/api/v1/runs?limit=1&workflow=failing`);
    const { body: newest } = await heir.request('GET', `/api/v1/runs/${again.items[0].runId}`);
    expect(newest.priority).toBe(2);

    // Those that were taken up are not taken up twice; only the newest of each chain is.
    const dry = await bulk(heir, { action: 'retry', filter: { workflow: 'failing' }, dryRun: true });
    expect(dry.body.matched).toBe(40);
    const named = await bulk(heir, { action: 'retry', filter: { ids: ids.slice(0, 5) }, dryRun: true });
    expect(named.body.matched).toBe(0);
    // Open runs, and those that completed, are not for it.
    const open = await bulk(heir, { action: 'retry', filter: { workflow: 'patient-a' }, dryRun: true });
    expect(open.body.matched).toBe(0);
  });

  it('ten thousand ids are in the operation that is read, and not in lists nor in what only asks for the progress', async () => {
    const web = await launch({ OPENCONDUCTOR_ROLES: 'sync' });
    const ids = Array.from({ length: 10_000 }, () => randomUUID());
    const made = await bulk(web, { action: 'cancel', filter: { ids } });
    expect([made.status, made.body.named]).toEqual([202, 10_000]);
    const at = `/api/v1/bulk-operations/${made.body.bulkId}`;
    const without = { bulkId: made.body.bulkId, filter: {}, named: 10_000 };
    const list = await web.request('GET', '/api/v1/bulk-operations');
    expect(list.body.items).toEqual([{ ...made.body, ...without }]);
    expect((await web.request('GET', `${at}?ids=false`)).body).toEqual({ ...made.body, ...without });
    expect((await web.request('GET', at)).body.filter).toEqual({ ids });
  });

  it('refuses an empty filter, a missing signal, an unknown operation', async () => {
    const engine = await launch();
    const problem = async (body: unknown) => (await bulk(engine, body)).body;
    expect(await problem({ action: 'cancel', filter: {} })).toMatchObject({
      code: 'INVALID_INPUT',
      path: '/filter',
    });
    expect(await problem({ action: 'signal', filter: { workflow: 'a' } })).toMatchObject({
      code: 'INVALID_INPUT',
      path: '/signal',
    });
    expect(await problem({ action: 'erase', filter: { workflow: 'a' } })).toMatchObject({ path: '/action' });
    const { body } = await engine.request(
      'GET',
      '/api/v1/bulk-operations/01900000-0000-7000-8000-000000000000',
    );
    expect(body.code).toBe('BULK_NOT_FOUND');
    expect((await sql.query('SELECT 1 FROM bulk_operation')).rowCount).toBe(0);
  });
});
