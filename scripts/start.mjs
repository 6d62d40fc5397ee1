/**
 * npm start: from a bare clone to a running OpenConductor, and again in a few seconds. Plain JavaScript on Node
 * built-ins, because nothing is installed yet when it begins.
 *
 * It stays as the parent of the server (dist/server.mjs) and of the embedded Postgres. The contract with the server:
 * - The server runs in the root of the clone with NODE_ENV=production; every setting is in its environment, paths
 *   absolute, and DATABASE_URL is always set (the administrator's URL, also of the embedded Postgres). Database roles
 *   and migrations are done before it starts.
 * - Once it answers it sends `{ ready: true, url }` over Node's IPC channel. Its log is its standard error, which goes
 *   through to ours; its standard output is not connected, so that a closed pipe of a dead parent cannot hurt it.
 * - On SIGTERM (sent by us alone: it has a process group of its own, so that Ctrl-C reaches only us) it drains, within
 *   OPENCONDUCTOR_DRAIN_TIMEOUT_MS, and exits with code 0. When we are killed the channel closes, and it does the same.
 * - When it dies by itself we stop Postgres and end with code 1.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBundles, ensureNextBuild, loadSetup } from './lib/build.mjs';
import { helpText } from './lib/help.mjs';
import { checkNode, ensureInstalled } from './lib/install.mjs';
import { acquireInstance } from './lib/instance.mjs';
import { pause, withLock } from './lib/lock.mjs';
import { readOptions } from './lib/options.mjs';
import { inRoot, ROOT } from './lib/paths.mjs';
import { checkPortFree } from './lib/port.mjs';
import { keepPostgres } from './lib/postgres.mjs';
import { ensureGenerated } from './lib/prisma-client.mjs';
import { parentOf } from './lib/proc.mjs';
import { isForPeople, seconds, step, Trouble } from './lib/progress.mjs';
import { endChildren } from './lib/run.mjs';

const begin = performance.now();

/** Things to undo at the end, last first. @type {(() => unknown)[]} */
const undo = [];
/** @type {import('node:child_process').ChildProcess | undefined} */
let server;
/** All that main() does. @type {Promise<void>} */
let work;
/** @type {Awaited<ReturnType<typeof acquireInstance>> | undefined} */
let instance;
let shutdownTimeoutMs = 20_000;
/** @type {Promise<never> | undefined} */
let stopping;

/**
 * Stops everything in order (server, Postgres, note) and ends the process.
 * @param {string} why
 * @param {number} code
 */
function stop(why, code) {
  stopping ??= (async () => {
    if (why !== '') console.log(`${why}: stopping`);
    try {
      instance?.update({ state: 'stopping' });
      endChildren();
      await endServer();
      // What is being started (Postgres, say) has to be there before it can be stopped.
      await Promise.race([work.catch(() => undefined), pause(30_000)]);
      while (undo.length > 0) await undo.pop()?.();
      if (code === 0) console.log('stopped');
    } catch (error) {
      console.error(error);
      code ||= 1;
    }
    return process.exit(code);
  })();
  return stopping;
}

async function endServer() {
  const child = server;
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => {
    const timer = setTimeout(() => {
      console.log(`the server did not stop within ${seconds(shutdownTimeoutMs)}: ending it`);
      child.kill('SIGKILL');
    }, shutdownTimeoutMs);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    child.kill('SIGTERM');
  });
}

function listenForSignals() {
  const signals = ['SIGINT', 'SIGTERM'];
  // A closed terminal is a wish to stop; without a terminal (nohup, a service) SIGHUP means nothing.
  if (process.stdout.isTTY) signals.push('SIGHUP');
  for (const signal of signals) {
    process.on(signal, () => {
      if (stopping !== undefined) {
        console.log(`${signal} again: ending the server at once`);
        server?.kill('SIGKILL');
        return;
      }
      void stop(signal, 0);
    });
  }
  // npm killed with -9 cannot pass anything on, and nobody would know that we are still here. Between it and us
  // there may be a shell, which would outlive it.
  const ancestors = () => `${process.ppid} ${parentOf(process.ppid)}`;
  const atBegin = ancestors();
  if (process.env.npm_lifecycle_event !== undefined) {
    setInterval(() => {
      if (ancestors() !== atBegin) void stop('npm is gone', 0);
    }, 500).unref();
  }
  // Output to a closed pipe must not end us half-way.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
}

/**
 * The embedded Postgres, or the one of DATABASE_URL, with roles and tables.
 * @param {Awaited<ReturnType<typeof loadSetup>>} setup
 * @param {any} settings
 * @returns {Promise<string>} the administrator's URL
 */
async function prepareDatabase(setup, settings) {
  const embedded = settings.databaseUrl === undefined;
  let url = settings.databaseUrl;
  if (embedded) {
    const postgres = await keepPostgres(
      (log) =>
        setup.startCluster({
          directory: join(settings.dataDir, 'postgres'),
          root: ROOT,
          port: settings.postgresPort,
          sharedBuffers: settings.postgresSharedBuffers,
          maxConnections: settings.postgresMaxConnections,
          log,
        }),
      () => void stop('', 1),
    );
    undo.push(() => postgres.stop());
    url = postgres.url;
  }
  await step(embedded ? 'roles and tables' : 'database of DATABASE_URL', (log) =>
    setup.prepareDatabase(url, { log, migrationsDir: inRoot('prisma', 'migrations') }),
  );
  return url;
}

/**
 * Starts the server and waits until it answers.
 * @param {Record<string, string | undefined>} env
 * @param {any} settings
 * @returns {Promise<{ url: string, notes: string[] }>} its URL, and what is to be said
 */
async function startServer(env, settings) {
  const child = spawn(process.execPath, ['--enable-source-maps', inRoot('dist', 'server.mjs')], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    detached: true,
  });
  server = child;
  if (child.pid !== undefined) instance?.update({ serverPid: child.pid });
  let answered = false;
  const ready = new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Trouble(`The server did not answer within ${seconds(settings.startTimeoutMs)}.`)),
      settings.startTimeoutMs,
    );
    child.on('message', (/** @type {any} */ message) => {
      if (message?.ready !== true) return;
      clearTimeout(late);
      answered = true;
      resolve({
        url: String(message.url),
        notes: Array.isArray(message.notes) ? message.notes.map(String) : [],
      });
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(late);
      const how = signal === null ? `exit code ${code}` : signal;
      const message = `The server ended by itself (${how}); its last words are above. Start again with: npm start`;
      reject(new Trouble(message));
      if (stopping !== undefined || !answered) return;
      console.error(message);
      void stop('', 1);
    });
  });
  return /** @type {Promise<{ url: string, notes: string[] }>} */ (ready);
}

/** Waits for all, then throws the first failure: nothing may still be at work when we clean up. @param {Promise<any>[]} work */
async function all(...work) {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return results.map((result) => /** @type {PromiseFulfilledResult<any>} */ (result).value);
}

async function main() {
  checkNode();
  const { help, rebuild, env, settings, warnings } = readOptions(process.argv.slice(2), process.env);
  if (help) {
    console.log(helpText());
    return;
  }
  for (const warning of warnings) console.log(`note: ${warning}`);
  shutdownTimeoutMs = settings.shutdownTimeoutMs;
  listenForSignals();

  // As root the database runs as a lent user, who has to be able to walk through.
  mkdirSync(settings.dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const shownHost = settings.host === '0.0.0.0' || settings.host === '::' ? 'localhost' : settings.host;
  instance = await acquireInstance({
    ...settings,
    url: `http://${shownHost.includes(':') ? `[${shownHost}]` : shownHost}:${settings.port}`,
    log: (/** @type {string} */ text) => console.log(`          ${text}`),
  });
  undo.push(() => instance?.release());
  await checkPortFree(settings.port, settings.host);

  const databaseUrl = await withLock(inRoot('dist', '.lock'), async () => {
    await step('packages', async (note) => note((await ensureInstalled()) ? 'installed' : 'up to date'));
    await step('database client', async (note) =>
      note((await ensureGenerated({ force: rebuild })) ? 'generated' : 'up to date'),
    );
    const setup = await loadSetup();
    // At the end again: our own server may be killed too.
    undo.push(() => setup.killOrphans(settings.dataDir));
    const orphans = setup.killOrphans(settings.dataDir);
    if (orphans.length > 0)
      console.log(`          ended MCP servers left by a killed OpenConductor: ${orphans.length}`);
    const [url] = await all(
      prepareDatabase(setup, settings),
      step('build', async (note) => {
        const bundled = await ensureBundles({ force: rebuild });
        // A process without the role `web` serves no pages.
        const built = settings.roles.includes('web') && (await ensureNextBuild({ force: rebuild }));
        note(bundled || built ? 'done' : 'up to date');
      }),
    );
    return url;
  });
  if (stopping !== undefined) return;

  const { url, notes } = await step('server', () =>
    startServer({ ...env, NODE_ENV: 'production', DATABASE_URL: databaseUrl }, settings),
  );
  instance.update({ state: 'running', url });
  console.log(
    `\nOpenConductor is ready at ${url}  (${seconds(performance.now() - begin)}; stop it with Ctrl-C)`,
  );
  for (const note of notes) console.log(note);
  console.log('');
}

work = main();
work.catch(async (error) => {
  if (stopping !== undefined) return;
  console.error(isForPeople(error) ? `\n${error.message}` : error);
  await stop('', 1);
});
