import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSetupError } from '../setup-error';

/** Whom Postgres runs as. Undefined stands for the user of this process. */
export interface SystemUser {
  uid: number;
  gid: number;
}

/**
 * Whom the embedded Postgres is to run as. Postgres refuses to be root, so root lends it a system user: the owner
 * of a cluster that is already there, else `postgres`, else `openconductor` (created), else `nobody`.
 *
 * @param dataDir folder of the cluster; it need not exist
 * @throws DatabaseSetupError when the cluster belongs to someone else and we are not root
 */
export function databaseUser(dataDir: string): SystemUser | undefined {
  const me = process.getuid?.();
  if (me === undefined) return undefined;
  const owner = existsSync(dataDir) ? statSync(dataDir) : undefined;
  if (me !== 0) {
    if (owner !== undefined && owner.uid !== me) {
      throw new DatabaseSetupError(
        `The database in ${dataDir} belongs to another user (uid ${owner.uid}). Start as that user or as root, or ` +
          'choose another folder with --data-dir.',
      );
    }
    return undefined;
  }
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const user = lookUp('postgres') ?? lookUp('openconductor') ?? create('openconductor') ?? lookUp('nobody');
  if (user === undefined) {
    throw new DatabaseSetupError(
      'Postgres does not run as root, and this system has no user to lend it (postgres, openconductor or nobody). ' +
        'Create one (useradd --system openconductor), start as an ordinary user, or set DATABASE_URL.',
    );
  }
  return user;
}

function lookUp(name: string): SystemUser | undefined {
  const ids = ['-u', '-g'].map((flag) => {
    const result = spawnSync('id', [flag, name], { encoding: 'utf8' });
    return result.status === 0 ? Number(result.stdout.trim()) : Number.NaN;
  });
  const [uid, gid] = ids;
  return Number.isInteger(uid) && Number.isInteger(gid) && uid !== 0
    ? { uid: uid as number, gid: gid as number }
    : undefined;
}

function create(name: string): SystemUser | undefined {
  spawnSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', name]);
  return lookUp(name);
}

/**
 * True when `user` can walk to `target` and, if it is a file, read and execute it. Reads the permission bits of
 * every folder on the way; a path that does not exist yet counts by the folders that do.
 */
export function canReach(target: string, user: SystemUser): boolean {
  for (let place = path.resolve(target); ; place = path.dirname(place)) {
    if (existsSync(place)) {
      const { mode, uid, gid } = statSync(place);
      const bits = uid === user.uid ? mode >> 6 : gid === user.gid ? mode >> 3 : mode;
      const needed = place === path.resolve(target) ? 0o5 : 0o1;
      if ((bits & needed) !== needed) return false;
    }
    if (place === path.dirname(place)) return true;
  }
}
