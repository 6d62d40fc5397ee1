/** What can be said about the code without running the system: format, lint, types, imports, unused code, unit tests. */
import { existsSync, writeFileSync } from 'node:fs';
import { cruise } from './cruise.mjs';
import { inRoot } from './paths.mjs';
import { ensureGenerated } from './prisma-client.mjs';
import { seconds } from './progress.mjs';
import { capture } from './run.mjs';
import { runVitest } from './suites.mjs';

/** @typedef {{ ok: boolean, note: string, output: string, passed?: number, failed?: number, failures?: string[] }} Outcome */

/** There are far more; fewer were looked at when something is wrong with the looking. */
const LEAST_MODULES = 200;

/** A program of a package, run by Node. @param {string[]} args @returns {Promise<Outcome>} */
async function program(...args) {
  const { code, output } = await capture(process.execPath, args);
  return { ok: code === 0, note: '', output };
}

/** @returns {Promise<Outcome>} */
async function imports() {
  const { modules, violations } = await cruise();
  // On a TypeScript that it does not know, dependency-cruiser looks at nothing and finds nothing wrong.
  const looked = modules > LEAST_MODULES;
  return {
    ok: looked && violations.length === 0,
    note: `${modules} modules`,
    output: looked
      ? violations.map((found) => found.text).join('\n')
      : `Only ${modules} modules were looked at.`,
  };
}

/** @returns {Promise<Outcome>} */
async function tests() {
  const { passed, failed, output, failures } = await runVitest(['unit', 'mocked', 'architecture']);
  return { ok: failed === 0, note: `${passed} passed, ${failed} failed`, output, passed, failed, failures };
}

/** The longest first: two run at a time. @type {[string, () => Promise<Outcome>][]} */
const CHECKS = [
  [
    'types',
    () =>
      program(inRoot('node_modules', 'typescript', 'bin', 'tsc'), '--noEmit', '--pretty', 'false', '-p', '.'),
  ],
  ['unit and architecture tests', tests],
  ['import law', imports],
  ['unused code', () => program(inRoot('node_modules', 'knip', 'bin', 'knip.js'), '--no-progress')],
  [
    'format and lint',
    () => program(inRoot('node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '.'),
  ],
];

/** Types of Next that `next build` writes; a fresh clone has not been built. */
function ensureNextTypes() {
  const file = inRoot('next-env.d.ts');
  if (existsSync(file)) return;
  writeFileSync(file, '/// <reference types="next" />\n/// <reference types="next/image-types/global" />\n');
}

/**
 * Runs all checks, two at a time, and prints a line for each and what is wrong.
 * @returns {Promise<{ passed: number, failed: number, failures: string[] }>} tests; a check that is no test and fails
 *   counts as one failed
 */
export async function runChecks() {
  await ensureGenerated();
  ensureNextTypes();
  const queue = [...CHECKS];
  let passed = 0;
  let failed = 0;
  /** @type {string[]} */
  const failures = [];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [name, check] = next;
      const begin = performance.now();
      const outcome = await check().catch((error) => ({
        ok: false,
        note: '',
        output: String(error),
        passed: 0,
        failed: 1,
      }));
      const time = seconds(performance.now() - begin).padStart(8);
      console.log(
        `${time}  ${outcome.ok ? 'ok    ' : 'FAILED'}  ${name}${outcome.note ? `: ${outcome.note}` : ''}`,
      );
      if (!outcome.ok) console.log(`${outcome.output.trim()}\n`);
      passed += outcome.passed ?? 0;
      failed += outcome.failed ?? (outcome.ok ? 0 : 1);
      if (!outcome.ok) failures.push(...(outcome.failures ?? [name]));
    }
  };
  await Promise.all([work(), work()]);
  return { passed, failed, failures };
}
