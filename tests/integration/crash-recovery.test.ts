import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess, type ServersConfig } from '../support/engine-process';
import { eventually } from '../support/eventually';

const fixture = resolve(import.meta.dirname, '../fixtures/mcp-servers/slow-server.mjs');

interface Call {
  event: 'start' | 'done';
  key: string;
}

/** Three calls of the slow tool, one after another. */
function slowWorkflow(tool: string, ms: number) {
  const step = (id: string) => ({
    id,
    kind: 'mcp-server',
    server: 'slow',
    tool,
    arguments: { ms, value: `\${input.n + " ${id}"}` },
  });
  return {
    schemaVersion: 1,
    name: `slow-${tool.replace('_', '-')}`,
    nodes: [step('a'), step('b'), step('c')],
    edges: [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
    ],
  };
}

describe('crash recovery of a real process with a real tool', () => {
  let database: TestDatabase;
  const processes: EngineProcess[] = [];
  let sql: pg.Client;

  const launch = async (servers: ServersConfig, dataDir?: string, env: Record<string, string> = {}) => {
    const engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers,
      env,
      ...(dataDir === undefined ? {} : { dataDir }),
    });
    processes.push(engine);
    return engine;
  };

  const setUp = async () => {
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
  };

  afterEach(async () => {
    for (const engine of processes.splice(0)) {
      engine.signal('SIGCONT');
      await engine.end();
      await engine.removeData();
    }
    await sql.end();
    await database.drop();
  });

  const slowServers = (logFile: string): ServersConfig => ({
    slow: { command: 'node', args: [fixture], env: { LOG_FILE: logFile } },
  });

  const calls = async (logFile: string): Promise<Call[]> =>
    (await readFile(logFile, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Call);

  const statuses = async () => {
    const { rows } = await sql.query<{ status: string; n: string }>(
      'SELECT status, count(*) AS n FROM workflow_run GROUP BY status',
    );
    return Object.fromEntries(rows.map(({ status, n }) => [status, Number(n)]));
  };

  const completedKeys = async () => {
    const { rows } = await sql.query<{ run_id: string; activity: string }>(
      `SELECT run_id, data->>'activityId' AS activity FROM workflow_event WHERE type = 'ACTIVITY_TASK_COMPLETED'`,
    );
    return rows.map(({ run_id, activity }) => `${run_id}:${activity}`);
  };

  it('50 runs in flight, kill -9, start again: all finish and no completed step runs twice', async () => {
    await setUp();
    const logFile = join(tmpdir(), `slow-${randomUUID()}.jsonl`);
    const first = await launch(slowServers(logFile));
    const published = await first.request('POST', '/api/v1/workflows', slowWorkflow('slow_echo', 500));
    expect(published.status).toBe(201);
    const started = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        first.request('POST', '/api/v1/runs', { workflow: 'slow-slow-echo', input: { n: `run ${n}` } }),
      ),
    );
    expect(started.map(({ status }) => status)).toEqual(Array(50).fill(201));

    await eventually('some steps completed', async () => (await completedKeys()).length >= 20);
    await first.end('SIGKILL');
    const before = await completedKeys();
    expect(before.length).toBeLessThan(150);

    await launch(slowServers(logFile), first.dataDir);
    await eventually('all runs complete', async () => (await statuses()).completed === 50);
    expect(await statuses()).toEqual({ completed: 50 });

    const finished = (await calls(logFile)).filter(({ event }) => event === 'done').map(({ key }) => key);
    expect(new Set(finished).size).toBe(150);
    for (const key of before) {
      expect(
        finished.filter((done) => done === key),
        key,
      ).toHaveLength(1);
    }
    const { rows } = await sql.query<{ gaps: string }>(
      'SELECT count(*) AS gaps FROM (SELECT run_id FROM workflow_event GROUP BY run_id HAVING max(seq) <> count(*)) AS broken',
    );
    expect(Number(rows[0]?.gaps)).toBe(0);
  });

  it('a call without idempotentHint that was under way at the crash is not repeated: it waits for a person', async () => {
    await setUp();
    const logFile = join(tmpdir(), `slow-${randomUUID()}.jsonl`);
    const first = await launch(slowServers(logFile));
    await first.request('POST', '/api/v1/workflows', slowWorkflow('slow_write', 20_000));
    const { body: run } = await first.request('POST', '/api/v1/runs', {
      workflow: 'slow-slow-write',
      input: { n: 'only' },
    });
    await eventually('the tool is called', async () => (await calls(logFile).catch(() => [])).length > 0);
    await first.end('SIGKILL');

    const second = await launch(slowServers(logFile), first.dataDir);
    const parked = await eventually('the step is parked', async () => {
      const { body } = await second.request('GET', `/api/v1/runs/${run.runId}`);
      return body.nodes.find((node: { status: string }) => node.status === 'unknown_outcome');
    });
    expect(parked).toMatchObject({ path: 'a', attempt: 1 });
    expect((await calls(logFile)).filter(({ event }) => event === 'start')).toHaveLength(1);
    expect(await statuses()).toEqual({ running: 1 });
  });

  it('a process that ends between the commit that begins such a call and the call has not made it: a person is asked', async () => {
    await setUp();
    const logFile = join(tmpdir(), `slow-${randomUUID()}.jsonl`);
    // Dies before the second call: the first has opened the connection, so that nothing holds the second up.
    const env = { OPENCONDUCTOR_CRASH_POINT: 'before-effect:2' };
    const first = await launch(slowServers(logFile), undefined, env);
    await first.request('POST', '/api/v1/workflows', slowWorkflow('slow_write', 1));
    const { body: run } = await first.request('POST', '/api/v1/runs', {
      workflow: 'slow-slow-write',
      input: { n: 'only' },
    });
    await first.ended;
    const { rows } = await sql.query<{ types: string[] }>(
      'SELECT array_agg(type ORDER BY seq) AS types FROM workflow_event',
    );
    expect(rows[0]?.types.slice(-3)).toEqual([
      'ACTIVITY_TASK_COMPLETED',
      'ACTIVITY_TASK_SCHEDULED',
      'ACTIVITY_TASK_STARTED',
    ]);
    // One commit: what follows from a fact names it as its cause, and so does the start.
    const { rows: causes } = await sql.query<{ seq: number; cause: number | null }>(
      'SELECT seq, causation_seq AS cause FROM workflow_event ORDER BY seq DESC LIMIT 3',
    );
    const completed = causes[2]?.seq;
    expect(causes.map(({ cause }) => cause)).toEqual([completed, completed, null]);

    const second = await launch(slowServers(logFile), first.dataDir);
    const parked = await eventually('the step is parked', async () => {
      const { body } = await second.request('GET', `/api/v1/runs/${run.runId}`);
      return body.nodes.find((node: { status: string }) => node.status === 'unknown_outcome');
    });
    expect(parked).toMatchObject({ path: 'b', attempt: 1 });
    expect((await calls(logFile)).filter(({ event }) => event === 'start')).toHaveLength(1);
  });

  it('SIGSTOP past the lease: another process takes over, the zombie is fenced, every run finishes', async () => {
    await setUp();
    const logFile = join(tmpdir(), `slow-${randomUUID()}.jsonl`);
    const zombie = await launch(slowServers(logFile));
    await zombie.request('POST', '/api/v1/workflows', slowWorkflow('slow_echo', 400));
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        zombie.request('POST', '/api/v1/runs', { workflow: 'slow-slow-echo', input: { n: `run ${n}` } }),
      ),
    );
    await eventually('calls are under way', async () => (await calls(logFile).catch(() => [])).length >= 10);
    zombie.signal('SIGSTOP');

    const heir = await launch(slowServers(logFile));
    await eventually('the heir owns every shard', async () => {
      const { rows } = await sql.query<{ owners: string; heirs: string }>(
        `SELECT count(*) AS owners, count(*) FILTER (WHERE owner IN
           (SELECT id FROM engine_process WHERE pid = $1)) AS heirs FROM workflow_shard`,
        [heir.child.pid],
      );
      return rows[0]?.owners === rows[0]?.heirs;
    });
    zombie.signal('SIGCONT');

    await eventually('all runs complete', async () => (await statuses()).completed === 20);
    await eventually('the zombie saw that it lost its shards', () =>
      zombie.log.some(
        (line) => line.includes('"operation":"shards_lost"') || line.includes('"status":"fenced"'),
      ),
    );
    const { rows } = await sql.query<{ type: string; n: string }>(
      `SELECT type, count(*) AS n FROM workflow_event WHERE type IN ('ACTIVITY_TASK_COMPLETED', 'WORKFLOW_EXECUTION_COMPLETED')
       GROUP BY type ORDER BY type`,
    );
    expect(rows.map(({ type, n }) => [type, Number(n)])).toEqual([
      ['ACTIVITY_TASK_COMPLETED', 60],
      ['WORKFLOW_EXECUTION_COMPLETED', 20],
    ]);
  });

  it('a shard taken away in the middle of a batch harms no run of other shards', async () => {
    await setUp();
    const logFile = join(tmpdir(), `slow-${randomUUID()}.jsonl`);
    const engine = await launch(slowServers(logFile));
    // Slow enough that runs of the shard are still open when it is taken.
    await engine.request('POST', '/api/v1/workflows', slowWorkflow('slow_echo', 2_000));
    await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        engine.request('POST', '/api/v1/runs', { workflow: 'slow-slow-echo', input: { n: `run ${n}` } }),
      ),
    );
    await eventually('calls are under way', async () => (await calls(logFile).catch(() => [])).length >= 10);
    // Somebody else takes one shard that has runs; nobody serves it until its lease runs out.
    const { rows: stolen } = await sql.query<{ shard: number }>(
      `UPDATE workflow_shard SET owner = gen_random_uuid(), epoch = epoch + 1,
         lease_until = clock_timestamp() + interval '4 seconds'
       WHERE shard = (SELECT shard FROM workflow_run WHERE closed_at IS NULL LIMIT 1) RETURNING shard`,
    );
    const shard = stolen[0]?.shard;
    const { rows: counted } = await sql.query<{ n: string }>(
      'SELECT count(*) AS n FROM workflow_run WHERE shard = $1',
      [shard],
    );
    const onStolen = Number(counted[0]?.n);
    expect(onStolen).toBeGreaterThan(0);
    await eventually('every run of other shards completes', async () => {
      const { rows } = await sql.query<{ n: string }>(
        `SELECT count(*) AS n FROM workflow_run WHERE shard <> $1 AND status = 'completed'`,
        [shard],
      );
      return Number(rows[0]?.n) === 30 - onStolen;
    });
    // The lease of the thief runs out, the process takes the shard back and finishes its runs as well.
    await eventually('the rest completes', async () => (await statuses()).completed === 30);
  });

  it('after a kill -9 the next process on the host does not wait for the leases to run out', async () => {
    await setUp();
    const env = { OPENCONDUCTOR_LEASE_TTL_MS: '60000' };
    const logFile = join(tmpdir(), `slow-${randomUUID()}.jsonl`);
    const first = await launch(slowServers(logFile), undefined, env);
    await first.request('POST', '/api/v1/workflows', slowWorkflow('slow_echo', 300));
    await first.request('POST', '/api/v1/runs', { workflow: 'slow-slow-echo', input: { n: 'one' } });
    await eventually('a call is under way', async () => (await calls(logFile).catch(() => [])).length > 0);
    await first.end('SIGKILL');
    await launch(slowServers(logFile), first.dataDir, env);
    await eventually('the run completes', async () => (await statuses()).completed === 1, 45_000);
  });
});
