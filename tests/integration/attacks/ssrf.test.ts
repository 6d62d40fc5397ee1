import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { EngineProcess } from '../../support/engine-process';
import { eventually } from '../../support/eventually';
import { HostileInternet, INTERNET } from '../../support/hostile-internet';

/** Addresses as they can be written; none of them is on the internet. `{port}` is that of a server inside. */
const SPELLINGS = [
  'http://127.0.0.1:{port}/',
  'http://localhost:{port}/',
  'http://LOCALHOST.:{port}/',
  'http://2130706433:{port}/',
  'http://0x7f000001:{port}/',
  'http://0x7f.1:{port}/',
  'http://0177.0.0.1:{port}/',
  'http://017700000001:{port}/',
  'http://127.1:{port}/',
  'http://127.0.0.1.:{port}/',
  'http://①②⑦.⓪.⓪.①:{port}/',
  'http://0.0.0.0:{port}/',
  'http://0:{port}/',
  'http://[::1]:{port}/',
  'http://[0:0:0:0:0:0:0:1]:{port}/',
  'http://[::]:{port}/',
  'http://[::ffff:127.0.0.1]:{port}/',
  'http://[::ffff:7f00:1]:{port}/',
  'http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/',
  'http://[64:ff9b::7f00:1]:{port}/',
  'http://[2002:7f00:1::]:{port}/',
  'http://[fe80::1]:{port}/',
  'http://[fd00:ec2::254]:{port}/',
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/latest/meta-data/',
  'http://[::ffff:a9fe:a9fe]/latest/meta-data/',
  'http://10.0.0.1:{port}/',
  'http://172.16.0.1:{port}/',
  'http://192.168.0.1:{port}/',
  'http://100.64.0.1:{port}/',
  'http://user:password@127.0.0.1:{port}/',
  'http://example.com@127.0.0.1:{port}/',
];

/** No server, whatever stands behind. */
const SCHEMES = ['file:///etc/passwd', 'gopher://127.0.0.1:{port}/', 'ftp://127.0.0.1/', 'data:text/plain,x'];

/**
 * Every URL that somebody who uses the instance can name, and every one that a server they named can name in turn: none of them
 * leads inside. The doors, as the code has them: the address of a server (added, imported, changed), what such a server redirects
 * to, what its OAuth metadata names (resource metadata, authorization servers, token and registration endpoints, redirects of each),
 * the issuer of a fixed client, the address that an old SSE server sends messages to, the address of a webhook and what that redirects
 * to, what an OAuth client registers (attacks/oauth-clients). OPENCONDUCTOR_SAMPLING_URL and OPENCONDUCTOR_OIDC_ISSUER are settings of
 * the operator's: no request changes them.
 */
describe('SSRF', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let net: HostileInternet;
  let serial = 0;

  const ask = async (method: string, path: string, body?: unknown) =>
    engine.request(method, `/api/v1${path}`, body);
  const inside = (url: string) => url.replace('{port}', String(net.innerPort));
  const addServer = async (url: string, more: Record<string, unknown> = {}) => {
    serial += 1;
    const name = `s${serial}`;
    const config = { type: 'streamable-http', url, ...more };
    const added = await ask('POST', '/servers', { name, config });
    return { name, added };
  };
  /** Uses a server in every way that connects to it; gives the codes of the answers. */
  const use = async (name: string): Promise<string[]> => {
    const answers = [
      await ask('POST', `/servers/${name}/test`, {}),
      await ask('POST', `/servers/${name}/call`, { tool: 'x', arguments: {} }),
      await ask('POST', `/servers/${name}/authorize`),
    ];
    return answers.map(
      ({ body, status }) => body?.code ?? body?.error?.code ?? body?.state ?? String(status),
    );
  };
  /** Nothing was reached but Postgres (over loopback) and the public address. */
  const nothingInside = (what: string) => {
    expect(net.breaches, what).toEqual([]);
    const { connects } = net.trace();
    const inner = connects.filter((address) => address !== INTERNET && address !== '127.0.0.1');
    expect(inner, what).toEqual([]);
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    net = await HostileInternet.start();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { ...net.env, OPENCONDUCTOR_PROBE_INTERVAL_MS: '0' },
    });
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await net.stop();
    await database.drop();
  });
  beforeEach(() => {
    net.answers.clear();
    net.asked.length = 0;
    net.breaches.length = 0;
    net.trace();
  });

  it('SSRF: the tap itself works: the attacker’s public server is reached, and seen to be', async () => {
    const { name } = await addServer(`${net.origin}/mcp`);
    await use(name);
    expect(net.asked.length).toBeGreaterThan(0);
    expect(net.trace().connects).toContain(INTERNET);
  });

  it.each([...SPELLINGS, ...SCHEMES])('SSRF: a server at %s is refused or not reached', async (spelling) => {
    for (const type of ['streamable-http', 'sse']) {
      const { name, added } = await addServer(inside(spelling), { type });
      if (added.status === 201)
        for (const code of await use(name)) expect(code, spelling).not.toMatch(/^(200|OPEN|open|ready)$/);
    }
    nothingInside(spelling);
  });

  it('SSRF: a server that is imported or changed to an inner address is not reached either', async () => {
    const mcpServers = { imported: { type: 'http', url: inside('http://127.0.0.1:{port}/') } };
    await ask('POST', '/servers/import', { document: { mcpServers } });
    await ask('POST', '/servers/import', { mcpServers });
    const { name } = await addServer(`${net.origin}/mcp`);
    const config = { type: 'streamable-http', url: inside('http://[::1]:{port}/') };
    await engine.request('PUT', `/api/v1/servers/${name}`, { config }, { 'if-match': '*' });
    await use(name);
    await use('imported');
    nothingInside('changed');
  });

  it('SSRF: DNS rebinding: what a name leads to is checked where it is connected to', async () => {
    for (const host of net.treacherousHosts) {
      for (const port of [net.innerPort, net.port]) {
        const { name } = await addServer(`http://${host}:${port}/mcp`);
        await use(name);
        await use(name);
      }
    }
    const { resolved } = net.trace();
    // The resolver did change its mind in the middle of it.
    for (const kind of ['rebind0', 'redo1'])
      expect(
        new Set(resolved.filter(({ name }) => name.startsWith(kind)).map(({ address }) => address)).size,
      ).toBe(2);
    expect(net.breaches).toEqual([]);
  });

  it('SSRF: DNS rebinding never leads to a connection inside', async () => {
    for (const host of net.treacherousHosts) {
      const { name } = await addServer(`http://${host}:${net.innerPort}/mcp`);
      await use(name);
    }
    nothingInside('rebinding');
  });

  it.each([301, 302, 303, 307, 308])(
    'SSRF: a redirect (%i) to an inner address is not followed',
    async (status) => {
      for (const spelling of [
        ...SPELLINGS,
        ...net.treacherousHosts.map((host) => `http://${host}:{port}/`),
      ]) {
        net.answers.set('/mcp', (_request, response) => {
          response.writeHead(status, { location: inside(encodeURI(spelling)) }).end();
        });
        const { name } = await addServer(`${net.origin}/mcp`);
        await ask('POST', `/servers/${name}/test`, {});
      }
      nothingInside('redirect');
    },
  );

  it('SSRF: an old SSE server cannot send our messages to an inner address', async () => {
    for (const target of ['http://127.0.0.1:{port}/', 'http://169.254.169.254/', '//127.0.0.1:{port}/x']) {
      net.answers.set('/sse', (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`event: endpoint\ndata: ${inside(target)}\n\n`);
      });
      const { name } = await addServer(`${net.origin}/sse`, { type: 'sse' });
      await use(name);
    }
    nothingInside('sse endpoint');
  });

  const json = (value: unknown) => (_request: unknown, response: import('node:http').ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  /** A server that wants OAuth, and metadata of which one place is changed. */
  const playOAuth = (change: { resource?: string; issuer?: string; endpoint?: [string, string] }) => {
    const { origin } = net;
    const resourceUrl = change.resource ?? `${origin}/.well-known/oauth-protected-resource/mcp`;
    net.answers.set('/mcp', (_request, response) => {
      const challenge = `Bearer resource_metadata="${resourceUrl}"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    net.answers.set(
      '/.well-known/oauth-protected-resource/mcp',
      json({ resource: `${origin}/mcp`, authorization_servers: [change.issuer ?? origin] }),
    );
    const metadata: Record<string, unknown> = {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      jwks_uri: `${origin}/jwks`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token'],
      ...(change.endpoint ? { [change.endpoint[0]]: change.endpoint[1] } : {}),
    };
    net.answers.set('/.well-known/oauth-authorization-server', json(metadata));
    net.answers.set('/.well-known/openid-configuration', json(metadata));
    net.answers.set('/register', (_request, response) => {
      const registered = { client_id: 'x', redirect_uris: [`${engine.url}/api/oauth/callback`] };
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(registered));
    });
  };
  const FEW = [
    'http://127.0.0.1:{port}/',
    'http://[::ffff:127.0.0.1]:{port}/',
    'http://0x7f000001:{port}/',
    'http://169.254.169.254/latest/',
    'http://inside1.attack.test:{port}/',
    'http://redo0.attack.test:{port}/',
  ];
  const machine = { oauth: { grant: 'client-credentials', clientId: 'c', clientSecret: 's' } };

  it.each(['resource', 'issuer'] as const)(
    'SSRF: OAuth metadata whose %s is an inner address is not read',
    async (place) => {
      for (const spelling of FEW) {
        playOAuth({ [place]: inside(spelling) });
        for (const more of [{}, machine]) await use((await addServer(`${net.origin}/mcp`, more)).name);
      }
      nothingInside(place);
    },
  );

  it.each(['token_endpoint', 'registration_endpoint', 'jwks_uri', 'introspection_endpoint'])(
    'SSRF: OAuth metadata of a hostile server whose %s is an inner address leads nowhere',
    async (endpoint) => {
      for (const spelling of FEW) {
        playOAuth({ endpoint: [endpoint, inside(spelling)] });
        for (const more of [{}, machine]) {
          const { name } = await addServer(`${net.origin}/mcp`, more);
          const answer = await ask('POST', `/servers/${name}/authorize`);
          const state = URL.canParse(answer.body?.url ?? '')
            ? new URL(answer.body.url).searchParams.get('state')
            : null;
          // A person who came back: the code would be exchanged at the token endpoint.
          if (state) await fetch(`${engine.url}/api/oauth/callback?code=c&state=${state}&iss=${net.origin}`);
          await ask('POST', `/servers/${name}/call`, { tool: 'x', arguments: {} });
        }
      }
      nothingInside(endpoint);
    },
  );

  it('SSRF: a person is sent to no page but a web page to grant access', async () => {
    for (const page of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd']) {
      playOAuth({ endpoint: ['authorization_endpoint', page] });
      const { name } = await addServer(`${net.origin}/mcp`);
      const { body } = await ask('POST', `/servers/${name}/authorize`);
      expect(String(body?.url ?? ''), page).not.toMatch(/^(javascript|data|file):/);
    }
  });

  it('SSRF: metadata and token answers that redirect inside are not followed', async () => {
    for (const path of [
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-authorization-server',
      '/token',
      '/register',
    ]) {
      playOAuth({});
      net.answers.set(path, (_request, response) => {
        response.writeHead(307, { location: inside('http://127.0.0.1:{port}/') }).end();
      });
      for (const more of [{}, machine]) await use((await addServer(`${net.origin}/mcp`, more)).name);
    }
    nothingInside('redirected metadata');
  });

  it('SSRF: the issuer of a fixed client that is inside is not asked', async () => {
    for (const spelling of FEW) {
      playOAuth({ issuer: inside(spelling) });
      const oauth = { ...machine.oauth, issuer: inside(spelling) };
      await use((await addServer(`${net.origin}/mcp`, { oauth })).name);
    }
    nothingInside('issuer');
  });

  const addWebhook = async (url: string) => {
    serial += 1;
    const name = `w${serial}`;
    return { name, added: await ask('POST', '/webhooks/out', { name, url, events: ['run.failed'] }) };
  };
  /** Sends a test delivery and waits until its first attempt is over. */
  const deliver = async (name: string) => {
    const { body } = await ask('POST', `/webhooks/out/${name}/test`);
    return eventually('the delivery was tried', async () => {
      const { body: one } = await ask('GET', `/webhooks/out/${name}/deliveries/${body.id}`);
      return one.attempts > 0 ? one : null;
    });
  };

  it.each([...SPELLINGS, ...SCHEMES])('SSRF: a webhook to %s is refused or not reached', async (spelling) => {
    const { name, added } = await addWebhook(inside(spelling));
    if (added.status === 201) {
      const sent = await deliver(name);
      expect(sent.state, spelling).not.toBe('delivered');
    } else expect(['ADDRESS_NOT_ALLOWED', 'INVALID_INPUT']).toContain(added.body.code);
    nothingInside(spelling);
  });

  it('SSRF: a webhook is not changed to an inner address', async () => {
    const { name } = await addWebhook(`${net.origin}/hook`);
    for (const url of ['http://127.0.0.1:{port}/', 'http://169.254.169.254/', 'http://[::1]:{port}/']) {
      const answer = await engine.request(
        'PUT',
        `/api/v1/webhooks/out/${name}`,
        { url: inside(url) },
        { 'if-match': '*' },
      );
      expect(answer.body.code, url).toBe('ADDRESS_NOT_ALLOWED');
    }
  });

  it('SSRF: a webhook whose name is rebound, or that redirects inside, reaches nothing', async () => {
    for (const host of net.treacherousHosts) {
      const { name } = await addWebhook(`http://${host}:${net.innerPort}/`);
      expect((await deliver(name)).state, host).not.toBe('delivered');
    }
    net.answers.set('/hook', (_request, response) => {
      response.writeHead(307, { location: inside('http://127.0.0.1:{port}/') }).end();
    });
    const { name } = await addWebhook(`${net.origin}/hook`);
    expect((await deliver(name)).state).not.toBe('delivered');
    nothingInside('webhook');
  });
});
