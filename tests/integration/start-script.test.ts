import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processStartTime } from '@/server/adapters/mcp/child-registry';
import { isAlive, waitUntil } from '@/server/adapters/postgres/embedded/postmaster';
import { StartProcess, sweep } from '../support/start-process';

let dataDir: string;
let started: StartProcess[];

function launch(args?: string[], env?: Record<string, string>): StartProcess {
  const process = StartProcess.launch(dataDir, args, env);
  started.push(process);
  return process;
}

async function isHealthy(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health`).catch(() => undefined);
  return response?.status === 200;
}

const kill = (...pids: number[]) => {
  for (const pid of pids) process.kill(pid, 'SIGKILL');
};

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'oc-start-'));
  // Root lends Postgres another user, who must get through.
  chmodSync(dataDir, 0o711);
  started = [];
});

afterEach(async () => {
  for (const process of started) await process.stop();
  await sweep(dataDir);
  rmSync(dataDir, { recursive: true, force: true });
});

describe('npm start', () => {
  it('serves, and at SIGTERM ends everything that it started, with exit code 0', async () => {
    const first = launch();
    expect(await isHealthy(await first.ready())).toBe(true);
    const pids = [first.serverPid, first.postgresPid];
    first.child.kill('SIGTERM');
    expect(await first.exit()).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(first.launcherFile)).toBe(false);
  });

  it('after kill -9 of the start script: the server ends by itself, the next start takes Postgres over', async () => {
    const first = launch();
    await first.ready();
    const { serverPid, postgresPid } = first;
    kill(first.pid);
    expect(await waitUntil(() => !isAlive(serverPid), 15_000)).toBe(true);
    const second = launch();
    expect(await isHealthy(await second.ready())).toBe(true);
    expect(second.output).toContain(`Postgres was still running (pid ${postgresPid}): taken over`);
    expect(second.postgresPid).toBe(postgresPid);
  });

  it('after kill -9 of start script, server and Postgres at once: the next start recovers', async () => {
    const first = launch();
    await first.ready();
    kill(first.pid, first.serverPid, first.postgresPid);
    const second = launch();
    expect(await isHealthy(await second.ready())).toBe(true);
    expect(second.output).toContain('stale postmaster.pid');
  });

  it('after kill -9 of the server: says so, stops Postgres and ends with exit code 1', async () => {
    const first = launch();
    await first.ready();
    const { postgresPid } = first;
    kill(first.serverPid);
    expect(await first.exit()).toBe(1);
    expect(first.output).toContain('The server ended by itself (SIGKILL)');
    expect(isAlive(postgresPid)).toBe(false);
    expect(await isHealthy(await launch().ready())).toBe(true);
  });

  it('starts Postgres again when it is killed, and the server goes on', async () => {
    const first = launch();
    const url = await first.ready();
    const { postgresPid } = first;
    kill(postgresPid);
    // The file is away in between, and empty for a moment.
    const pidNow = () => {
      try {
        return first.postgresPid;
      } catch {
        return 0;
      }
    };
    expect(await waitUntil(() => ![0, postgresPid].includes(pidNow()), 90_000)).toBe(true);
    const deadline = Date.now() + 90_000;
    let status = 0;
    while (status !== 200 && Date.now() < deadline) {
      status = (await fetch(`${url}/health/deep`)).status;
      await new Promise((wake) => setTimeout(wake, 100));
    }
    expect(status).toBe(200);
  });

  it('refuses a second start on the same data folder, naming the first', async () => {
    const first = launch();
    const url = await first.ready();
    const second = launch();
    expect(await second.exit()).toBe(1);
    expect(second.output).toContain(`already runs on ${dataDir}: pid ${first.pid}, ${url}`);
    expect(await isHealthy(url)).toBe(true);
  });

  it('names who has the port', async () => {
    const holder = createServer();
    await new Promise<void>((done) => holder.listen(0, '127.0.0.1', done));
    const port = (holder.address() as { port: number }).port;
    try {
      const first = launch(['--port', String(port)]);
      expect(await first.exit()).toBe(1);
      expect(first.output).toContain(`Port ${port} is in use by process ${process.pid}`);
      expect(first.output).toContain('npm start -- --port');
    } finally {
      holder.close();
    }
  });

  it('ends MCP servers that outlived a killed OpenConductor, and spares a stranger with the same pid', async () => {
    const children = join(dataDir, 'run', 'children');
    mkdirSync(children, { recursive: true });
    const orphan = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    const stranger = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' });
    const note = (pid: number, startTime: string | undefined) =>
      writeFileSync(
        join(children, `${pid}.json`),
        JSON.stringify({ pid, startTime, command: 'sleep', parentPid: 2 ** 22, parentStartTime: '1' }),
      );
    note(orphan.pid as number, processStartTime(orphan.pid as number));
    note(stranger.pid as number, '1');
    try {
      const first = launch();
      await first.ready();
      expect(await waitUntil(() => orphan.signalCode === 'SIGKILL', 5_000)).toBe(true);
      expect(stranger.signalCode).toBeNull();
      expect(stranger.exitCode).toBeNull();
    } finally {
      orphan.kill('SIGKILL');
      stranger.kill('SIGKILL');
    }
  });

  it('stops cleanly while it is still starting', async () => {
    const first = launch();
    await waitUntil(() => existsSync(join(dataDir, 'postgres')), 30_000);
    first.child.kill('SIGTERM');
    expect(await first.exit()).toBe(0);
    expect(existsSync(first.launcherFile)).toBe(false);
    expect(existsSync(join(dataDir, 'postgres/data/postmaster.pid'))).toBe(false);
  });

  it('checks the settings before it does anything', async () => {
    const first = launch(['--port', '0'], { OPENCONDUCTOR_SHARDS: 'many' });
    expect(await first.exit()).toBe(1);
    expect(first.output.trim()).toBe(
      'OPENCONDUCTOR_SHARDS is "many"; allowed is a whole number from 1 to 1024.',
    );
    expect(existsSync(join(dataDir, 'run'))).toBe(false);
  });
});
