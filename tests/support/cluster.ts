import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Cluster, startCluster } from '@/server/adapters/postgres/embedded/cluster';
import { isAlive, waitUntil } from '@/server/adapters/postgres/embedded/postmaster';

const root = resolve(import.meta.dirname, '../..');

/** A Postgres of one's own, to be stopped, killed and started at will. */
export interface PrivatePostgres {
  /** URL of the administrator; the same over restarts. */
  adminUrl: string;
  /** Pid of the server that runs now. */
  pid(): number;
  /** Stops it as an administrator would. */
  stop(): Promise<void>;
  /** SIGKILL to the server, as if the machine had lost it. */
  kill(): Promise<void>;
  start(): Promise<void>;
  restart(): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

/**
 * Starts a Postgres in a temporary folder.
 *
 * @param durable true: fsync on, as in production (for tests that kill it); false is faster
 */
export async function startPrivatePostgres({ durable = true } = {}): Promise<PrivatePostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'oc-postgres-'));
  const start = () => startCluster({ directory, root, durable, sharedBuffers: '64MB', maxConnections: 200 });
  let cluster: Cluster = await start();
  const adminUrl = cluster.url;
  const launch = async () => {
    cluster = await start();
    if (cluster.url !== adminUrl) throw new Error(`Postgres came back at another address: ${cluster.url}`);
  };
  return {
    adminUrl,
    pid: () => cluster.pid,
    stop: () => cluster.stop(),
    async kill() {
      const { pid } = cluster;
      process.kill(pid, 'SIGKILL');
      await waitUntil(() => !isAlive(pid), 10_000);
    },
    start: launch,
    async restart() {
      await cluster.stop();
      await launch();
    },
    async remove() {
      await cluster.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
