import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** What Postgres writes into postmaster.pid while it runs. */
export interface Postmaster {
  pid: number;
  port: number;
  status: 'starting' | 'stopping' | 'ready' | 'standby' | 'unknown';
}

/** Reads postmaster.pid; undefined when it is missing or half-written. */
export function readPostmaster(dataDir: string): Postmaster | undefined {
  try {
    const lines = readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    if (!Number.isInteger(pid) || pid < 2) return undefined;
    const status = lines[7]?.trim();
    const known =
      status === 'starting' || status === 'stopping' || status === 'ready' || status === 'standby';
    return { pid, port: Number(lines[3]), status: known ? status : 'unknown' };
  } catch {
    return undefined;
  }
}

/**
 * True when process `pid` is a Postgres that runs on `dataDir`: a number in postmaster.pid may since have been given
 * to any other program. A postmaster's working directory is its data directory.
 */
export function isPostmasterOf(pid: number, dataDir: string): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform === 'linux') {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === dataDir;
    } catch {
      return false;
    }
  }
  const result = spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
  return result.stdout.includes(dataDir);
}

/** True when the process exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    // No /proc (macOS), or gone between the two looks: the next look tells.
    return process.platform !== 'linux';
  }
}

/** Waits until `done` holds, looking every 20 ms; false when `timeoutMs` has passed. */
export async function waitUntil(done: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!done()) {
    if (performance.now() > deadline) return false;
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return true;
}

/** Ends a Postgres: fast (transactions are rolled back, all is flushed), then immediate, then by force. */
export async function stopPostmaster(pid: number, timeoutMs = 30_000): Promise<void> {
  const steps: [NodeJS.Signals, number][] = [
    ['SIGINT', timeoutMs],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 5_000],
  ];
  for (const [signal, patience] of steps) {
    try {
      process.kill(pid, signal);
      // A stopped process would keep the signal for later.
      process.kill(pid, 'SIGCONT');
    } catch {
      return;
    }
    if (await waitUntil(() => !isAlive(pid), patience)) return;
  }
}
