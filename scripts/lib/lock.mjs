/** Files that one process holds at a time, and that a killed one cannot hold for ever. Node built-ins only. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSameProcess, startTime } from './proc.mjs';

/** @typedef {{ pid: number, startTime: string }} Process */

/** @param {number} pid @returns {Process} */
export const describe = (pid) => ({ pid, startTime: startTime(pid) ?? '' });

/** @param {number} ms */
export const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

/**
 * What a lock file says; undefined when there is none or it is damaged.
 * @param {string} file
 * @returns {any}
 */
export function readHolder(file) {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8'));
    return Number.isInteger(value?.launcher?.pid) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Puts `content` into `file`, which must not exist; one that is there is first given to `whenHeld`, which returns
 * when nobody stands behind it any more, or throws.
 * @param {string} file
 * @param {{ launcher: Process }} content
 * @param {(holder: any) => Promise<void>} whenHeld
 */
export async function takeFile(file, content, whenHeld) {
  mkdirSync(dirname(file), { recursive: true });
  for (;;) {
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(content)}\n`, { mode: 0o644 });
    try {
      // A link appears complete or not at all, and only where there is none: two processes cannot both get it.
      linkSync(temporary, file);
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
    const holder = readHolder(file);
    if (holder !== undefined) await whenHeld(holder);
    discard(file, holder);
  }
}

/** Gives a file free that this process took. @param {string} file */
export function releaseFile(file) {
  if (readHolder(file)?.launcher.pid === process.pid) rmSync(file, { force: true });
}

/**
 * Runs `work` while no other process of this machine does so under the same file.
 * @template T
 * @param {string} file
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, work) {
  await takeFile(file, { launcher: describe(process.pid) }, async (holder) => {
    const begin = performance.now();
    let told = false;
    while (isSameProcess(holder.launcher)) {
      if (!told && performance.now() - begin > 2000) {
        told = true;
        console.error(`waiting for process ${holder.launcher.pid}, which installs or builds in this clone`);
      }
      // Released and taken again by someone else: look anew.
      if (readHolder(file)?.launcher.pid !== holder.launcher.pid) return;
      await pause(100);
    }
  });
  try {
    return await work();
  } finally {
    releaseFile(file);
  }
}

/**
 * Removes a stale file, but not one that another process has put in its place in the meantime.
 * @param {string} file
 * @param {any} stale
 */
function discard(file, stale) {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && moved.launcher.pid !== stale?.launcher.pid && isSameProcess(moved.launcher)) {
    try {
      linkSync(aside, file);
    } catch {
      // Someone has taken it in between; whoever was moved loses, as if it had come later.
    }
  }
  rmSync(aside, { force: true });
}
