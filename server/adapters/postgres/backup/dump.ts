import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip, type Gzip, gzipSync } from 'node:zlib';
import pg from 'pg';
import copyStreams from 'pg-copy-streams';
import { roleUrl } from '../roles';
import { DatabaseSetupError } from '../setup-error';
import type { BackupHeader, BackupTable } from './archive';
import {
  appliedMigrations,
  checkVisible,
  type DataTable,
  dataTables,
  eventPartitions,
  sequenceValues,
} from './catalogue';

export interface BackupOptions {
  /** URL of the administrator; the tables are read as oc_owner. */
  adminUrl: string;
  /** File to write; it must not exist. */
  file: string;
  /** Of this program. */
  version: string;
  /** One line of progress. */
  log: (message: string) => void;
}

/**
 * Writes every row of the database, as of one moment, into a file. Work goes on meanwhile. The file takes its name only
 * when it is whole and on disk.
 *
 * @throws DatabaseSetupError when the file exists or the database is not ready
 */
export async function backupDatabase({ adminUrl, file, version, log }: BackupOptions): Promise<BackupHeader> {
  if (existsSync(file))
    throw new DatabaseSetupError(`${file} exists already. Choose another name, or move it away.`);
  const body = `${file}.rows.part`;
  const whole = `${file}.part`;
  const client = new pg.Client({
    connectionString: roleUrl(adminUrl, 'oc_owner'),
    application_name: 'openconductor-backup',
  });
  // The next query fails with it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`SET LOCAL TimeZone = 'UTC'`);
    const tables = await dataTables(client);
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
    await join(header, body, whole);
    await rename(whole, file);
    return header;
  } finally {
    await client.end();
    await rm(body, { force: true });
    await rm(whole, { force: true });
  }
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
  for (const table of tables) {
    const entry = await Promise.race([writeTable(client, table, zip), stored.then(() => null)]);
    if (entry === null) throw new Error('The file was closed before it was written.');
    written.push(entry);
    if (entry.rows > 0) log(`${table.name}: ${entry.rows} rows`);
  }
  zip.end();
  await stored;
  return written;
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
async function join(header: BackupHeader, body: string, whole: string): Promise<void> {
  const file = await open(whole, 'w', 0o600);
  try {
    await file.write(gzipSync(`${JSON.stringify(header)}\n`));
    for await (const chunk of createReadStream(body)) await file.write(chunk as Buffer);
    await file.sync();
  } finally {
    await file.close();
  }
}
