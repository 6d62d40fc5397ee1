import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from '@/tests/faults/root';

export interface EngineOptions {
  bundle: string;
  databaseUrl: string;
  dataDir: string;
  /** Servers in the shape of openconductor.config.json. */
  servers: Record<string, unknown>;
  logFile: string;
  env?: Record<string, string>;
}

/** Bundles the real server once into `outfile`, which must lie below node_modules so that packages are found. */
export async function bundleServer(): Promise<string> {
  const outfile = join(ROOT, 'node_modules/.cache/openconductor/faults', `server.${process.pid}.mjs`);
  await build({
    absWorkingDir: ROOT,
    entryPoints: [join(ROOT, 'server/index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Packages too: processes start a hundred times, and loading them one by one is most of a start.
    external: ['next', '@prisma/client', 'pg-native'],
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    alias: { '@': ROOT },
    jsx: 'automatic',
    logLevel: 'error',
  });
  return outfile;
}

/** One real OpenConductor process of role `engine`. */
export class Engine {
  url: string | null = null;
  ended: { code: number | null; signal: NodeJS.Signals | null } | null = null;
  readonly end: Promise<void>;
  readonly ready: Promise<boolean>;

  constructor(
    readonly child: ChildProcess,
    /** Extra variables it was started with: what it is armed with. */
    readonly arms: Record<string, string>,
  ) {
    this.end = new Promise((done) => {
      child.once('exit', (code, signal) => {
        this.ended = { code, signal };
        done();
      });
    });
    const said = new Promise<boolean>((done) => {
      child.on('message', (message) => {
        this.url = (message as { url?: string }).url ?? null;
        done(true);
      });
    });
    this.ready = Promise.race([said, this.end.then(() => false)]);
  }

  static start(options: EngineOptions): Engine {
    mkdirSync(options.dataDir, { recursive: true });
    const configFile = join(options.dataDir, 'servers.json');
    writeFileSync(configFile, JSON.stringify({ mcpServers: options.servers }));
    // With IPC the process stops by itself when the harness is gone.
    const child = spawn(process.execPath, [options.bundle], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        PORT: '0',
        DATABASE_URL: options.databaseUrl,
        OPENCONDUCTOR_DATA_DIR: options.dataDir,
        OPENCONDUCTOR_CONFIG: configFile,
        OPENCONDUCTOR_ROLES: 'engine',
        OPENCONDUCTOR_LEASE_TTL_MS: '1000',
        OPENCONDUCTOR_DRAIN_TIMEOUT_MS: '2000',
        ...options.env,
      } as unknown as NodeJS.ProcessEnv,
    });
    child.stderr?.pipe(createWriteStream(options.logFile, { flags: 'a' }));
    child.on('error', () => undefined);
    return new Engine(child, options.env ?? {});
  }

  get isUp(): boolean {
    return this.url !== null && this.ended === null;
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }
}
