import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const run = promisify(execFile);
const root = resolve(import.meta.dirname, '../..');

/** Stands for the version before while there is no release yet. */
const PINNED = '78803e7';

/** The server of the version before, built in a folder of its own. */
export interface PreviousVersion {
  /** Tag or commit. */
  name: string;
  root: string;
  bundle: string;
  migrationsDir: string;
  remove(): Promise<void>;
}

/** The last release, or the pinned commit; null when this clone has no such history (a shallow one, say). */
export async function previousVersionName(): Promise<string | null> {
  const git = async (...args: string[]) => (await run('git', args, { cwd: root })).stdout.trim();
  const tag = await git('describe', '--tags', '--abbrev=0', '--match', 'v*', 'HEAD^').catch(() => '');
  const name = tag === '' ? PINNED : tag;
  return git('cat-file', '-e', `${name}^{commit}`).then(
    () => name,
    () => null,
  );
}

/** Takes the version out of git and bundles its server, with the packages that are installed now. */
export async function buildPreviousVersion(name: string): Promise<PreviousVersion> {
  const folder = await mkdtemp(join(tmpdir(), 'oc-previous-'));
  const tar = join(folder, 'source.tar');
  await run('git', ['archive', '--output', tar, name], { cwd: root });
  const source = join(folder, 'source');
  await mkdir(source);
  await run('tar', ['-xf', tar, '-C', source]);
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
  // Its own client, of its own schema. Any existing file in the place of the schema engine, which is not run, stops its download.
  await run(process.execPath, [join(root, 'node_modules/prisma/build/index.js'), 'generate'], {
    cwd: source,
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
  });
  const bundle = join(source, 'dist', 'server.mjs');
  await build({
    absWorkingDir: source,
    entryPoints: [join(source, 'server/index.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    packages: 'external',
    alias: { '@': source },
    jsx: 'automatic',
    logLevel: 'silent',
  });
  const migrationsDir = join(source, 'prisma', 'migrations');
  return {
    name,
    root: source,
    bundle,
    migrationsDir,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
