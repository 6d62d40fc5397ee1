import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { type OidcProvider, startProvider } from '../support/oidc';
import { firstOwner, Visitor } from '../support/people';
import { connect, type Directory } from '../support/scim';

describe('single sign-on by OpenID Connect', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let provider: OidcProvider;
  let directory: Directory;

  beforeAll(async () => {
    database = await createTestDatabase();
    provider = await startProvider();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: {
        OPENCONDUCTOR_AUTH: 'required',
        OPENCONDUCTOR_OIDC_ISSUER: provider.issuer,
        OPENCONDUCTOR_OIDC_CLIENT_ID: 'openconductor',
        OPENCONDUCTOR_OIDC_CLIENT_SECRET: 'a-secret-of-the-test',
        OPENCONDUCTOR_OIDC_DOMAIN: 'acme.example',
      },
    });
    provider.serve(`${engine.url}/api/auth/sso/callback/oidc`);
    directory = await connect(await firstOwner(engine));
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    provider.server.close();
    await database.drop();
  });

  /** Goes through the provider's own pages as a browser would; gives the address that it sends the browser back to. */
  const through = async (start: string, login: string): Promise<string> => {
    const there = new Visitor(provider.issuer);
    const form = (address: string, fields: Record<string, string>) =>
      fetch(address, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          cookie: [...there.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        },
        body: new URLSearchParams(fields),
      });
    let address = start;
    for (let hops = 0; hops < 12; hops++) {
      if (address.startsWith(engine.url)) return address;
      const { pathname, search } = new URL(address);
      const page = await there.send('GET', pathname + search);
      const location = page.headers.get('location');
      if (location) {
        address = new URL(location, provider.issuer).href;
        continue;
      }
      const prompt = /name="prompt" value="(\w+)"/.exec(page.body)?.[1] ?? '';
      const fields = prompt === 'login' ? { prompt, login, password: 'any' } : { prompt };
      const target = /action="([^"]+)"/.exec(page.body)?.[1] ?? address;
      const sent = await form(new URL(target, provider.issuer).href, fields);
      for (const cookie of sent.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        there.cookies.set(name, value);
      }
      address = new URL(sent.headers.get('location') ?? '', provider.issuer).href;
    }
    throw new Error(`No way back from ${address}`);
  };

  it('somebody of the provider signs in, and is a viewer from then on', async () => {
    const sam = new Visitor(engine.url);
    expect((await sam.send('GET', '/api/auth/ways')).body).toEqual({ sso: true });
    const begun = await sam.send('POST', '/api/auth/sign-in/sso', { providerId: 'oidc', callbackURL: '/' });
    expect(begun.status, JSON.stringify(begun.body)).toBe(200);
    const address = new URL(begun.body.url);
    expect(address.searchParams.get('code_challenge_method')).toBe('S256');
    const back = new URL(await through(address.href, 'sam'));
    const done = await sam.send('GET', back.pathname + back.search);
    expect(done.headers.get('location'), JSON.stringify(done.body)).toMatch(/\/$/);
    const { body } = await sam.send('GET', '/api/v1/me');
    expect(body).toMatchObject({ name: 'sam of Acme', role: 'viewer' });
    expect((await sam.send('POST', '/api/v1/runs', { workflow: 'x' })).status).toBe(403);
  });

  it('whom the directory brought in signs in as that user; whom it took out comes to nothing', async () => {
    const signIn = async (login: string) => {
      const visitor = new Visitor(engine.url);
      const begun = await visitor.send('POST', '/api/auth/sign-in/sso', {
        providerId: 'oidc',
        callbackURL: '/',
      });
      const back = new URL(await through(begun.body.url, login));
      const done = await visitor.send('GET', back.pathname + back.search);
      return { visitor, to: done.headers.get('location') };
    };
    const made = await directory.create('dora@acme.example', { displayName: 'Dora Directory' });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const { visitor: dora, to } = await signIn('dora');
    expect(to).toMatch(/\/$/);
    expect((await dora.send('GET', '/api/v1/me')).body).toMatchObject({
      name: 'Dora Directory',
      role: 'viewer',
    });

    const off = { op: 'replace', value: { active: false } };
    expect((await directory.patch(`/Users/${made.body.id}`, off)).status).toBe(200);
    expect((await dora.send('GET', '/api/v1/me')).status).toBe(401);
    const again = await signIn('dora');
    expect((await again.visitor.send('GET', '/api/v1/me')).status).toBe(403);
    // Nor is who was taken out before they ever came in let in as somebody new.
    const early = await directory.create('early@acme.example');
    await directory.send('DELETE', `/Users/${early.body.id}`);
    const late = await signIn('early');
    expect((await late.visitor.send('GET', '/api/v1/me')).status).not.toBe(200);
  });

  it('an answer of the provider counts only in the browser that asked, once', async () => {
    const tom = new Visitor(engine.url);
    const begun = await tom.send('POST', '/api/auth/sign-in/sso', { providerId: 'oidc', callbackURL: '/' });
    const back = new URL(await through(begun.body.url, 'tom'));
    const thief = new Visitor(engine.url);
    await thief.send('GET', back.pathname + back.search);
    expect((await thief.send('GET', '/api/v1/me')).status).toBe(401);
  });
});
