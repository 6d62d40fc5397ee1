/**
 * `openconductor backup FILE` and `openconductor restore FILE`: the part that works on the database itself, beside the
 * command line that starts it. Takes DATABASE_URL, else the embedded cluster of the data folder, which it starts for the
 * time being when it does not run.
 *
 * Arguments: `backup FILE`, `restore FILE [--replace]`, or `place` (which database that would be). Writes one JSON object a line
 * to standard output: `{"progress": text}` on the way, then `{"result": {…}}` (exit code 0) or `{"problem": text}` (exit code 1).
 *
 * SIGINT, SIGTERM and the end of whoever reads the output end the work in good order: no half-written file, no Postgres and no
 * note of ours stay behind.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSetup } from './lib/build.mjs';
import { acquireInstance } from './lib/instance.mjs';
import { withLock } from './lib/lock.mjs';
import { readOptions } from './lib/options.mjs';
import { inRoot, ROOT } from './lib/paths.mjs';
import { isForPeople, Trouble } from './lib/progress.mjs';

/** @param {unknown} value */
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
/** @param {string} text */
const log = (text) => say({ progress: text });

const interrupt = new AbortController();

function listenForSignals() {
  const signals = ['SIGINT', 'SIGTERM'];
  // A closed terminal is a wish to stop; without a terminal (nohup, a service) SIGHUP means nothing.
  if (process.stderr.isTTY) signals.push('SIGHUP');
  for (const signal of signals) process.on(signal, () => interrupt.abort());
  // Nobody is there to read how it goes on.
  process.stdout.on('error', () => interrupt.abort());
  process.stderr.on('error', () => undefined);
}

/**
 * The database that these settings mean, for people: without its password.
 * @param {any} settings
 */
function placeOf({ databaseUrl, dataDir }) {
  if (databaseUrl === undefined) return `the embedded database of ${dataDir}`;
  const { host, pathname } = new URL(databaseUrl);
  return `the database ${decodeURIComponent(pathname.slice(1))} at ${host}`;
}

/**
 * The URL of the administrator, and how to leave things as they were.
 * @param {Awaited<ReturnType<typeof loadSetup>>} setup
 * @param {any} settings
 * @param {boolean} create whether an embedded cluster may be made
 * @returns {Promise<{ adminUrl: string, leave: () => Promise<unknown> }>}
 */
async function reach(setup, settings, create) {
  if (settings.databaseUrl !== undefined)
    return { adminUrl: settings.databaseUrl, leave: async () => undefined };
  const directory = join(settings.dataDir, 'postgres');
  const running = await setup.runningCluster(directory);
  if (running !== undefined) return { adminUrl: running, leave: async () => undefined };
  if (!create && !(await setup.hasCluster(directory))) {
    throw new Trouble(
      `There is no database in ${settings.dataDir}. Set DATABASE_URL or OPENCONDUCTOR_DATA_DIR.`,
    );
  }
  mkdirSync(settings.dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  // Nobody may start OpenConductor on the folder meanwhile: it would lose its database when we are done.
  const instance = await acquireInstance({ ...settings, url: 'a backup or restore', log });
  try {
    log('starting the embedded Postgres');
    const cluster = await setup.startCluster({
      directory,
      root: ROOT,
      port: settings.postgresPort,
      sharedBuffers: settings.postgresSharedBuffers,
      maxConnections: settings.postgresMaxConnections,
    });
    return {
      adminUrl: cluster.url,
      leave: async () => {
        await cluster.stop();
        instance.release();
      },
    };
  } catch (error) {
    instance.release();
    throw error;
  }
}

async function main() {
  const [verb, file, flag] = process.argv.slice(2);
  const { settings } = readOptions([], process.env);
  if (verb === 'place') return { place: placeOf(settings) };
  if ((verb !== 'backup' && verb !== 'restore') || file === undefined)
    throw new Trouble('Usage: backup|restore FILE');
  listenForSignals();
  log(`works on ${placeOf(settings)}`);
  const setup = await withLock(inRoot('dist', '.lock'), loadSetup);
  if (verb === 'restore' && !existsSync(file))
    throw new Trouble(`There is no file ${file}. Nothing was changed.`);
  const { version } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  const { signal } = interrupt;
  signal.throwIfAborted();
  const { adminUrl, leave } = await reach(setup, settings, verb === 'restore');
  try {
    // What was being started had to be there before it can be stopped.
    signal.throwIfAborted();
    const header =
      verb === 'backup'
        ? await setup.backupDatabase({ adminUrl, file, version, log, signal })
        : await setup.restoreDatabase({
            adminUrl,
            file,
            replace: flag === '--replace',
            migrationsDir: inRoot('prisma', 'migrations'),
            log,
            signal,
          });
    const rows = header.tables.reduce((sum, table) => sum + table.rows, 0);
    if (verb === 'restore' && header.shards > 0 && header.shards !== settings.shards) {
      log(
        `start it with OPENCONDUCTOR_SHARDS=${header.shards}, as the runs were made with; it is ${settings.shards} now`,
      );
    }
    return { file, version: header.version, createdAt: header.createdAt, tables: header.tables.length, rows };
  } finally {
    await leave();
  }
}

/** @param {any} error */
function problemOf(error) {
  if (interrupt.signal.aborted)
    return 'Interrupted: there is no new file, and the database holds what it held.';
  return isForPeople(error) || error?.code !== undefined ? error.message : String(error?.stack ?? error);
}

main().then(
  (result) => say({ result }),
  (error) => {
    say({ problem: problemOf(error) });
    process.exitCode = 1;
  },
);
