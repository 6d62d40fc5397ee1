import path from 'node:path';
import pg from 'pg';
import {
  type ApplyOptions,
  applyMigrations,
  type Migration,
  ownerSeesAll,
  pendingMigrations,
  readMigrations,
} from './migrate';
import { createRoles, rolesAreReady, roleUrl } from './roles';
import { DatabaseSetupError, sqlState } from './setup-error';

/** Versions of Postgres that are supported. */
const OLDEST = 15;
const NEWEST = 18;

/** How to prepare a database. */
export interface PrepareOptions extends ApplyOptions {
  /** Folder of the migrations; by default prisma/migrations in the current folder. */
  migrationsDir?: string;
  /** How long an unreachable server is tried again, in milliseconds. */
  connectTimeoutMs?: number;
}

/**
 * Makes a database ready for OpenConductor: checks the version, creates the database when it is missing and the
 * roles, hands the database to oc_owner and applies the migrations. When nothing is to be done it takes one
 * connection, as oc_owner.
 *
 * @param adminUrl DATABASE_URL: a user that may create roles
 * @throws DatabaseSetupError saying what is wrong and what to do
 */
export async function prepareDatabase(adminUrl: string, options: PrepareOptions): Promise<void> {
  const migrations = await readMigrations(options.migrationsDir ?? path.resolve('prisma/migrations'));
  if (await isPrepared(adminUrl, migrations, options)) return;
  await prepareAsAdmin(adminUrl, options);
  const owner = await connect(roleUrl(adminUrl, 'oc_owner'), options);
  try {
    const watcher = await connect(roleUrl(adminUrl, 'oc_owner'), options);
    try {
      await applyMigrations(owner, watcher, migrations, options);
    } finally {
      await watcher.end();
    }
  } finally {
    await owner.end();
  }
}

/** The short way of every later start: oc_owner can log in and finds roles and migrations as they should be. */
async function isPrepared(
  adminUrl: string,
  migrations: Migration[],
  options: PrepareOptions,
): Promise<boolean> {
  let owner: pg.Client;
  try {
    owner = await connect(roleUrl(adminUrl, 'oc_owner'), options);
  } catch (error) {
    // No such role or database yet, or another password: the long way finds out and says so.
    if (error instanceof DatabaseSetupError) throw error;
    return false;
  }
  try {
    await checkVersion(owner, options);
    if (!(await rolesAreReady(owner, adminUrl))) return false;
    return (await pendingMigrations(owner, migrations)).length === 0 && (await ownerSeesAll(owner));
  } finally {
    await owner.end();
  }
}

async function prepareAsAdmin(adminUrl: string, options: PrepareOptions): Promise<void> {
  const url = new URL(adminUrl);
  const database = decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username);
  if (url.password === '') {
    options.log(
      'DATABASE_URL has no password: anyone can work out the passwords of the database roles made from it.',
    );
  }
  let admin: pg.Client;
  try {
    admin = await connectAdmin(adminUrl, options);
  } catch (error) {
    if (sqlState(error) !== '3D000') throw error;
    await createDatabase(adminUrl, database, options);
    admin = await connectAdmin(adminUrl, options);
  }
  try {
    await checkVersion(admin, options);
    await createRoles(admin, adminUrl);
    await taking(() => giveToOwner(admin, database));
  } finally {
    await admin.end();
  }
}

/**
 * Repeats what another start at the same time got in the way of: Postgres refuses to change a catalogue row that somebody
 * else is changing ("tuple concurrently updated") instead of waiting.
 */
async function taking(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isRace = sqlState(error) === 'XX000' && /concurrently/.test((error as Error).message);
      if (!isRace || attempt === 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10 * attempt));
    }
  }
}

async function createDatabase(adminUrl: string, database: string, options: PrepareOptions): Promise<void> {
  const url = new URL(adminUrl);
  url.pathname = '/postgres';
  const client = await connectAdmin(url.href, options);
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(database)}`);
    options.log(`database "${database}" created`);
  } catch (error) {
    // 42P04: another start created it in the meantime.
    if (sqlState(error) === '42P04' || sqlState(error) === '23505') return;
    throw new DatabaseSetupError(
      `The database "${database}" of DATABASE_URL does not exist and cannot be created: ${(error as Error).message}`,
      error,
    );
  } finally {
    await client.end();
  }
}

/** Makes oc_owner the owner of the database and able to create in its schema `public`. */
async function giveToOwner(admin: pg.Client, database: string): Promise<void> {
  const name = admin.escapeIdentifier(database);
  const { rows } = await admin.query<{ owned: boolean; super: boolean; user: string }>(
    `SELECT pg_get_userbyid(d.datdba) = 'oc_owner' AS owned, r.rolsuper AS super, current_user AS user
     FROM pg_database d, pg_roles r WHERE d.datname = current_database() AND r.rolname = current_user`,
  );
  const state = rows[0];
  if (state === undefined || !state.owned) {
    try {
      // Who is no superuser must be a member of the role that it gives something to.
      if (state?.super !== true) await admin.query('GRANT oc_owner TO CURRENT_USER');
      await admin.query(`ALTER DATABASE ${name} OWNER TO oc_owner`);
    } catch (error) {
      if (sqlState(error) !== '42501') throw error;
      throw new DatabaseSetupError(
        `The user "${state?.user}" of DATABASE_URL must own the database "${database}" and have the right CREATEDB ` +
          '(or be a superuser), so that the database can be handed to the role oc_owner.',
        error,
      );
    }
  }
  await admin.query(`GRANT CONNECT ON DATABASE ${name} TO oc_auth, oc_app, oc_engine`);
  // A database that came from before Postgres 15 has a schema `public` that does not follow its database's owner.
  const schema = await admin.query<{ allowed: boolean }>(
    `SELECT has_schema_privilege('oc_owner', 'public', 'CREATE') AS allowed`,
  );
  if (schema.rows[0]?.allowed !== true) await admin.query('GRANT ALL ON SCHEMA public TO oc_owner');
}

async function checkVersion(client: pg.Client, options: PrepareOptions): Promise<void> {
  const { rows } = await client.query<{ number: string; text: string }>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS text`,
  );
  const major = Math.floor(Number(rows[0]?.number) / 10_000);
  if (major < OLDEST) {
    throw new DatabaseSetupError(
      `DATABASE_URL is Postgres ${rows[0]?.text}; OpenConductor needs ${OLDEST} to ${NEWEST}.`,
    );
  }
  if (major > NEWEST) {
    options.log(`Postgres ${rows[0]?.text} is newer than the versions OpenConductor was tested with.`);
  }
}

/** Worth another try within the time allowed: the server is starting, or its container is not up yet. */
const NOT_YET = new Set(['ECONNREFUSED', 'ECONNRESET', '57P03', 'EAI_AGAIN', 'ENOTFOUND', '53300']);

async function connect(url: string, options: PrepareOptions): Promise<pg.Client> {
  const deadline = performance.now() + (options.connectTimeoutMs ?? 10_000);
  for (let attempt = 0; ; attempt++) {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'openconductor-setup',
      connectionTimeoutMillis: 10_000,
    });
    try {
      await client.connect();
      // A server that goes away while we are idle would otherwise end the process; the next query fails anyway.
      client.on('error', () => undefined);
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      if (!NOT_YET.has(sqlState(error) ?? '')) throw error;
      if (performance.now() > deadline) {
        const { hostname, port } = new URL(url);
        throw new DatabaseSetupError(
          `No Postgres answers at ${hostname || 'localhost'}:${port || '5432'} (${(error as Error).message || sqlState(error)}). ` +
            'Start it, or correct DATABASE_URL; without DATABASE_URL an embedded Postgres is used.',
          error,
        );
      }
      if (attempt === 0) options.log('waiting for Postgres to answer');
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }
}

/** As `connect`, but errors of logging in are explained: it is the user of DATABASE_URL that they are about. */
async function connectAdmin(url: string, options: PrepareOptions): Promise<pg.Client> {
  try {
    return await connect(url, options);
  } catch (error) {
    if (error instanceof DatabaseSetupError || sqlState(error) === '3D000') throw error;
    const { username, hostname, port } = new URL(url);
    throw new DatabaseSetupError(
      `Cannot log in to Postgres at ${hostname || 'localhost'}:${port || '5432'} as "${decodeURIComponent(username)}": ` +
        `${(error as Error).message}. Correct DATABASE_URL.`,
      error,
    );
  }
}
