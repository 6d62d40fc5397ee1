import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { bundle } from '../../scripts/lib/bundle.mjs';
import { assertCleanLog, INSTANCE_CANARY } from './canary';

const root = resolve(import.meta.dirname, '../..');

/** MCP servers for a process under test, in the shape of openconductor.config.json. */
export type ServersConfig = Record<string, { command: string; args: string[]; env?: Record<string, string> }>;

export interface EngineProcessOptions {
  databaseUrl: string;
  servers: ServersConfig;
  /** Kept over restarts when given; else a new temporary folder. */
  dataDir?: string;
  env?: Record<string, string>;
  /** Another build of the server, and the folder it runs in; this clone's own when left out. */
  build?: { bundle: string; root: string };
}

type Ended = { code: number | null; signal: string | null };

let bundled: Promise<string> | undefined;

/** The real server, bundled once a test file (role `engine`: no pages, so no Next build is needed). */
function serverBundle(): Promise<string> {
  bundled ??= (async () => {
    const outfile = join(root, 'node_modules/.cache/openconductor/tests', `server.${process.pid}.mjs`);
    await bundle({ entry: join(root, 'server/index.ts'), outfile });
    return outfile;
  })();
  return bundled;
}

/** One real OpenConductor process on a database of the test. */
export class EngineProcess {
  private constructor(
    readonly child: ChildProcess,
    readonly url: string,
    readonly dataDir: string,
    readonly log: readonly string[],
    readonly ended: Promise<Ended>,
    /** What the process had to say at its start, such as the link for the first owner. */
    readonly notes: readonly string[],
  ) {}

  /** Starts a process and waits until it says that it is ready. Fails with its log when it ends before. */
  static async start(options: EngineProcessOptions): Promise<EngineProcess> {
    const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'oc-engine-')));
    await mkdir(dataDir, { recursive: true });
    const configFile = join(dataDir, 'servers.json');
    await writeFile(configFile, JSON.stringify({ mcpServers: options.servers }));
    const build = options.build ?? { bundle: await serverBundle(), root };
    const child = spawn(process.execPath, ['--enable-source-maps', build.bundle], {
      cwd: build.root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        PORT: '0',
        DATABASE_URL: options.databaseUrl,
        OPENCONDUCTOR_DATA_DIR: dataDir,
        OPENCONDUCTOR_CONFIG: configFile,
        OPENCONDUCTOR_ROLES: 'engine',
        OPENCONDUCTOR_LEASE_TTL_MS: '1000',
        // Whatever could be logged is, and none of it may hold a secret (canary.ts).
        OPENCONDUCTOR_LOG_LEVEL: 'trace',
        OPENCONDUCTOR_SAMPLING_API_KEY: INSTANCE_CANARY,
        ...options.env,
      } as unknown as NodeJS.ProcessEnv,
    });
    const ended = new Promise<Ended>((done) => {
      child.once('exit', (code, signal) => done({ code, signal }));
    });
    const log: string[] = [];
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => log.push(line));
    const ready = new Promise<{ url: string; notes?: string[] }>((done) => {
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
        if (line.startsWith('{"ready":true')) done(JSON.parse(line));
      });
    });
    const { url, notes } = await Promise.race([
      ready,
      ended.then(({ code, signal }) => {
        throw new Error(`The process ended (${code ?? signal}) before it was ready:\n${log.join('\n')}`);
      }),
    ]);
    return new EngineProcess(child, url, dataDir, log, ended, notes ?? []);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Sends a signal and waits for the end; SIGKILL unless said otherwise. Fails when the log holds a planted secret. */
  async end(name: NodeJS.Signals = 'SIGKILL'): Promise<Ended> {
    this.child.kill(name);
    const ended = await this.ended;
    assertCleanLog(this.log);
    return ended;
  }

  async removeData(): Promise<void> {
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** A REST call; gives status, headers and parsed body. */
  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    };
  }
}
