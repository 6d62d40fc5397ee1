import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScheduleDetail } from '@/lib/protocol/schedule';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

const quick = {
  schemaVersion: 1,
  name: 'quick',
  nodes: [{ id: 'a', kind: 'transform', output: { ok: true } }],
  edges: [],
};
const patient = {
  schemaVersion: 1,
  name: 'patient',
  nodes: [{ id: 'gate', kind: 'wait', signal: 'go' }],
  edges: [],
};

describe('schedules on real processes', () => {
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

  const make = async (engine: EngineProcess, body: Record<string, unknown>) => {
    const answer = await engine.request('POST', '/api/v1/schedules', { workflow: 'quick', ...body });
    expect(answer.body).toMatchObject({ name: body.name });
    expect(answer.status).toBe(201);
    return answer.body;
  };

  const detail = async (engine: EngineProcess, name: string): Promise<ScheduleDetail> =>
    (await engine.request('GET', `/api/v1/schedules/${name}`)).body;

  const publish = async (engine: EngineProcess) => {
    for (const definition of [quick, patient]) {
      const { status, body } = await engine.request('POST', '/api/v1/workflows', definition);
      expect([status, body.problems]).toEqual([201, undefined]);
    }
  };

  /** As if no process had run since `secondsAgo`, or since the last time that was started, whichever is earlier. */
  const sleepSince = (secondsAgo: number) =>
    sql.query(
      `UPDATE workflow_schedule SET attention_at = '-infinity',
         next_at = least(next_at, date_trunc('second', clock_timestamp()) - make_interval(secs => $1))`,
      [secondsAgo],
    );

  /** Nominal time → number of runs started under it. */
  const runsByTime = async () => {
    const { rows } = await sql.query<{ workflow_id: string; n: string }>(
      'SELECT workflow_id, count(*) AS n FROM workflow_run GROUP BY workflow_id ORDER BY workflow_id',
    );
    return new Map(rows.map((row) => [row.workflow_id, Number(row.n)]));
  };

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

  it('starts a run at each second of a cron expression, with its input, and completes it', async () => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'tick', cron: '* * * * * *', overlap: 'allow-all', input: { n: 1 } });
    const seen = await eventually('three runs complete', async () => {
      const { rows } = await sql.query<{ workflow_id: string; started_by: string }>(
        `SELECT workflow_id, started_by FROM workflow_run WHERE status = 'completed' ORDER BY workflow_id`,
      );
      return rows.length >= 3 && rows;
    });
    expect(seen[0]?.workflow_id).toMatch(/^tick-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    expect(seen[0]?.started_by).toBe('schedule:tick');
    const { rows } = await sql.query<{ input: unknown }>(
      `SELECT data->'input' AS input FROM workflow_event WHERE type = 'WORKFLOW_EXECUTION_STARTED'`,
    );
    expect(rows[0]?.input).toEqual({ n: 1 });
    const { recent } = await detail(engine, 'tick');
    expect(recent[0]?.state).toMatch(/started|waiting/);
    expect(recent.every(({ nominalAt, dueAt }) => nominalAt === dueAt)).toBe(true);
  });

  it('two processes and a kill -9 in between: every time once, none twice, none lost', async () => {
    const [first, second] = [await launch(), await launch()];
    await publish(first);
    await make(first, { name: 'beat', every: '1s', overlap: 'allow-all', catchupWindow: '10m' });
    await eventually('both have work', async () => (await runsByTime()).size >= 4);
    await first.end('SIGKILL');
    const atKill = (await runsByTime()).size;
    await eventually('the other goes on', async () => (await runsByTime()).size >= atKill + 3);
    await second.end('SIGKILL');
    // Nobody is there; then somebody is.
    const before = await runsByTime();
    await sleepSince(8);
    const third = await launch();
    await eventually('the missed ones are there', async () => (await runsByTime()).size >= before.size + 4);
    await third.request('POST', '/api/v1/schedules/beat/pause', { note: 'enough' });

    const runs = await runsByTime();
    expect([...runs.values()].every((n) => n === 1)).toBe(true);
    const times = [...runs.keys()].map((id) => Date.parse(id.slice('beat-'.length)));
    // Whole seconds in a row: nothing is missing and nothing is out of line.
    expect(times).toEqual(times.map((_time, i) => (times[0] ?? 0) + i * 1_000));
  });

  it('a crash between the accepted start and its note: the start is recognised, not repeated', async () => {
    const calm = await launch();
    await publish(calm);
    await make(calm, { name: 'once', cron: '0 0 1 1 *', catchupWindow: '1d', paused: true });
    await calm.request('POST', '/api/v1/schedules/once/resume', {});
    await calm.end('SIGTERM');
    await sql.query(
      `UPDATE workflow_schedule SET next_at = date_trunc('minute', clock_timestamp()), attention_at = '-infinity'`,
    );
    // Dies right after the first command it accepts, which is the start of the schedule.
    const doomed = await launch({ OPENCONDUCTOR_CRASH_POINT: 'after-append-before-ack:1' }).catch(
      (e: Error) => e,
    );
    if (doomed instanceof EngineProcess) await doomed.ended;
    else expect(doomed.message).toContain('SIGKILL');
    const afterCrash = await sql.query<{ runs: string; noted: string }>(
      `SELECT (SELECT count(*) FROM workflow_run) AS runs,
         (SELECT count(*) FROM workflow_schedule_occurrence WHERE state = 'started') AS noted`,
    );
    expect(afterCrash.rows[0]).toEqual({ runs: '1', noted: '0' });

    const heir = await launch();
    const done = await eventually('it is noted', async () => {
      const { recent } = await detail(heir, 'once');
      return recent.find(({ state }) => state === 'started');
    });
    const { rows } = await sql.query<{ run_id: string }>('SELECT run_id FROM workflow_run');
    expect(rows).toEqual([{ run_id: done.runId }]);
  });

  it('a backfill of an outage before an engine has caught up: each time once, and the other schedules go on', async () => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'pulse', every: '1m', overlap: 'allow-all' });
    await make(engine, { name: 'other', cron: '0 0 1 1 *' });
    // As if no engine had run for eight minutes, nor had yet looked at the schedule.
    const { rows } = await sql.query<{ at: Date }>(
      `UPDATE workflow_schedule SET next_at = date_trunc('minute', clock_timestamp()) - interval '8 minutes',
         attention_at = NULL
       WHERE name = 'pulse' RETURNING next_at AS at`,
    );
    const from = rows[0]?.at.getTime() ?? 0;
    const span = { from: new Date(from - 1).toISOString(), to: new Date(from + 240_000).toISOString() };
    const filled = await engine.request('POST', '/api/v1/schedules/pulse/backfill', span);
    expect(filled.body.times).toHaveLength(5);
    await engine.request('POST', '/api/v1/schedules/other/trigger', {});
    const recent = await eventually('all are started', async () => {
      const found = (await detail(engine, 'pulse')).recent;
      return found.filter(({ state }) => state === 'started').length >= 9 && found;
    });
    expect(recent.map(({ kind }) => kind).slice(-9)).toEqual([
      ...Array.from({ length: 4 }, () => 'schedule'),
      ...Array.from({ length: 5 }, () => 'backfill'),
    ]);
    await eventually('the other one too', async () =>
      (await detail(engine, 'other')).recent.some(({ state }) => state === 'started'),
    );
    expect([...(await runsByTime()).values()].every((n) => n === 1)).toBe(true);
  });

  it('an input with a NUL that a later version refuses: the time says so, and the schedule goes on', async () => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'nul', cron: '0 0 1 1 *', input: { 'a\u0000': 1 } });
    const input = { type: 'object', additionalProperties: false };
    await engine.request('POST', '/api/v1/workflows', { ...quick, input });
    await engine.request('POST', '/api/v1/schedules/nul/trigger', {});
    const failed = await eventually('it failed', async () =>
      (await detail(engine, 'nul')).recent.find(({ state }) => state === 'failed'),
    );
    expect(failed.reason).toMatch(/^INVALID_WORKFLOW_INPUT: \/input\/a /);
  });

  it('a schedule that is paused starts nothing that waits', async () => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'slow', every: '1s', workflow: 'patient', overlap: 'buffer-one' });
    const states = async () => (await detail(engine, 'slow')).recent.map(({ state }) => state);
    await eventually('one waits', async () => (await states()).includes('waiting'));
    await engine.request('POST', '/api/v1/schedules/slow/pause', {});
    await eventually('none waits', async () => !(await states()).includes('waiting'));
    const { recent } = await detail(engine, 'slow');
    expect(recent.some(({ reason }) => reason === 'The schedule was paused.')).toBe(true);
    expect(await statuses()).toEqual(['running']);
  });

  it('after downtime: times within the catch-up window in order, older ones are missed', async () => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'late', every: '1m', overlap: 'allow-all', catchupWindow: '150s' });
    await sql.query(
      `UPDATE workflow_schedule SET next_at = date_trunc('minute', clock_timestamp()) - interval '10 minutes',
         attention_at = '-infinity'`,
    );
    await eventually('they are started', async () => {
      const { recent } = await detail(engine, 'late');
      return recent.filter(({ state }) => state === 'started').length >= 2;
    });
    // The next minute may come between the two looks at what was started.
    await engine.request('POST', '/api/v1/schedules/late/pause', {});
    const { recent } = await detail(engine, 'late');
    const { rows } = await sql.query<{ workflow_id: string }>(
      'SELECT workflow_id FROM workflow_run ORDER BY run_id',
    );
    const started = recent.filter(({ state }) => state === 'started').reverse();
    expect(started.length).toBeLessThanOrEqual(3);
    expect(rows.map((row) => row.workflow_id)).toEqual(started.map(({ nominalAt }) => `late-${nominalAt}`));
    expect(recent.at(-1)).toMatchObject({ state: 'missed', runId: null });
  });

  const open = async () =>
    (
      await sql.query<{ run_id: string }>(
        'SELECT run_id FROM workflow_run WHERE closed_at IS NULL ORDER BY run_id',
      )
    ).rows;
  const statuses = async () =>
    (await sql.query<{ status: string }>('SELECT status FROM workflow_run ORDER BY run_id')).rows.map(
      (r) => r.status,
    );

  it('skip: no second run while the first is open', async () => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'slow', every: '1s', workflow: 'patient', overlap: 'skip' });
    const skipped = await eventually('two are skipped', async () => {
      const { recent } = await detail(engine, 'slow');
      const found = recent.filter(({ state }) => state === 'skipped');
      return found.length >= 2 && found;
    });
    expect(skipped[0]?.reason).toContain('still open');
    expect(await statuses()).toEqual(['running']);
  });

  it('buffer-one: one waits and starts when the first has closed', async () => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'slow', cron: '0 0 1 1 *', workflow: 'patient', overlap: 'buffer-one' });
    for (let i = 0; i < 3; i++) await engine.request('POST', '/api/v1/schedules/slow/trigger', {});
    const states = async () => (await detail(engine, 'slow')).recent.map(({ state }) => state).reverse();
    await eventually('the third is skipped', async () => (await states())[2] === 'skipped');
    expect(await states()).toEqual(['started', 'waiting', 'skipped']);
    const [first] = await open();
    await engine.request('POST', `/api/v1/runs/${first?.run_id}/signal`, { name: 'go' });
    await eventually('the second starts', async () => (await states())[1] === 'started');
    expect(await statuses()).toEqual(['completed', 'running']);
  });

  it.each([
    ['cancel-other', 'cancelled'],
    ['terminate-other', 'terminated'],
  ])('%s: the open run is %s and the next one starts', async (overlap, status) => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'slow', cron: '0 0 1 1 *', workflow: 'patient', overlap });
    await engine.request('POST', '/api/v1/schedules/slow/trigger', {});
    await eventually('the first runs', async () => (await open()).length === 1);
    await engine.request('POST', '/api/v1/schedules/slow/trigger', {});
    await eventually('the second runs', async () => (await statuses()).length === 2);
    expect(await statuses()).toEqual([status, 'running']);
  });

  it('pause with a note, trigger once per key, backfill only what was not started, next times, removal', async () => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'daily', cron: '30 6 * * *', timeZone: 'Asia/Kolkata', overlap: 'allow-all' });
    const paused = await engine.request('POST', '/api/v1/schedules/daily/pause', { note: 'holidays' });
    expect(paused.body).toMatchObject({ paused: true, note: 'holidays', nextAt: null });

    const key = { 'idempotency-key': 'press-1' };
    const [a, b] = [
      await engine.request('POST', '/api/v1/schedules/daily/trigger', {}, key),
      await engine.request('POST', '/api/v1/schedules/daily/trigger', {}, key),
    ];
    expect([a.status, b.body]).toEqual([202, a.body]);
    await eventually('triggered once', async () => (await runsByTime()).size === 1);

    const span = { from: '2026-01-01T00:00:00Z', to: '2026-01-04T00:00:00Z' };
    const filled = await engine.request('POST', '/api/v1/schedules/daily/backfill', span);
    const days = ['2026-01-01T01:00:00.000Z', '2026-01-02T01:00:00.000Z', '2026-01-03T01:00:00.000Z'];
    expect(filled.body).toEqual({ times: days });
    await eventually('backfilled', async () => (await runsByTime()).size === 4);
    await eventually('and noted', async () =>
      (await detail(engine, 'daily')).recent.every(({ state }) => state === 'started'),
    );
    expect((await engine.request('POST', '/api/v1/schedules/daily/backfill', span)).body).toEqual({
      times: [],
    });

    const after = '2027-03-01T00:00:00Z';
    const times = await engine.request('GET', `/api/v1/schedules/daily/times?count=2&after=${after}`);
    expect(times.body).toEqual({ times: ['2027-03-01T01:00:00.000Z', '2027-03-02T01:00:00.000Z'] });
    const preview = await engine.request(
      'POST',
      `/api/v1/schedules/preview?count=2&after=2027-03-27T12:00:00Z`,
      {
        cron: '30 2 * * *',
        timeZone: 'Europe/Berlin',
      },
    );
    expect(preview.body).toEqual({ times: ['2027-03-28T01:00:00.000Z', '2027-03-29T00:30:00.000Z'] });

    // Its times are far apart: none comes between the end of the pause and the last look.
    const replaced = await engine.request('PUT', '/api/v1/schedules/daily', {
      workflow: 'quick',
      every: '365d',
    });
    // What it does not say about the pause it leaves alone: somebody else may have just paused it.
    expect(replaced.body).toMatchObject({ cron: null, everyMs: 365 * 86_400_000, overlap: 'skip' });
    expect(replaced.body).toMatchObject({ paused: true, note: 'holidays' });
    const resumed = { workflow: 'quick', every: '365d', paused: false, note: 'back' };
    const again = await engine.request('PUT', '/api/v1/schedules/daily', resumed);
    expect(again.body).toMatchObject({ paused: false, note: 'back' });
    expect((await engine.request('DELETE', '/api/v1/schedules/daily')).status).toBe(204);
    expect((await engine.request('GET', '/api/v1/schedules/daily')).body.code).toBe('SCHEDULE_NOT_FOUND');
    expect((await runsByTime()).size).toBe(4);
  });

  it('refuses what cannot be, and says where', async () => {
    const engine = await launch();
    await publish(engine);
    const refusal = async (body: unknown) => {
      const { body: problem } = await engine.request('POST', '/api/v1/schedules', body);
      return [problem.code, problem.path];
    };
    const good = { name: 'x', workflow: 'quick', cron: '0 0 * * *' };
    expect(await refusal({ ...good, cron: '0 0 31 2 *' })).toEqual(['INVALID_INPUT', '/cron']);
    expect(await refusal({ ...good, every: '5m' })).toEqual(['INVALID_INPUT', '/cron']);
    expect(await refusal({ ...good, timeZone: 'Nowhere/Here' })).toEqual(['INVALID_INPUT', '/timeZone']);
    expect(await refusal({ ...good, cron: undefined, every: '10ms' })).toEqual(['INVALID_INPUT', '/every']);
    expect(await refusal({ ...good, overlap: 'hope' })).toEqual(['INVALID_INPUT', '/overlap']);
    expect(await refusal({ ...good, cron: '2030/01/01 12:00' })).toEqual(['INVALID_INPUT', '/cron']);
    const elsewhere = { ...good, cron: undefined, every: '1h', timeZone: 'Mars/Olympus' };
    expect(await refusal(elsewhere)).toEqual(['INVALID_INPUT', '/timeZone']);
    expect((await refusal({ ...good, workflow: 'nope' }))[0]).toBe('WORKFLOW_NOT_FOUND');
    const input = { type: 'object', required: ['n'], additionalProperties: false, properties: { n: {} } };
    await engine.request('POST', '/api/v1/workflows', { ...quick, name: 'choosy', input });
    expect(await refusal({ ...good, workflow: 'choosy' })).toEqual(['INVALID_WORKFLOW_INPUT', '/input/n']);
    const other = { ...good, workflow: 'choosy', input: { n: 1, 'a\u0000': 1 } };
    expect((await refusal(other))[0]).toBe('INVALID_WORKFLOW_INPUT');
    await make(engine, good);
    expect(await refusal(good)).toEqual(['SCHEDULE_EXISTS', '/name']);
    const { rows } = await sql.query('SELECT name FROM workflow_schedule');
    expect(rows).toEqual([{ name: 'x' }]);
  });

  it('a start that is refused is recorded with its reason and the schedule goes on', async () => {
    const engine = await launch();
    await publish(engine);
    await make(engine, { name: 'broken', cron: '0 0 1 1 *' });
    await sql.query(`UPDATE workflow_schedule SET workflow = 'gone'`);
    await engine.request('POST', '/api/v1/schedules/broken/trigger', {});
    const failed = await eventually('it failed', async () =>
      (await detail(engine, 'broken')).recent.find(({ state }) => state === 'failed'),
    );
    expect(failed.reason).toContain('WORKFLOW_NOT_FOUND');
  });
});
