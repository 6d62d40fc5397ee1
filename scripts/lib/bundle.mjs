/**
 * One way to turn TypeScript of this repository into a file that Node runs: packages stay outside (Node finds
 * them in node_modules), `@/` is the root of the clone, stack traces point at the source.
 */
import { join, relative, resolve } from 'node:path';
import { CACHE_DIR, inRoot } from './paths.mjs';

/**
 * Bundles `entry` into `outfile`.
 * @param {{ entry: string, outfile: string, quiet?: boolean }} options paths, absolute
 * @returns {Promise<string[]>} the source files that went into it, relative to the root
 */
export async function bundle({ entry, outfile, quiet = false }) {
  const { build } = await import('esbuild');
  const result = await build({
    absWorkingDir: inRoot(),
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    packages: 'external',
    // An alias key must not look like a relative path; `@/x` → `<root>/x`.
    alias: { '@': inRoot() },
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    legalComments: 'none',
    jsx: 'automatic',
    logLevel: quiet ? 'silent' : 'warning',
  });
  return Object.keys(result.metafile.inputs);
}

/**
 * Bundles `entry` into the cache and returns the path of the bundle. The name keeps the folders of the source,
 * so that two entries called main.ts do not overwrite each other.
 * @param {string} entry path relative to the root or absolute
 */
export async function bundleToCache(entry) {
  const absolute = resolve(inRoot(), entry);
  const name = relative(inRoot(), absolute)
    .replace(/\.[cm]?tsx?$/, '')
    .replaceAll(/[^\w-]+/g, '_');
  // The pid keeps two runs at once apart: one must not read the half-written bundle of the other.
  const outfile = join(CACHE_DIR, 'run', `${name}.${process.pid}.mjs`);
  await bundle({ entry: absolute, outfile });
  return outfile;
}
