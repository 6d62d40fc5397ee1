import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { prepareDatabase } from '@/server/adapters/postgres/prepare';
import { DATABASE_ROLES, roleUrl } from '@/server/adapters/postgres/roles';
import { administer, freshName, withDatabase } from '../support/database-admin';

const realMigrations = resolve(import.meta.dirname, '../../prisma/migrations');

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

const prepare = (url = adminUrl) =>
  prepareDatabase(url, { log: (line) => log.push(line), migrationsDir, connectTimeoutMs: 300 });

beforeEach(async () => {
  database = freshName('oc_setup');
  adminUrl = withDatabase(inject('postgresAdminUrl'), database);
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
      checksum: 'b33a5326d90e6a6b2f2b0f0a0dfb9e10c3ab1ae3c9a8e6c0e2f2b57b5e2e4a0f',
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

  it('refuses a database that a newer version has migrated', async () => {
    await addMigration('20200101000000_one', 'CREATE TABLE one (id int);');
    await addMigration('20990101000000_later', 'CREATE TABLE later (id int);');
    await prepare();
    await rm(join(migrationsDir, '20990101000000_later'), { recursive: true });
    await expect(prepare()).rejects.toThrow(
      /20990101000000_later, which this version of OpenConductor does not know/,
    );
  });

  it('lets starts at the same time share the work', async () => {
    await addMigration('20200101000000_one', 'CREATE TABLE one (id int);');
    await Promise.all([prepare(), prepare(), prepare(), prepare()]);
    expect(log.filter((line) => line === 'migration 20200101000000_one applied')).toHaveLength(1);
  });

  it('works as an administrator who is no superuser but may create roles and databases', async () => {
    await prepare();
    const name = freshName('oc_admin');
    await administer(
      adminUrl,
      `CREATE ROLE ${name} LOGIN CREATEROLE CREATEDB PASSWORD 'secret'`,
      `ALTER DATABASE ${database} OWNER TO ${name}`,
    );
    // The roles exist with the passwords of the first administrator, which this one may not change: a cluster has
    // one administrator. Its own start therefore needs the same password, or roles that it may alter.
    const url = new URL(adminUrl);
    url.username = name;
    url.password = 'secret';
    try {
      await expect(prepare(url.href)).rejects.toThrow(/may not create the roles oc_owner/);
    } finally {
      await administer(adminUrl, `ALTER DATABASE ${database} OWNER TO postgres`, `DROP ROLE ${name}`);
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
