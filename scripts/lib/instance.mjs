/**
 * One running OpenConductor per data folder. `<data folder>/run/launcher.json` says which (the server beside it writes
 * instance.json, for the command line). A note that a killed process left is recognised, by pid and start time, and
 * cleared. Node built-ins only.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, pause, readHolder, releaseFile, takeFile } from './lock.mjs';
import { isSameProcess } from './proc.mjs';
import { Trouble } from './progress.mjs';

/**
 * @typedef {import('./lock.mjs').Process} Process
 * @typedef {{ launcher: Process, server?: Process, url: string, state: 'starting' | 'running' | 'stopping' }} Instance
 * @typedef {{ dataDir: string, url: string, drainTimeoutMs: number, shutdownTimeoutMs: number, log: (text: string) => void }} Options
 */

/**
 * Takes the data folder for this process.
 * @param {Options} options
 * @throws Trouble when another OpenConductor runs on it
 */
export async function acquireInstance(options) {
  const file = join(options.dataDir, 'run', 'launcher.json');
  /** @type {Instance} */
  let mine = { launcher: describe(process.pid), url: options.url, state: 'starting' };
  await takeFile(file, mine, (holder) => outlive(holder, file, options));
  return {
    /** Changes the note. @param {Partial<Instance> & { serverPid?: number }} change */
    update({ serverPid, ...change }) {
      mine = { ...mine, ...change, ...(serverPid === undefined ? {} : { server: describe(serverPid) }) };
      const temporary = `${file}.${process.pid}`;
      writeFileSync(temporary, `${JSON.stringify(mine)}\n`, { mode: 0o644 });
      renameSync(temporary, file);
    },
    /** Gives the folder free. */
    release: () => releaseFile(file),
  };
}

/**
 * Waits until nobody stands behind a note any more.
 * @param {Instance} holder
 * @param {string} file
 * @param {Options} options
 * @throws Trouble when its owner is well and means to stay
 */
async function outlive(holder, file, { dataDir, drainTimeoutMs, shutdownTimeoutMs, log }) {
  let deadline = performance.now() + 2500;
  let patient = false;
  while (isSameProcess(holder.launcher)) {
    // One that is stopping, or about to notice that its npm was killed, is worth waiting for.
    if (!patient && readHolder(file)?.state === 'stopping') {
      patient = true;
      deadline = performance.now() + shutdownTimeoutMs + 60_000;
      log(`waiting for the OpenConductor that is stopping (pid ${holder.launcher.pid})`);
    }
    if (performance.now() > deadline) {
      throw new Trouble(
        `OpenConductor already runs on ${dataDir}: pid ${holder.launcher.pid}, ${(readHolder(file) ?? holder).url}\n` +
          `Stop it (kill ${holder.launcher.pid}), or start a second one with --data-dir and --port of its own.`,
      );
    }
    await pause(50);
  }
  const { server } = { ...holder, ...readHolder(file) };
  if (server === undefined || !isSameProcess(server)) return;
  log(`waiting for the server of a killed start (pid ${server.pid}) to finish`);
  deadline = performance.now() + drainTimeoutMs + 5000;
  while (isSameProcess(server)) {
    if (performance.now() > deadline) {
      log('it did not finish: ending it');
      process.kill(server.pid, 'SIGKILL');
      deadline = Number.POSITIVE_INFINITY;
    }
    await pause(50);
  }
}
