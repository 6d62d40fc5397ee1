import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip, type Gzip, gzipSync } from 'node:zlib';
import type pg from 'pg';
import copyStreams from 'pg-copy-streams';
import { DatabaseSetupError, sqlState } from '../setup-error';
import type { BackupHeader, BackupTable } from './archive';
import {
  appliedMigrations,
  checkVisible,
  type DataTable,
  dataTables,
  eventPartitions,
  sequenceValues,
} from './catalogue';
import { connectAsOwner, endOn, never } from './session';

/** How often the backup begins anew because the tables change under it. */
const MOST_ATTEMPTS = 10;

export interface BackupOptions {
  /** URL of the administrator; the tables are read as oc_owner. */
  adminUrl: string;
  /** File to write; it must not exist. */
  file: string;
  /** Of this program. */
  version: string;
  /** One line of progress. */
  log: (message: string) => void;
  /** Ends the backup: it fails, and leaves no file behind. */
  signal?: AbortSignal;
}

/**
 * Writes every row of the database, as of one moment, into a file. Work goes on meanwhile. The file takes its name only
 * when it is whole and on disk.
 *
 * @throws DatabaseSetupError when the file exists or the database is not ready
 */
export async function backupDatabase(options: BackupOptions): Promise<BackupHeader> {
  const { adminUrl, file, version, log, signal = never() } = options;
  if (existsSync(file))
    throw new DatabaseSetupError(`${file} exists already. Choose another name, or move it away.`);
  const body = `${file}.rows.part`;
  const whole = `${file}.part`;
  const client = await connectAsOwner(adminUrl, 'openconductor-backup');
  const stopListening = endOn(signal, client);
  try {
    await client.query(`SET TimeZone = 'UTC'`);
    const tables = await begin(client);
    await checkVisible(client, tables);
    const facts = {
      migrations: await appliedMigrations(client),
      partitions: await eventPartitions(client),
      sequences: await sequenceValues(client),
      shards: Number(
        (await client.query<{ n: string }>('SELECT count(*) AS n FROM workflow_shard')).rows[0]?.n,
      ),
      createdAt: (await client.query<{ now: Date }>('SELECT now()')).rows[0]?.now.toISOString() ?? '',
    };
    const written = await writeRows(client, tables, body, log);
    await client.query('COMMIT');
    const header: BackupHeader = {
      format: 'openconductor-backup',
      formatVersion: 1,
      version,
      ...facts,
      tables: written,
    };
    await join(header, body, whole, signal);
    await rename(whole, file);
    return header;
  } finally {
    stopListening();
    await client.end();
    await rm(body, { force: true });
    await rm(whole, { force: true });
  }
}

/**
 * Begins the transaction whose snapshot the backup holds. The snapshot keeps rows, but not tables: one that is dropped later on,
 * as retention drops a week, would be missing with its rows while the rows that belong to them are there. So all tables are
 * locked, as a reader locks them, before there is a snapshot.
 */
async function begin(client: pg.Client): Promise<DataTable[]> {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const names = (await dataTables(client)).map(({ name }) => client.escapeIdentifier(name)).join(', ');
    if (names === '') throw new DatabaseSetupError('The database has no tables of OpenConductor.');
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    try {
      await client.query(`LOCK TABLE ${names} IN ACCESS SHARE MODE`);
      const tables = await dataTables(client);
      if (tables.map(({ name }) => client.escapeIdentifier(name)).join(', ') === names) return tables;
    } catch (error) {
      // A table has gone meanwhile, or whoever changes tables waited for us as we for them.
      if (sqlState(error) !== '42P01' && sqlState(error) !== '40P01') throw error;
    }
    await client.query('ROLLBACK');
  }
  throw new DatabaseSetupError('The tables are being changed all the time. Try again later.');
}

async function writeRows(
  client: pg.Client,
  tables: readonly DataTable[],
  body: string,
  log: (message: string) => void,
): Promise<BackupTable[]> {
  const zip = createGzip();
  const stored = pipeline(zip, createWriteStream(body, { mode: 0o600, flags: 'w' }));
  // Looked at below; without this a full disk would end the process before.
  stored.catch(() => undefined);
  const written: BackupTable[] = [];
  try {
    for (const table of tables) {
      const entry = await Promise.race([writeTable(client, table, zip), stored.then(() => null)]);
      if (entry === null) throw new Error('The file was closed before it was written.');
      written.push(entry);
      if (entry.rows > 0) log(`${table.name}: ${entry.rows} rows`);
    }
    zip.end();
    await stored;
    return written;
  } catch (error) {
    // Nobody may still be making the file when it is removed.
    zip.destroy();
    await stored.catch(() => undefined);
    throw error;
  }
}

async function writeTable(client: pg.Client, { name, columns }: DataTable, zip: Gzip): Promise<BackupTable> {
  const list = columns.map((column) => client.escapeIdentifier(column)).join(', ');
  // A query, because COPY does not read partitioned tables themselves.
  const rowsOf = client.query(
    copyStreams.to(`COPY (SELECT ${list} FROM ${client.escapeIdentifier(name)}) TO STDOUT`),
  );
  const hash = createHash('sha256');
  let bytes = 0;
  let rows = 0;
  for await (const chunk of rowsOf as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
    // COPY writes a line break within a value as \n: each one in the file ends a row.
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows += 1;
    if (!zip.write(chunk)) await once(zip, 'drain');
  }
  return { name, columns, rows, bytes, sha256: hash.digest('hex') };
}

/** The header says how many rows there are, so it is made last; a gzip file may consist of several. */
async function join(header: BackupHeader, body: string, whole: string, signal: AbortSignal): Promise<void> {
  async function* parts() {
    yield gzipSync(`${JSON.stringify(header)}\n`);
    yield* createReadStream(body) as AsyncIterable<Buffer>;
  }
  // A stream writes the rest of what the disk took in part only, or fails; and what it closes is on disk.
  await pipeline(parts, createWriteStream(whole, { mode: 0o600, flush: true }), { signal });
}
