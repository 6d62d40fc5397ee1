/** The import law of .dependency-cruiser.cjs, applied to a folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './paths.mjs';
import { capture } from './run.mjs';

const FOLDERS = [
  'app',
  'components',
  'lib',
  'server',
  'workflows',
  'scripts',
  'bin',
  'bench',
  'tests',
  'e2e',
];

/**
 * @param {string} [root] folder that has app/, lib/, server/ … and a tsconfig.json
 * @returns {Promise<{ modules: number, violations: { rule: string, from: string, to: string, text: string }[] }>}
 */
export async function cruise(root = inRoot()) {
  const program = inRoot('node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
  const folders = FOLDERS.filter((folder) => existsSync(join(root, folder)));
  const { code, output } = await capture(
    process.execPath,
    [program, '--config', inRoot('.dependency-cruiser.cjs'), '--output-type', 'json', ...folders],
    { cwd: root },
  );
  let report;
  try {
    report = JSON.parse(output.slice(output.indexOf('{')));
  } catch {
    throw new Error(`dependency-cruiser failed (exit code ${code}):\n${output.slice(0, 2000)}`);
  }
  const violations = report.summary.violations
    .filter((/** @type {any} */ found) => found.rule.severity === 'error')
    .map((/** @type {any} */ found) => ({
      rule: found.rule.name,
      from: found.from,
      to: found.to,
      text: `${found.rule.name}: ${found.cycle ? [found.from, ...found.cycle.map((/** @type {any} */ c) => c.name ?? c)].join(' → ') : `${found.from} → ${found.to}`}`,
    }));
  const modules = report.modules.filter((/** @type {any} */ m) => !m.source.includes('node_modules')).length;
  return { modules, violations };
}
