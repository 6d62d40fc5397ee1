import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATION_COMMANDS } from '@/lib/commands/operations';
import { COMMANDS } from '@/lib/commands/registry';
import { ROLES } from '@/lib/protocol/actor';
import { TOPICS } from '@/lib/protocol/api';
import {
  LEVEL_GRANTS,
  may,
  OBJECT_KINDS,
  permissionsOf,
  SHARE_LEVELS,
  TOPIC_PERMISSIONS,
  weakestRole,
  withImplied,
} from '@/lib/protocol/permissions';
import { createLog } from '@/server/adapters/observability/pino-log';
import { Live } from '@/server/adapters/socketio/live';
import { loadConfig } from '@/server/config/config';
import { createRuntime, type Runtime } from '@/server/runtime';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { keyOfRole } from '../support/role-keys';
import { plainWorkflow } from './rest-cases/definitions';

/** Built-in roles, and one of an organisation's own that covers none of them. */
const KEEPER = withImplied(['secrets:write', 'alerts:write']);
const EVERY_ROLE = [...ROLES, 'keeper'];
const CANARY = 'canary-7f3a';

/** Messages of `subscribe` that name nothing of one's own. */
const NO_TOPICS = (other: string): unknown[] => [
  { topic: 'nope' },
  { topic: `${other}:runs` },
  { topic: 'runs', organizationId: other },
  { topic: ['runs'] },
  { topic: 'runs', after: -1 },
  {},
  null,
  'runs',
];

/** Every operation × every role × own and other organisation, asked of the real router with real API keys. */
describe('the table of permissions, held against everything that can be asked', () => {
  let database: TestDatabase;
  let runtime: Runtime;
  let dataDir: string;
  let auth: pg.Client;
  const keys = new Map<string, string>();
  const organizations = { a: randomUUID(), b: randomUUID() };
  /** Names and ids of what organisation A has, by the name of the path parameter that takes them. */
  const ofA: Record<string, string> = { name: CANARY, nodePath: 'only', seq: '1', version: '1' };

  const makeKey = (organizationId: string, role: string) => keyOfRole(auth, organizationId, role);
  const ask = async (
    key: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await runtime.handle(
      new Request(`http://127.0.0.1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    let code: string | undefined;
    try {
      code = (JSON.parse(text) as { code?: string }).code;
    } catch {}
    return { status: response.status, text, code };
  };
  const keyOf = (organization: 'a' | 'b', role: string) => keys.get(`${organization}/${role}`) ?? '';
  const fill = (path: string, values: Record<string, string>) =>
    path.replace(/\{(\w+)\}/g, (_all, name: string) => encodeURIComponent(values[name] ?? randomUUID()));

  beforeAll(async () => {
    database = await createTestDatabase();
    dataDir = await mkdtemp(join(tmpdir(), 'oc-matrix-'));
    const config = loadConfig({
      DATABASE_URL: database.adminUrl,
      OPENCONDUCTOR_AUTH: 'required',
      OPENCONDUCTOR_RATE_LIMIT: '0',
      OPENCONDUCTOR_DATA_DIR: dataDir,
      OPENCONDUCTOR_CONFIG: join(dataDir, 'none.json'),
      OPENCONDUCTOR_ROLES: 'web',
    });
    runtime = await createRuntime({
      config: { ...config, databaseUrl: database.adminUrl },
      log: createLog('silent'),
      version: '0',
      buildId: 'test',
      root: resolve(import.meta.dirname, '../..'),
      environment: {},
    });
    runtime.listensAt('http://127.0.0.1');
    auth = new pg.Client(database.url('oc_auth'));
    await auth.connect();
    for (const [letter, id] of Object.entries(organizations)) {
      await auth.query('INSERT INTO organization (id, name, slug) VALUES ($1, $2, $2)', [
        id,
        `org-${letter}`,
      ]);
      await auth.query(
        `INSERT INTO organization_role (organization_id, name, permissions) VALUES ($1, 'keeper', $2)`,
        [id, KEEPER],
      );
      for (const role of EVERY_ROLE) keys.set(`${letter}/${role}`, await makeKey(id, role));
    }
    const owner = keyOf('a', 'owner');
    const make = async (method: string, path: string, body: unknown) => {
      const { status, text } = await ask(owner, method, path, body);
      expect(status, `${method} ${path}: ${text}`).toBeLessThan(300);
      return text === '' ? {} : JSON.parse(text);
    };
    await make('POST', '/api/v1/workflows', plainWorkflow(CANARY));
    ofA.runId = (await make('POST', '/api/v1/runs', { workflow: CANARY, workflowId: CANARY })).runId;
    await make('POST', '/api/v1/schedules', {
      name: CANARY,
      workflow: CANARY,
      cron: '0 3 * * *',
    });
    await make('PUT', `/api/v1/secrets/${CANARY.replace('-', '_')}`, { value: CANARY });
    ofA.invitationId = (
      await make('POST', '/api/v1/invitations', { email: `${CANARY}@example.com`, role: 'viewer' })
    ).id;
    await make('PUT', `/api/v1/roles/${CANARY}`, { description: CANARY, permissions: ['workflows:read'] });
    ofA.keyId = (await make('POST', '/api/v1/api-keys', { name: CANARY })).id;
    ofA.userId = (await make('GET', '/api/v1/me', undefined)).id;
    ofA.teamId = (await make('POST', '/api/v1/teams', { name: CANARY })).id;
    ofA.tokenId = (await make('POST', '/api/v1/scim-tokens', { name: CANARY })).id;
  });
  afterAll(async () => {
    await auth.end();
    await runtime.stop();
    await rm(dataDir, { recursive: true, force: true });
    await database.drop();
  });

  const permissionsFor = (role: string) =>
    role === 'keeper' ? new Set(KEEPER) : permissionsOf(role as (typeof ROLES)[number]);

  it('every operation × every role: allowed or 403, exactly as the table says', async () => {
    const wrong: string[] = [];
    let asked = 0;
    for (const of of runtime.operations) {
      if (of.open) continue;
      for (const role of EVERY_ROLE) {
        const { code, status } = await ask(keyOf('b', role), of.method, fill(of.path, {}));
        const allowed = permissionsFor(role).has(of.permission);
        asked += 1;
        if ((code === 'FORBIDDEN') !== !allowed || status === 401)
          wrong.push(`${of.id} as ${role}: ${status} ${code}, the table says ${allowed}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(300);
  });

  it('every operation without a key: 401', async () => {
    for (const of of runtime.operations) {
      if (of.open) continue;
      const response = await runtime.handle(
        new Request(`http://127.0.0.1${fill(of.path, {})}`, { method: of.method }),
      );
      expect(response.status, of.id).toBe(401);
    }
  });

  it('every operation on what another organisation has: not found, and nothing of it is told', async () => {
    const wrong: string[] = [];
    // Lists first: what one asks for by name is later found in one's own audit log.
    const ordered = [...runtime.operations].sort(
      (one, other) => Number(one.path.includes('{')) - Number(other.path.includes('{')),
    );
    for (const of of ordered) {
      if (of.open || of.id === 'getDocs' || of.id === 'getOpenApi') continue;
      const isRead = of.method === 'GET';
      const { status, text } = await ask(keyOf('b', 'owner'), of.method, fill(of.path, ofA));
      const hasParams = of.path.includes('{');
      // What answers about a name that is not there (a filter, say) may do so, as long as it says nothing of A's.
      const told = text.replaceAll(fill(of.path, ofA), '').replaceAll(`"${CANARY}"`, '');
      if (isRead && !hasParams && status === 200 && text.includes(CANARY) && of.id !== 'listApiKeys')
        wrong.push(`${of.id}: 200 with ${text.slice(0, 200)}`);
      if (status >= 500) wrong.push(`${of.id}: ${status} ${text.slice(0, 200)}`);
      if (hasParams && status === 200 && told.includes(ofA.runId ?? '-'))
        wrong.push(`${of.id}: ${text.slice(0, 200)}`);
      if (/\{(runId|invitationId|keyId|userId)\}/.test(of.path) && status < 400)
        wrong.push(`${of.id}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('nothing of it was changed by asking', async () => {
    const owner = keyOf('a', 'owner');
    expect((await ask(owner, 'GET', `/api/v1/runs/${ofA.runId}`)).status).toBe(200);
    for (const path of [
      'workflows',
      'schedules',
      'roles',
      'api-keys',
      'invitations',
      'secrets',
      'teams',
      'scim-tokens',
    ])
      expect((await ask(owner, 'GET', `/api/v1/${path}`)).text, path).toMatch(/canary[-_]7f3a/);
  });

  it('every operation on a workflow and its runs × every role × shared at every level × restricted or not', async () => {
    const admin = keyOf('a', 'owner');
    const users = new Map<string, string>();
    for (const role of EVERY_ROLE)
      users.set(role, JSON.parse((await ask(keyOf('a', role), 'GET', '/api/v1/me')).text).id);
    const path = '/api/v1/workflows/lent';
    const begin = { workflow: 'lent' };
    expect((await ask(admin, 'POST', '/api/v1/workflows', plainWorkflow('lent'))).status).toBe(201);
    const { text: started } = await ask(admin, 'POST', '/api/v1/runs', begin);
    const values = { ...ofA, name: 'lent', runId: JSON.parse(started).runId as string };
    const about = runtime.operations.filter((of) => /\/(workflows\/\{name\}|runs\/\{runId\})/.test(of.path));
    expect(about.length).toBeGreaterThan(25);
    const wrong: string[] = [];
    for (const restricted of [false, true]) {
      for (const level of [null, ...SHARE_LEVELS]) {
        const shares =
          level === null ? [] : EVERY_ROLE.map((role) => ({ subject: `user:${users.get(role)}`, level }));
        const now = JSON.parse((await ask(admin, 'GET', `${path}/sharing`)).text).version as number;
        const etag = { 'if-match': `"v${now}"` };
        const { status, text } = await ask(admin, 'PUT', `${path}/sharing`, { restricted, shares }, etag);
        expect(status, text).toBe(200);
        for (const role of EVERY_ROLE) {
          const isAdmin = role === 'admin' || role === 'owner';
          const mine = new Set<string>(permissionsFor(role));
          if (restricted && !isAdmin) for (const one of LEVEL_GRANTS.workflow.admin) mine.delete(one);
          for (const one of level === null ? [] : LEVEL_GRANTS.workflow[level]) mine.add(one);
          const isHidden = restricted && level === null && !isAdmin;
          for (const of of about) {
            // Whoever would have been refused without any restriction is told the same as before.
            const expected = isHidden
              ? permissionsFor(role).has(of.permission)
                ? 'missing'
                : 'refused'
              : mine.has(of.permission)
                ? 'let through'
                : 'refused';
            const { code = '' } = await ask(keyOf('a', role), of.method, fill(of.path, values));
            const got =
              code === 'FORBIDDEN'
                ? 'refused'
                : /^(WORKFLOW|RUN)_NOT_FOUND$/.test(code)
                  ? 'missing'
                  : 'let through';
            if (got !== expected)
              wrong.push(
                `${of.id} as ${role}, ${level}, ${restricted ? 'restricted' : 'open'}: ${got}, not ${expected}`,
              );
          }
          const { status } = await ask(keyOf('a', role), 'POST', '/api/v1/runs', begin);
          const wanted =
            isHidden && permissionsFor(role).has('workflows:execute')
              ? 404
              : mine.has('workflows:execute')
                ? 201
                : 403;
          if (status !== wanted)
            wrong.push(`startRun as ${role}, ${level}, ${restricted}: ${status}, not ${wanted}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('levels only grow, and every one of them lets the object be read', () => {
    for (const kind of OBJECT_KINDS) {
      for (const [i, level] of SHARE_LEVELS.entries()) {
        const below = SHARE_LEVELS[i - 1];
        const grants = LEVEL_GRANTS[kind][level];
        expect(grants).toContain(`${kind}s:read`);
        if (below !== undefined)
          expect(grants).toEqual(expect.arrayContaining([...LEVEL_GRANTS[kind][below]]));
      }
    }
  });

  it('every topic of the socket × every role: joined or refused, exactly as the table says', async () => {
    const http = createServer();
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    const live = new Live(http, {
      store: runtime.streams,
      bus: runtime.bus,
      clock: runtime.clock,
      log: createLog('silent'),
      streamChannel: 'none',
      progressChannel: 'none',
      pollMs: 1_000,
      recheckMs: 200,
      access: runtime.access,
      authenticate: (headers) =>
        runtime.authenticate(
          new Headers(headers.authorization ? { authorization: String(headers.authorization) } : {}),
        ),
      checkOrigin: () => {},
    } as ConstructorParameters<typeof Live>[1]);
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    try {
      for (const role of EVERY_ROLE) {
        const socket = io(url, {
          transports: ['websocket'],
          extraHeaders: { authorization: `Bearer ${keyOf('b', role)}` },
          forceNew: true,
        });
        for (const topic of TOPICS) {
          const ack = (await socket.timeout(10_000).emitWithAck('subscribe', { topic })) as {
            ok: boolean;
            code?: string;
          };
          const allowed = permissionsFor(role).has(TOPIC_PERMISSIONS[topic]);
          expect(ack.ok, `${topic} as ${role}`).toBe(allowed);
          if (!allowed) expect(ack.code).toBe('FORBIDDEN');
        }
        // What is no topic, and what names an organisation, is refused, whoever asks; an event that is none does nothing.
        for (const message of NO_TOPICS(organizations.a)) {
          const ack = await socket.timeout(10_000).emitWithAck('subscribe', message);
          expect(ack, JSON.stringify(message)).toMatchObject({ ok: false, code: 'INVALID_INPUT' });
        }
        for (const name of ['join', 'room', 'events', 'progress', 'unsubscribe', 'connection'])
          socket.emit(name, `${organizations.a}:runs`, { topic: 'runs', organizationId: organizations.a });
        // Answered after all of these have been read.
        await socket.timeout(10_000).emitWithAck('subscribe', {});
        const rooms = [...live.rooms].filter((room) => room.includes(':'));
        expect(rooms.filter((room) => !room.startsWith(organizations.b))).toEqual([]);
        socket.close();
      }
      // A right that is taken away ends what is watched.
      const watcher = io(url, {
        transports: ['websocket'],
        extraHeaders: { authorization: `Bearer ${await makeKey(organizations.b, 'viewer')}` },
        forceNew: true,
        reconnection: false,
      });
      await watcher.timeout(10_000).emitWithAck('subscribe', { topic: 'runs' });
      const ended = new Promise((done) => watcher.once('disconnect', done));
      await auth.query(
        `UPDATE member SET role = 'keeper' WHERE role = 'viewer' AND user_id =
         (SELECT reference_id::uuid FROM api_key WHERE organization_id = $1 ORDER BY created_at DESC LIMIT 1)`,
        [organizations.b],
      );
      expect(await ended).toBe('io server disconnect');
      const stranger = io(url, { transports: ['websocket'], forceNew: true, reconnection: false });
      const refusal = await new Promise<Error>((done) => stranger.once('connect_error', done));
      expect(refusal.message).toBe('UNAUTHENTICATED');
      stranger.close();
    } finally {
      await live.close();
    }
  });

  it('every command of the command line names the role that the table gives it', () => {
    const wrong: string[] = [];
    for (const command of COMMANDS) {
      const needed = runtime.operations.filter((of) => {
        const reach = OPERATION_COMMANDS[of.id];
        return reach !== undefined && 'by' in reach && reach.by === command.name;
      });
      if (needed.length === 0) continue;
      const roles = needed.map((of) => weakestRole(of.permission));
      if (!roles.includes(command.role))
        wrong.push(`${command.name}: ${command.role}, not ${roles.join(' or ')}`);
    }
    expect(wrong).toEqual([]);
  });

  it('roles only grow: whoever stands higher may all that those below may', () => {
    for (const [index, role] of ROLES.entries()) {
      const below = ROLES[index - 1];
      if (!below) continue;
      for (const one of permissionsOf(below)) expect(may({ role }, one), `${role} ${one}`).toBe(true);
    }
  });
});
