import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

const isInstalled = (process.env.PATH ?? '')
  .split(delimiter)
  .some((folder) => folder !== '' && existsSync(join(folder, 'redis-server')));
/** CI must not be green when something could not be tested. */
const strict = !['', '0', 'false'].includes(process.env.CI ?? '');

/** Like `describe`, for what needs a redis-server: without one it is skipped and says so; in CI it fails. */
export function describeWithRedis(what: string, cases: () => void): void {
  if (isInstalled) {
    describe(what, cases);
    return;
  }
  console.warn(`SKIPPED: no redis-server for "${what}". Install the package "redis-server".`);
  describe(what, () => {
    it.skipIf(!strict)('needs redis-server', () => {
      throw new Error('There is no redis-server, and CI must test with one.');
    });
  });
}

/** A redis-server of one's own, empty at each start, to be killed, stalled and started at will. */
export interface PrivateRedis {
  /** The same over restarts. */
  url: string;
  start(): Promise<void>;
  /** SIGKILL, as if the machine had lost it. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay, answers do not come. */
  stall(): void;
  goOn(): void;
  /** Kills it and removes its folder. */
  remove(): Promise<void>;
}

export async function startPrivateRedis(): Promise<PrivateRedis> {
  const directory = await mkdtemp(join(tmpdir(), 'oc-redis-'));
  const port = await freePort();
  let child: ChildProcess | null = null;
  const start = async () => {
    const made = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory, '--save', '', '--appendonly', 'no'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    child = made;
    let output = '';
    await new Promise<void>((done, fail) => {
      made.stdout?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (output.includes('Ready to accept connections')) done();
      });
      made.once('exit', () => fail(new Error(`redis-server ended:\n${output}`)));
    });
  };
  const kill = async () => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    kill,
    stall: () => void child?.kill('SIGSTOP'),
    goOn: () => void child?.kill('SIGCONT'),
    async remove() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
