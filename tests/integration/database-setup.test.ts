import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PrepareOptions, prepareDatabase } from '@/server/adapters/postgres/prepare';
import { DATABASE_ROLES, roleUrl } from '@/server/adapters/postgres/roles';
import { type PrivatePostgres, startPrivatePostgres } from '../support/cluster';
import { administer, freshName, withDatabase } from '../support/database-admin';
import { eventually } from '../support/eventually';

const realMigrations = resolve(import.meta.dirname, '../../prisma/migrations');

// Roles belong to a whole server, and these tests spoil them: not on the one that other test files share.
let postgres: PrivatePostgres;
let adminUrl: string;
let database: string;
let migrationsDir: string;
let log: string[];

async function query<T extends pg.QueryResultRow>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function addMigration(name: string, sql: string): Promise<void> {
  await mkdir(join(migrationsDir, name), { recursive: true });
  await writeFile(join(migrationsDir, name, 'migration.sql'), sql);
}

const prepare = (url = adminUrl, more: Partial<PrepareOptions> = {}) =>
  prepareDatabase(url, { log: (line) => log.push(line), migrationsDir, connectTimeoutMs: 300, ...more });

/** A connection that reads a table until it is ended, as a backup does. */
async function startReading(table: string): Promise<pg.Client> {
  const reader = new pg.Client({ connectionString: adminUrl, application_name: 'openconductor-backup' });
  await reader.connect();
  await reader.query('BEGIN');
  await reader.query(`SELECT * FROM ${table}`);
  return reader;
}

beforeAll(async () => {
  postgres = await startPrivatePostgres({ durable: false });
});

afterAll(() => postgres.remove());

beforeEach(async () => {
  database = freshName('oc_setup');
  adminUrl = withDatabase(postgres.adminUrl, database);
  migrationsDir = await mkdtemp(join(tmpdir(), 'oc-migrations-'));
  log = [];
});

afterEach(async () => {
  await administer(adminUrl, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  await rm(migrationsDir, { recursive: true, force: true });
});

describe('prepareDatabase', () => {
  it('creates the database, hands it to oc_owner, and applies the real migrations once', async () => {
    await cp(realMigrations, migrationsDir, { recursive: true });
    await prepare();
    expect(log.join('\n')).toContain(`database "${database}" created`);
    const owners = await query(
      adminUrl,
      'SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = current_database()',
    );
    expect(owners).toEqual([{ owner: 'oc_owner' }]);
    const tables = await query<{ tableowner: string }>(
      adminUrl,
      "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'",
    );
    expect(tables).toEqual([{ tableowner: 'oc_owner' }]);
    log = [];
    await prepare();
    expect(log).toEqual([]);
  });

  it('gives every role a login of its own and none the right to pass row-level security', async () => {
    await prepare();
    for (const role of DATABASE_ROLES) {
      const rows = await query(
        roleUrl(adminUrl, role),
        'SELECT current_user AS me, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user',
      );
      expect(rows).toEqual([
        { me: role, rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false },
      ]);
    }
  });

  it('takes back rights that a role must not have', async () => {
    await prepare();
    await administer(adminUrl, 'ALTER ROLE oc_app BYPASSRLS SUPERUSER');
    await prepare();
    expect(
      await query(adminUrl, "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'oc_app'"),
    ).toEqual([{ rolsuper: false, rolbypassrls: false }]);
  });

  it('records migrations as Prisma does', async () => {
    await addMigration('20200101000000_one', 'CREATE TABLE one (id int);');
    await prepare();
    const rows = await query<Record<string, unknown>>(adminUrl, 'SELECT * FROM _prisma_migrations');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      migration_name: '20200101000000_one',
      // sha256sum of the file
      checksum: '04a23a219a95ac16cc1a98a9a3789601d0a1ec6c704cf84c991592b0ba740e6b',
      applied_steps_count: 1,
      logs: null,
      rolled_back_at: null,
    });
    expect(rows[0]?.finished_at).toBeInstanceOf(Date);
  });

  it('applies only what is new, in the order of the names', async () => {
    await addMigration('20200101000000_one', 'CREATE TABLE one (id int);');
    await prepare();
    await addMigration('20200103000000_three', 'ALTER TABLE two ADD three int;');
    await addMigration('20200102000000_two', 'CREATE TABLE two (id int);');
    log = [];
    await prepare();
    expect(log).toEqual(['migration 20200102000000_two applied', 'migration 20200103000000_three applied']);
  });

  it('keeps nothing of a migration that fails, and names its line', async () => {
    await addMigration('20200101000000_bad', 'CREATE TABLE half (id int);\nSELECT * FROM nowhere;');
    await expect(prepare()).rejects.toThrow(/20200101000000_bad failed \(line 2\).*"nowhere" does not exist/);
    expect(await query(adminUrl, "SELECT to_regclass('half')::text AS half")).toEqual([{ half: null }]);
    expect(await query(adminUrl, 'SELECT * FROM _prisma_migrations')).toEqual([]);
  });

  it('refuses a migration that was changed after it had been applied', async () => {
    await addMigration('20200101000000_one', 'CREATE TABLE one (id int);');
    await prepare();
    await addMigration('20200101000000_one', 'CREATE TABLE one (id bigint);');
    await expect(prepare()).rejects.toThrow(/20200101000000_one was changed after it had been applied/);
  });

  it('starts on a database that a newer version has added to, so that an upgrade can be rolled back', async () => {
    await addMigration('20200101000000_one', 'CREATE TABLE one (id int);');
    await addMigration('20990101000000_later', 'CREATE TABLE later (id int);');
    await prepare();
    await rm(join(migrationsDir, '20990101000000_later'), { recursive: true });
    log.length = 0;
    await prepare();
    expect(log).toEqual([]);
  });

  it.each(['20990101000000_later_breaking', '20200101000000_another'])(
    'refuses a database with %s, which it cannot live with',
    async (name) => {
      await addMigration('20200102000000_one', 'CREATE TABLE one (id int);');
      await addMigration(name, 'CREATE TABLE later (id int);');
      await prepare();
      await rm(join(migrationsDir, name), { recursive: true });
      await expect(prepare()).rejects.toThrow(`${name}, which this version of OpenConductor does not know`);
    },
  );

  it('lets starts at the same time share the work', async () => {
    await addMigration('20200101000000_one', 'CREATE TABLE one (id int);');
    await Promise.all([prepare(), prepare(), prepare(), prepare()]);
    expect(log.filter((line) => line === 'migration 20200101000000_one applied')).toHaveLength(1);
  });

  it('a migration of a table that a backup reads holds nobody up, names the backup, and is applied after it', async () => {
    await addMigration('20200101000000_one', 'CREATE TABLE one (id int);');
    await prepare();
    await addMigration('20200102000000_two', 'ALTER TABLE one ADD two int;');
    const reader = await startReading('one');
    const { rows } = await reader.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const migrating = prepare();
    try {
      const waits = `migration 20200102000000_two waits for pid ${rows[0]?.pid} (openconductor-backup, postgres)`;
      await eventually('it says for whom it waits', () => log.includes(waits), 20_000);
      // Behind a migration that waits, this would wait for the backup, too.
      expect(await query(adminUrl, 'SELECT * FROM one')).toEqual([]);
    } finally {
      await reader.end();
      await migrating;
    }
    expect(log).toContain('migration 20200102000000_two applied');
    await query(adminUrl, 'SELECT two FROM one');
  });

  it('gives a migration up whose table is in use for too long, and keeps nothing of it', async () => {
    await addMigration('20200101000000_one', 'CREATE TABLE one (id int);');
    await prepare();
    await addMigration('20200102000000_two', 'CREATE TABLE two (id int); ALTER TABLE one ADD two int;');
    const reader = await startReading('one');
    try {
      await expect(prepare(adminUrl, { lockPatienceMs: 0 })).rejects.toThrow(
        /No chance for migration 20200102000000_two: pid \d+ \(openconductor-backup, .*pg_terminate_backend/,
      );
    } finally {
      await reader.end();
    }
    expect(await query(adminUrl, "SELECT to_regclass('two')::text AS two")).toEqual([{ two: null }]);
    await prepare();
    await query(adminUrl, 'SELECT two FROM one, two');
  });

  it('applies migrations in UTC, whatever the time zone of the database is', async () => {
    await prepare();
    await query(adminUrl, `ALTER DATABASE ${database} SET TimeZone = 'Europe/Berlin'`);
    await addMigration(
      '20200101000000_zone',
      "CREATE TABLE zone AS SELECT current_setting('TimeZone') AS name;",
    );
    await prepare();
    expect(await query(adminUrl, 'SELECT name FROM zone')).toEqual([{ name: 'UTC' }]);
  });

  it('shows oc_owner all rows at the next start, when the one that migrated was killed before', async () => {
    await addMigration(
      '20200101000000_walled',
      'CREATE TABLE walled (id int); ALTER TABLE walled ENABLE ROW LEVEL SECURITY; ALTER TABLE walled FORCE ROW LEVEL SECURITY;',
    );
    await prepare();
    await query(roleUrl(adminUrl, 'oc_owner'), 'INSERT INTO walled VALUES (1)');
    // As a kill behind the last migration leaves it, or `prisma migrate`.
    await query(roleUrl(adminUrl, 'oc_owner'), 'DROP POLICY owner ON walled');
    await prepare();
    expect(await query(roleUrl(adminUrl, 'oc_owner'), 'SELECT id FROM walled')).toEqual([{ id: 1 }]);
  });

  it('needs no superuser: the rights to create roles and databases are enough', async () => {
    const server = await startPrivatePostgres({ durable: false });
    try {
      await administer(server.adminUrl, "CREATE ROLE clerk LOGIN CREATEROLE CREATEDB PASSWORD 'secret'");
      const url = new URL(withDatabase(server.adminUrl, 'office'));
      url.username = 'clerk';
      url.password = 'secret';
      await cp(realMigrations, migrationsDir, { recursive: true });
      await prepare(url.href);
      const owner = await query(
        url.href,
        'SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = current_database()',
      );
      expect(owner).toEqual([{ owner: 'oc_owner' }]);
      log = [];
      await prepare(url.href);
      expect(log).toEqual([]);
      // Another administrator of the same server may neither change the passwords nor go on without.
      await administer(server.adminUrl, "CREATE ROLE rival LOGIN CREATEROLE CREATEDB PASSWORD 'other'");
      url.username = 'rival';
      url.password = 'other';
      await expect(prepare(url.href)).rejects.toThrow(
        /"rival" of DATABASE_URL may not create the roles oc_owner/,
      );
    } finally {
      await server.remove();
    }
  });

  it('says who lacks which right', async () => {
    const name = freshName('oc_poor');
    await administer(adminUrl, `CREATE ROLE ${name} LOGIN PASSWORD 'secret'`);
    const url = new URL(adminUrl);
    url.username = name;
    url.password = 'secret';
    try {
      await expect(prepare(url.href)).rejects.toThrow(
        /does not exist and cannot be created: permission denied/,
      );
    } finally {
      await administer(adminUrl, `DROP ROLE ${name}`);
    }
  });

  it('says so when nothing answers, and when the password is wrong', async () => {
    const nowhere = new URL(adminUrl);
    nowhere.port = '1';
    await expect(prepare(nowhere.href)).rejects.toThrow(/No Postgres answers at 127\.0\.0\.1:1/);
    const wrong = new URL(adminUrl);
    wrong.password = 'wrong';
    await expect(prepare(wrong.href)).rejects.toThrow(
      /Cannot log in to Postgres .* password authentication failed/,
    );
  });
});
