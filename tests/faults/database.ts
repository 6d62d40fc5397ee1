import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Cluster, startCluster } from '@/server/adapters/postgres/embedded/cluster';
import { isAlive, waitUntil } from '@/server/adapters/postgres/embedded/postmaster';
import { prepareDatabase } from '@/server/adapters/postgres/prepare';
import { ROOT } from '@/tests/faults/root';
import { administer, withDatabase } from '@/tests/support/database-admin';

pg.types.setTypeParser(pg.types.builtins.INT8, (text) => Number(text));

const DATABASE = 'faults';
const MAX_CONNECTIONS = 120;

/** A durable Postgres of the harness's own, with the moment of every commit on record. */
export class FaultyPostgres {
  private down = false;

  private constructor(
    readonly directory: string,
    private cluster: Cluster,
    /** Administrator's URL of the database under test, past any proxy. */
    readonly url: string,
  ) {}

  static async start(): Promise<FaultyPostgres> {
    const directory = await mkdtemp(join(tmpdir(), 'oc-faults-'));
    const cluster = await launch(directory);
    await administer(cluster.url, 'ALTER SYSTEM SET track_commit_timestamp = on');
    await administer(cluster.url, `ALTER SYSTEM SET log_line_prefix = '%m [%p] %e '`);
    await cluster.stop();
    const again = await launch(directory);
    const url = withDatabase(again.url, DATABASE);
    await prepareDatabase(url, { log: () => undefined, migrationsDir: join(ROOT, 'prisma', 'migrations') });
    return new FaultyPostgres(directory, again, url);
  }

  /** True between stop or kill and the next start. */
  get isDown(): boolean {
    return this.down;
  }

  /** Stops it as an administrator would: connections are ended, data is flushed. */
  async stop(): Promise<void> {
    this.down = true;
    await this.cluster.stop();
  }

  /** SIGKILL to the server, as if the machine had lost it. */
  async kill(): Promise<void> {
    const { pid } = this.cluster;
    this.down = true;
    process.kill(pid, 'SIGKILL');
    await waitUntil(() => !isAlive(pid), 10_000);
  }

  async launch(): Promise<void> {
    this.cluster = await launch(this.directory);
    this.down = false;
  }

  /** How many errors of this SQLSTATE Postgres has written to its log so far. */
  errors(sqlState: string): number {
    const lines = readFileSync(this.cluster.logFile, 'latin1').split('\n');
    return lines.filter((line) => line.includes(`] ${sqlState} `) && line.includes('ERROR:')).length;
  }

  /** One statement as administrator on a connection of its own. */
  async query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    const client = await this.connect();
    try {
      return (await client.query<T>(text, values)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      application_name: 'faults',
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  async remove(): Promise<void> {
    await this.cluster.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** For the harness's own sudden end. */
  removeNow(): void {
    try {
      process.kill(this.cluster.pid, 'SIGKILL');
    } catch {
      // Ended already.
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function launch(directory: string): Promise<Cluster> {
  return startCluster({
    directory,
    root: ROOT,
    durable: true,
    sharedBuffers: '128MB',
    maxConnections: MAX_CONNECTIONS,
  });
}
