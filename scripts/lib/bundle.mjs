/**
 * One way to turn TypeScript of this repository into a file that Node runs: packages stay outside (Node finds
 * them in node_modules), `@/` is the root of the clone, stack traces point at the source.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { CACHE_DIR, inRoot } from './paths.mjs';
import { startTime } from './proc.mjs';
import { Trouble } from './progress.mjs';

/** Packages in CommonJS ask for `require`, which a module has to make itself. @type {import('esbuild').BuildOptions} */
const WHOLE = {
  minifyWhitespace: true,
  minifySyntax: true,
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
};

/**
 * Bundles each `entry` into its `outfile`. One that is `whole` holds its packages, too, and is written shorter: a program that is
 * started again and again is then read as one file instead of a hundred.
 * @param {{ entry: string, outfile: string, whole?: boolean }[]} bundles paths, absolute
 * @throws Trouble listing the errors in the source
 */
export async function bundleAll(bundles) {
  const { build, formatMessages, stop } = await import('esbuild');
  const work = bundles.map(async ({ entry, outfile, whole = false }) => {
    try {
      await build({
        absWorkingDir: inRoot(),
        entryPoints: [entry],
        outfile,
        bundle: true,
        platform: 'node',
        format: 'esm',
        target: 'node20.19',
        ...(whole ? WHOLE : { packages: 'external' }),
        alias: { '@': inRoot() },
        sourcemap: 'linked',
        sourcesContent: false,
        legalComments: 'none',
        jsx: 'automatic',
        logLevel: 'silent',
      });
    } catch (error) {
      const { errors } = /** @type {import('esbuild').BuildFailure} */ (error);
      if (errors === undefined) throw error;
      const text = await formatMessages(errors, { kind: 'error', color: false });
      throw new Trouble(`${relative(inRoot(), entry)} cannot be bundled:\n${text.join('').trimEnd()}`);
    }
  });
  const results = await Promise.allSettled(work);
  // Its helper process would otherwise stay as long as we do.
  await stop();
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Bundles one file. @param {{ entry: string, outfile: string, whole?: boolean }} one paths, absolute */
export const bundle = (one) => bundleAll([one]);

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
  sweep(dirname(outfile));
  await bundle({ entry: absolute, outfile });
  return outfile;
}

/** Removes the bundles of runs that were killed before they could. @param {string} directory */
function sweep(directory) {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const pid = Number(/\.(\d+)\.mjs(\.map)?$/.exec(name)?.[1]);
    if (pid > 0 && startTime(pid) === undefined) rmSync(join(directory, name), { force: true });
  }
}
