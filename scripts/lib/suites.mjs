/** Runs test suites and counts tests from their reports. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { CACHE_DIR, inRoot, ROOT } from './paths.mjs';
import { capture } from './run.mjs';

/**
 * @typedef {{ passed: number, failed: number, skipped: number, output: string, failures: string[] }} Counts
 *   `failures`: which tests failed, and the first lines of why
 * @typedef {{ env?: Record<string, string>, live?: boolean }} Options `live`: output goes to the terminal at once
 */

/** Programs that run with their output on the terminal. @type {Set<import('node:child_process').ChildProcess>} */
const live = new Set();

/** Asks them to end. */
export function endSuites() {
  for (const child of live) child.kill('SIGTERM');
}

/**
 * @param {string[]} args of Node
 * @param {Options} options
 * @returns {Promise<{ code: number, output: string }>}
 */
function runNode(args, options) {
  if (!options.live) return capture(process.execPath, args, { env: { ...options.env } });
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    live.add(child);
    child.on('error', reject);
    child.on('close', (code) => {
      live.delete(child);
      resolve({ code: code ?? 1, output: '' });
    });
  });
}

/** Where a suite writes its report; an old one is removed. @param {string} name */
function freshReport(name) {
  const file = join(CACHE_DIR, 'reports', `${name}.${process.pid}.json`);
  mkdirSync(dirname(file), { recursive: true });
  rmSync(file, { force: true });
  return file;
}

/** @param {string} file @returns {any} */
function readReport(file) {
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  } catch {
    return undefined;
  } finally {
    rmSync(file, { force: true });
  }
}

/**
 * Projects of vitest.config.ts.
 * @param {string[]} projects
 * @param {Options} [options]
 * @returns {Promise<Counts>}
 */
export async function runVitest(projects, options = {}) {
  const file = freshReport(projects.join('-'));
  const { code, output } = await runNode(
    [
      inRoot('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      ...projects.flatMap((project) => ['--project', project]),
      `--reporter=${options.live ? 'default' : 'dot'}`,
      '--reporter=json',
      `--outputFile.json=${file}`,
    ],
    { ...options, env: { NODE_ENV: 'test', ...(options.live ? {} : { NO_COLOR: '1' }), ...options.env } },
  );
  const report = readReport(file);
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  // A file that cannot be loaded has no tests to fail: it counts as one.
  const unloaded = (report?.testResults ?? []).filter(
    (/** @type {any} */ result) => result.status === 'failed' && result.assertionResults.length === 0,
  ).length;
  const failures = (report?.testResults ?? []).flatMap((/** @type {any} */ file) => [
    ...(file.status === 'failed' && file.assertionResults.length === 0
      ? [failureText(relative(ROOT, file.name), file.message)]
      : []),
    ...file.assertionResults
      .filter((/** @type {any} */ test) => test.status === 'failed')
      .map((/** @type {any} */ test) =>
        failureText(
          `${relative(ROOT, file.name)} › ${test.fullName}`,
          (test.failureMessages ?? []).join('\n'),
        ),
      ),
  ]);
  return counted(
    { passed, failed: (report?.numFailedTests ?? 0) + unloaded, skipped, output, failures },
    code,
  );
}

/** A failed test in a few lines. @param {string} name @param {unknown} why */
function failureText(name, why) {
  const lines = stripVTControlCharacters(String(why ?? '')).split('\n');
  return [name, ...lines.slice(0, 12).map((line) => `    ${line.slice(0, 400)}`)].join('\n');
}

/** @param {any} suite a suite of Playwright's report @param {string} [before] @returns {string[]} */
function playwrightFailures(suite, before = '') {
  const name = before === '' ? suite.title : `${before} › ${suite.title}`;
  return [
    ...(suite.suites ?? []).flatMap((/** @type {any} */ inner) => playwrightFailures(inner, name)),
    ...(suite.specs ?? [])
      .flatMap((/** @type {any} */ spec) => spec.tests.map((/** @type {any} */ test) => ({ spec, test })))
      .filter((/** @type {any} */ { test }) => ['unexpected', 'flaky'].includes(test.status))
      .map((/** @type {any} */ { spec, test }) => {
        const bad = test.results.find((/** @type {any} */ result) => result.error);
        return failureText(`${name} › ${spec.title}`, bad?.error?.message);
      }),
  ];
}

/**
 * The Playwright tests of e2e/.
 * @param {Options} options
 * @returns {Promise<Counts>}
 */
export async function runPlaywright(options) {
  const file = freshReport('playwright');
  const { code, output } = await runNode(
    [inRoot('node_modules', '@playwright', 'test', 'cli.js'), 'test', '--reporter=list,json'],
    { ...options, env: { PLAYWRIGHT_JSON_OUTPUT_FILE: file, ...options.env } },
  );
  const report = readReport(file);
  const stats = report?.stats;
  return counted(
    // A flaky test failed before it passed: that is a failure to us.
    {
      passed: stats?.expected ?? 0,
      failed: (stats?.unexpected ?? 0) + (stats?.flaky ?? 0),
      skipped: stats?.skipped ?? 0,
      output,
      failures: (report?.suites ?? []).flatMap((/** @type {any} */ suite) => playwrightFailures(suite)),
    },
    code,
  );
}

/**
 * A run that ended badly without a failed test (a crash, no tests at all, an error outside of tests) has failed too.
 * @param {Counts} counts
 * @param {number} code
 * @returns {Counts}
 */
function counted(counts, code) {
  const bad = code !== 0 || counts.passed + counts.skipped === 0;
  return bad && counts.failed === 0
    ? { ...counts, failed: 1, failures: ['no test failed, but the suite did not end well'] }
    : counts;
}
