import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uuidv7 } from '@/lib/shared/ids';
import { verifyBackup } from '@/server/adapters/postgres/backup/archive';
import { backupDatabase } from '@/server/adapters/postgres/backup/dump';
import { restoreDatabase } from '@/server/adapters/postgres/backup/restore';
import { runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

const migrationsDir = resolve(import.meta.dirname, '../../prisma/migrations');
const quiet = () => undefined;

describe('backup and restore', () => {
  let source: TestDatabase;
  let target: TestDatabase;
  let folder: string;
  let file: string;
  const clients: pg.Client[] = [];
  const processes: EngineProcess[] = [];

  const connect = async (database: TestDatabase) => {
    const client = new pg.Client(database.adminUrl);
    client.on('error', quiet);
    await client.connect();
    clients.push(client);
    return client;
  };
  const backup = (database = source, to = file) =>
    backupDatabase({ adminUrl: database.adminUrl, file: to, version: 'test', log: quiet });
  const restore = (options: { database?: TestDatabase; from?: string; replace?: boolean } = {}) =>
    restoreDatabase({
      adminUrl: (options.database ?? target).adminUrl,
      file: options.from ?? file,
      replace: options.replace ?? false,
      migrationsDir,
      log: quiet,
    });

  /** Every table with the number and a hash of its rows. */
  const contents = async (database: TestDatabase) => {
    const sql = await connect(database);
    const { rows: tables } = await sql.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
         AND NOT relispartition AND relname NOT IN ('_prisma_migrations', 'engine_process', 'workflow_shard', 'alert_round', 'seal_holder') ORDER BY 1`,
    );
    const found: Record<string, string> = {};
    for (const { name } of tables) {
      const { rows } = await sql.query<{ n: string; hash: string }>(
        `SELECT count(*) AS n, md5(string_agg(t::text, E'\\n' ORDER BY t::text)) AS hash FROM "${name}" t`,
      );
      found[name] = `${rows[0]?.n} ${rows[0]?.hash}`;
    }
    return found;
  };

  const addRun = async (sql: pg.Client, organization: string, at = Date.now()) => {
    const runId = uuidv7(at, randomBytes(10));
    await sql.query('BEGIN');
    await sql.query(
      `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, started_by)
       VALUES ($1::uuid, $2, $1::text, 'w', 1, 'h', 0, 'u')`,
      [runId, organization],
    );
    // What COPY must not stumble over: line breaks, tabs, backslashes, what looks like its own marks, \u0000 in json.
    const data = '{"text":"a\\nb\\t\\\\N \\\\. ä 🙂 \\u0000"}';
    for (const seq of [1, 2]) {
      await sql.query(
        `INSERT INTO workflow_event (run_id, seq, organization_id, type, at, data, correlation_id)
         VALUES ($1, $2, $3, 'X', now(), $4, E'tab\\there\\nand there\\\\N')`,
        [runId, seq, organization, data],
      );
    }
    await sql.query('COMMIT');
    return runId;
  };

  const fillSource = async () => {
    const sql = await connect(source);
    const organization = randomUUID();
    await sql.query(`INSERT INTO organization (id, name, slug) VALUES ($1, 'Örg', 'org')`, [organization]);
    const user = randomUUID();
    await sql.query(`INSERT INTO app_user (id, name, email) VALUES ($1, 'U', 'u@example.org')`, [user]);
    await sql.query(`INSERT INTO member (id, organization_id, user_id, role) VALUES ($1, $2, $3, 'owner')`, [
      randomUUID(),
      organization,
      user,
    ]);
    await sql.query(
      `INSERT INTO workflow_definition (organization_id, hash, definition) VALUES ($1, 'h', '{"z":1,"a":2}')`,
      [organization],
    );
    await sql.query(
      `INSERT INTO workflow_version (organization_id, name, version, hash, created_by) VALUES ($1, 'w', 1, 'h', 'u')`,
      [organization],
    );
    for (let i = 0; i < 50; i++) {
      await sql.query(
        `INSERT INTO workflow_payload (run_id, sha256, organization_id, mime_type, bytes, body)
         VALUES ($1, repeat('b', 64), $2, 'image/png', 256, $3)`,
        [
          await addRun(sql, organization),
          organization,
          Buffer.from(Array.from({ length: 256 }, (_none, n) => n)),
        ],
      );
    }
    await sql.query(
      `INSERT INTO workflow_inbox (shard, organization_id, run_id, event_type, data)
       SELECT 0, $1, gen_random_uuid(), 'X', '{}' FROM generate_series(1, 7)`,
      [organization],
    );
    const scheduled = randomUUID();
    await sql.query(
      `INSERT INTO workflow_schedule (schedule_id, organization_id, name, workflow, input, cron, overlap, catchup_window_ms,
         created_by) VALUES ($1, $2, 's', 'w', '{}', '* * * * *', 'skip', 1000, 'u')`,
      [scheduled, organization],
    );
    return { sql, organization };
  };

  beforeEach(async () => {
    [source, target] = [await createTestDatabase(), await createTestDatabase()];
    folder = await mkdtemp(join(tmpdir(), 'oc-backup-'));
    file = join(folder, 'all.backup.gz');
  });

  afterEach(async () => {
    for (const engine of processes.splice(0)) {
      await engine.end();
      await engine.removeData();
    }
    for (const client of clients.splice(0)) await client.end();
    await source.drop();
    await target.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('gives every row of every table back, with sequences, partitions and walls', async () => {
    const { organization } = await fillSource();
    const owner = new pg.Client(source.url('oc_owner'));
    await owner.connect();
    clients.push(owner);
    const oldTime = Date.parse('2026-03-02T00:00:00Z');
    const floor = (at: number) => uuidv7(at, new Uint8Array(10)).replace('7000-8000', '0000-0000');
    await owner.query(
      `CREATE TABLE workflow_event_2026w10 PARTITION OF workflow_event
       FOR VALUES FROM ('${floor(oldTime)}') TO ('${floor(oldTime + 7 * 86_400_000)}')`,
    );
    const oldRun = await addRun(await connect(source), organization, oldTime + 1_000);

    const header = await backup();
    expect(await readdir(folder)).toEqual(['all.backup.gz']);
    expect((await stat(file)).mode & 0o077).toBe(0);
    const shown = JSON.parse(
      gunzipSync(await readFile(file))
        .toString()
        .split('\n')[0] ?? '',
    ) as typeof header;
    expect(shown).toEqual(header);
    expect(header.migrations.map(({ name }) => name)).toContain('20261120000000_init');
    expect(header.tables.find(({ name }) => name === 'workflow_event')).toMatchObject({
      rows: 102,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await verifyBackup(file)).toEqual(header);

    await restore();
    expect(await contents(target)).toEqual(await contents(source));
    const sql = await connect(target);
    const { rows } = await sql.query<{ place: string }>(
      'SELECT tableoid::regclass::text AS place FROM workflow_event WHERE run_id = $1 LIMIT 1',
      [oldRun],
    );
    expect(rows[0]?.place).toBe('workflow_event_2026w10');
    const { rows: next } = await sql.query<{ id: string }>(
      `INSERT INTO workflow_inbox (shard, organization_id, run_id, event_type, data)
       VALUES (0, $1, gen_random_uuid(), 'X', '{}') RETURNING id`,
      [organization],
    );
    expect(Number(next[0]?.id)).toBe(8);
    const { rows: walls } = await sql.query<{ n: string }>(
      `SELECT count(*) AS n FROM pg_class WHERE relrowsecurity AND NOT relforcerowsecurity`,
    );
    expect(walls[0]?.n).toBe('0');
    const app = new pg.Client(target.url('oc_app'));
    await app.connect();
    clients.push(app);
    expect((await app.query('SELECT 1 FROM workflow_run')).rowCount).toBe(0);
  });

  it('a backup under way holds one moment, and holds nobody up', async () => {
    const { sql, organization } = await fillSource();
    let writing = true;
    let written = 0;
    const writer = (async () => {
      while (writing) {
        await addRun(sql, organization);
        written += 1;
      }
    })();
    await eventually('writes happen', () => written > 5);
    await backup();
    writing = false;
    await writer;
    const { tables } = await restore();
    const rowsOf = (name: string) => tables.find((table) => table.name === name)?.rows ?? -1;
    expect(rowsOf('workflow_event')).toBe(2 * rowsOf('workflow_run'));
    expect(rowsOf('workflow_run')).toBeGreaterThan(50);
  });

  it('refuses to leave out a table that is not of oc_owner', async () => {
    const sql = await connect(source);
    await sql.query('CREATE TABLE applied_by_hand (id int)');
    await expect(backup()).rejects.toThrow(
      /tables that are not oc_owner's: applied_by_hand \(of postgres\).*OWNER TO oc_owner/,
    );
    expect(await readdir(folder)).toEqual([]);
    await sql.query('ALTER TABLE applied_by_hand OWNER TO oc_owner');
    expect((await backup()).tables.map(({ name }) => name)).toContain('applied_by_hand');
  });

  it('a restored run goes on where it was', async () => {
    const start = async (database: TestDatabase) => {
      const engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
      processes.push(engine);
      return engine;
    };
    const first = await start(source);
    const nodes = [{ id: 'gate', kind: 'wait', signal: 'go' }];
    await first.request('POST', '/api/v1/workflows', { schemaVersion: 1, name: 'patient', nodes, edges: [] });
    const { body: run } = await first.request('POST', '/api/v1/runs', { workflow: 'patient' });
    await eventually('it waits', async () => {
      const { body } = await first.request('GET', `/api/v1/runs/${run.runId}`);
      return body.nodes[0]?.status === 'waiting';
    });
    await backup();
    await first.end('SIGTERM');
    await restore();
    const second = await start(target);
    await second.request('POST', `/api/v1/runs/${run.runId}/signal`, { name: 'go', payload: 7 });
    const done = await eventually('it completes', async () => {
      const { body } = await second.request('GET', `/api/v1/runs/${run.runId}`);
      return body.status === 'completed' && body;
    });
    expect(done.nodes[0].output).toBe(7);
  });

  it('restores the number of shards, so that a process with another number is refused', async () => {
    await fillSource();
    await (await connect(source)).query(
      'INSERT INTO workflow_shard (shard, epoch) SELECT generate_series(0, 7), 3',
    );
    await backup();
    const sql = await connect(target);
    await sql.query('INSERT INTO workflow_shard (shard, epoch) SELECT generate_series(4, 15), 5');
    await restore({ replace: true });
    const { rows } = await sql.query('SELECT shard, owner FROM workflow_shard ORDER BY shard');
    expect(rows).toEqual(Array.from({ length: 8 }, (_, shard) => ({ shard, owner: null })));
    // Without an engine it would still divide the runs that it takes.
    for (const roles of ['engine', 'sync']) {
      await expect(
        EngineProcess.start({
          databaseUrl: target.adminUrl,
          servers: {},
          env: { OPENCONDUCTOR_ROLES: roles },
        }),
      ).rejects.toThrow(
        /ended \(2\)[\s\S]*OPENCONDUCTOR_SHARDS is 64.* into 8 shards.*Set OPENCONDUCTOR_SHARDS=8\./,
      );
    }
  });

  it('refuses a database that holds data; --replace deletes it; an engine that runs is never overrun', async () => {
    await fillSource();
    await backup();
    const sql = await connect(target);
    await sql.query(`INSERT INTO organization (id, name, slug) VALUES (gen_random_uuid(), 'Other', 'other')`);
    const before = await contents(target);
    await expect(restore()).rejects.toThrow(/holds data already \(organization\)/);
    expect(await contents(target)).toEqual(before);

    await sql.query(`INSERT INTO workflow_shard (shard, owner, epoch, lease_until)
      VALUES (0, gen_random_uuid(), 5, clock_timestamp() + interval '1 minute')`);
    await expect(restore({ replace: true })).rejects.toThrow(/An engine runs on this database/);
    expect(await contents(target)).toEqual(before);

    await sql.query(`UPDATE workflow_shard SET lease_until = clock_timestamp() - interval '1 second'`);
    await restore({ replace: true });
    expect(await contents(target)).toEqual(await contents(source));
    const { rows } = await sql.query('SELECT owner, epoch FROM workflow_shard');
    expect(rows).toEqual([{ owner: null, epoch: '6' }]);
  });

  it('says what is wrong with a file, and changes nothing', async () => {
    await fillSource();
    await backup();
    const whole = await readFile(file);
    const before = await contents(target);
    const attempt = async (name: string, content: Buffer) => {
      const path = join(folder, name);
      await writeFile(path, content);
      const error = await restore({ from: path }).then(
        () => new Error('was restored'),
        (e: Error) => e,
      );
      expect(await contents(target)).toEqual(before);
      return error.message;
    };
    for (const part of [0.02, 0.3, 0.6, 0.99]) {
      const cut = whole.subarray(0, Math.floor(whole.length * part));
      expect(await attempt('cut.gz', cut), `${part}`).toMatch(/cut off|ends in the midst|is not a backup/);
    }
    expect(await attempt('last.gz', whole.subarray(0, whole.length - 1))).toMatch(/cut off/);
    const [line = '', ...rest] = gunzipSync(whole).toString('latin1').split('\n');
    const body = rest.join('\n');
    const pack = (header: unknown, rows: string) =>
      Buffer.concat([gzipSync(`${JSON.stringify(header)}\n`), gzipSync(Buffer.from(rows, 'latin1'))]);
    const header = JSON.parse(line) as Awaited<ReturnType<typeof backup>>;
    expect(await attempt('same.gz', pack({ ...header, format: 'other' }, body))).toMatch(/not a backup/);
    expect(await attempt('form.gz', pack({ ...header, formatVersion: 2 }, body))).toMatch(/form 2/);
    expect(
      await attempt('level.gz', pack({ ...header, migrations: header.migrations.slice(0, 1) }, body)),
    ).toMatch(/tables as of 20261120000000_init/);
    expect(
      await attempt('changed.gz', pack(header, body.replace('Örg', 'Ört').replace('example', 'exampel'))),
    ).toMatch(/are not those that were written/);
    expect(await attempt('short.gz', pack(header, body.slice(0, -5)))).toMatch(/ends in the midst|not those/);
    expect(await attempt('long.gz', pack(header, `${body}x`))).toMatch(/goes on after/);
    const flipped = Buffer.from(whole);
    flipped[Math.floor(whole.length / 2)] = (flipped[Math.floor(whole.length / 2)] ?? 0) ^ 0xff;
    expect(await attempt('flipped.gz', flipped)).toMatch(/damaged|not those|cut off/);
    expect(await attempt('text.txt', Buffer.from('hello'))).toMatch(/not a backup/);
    await expect(restore({ from: join(folder, 'none.gz') })).rejects.toThrow(/no such file/);
    await expect(backup()).rejects.toThrow(/exists already/);
  });

  it('the command line: external database, then into an embedded one and out of it again', async () => {
    await fillSource();
    const url = 'http://127.0.0.1:9';
    const env = { DATABASE_URL: source.adminUrl };
    const made = await runCliProcess(['backup', 'out.gz'], { url, env, cwd: folder });
    expect([made.err, made.code]).toEqual(['', 0]);
    expect(made.out).toContain('workflow_event: 100 rows');
    expect(made.out).toMatch(/✓ Backup written/);

    const again = await runCliProcess(['backup', 'out.gz', '--json'], { url, env, cwd: folder });
    expect(again.code).toBe(1);
    expect(JSON.parse(again.err)).toMatchObject({
      error: { code: 'BACKUP_FAILED', message: expect.stringContaining('exists') },
    });

    const embedded = { OPENCONDUCTOR_DATA_DIR: join(folder, 'data') };
    const empty = await runCliProcess(['backup', 'none.gz'], { url, env: embedded, cwd: folder });
    expect([empty.code, empty.err]).toEqual([1, expect.stringContaining('There is no database in')]);

    const into = await runCliProcess(['restore', 'out.gz', '--json'], { url, env: embedded, cwd: folder });
    expect([into.err, into.code]).toEqual(['', 0]);
    const refused = await runCliProcess(['restore', 'out.gz'], { url, env: embedded, cwd: folder });
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('holds data already')]);
    const unsure = await runCliProcess(['restore', 'out.gz', '--replace'], {
      url,
      env: embedded,
      cwd: folder,
    });
    expect([unsure.code, unsure.err]).toEqual([2, expect.stringContaining('--yes')]);
    const replaced = await runCliProcess(['restore', 'out.gz', '--replace', '--yes'], {
      url,
      env: embedded,
      cwd: folder,
    });
    expect([replaced.err, replaced.code]).toEqual(['', 0]);

    const out = await runCliProcess(['backup', 'second.gz', '--json'], { url, env: embedded, cwd: folder });
    expect(out.code).toBe(0);
    const [a, b] = [
      await verifyBackup(join(folder, 'out.gz')),
      await verifyBackup(join(folder, 'second.gz')),
    ];
    expect(b.tables).toEqual(a.tables);
    expect(into.lines().at(-1)).toMatchObject({ rows: a.tables.reduce((sum, table) => sum + table.rows, 0) });
    // The lent Postgres is gone again.
    expect(await readdir(join(folder, 'data', 'postgres')).catch(() => [])).not.toContain('postmaster.pid');
  });
});
