import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import { createLog } from '@/server/adapters/observability/pino-log';
import { Live } from '@/server/adapters/socketio/live';
import { loadConfig } from '@/server/config/config';
import { createRuntime, type Runtime } from '@/server/runtime';
import { PROGRESS_CHANNEL } from '@/server/workers/engine/host-deps';
import { STREAM_CHANNEL } from '@/server/workers/relay';
import type { ServersConfig } from './engine-process';

/** A process with the role `web` alone, in the process of the test: REST and live sockets, no pages and so no build of them. */
export interface WebHere {
  runtime: Runtime;
  /** A REST call; gives status and parsed body (the text, where it is no JSON). */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** A socket that has joined a topic. */
  watch(topic: string): Promise<Socket>;
  close(): Promise<void>;
}

export async function startWebHere(options: {
  databaseUrl: string;
  servers: ServersConfig;
  redisUrl?: string | undefined;
}): Promise<WebHere> {
  const dataDir = await mkdtemp(join(tmpdir(), 'oc-web-'));
  const configFile = join(dataDir, 'servers.json');
  await writeFile(configFile, JSON.stringify({ mcpServers: options.servers }));
  const config = loadConfig({
    DATABASE_URL: options.databaseUrl,
    REDIS_URL: options.redisUrl,
    OPENCONDUCTOR_DATA_DIR: dataDir,
    OPENCONDUCTOR_CONFIG: configFile,
    OPENCONDUCTOR_ROLES: 'web',
  });
  const log = createLog('silent');
  const runtime = await createRuntime({
    config: { ...config, databaseUrl: options.databaseUrl },
    log,
    version: '0',
    buildId: 'test',
    root: resolve(import.meta.dirname, '../..'),
    environment: {},
  });
  const http = createServer();
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const live = new Live(http, {
    store: runtime.streams,
    access: runtime.access,
    bus: runtime.bus,
    clock: runtime.clock,
    log,
    streamChannel: STREAM_CHANNEL,
    progressChannel: PROGRESS_CHANNEL,
    pollMs: 250,
    authenticate: () => runtime.authenticate(new Headers()),
    checkOrigin: () => {},
  });
  runtime.listensAt(url);
  await runtime.start();
  const sockets: Socket[] = [];
  return {
    runtime,
    async ask(method, path, body) {
      const response = await runtime.handle(
        new Request(`http://127.0.0.1${path}`, {
          method,
          ...(body === undefined
            ? {}
            : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        }),
      );
      const text = await response.text();
      const isJson = (response.headers.get('content-type') ?? '').includes('json');
      return { status: response.status, body: isJson ? JSON.parse(text) : text };
    },
    async watch(topic) {
      const socket = io(url, { transports: ['websocket'], forceNew: true });
      sockets.push(socket);
      const ack = await socket.timeout(30_000).emitWithAck('subscribe', { topic });
      if (ack.ok !== true) throw new Error(JSON.stringify(ack));
      return socket;
    },
    async close() {
      for (const socket of sockets) socket.close();
      await live.close();
      await runtime.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
