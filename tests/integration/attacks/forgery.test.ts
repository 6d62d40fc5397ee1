import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { EngineProcess } from '../../support/engine-process';
import { firstOwner, member, PASSWORD, Visitor } from '../../support/people';

/** Where a page of somebody else could come from; other ports of this machine are the same site to a browser. */
const FOREIGN = [
  'https://evil.example',
  'http://localhost:1',
  'http://127.0.0.1:1',
  'http://[::1]:1',
  'null',
  'http://localhost.evil.example',
  'file://',
  '',
];

/** What a form of a page can send without asking first. */
const FORM_TYPES = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];

/** Requests that a browser makes for its user without the user's will; and sessions that somebody else chose. */
describe('forged requests and planted sessions', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let olga: Visitor;
  let admin: pg.Client;

  const cookieOf = (visitor: Visitor) =>
    [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  /** A request with the owner's cookie and exactly these headers. */
  const forge = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    fetch(engine.url + path, {
      method,
      redirect: 'manual',
      headers: { cookie: cookieOf(olga), ...headers },
      ...(body === undefined ? {} : { body }),
    });
  /** Everything that a write would leave. */
  const state = async () => {
    const { rows } = await admin.query(
      `SELECT (SELECT count(*) FROM audit_entry) AS audit, (SELECT count(*) FROM organization) AS organizations,
              (SELECT string_agg(name, ',' ORDER BY name) FROM organization) AS names,
              (SELECT count(*) FROM member) AS members, (SELECT count(*) FROM auth_session) AS sessions,
              (SELECT count(*) FROM api_key) AS keys, (SELECT count(*) FROM secret) AS secrets,
              (SELECT string_agg(password, ',' ORDER BY id) FROM auth_account) AS passwords`,
    );
    return rows[0];
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_AUTH: 'required', OPENCONDUCTOR_RATE_LIMIT: '0' },
    });
    olga = await firstOwner(engine);
    admin = new pg.Client(database.adminUrl);
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  it('CSRF: every write of the API by cookie from another page, or without saying from where, is refused', async () => {
    const document = await olga.send('GET', '/api/v1/openapi.json');
    type Paths = Record<string, Record<string, { operationId?: string; security?: unknown[] }>>;
    const before = await state();
    let asked = 0;
    for (const [template, methods] of Object.entries(document.body.paths as Paths)) {
      for (const [method, of] of Object.entries(methods)) {
        if (method === 'get' || of.operationId === undefined || of.operationId === 'receiveWebhook') continue;
        const path = template.replace(/\{\w+\}/g, () => randomUUID());
        for (const origin of [...FOREIGN, undefined]) {
          const headers = { 'content-type': 'application/json', ...(origin === undefined ? {} : { origin }) };
          const { status } = await forge(method.toUpperCase(), path, headers, '{}');
          expect(status, `${method} ${path} from ${origin}`).toBe(403);
          asked += 1;
        }
      }
    }
    expect(asked).toBeGreaterThan(300);
    expect(await state()).toEqual(before);
  });

  const AUTH_WRITES: [string, object][] = [
    ['/sign-out', {}],
    [
      '/change-password',
      { currentPassword: PASSWORD, newPassword: 'owned by evil example', revokeOtherSessions: true },
    ],
    ['/revoke-other-sessions', {}],
    ['/organization/create', { name: 'Evil', slug: 'evil' }],
    ['/organization/set-active', { organizationId: randomUUID() }],
    ['/oauth2/consent', { accept: true, oauth_query: 'client_id=x' }],
    ['/oauth2/continue', { selected: true }],
  ];

  it('CSRF: every write around sign-in by cookie from another page is refused too', async () => {
    const before = await state();
    for (const [path, body] of AUTH_WRITES) {
      for (const origin of [...FOREIGN, undefined]) {
        for (const type of ['application/json', ...FORM_TYPES]) {
          const text = type.includes('urlencoded')
            ? new URLSearchParams(Object.entries(body)).toString()
            : JSON.stringify(body);
          const headers = { 'content-type': type, ...(origin === undefined ? {} : { origin }) };
          const { status } = await forge('POST', `/api/auth${path}`, headers, text);
          expect(status, `${path} as ${type} from ${origin}`).toBe(403);
        }
      }
    }
    expect(await state()).toEqual(before);
    expect((await olga.send('GET', '/api/v1/me')).status).toBe(200);
  });

  it('CSRF: nobody is made to join an organisation by another page', async () => {
    const invited = await olga.send('POST', '/api/v1/invitations', {
      email: 'olga@example.com',
      role: 'viewer',
    });
    const path = `/api/auth/invitations/${invited.body.id}`;
    for (const origin of [...FOREIGN, undefined]) {
      const headers = { 'content-type': 'text/plain', ...(origin === undefined ? {} : { origin }) };
      expect((await forge('POST', path, headers, '{}')).status, String(origin)).toBe(403);
    }
  });

  it('CSRF: a form of a foreign page cannot pass as JSON, nor can one with our own Origin', async () => {
    const before = await state();
    for (const type of FORM_TYPES) {
      const foreign = await forge(
        'PUT',
        '/api/v1/secrets/X',
        { 'content-type': type, origin: 'https://evil.example' },
        '{"value":"v"}',
      );
      expect(foreign.status, type).toBe(403);
      const own = await forge(
        'PUT',
        '/api/v1/secrets/X',
        { 'content-type': type, origin: engine.url },
        '{"value":"v"}',
      );
      expect(own.status, type).toBe(415);
    }
    expect(await state()).toEqual(before);
  });

  it('CSRF: a method cannot be smuggled into another', async () => {
    await olga.send('PUT', '/api/v1/secrets/KEPT', { value: 'v' });
    const path = '/api/v1/secrets/KEPT';
    const before = await state();
    for (const name of ['x-http-method-override', 'x-http-method', 'x-method-override'])
      await forge('GET', path, { [name]: 'DELETE' });
    for (const method of ['POST', 'GET'])
      await forge(
        method,
        `${path}?_method=DELETE`,
        { origin: engine.url, 'content-type': 'application/x-www-form-urlencoded' },
        method === 'POST' ? '_method=DELETE' : undefined,
      );
    expect(await state()).toEqual(before);
  });

  it('CSRF: no GET and no HEAD changes anything', async () => {
    const document = await olga.send('GET', '/api/v1/openapi.json');
    const before = await state();
    for (const template of Object.keys(document.body.paths as object)) {
      if (!('get' in document.body.paths[template]) || template.includes('{')) continue;
      for (const method of ['GET', 'HEAD']) {
        const response = await forge(method, template, {});
        await response.body?.cancel();
        expect(response.status, template).toBeLessThan(500);
      }
    }
    expect(await state()).toEqual(before);
  });

  it('session fixation: a cookie that somebody planted, even a valid one of theirs, is not taken over', async () => {
    const mallory = await member(olga, 'mallory@example.com', 'viewer');
    const planted = mallory.cookies.get('openconductor.session_token') ?? '';
    expect(planted).not.toBe('');
    const victim = new Visitor(engine.url);
    victim.cookies.set('openconductor.session_token', planted);
    expect((await victim.signIn('olga@example.com')).status).toBe(200);
    const own = victim.cookies.get('openconductor.session_token');
    expect(own).not.toBe(planted);
    expect((await victim.send('GET', '/api/v1/me')).body.name).toBe('Olga Owner');
    // What was planted is still nobody but Mallory.
    expect((await mallory.send('GET', '/api/v1/me')).body).toMatchObject({ role: 'viewer', name: 'mallory' });
    const { rows } = await admin.query(
      `SELECT count(DISTINCT user_id) AS users, count(*) AS n FROM auth_session WHERE token = $1`,
      [decodeURIComponent(planted).split('.')[0]],
    );
    expect(Number(rows[0].n)).toBe(1);
  });

  it('session fixation: every sign-in gives another session, and signing out ends the one it was', async () => {
    const visitor = new Visitor(engine.url);
    await visitor.signIn('mallory@example.com');
    const first = visitor.cookies.get('openconductor.session_token') ?? '';
    await visitor.signIn('mallory@example.com');
    const second = visitor.cookies.get('openconductor.session_token') ?? '';
    expect(second).not.toBe(first);
    expect((await visitor.send('POST', '/api/auth/sign-out', {})).status).toBe(200);
    visitor.cookies.set('openconductor.session_token', second);
    expect((await visitor.send('GET', '/api/v1/me')).status).toBe(401);
  });

  it('session fixation: a session id in the address or in a header is no session', async () => {
    const token = decodeURIComponent(olga.cookies.get('openconductor.session_token') ?? '');
    const raw = token.split('.')[0] ?? '';
    for (const value of [token, raw, `${raw}.`, `${raw}.AAAA`]) {
      const stranger = new Visitor(engine.url);
      const path = `/api/v1/me?session_token=${encodeURIComponent(value)}`;
      expect((await stranger.send('GET', path, undefined, { 'x-session-token': value })).status).toBe(401);
      expect(
        (await stranger.send('GET', '/api/v1/me', undefined, { authorization: `Bearer ${value}` })).status,
      ).toBe(401);
      if (value === token) continue;
      stranger.cookies.set('openconductor.session_token', encodeURIComponent(value));
      expect((await stranger.send('GET', '/api/v1/me')).status, 'unsigned').toBe(401);
    }
  });

  it('CSRF: without sign-in, a page of another port of the machine starts nothing either', async () => {
    const other = await createTestDatabase();
    const local = await EngineProcess.start({ databaseUrl: other.adminUrl, servers: {} });
    try {
      for (const origin of FOREIGN) {
        const answer = await local.request('PUT', '/api/v1/secrets/X', { value: 'v' }, { origin });
        expect(answer.body, origin).toMatchObject({ code: 'FORBIDDEN_ORIGIN' });
      }
      const own = await local.request('PUT', '/api/v1/secrets/X', { value: 'v' }, { origin: local.url });
      expect(own.status).toBeLessThan(300);
      expect((await local.request('PUT', '/api/v1/secrets/Y', { value: 'v' })).status).toBeLessThan(300);
    } finally {
      await local.end('SIGTERM');
      await local.removeData();
      await other.drop();
    }
  });
});
