import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { z } from 'zod';
import { DatabaseSetupError } from '../setup-error';
import { never } from './session';

/**
 * The file of a backup: gzip; in it one line of JSON (the header), then the rows of each table in the order of the header,
 * as Postgres' COPY writes them (text, one line a row).
 */

const headerSchema = z.object({
  format: z.literal('openconductor-backup'),
  formatVersion: z.literal(1),
  /** Of the program that wrote it. */
  version: z.string(),
  createdAt: z.string(),
  shards: z.int(),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
  tables: z.array(
    z.object({
      name: z.string(),
      columns: z.array(z.string()),
      rows: z.int().min(0),
      bytes: z.int().min(0),
      /** Of the rows as they are in the file, in hex. */
      sha256: z.string(),
    }),
  ),
  /** Weekly partitions of the event table. */
  partitions: z.array(z.object({ name: z.string(), low: z.guid(), high: z.guid() })),
  /** Last values that were given out. */
  sequences: z.array(z.object({ name: z.string(), value: z.int() })),
});
export type BackupHeader = z.infer<typeof headerSchema>;
export type BackupTable = BackupHeader['tables'][number];

const MAX_HEADER_BYTES = 16 * 1024 * 1024;

/** A file that is no backup, or not a whole one. */
function broken(file: string, why: string, cause?: unknown): DatabaseSetupError {
  return new DatabaseSetupError(`${file} cannot be restored: ${why} Nothing was changed.`, cause);
}

/** Reads a backup from its beginning: the header, then table after table. */
export class BackupReader {
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  /** @param signal ends the reading: the next piece fails */
  constructor(
    private readonly file: string,
    signal = never(),
  ) {
    const unzipped = createGunzip();
    const raw = createReadStream(file, { signal }).on('error', (error) => unzipped.destroy(error));
    this.chunks = raw.pipe(unzipped)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** @throws DatabaseSetupError when the file is no backup, or not of a form that this version reads */
  async header(): Promise<BackupHeader> {
    const parts: Buffer[] = [];
    for (let size = 0; size < MAX_HEADER_BYTES; ) {
      const chunk = await this.next();
      if (chunk === null) break;
      const end = chunk.indexOf(10);
      parts.push(end < 0 ? chunk : chunk.subarray(0, end));
      size += chunk.length;
      if (end < 0) continue;
      this.rest = chunk.subarray(end + 1);
      return this.parse(Buffer.concat(parts).toString());
    }
    throw broken(this.file, 'it is not a backup of OpenConductor.');
  }

  /** The rows of the next table, checked on the way. @throws DatabaseSetupError at the end when they are not what was written */
  async *rows(table: BackupTable): AsyncGenerator<Buffer> {
    const hash = createHash('sha256');
    for (let left = table.bytes; left > 0; ) {
      const chunk = await this.next();
      if (chunk === null) throw broken(this.file, `it ends in the midst of table ${table.name}.`);
      const part = chunk.subarray(0, left);
      this.rest = chunk.subarray(part.length);
      left -= part.length;
      hash.update(part);
      yield part;
    }
    if (hash.digest('hex') !== table.sha256) {
      throw broken(this.file, `the rows of table ${table.name} are not those that were written.`);
    }
  }

  /** @throws DatabaseSetupError when anything follows */
  async end(): Promise<void> {
    if ((await this.next()) !== null) throw broken(this.file, 'it goes on after its last table.');
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  private parse(line: string): BackupHeader {
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch (error) {
      throw broken(this.file, 'it is not a backup of OpenConductor.', error);
    }
    const { format, formatVersion } = (json ?? {}) as { format?: unknown; formatVersion?: unknown };
    if (format !== 'openconductor-backup') throw broken(this.file, 'it is not a backup of OpenConductor.');
    if (formatVersion !== 1)
      throw broken(this.file, `this version does not read backups of form ${String(formatVersion)}.`);
    const parsed = headerSchema.safeParse(json);
    if (!parsed.success) throw broken(this.file, 'its header is damaged.', parsed.error);
    return parsed.data;
  }

  private async next(): Promise<Buffer | null> {
    if (this.rest.length > 0) {
      const { rest } = this;
      this.rest = Buffer.alloc(0);
      return rest;
    }
    try {
      const { value, done } = await this.chunks.next();
      return done === true ? null : value;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') throw broken(this.file, 'there is no such file.', error);
      if (code === 'Z_BUF_ERROR') throw broken(this.file, 'it is cut off.', error);
      if (code?.startsWith('Z_'))
        throw broken(this.file, 'it is damaged, or not a backup of OpenConductor.', error);
      throw broken(this.file, `it cannot be read (${(error as Error).message}).`, error);
    }
  }
}

/** Reads the whole file and checks every table. @throws DatabaseSetupError saying what is wrong */
export async function verifyBackup(file: string, signal?: AbortSignal): Promise<BackupHeader> {
  const reader = new BackupReader(file, signal);
  try {
    const header = await reader.header();
    for (const table of header.tables) for await (const _part of reader.rows(table));
    await reader.end();
    return header;
  } finally {
    await reader.close();
  }
}
