/** Makes dist/ and .next when their sources have changed. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRoot } from './paths.mjs';
import { mustRun } from './run.mjs';

/**
 * The bundles: where from and where to. Setup is what the scripts themselves use.
 * @type {Record<'setup' | 'server' | 'cli', { entry: string, outfile: string, whole?: boolean }>}
 */
const BUNDLES = {
  setup: { entry: 'scripts/setup.ts', outfile: 'dist/setup.mjs' },
  server: { entry: 'server/index.ts', outfile: 'dist/server.mjs' },
  cli: { entry: 'server/cli/main.ts', outfile: 'dist/cli.mjs', whole: true },
};

const COMMON = ['package-lock.json', 'tsconfig.json', 'scripts/lib/bundle.mjs', 'scripts/lib/build.mjs'];
const BUNDLE_INPUTS = ['server', 'lib', 'scripts/setup.ts', ...COMMON];
const NEXT_INPUTS = [
  'app',
  'components',
  'lib',
  'public',
  'next.config.ts',
  'postcss.config.mjs',
  'tailwind.config.ts',
  ...COMMON,
];
const NEXT_STAMP = inRoot('.next', 'made-from');

/**
 * One hash over the content of files and folders; tests do not count, nor what is missing.
 * @param {string[]} inputs paths relative to the root
 */
function hashOf(inputs) {
  const hash = createHash('sha256');
  /** @param {string} place */
  const add = (place) => {
    if (/\.test\.tsx?$/.test(place)) return;
    hash
      .update(place)
      .update('\0')
      .update(readFileSync(inRoot(place)))
      .update('\0');
  };
  /** @param {string} folder */
  const walk = (folder) => {
    const entries = readdirSync(inRoot(folder), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      // The generated client follows from the schema; it is made before this and never edited.
      if (entry.isDirectory() && entry.name !== 'generated') walk(join(folder, entry.name));
      else if (entry.isFile()) add(join(folder, entry.name));
    }
  };
  for (const input of inputs) {
    if (!existsSync(inRoot(input))) continue;
    if (/\.[a-z]+$/.test(input)) add(input);
    else walk(input);
  }
  return hash.update(readFileSync(inRoot('prisma', 'schema.prisma'))).digest('hex');
}

/** @param {string} stamp @param {string} hash */
const isFresh = (stamp, hash) => existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;

/**
 * Bundles dist/server.mjs, dist/cli.mjs and dist/setup.mjs. Each only if its source is there.
 * @param {{ force?: boolean, only?: (keyof typeof BUNDLES)[] }} [options]
 * @returns {Promise<boolean>} true when something was made
 */
export async function ensureBundles({ force = false, only = ['setup', 'server', 'cli'] } = {}) {
  const hash = hashOf(BUNDLE_INPUTS);
  const stale = only.filter((name) => {
    const { entry, outfile } = BUNDLES[name];
    return (
      existsSync(inRoot(entry)) &&
      (force || !existsSync(inRoot(outfile)) || !isFresh(inRoot(`${outfile}.made-from`), hash))
    );
  });
  if (stale.length === 0) return false;
  const { bundleAll } = await import('./bundle.mjs');
  const paths = stale.map((name) => ({
    entry: inRoot(BUNDLES[name].entry),
    outfile: inRoot(BUNDLES[name].outfile),
    whole: BUNDLES[name].whole ?? false,
  }));
  // Stamps go first: a start that is killed while it bundles leaves none that lies.
  for (const { outfile } of paths) rmSync(`${outfile}.made-from`, { force: true });
  await bundleAll(paths);
  for (const { outfile } of paths) writeFileSync(`${outfile}.made-from`, hash);
  return true;
}

/**
 * Runs `next build` when a source of the pages has changed.
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<boolean>} true when it ran
 */
export async function ensureNextBuild({ force = false } = {}) {
  if (!existsSync(inRoot('app'))) return false;
  const hash = hashOf(NEXT_INPUTS);
  if (!force && isFresh(NEXT_STAMP, hash) && existsSync(inRoot('.next', 'BUILD_ID'))) return false;
  rmSync(NEXT_STAMP, { force: true });
  await mustRun(
    'next build',
    process.execPath,
    [inRoot('node_modules', 'next', 'dist', 'bin', 'next'), 'build'],
    {
      env: { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
    },
  );
  mkdirSync(inRoot('.next'), { recursive: true });
  writeFileSync(NEXT_STAMP, hash);
  return true;
}

/**
 * Loads what scripts/setup.ts exports, bundling it first when needed.
 * @returns {Promise<typeof import('../setup')>}
 */
export async function loadSetup() {
  await ensureBundles({ only: ['setup'] });
  return import(pathToFileURL(inRoot('dist', 'setup.mjs')).href);
}
