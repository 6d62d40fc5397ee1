import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listenWithOAuth } from '../fixtures/mcp-servers/oauth-server.mjs';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';

/** Tokens of remote servers in real processes that share one database. */
describe('OAuth tokens of several processes', () => {
  let database: TestDatabase;
  let remote: Awaited<ReturnType<typeof listenWithOAuth>>;
  const processes: EngineProcess[] = [];
  const ask = (process: EngineProcess, method: string, path: string, body?: unknown) =>
    process.request(method, `/api/v1${path}`, body);
  const echo = (process: EngineProcess, server: string) =>
    ask(process, 'POST', `/servers/${server}/call`, { tool: 'echo', arguments: { value: 'hi' } });

  beforeAll(async () => {
    database = await createTestDatabase();
    remote = await listenWithOAuth({ clients: { app: { secret: 'shh-it-is-secret' } } });
    const env = {
      OPENCONDUCTOR_NETWORKS: 'public,loopback',
      OPENCONDUCTOR_PROBE_INTERVAL_MS: '0',
      OPENCONDUCTOR_SECRET_KEY: 'a secret key that both of them have in common',
    };
    for (let count = 0; count < 2; count++)
      processes.push(await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {}, env }));
  });
  afterAll(async () => {
    for (const process of processes) {
      await process.end('SIGTERM');
      await process.removeData();
    }
    await remote.close();
    await database.drop();
  });

  it('a refresh token that counts once is used once when both refresh at the same time', async () => {
    const [first, second] = processes as [EngineProcess, EngineProcess];
    const config = { type: 'streamable-http', url: remote.url };
    expect((await ask(first, 'POST', '/servers', { name: 'guarded', config })).status).toBe(201);
    const { url } = (await ask(first, 'POST', '/servers/guarded/authorize')).body;
    const back = (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '';
    expect((await fetch(back)).status).toBe(200);
    for (const process of processes) expect((await echo(process, 'guarded')).body.content[0].text).toBe('hi');

    remote.expire();
    remote.state.tokenDelayMs = 200;
    const calls = [first, second, first, second].map((process) => echo(process, 'guarded'));
    const texts = (await Promise.all(calls)).map(({ body }) => body.content?.[0].text ?? body.code);
    expect(texts).toEqual(['hi', 'hi', 'hi', 'hi']);
    // On a slow machine the second process may come when the first has done with it, and refresh with the new one.
    expect(remote.state.refreshes).toBeGreaterThan(0);
    expect(remote.state.refused).toBe(0);
  });

  it('a client with credentials of its own needs no person; its secret is kept apart and shown to nobody', async () => {
    const [first, second] = processes as [EngineProcess, EngineProcess];
    const oauth = { grant: 'client-credentials', clientId: 'app', clientSecret: 'shh-it-is-secret' };
    const config = { type: 'streamable-http', url: remote.url, oauth };
    const added = await ask(first, 'POST', '/servers', { name: 'machine', config });
    expect(added).toMatchObject({
      status: 201,
      body: { storedSecrets: [expect.stringContaining('CLIENT')] },
    });
    for (const process of [first, second]) {
      expect((await echo(process, 'machine')).body.content[0].text).toBe('hi');
      const shown = JSON.stringify((await ask(process, 'GET', '/servers/machine/config')).body);
      expect(shown).not.toContain('shh-it-is-secret');
    }
    expect((await ask(first, 'POST', '/servers/machine/authorize')).body).toEqual({ url: null });
  });
});
