import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { cleanUpLater } from '@/bench/support/cleanup';
import { clusterCpuSeconds } from '@/bench/support/cpu';
import { ROOT } from '@/bench/support/root';
import { startCluster } from '@/server/adapters/postgres/embedded/cluster';
import { prepareDatabase } from '@/server/adapters/postgres/prepare';

/** Settings that a durability claim rests on, as the server itself reports them. */
export interface PostgresFacts {
  version: string;
  fsync: string;
  synchronous_commit: string;
  full_page_writes: string;
  wal_sync_method: string;
  shared_buffers: string;
}

/** A Postgres of the bench's own, with the settings of the product's embedded one. */
export interface BenchCluster {
  facts: PostgresFacts;
  directory: string;
  /** Administrator's URL of a new, empty database. */
  emptyDatabase(name: string): Promise<string>;
  /** Administrator's URL of a new database with our tables. */
  ourDatabase(name: string): Promise<string>;
  /** Runs a statement as administrator in a database. */
  execute(database: string, sql: string): Promise<void>;
  /** Writes out what is dirty, so that one scenario does not pay for the writes of the one before. */
  settle(): Promise<void>;
  /** Processor seconds used by the server and its backends so far; NaN where the system does not tell. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** @throws Error when the cluster does not write to disk before it answers */
export async function startBenchCluster(): Promise<BenchCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'oc-bench-'));
  const removeDirectory = cleanUpLater(() => rm(directory, { recursive: true, force: true }));
  const cluster = await startCluster({ directory, root: ROOT, durable: true });
  const stopCluster = cleanUpLater(() => cluster.stop());
  const admin = async <T extends pg.QueryResultRow>(sql: string, database = 'postgres'): Promise<T[]> => {
    const client = new pg.Client({ connectionString: withDatabase(cluster.url, database) });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const shown = await admin<{ name: string; setting: string }>(
    `SELECT name, current_setting(name) AS setting FROM pg_settings WHERE name IN ('server_version', 'fsync',
     'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers')`,
  );
  const { server_version: version, ...settings } = Object.fromEntries(
    shown.map(({ name, setting }) => [name, setting]),
  ) as Record<string, string>;
  const facts = { version, ...settings } as unknown as PostgresFacts;
  if (facts.fsync !== 'on' || facts.synchronous_commit !== 'on' || facts.full_page_writes !== 'on') {
    throw new Error(`This cluster is not durable: ${JSON.stringify(facts)}`);
  }
  const emptyDatabase = async (name: string) => {
    await admin(`CREATE DATABASE ${name}`);
    return withDatabase(cluster.url, name);
  };
  return {
    facts,
    directory,
    emptyDatabase,
    async ourDatabase(name) {
      const url = withDatabase(cluster.url, name);
      await prepareDatabase(url, { log: () => undefined, migrationsDir: join(ROOT, 'prisma', 'migrations') });
      return url;
    },
    async execute(database, sql) {
      await admin(sql, database);
    },
    async settle() {
      await admin('CHECKPOINT');
    },
    cpuSeconds: () => clusterCpuSeconds(cluster.pid),
    async stop() {
      await stopCluster();
      await removeDirectory();
    },
  };
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
