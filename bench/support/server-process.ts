import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cleanUpLater } from '@/bench/support/cleanup';
import { clusterCpuSeconds } from '@/bench/support/cpu';
import { ROOT } from '@/bench/support/root';

/** The server as `npm start` runs it, on a database and in a folder of the bench's. */
export interface ServerProcess {
  url: string;
  /** Bytes that it holds in memory; NaN where the system does not tell. */
  residentBytes(): number;
  /** Processor seconds that it has used so far; NaN where the system does not tell. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Builds what is not built yet (server, pages), then starts a process and waits until it is ready. `nodeFlags` go to Node. */
export async function startServer(
  env: Record<string, string>,
  nodeFlags: readonly string[] = [],
): Promise<ServerProcess> {
  await finished(
    spawn(process.execPath, [join(ROOT, 'scripts', 'build.mjs')], { stdio: ['ignore', 2, 2] }),
    'build',
  );
  const server = join(ROOT, 'dist', 'server.mjs');
  const child = spawn(process.execPath, ['--enable-source-maps', ...nodeFlags, server], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NODE_ENV: 'production',
      PORT: '0',
      ...env,
    } as NodeJS.ProcessEnv,
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const forget = cleanUpLater(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4_000);
  });
  const url = await new Promise<string>((ready, fail) => {
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.startsWith('{"ready":true')) ready((JSON.parse(line) as { url: string }).url);
    });
    child.once('exit', (code) => fail(new Error(`The server ended (${code}) before it was ready.\n${log}`)));
  });
  return {
    url,
    residentBytes: () => residentBytes(child.pid ?? 0),
    cpuSeconds: () => clusterCpuSeconds(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await forget();
    },
  };
}

function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
  } catch {
    return Number.NaN;
  }
}

async function finished(child: ChildProcess, what: string): Promise<void> {
  const code = await new Promise<number | null>((done) => child.once('exit', (status) => done(status)));
  if (code !== 0) throw new Error(`${what} failed (${code}).`);
}
