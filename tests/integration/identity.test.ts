import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { apiKey, firstOwner, member, PASSWORD, Visitor } from '../support/people';

describe('sign-in, organisations, members and keys', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let olga: Visitor;

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_AUTH: 'required' },
    });
    olga = await firstOwner(engine);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  it('lets nobody in without a session or a key', async () => {
    const stranger = new Visitor(engine.url);
    expect((await stranger.send('GET', '/api/v1/runs')).body).toMatchObject({ code: 'UNAUTHENTICATED' });
    const { status } = await stranger.send('GET', '/api/v1/me', undefined, {
      authorization: 'Bearer oc_not-a-key-at-all',
    });
    expect(status).toBe(401);
    expect((await stranger.send('GET', '/health')).status).toBe(200);
  });

  it('takes the link for the first owner once', async () => {
    const token = /\/setup#(\S+)/.exec(engine.notes.join('\n'))?.[1];
    const body = { token, name: 'Eve', email: 'eve@example.com', password: PASSWORD };
    const again = await new Visitor(engine.url).send('POST', '/api/auth/first-owner', body);
    expect(again.body).toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('knows the owner: role, permissions, organisation', async () => {
    const { body } = await olga.send('GET', '/api/v1/me');
    expect(body).toMatchObject({ name: 'Olga Owner', role: 'owner', auth: 'required' });
    expect(body.permissions).toContain('organization:manage');
    expect(body.organizations).toHaveLength(1);
  });

  it('lets nobody sign up without an invitation', async () => {
    const body = { name: 'Eve', email: 'eve@example.com', password: PASSWORD };
    const { status } = await new Visitor(engine.url).send('POST', '/api/auth/sign-up/email', body);
    expect(status).toBe(404);
  });

  it('a member does what the role allows, and no more', async () => {
    const vera = await member(olga, 'vera@example.com', 'viewer');
    expect((await vera.send('GET', '/api/v1/runs')).status).toBe(200);
    expect((await vera.send('POST', '/api/v1/runs', { workflow: 'x' })).body).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect((await vera.send('GET', '/api/v1/invitations')).status).toBe(403);
    const { body } = await vera.send('GET', '/api/v1/me');
    const promoted = await olga.send('PATCH', `/api/v1/members/${body.id}`, { role: 'operator' });
    expect(promoted.body).toMatchObject({ role: 'operator' });
    expect((await vera.send('POST', '/api/v1/runs', { workflow: 'x' })).body).toMatchObject({
      code: 'WORKFLOW_NOT_FOUND',
    });
    expect((await olga.send('DELETE', `/api/v1/members/${body.id}`)).status).toBe(204);
    expect((await vera.send('GET', '/api/v1/runs')).status).toBe(401);
  });

  it('an admin makes nobody an owner, and the last owner stays', async () => {
    const adam = await member(olga, 'adam@example.com', 'admin');
    const invite = { email: 'x@example.com', role: 'owner' };
    expect((await adam.send('POST', '/api/v1/invitations', invite)).status).toBe(403);
    const { body } = await olga.send('GET', '/api/v1/me');
    expect((await adam.send('PATCH', `/api/v1/members/${body.id}`, { role: 'viewer' })).status).toBe(403);
    expect((await olga.send('PATCH', `/api/v1/members/${body.id}`, { role: 'viewer' })).body).toMatchObject({
      code: 'LAST_OWNER',
    });
  });

  it('a role of one’s own allows exactly what it lists', async () => {
    const role = { permissions: ['secrets:write'], description: 'Keeps the secrets.' };
    const made = await olga.send('PUT', '/api/v1/roles/keeper', role);
    expect(made.body.permissions).toEqual(['secrets:read', 'secrets:write', 'about:read']);
    const kim = await member(olga, 'kim@example.com', 'keeper');
    expect((await kim.send('PUT', '/api/v1/secrets/A', { value: 'v' })).status).toBeLessThan(300);
    expect((await kim.send('GET', '/api/v1/runs')).status).toBe(403);
    expect((await olga.send('DELETE', '/api/v1/roles/keeper')).body).toMatchObject({ code: 'ROLE_IN_USE' });
  });

  it('keys are scoped, counted, and end at once', async () => {
    const key = await apiKey(olga, { scopes: ['workflows:read'], days: 1 });
    const headers = { authorization: `Bearer ${key}` };
    const program = new Visitor(engine.url);
    expect((await program.send('GET', '/api/v1/workflows', undefined, headers)).status).toBe(200);
    expect((await program.send('GET', '/api/v1/secrets', undefined, headers)).status).toBe(403);
    const escalate = await program.send('POST', '/api/v1/api-keys', { name: 'more' }, headers);
    expect(escalate.status).toBe(403);
    const mine = async () =>
      (await olga.send('GET', '/api/v1/api-keys')).body.items.find((one: { start: string }) =>
        key.startsWith(one.start),
      );
    await eventually('the use is counted', async () => (await mine()).uses >= 2);
    const { id, expiresAt, lastUsedAt } = await mine();
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(86_400_000);
    expect(lastUsedAt).not.toBeNull();
    expect((await olga.send('DELETE', `/api/v1/api-keys/${id}`)).status).toBe(204);
    expect((await program.send('GET', '/api/v1/workflows', undefined, headers)).status).toBe(401);
  });

  it('an organisation is made, worked in, and switched; nothing of one is seen in the other', async () => {
    const key = await apiKey(olga);
    const made = await olga.send('POST', '/api/auth/organization/create', { name: 'Second', slug: 'second' });
    expect(made.status, JSON.stringify(made.body)).toBe(200);
    const there = await olga.send('POST', '/api/auth/organization/set-active', {
      organizationId: made.body.id,
    });
    expect(there.status).toBe(200);
    const me = await olga.send('GET', '/api/v1/me');
    expect(me.body.organization).toMatchObject({ name: 'Second' });
    expect(me.body.organizations).toHaveLength(2);
    expect((await olga.send('GET', '/api/v1/secrets')).body.items).toEqual([]);
    // The key stays where it was made.
    const { body } = await new Visitor(engine.url).send('GET', '/api/v1/me', undefined, {
      authorization: `Bearer ${key}`,
    });
    expect(body.organization.name).toBe('Local');
    const { items } = (await olga.send('GET', '/api/v1/audit?action=organization.')).body;
    expect(items).toMatchObject([{ action: 'organization.create', object: made.body.id, actorKind: 'user' }]);
    const back = { organizationId: body.organization.id };
    await olga.send('POST', '/api/auth/organization/set-active', back);
  });

  it('a session is prolonged by use, and what is taken from its user is gone with the next request', async () => {
    const sara = await member(olga, 'sara@example.com', 'viewer');
    const { id: userId } = (await sara.send('GET', '/api/v1/me')).body;
    const admin = new pg.Client(database.adminUrl);
    await admin.connect();
    try {
      const daysLeft = async () => {
        const { rows } = await admin.query<{ days: number }>(
          `SELECT extract(epoch FROM expires_at - now())::float8 / 86400 AS days FROM auth_session WHERE user_id = $1`,
          [userId],
        );
        return rows[0]?.days ?? 0;
      };
      await admin.query(`UPDATE auth_session SET expires_at = now() + interval '2 days' WHERE user_id = $1`, [
        userId,
      ]);
      expect((await sara.send('GET', '/api/v1/runs')).status).toBe(200);
      expect(await daysLeft()).toBeGreaterThan(6.9);
      await olga.send('PATCH', `/api/v1/members/${userId}`, { role: 'operator' });
      expect((await sara.send('GET', '/api/v1/me')).body).toMatchObject({ role: 'operator' });
      // With the signature of another session the token is worth nothing.
      const cookie = decodeURIComponent(sara.cookies.get('openconductor.session_token') ?? '');
      const other = decodeURIComponent(olga.cookies.get('openconductor.session_token') ?? '');
      const forged = `${cookie.slice(0, cookie.lastIndexOf('.'))}${other.slice(other.lastIndexOf('.'))}`;
      const { status } = await new Visitor(engine.url).send('GET', '/api/v1/me', undefined, {
        cookie: `openconductor.session_token=${encodeURIComponent(forged)}`,
      });
      expect(status).toBe(401);
      await admin.query(
        `UPDATE auth_session SET expires_at = now() - interval '1 second' WHERE user_id = $1`,
        [userId],
      );
      expect((await sara.send('GET', '/api/v1/me')).status).toBe(401);
    } finally {
      await admin.end();
    }
  });

  it('CSRF: a write by cookie comes from a page of this instance', async () => {
    const body = { name: 'x' };
    for (const origin of ['https://evil.example', 'http://localhost:1', 'null']) {
      const { status } = await olga.send('PATCH', '/api/v1/organization', body, { origin });
      expect(status, origin).toBe(403);
    }
    const cookie = [...olga.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const bare = await fetch(`${engine.url}/api/v1/organization`, {
      method: 'PATCH',
      headers: { cookie, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(bare.status).toBe(403);
  });

  it('session fixation: signing in gives a session that was not there before', async () => {
    const visitor = new Visitor(engine.url);
    visitor.cookies.set('openconductor.session_token', 'planted.by-somebody-else');
    const { status, headers } = await visitor.signIn('olga@example.com');
    expect(status).toBe(200);
    const cookie = headers.getSetCookie().find((one) => one.startsWith('openconductor.session_token='));
    expect(cookie).toMatch(/HttpOnly/i);
    expect(cookie).toMatch(/SameSite=Lax/i);
    expect(visitor.cookies.get('openconductor.session_token')).not.toContain('planted');
    const { items } = (await olga.send('GET', '/api/v1/audit?action=session.sign-in')).body;
    expect(items[0]).toMatchObject({ source: expect.stringMatching(/127\.0\.0\.1/) });
    const first = visitor.cookies.get('openconductor.session_token');
    await visitor.signIn('olga@example.com');
    expect(visitor.cookies.get('openconductor.session_token')).not.toBe(first);
  });

  it('brute force: an account is closed for a while after five failures', async () => {
    await member(olga, 'bert@example.com', 'viewer');
    const guesser = new Visitor(engine.url);
    for (let i = 0; i < 5; i++) {
      expect((await guesser.signIn('bert@example.com', `guess number ${i}`)).status).toBe(401);
    }
    const closed = await guesser.signIn('bert@example.com');
    expect(closed.status).toBe(429);
    expect(Number(closed.headers.get('retry-after'))).toBeGreaterThan(60);
  });

  it('oversized body: a sign-in of a megabyte is refused', async () => {
    const { status } = await new Visitor(engine.url).signIn('olga@example.com', 'x'.repeat(1_000_000));
    expect(status).toBe(413);
  });

  it('says how much of the allowance is left, and sends the headers of a careful site', async () => {
    const { headers } = await olga.send('GET', '/api/v1/me');
    expect(headers.get('ratelimit-limit')).toBe('1000');
    expect(Number(headers.get('ratelimit-remaining'))).toBeLessThan(1000);
    expect(headers.get('content-security-policy')).toMatch(/script-src 'self' 'nonce-/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('secret leakage: no password, key, secret or session is in the log, the audit log or an answer', async () => {
    const key = await apiKey(olga, { name: 'canary' });
    await olga.send('PUT', '/api/v1/secrets/CANARY', { value: 'canary-value-5e1f' });
    await olga.signIn('olga@example.com', 'a wrong canary-password-77');
    await olga.send('GET', `/api/v1/runs?cursor=${encodeURIComponent('canary-value-5e1f')}`);
    const session =
      decodeURIComponent(olga.cookies.get('openconductor.session_token') ?? '').split('.')[0] ?? '';
    expect(session.length).toBeGreaterThan(10);
    const answers = await Promise.all(
      ['secrets', 'api-keys', 'audit?limit=200', 'members', 'me', 'settings'].map(async (path) =>
        JSON.stringify((await olga.send('GET', `/api/v1/${path}`)).body),
      ),
    );
    const everything = [...engine.log, ...answers].join('\n');
    for (const hidden of [PASSWORD, key, 'canary-value-5e1f', 'canary-password-77', session])
      expect(everything.includes(hidden), hidden).toBe(false);
  });

  it('log injection and header injection: what a caller names stays one line, and sets no header', async () => {
    const before = engine.log.length;
    const { status, headers } = await olga.send(
      'GET',
      '/api/v1/workflows/a%0d%0aset-cookie:%20x=1%0a{"level":"FATAL"}',
    );
    expect(status).toBe(404);
    expect(headers.getSetCookie()).toEqual([]);
    for (const line of engine.log.slice(before)) expect(() => JSON.parse(line)).not.toThrow();
  });
});
