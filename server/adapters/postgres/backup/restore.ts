import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import copyStreams from 'pg-copy-streams';
import { readMigrations } from '../migrate';
import { prepareDatabase } from '../prepare';
import { roleUrl } from '../roles';
import { DatabaseSetupError, sqlState } from '../setup-error';
import { type BackupHeader, BackupReader, verifyBackup } from './archive';
import { appliedMigrations, type DataTable, dataTables, eventPartitions } from './catalogue';

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
}

/**
 * Fills the database from a backup, in one transaction: all of it is there afterwards, or nothing has changed. The file is
 * read and checked as a whole before the database is touched.
 *
 * @throws DatabaseSetupError when the file is not a whole backup of this version's tables, when an engine runs, or when
 *   the database holds data and `replace` is not set
 */
export async function restoreDatabase(options: RestoreOptions): Promise<BackupHeader> {
  const { adminUrl, file, log } = options;
  const header = await verifyBackup(file);
  log(`${file} is whole: ${total(header)} rows of ${header.createdAt}, written by version ${header.version}`);
  const migrationsDir = options.migrationsDir ?? path.resolve('prisma/migrations');
  checkLevel(header, await readMigrations(migrationsDir), 'this version of OpenConductor has');
  await prepareDatabase(adminUrl, { log, migrationsDir });
  const client = new pg.Client({
    connectionString: roleUrl(adminUrl, 'oc_owner'),
    application_name: 'openconductor-restore',
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('BEGIN');
    await fill(client, header, options);
    await client.query('COMMIT');
    await client.query('ANALYZE');
    return header;
  } catch (error) {
    // The connection is closed below, and with it the transaction is gone.
    if (sqlState(error) === '55P03') {
      throw new DatabaseSetupError(
        'The tables are in use: stop every OpenConductor on this database first.',
        error,
      );
    }
    throw error;
  } finally {
    await client.end();
  }
}

async function fill(
  client: pg.Client,
  header: BackupHeader,
  { file, replace, log }: RestoreOptions,
): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '5s'`);
  checkLevel(header, await appliedMigrations(client), 'the database has');
  const tables = await dataTables(client);
  const names = tables.map(({ name }) => client.escapeIdentifier(name)).join(', ');
  // Nobody takes a lease, and nobody reads half of it, until it is over.
  await client.query('LOCK TABLE workflow_shard, engine_process IN ACCESS EXCLUSIVE MODE');
  await checkIdle(client);
  await client.query(`LOCK TABLE ${names} IN ACCESS EXCLUSIVE MODE`);
  checkTables(header, tables);
  await open(client, tables, true);
  const full = await notEmpty(client, tables);
  if (full.length > 0) {
    if (!replace) {
      throw new DatabaseSetupError(
        `The database holds data already (${full.slice(0, 5).join(', ')}). Restore into an empty one, or give --replace ` +
          'to delete what it holds. Nothing was changed.',
      );
    }
    await client.query(`TRUNCATE ${names}`);
    log('what the database held is deleted');
  }
  await addPartitions(client, header);
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

function checkLevel(
  header: BackupHeader,
  there: readonly { name: string; checksum: string }[],
  who: string,
): void {
  const text = (list: readonly { name: string; checksum: string }[]) =>
    list.map(({ name, checksum }) => `${name} ${checksum}`).join('\n');
  if (text(header.migrations) === text(there)) return;
  const newest = (list: readonly { name: string }[]) => list.at(-1)?.name ?? 'none';
  throw new DatabaseSetupError(
    `The backup was written by version ${header.version} with tables as of ${newest(header.migrations)}; ${who} ` +
      `${newest(there)}. Restore it with the version that wrote it, then upgrade. Nothing was changed.`,
  );
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

/** Weeks that the backup had partitions for and this database has not: retention drops whole partitions. */
async function addPartitions(client: pg.Client, header: BackupHeader): Promise<void> {
  const there = new Set((await eventPartitions(client)).map(({ low }) => low));
  for (const { name, low, high } of header.partitions) {
    if (there.has(low)) continue;
    await client.query(
      `CREATE TABLE ${client.escapeIdentifier(name)} PARTITION OF workflow_event FOR VALUES FROM ('${low}') TO ('${high}')`,
    );
  }
  await client.query('SELECT ensure_payload_partitions()');
}
