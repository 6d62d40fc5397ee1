/** Makes node_modules agree with package-lock.json. Node built-ins only. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CACHE_DIR, inRoot } from './paths.mjs';
import { Trouble } from './progress.mjs';
import { mustRun } from './run.mjs';

const STAMP = join(CACHE_DIR, 'installed');
const OLDEST_NODE = [20, 19];

/** @throws Trouble when Node is too old to go on */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [needMajor = 0, needMinor = 0] = OLDEST_NODE;
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return;
  throw new Trouble(
    `This is Node ${process.versions.node}; OpenConductor needs ${OLDEST_NODE.join('.')} or newer. ` +
      'Install a newer one (https://nodejs.org/en/download) and start again.',
  );
}

/**
 * Runs `npm ci` unless what is installed is what the lock file asks for.
 * @param {() => void} [announce] called when it is going to take a while
 * @returns {Promise<boolean>} true when something was installed
 */
export async function ensureInstalled(announce) {
  const lockText = readFileSync(inRoot('package-lock.json'), 'utf8');
  const hash = createHash('sha256').update(lockText).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return false;
  const agrees = agreesWith(JSON.parse(lockText));
  if (!agrees) {
    announce?.();
    // Install scripts stay off: one of them downloads an engine that we do not use, and what the others do, we do
    // when it is needed (links and permissions of the embedded Postgres). Everything is installed at once, also
    // what only tests need (2 s more), so that `npm test` never has to replace packages under a running server.
    const flags = ['--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--no-progress'];
    await mustRun('npm ci', 'npm', ['ci', ...flags]);
  }
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, hash);
  return !agrees;
}

/**
 * True when node_modules, by npm's own list in it, holds what the lock file asks for. It spares those who ran
 * `npm install` themselves a second install.
 * @param {{ packages: Record<string, { version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }> }} lock
 */
function agreesWith(lock) {
  try {
    const installed = JSON.parse(readFileSync(inRoot('node_modules', '.package-lock.json'), 'utf8')).packages;
    return Object.entries(lock.packages).every(([place, wanted]) => {
      if (place === '') return true;
      const found = installed[place];
      // Optional packages of other platforms are not installed.
      return found === undefined ? Boolean(wanted.optional) : found.version === wanted.version;
    });
  } catch {
    return false;
  }
}
