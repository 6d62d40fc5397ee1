import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isAlive, waitUntil } from '@/server/adapters/postgres/embedded/postmaster';

const root = resolve(import.meta.dirname, '../..');

/** `npm start` without npm: the start script, its server and its embedded Postgres. */
export class StartProcess {
  output = '';
  private readonly ended: Promise<number | null>;

  private constructor(
    readonly child: ChildProcess,
    private readonly dataDir: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.ended = new Promise((done) => child.on('exit', (code) => done(code)));
  }

  /** Starts it on a data folder, as an engine only (pages need no test here, and no build). */
  static launch(
    dataDir: string,
    args: string[] = ['--port', '0'],
    env: Record<string, string> = {},
  ): StartProcess {
    const child = spawn(
      process.execPath,
      [join(root, 'scripts', 'start.mjs'), '--data-dir', dataDir, '--roles', 'engine', ...args],
      {
        cwd: root,
        env: {
          NODE_ENV: 'test',
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          // A file that is not there: no MCP servers.
          OPENCONDUCTOR_CONFIG: join(dataDir, 'none.json'),
          ...env,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    return new StartProcess(child, dataDir);
  }

  /** Waits until it says that it is ready; fails with its output when it ends before. */
  async ready(): Promise<string> {
    const found = () => /is ready at (\S+)/.exec(this.output)?.[1];
    await waitUntil(() => found() !== undefined || this.child.exitCode !== null, 90_000);
    const url = found();
    if (url === undefined) throw new Error(`It did not start:\n${this.output}`);
    return url;
  }

  /** Its exit code; null after a signal. */
  exit(): Promise<number | null> {
    return this.ended;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get serverPid(): number {
    return JSON.parse(readFileSync(this.launcherFile, 'utf8')).server.pid;
  }

  get postgresPid(): number {
    return Number(
      readFileSync(join(this.dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0],
    );
  }

  get launcherFile(): string {
    return join(this.dataDir, 'run', 'launcher.json');
  }

  /** Stops it and waits. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    await this.ended;
  }
}

/** Ends what a test may have left on a data folder. */
export async function sweep(dataDir: string): Promise<void> {
  const file = join(dataDir, 'postgres', 'data', 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (isAlive(pid)) process.kill(pid, 'SIGINT');
  await waitUntil(() => !isAlive(pid), 20_000);
}
