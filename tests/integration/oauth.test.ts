import * as oauth from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { firstOwner, member, Visitor } from '../support/people';

const BACK = 'http://127.0.0.1:9/back';

/** The OAuth 2.1 provider, used by a standard client library. */
describe('programs act for people by OAuth 2.1', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let olga: Visitor;
  let client: oauth.Configuration;

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_AUTH: 'required' },
    });
    olga = await firstOwner(engine);
    client = await oauth.dynamicClientRegistration(
      new URL(`${engine.url}/api/auth`),
      {
        client_name: 'A robot',
        application_type: 'native',
        redirect_uris: [BACK],
        token_endpoint_auth_method: 'none',
        scope: 'openid offline_access workflows:read executions:read secrets:write',
      },
      undefined,
      { execute: [oauth.allowInsecureRequests], algorithm: 'oauth2' },
    );
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  /** Walks from the client's address over sign-in and consent to the redirect with a code. */
  const grant = async (visitor: Visitor, address: URL): Promise<URL> => {
    const asked = await visitor.send('GET', address.pathname + address.search);
    // A browser is redirected; a program is told where to.
    const page = new URL(asked.headers.get('location') ?? asked.body.url, engine.url);
    // Granted before: no question is asked twice.
    if (page.href.startsWith(BACK)) return page;
    expect(page.pathname).toBe('/consent');
    const answer = await visitor.send('POST', '/api/auth/oauth2/consent', {
      accept: true,
      oauth_query: page.search.slice(1),
    });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    return new URL(answer.body.url ?? answer.body.redirect_uri);
  };
  const start = async (scope: string) => {
    const verifier = oauth.randomPKCECodeVerifier();
    const state = oauth.randomState();
    const address = oauth.buildAuthorizationUrl(client, {
      redirect_uri: BACK,
      scope,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    return { address, verifier, state };
  };
  const as = (token: string) => ({ authorization: `Bearer ${token}` });

  it('is described where clients look for it', async () => {
    const metadata = client.serverMetadata();
    expect(metadata.code_challenge_methods_supported).toContain('S256');
    expect(metadata.authorization_endpoint).toContain(engine.url);
  });

  it.each([
    '/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server/api/auth',
    '/.well-known/openid-configuration',
    '/api/auth/.well-known/openid-configuration',
  ])('says the same at %s', async (path) => {
    const { status, body } = await new Visitor(engine.url).send('GET', path);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      issuer: client.serverMetadata().issuer,
      token_endpoint: client.serverMetadata().token_endpoint,
      backchannel_logout_supported: false,
    });
  });

  it('code with PKCE → token, limited to what was granted and to what the person may', async () => {
    const { address, verifier, state } = await start('workflows:read offline_access');
    const back = await grant(olga, address);
    const tokens = await oauth.authorizationCodeGrant(client, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
    });
    const program = await olga.send('GET', '/api/v1/me', undefined, as(tokens.access_token));
    expect(program.body).toMatchObject({ kind: 'agent', name: 'Olga Owner' });
    expect(program.body.permissions).toEqual(['workflows:read', 'about:read']);
    const url = (path: string) => fetch(engine.url + path, { headers: as(tokens.access_token) });
    expect((await url('/api/v1/workflows')).status).toBe(200);
    expect((await url('/api/v1/secrets')).status).toBe(403);
    const again = await oauth.refreshTokenGrant(client, tokens.refresh_token ?? '');
    const fresh = await fetch(`${engine.url}/api/v1/workflows`, { headers: as(again.access_token) });
    expect(fresh.status).toBe(200);
  });

  it('a viewer’s token is a viewer’s, whatever was asked for', async () => {
    const vera = await member(olga, 'vera@example.com', 'viewer');
    const { address, verifier, state } = await start('secrets:write executions:read');
    const tokens = await oauth.authorizationCodeGrant(client, await grant(vera, address), {
      pkceCodeVerifier: verifier,
      expectedState: state,
    });
    const put = await fetch(`${engine.url}/api/v1/secrets/X`, {
      method: 'PUT',
      headers: { ...as(tokens.access_token), 'content-type': 'application/json' },
      body: JSON.stringify({ value: 'v' }),
    });
    expect(put.status).toBe(403);
    expect((await fetch(`${engine.url}/api/v1/runs`, { headers: as(tokens.access_token) })).status).toBe(200);
  });

  it('without PKCE, or with another verifier, there is no token', async () => {
    const { address } = await start('workflows:read');
    address.searchParams.delete('code_challenge');
    address.searchParams.delete('code_challenge_method');
    const refused = await olga.send('GET', address.pathname + address.search);
    const told = `${refused.headers.get('location') ?? ''} ${JSON.stringify(refused.body)}`;
    expect(told).toMatch(/invalid_request/);
    expect(told).not.toMatch(/[?&]code=/);

    const other = await start('workflows:read');
    const back = await grant(olga, other.address);
    const stolen = oauth.authorizationCodeGrant(client, back, {
      pkceCodeVerifier: oauth.randomPKCECodeVerifier(),
      expectedState: other.state,
    });
    await expect(stolen).rejects.toThrow();
  });
});
