/**
 * npm test: installs what the tests need, then runs every suite: check, simulation, contract, integration, e2e. The
 * last line is the sum of all tests. Plain JavaScript on Node built-ins until the packages are there.
 *
 *   node scripts/test.mjs [suite …]   runs only those
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBundles, ensureNextBuild, loadSetup } from './lib/build.mjs';
import { checkNode, ensureInstalled } from './lib/install.mjs';
import { withLock } from './lib/lock.mjs';
import { inRoot, ROOT } from './lib/paths.mjs';
import { ensureGenerated } from './lib/prisma-client.mjs';
import { isForPeople, seconds, step, Trouble } from './lib/progress.mjs';
import { endChildren } from './lib/run.mjs';
import { endSuites, runPlaywright, runVitest } from './lib/suites.mjs';

const SUITES = ['check', 'simulation', 'contract', 'integration', 'e2e'];
/** CI must not be green when something could not be tested. */
const strict = !['', '0', 'false'].includes(process.env.CI ?? '');

/** Things to undo at the end, last first. @type {(() => unknown)[]} */
const undo = [];
let ending = false;

async function cleanUp() {
  while (undo.length > 0) {
    try {
      await undo.pop()?.();
    } catch (error) {
      console.error(error);
    }
  }
}

/** Settings of whoever runs the tests must not change what is tested. */
function forgetSettings() {
  for (const name of Object.keys(process.env)) {
    if (name === 'OPENCONDUCTOR_TEST_DATABASE_URL') continue;
    if (/^(OPENCONDUCTOR_.*|PORT|HOST|DATABASE_URL|REDIS_URL|NODE_ENV|PG[A-Z]+)$/.test(name))
      delete process.env[name];
  }
}

/**
 * One Postgres for all suites: OPENCONDUCTOR_TEST_DATABASE_URL, or an embedded one in a temporary folder.
 * @returns {Promise<string>} URL of the administrator
 */
async function startPostgres() {
  const given = process.env.OPENCONDUCTOR_TEST_DATABASE_URL;
  if (given) return given;
  const { startCluster } = await loadSetup();
  const directory = mkdtempSync(join(tmpdir(), 'oc-test-postgres-'));
  undo.push(() => rmSync(directory, { recursive: true, force: true }));
  // Thrown away at the end: it need not survive a power cut. Suites that kill Postgres have a durable one of their own.
  const cluster = await startCluster({ directory, root: ROOT, durable: false, maxConnections: 300 });
  undo.push(() => cluster.stop());
  process.env.OPENCONDUCTOR_TEST_DATABASE_URL = cluster.url;
  return cluster.url;
}

/**
 * OpenConductor as `npm start` runs it, on a database of its own.
 * @param {string} adminUrl
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
async function startInstance(adminUrl) {
  const dataDir = mkdtempSync(join(tmpdir(), 'oc-test-data-'));
  undo.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const database = new URL(adminUrl);
  database.pathname = `/oc_e2e_${process.pid}`;
  const child = spawn(
    process.execPath,
    [inRoot('scripts', 'start.mjs'), '--port', '0', '--data-dir', dataDir],
    {
      cwd: ROOT,
      env: { ...process.env, DATABASE_URL: database.href, OPENCONDUCTOR_LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C is for us alone: we stop it when the suite has ended.
      detached: true,
    },
  );
  /** @type {Promise<void>} */
  const ended = new Promise((resolve) => child.on('exit', () => resolve()));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  undo.push(stop);
  let output = '';
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        const ready = /is ready at (\S+)/.exec(output);
        if (ready) resolve(ready[1]);
      });
    }
    void ended.then(() => reject(new Trouble(`OpenConductor did not start:\n${output}`)));
  });
  return { url, stop };
}

/**
 * @param {string} name
 * @param {() => Promise<string>} adminUrl
 * @returns {Promise<{ passed: number, failed: number, skipped?: number, failures: string[] }>}
 */
async function runSuite(name, adminUrl) {
  if (name === 'check') {
    const { runChecks } = await import('./lib/checks.mjs');
    return runChecks();
  }
  if (name === 'simulation') return runVitest([name], { live: true });
  const admin = await adminUrl();
  if (name !== 'e2e') return runVitest([name], { live: true });
  await withLock(inRoot('dist', '.lock'), async () => {
    await ensureBundles();
    await ensureNextBuild();
  });
  const instance = await startInstance(admin);
  try {
    return await runPlaywright({ live: true, env: { E2E_BASE_URL: instance.url } });
  } finally {
    await instance.stop();
  }
}

async function main() {
  checkNode();
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !SUITES.includes(name));
  if (unknown.length > 0)
    throw new Trouble(`There is no suite "${unknown[0]}"; there are: ${SUITES.join(', ')}.`);
  const chosen = SUITES.filter((name) => wanted.length === 0 || wanted.includes(name));
  forgetSettings();

  await withLock(inRoot('dist', '.lock'), async () => {
    await step('packages', async (note) => note((await ensureInstalled()) ? 'installed' : 'up to date'));
    await step('database client', async (note) =>
      note((await ensureGenerated()) ? 'generated' : 'up to date'),
    );
  });
  let browser = false;
  if (chosen.some((name) => ['contract', 'integration', 'e2e'].includes(name))) {
    const { ensureTestTools } = await import('./lib/test-tools.mjs');
    const wanted = { browser: chosen.includes('e2e') };
    ({ browser } = await step('test tools', (note) => ensureTestTools(note, wanted)));
  }
  undo.push(() => endSuites());
  /** @type {Promise<string> | undefined} */
  let postgres;
  const adminUrl = () => {
    postgres ??= step('Postgres for the tests', startPostgres);
    return postgres;
  };

  /** @type {Result[]} */
  const results = [];
  for (const name of chosen) {
    if (ending) return;
    const begin = performance.now();
    console.log(`\n── ${name} ${'─'.repeat(70 - name.length)}`);
    if (name === 'e2e' && !browser) {
      console.log(
        'e2e is skipped: no browser. Install the package "chromium" (or: npx playwright install chromium).',
      );
      const failures = strict ? ['e2e: no browser'] : [];
      results.push({
        name,
        ms: 0,
        passed: 0,
        failed: failures.length,
        note: 'SKIPPED: no browser',
        failures,
      });
      continue;
    }
    try {
      const { passed, failed, skipped = 0, failures } = await runSuite(name, adminUrl);
      const note = skipped > 0 ? `${skipped} skipped` : '';
      results.push({ name, ms: performance.now() - begin, passed, failed, note, failures });
    } catch (error) {
      console.error(isForPeople(error) ? error.message : error);
      results.push({
        name,
        ms: performance.now() - begin,
        passed: 0,
        failed: 1,
        note: 'did not run to its end',
        failures: [`${name}: ${isForPeople(error) ? error.message : String(error)}`],
      });
    }
  }
  await cleanUp();
  report(results);
}

/** @typedef {{ name: string, ms: number, passed: number, failed: number, note: string, failures: string[] }} Result */

/**
 * Says at the very end, where whoever sees only the tail of a long log still finds it, what failed and why.
 * @param {Result[]} results
 */
function report(results) {
  const failures = results.flatMap((result) => result.failures);
  if (failures.length > 0) console.log(`\n── failed ${'─'.repeat(64)}`);
  for (const failure of failures) console.log(`✕ ${failure}`);
  console.log('');
  for (const { name, ms, passed, failed, note } of results) {
    const counts = `${String(passed).padStart(6)} passed ${String(failed).padStart(4)} failed`;
    console.log(`${name.padEnd(12)}${seconds(ms).padStart(9)} ${counts}${note ? `  (${note})` : ''}`);
  }
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  process.exitCode = failed === 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed`);
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    if (ending) process.exit(1);
    ending = true;
    console.log(`\n${signal}: cleaning up`);
    endChildren();
    await cleanUp();
    process.exit(1);
  });
}

try {
  await main();
} catch (error) {
  console.error(isForPeople(error) ? error.message : error);
  await cleanUp();
  console.log('0 passed, 1 failed');
  process.exitCode = 1;
}
