import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareDatabase } from '@/server/adapters/postgres/prepare';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { buildPreviousVersion, type PreviousVersion, previousVersionName } from '../support/previous-version';

const name = await previousVersionName();
if (name === null) {
  process.stdout.write('rolling-upgrade: SKIPPED, the version before is not in the history of this clone\n');
}

const fixture = resolve(import.meta.dirname, '../fixtures/mcp-servers/slow-server.mjs');

/** Two calls with a wait for a signal between them, and a child: work that is half done at any moment. */
const step = (id: string) => ({
  id,
  kind: 'mcp-server',
  server: 'slow',
  tool: 'slow_echo',
  arguments: { ms: 30, value: `\${input.n + " ${id}"}` },
});
const child = { schemaVersion: 1, name: 'rolling-child', nodes: [step('c')], edges: [] };
const workflow = {
  schemaVersion: 1,
  name: 'rolling',
  nodes: [
    step('a'),
    { id: 'gate', kind: 'wait', signal: 'go' },
    { id: 'sub', kind: 'subworkflow', workflow: 'rolling-child', input: { n: '${input.n}' } },
    step('b'),
  ],
  edges: [
    { from: 'a', to: 'gate' },
    { from: 'gate', to: 'sub' },
    { from: 'sub', to: 'b' },
  ],
};

describe.skipIf(name === null)(`two versions on one database (before: ${name})`, () => {
  let previous: PreviousVersion;
  let database: TestDatabase;
  let sql: pg.Client;
  const logFile = join(tmpdir(), `rolling-${randomUUID()}.jsonl`);
  const processes: EngineProcess[] = [];

  beforeAll(async () => {
    previous = await buildPreviousVersion(name as string);
    database = await createTestDatabase('template0');
    await prepareDatabase(database.adminUrl, {
      migrationsDir: previous.migrationsDir,
      log: () => undefined,
    });
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
  });
  afterAll(async () => {
    for (const engine of processes) {
      await engine.end();
      await engine.removeData();
    }
    await sql?.end();
    await database?.drop();
    await previous?.remove();
  });

  const launch = async (version: 'old' | 'new') => {
    const engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: { slow: { command: 'node', args: [fixture], env: { LOG_FILE: logFile } } },
      // No process may lose a shard because the machine is busy: its calls under way would be made twice.
      env: { OPENCONDUCTOR_LEASE_TTL_MS: '6000' },
      ...(version === 'old' ? { build: previous } : {}),
    });
    processes.push(engine);
    return engine;
  };
  const runs: string[] = [];
  const startSome = async (engine: EngineProcess, count: number) => {
    const answers = await Promise.all(
      Array.from({ length: count }, (_none, i) =>
        engine.request('POST', '/api/v1/runs', {
          workflow: 'rolling',
          input: { n: `run ${runs.length + i}` },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(count).fill(201));
    const ids = answers.map(({ body }) => body.runId as string);
    runs.push(...ids);
    return ids;
  };
  const signal = (engine: EngineProcess, ids: readonly string[]) =>
    Promise.all(ids.map((id) => engine.request('POST', `/api/v1/runs/${id}/signal`, { name: 'go' })));
  const shardsOf = async (engine: EngineProcess) => {
    const { rows } = await sql.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM workflow_shard s JOIN engine_process p ON p.id = s.owner WHERE p.pid = $1',
      [engine.child.pid],
    );
    return rows[0]?.n ?? 0;
  };

  it('the old one works while this one migrates; shards move to the new and back under load; every run completes, every step once', async () => {
    const old = await launch('old');
    for (const definition of [child, workflow]) await old.request('POST', '/api/v1/workflows', definition);
    const early = startSome(old, 20);
    await prepareDatabase(database.adminUrl, {
      migrationsDir: resolve(import.meta.dirname, '../../prisma/migrations'),
      log: () => undefined,
    });
    const first = await early;
    const young = await launch('new');
    await eventually(
      'they share the shards',
      async () => (await shardsOf(young)) > 0 && (await shardsOf(old)) > 0,
    );
    const second = await startSome(old, 10);
    const third = await startSome(young, 10);
    // Commands of either version for runs of either.
    await signal(young, [...first.slice(0, 10), ...second.slice(0, 5)]);
    await signal(old, third.slice(0, 5));

    // Upgrade: the old process ends, the new one takes everything over.
    expect(await old.end('SIGTERM')).toEqual({ code: 0, signal: null });
    await eventually('the new one has every shard', async () => (await shardsOf(young)) === 64);
    const fourth = await startSome(young, 10);
    await signal(young, fourth.slice(0, 5));

    // Rollback: the old version comes back and goes on with what the new one has written.
    const back = await launch('old');
    await eventually('they share the shards', async () => (await shardsOf(back)) > 0);
    await signal(back, [...second.slice(5), ...fourth.slice(5, 8)]);
    expect(await young.end('SIGTERM')).toEqual({ code: 0, signal: null });
    await eventually('the old one has every shard', async () => (await shardsOf(back)) === 64);
    const fifth = await startSome(back, 5);
    await signal(back, [...first.slice(10), ...third.slice(5), ...fourth.slice(8), ...fifth]);

    const open = async () =>
      (await sql.query('SELECT 1 FROM workflow_run WHERE closed_at IS NULL')).rowCount ?? 0;
    await eventually('all are closed', async () => (await open()) === 0);
    const { rows } = await sql.query<{ status: string; n: number }>(
      'SELECT status, count(*)::int AS n FROM workflow_run GROUP BY status',
    );
    expect(rows).toEqual([{ status: 'completed', n: 2 * runs.length }]);
    expect(back.child.exitCode).toBeNull();

    const { rows: events } = await sql.query<{ n: number; seqs: number }>(
      `SELECT count(*) FILTER (WHERE type = 'ACTIVITY_TASK_COMPLETED')::int AS n, count(*)::int AS seqs FROM workflow_event`,
    );
    expect(events[0]?.n).toBe(3 * runs.length);
    const { rows: gaps } = await sql.query(
      'SELECT run_id FROM workflow_event GROUP BY run_id HAVING max(seq) <> count(*)',
    );
    expect(gaps).toEqual([]);
    const done = (await readFile(logFile, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; key: string })
      .filter(({ event }) => event === 'done');
    // A drain lets calls under way end, so no call is made twice here.
    expect(new Set(done.map(({ key }) => key)).size).toBe(3 * runs.length);
    expect(done).toHaveLength(3 * runs.length);
  });
});
