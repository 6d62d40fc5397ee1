import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type pg from 'pg';
import copyStreams from 'pg-copy-streams';
import { applyMigrations, type Migration, readMigrations } from '../migrate';
import { prepareDatabase } from '../prepare';
import { DatabaseSetupError, sqlState } from '../setup-error';
import { type BackupHeader, BackupReader, verifyBackup } from './archive';
import { appliedMigrations, type DataTable, dataTables, eventPartitions } from './catalogue';
import { connectAsOwner, endOn, liftLimits, never } from './session';

/** How long the connections of processes that were stopped a moment ago may take to end. */
const GRACE_MS = 3_000;

/** Migrations, oldest first. */
type Level = readonly Pick<Migration, 'name' | 'checksum'>[];

export interface RestoreOptions {
  /** URL of the administrator; the tables are filled as oc_owner. */
  adminUrl: string;
  file: string;
  /** Delete what the database holds now. */
  replace: boolean;
  /** Folder of the migrations; by default prisma/migrations in the current folder. */
  migrationsDir?: string;
  /** One line of progress. */
  log: (message: string) => void;
  /** Ends the restore: it fails, and the database holds what it held before. */
  signal?: AbortSignal;
}

/**
 * Fills the database from a backup, in one transaction: all of it is there afterwards, or nothing has changed. The file is
 * read and checked as a whole, and the database looked at, before anything is touched.
 *
 * The backup's tables must be as this version makes them, or as the database has them already: one that a newer version has
 * migrated, and whose backup is of before or after that, is restored by the version that it was rolled back to.
 *
 * @throws DatabaseSetupError when the file is not a whole backup of these tables, when OpenConductor runs on the database, or
 *   when it holds data and `replace` is not set
 */
export async function restoreDatabase(options: RestoreOptions): Promise<BackupHeader> {
  const { adminUrl, file, log, signal = never() } = options;
  const header = await verifyBackup(file, signal);
  log(`${file} is whole: ${total(header)} rows of ${header.createdAt}, written by version ${header.version}`);
  const migrationsDir = options.migrationsDir ?? path.resolve('prisma/migrations');
  const migrations = await readMigrations(migrationsDir);
  if (!isBegun(header.migrations, migrations)) {
    throw wrongLevel(header, migrations, 'this version of OpenConductor has');
  }
  const before = (admin: pg.Client | undefined) => lookBefore(admin, header, migrations, options);
  await prepareDatabase(adminUrl, { log, migrationsDir, before });
  signal.throwIfAborted();
  const client = await connectAsOwner(adminUrl, 'openconductor-restore');
  const stopListening = endOn(signal, client);
  try {
    await checkIdle(client);
    await checkStopped(client);
    await client.query('BEGIN');
    await fill(client, header, migrations, options);
    // From here on Postgres decides, and whoever interrupts learns what it was.
    stopListening();
    await client.query('COMMIT');
  } catch (error) {
    stopListening();
    // With its connection the transaction is gone.
    await client.end();
    if (sqlState(error) === '55P03') {
      throw new DatabaseSetupError(
        'The tables are in use: stop every OpenConductor on this database first.',
        error,
      );
    }
    throw error;
  }
  await analyze(client, options);
  return header;
}

/** Statistics for the planner. What was restored is there without them. */
async function analyze(client: pg.Client, { log, signal = never() }: RestoreOptions): Promise<void> {
  const stopListening = endOn(signal, client);
  try {
    await client.query('ANALYZE');
  } catch (error) {
    log(`the statistics of the tables are left to autovacuum: ${(error as Error).message}`);
  } finally {
    stopListening();
    await client.end();
  }
}

/** Refuses what will be refused later on anyway, before roles or tables are made or changed for it. */
async function lookBefore(
  admin: pg.Client | undefined,
  header: BackupHeader,
  migrations: Level,
  { replace }: RestoreOptions,
): Promise<void> {
  const found = await admin?.query<{ ours: boolean }>(
    `SELECT to_regclass('public.engine_process') IS NOT NULL AS ours`,
  );
  if (admin === undefined || found?.rows[0]?.ours !== true) {
    if (!isSame(header.migrations, migrations))
      throw wrongLevel(header, migrations, 'an empty database gets');
    return;
  }
  try {
    const applied = await appliedMigrations(admin);
    if (!isSame(header.migrations, migrations) && !isSame(header.migrations, applied)) {
      throw wrongLevel(header, applied, 'the database has');
    }
    await checkIdle(admin);
    await checkStopped(admin);
    const full = await notEmpty(admin, await dataTables(admin));
    if (full.length > 0 && !replace) throw holdsData(full);
  } catch (error) {
    // An administrator may lack the owner's rights; the owner looks once more.
    if (sqlState(error) !== '42501') throw error;
  }
}

async function fill(
  client: pg.Client,
  header: BackupHeader,
  migrations: readonly Migration[],
  { adminUrl, file, replace, log }: RestoreOptions,
): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '5s'`);
  const applied = await appliedMigrations(client);
  const isAnew = !isSame(header.migrations, applied);
  if (isAnew && !(isSame(header.migrations, migrations) && isBegun(applied, header.migrations))) {
    throw wrongLevel(header, applied, 'the database has');
  }
  const there = await dataTables(client);
  // Nobody takes a lease, and nobody reads half of it, until it is over.
  await client.query('LOCK TABLE workflow_shard, engine_process IN ACCESS EXCLUSIVE MODE');
  await checkIdle(client);
  await client.query(`LOCK TABLE ${listOf(client, there)} IN ACCESS EXCLUSIVE MODE`);
  await open(client, there, true);
  const full = await notEmpty(client, there);
  if (full.length > 0 && !replace) throw holdsData(full);
  let tables = there;
  if (isAnew) {
    await makeAnew(client, migrations, adminUrl);
    tables = await dataTables(client);
    await open(client, tables, true);
    log(`the tables, which a newer version had changed, are made anew as of ${newest(migrations)}`);
  }
  checkTables(header, tables);
  if (full.length > 0) {
    if (!isAnew) await client.query(`TRUNCATE ${listOf(client, tables)}`);
    log('what the database held is deleted');
  }
  await takePartitions(client, header);
  const reader = new BackupReader(file);
  try {
    await reader.header();
    for (const table of header.tables) {
      const columns = table.columns.map((column) => client.escapeIdentifier(column)).join(', ');
      const into = copyStreams.from(`COPY ${client.escapeIdentifier(table.name)} (${columns}) FROM STDIN`);
      await pipeline(Readable.from(reader.rows(table), { objectMode: false }), client.query(into));
      if (into.rowCount !== table.rows) {
        throw new DatabaseSetupError(
          `${table.name}: ${into.rowCount} rows came in, not ${table.rows}. Nothing was changed.`,
        );
      }
      if (table.rows > 0) log(`${table.name}: ${table.rows} rows`);
    }
  } finally {
    await reader.close();
  }
  for (const { name, value } of header.sequences) {
    await client.query('SELECT setval($1::regclass, $2)', [client.escapeIdentifier(name), value]);
  }
  await divide(client, header);
  // A process that has slept through all of this must not take itself for an owner still.
  await client.query(`UPDATE workflow_shard SET owner = NULL, epoch = epoch + 1, lease_until = '-infinity'`);
  await client.query('DELETE FROM engine_process');
  await open(client, tables, false);
}

/** The runs keep the shards they were made with: a process that is set to another number is refused from now on. */
async function divide(client: pg.Client, { shards }: BackupHeader): Promise<void> {
  if (shards === 0) return;
  await client.query('DELETE FROM workflow_shard WHERE shard >= $1', [shards]);
  await client.query(
    'INSERT INTO workflow_shard (shard) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING',
    [shards],
  );
}

function total({ tables }: BackupHeader): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

function isSame(a: Level, b: Level): boolean {
  return a.length === b.length && isBegun(a, b);
}

/** True when `level` is `base`, or `base` and what came after it. */
function isBegun(level: Level, base: Level): boolean {
  return base.every(({ name, checksum }, n) => level[n]?.name === name && level[n]?.checksum === checksum);
}

function newest(level: Level): string {
  return level.at(-1)?.name ?? 'none';
}

function wrongLevel(header: BackupHeader, there: Level, who: string): DatabaseSetupError {
  const wanted = newest(header.migrations);
  return new DatabaseSetupError(
    `The backup (written by version ${header.version}) has the tables as of migration ${wanted}; ${who} those as of ` +
      `${newest(there)}. Restore it with a version of OpenConductor whose newest migration is ${wanted}, into an empty ` +
      'database (DATABASE_URL) or data folder (OPENCONDUCTOR_DATA_DIR), then upgrade. Nothing was changed.',
  );
}

function holdsData(full: readonly string[]): DatabaseSetupError {
  return new DatabaseSetupError(
    `The database holds data already (${full.slice(0, 5).join(', ')}). Restore into an empty one, or give --replace ` +
      'to delete what it holds. Nothing was changed.',
  );
}

function listOf(client: pg.Client, tables: readonly DataTable[]): string {
  return tables.map(({ name }) => client.escapeIdentifier(name)).join(', ');
}

/**
 * Drops all that the owner of the tables has in the database, and makes it as of `migrations`, within the transaction. The
 * epochs of the shards are kept: a process that has slept through all of this must not take itself for an owner still.
 */
async function makeAnew(
  client: pg.Client,
  migrations: readonly Migration[],
  adminUrl: string,
): Promise<void> {
  const { rows } = await client.query<{ shard: number; epoch: string }>(
    'SELECT shard, epoch FROM workflow_shard',
  );
  try {
    await client.query('DROP OWNED BY oc_owner');
    const watcher = await connectAsOwner(adminUrl, 'openconductor-restore');
    try {
      await applyMigrations(within(client), watcher, migrations, { log: () => undefined });
    } finally {
      await watcher.end();
    }
  } catch (error) {
    if (sqlState(error) === '55P03') throw error;
    throw new DatabaseSetupError(
      `The tables, which a newer version has changed, cannot be made anew: ${(error as Error).message}. Restore into an ` +
        'empty database (DATABASE_URL) or data folder (OPENCONDUCTOR_DATA_DIR). Nothing was changed.',
      error,
    );
  }
  // Migrations end with the settings of the session as they were at its beginning.
  await liftLimits(client);
  await client.query(
    'INSERT INTO workflow_shard (shard, epoch) SELECT * FROM unnest($1::smallint[], $2::bigint[])',
    [rows.map(({ shard }) => shard), rows.map(({ epoch }) => epoch)],
  );
}

/** The client, for work that has transactions of its own: they are parts of the one under way. */
function within(client: pg.Client): pg.Client {
  const parts: Record<string, string> = {
    BEGIN: 'SAVEPOINT part',
    COMMIT: 'RELEASE SAVEPOINT part',
    ROLLBACK: 'ROLLBACK TO SAVEPOINT part',
  };
  const query = (text: string, values?: unknown[]) => client.query(parts[text] ?? text, values);
  return { query } as unknown as pg.Client;
}

async function checkIdle(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ host: string; pid: number }>(
    `SELECT DISTINCT p.host, p.pid FROM engine_process p
     WHERE p.live_until > clock_timestamp()
        OR p.id IN (SELECT owner FROM workflow_shard WHERE lease_until > clock_timestamp())`,
  );
  const held = await client.query(
    'SELECT 1 FROM workflow_shard WHERE lease_until > clock_timestamp() LIMIT 1',
  );
  if (rows.length === 0 && held.rowCount === 0) return;
  const who =
    rows.map(({ host, pid }) => `pid ${pid} on ${host}`).join(', ') || 'a process of which no more is known';
  throw new DatabaseSetupError(
    `An engine runs on this database (${who}). Stop it first; one that was killed is forgotten within seconds. ` +
      'Nothing was changed.',
  );
}

/**
 * Processes without the role `engine` have no lease, but connections. Not within a transaction, which would see those of its
 * beginning only.
 */
async function checkStopped(client: pg.Client): Promise<void> {
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const { rows } = await client.query<{ name: string; pid: number }>(
      `SELECT application_name AS name, pid FROM pg_stat_activity
       WHERE datname = current_database() AND usename IN ('oc_app', 'oc_auth', 'oc_engine') ORDER BY pid`,
    );
    if (rows.length === 0) return;
    if (performance.now() > deadline) {
      const who = rows.map(({ name, pid }) => `${name || 'without a name'} ${pid}`);
      throw new DatabaseSetupError(
        `OpenConductor is connected to this database (${who.slice(0, 10).join(', ')}): stop every process of it first. ` +
          'A connection whose process is gone ends with SELECT pg_terminate_backend(NUMBER). Nothing was changed.',
      );
    }
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

function checkTables(header: BackupHeader, tables: readonly DataTable[]): void {
  const text = (list: readonly { name: string; columns: string[] }[]) =>
    list
      .map(({ name, columns }) => `${name}(${columns.join()})`)
      .sort()
      .join('\n');
  if (text(header.tables) === text(tables)) return;
  throw new DatabaseSetupError(
    'The tables of the database are not those of the backup. Nothing was changed.',
  );
}

/** Lets oc_owner write where row-level security is forced, or forces it again; undone with the transaction. */
async function open(client: pg.Client, tables: readonly DataTable[], open: boolean): Promise<void> {
  for (const { name, forced } of tables) {
    const table = client.escapeIdentifier(name);
    if (forced) await client.query(`ALTER TABLE ${table} ${open ? 'NO FORCE' : 'FORCE'} ROW LEVEL SECURITY`);
    await client.query(`ALTER TABLE ${table} ${open ? 'DISABLE' : 'ENABLE'} TRIGGER USER`);
  }
}

async function notEmpty(client: pg.Client, tables: readonly DataTable[]): Promise<string[]> {
  const full: string[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<{ full: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM ${client.escapeIdentifier(name)}) AS full`,
    );
    if (rows[0]?.full) full.push(name);
  }
  return full;
}

/**
 * Gives the event table the weeks that the backup had partitions for: retention drops whole partitions. Weeks of this database
 * that overlap them otherwise give way (older versions made weeks that begin an hour late); no table holds rows now.
 */
async function takePartitions(client: pg.Client, header: BackupHeader): Promise<void> {
  const there = await eventPartitions(client);
  const kept = there.filter((week) => header.partitions.some((wanted) => isSameWeek(week, wanted)));
  for (const week of there) {
    if (kept.includes(week)) continue;
    const inTheWay = ({ name, low, high }: Week) =>
      name === week.name || (low < week.high && week.low < high);
    if (!header.partitions.some(inTheWay)) continue;
    await client.query(`DROP TABLE ${client.escapeIdentifier(week.name)}`);
    const payloads = week.name.replace('workflow_event_', 'workflow_payload_');
    await client.query(`DROP TABLE IF EXISTS ${client.escapeIdentifier(payloads)}`);
  }
  for (const week of header.partitions) {
    if (kept.some((other) => isSameWeek(week, other))) continue;
    await client.query(
      `CREATE TABLE ${client.escapeIdentifier(week.name)} PARTITION OF workflow_event
       FOR VALUES FROM ('${week.low}') TO ('${week.high}')`,
    );
  }
  await client.query('SELECT ensure_payload_partitions()');
}

type Week = BackupHeader['partitions'][number];

function isSameWeek(a: Week, b: Week): boolean {
  return a.name === b.name && a.low === b.low && a.high === b.high;
}
