import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { EngineProcess } from '../../support/engine-process';
import { apiKey, firstOwner, member, PASSWORD, Visitor } from '../../support/people';

/** Passwords, links, invitations and keys tried one after another; and programs that register to be called. */
describe('guessing and registering', () => {
  let database: TestDatabase;
  const engines: EngineProcess[] = [];
  /** A process whose counters nobody has touched. All share one database. */
  const fresh = async () => {
    const engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: {
        OPENCONDUCTOR_AUTH: 'required',
        OPENCONDUCTOR_SECRET_KEY: 'the same secret key in every process',
      },
    });
    engines.push(engine);
    return engine;
  };
  /** Asks again and again; gives the statuses. */
  const often = async (count: number, ask: (i: number) => Promise<{ status: number }>) => {
    const statuses: number[] = [];
    for (let i = 0; i < count; i++) statuses.push((await ask(i)).status);
    return statuses;
  };
  let olga: Visitor;

  beforeAll(async () => {
    database = await createTestDatabase();
    olga = await firstOwner(await fresh());
    await member(olga, 'bert@example.com', 'viewer');
  });
  afterAll(async () => {
    for (const engine of engines) {
      await engine.end('SIGTERM');
      await engine.removeData();
    }
    await database.drop();
  });

  it('brute force: an account closes after five failures, however its name is written and wherever they say they are', async () => {
    const { url } = await fresh();
    const spellings = [
      'bert@example.com',
      'BERT@example.com',
      ' bert@example.com ',
      'Bert@Example.com',
      'bert@example.com',
    ];
    for (const [i, email] of spellings.entries()) {
      const headers = {
        'x-forwarded-for': `198.51.100.${i}`,
        'x-openconductor-client': `198.51.100.${i}`,
        'x-real-ip': `198.51.100.${i}`,
      };
      const { status } = await new Visitor(url).send(
        'POST',
        '/api/auth/sign-in/email',
        { email, password: 'wrong, but long enough' },
        headers,
      );
      expect([400, 401], email).toContain(status);
    }
    const closed = await new Visitor(url).signIn('bert@example.com');
    expect(closed.status).toBe(429);
    expect(Number(closed.headers.get('retry-after'))).toBeGreaterThan(60);
    // Only that account.
    expect((await new Visitor(url).signIn('olga@example.com')).status).toBe(200);
  });

  it('brute force: one address gets thirty attempts a minute, over all accounts', async () => {
    const { url } = await fresh();
    const statuses = await often(32, (i) => new Visitor(url).signIn(`nobody${i}@example.com`));
    expect(statuses.filter((status) => status === 401)).toHaveLength(30);
    expect(statuses.slice(30)).toEqual([429, 429]);
  });

  it('brute force: whether an account exists is not told by the answer', async () => {
    const { url } = await fresh();
    const known = await new Visitor(url).signIn('olga@example.com', 'wrong, but long enough');
    const unknown = await new Visitor(url).signIn('who@example.com', 'wrong, but long enough');
    expect(unknown.status).toBe(known.status);
    expect(unknown.body).toEqual(known.body);
  });

  it('brute force: invitations cannot be found by trying', async () => {
    const { url } = await fresh();
    const look = await often(32, () => new Visitor(url).send('GET', `/api/auth/invitations/${randomUUID()}`));
    expect(look.slice(0, 30).every((status) => status === 404)).toBe(true);
    expect(look.slice(30)).toEqual([429, 429]);
    const body = { name: 'Eve', password: PASSWORD };
    expect((await new Visitor(url).send('POST', `/api/auth/invitations/${randomUUID()}`, body)).status).toBe(
      429,
    );
  });

  it('brute force: the one-time link of the first owner cannot be found by trying', async () => {
    const { url } = await fresh();
    const statuses = await often(32, () =>
      new Visitor(url).send('POST', '/api/auth/first-owner', {
        token: randomBytes(24).toString('base64url'),
        name: 'Eve',
        email: 'eve@example.com',
        password: PASSWORD,
      }),
    );
    expect(statuses.slice(0, 30).every((status) => status === 401)).toBe(true);
    expect(statuses.slice(30)).toEqual([429, 429]);
  });

  it('brute force: API keys cannot be found by trying, and those who have one are not kept out', async () => {
    const { url } = await fresh();
    const good = { authorization: `Bearer ${await apiKey(olga)}` };
    const ask = (headers: Record<string, string>) =>
      new Visitor(url).send('GET', '/api/v1/me', undefined, headers);
    expect((await ask(good)).status).toBe(200);
    const guess = () => ({ authorization: `Bearer oc_${randomBytes(30).toString('base64url')}` });
    const statuses = await often(62, () => ask(guess()));
    expect(statuses.filter((status) => status === 401)).toHaveLength(60);
    expect(statuses.slice(60)).toEqual([429, 429]);
    expect((await ask(guess())).headers.get('retry-after')).toMatch(/^\d+$/);
    expect((await ask(good)).status).toBe(200);
    // A key that was not seen before waits like a guess: it might be one.
    const late = { authorization: `Bearer ${await apiKey(olga, { name: 'late' })}` };
    expect((await ask(late)).status).toBe(429);
    const session = new Visitor(url);
    expect((await session.signIn('olga@example.com')).status).toBe(200);
  });

  it('SSRF: a program that registers cannot have itself called', async () => {
    const { url } = await fresh();
    const base = {
      client_name: 'x',
      redirect_uris: ['https://app.example/back'],
      token_endpoint_auth_method: 'none',
    };
    const register = (more: object) =>
      new Visitor(url).send('POST', '/api/auth/oauth2/register', { ...base, ...more });
    for (const field of ['backchannel_logout_uri', 'jwks_uri']) {
      for (const address of [
        'https://169.254.169.254/x',
        'https://rebound.example/x',
        'http://localhost:1/x',
      ]) {
        const { status, body } = await register({ [field]: address });
        expect(status, field).toBe(400);
        expect(body).toMatchObject({ code: 'INVALID_INPUT', path: `/${field}` });
      }
    }
    expect((await register({})).status).toBeLessThan(300);
    const metadata = await new Visitor(url).send('GET', '/api/auth/.well-known/oauth-authorization-server');
    expect(metadata.body).toMatchObject({ backchannel_logout_supported: false });
    expect(metadata.body.client_id_metadata_document_supported ?? false).toBe(false);
    // The address of a document as a client's name is not fetched either: such a client is unknown.
    const query = new URLSearchParams({
      client_id: 'https://169.254.169.254/client.json',
      response_type: 'code',
    });
    const asked = await olga.send('GET', `/api/auth/oauth2/authorize?${query}`);
    expect(`${asked.headers.get('location')} ${JSON.stringify(asked.body)}`).toMatch(/invalid_client|client/);
    const sso = await new Visitor(url).send('POST', '/api/auth/sso/register', {
      providerId: 'x',
      issuer: 'http://169.254.169.254',
      domain: 'x.example',
    });
    expect(sso.status).toBe(404);
  });

  it('SSRF: a client may only be sent back to a web page of its own, never to a script', async () => {
    const { url } = await fresh();
    for (const address of ['javascript:alert(1)', 'data:text/html,x', 'http://evil.example/back']) {
      const { status } = await new Visitor(url).send('POST', '/api/auth/oauth2/register', {
        client_name: 'x',
        redirect_uris: [address],
        token_endpoint_auth_method: 'none',
      });
      expect(status, address).toBe(400);
    }
  });
});
