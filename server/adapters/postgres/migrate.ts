import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';
import { DatabaseSetupError, sqlState } from './setup-error';

/** One folder of prisma/migrations. */
export interface Migration {
  name: string;
  sql: string;
  /** SHA-256 of the file in hex: what Prisma stores. */
  checksum: string;
}

/** A row of Prisma's own table; only what decides. */
interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished: boolean;
}

/**
 * End of the name of a migration that the version before cannot live with. Every other migration only adds, so that a process
 * of the version before goes on, and starts, on a database that a newer one has migrated: an upgrade can be rolled back.
 */
const BREAKING = '_breaking';

/** Any number that no other program is likely to lock in the same database. */
const MIGRATION_LOCK = 7_263_011_559;

/**
 * How long a migration waits for a lock. Whoever comes after it waits behind it: without a limit it would stop everything for as
 * long as, say, a backup reads.
 */
const LOCK_TIMEOUT_MS = 2_000;
/** Between two tries, so that the others get on. */
const PAUSE_MS = 5_000;
const PATIENCE_MS = 600_000;
/** A lock that was not to be had in time, or a deadlock that was resolved at our cost. */
const HELD_UP = new Set(['55P03', '40P01']);
/** Who is in the way can be seen only while we wait. */
const LOOK_MS = 500;

/** Prisma's table as Prisma makes it, so that `prisma migrate` can take over at any time. */
const CREATE_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`;

/** Tables of the owner, who asks, that hide their rows from it. */
const HIDING = `
  SELECT c.oid FROM pg_class c
  WHERE c.relnamespace = 'public'::regnamespace AND c.relforcerowsecurity AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'owner')`;

/**
 * Row-level security is forced on tables of organisations, so it binds their owner too. Its functions and backups have to
 * see every row, whichever migration made the table and whoever applied it.
 */
const OWNER_POLICIES = `
  DO $$
  DECLARE
    t regclass;
  BEGIN
    FOR t IN ${HIDING} LOOP
      EXECUTE format('CREATE POLICY owner ON %s TO oc_owner USING (true) WITH CHECK (true)', t);
    END LOOP;
  END $$`;

/** Reads the migrations of a folder, oldest first (their names begin with a time stamp). */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(directory, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/**
 * The migrations that are still to be applied.
 * @throws DatabaseSetupError when the database and the folder contradict each other
 */
export async function pendingMigrations(
  client: pg.Client,
  migrations: readonly Migration[],
): Promise<Migration[]> {
  const applied = await readApplied(client);
  const known = new Set(migrations.map((migration) => migration.name));
  const newest = migrations.at(-1)?.name ?? '';
  for (const row of applied) {
    if (!row.finished) {
      throw new DatabaseSetupError(
        `Migration ${row.migration_name} was begun by another program and never finished. Repair it with ` +
          `\`prisma migrate resolve\`, then start again.`,
      );
    }
    const isAddition = row.migration_name > newest && !row.migration_name.endsWith(BREAKING);
    if (!known.has(row.migration_name) && !isAddition) {
      throw new DatabaseSetupError(
        `The database has migration ${row.migration_name}, which this version of OpenConductor does not know. ` +
          'It was used by a newer version: start that one, or use another database.',
      );
    }
  }
  const checksums = new Map(applied.map((row) => [row.migration_name, row.checksum]));
  return migrations.filter((migration) => {
    const checksum = checksums.get(migration.name);
    if (checksum !== undefined && checksum !== migration.checksum) {
      throw new DatabaseSetupError(
        `Migration ${migration.name} was changed after it had been applied to this database ` +
          `(checksum ${checksum.slice(0, 12)}… there, ${migration.checksum.slice(0, 12)}… here). ` +
          'Put the file back as it was, and make the change in a new migration.',
      );
    }
    return checksum === undefined;
  });
}

/** What the database has; nothing when Prisma's table is not there yet. */
async function readApplied(client: pg.Client): Promise<AppliedRow[]> {
  try {
    const { rows } = await client.query<AppliedRow>(
      `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished
       FROM _prisma_migrations WHERE rolled_back_at IS NULL`,
    );
    return rows;
  } catch (error) {
    if (sqlState(error) === '42P01') return [];
    throw error;
  }
}

/**
 * True when the owner sees every row. Not so after a kill right behind the last migration, or when `prisma migrate` applied it.
 *
 * @param client connected as the owner of the tables
 */
export async function ownerSeesAll(client: pg.Client): Promise<boolean> {
  return (await client.query(`${HIDING} LIMIT 1`)).rowCount === 0;
}

/** How to apply migrations. */
export interface ApplyOptions {
  /** One line of progress. */
  log: (message: string) => void;
  /** How long is waited for those who use the tables, in milliseconds; ten minutes unless given. */
  lockPatienceMs?: number;
}

/**
 * Applies what is pending, each migration and its record in one transaction, one process at a time. Nobody is held up by one
 * that has to wait for somebody else.
 *
 * @param client connected as the owner of the tables
 * @param watcher another connection, to see who is in the way of the first
 * @returns the names that were applied now
 * @throws DatabaseSetupError when one fails, or its tables are in use for too long
 */
export async function applyMigrations(
  client: pg.Client,
  watcher: pg.Client,
  migrations: readonly Migration[],
  options: ApplyOptions,
): Promise<string[]> {
  await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
  try {
    await client.query(CREATE_TABLE);
    const pending = await pendingMigrations(client, migrations);
    for (const migration of pending) {
      const what = `migration ${migration.name}`;
      await whenFree(client, watcher, what, () => applyOne(client, migration), options);
      options.log(`${what} applied`);
    }
    const addPolicies = () => inTransaction(client, async () => void (await client.query(OWNER_POLICIES)));
    await whenFree(client, watcher, 'the policy of oc_owner', addPolicies, options);
    return pending.map((migration) => migration.name);
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  }
}

/** Does `work`, a transaction of `client`, again for as long as somebody else uses tables that it needs, and says who. */
async function whenFree(
  client: pg.Client,
  watcher: pg.Client,
  what: string,
  work: () => Promise<void>,
  { log, lockPatienceMs = PATIENCE_MS }: ApplyOptions,
): Promise<void> {
  const deadline = performance.now() + lockPatienceMs;
  let told = '';
  for (;;) {
    const blockers = await watchBlockers(client, watcher);
    const failure = await work().then(
      () => null,
      (error: unknown) => ({ error }),
    );
    const who = (await blockers()) || 'another connection';
    if (failure === null) return;
    const { error } = failure;
    const cause = error instanceof DatabaseSetupError ? error.cause : error;
    if (!HELD_UP.has(sqlState(cause) ?? '')) throw error;
    if (performance.now() >= deadline) {
      throw new DatabaseSetupError(
        `No chance for ${what}: ${who} uses tables that it changes. Wait until that is over (a backup ends by itself), or end ` +
          'it with SELECT pg_terminate_backend(pid), then start again. Nothing of it was kept.',
        error,
      );
    }
    if (who !== told) log(`${what} waits for ${who}`);
    told = who;
    await new Promise((wake) => setTimeout(wake, PAUSE_MS));
  }
}

/** Looks who keeps `client` waiting until the answer is called, which tells who it was; empty when nobody was seen. */
async function watchBlockers(client: pg.Client, watcher: pg.Client): Promise<() => Promise<string>> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  let who = '';
  const look = async () => {
    const blockers = await watcher.query<{ who: string }>(
      `SELECT format('pid %s (%s)', pid,
         coalesce(nullif(concat_ws(', ', nullif(application_name, ''), usename), ''), 'of Postgres itself')) AS who
       FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids($1)) ORDER BY pid`,
      [rows[0]?.pid],
    );
    if (blockers.rows.length > 0) who = blockers.rows.map((row) => row.who).join(' and ');
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = look().catch(() => undefined);
  }, LOOK_MS);
  return async () => {
    clearInterval(timer);
    await looking;
    return who;
  };
}

/** Does `work` in a transaction that waits for a lock only for a moment. */
async function inTransaction(client: pg.Client, work: () => Promise<void>): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
    await work();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function applyOne(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await inTransaction(client, async () => {
      const started = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
      // Days and weeks of one length, wherever it is.
      await client.query(`SET LOCAL TimeZone = 'UTC'`);
      await client.query(migration.sql);
      // A migration may have set its own search_path or role: the record must land in our schema all the same.
      await client.query('RESET ALL');
      await client.query(
        `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, logs, started_at, applied_steps_count)
         VALUES ($1, $2, clock_timestamp(), $3, NULL, $4, 1)`,
        [randomUUID(), migration.checksum, migration.name, started.rows[0]?.now],
      );
    });
  } catch (error) {
    const position = Number((error as { position?: string }).position);
    const line = position > 0 ? ` (line ${migration.sql.slice(0, position).split('\n').length})` : '';
    throw new DatabaseSetupError(
      `Migration ${migration.name} failed${line}, and nothing of it was kept: ${(error as Error).message}`,
      error,
    );
  }
}
