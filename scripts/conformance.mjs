// node scripts/conformance.mjs [--requirements 2026-07-28,2025-11-25] [--write]
//
// Runs the official MCP conformance suite against our client. The suite needs Node 22 or newer, so it runs on the
// `node` package of npm; the client under test runs on the Node that runs this script. Exits with 1 when a scenario
// that counts for the revision fails. --write puts the results into docs/conformance.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const SUITE = '@modelcontextprotocol/conformance@0.2.0-alpha.12';
const NODE = 'node@24.21.0';
const root = fileURLToPath(new URL('..', import.meta.url));
const options = process.argv.slice(2);
const wanted = options[options.indexOf('--requirements') + 1];
const revisions =
  options.includes('--requirements') && wanted ? wanted.split(',') : ['2026-07-28', '2025-11-25'];

/** Scenarios that are run but do not count, and why we do not pass them. */
const NOT_AIMED_AT = {
  'auth/enterprise-managed-authorization': 'extension: enterprise-managed authorization',
  'auth/dpop': 'extension: DPoP-bound tokens',
  'auth/dpop-nonce': 'extension: DPoP-bound tokens',
  'auth/wif-jwt-bearer': 'extension: workload identity federation',
};

function checkFiles(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return checkFiles(path);
    return name === 'checks.json' ? [path] : [];
  });
}

/** Passed and failed checks of each scenario, by the name of its folder. */
function readResults(folder) {
  const results = new Map();
  for (const file of checkFiles(folder)) {
    const scenario = relative(folder, file).replace(/-\d{4}-\d\d-\d\dT[^/]*\/checks\.json$/, '');
    const checks = JSON.parse(readFileSync(file, 'utf8'));
    const count = (status) => checks.filter((check) => check.status === status).length;
    const failures = checks
      .filter((check) => check.status === 'FAILURE')
      .map((check) => `${check.id}: ${check.errorMessage ?? ''}`);
    results.set(scenario, { passed: count('SUCCESS'), failed: count('FAILURE'), failures });
  }
  return results;
}

const report = [];
let failed = false;
for (const revision of revisions) {
  const output = mkdtempSync(join(tmpdir(), 'oc-conformance-'));
  const client = `${process.execPath} ${join(root, 'scripts/run-ts.mjs')} ${join(root, 'tests/conformance/client.ts')}`;
  const suite = ['conformance', 'client', '--command', client, '--requirements', revision, '-o', output];
  const run = spawnSync('npm', ['exec', '--yes', `--package=${SUITE}`, `--package=${NODE}`, '--', ...suite], {
    encoding: 'utf8',
    cwd: tmpdir(),
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.error) throw run.error;
  const results = readResults(output);
  if (results.size === 0) {
    console.error(run.stdout, run.stderr);
    process.exit(1);
  }
  // The suite itself decides what counts: it exits with 0 exactly when every required scenario passed.
  if (run.status !== 0) failed = true;
  report.push({ revision, results, status: run.status });
  rmSync(output, { recursive: true, force: true });
}

const lines = [];
for (const { revision, results, status } of report) {
  const required = [...results].filter(([scenario]) => NOT_AIMED_AT[scenario] === undefined);
  const passing = required.filter(([, { failed: bad }]) => bad === 0);
  lines.push(
    `## ${revision}: ${status === 0 ? 'passed' : 'FAILED'} (${passing.length} of ${required.length} scenarios)`,
    '',
  );
  lines.push('| scenario | checks passed | checks failed | note |', '|---|---|---|---|');
  for (const [scenario, { passed, failed: bad, failures }] of [...results].sort(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    const note = NOT_AIMED_AT[scenario] ?? failures.join('; ');
    lines.push(`| ${scenario} | ${passed} | ${bad} | ${bad === 0 ? '' : note.replaceAll('|', '\\|')} |`);
  }
  lines.push('');
}
const text = `# Conformance of the MCP client

Results of the official suite (\`${SUITE}\`) against the fleet of this repository, made by
\`node scripts/conformance.mjs --write\`. Scenarios of extensions are run by the suite but do not count.

${lines.join('\n')}`;
console.log(text);
if (options.includes('--write')) writeFileSync(join(root, 'docs/conformance.md'), text);
process.exit(failed ? 1 : 0);
