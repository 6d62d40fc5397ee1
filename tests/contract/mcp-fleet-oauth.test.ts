import { describe, expect, it } from 'vitest';
import { MemoryOAuthStore } from '@/server/adapters/memory/oauth-store';
import { listenWithOAuth } from '../fixtures/mcp-servers/oauth-server.mjs';
import {
  afterTest,
  failureOf,
  fleetOf,
  http,
  ORGANIZATION,
  type TestFleet,
  textOf,
  toolCall,
} from './mcp-fleet-support';

async function setUp(options: Parameters<typeof listenWithOAuth>[0] = {}, extra = {}) {
  const server = await listenWithOAuth(options);
  afterTest(() => server.close());
  const store = new MemoryOAuthStore();
  const oauth = { store, redirectUrl: 'http://localhost:9/oauth/callback', clientName: 'OpenConductor' };
  const fleet = fleetOf({ m: http(server.url, extra) }, { oauth });
  return { server, fleet, store, oauth };
}

const echo = (extra = {}) => toolCall('m', 'echo', { value: 'hi' }, extra);

/** Starts the flow and gives the parameters that the browser comes back with. */
async function visit(fleet: TestFleet, subject = ''): Promise<URLSearchParams> {
  const page = await fleet.authorize(ORGANIZATION, 'm', subject);
  if (page === null) throw new Error('there was no page to visit');
  const response = await fetch(page, { redirect: 'manual' });
  return new URL(response.headers.get('location') ?? '').searchParams;
}

async function grant(fleet: TestFleet, subject = '') {
  return fleet.finishAuthorization(ORGANIZATION, await visit(fleet, subject));
}

describe('a remote server behind OAuth', () => {
  it('answers SERVER_AUTH_REQUIRED, until a person has granted access', async () => {
    const { server, fleet } = await setUp();
    expect(failureOf(await fleet.call(echo()))).toMatchObject({
      code: 'SERVER_AUTH_REQUIRED',
      ambiguous: false,
      retriable: false,
    });
    expect((await fleet.probe(ORGANIZATION, 'm')).state).toBe('NEEDS_AUTH');
    expect(await grant(fleet)).toEqual({ server: 'm', subject: '' });
    expect(textOf(await fleet.call(echo()))).toBe('hi');
    expect((await fleet.probe(ORGANIZATION, 'm')).state).toBe('OPEN');
    expect(await fleet.authorize(ORGANIZATION, 'm')).toBeNull();
    expect(server.state.registered).toBe(1);
  });

  it('the page asks for PKCE S256, the resource and our redirect', async () => {
    const { server, fleet } = await setUp();
    const page = new URL((await fleet.authorize(ORGANIZATION, 'm')) ?? '');
    expect(Object.fromEntries(page.searchParams)).toMatchObject({
      code_challenge_method: 'S256',
      resource: server.url,
      redirect_uri: 'http://localhost:9/oauth/callback',
      scope: 'tools',
      state: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  it('a callback counts once, for its own organisation, with a state of ours', async () => {
    const { fleet } = await setUp();
    const parameters = await visit(fleet);
    const forged = new URLSearchParams(parameters);
    forged.set('state', 'x'.repeat(43));
    await expect(fleet.finishAuthorization(ORGANIZATION, forged)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await fleet.finishAuthorization(ORGANIZATION, parameters);
    await expect(fleet.finishAuthorization(ORGANIZATION, parameters)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    const second = await setUp();
    const another = await visit(second.fleet);
    await expect(
      second.fleet.finishAuthorization('018f0000-0000-7000-8000-000000000002', another),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });

  it('a call in between does not disturb the flow that a person is in', async () => {
    const { fleet } = await setUp();
    const parameters = await visit(fleet);
    expect(failureOf(await fleet.call(echo())).code).toBe('SERVER_AUTH_REQUIRED');
    await fleet.finishAuthorization(ORGANIZATION, parameters);
    expect(textOf(await fleet.call(echo()))).toBe('hi');
  });

  it('the grant outlives the process', async () => {
    const { server, fleet, oauth } = await setUp();
    await grant(fleet);
    await fleet.close();
    const next = fleetOf({ m: http(server.url) }, { oauth });
    expect(textOf(await next.call(echo()))).toBe('hi');
  });

  it('an expired token is renewed, once for calls at the same time', async () => {
    const { server, fleet } = await setUp();
    await grant(fleet);
    expect(textOf(await fleet.call(echo()))).toBe('hi');
    server.expire();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => fleet.call(echo())));
    expect(outcomes.map(textOf)).toEqual(Array.from({ length: 20 }, () => 'hi'));
    expect(server.state.refreshes).toBe(1);
  });

  it('a call that is refused with a token that another process has replaced meanwhile goes on with the new one', async () => {
    const { server, fleet, oauth } = await setUp();
    await grant(fleet);
    const other = fleetOf({ m: http(server.url) }, { oauth });
    for (const one of [fleet, other]) expect(textOf(await one.call(echo()))).toBe('hi');
    server.expire();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      server.state.holdRefusal = () => {
        resolve();
        return new Promise<void>((go) => {
          release = go;
        });
      };
    });
    const late = other.call(echo());
    await held;
    expect(textOf(await fleet.call(echo()))).toBe('hi');
    release();
    expect(textOf(await late)).toBe('hi');
    expect(server.state.refreshes).toBe(1);
  });

  it('persons have tokens of their own where the server is declared so', async () => {
    const { server, fleet } = await setUp({}, { credentials: 'user' });
    await grant(fleet, 'ada');
    expect(textOf(await fleet.call(echo({ subject: 'ada' })))).toBe('hi');
    expect(failureOf(await fleet.call(echo({ subject: 'tom' }))).code).toBe('SERVER_AUTH_REQUIRED');
    expect(failureOf(await fleet.call(echo())).code).toBe('PERSONAL_SECRET_MISSING');
    expect(server.state.tokens.size).toBe(1);
  });

  it('elsewhere everybody uses the organisation’s; nobody finishes a sign-in that another person began', async () => {
    const { fleet } = await setUp();
    await grant(fleet);
    expect(textOf(await fleet.call(echo({ subject: 'tom' })))).toBe('hi');
    const own = await setUp({}, { credentials: 'user' });
    const finish = own.fleet.finishAuthorization(ORGANIZATION, await visit(own.fleet, 'ada'), 'tom');
    await expect(finish).rejects.toThrow('started by another person');
  });

  it('a call that needs more scope leads to a page that asks for all of it', async () => {
    const { fleet } = await setUp();
    await grant(fleet);
    const steps = toolCall('m', 'steps', { steps: 1 });
    expect(failureOf(await fleet.call(steps))).toMatchObject({
      code: 'SERVER_AUTH_REQUIRED',
      ambiguous: false,
    });
    const page = new URL((await fleet.authorize(ORGANIZATION, 'm')) ?? '');
    expect(page.searchParams.get('scope')?.split(' ').sort()).toEqual(['admin', 'tools']);
    expect(textOf(await fleet.call(echo()))).toBe('hi');
  });

  it('is refused without PKCE, with another issuer, or with another resource', async () => {
    const withoutPkce = await setUp({ pkce: false });
    await expect(withoutPkce.fleet.authorize(ORGANIZATION, 'm')).rejects.toMatchObject({
      code: expect.stringMatching(/^[A-Z_]+$/),
    });
    expect(withoutPkce.server.state.requests.filter((request) => request.includes('/authorize'))).toEqual([]);
    const otherIssuer = await setUp({ iss: 'https://attacker.example' });
    const parameters = await visit(otherIssuer.fleet);
    await expect(otherIssuer.fleet.finishAuthorization(ORGANIZATION, parameters)).rejects.toMatchObject({
      code: 'SERVER_AUTH_REQUIRED',
    });
    expect(otherIssuer.server.state.requests).not.toContain('POST /token');
    const otherResource = await setUp({ resource: 'https://attacker.example/mcp' });
    await expect(otherResource.fleet.authorize(ORGANIZATION, 'm')).rejects.toMatchObject({
      code: expect.any(String),
    });
    expect(otherResource.server.state.requests).not.toContain('GET /authorize');
  });

  it('a server with credentials of its own in its headers is not bothered with OAuth', async () => {
    const { server, oauth } = await setUp();
    const fleet = fleetOf({ m: http(server.url, { headers: { Authorization: 'Bearer wrong' } }) }, { oauth });
    expect(failureOf(await fleet.call(echo())).code).toBe('SERVER_AUTH_REQUIRED');
    expect(server.state.requests.filter((request) => request.includes('well-known'))).toEqual([]);
  });
});
