import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uuidv7, uuidv7Time } from '@/lib/shared/ids';
import { verifyBackup } from '@/server/adapters/postgres/backup/archive';
import { backupDatabase } from '@/server/adapters/postgres/backup/dump';
import { restoreDatabase } from '@/server/adapters/postgres/backup/restore';
import { runningCluster, startCluster } from '@/server/adapters/postgres/embedded/cluster';
import { prepareDatabase } from '@/server/adapters/postgres/prepare';
import { cliBundle, runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

const root = resolve(import.meta.dirname, '../..');
const migrationsDir = join(root, 'prisma/migrations');
const NEXT = '20991231235959_next';
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
  const restore = (
    options: { database?: TestDatabase; from?: string; replace?: boolean; migrations?: string } = {},
  ) =>
    restoreDatabase({
      adminUrl: (options.database ?? target).adminUrl,
      file: options.from ?? file,
      replace: options.replace ?? false,
      migrationsDir: options.migrations ?? migrationsDir,
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

  /** The folder of migrations of the next version, which adds of everything a little. */
  const nextVersion = async () => {
    const to = join(folder, 'next');
    await cp(migrationsDir, to, { recursive: true });
    await mkdir(join(to, NEXT));
    await writeFile(
      join(to, NEXT, 'migration.sql'),
      `CREATE TYPE grade AS ENUM ('good', 'bad');
       CREATE TABLE novelty (id serial PRIMARY KEY, grade grade, organization_id uuid REFERENCES organization);
       CREATE FUNCTION latest() RETURNS SETOF novelty LANGUAGE sql AS 'SELECT * FROM novelty';
       ALTER TABLE organization ADD COLUMN grade grade DEFAULT 'good';`,
    );
    return to;
  };
  const migrationsOf = async (database: TestDatabase) => {
    const { rows } = await (await connect(database)).query<{ name: string }>(
      'SELECT migration_name AS name FROM _prisma_migrations ORDER BY 1',
    );
    return rows.map(({ name }) => name);
  };
  /** What oc_owner made and what it lets others do, in words. */
  const shapeOf = async (database: TestDatabase) => {
    const { rows } = await (await connect(database)).query<{ line: string }>(
      `SELECT concat_ws(' ', relkind, relname, relrowsecurity, relforcerowsecurity, relacl) AS line
         FROM pg_class WHERE relnamespace = 'public'::regnamespace
       UNION ALL SELECT concat_ws(' ', tablename, policyname, roles, cmd, qual, with_check) FROM pg_policies
       UNION ALL SELECT concat_ws(' ', oid::regprocedure, proacl, md5(prosrc)) FROM pg_proc
         WHERE pronamespace = 'public'::regnamespace
       UNION ALL SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
       ORDER BY 1`,
    );
    return rows.map(({ line }) => line);
  };

  beforeEach(async () => {
    [source, target] = [await createTestDatabase(), await createTestDatabase()];
    folder = await mkdtemp(join(tmpdir(), 'oc-backup-'));
    // As root an embedded Postgres runs as a lent user, who has to be able to walk through.
    await chmod(folder, 0o711);
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

  it('the backup from before an upgrade is restored after the rollback', async () => {
    await fillSource();
    const before = await contents(source);
    const shape = await shapeOf(source);
    const sql = await connect(source);
    await sql.query('INSERT INTO workflow_shard (shard, epoch) SELECT generate_series(0, 1), 41');
    const header = await backup();
    const next = await nextVersion();
    await prepareDatabase(source.adminUrl, { log: quiet, migrationsDir: next });
    await sql.query(`INSERT INTO novelty (grade) VALUES ('bad')`);
    const after = await contents(source);

    await expect(restore({ database: source })).rejects.toThrow(/holds data already/);
    expect(await contents(source)).toEqual(after);
    await restore({ database: source, replace: true });
    expect(await contents(source)).toEqual(before);
    expect(await shapeOf(source)).toEqual(shape);
    expect(await migrationsOf(source)).toEqual(header.migrations.map(({ name }) => name));
    expect((await sql.query('SELECT shard, epoch FROM workflow_shard ORDER BY 1')).rows).toEqual([
      { shard: 0, epoch: '42' },
      { shard: 1, epoch: '42' },
    ]);

    // And it can be upgraded anew.
    await prepareDatabase(source.adminUrl, { log: quiet, migrationsDir: next });
    expect(await migrationsOf(source)).toContain(NEXT);
  });

  it('what somebody else built upon the tables is in the way of making them anew, and stays', async () => {
    await fillSource();
    await backup();
    await prepareDatabase(source.adminUrl, { log: quiet, migrationsDir: await nextVersion() });
    await (await connect(source)).query('CREATE VIEW report AS SELECT * FROM workflow_run');
    const after = await contents(source);
    await expect(restore({ database: source, replace: true })).rejects.toThrow(
      /cannot be made anew: .*depend.* Restore into an empty database/,
    );
    expect(await contents(source)).toEqual(after);
  });

  it('the backup that a rolled-back version made of a newer database is restored by it into that one only', async () => {
    await fillSource();
    const next = await nextVersion();
    await prepareDatabase(source.adminUrl, { log: quiet, migrationsDir: next });
    await backup();
    const before = await contents(source);
    const sql = await connect(source);
    await sql.query(`INSERT INTO novelty (grade) VALUES ('bad')`);
    await restore({ database: source, replace: true });
    expect(await contents(source)).toEqual(before);

    const empty = await migrationsOf(target);
    const refusal = new RegExp(`database has those as of .* whose newest migration is ${NEXT}`);
    await expect(restore({ replace: true })).rejects.toThrow(refusal);
    expect(await migrationsOf(target)).toEqual(empty);
    await restore({ migrations: next });
    expect(await contents(target)).toEqual(before);
  });

  it('weeks of other bounds give way to those of the backup', async () => {
    const { sql, organization } = await fillSource();
    const owner = new pg.Client(source.url('oc_owner'));
    await owner.connect();
    clients.push(owner);
    // As a version made them whose session had a time zone with a change of the clock: from the fourth week on an hour late.
    const { rows: weeks } = await owner.query<{ name: string; low: string; high: string }>(
      'SELECT * FROM event_partitions() OFFSET 3',
    );
    const late = (id: string) =>
      uuidv7(uuidv7Time(id) + 3_600_000, new Uint8Array(10)).replace('7000-8000', '0000-0000');
    for (const { name } of weeks) {
      await owner.query(`DROP TABLE ${name}, ${name.replace('_event_', '_payload_')}`);
    }
    for (const [n, { name, low, high }] of weeks.entries()) {
      await owner.query(
        `CREATE TABLE ${name} PARTITION OF workflow_event
         FOR VALUES FROM ('${n === 0 ? low : late(low)}') TO ('${late(high)}')`,
      );
    }
    await owner.query('SELECT ensure_payload_partitions()');
    const runId = await addRun(sql, organization, uuidv7Time(weeks[1]?.low ?? '') + 1_000);
    const header = await backup();

    await restore();
    expect(await contents(target)).toEqual(await contents(source));
    const { rows } = await (await connect(target)).query('SELECT * FROM event_partitions()');
    expect(rows).toEqual(header.partitions);
    const place = await (await connect(target)).query<{ place: string }>(
      'SELECT tableoid::regclass::text AS place FROM workflow_event WHERE run_id = $1 LIMIT 1',
      [runId],
    );
    expect(place.rows[0]?.place).toBe(weeks[0]?.name);
    const bounds = await (await connect(target)).query<{ same: boolean }>(
      `SELECT pg_get_expr(e.relpartbound, e.oid) = pg_get_expr(p.relpartbound, p.oid) AS same FROM pg_class e
       JOIN pg_class p ON p.relname = replace(e.relname, '_event_', '_payload_') WHERE e.relkind = 'r' AND e.relname LIKE 'workflow_event_20%'`,
    );
    expect(bounds.rows.length).toBe(header.partitions.length);
    expect(bounds.rows.every(({ same }) => same)).toBe(true);
  });

  it('a week that retention drops while a backup begins is in it whole or not at all', async () => {
    const { sql, organization } = await fillSource();
    const owner = new pg.Client(source.url('oc_owner'));
    await owner.connect();
    clients.push(owner);
    const begin = Date.parse('2026-03-02T00:00:00Z');
    const floor = (at: number) => uuidv7(at, new Uint8Array(10)).replace('7000-8000', '0000-0000');
    await owner.query(
      `CREATE TABLE workflow_event_2026w10 PARTITION OF workflow_event
       FOR VALUES FROM ('${floor(begin)}') TO ('${floor(begin + 7 * 86_400_000)}')`,
    );
    const oldRun = await addRun(sql, organization, begin + 1_000);

    // Held at a table that comes before the events.
    const holder = await connect(source);
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE workflow_definition IN ACCESS EXCLUSIVE MODE');
    const done = backup();
    await eventually('the backup waits', async () => {
      const { rowCount } = await sql.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'openconductor-backup'
           AND wait_event_type = 'Lock'`,
      );
      return rowCount === 1;
    });
    await sql.query('DELETE FROM workflow_run WHERE run_id = $1', [oldRun]);
    const { rows } = await owner.query(
      `SELECT drop_event_partition('workflow_event_2026w10', now()) AS dropped`,
    );
    expect(rows).toEqual([{ dropped: true }]);
    await holder.query('COMMIT');
    const { tables } = await done;
    const rowsOf = (name: string) => tables.find((table) => table.name === name)?.rows ?? -1;
    expect([rowsOf('workflow_run'), rowsOf('workflow_event')]).toEqual([50, 100]);
  });

  it('a restore is refused while a process runs that is no engine', async () => {
    await fillSource();
    await backup();
    const catalogue = await EngineProcess.start({
      databaseUrl: target.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_ROLES: 'sync' },
    });
    processes.push(catalogue);
    const before = await contents(target);
    await expect(restore({ replace: true })).rejects.toThrow(
      /OpenConductor is connected to this database \(openconductor-\w+ \d+/,
    );
    expect(await contents(target)).toEqual(before);
    await catalogue.end('SIGTERM');
    await restore({ replace: true });
    expect(await contents(target)).toEqual(await contents(source));
  });

  it('what is refused changes nothing, not even the level of the tables', async () => {
    await fillSource();
    await backup();
    const [old, next] = [join(folder, 'old'), await nextVersion()];
    await cp(migrationsDir, old, { recursive: true });
    await rm(join(old, (await readdir(migrationsDir)).sort().findLast((name) => /^\d/.test(name)) ?? ''), {
      recursive: true,
    });
    const former = await createTestDatabase('template0');
    try {
      await prepareDatabase(former.adminUrl, { log: quiet, migrationsDir: old });
      const sql = await connect(former);
      const level = await migrationsOf(former);
      await sql.query(`INSERT INTO workflow_shard (shard, owner, lease_until)
        VALUES (0, gen_random_uuid(), clock_timestamp() + interval '1 minute')`);
      await expect(restore({ database: former, replace: true })).rejects.toThrow(/An engine runs/);
      await sql.query(`UPDATE workflow_shard SET lease_until = '-infinity'`);
      const app = new pg.Client(former.url('oc_app'));
      await app.connect();
      await expect(restore({ database: former, replace: true })).rejects.toThrow(/is connected/);
      await app.end();
      await sql.query(
        `INSERT INTO organization (id, name, slug) VALUES (gen_random_uuid(), 'Other', 'other')`,
      );
      await expect(restore({ database: former })).rejects.toThrow(/holds data already/);
      expect(await migrationsOf(former)).toEqual(level);

      // A database is not made either for a backup that does not fit it.
      await prepareDatabase(source.adminUrl, { log: quiet, migrationsDir: next });
      const newer = join(folder, 'newer.gz');
      await backup(source, newer);
      const nowhere = new URL(former.adminUrl);
      nowhere.pathname += '_nowhere';
      await expect(restore({ database: { ...former, adminUrl: nowhere.href }, from: newer })).rejects.toThrow(
        /an empty database gets those as of/,
      );
      const { rowCount } = await sql.query('SELECT 1 FROM pg_database WHERE datname = $1', [
        nowhere.pathname.slice(1),
      ]);
      expect(rowCount).toBe(0);

      await restore({ database: former, replace: true });
      expect((await migrationsOf(former)).length).toBe(level.length + 1);
    } finally {
      await former.drop();
    }
  });

  it('limits on the time of statements end neither', async () => {
    await fillSource();
    for (const database of [source, target]) {
      const [sql, watch] = [await connect(database), await connect(database)];
      const name = new URL(database.adminUrl).pathname.slice(1);
      await sql.query(`ALTER DATABASE ${name} SET statement_timeout = '100ms'`);
      await sql.query('BEGIN');
      await sql.query('LOCK TABLE organization IN ACCESS EXCLUSIVE MODE');
      const done = database === source ? backup() : restore();
      const ended = done.then(
        () => true,
        () => true,
      );
      await Promise.race([
        ended,
        eventually('a statement takes longer', async () => {
          const { rowCount } = await watch.query(
            `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
               AND application_name LIKE 'openconductor-%' AND clock_timestamp() - query_start > interval '200ms'`,
          );
          return rowCount === 1;
        }),
      ]);
      await sql.query('COMMIT');
      await done;
    }
    expect(await verifyBackup(file)).toMatchObject({ format: 'openconductor-backup' });
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
    ).toMatch(/tables as of migration 20261120000000_init/);
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

  it('a file that the disk takes in part only is no backup', async () => {
    await fillSource();
    /** The script, which may make files of so many blocks of 512 bytes. */
    const limited = async (blocks: string, to: string) => {
      const script = join(root, 'scripts/database-file.mjs');
      const child = spawn(
        'sh',
        ['-c', 'ulimit -f "$0" && exec "$@"', blocks, process.execPath, script, 'backup', to],
        {
          env: { ...process.env, DATABASE_URL: source.adminUrl },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let out = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
      });
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, out };
    };
    expect(await limited('unlimited', file)).toMatchObject({ code: 0 });
    const whole = await readFile(file);
    const head = gzipSync(`${gunzipSync(whole).toString('latin1').split('\n')[0]}\n`).length;
    // The rows fit into a file of their own; header and rows do not.
    const blocks = Math.ceil((whole.length - head / 2) / 512);
    const second = await limited(String(blocks), join(folder, 'second.gz'));
    expect(second.out).toContain('file too large');
    expect(second.code).toBe(1);
    expect(await readdir(folder)).toEqual(['all.backup.gz']);
  });

  it('what is interrupted leaves no file and no rows', async () => {
    await fillSource();
    const interrupted = () => {
      const interrupt = new AbortController();
      // In the midst of the tables.
      return { signal: interrupt.signal, log: (line: string) => line.endsWith(' rows') && interrupt.abort() };
    };
    await expect(
      backupDatabase({ adminUrl: source.adminUrl, file, version: 'test', ...interrupted() }),
    ).rejects.toThrow();
    expect(await readdir(folder)).toEqual([]);
    await backup();
    const before = await contents(target);
    await expect(
      restoreDatabase({ adminUrl: target.adminUrl, file, replace: false, migrationsDir, ...interrupted() }),
    ).rejects.toThrow();
    expect(await contents(target)).toEqual(before);
    await restore();
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
    '%s to the command line ends a backup, and nothing of it stays behind',
    async (signal) => {
      const data = join(folder, 'data');
      const directory = join(data, 'postgres');
      await mkdir(data);
      const cluster = () => startCluster({ directory, root, sharedBuffers: '64MB', durable: false });
      const ask = async (url: string, ...lines: string[]) => {
        const client = new pg.Client(url);
        await client.connect();
        for (const line of lines) await client.query(line);
        await client.end();
      };
      let postgres = await cluster();
      await prepareDatabase(postgres.url, { log: quiet, migrationsDir });
      // A lock that outlives the server: a backup waits for it without end.
      await ask(postgres.url, 'ALTER SYSTEM SET max_prepared_transactions = 1');
      await postgres.stop();
      postgres = await cluster();
      const lock = 'LOCK TABLE workflow_run IN ACCESS EXCLUSIVE MODE';
      await ask(postgres.url, 'BEGIN', lock, `PREPARE TRANSACTION 'held'`);
      await postgres.stop();

      const child = spawn(process.execPath, [await cliBundle(), 'backup', 'out.gz'], {
        cwd: folder,
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          OPENCONDUCTOR_DATA_DIR: data,
        } as unknown as NodeJS.ProcessEnv,
        stdio: 'ignore',
      });
      const ended = once(child, 'close');
      try {
        const url = (await eventually('it has started Postgres', () => runningCluster(directory))) as string;
        const sql = new pg.Client(url);
        sql.on('error', quiet);
        await sql.connect();
        await eventually('it waits', async () => {
          const { rowCount } = await sql.query(
            `SELECT 1 FROM pg_stat_activity WHERE application_name = 'openconductor-backup' AND wait_event_type = 'Lock'`,
          );
          return rowCount === 1;
        });
        await sql.end();
        child.kill(signal);
        if (signal === 'SIGKILL') {
          // Nobody could pass it on: the script notices as soon as it has something to say.
          await ended;
          await ask(url, `COMMIT PREPARED 'held'`);
          await eventually('Postgres stops', async () => (await runningCluster(directory)) === undefined);
          await eventually('the note goes', async () => (await readdir(join(data, 'run'))).length === 0);
          expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
          return;
        }
        expect(await ended).toEqual([130, null]);
        expect(await runningCluster(directory)).toBeUndefined();
        expect(await readdir(join(data, 'run'))).toEqual([]);
        expect(await readdir(folder)).toEqual(['data']);
      } finally {
        child.kill('SIGKILL');
        await (await cluster()).stop();
      }
    },
  );

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
