import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { io, type Socket } from 'socket.io-client';
import { ALL_PERMISSIONS, type Permission } from '@/lib/protocol/permissions';
import { createLog } from '@/server/adapters/observability/pino-log';
import { Live } from '@/server/adapters/socketio/live';
import { loadConfig } from '@/server/config/config';
import { createRuntime } from '@/server/runtime';
import { PROGRESS_CHANNEL } from '@/server/workers/engine/host-deps';
import { STREAM_CHANNEL } from '@/server/workers/relay';
import { createTestDatabase } from './database';

/** Every permission that is about things, and yet no administrator: the log of the administrators is not theirs. */
export const MAKER = ALL_PERMISSIONS.filter(
  (one) => one !== 'audit:read' && !one.startsWith('organization:manage'),
);

export interface Person {
  id: string;
  email: string;
  key: string;
}

/** An answer with its body read. */
export interface Asked {
  status: number;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what tests look at in many ways
  body: any;
  code: string | undefined;
  etag: string;
}

/** One organisation with people in it, in this very process: router, engine, schedulers and live socket are the real ones. */
export async function sharingWorld() {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'oc-sharing-'));
  const config = loadConfig({
    DATABASE_URL: database.adminUrl,
    OPENCONDUCTOR_AUTH: 'required',
    OPENCONDUCTOR_RATE_LIMIT: '0',
    OPENCONDUCTOR_DATA_DIR: dataDir,
    OPENCONDUCTOR_CONFIG: join(dataDir, 'none.json'),
    OPENCONDUCTOR_NETWORKS: 'public,loopback',
  });
  const log = createLog('silent');
  const runtime = await createRuntime({
    config: { ...config, databaseUrl: database.adminUrl },
    log,
    version: '0',
    buildId: 'test',
    root: resolve(import.meta.dirname, '../..'),
    environment: {},
  });
  const auth = new pg.Client(database.url('oc_auth'));
  await auth.connect();
  const organizationId = randomUUID();
  await auth.query('INSERT INTO organization (id, name, slug) VALUES ($1, $2, $2)', [
    organizationId,
    'org-a',
  ]);
  await auth.query(
    `INSERT INTO organization_role (organization_id, name, permissions) VALUES ($1, 'maker', $2)`,
    [organizationId, MAKER],
  );

  const http = createServer();
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  runtime.listensAt(url);
  await runtime.start();
  const live = new Live(http, {
    store: runtime.streams,
    bus: runtime.bus,
    clock: runtime.clock,
    log,
    streamChannel: STREAM_CHANNEL,
    progressChannel: PROGRESS_CHANNEL,
    pollMs: 250,
    access: runtime.access,
    authenticate: (headers) =>
      runtime.authenticate(new Headers({ authorization: String(headers.authorization ?? '') })),
    checkOrigin: () => {},
  });
  const sockets: Socket[] = [];

  const makeKey = async (userId: string, scopes?: readonly Permission[]) => {
    const key = `oc_${randomUUID()}${randomUUID()}`;
    const statements: Record<string, string[]> = {};
    for (const one of scopes ?? []) {
      const [kind = '', verb = ''] = one.split(':');
      statements[kind] = [...(statements[kind] ?? []), verb];
    }
    await auth.query(
      `INSERT INTO api_key (id, name, start, key, reference_id, metadata, permissions) VALUES ($1, 'k', 'oc_', $2, $3, $4, $5)`,
      [
        randomUUID(),
        createHash('sha256').update(key).digest('base64url'),
        userId,
        JSON.stringify({ organizationId }),
        scopes === undefined ? null : JSON.stringify(statements),
      ],
    );
    return key;
  };
  const ask = async (
    who: Person | string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Asked> => {
    const response = await runtime.handle(
      new Request(url + path, {
        method,
        headers: {
          authorization: `Bearer ${typeof who === 'string' ? who : who.key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    let parsed: unknown = null;
    try {
      parsed = JSON.parse(text);
    } catch {}
    const code = (parsed as { code?: string } | null)?.code;
    return { status: response.status, text, body: parsed, code, etag: response.headers.get('etag') ?? '' };
  };

  return {
    database,
    runtime,
    auth,
    organizationId,
    url,
    ask,
    makeKey,

    async person(name: string, role: string): Promise<Person> {
      const id = randomUUID();
      const email = `${name}@example.com`;
      await auth.query('INSERT INTO app_user (id, name, email) VALUES ($1, $2, $3)', [id, name, email]);
      await auth.query(
        'INSERT INTO member (id, organization_id, user_id, role) VALUES (gen_random_uuid(), $1, $2, $3)',
        [organizationId, id, role],
      );
      return { id, email, key: await makeKey(id) };
    },

    async team(name: string, members: readonly Person[]): Promise<string> {
      const id = randomUUID();
      await auth.query('INSERT INTO team (id, name, organization_id) VALUES ($1, $2, $3)', [
        id,
        name,
        organizationId,
      ]);
      for (const { id: userId } of members)
        await auth.query('INSERT INTO team_member (id, team_id, user_id) VALUES ($1, $2, $3)', [
          randomUUID(),
          id,
          userId,
        ]);
      return id;
    },

    /** Says who reaches an object; `path` is that of the object. */
    async share(
      who: Person,
      path: string,
      restricted: boolean,
      shares: readonly { subject: string; level: string }[],
    ): Promise<Asked> {
      const { etag } = await ask(who, 'GET', `${path}/sharing`);
      return ask(who, 'PUT', `${path}/sharing`, { restricted, shares }, { 'if-match': etag });
    },

    /** Watches the runs of the organisation over the socket, from the first entry on; everything that is told is kept. */
    async watch(who: Person) {
      const socket = io(url, {
        transports: ['websocket'],
        extraHeaders: { authorization: `Bearer ${who.key}` },
        forceNew: true,
      });
      sockets.push(socket);
      const told: unknown[] = [];
      socket.onAny((_event, message) => told.push(message));
      await socket.timeout(20_000).emitWithAck('subscribe', { topic: 'runs', after: 0 });
      return { text: () => JSON.stringify(told), told };
    },

    async end(): Promise<void> {
      for (const socket of sockets) socket.close();
      await live.close();
      await auth.end();
      await runtime.stop();
      await rm(dataDir, { recursive: true, force: true });
      await database.drop();
    },
  };
}

export type SharingWorld = Awaited<ReturnType<typeof sharingWorld>>;
