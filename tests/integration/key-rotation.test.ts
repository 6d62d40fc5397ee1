import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as oauth from 'openid-client';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { backupDatabase } from '@/server/adapters/postgres/backup/dump';
import { restoreDatabase } from '@/server/adapters/postgres/backup/restore';
import { createPrisma } from '@/server/adapters/postgres/prisma';
import { SEALED_PLACES } from '@/server/adapters/postgres/sealed-places';
import { createSecretStore } from '@/server/adapters/postgres/secret-store';
import { createSealKey, Keyring } from '@/server/adapters/sealer';
import { runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { firstOwner, member, type Visitor } from '../support/people';

const fixture = resolve(import.meta.dirname, '../fixtures/mcp-servers/env-server.mjs');
/** Backwards, for what a server repeats of a secret as it is is masked. */
const TOLD = { name: 'VALUE', backwards: true };
const forwards = (text: string) => [...text].reverse().join('');
const PATH = '/api/v1/instance/key-rotation';
const BACK = 'http://127.0.0.1:9/back';
const quiet = () => undefined;
const uses = (name: string) => ({
  type: 'stdio',
  command: 'node',
  args: [fixture],
  env: { VALUE: `\${secret:${name}}` },
});

/** How many values of the database are under each key. */
async function keysInUse(sql: pg.Client): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { table, column } of SEALED_PLACES) {
    const { rows } = await sql.query<{ key: string; n: number }>(
      `SELECT encode(substring(${column} FROM 2 FOR 4), 'hex') AS key, count(*)::int AS n FROM ${table}
       WHERE ${column} IS NOT NULL GROUP BY 1`,
    );
    for (const { key, n } of rows) found[key] = (found[key] ?? 0) + n;
  }
  return found;
}

/** A free port that the system gives to nobody else by itself, so that it is still free at a restart. */
async function lastingPort(): Promise<string> {
  const range = await readFile('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').catch(() => '32768');
  const below = Number.parseInt(range, 10);
  // Where the range leaves nothing below it, one of it has to do.
  const lowest = Math.min(10_000, below - 1);
  for (let tries = 0; tries < 50 && lowest > 1_024; tries++) {
    const port = lowest + Math.floor(Math.random() * (below - lowest));
    const server = createServer();
    const isFree = await new Promise<boolean>((done) => {
      server.once('error', () => done(false));
      server.listen(port, () => done(true));
    });
    if (!isFree) continue;
    await new Promise((done) => server.close(done));
    return String(port);
  }
  return '0';
}

async function connect(database: TestDatabase): Promise<pg.Client> {
  const sql = new pg.Client(database.adminUrl);
  sql.on('error', quiet);
  await sql.connect();
  return sql;
}

it('the list of places is the list of columns that the database has', async () => {
  const database = await createTestDatabase();
  const sql = await connect(database);
  const { rows } = await sql.query<{ place: string }>(
    `SELECT table_name || '.' || column_name AS place FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name ~ 'sealed$' AND data_type = 'bytea' AND table_name <> 'seal_state'`,
  );
  await sql.end();
  await database.drop();
  const listed = SEALED_PLACES.map(({ table, column }) => `${table}.${column}`);
  expect(listed.sort()).toEqual(rows.map(({ place }) => place).sort());
});

describe('the master key in the data folder', () => {
  let database: TestDatabase;
  let sql: pg.Client;
  let folder: string;
  let dataDir: string;
  let engine: EngineProcess;
  let olga: Visitor;
  const env = { OPENCONDUCTOR_AUTH: 'required' };
  const keyOf = async (file = 'secret.key') => (await readFile(join(dataDir, file), 'utf8')).trim();
  const start = (extra = {}) =>
    EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      dataDir,
      env: { ...env, PORT: port, ...extra },
    });
  /** The same address after a restart: people and programs go on with what they have. */
  let port = '0';
  const must = async (method: string, path: string, body?: unknown) => {
    const answer = await olga.send(method, path, body);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  };
  const rotation = async () => (await must('GET', PATH)).rotation;
  const value = async (server: string) =>
    forwards(
      (await must('POST', `/api/v1/servers/${server}/call`, { tool: 'tell', arguments: TOLD })).content[0]
        .text,
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oc-rotation-'));
    dataDir = join(folder, 'data');
    database = await createTestDatabase();
    sql = await connect(database);
    port = await lastingPort();
    engine = await start();
    port = new URL(engine.url).port;
    olga = await firstOwner(engine);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await sql.end();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('rotates while work goes on, through a kill -9, and nobody has to sign in again', async () => {
    const client = await oauth.dynamicClientRegistration(
      new URL(`${engine.url}/api/auth`),
      {
        client_name: 'A robot',
        application_type: 'native',
        redirect_uris: [BACK],
        token_endpoint_auth_method: 'none',
        scope: 'openid offline_access workflows:read',
      },
      undefined,
      { execute: [oauth.allowInsecureRequests], algorithm: 'oauth2' },
    );
    const grant = async () => {
      const verifier = oauth.randomPKCECodeVerifier();
      const address = oauth.buildAuthorizationUrl(client, {
        redirect_uri: BACK,
        scope: 'openid workflows:read offline_access',
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      const asked = await olga.send('GET', address.pathname + address.search);
      let back = new URL(asked.headers.get('location') ?? asked.body.url, engine.url);
      if (!back.href.startsWith(BACK)) {
        const body = { accept: true, oauth_query: back.search.slice(1) };
        const { body: answer } = await olga.send('POST', '/api/auth/oauth2/consent', body);
        back = new URL(answer.url ?? answer.redirect_uri);
      }
      return oauth.authorizationCodeGrant(client, back, { pkceCodeVerifier: verifier });
    };
    const tokens = await grant();

    await must('PUT', '/api/v1/secrets/A_TOKEN', { value: 'early' });
    await must('PUT', '/api/v1/secrets/Z_TOKEN', { value: 'late' });
    await must('PUT', '/api/v1/me/secrets/MINE', { value: 'hers' });
    await must('POST', '/api/v1/servers', { name: 'early', config: uses('A_TOKEN') });
    await must('POST', '/api/v1/servers', { name: 'late', config: uses('Z_TOKEN') });
    const { body: me } = await olga.send('GET', '/api/v1/me');
    // Many secrets, some as the version before sealed them, and one that nobody can open.
    const old = await keyOf();
    const ring = new Keyring(createSealKey(old));
    const oldId = ring.mainId;
    const pool = new pg.Pool({ connectionString: database.url('oc_app') });
    pool.on('error', quiet);
    const prisma = createPrisma(pool);
    const store = createSecretStore(prisma, ring);
    const names = Array.from({ length: 250 }, (_none, i) => `M_${String(i).padStart(3, '0')}`);
    for (const [i, name] of names.entries()) {
      ring.use({ keyId: oldId, form: i % 2 === 0 ? 1 : 2 });
      await store.set(me.organization.id, name, `value of ${name}`, 'test');
    }
    await sql.query(
      `UPDATE secret SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1) WHERE name = 'M_007'`,
    );
    const backup = join(folder, 'before.gz');
    await backupDatabase({ adminUrl: database.adminUrl, file: backup, version: 'test', log: quiet });
    expect(await rotation()).toBeNull();

    // It comes to a stop in its second batch.
    const blocker = await connect(database);
    await blocker.query('BEGIN');
    await blocker.query(`SELECT 1 FROM secret WHERE name = 'M_150' FOR UPDATE`);
    const begun = await must('POST', PATH);
    expect(begun.rotation).toMatchObject({ from: oldId });
    const newId = begun.rotation.to as string;
    const halfway = await eventually('the first batch is done', async () => {
      const now = await rotation();
      return now.done > 0 && now;
    });
    expect(halfway).toMatchObject({ phase: 'resealing', to: newId, unreadable: 0, endedAt: null });
    expect((await must('POST', PATH)).rotation).toMatchObject({ from: oldId, to: newId, phase: 'resealing' });
    const between = await keysInUse(sql);
    expect(between[oldId]).toBeGreaterThan(100);
    expect(between[newId]).toBeGreaterThan(50);
    // Values under either key are read, new ones are under the new key.
    expect([await value('early'), await value('late')]).toEqual(['early', 'late']);
    await must('PUT', '/api/v1/secrets/N_TOKEN', { value: 'new' });
    await must('POST', '/api/v1/servers', { name: 'new', config: uses('N_TOKEN') });
    expect(await value('new')).toBe('new');
    expect((await readdir(dataDir)).filter((name) => name.startsWith('secret.key')).sort()).toEqual([
      'secret.key',
      'secret.key.next',
    ]);
    expect((await stat(join(dataDir, 'secret.key.next'))).mode & 0o777).toBe(0o600);

    await engine.end('SIGKILL');
    await blocker.query('ROLLBACK');
    await blocker.end();
    engine = await start();
    expect(new URL(engine.url).port).toBe(port);
    const ended = await eventually('the next process has ended it', async () => {
      const now = await rotation();
      return now.phase === 'done' && now;
    });
    expect(ended).toMatchObject({ from: oldId, to: newId, unreadable: 1 });
    expect(ended.done).toBe(252);
    // What could not be opened stays as it was.
    const after = await keysInUse(sql);
    expect(after).toEqual({ [oldId]: 1, [newId]: expect.any(Number) });

    await eventually('the file has taken its place', async () => (await keyOf()) !== old);
    expect(createSealKey(await keyOf()).id).toBe(newId);
    expect((await readdir(dataDir)).filter((name) => name.startsWith('secret.key'))).toEqual(['secret.key']);
    expect((await stat(join(dataDir, 'secret.key'))).mode & 0o777).toBe(0o600);

    // Another restart, with the new file alone.
    await engine.end('SIGTERM');
    engine = await start();
    expect([await value('early'), await value('late'), await value('new')]).toEqual(['early', 'late', 'new']);
    const now = new Keyring(createSealKey(await keyOf()));
    expect(await createSecretStore(prisma, now).read(me.organization.id, 'M_200')).toBe('value of M_200');
    await expect(createSecretStore(prisma, now).read(me.organization.id, 'M_007')).rejects.toThrow(oldId);
    // A process that slept through it cannot leave a value behind under the old key.
    await expect(store.set(me.organization.id, 'LATE', 'v', 'test')).rejects.toThrow('rotated away');
    await prisma.$disconnect();
    await pool.end();

    // Sessions, tokens and the key that tokens are signed with are what they were.
    expect((await olga.send('GET', '/api/v1/me')).body).toMatchObject({ name: 'Olga Owner' });
    const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
    expect((await fetch(`${engine.url}/api/v1/workflows`, as(tokens.access_token))).status).toBe(200);
    const refreshed = await oauth.refreshTokenGrant(client, tokens.refresh_token ?? '');
    expect((await fetch(`${engine.url}/api/v1/workflows`, as(refreshed.access_token))).status).toBe(200);
    const again = await grant();
    const header = (token = '') => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    expect(header(again.id_token).kid).toBeDefined();
    expect(header(again.id_token).kid).toBe(header(tokens.id_token).kid);

    const audit = await must('GET', '/api/v1/audit?limit=200');
    const told = audit.items.filter(({ object }: { object: string }) => object === newId);
    expect(told.map(({ action }: { action: string }) => action).sort()).toEqual([
      'secret.key-rotated',
      'secret.rotate-key',
    ]);

    // A backup of the time before says which key it needs, works with it, and can be brought to the new one.
    await engine.end('SIGTERM');
    await sql.end();
    await restoreDatabase({
      adminUrl: database.adminUrl,
      file: backup,
      replace: true,
      migrationsDir: resolve(import.meta.dirname, '../../prisma/migrations'),
      log: quiet,
    });
    sql = await connect(database);
    engine = await start();
    expect(engine.notes.join('\n')).toContain(`sealed under the key ${oldId}`);
    expect(engine.notes.join('\n')).toContain('OPENCONDUCTOR_SECRET_KEY_PREVIOUS');
    await engine.end('SIGTERM');
    engine = await start({ OPENCONDUCTOR_SECRET_KEY_PREVIOUS: old });
    expect(engine.notes.join('\n')).not.toContain('sealed under');
    expect(await value('late')).toBe('late');
    expect((await must('POST', PATH)).rotation).toMatchObject({ from: oldId, to: newId });
    await eventually('it has ended', async () => (await rotation()).phase === 'done');
    await engine.end('SIGTERM');
    engine = await start();
    expect(await value('late')).toBe('late');
    expect((await olga.send('GET', '/api/v1/me')).status).toBe(200);
  });

  it('is for owners of the first organisation', async () => {
    const adam = await member(olga, 'adam@example.com', 'admin');
    expect((await adam.send('POST', PATH)).body).toMatchObject({ code: 'FORBIDDEN' });
    const { rows } = await sql.query<{ id: string }>(
      `INSERT INTO organization (id, name, slug) VALUES (gen_random_uuid(), 'Other', 'other') RETURNING id`,
    );
    const { body: me } = await adam.send('GET', '/api/v1/me');
    await sql.query(
      `INSERT INTO member (id, organization_id, user_id, role) VALUES (gen_random_uuid(), $1, $2, 'owner')`,
      [rows[0]?.id, me.id],
    );
    await sql.query('UPDATE auth_session SET active_organization_id = $1 WHERE user_id = $2', [
      rows[0]?.id,
      me.id,
    ]);
    for (const method of ['GET', 'POST'])
      expect((await adam.send(method, PATH)).body).toMatchObject({ code: 'OPERATOR_ONLY' });
  });
});

describe('the master key in the environment', () => {
  const keys = [
    'the first key of these processes, long enough',
    'the second key of these processes, as long',
  ] as const;
  const [firstId, secondId] = keys.map((key) => createSealKey(key).id) as [string, string];
  let database: TestDatabase;
  const running: EngineProcess[] = [];
  const start = async (key: string, previous = '') => {
    const engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_SECRET_KEY: key, OPENCONDUCTOR_SECRET_KEY_PREVIOUS: previous },
    });
    running.push(engine);
    return engine;
  };
  const stop = async (engine: EngineProcess) => {
    await engine.end('SIGTERM');
    await engine.removeData();
    running.splice(running.indexOf(engine), 1);
  };
  const value = async (engine: EngineProcess, server: string) =>
    forwards(
      (await engine.request('POST', `/api/v1/servers/${server}/call`, { tool: 'tell', arguments: TOLD })).body
        .content[0].text,
    );
  afterEach(async () => {
    for (const engine of [...running]) await stop(engine);
    await database.drop();
  });

  it('processes change over one by one; nothing is under the new key before all have it', async () => {
    database = await createTestDatabase();
    let [one, other] = [await start(keys[0]), await start(keys[0])];
    const set = (engine: EngineProcess, name: string, text: string) =>
      engine.request('PUT', `/api/v1/secrets/${name}`, { value: text });
    await set(one, 'FIRST', 'first');
    for (const [name, secret] of [
      ['first', 'FIRST'],
      ['second', 'SECOND'],
      ['third', 'THIRD'],
    ] as const)
      expect((await one.request('POST', '/api/v1/servers', { name, config: uses(secret) })).status).toBe(201);
    const refused = await one.request('POST', PATH);
    expect([refused.status, refused.body.code]).toEqual([409, 'KEY_NOT_NEW']);

    // The first one has both keys; what it seals, the other one reads.
    await stop(one);
    one = await start(keys[1], keys[0]);
    await set(one, 'SECOND', 'second');
    await eventually('the other knows the server', async () =>
      (await other.request('GET', '/api/v1/servers')).body.items.some(
        ({ name }: { name: string }) => name === 'second',
      ),
    );
    expect([await value(other, 'first'), await value(other, 'second')]).toEqual(['first', 'second']);
    const begun = await one.request('POST', PATH);
    expect(begun.body).toMatchObject({ activeKey: firstId, rotation: { phase: 'preparing', to: secondId } });
    expect(begun.body.processes).toContainEqual(
      expect.objectContaining({ pid: other.child.pid, ready: false }),
    );
    const waits = await runCliProcess(['secret', 'rotate-key', '--status'], { url: one.url });
    expect(waits.out).toContain('Waiting for processes without the new key');
    expect(waits.out).toContain(String(other.child.pid));
    await set(one, 'THIRD', 'third');
    expect(await value(other, 'third')).toBe('third');

    await stop(other);
    other = await start(keys[1], keys[0]);
    await eventually(
      'it has ended',
      async () => (await one.request('GET', PATH)).body.rotation.phase === 'done',
    );
    const ended = await runCliProcess(['secret', 'rotate-key', '--status'], { url: other.url });
    expect(ended.out).toContain(`Everything is sealed under the key ${secondId}`);
    expect(ended.out).toContain('OPENCONDUCTOR_SECRET_KEY_PREVIOUS can go');
    const sql = await connect(database);
    expect(await keysInUse(sql)).toEqual({ [secondId]: 3 });
    await sql.end();

    // The old key can go.
    await stop(one);
    await stop(other);
    one = await start(keys[1]);
    expect(await Promise.all(['first', 'second', 'third'].map((name) => value(one, name)))).toEqual([
      'first',
      'second',
      'third',
    ]);
    const idle = await runCliProcess(['secret', 'rotate-key', '--status', '--json'], { url: one.url });
    expect(idle.json()).toMatchObject({
      activeKey: secondId,
      source: 'environment',
      rotation: { phase: 'done' },
    });
  });

  it('a process with another key altogether says so and goes on with its own', async () => {
    database = await createTestDatabase();
    const one = await start(keys[0]);
    await stop(one);
    const stranger = await start('a key that nobody has ever seen before, at all');
    expect(stranger.notes.join('\n')).toContain(firstId);
    const refused = await stranger.request('POST', PATH);
    expect([refused.status, refused.body.code]).toEqual([500, 'SECRET_UNREADABLE']);
    await stranger.request('PUT', '/api/v1/secrets/OWN', { value: 'own' });
    await stranger.request('POST', '/api/v1/servers', { name: 'own', config: uses('OWN') });
    expect(await value(stranger, 'own')).toBe('own');
  });
});

it('the command follows a rotation to its end, again and again', async () => {
  const database = await createTestDatabase();
  const engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
  const oc = (...args: string[]) => runCliProcess(['secret', ...args], { url: engine.url });
  const status = async () => (await oc('rotate-key', '--status', '--json')).json() as { activeKey: string };
  try {
    await engine.request('PUT', '/api/v1/secrets/ONE', { value: 'one' });
    const seen = [(await status()).activeKey];
    for (let turn = 0; turn < 2; turn++) {
      const ended = await oc('rotate-key', '--yes');
      expect(ended.code, ended.err).toBe(0);
      const { activeKey } = await status();
      expect(seen).not.toContain(activeKey);
      expect(ended.out).toContain(`Everything is sealed under the key ${activeKey}`);
      expect(ended.out).toContain(`Backups made before need the key ${seen.at(-1)}.`);
      seen.push(activeKey);
    }
  } finally {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  }
});
