import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Cluster, type ClusterOptions, startCluster } from '@/server/adapters/postgres/embedded/cluster';
import { isAlive, readPostmaster, waitUntil } from '@/server/adapters/postgres/embedded/postmaster';
import { eventually } from '../support/eventually';

const root = resolve(import.meta.dirname, '../..');
const asRoot = process.getuid?.() === 0;

let directory: string;
let log: string[];
let started: Cluster[];

async function start(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const cluster = await startCluster({
    directory,
    root,
    sharedBuffers: '16MB',
    durable: false,
    log: (line) => log.push(line),
    ...options,
  });
  started.push(cluster);
  return cluster;
}

async function ask<T extends pg.QueryResultRow>(cluster: Cluster, sql: string): Promise<T[]> {
  const url = new URL(cluster.url);
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'oc-embedded-'));
  log = [];
  started = [];
});

afterEach(async () => {
  for (const cluster of started) await cluster.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('startCluster', () => {
  it('keeps data, password and port over a stop and a start', async () => {
    const first = await start();
    await ask(first, 'CREATE TABLE kept AS SELECT 42 AS value');
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(second.adopted).toBe(false);
    expect(await ask(second, 'SELECT value FROM kept')).toEqual([{ value: 42 }]);
  });

  it('is durable, on loopback only, and logs in by password only', async () => {
    const cluster = await start({ durable: true });
    const rows = await ask(
      cluster,
      `SELECT name, setting FROM pg_settings
       WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'unix_socket_directories') ORDER BY name`,
    );
    expect(Object.fromEntries(rows.map((row) => [row.name, row.setting]))).toEqual({
      fsync: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      synchronous_commit: 'on',
      unix_socket_directories: '',
    });
    const methods = await ask(cluster, 'SELECT DISTINCT auth_method FROM pg_hba_file_rules');
    expect(methods).toEqual([{ auth_method: 'scram-sha-256' }]);
    expect((await stat(join(directory, 'password'))).mode & 0o777).toBe(0o600);
  });

  it('takes over a server that was left running', async () => {
    const first = await start();
    const second = await start();
    expect(second).toMatchObject({ adopted: true, pid: first.pid, url: first.url });
  });

  it('starts a server again that was left running with other settings', async () => {
    const first = await start();
    const second = await start({ maxConnections: 30 });
    expect(second.adopted).toBe(false);
    expect(isAlive(first.pid)).toBe(false);
    expect(await ask(second, 'SHOW max_connections')).toEqual([{ max_connections: '30' }]);
  });

  it('recovers what was committed when the server is killed', async () => {
    const first = await start({ durable: true });
    await ask(first, 'CREATE TABLE kept AS SELECT 42 AS value');
    process.kill(first.pid, 'SIGKILL');
    await waitUntil(() => !isAlive(first.pid), 5_000);
    const second = await start({ durable: true });
    expect(log.join('\n')).toContain('stale postmaster.pid');
    expect(await ask(second, 'SELECT value FROM kept')).toEqual([{ value: 42 }]);
  });

  it('a left-over server that is still recovering is waited for, not stopped, and taken over when it is ready', async () => {
    const first = await start();
    const file = join(directory, 'data', 'postmaster.pid');
    const ready = await readFile(file, 'utf8');
    const note = async (content: string) => {
      // At once: a half-written one is taken for none.
      await writeFile(`${file}.new`, content);
      await rename(`${file}.new`, file);
    };
    // As Postgres has it there while it recovers; the last line is padded.
    await note(ready.replace(/ready +/, 'starting'));
    await expect(start({ recoveryMs: 100 })).rejects.toThrow(
      `Postgres (pid ${first.pid}) runs but is not ready yet`,
    );
    expect(isAlive(first.pid)).toBe(true);
    log = [];
    const second = start();
    await eventually('it waits', () =>
      log.includes(`waiting for the Postgres that was left running (pid ${first.pid})`),
    );
    await note(ready);
    expect(await second).toMatchObject({ adopted: true, pid: first.pid });
  });

  it('a server that is not ready in time is not handed out, and the next start takes it over', async () => {
    await (await start()).stop();
    await expect(start({ recoveryMs: 0 })).rejects.toThrow('runs but is not ready yet');
    await eventually('it says how far it is', () => {
      const status = readPostmaster(join(directory, 'data'))?.status;
      return status === 'starting' || status === 'ready';
    });
    const next = await start();
    expect(next.adopted).toBe(true);
    expect(await ask(next, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is not misled by a postmaster.pid whose number another program has now', async () => {
    const first = await start();
    await first.stop();
    const lines = [process.pid, join(directory, 'data'), 1, first.port, '', '127.0.0.1', '1 1', 'ready', ''];
    await writeFile(join(directory, 'data', 'postmaster.pid'), lines.join('\n'));
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(await ask(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('stops a server that does not answer to our password, and starts it again', async () => {
    const first = await start();
    await ask(first, "ALTER ROLE postgres PASSWORD 'changed'");
    const second = await start();
    expect(second.adopted).toBe(false);
    expect(isAlive(first.pid)).toBe(false);
  });

  it('begins anew when it was killed while it created the cluster', async () => {
    const first = await start();
    await first.stop();
    // What a broken-off initdb leaves: the unfinished folder, and no finished one.
    await rm(join(directory, 'data'), { recursive: true });
    await writeFile(join(directory, 'data.new'), 'unfinished');
    const second = await start();
    expect(await ask(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('takes another port when its own has been taken', async () => {
    const first = await start();
    await first.stop();
    const thief = createServer().listen(first.port, '127.0.0.1');
    try {
      const second = await start();
      expect(second.port).not.toBe(first.port);
      expect(Number(await readFile(join(directory, 'port'), 'utf8'))).toBe(second.port);
      await second.stop();
      await expect(start({ port: first.port })).rejects.toThrow(
        /OPENCONDUCTOR_POSTGRES_PORT asks for, is in use/,
      );
    } finally {
      thief.close();
    }
  });

  it('says so when the password is lost', async () => {
    await (await start()).stop();
    await rm(join(directory, 'password'));
    await expect(start()).rejects.toThrow(/password is missing/);
  });

  it.runIf(asRoot)('as root: runs as another user, and elsewhere when that user cannot get in', async () => {
    const closed = join(directory, 'closed');
    await chmod(directory, 0o711);
    const first = await start({ directory: join(directory, 'open') });
    expect((await stat(`/proc/${first.pid}`)).uid).not.toBe(0);
    expect(first.logFile).toBe(join(directory, 'open', 'postgres.log'));
    await mkdir(closed, { mode: 0o700 });
    const second = await start({ directory: join(closed, 'postgres') });
    expect(second.logFile).toMatch(/^\/var\/lib\/openconductor\/[0-9a-f]{16}\/postgres\.log$/);
    expect(await ask(second, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await second.stop();
    await rm(join(second.logFile, '..'), { recursive: true });
  });
});
