import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { HttpServerConfig } from '@/lib/protocol/server-config';
import { MemoryOAuthStore } from '@/server/adapters/memory/oauth-store';
import { listenWithOAuth } from '../fixtures/mcp-servers/oauth-server.mjs';
import { afterTest, failureOf, fleetOf, http, ORGANIZATION, textOf, toolCall } from './mcp-fleet-support';

const pair = () =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
const keys = pair();
const clients = { app: { secret: 'shh' }, signer: { publicKey: keys.publicKey } };
const echo = () => toolCall('m', 'echo', { value: 'hi' });

async function setUp() {
  const server = await listenWithOAuth({ clients });
  afterTest(() => server.close());
  const store = new MemoryOAuthStore();
  const redirectUrl = 'http://localhost:9/oauth/callback';
  const use = (oauth: NonNullable<HttpServerConfig['oauth']>) =>
    fleetOf(
      { m: http(server.url, { oauth: { grant: 'client-credentials', ...oauth } }) },
      { oauth: { store, redirectUrl, clientName: 'OpenConductor' } },
    );
  return { server, use, store };
}

describe('the client credentials grant', () => {
  it('gives access without a person, by a secret', async () => {
    const { server, use } = await setUp();
    const fleet = use({ clientId: 'app', clientSecret: 'shh' });
    expect(textOf(await fleet.call(echo()))).toBe('hi');
    expect(await fleet.authorize(ORGANIZATION, 'm')).toBeNull();
    expect((await fleet.probe(ORGANIZATION, 'm')).state).toBe('OPEN');
    expect([...server.state.tokens.values()]).toMatchObject([{ subject: 'app' }]);
    expect(server.state.registered).toBe(0);
  });

  it('gives access by an assertion that is signed with a key, and a new token when the old one has expired', async () => {
    const { server, use } = await setUp();
    const fleet = use({ clientId: 'signer', privateKey: keys.privateKey });
    expect(textOf(await fleet.call(echo()))).toBe('hi');
    server.expire();
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => fleet.call(echo())));
    expect(outcomes.map(textOf)).toEqual(['hi', 'hi', 'hi', 'hi', 'hi']);
    expect([...server.state.tokens.values()].every(({ subject }) => subject === 'signer')).toBe(true);
  });

  it('is refused with a wrong secret or key, and says so', async () => {
    const { server, use } = await setUp();
    for (const wrong of [
      { clientId: 'app', clientSecret: 'guess' },
      { clientId: 'signer', privateKey: pair().privateKey },
    ]) {
      const failure = failureOf(await use(wrong).call(echo()));
      expect(failure).toMatchObject({ code: 'SERVER_AUTH_REQUIRED', ambiguous: false });
    }
    expect(server.state.tokens.size).toBe(0);
    expect(failureOf(await use({ clientId: 'app' }).call(echo())).code).toBe('SERVER_NOT_CONFIGURED');
  });

  it('shows its secret to no other authorization server than the one named', async () => {
    const { server, use } = await setUp();
    const fleet = use({ clientId: 'app', clientSecret: 'shh', issuer: 'https://elsewhere.example' });
    expect(failureOf(await fleet.call(echo())).code).toBe('SERVER_AUTH_REQUIRED');
    expect(server.state.requests).not.toContain('POST /token');
  });
});

describe('a refresh token that counts once', () => {
  it('is used once by two processes that refresh at the same time', async () => {
    const server = await listenWithOAuth();
    afterTest(() => server.close());
    const oauth = {
      store: new MemoryOAuthStore(),
      redirectUrl: 'http://localhost:9/oauth/callback',
      clientName: 'OpenConductor',
    };
    const processes = [
      fleetOf({ m: http(server.url) }, { oauth }),
      fleetOf({ m: http(server.url) }, { oauth }),
    ];
    const [first] = processes;
    if (first === undefined) throw new Error('no process');
    const page = await first.authorize(ORGANIZATION, 'm');
    const back = await fetch(page ?? '', { redirect: 'manual' });
    await first.finishAuthorization(ORGANIZATION, new URL(back.headers.get('location') ?? '').searchParams);
    for (const fleet of processes) expect(textOf(await fleet.call(echo()))).toBe('hi');
    server.expire();
    server.state.tokenDelayMs = 50;
    const calls = processes.flatMap((fleet) => [fleet.call(echo()), fleet.call(echo())]);
    expect((await Promise.all(calls)).map(textOf)).toEqual(['hi', 'hi', 'hi', 'hi']);
    expect(server.state.refreshes).toBe(1);
  });
});
