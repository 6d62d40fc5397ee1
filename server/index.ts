import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '@/lib/protocol/errors';
import { atTheFront, clientAddress, type FrontOptions } from '@/server/adapters/http/front';
import { toRequest, writeResponse } from '@/server/adapters/http/node-http';
import { checkHost } from '@/server/adapters/http/router';
import { CLIENT_HEADER } from '@/server/adapters/identity/authenticate';
import { createLog } from '@/server/adapters/observability/pino-log';
import { TraceScope } from '@/server/adapters/observability/trace-scope';
import { Live } from '@/server/adapters/socketio/live';
import { type Config, ConfigError, loadConfig } from '@/server/config/config';
import { readTestHooks } from '@/server/config/test-hooks';
import type { Log } from '@/server/ports/log';
import { createRuntime, type Runtime } from '@/server/runtime';
import { type CrashPoint, dieAt } from '@/server/workers/engine/crash-points';
import { PROGRESS_CHANNEL } from '@/server/workers/engine/host-deps';
import { STREAM_CHANNEL } from '@/server/workers/relay';

const SEND_OFF_MS = 25;
const SEND_OFF_WAITS = 40;

/**
 * The process: reads the settings, builds everything, serves, and stops cleanly.
 *
 * Says that it is ready with one line of JSON on stdout, `{"ready":true,"url":"…"}`, and, when it was forked, with an IPC
 * message of the same content. Logs go to stderr. A parent that goes away (IPC disconnect) stops it like SIGTERM does.
 */
async function main(): Promise<void> {
  const config = loadConfig();
  const traceScope = new TraceScope();
  const log = createLog(config.logLevel, 2, traceScope.facts);
  if (!config.databaseUrl)
    throw new ConfigError(['DATABASE_URL is not set; `npm start` sets it for the embedded Postgres.']);
  const hooks = readTestHooks();
  if (hooks.crash !== null) {
    const { place, nth, markFile } = hooks.crash;
    dieAt(place as CrashPoint, nth, () => {
      if (markFile !== null) writeFileSync(markFile, place);
    });
  }
  const root = process.cwd();
  const { version } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as { version: string };
  const runtime = await createRuntime({
    config: { ...config, databaseUrl: config.databaseUrl },
    log,
    version,
    buildId: version,
    root,
    environment: process.env,
    clockOffsetMs: hooks.clockOffsetMs,
    ...(hooks.calmMs === undefined ? {} : { calmMs: hooks.calmMs }),
    traceScope,
  });
  const { server, live, closeNext } = await serve(config, runtime, log, root);
  const url = urlOf(config, server);
  runtime.listensAt(url);
  await runtime.start();
  const instanceFile = resolve(config.dataDir, 'run', 'instance.json');
  await mkdir(resolve(config.dataDir, 'run'), { recursive: true });
  await writeFile(
    instanceFile,
    JSON.stringify({ pid: process.pid, url, startedAt: new Date().toISOString() }),
  );

  let stopping = false;
  const stop = (reason: string) => {
    if (stopping) return;
    stopping = true;
    log.info('shutdown', { status: 'begun', reason });
    void (async () => {
      await live?.close();
      const closed = new Promise<'closed'>((done) => server.close(() => done('closed')));
      await runtime.stop();
      await closeNext?.();
      await sendOff(server, closed);
      await rm(instanceFile, { force: true });
      log.info('shutdown', { status: 'success' });
      process.exit(0);
    })().catch((error: unknown) => {
      log.error('shutdown', {
        status: 'failed',
        error: error instanceof Error ? error.stack : String(error),
      });
      process.exit(1);
    });
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  if (process.send) process.on('disconnect', () => stop('parent is gone'));

  log.info('start', { status: 'success', url, roles: config.roles.join(',') });
  const notes = await runtime.notes();
  process.stdout.write(`${JSON.stringify({ ready: true, url, notes })}\n`);
  process.send?.({ ready: true, url, notes });
}

async function serve(config: Config, runtime: Runtime, log: Log, root: string) {
  const web = config.roles.includes('web');
  // Loaded only where pages are served: an engine-only process stays light and starts without a build.
  const app = web ? (await import('next')).default({ dev: false, dir: root, quiet: true }) : null;
  await app?.prepare();
  const pages = app?.getRequestHandler();
  const front: FrontOptions = {
    trustProxy: config.trustProxy === 'yes',
    isSecure: config.url?.startsWith('https:') === true,
    formTargets: [],
  };
  const server = createServer((request, response) => {
    void respond(request, response, { runtime, pages, log, front });
  });
  await new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.listen(config.port, config.host, done);
  });
  const hosts = [...config.allowedHosts, config.host];
  const live = web
    ? new Live(server, {
        store: runtime.streams,
        bus: runtime.bus,
        clock: runtime.clock,
        log,
        streamChannel: STREAM_CHANNEL,
        progressChannel: PROGRESS_CHANNEL,
        pollMs: 250,
        access: runtime.access,
        authenticate: (headers, remote) => {
          const address = clientAddress(headers['x-forwarded-for'], remote, front.trustProxy);
          return runtime.authenticate(new Headers([...every(headers), [CLIENT_HEADER, address]]));
        },
        checkOrigin: (headers) => checkHost(new Request('http://socket/', { headers: flat(headers) }), hosts),
      })
    : null;
  return { server, live, closeNext: app ? () => app.close() : null };
}

/** Answers that are ending (streams, long polls) get a moment to reach their readers; then every connection is cut. */
async function sendOff(server: Server, closed: Promise<'closed'>): Promise<void> {
  for (let waits = 0; waits < SEND_OFF_WAITS; waits++) {
    server.closeIdleConnections();
    if ((await Promise.race([closed, delay(SEND_OFF_MS)])) === 'closed') return;
  }
  server.closeAllConnections();
}

interface Serving {
  runtime: Runtime;
  pages: Pages | undefined;
  log: Log;
  front: FrontOptions;
}

type Pages = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** What is not for pages: asked without the overhead of Next, and the same in processes without pages. */
const OURS = /^\/(api|\.well-known|health|metrics)([/?]|$)/;

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { runtime, pages, log, front }: Serving,
): Promise<void> {
  atTheFront(request, response, front);
  try {
    if (pages && !OURS.test(request.url ?? '')) await pages(request, response);
    else await writeResponse(response, await runtime.handle(toRequest(request, response)));
  } catch (error) {
    log.error('http_request', { status: 500, error: error instanceof Error ? error.stack : String(error) });
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

function every(headers: Record<string, string | string[] | undefined>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || name === CLIENT_HEADER ? [] : [[name, String(value)] as [string, string]],
  );
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || !['host', 'origin'].includes(name) ? [] : [[name, String(value)]],
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

function urlOf(config: Config, server: Server): string {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : config.port;
  const host = config.host === '0.0.0.0' || config.host === '::' ? 'localhost' : config.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

main().catch((error: unknown) => {
  const isSetting = error instanceof ConfigError || (isAppError(error) && error.code === 'SHARDS_MISMATCH');
  const text = isSetting
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(isSetting ? 2 : 1);
});
