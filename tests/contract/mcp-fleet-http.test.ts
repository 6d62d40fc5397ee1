import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { McpFleetOptions } from '@/server/adapters/mcp/fleet';
import { listenBadly } from '../fixtures/mcp-servers/misbehaving-http.mjs';
import { effects, listen } from '../fixtures/mcp-servers/modern-server.mjs';
import {
  afterTest,
  failureOf,
  fleetOf,
  http,
  ORGANIZATION,
  ROOT,
  resultOf,
  textOf,
  toolCall,
  until,
} from './mcp-fleet-support';

async function modern(options: Parameters<typeof listen>[0] = {}) {
  const server = await listen(options);
  afterTest(() => server.close());
  return { server, fleet: fleetOf({ m: http(server.url) }) };
}

async function misbehaving(page = '/mcp', options: Partial<McpFleetOptions> = {}) {
  const server = await listenBadly();
  afterTest(() => server.close());
  return {
    server,
    fleet: fleetOf({ bad: http(`${server.origin}${page}`) }, { connectTimeoutMs: 2000, ...options }),
  };
}

const call = (tool: string, args = {}, extra = {}) => toolCall('m', tool, args, extra);
const bad = (tool: string, args = {}, extra = {}) =>
  toolCall('bad', tool, args, { timeoutMs: 5000, ...extra });

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The reference server of 2025 over HTTP, as its package runs it. */
async function everythingOver(mode: 'streamableHttp' | 'sse'): Promise<string> {
  const port = await freePort();
  const script = path.join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');
  const child = spawn(process.execPath, [script, mode], {
    env: { ...process.env, PORT: String(port) },
    stdio: 'ignore',
  });
  afterTest(() => child.kill('SIGKILL'));
  const origin = `http://127.0.0.1:${port}`;
  await until(() =>
    fetch(origin).then(
      () => true,
      () => false,
    ),
  );
  return mode === 'sse' ? `${origin}/sse` : `${origin}/mcp`;
}

describe('a server of the 2026-07-28 era over HTTP', () => {
  it('is spoken to without a session, with its headers and with our meta', async () => {
    const { server, fleet } = await modern();
    const result = resultOf(
      await fleet.call(
        call(
          'echo',
          { value: 'hi' },
          { idempotencyKey: 'k1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
        ),
      ),
    );
    expect(result.structuredContent).toMatchObject({
      value: 'hi',
      meta: {
        'ai.openconductor/idempotencyKey': 'k1',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    });
    expect(result.bytesOut).toBeGreaterThan(50);
    expect(result.bytesIn).toBeGreaterThan(50);
    expect(await fleet.inspect(ORGANIZATION, 'm')).toMatchObject({
      protocolVersion: '2026-07-28',
      version: '1.2.3',
      instructions: 'Ask nicely.',
    });
    const headers = server.seen.at(-1)?.headers;
    expect(headers).toMatchObject({
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      'mcp-protocol-version': '2026-07-28',
    });
    expect(headers?.['mcp-session-id']).toBeUndefined();
    expect(headers?.['openconductor-request']).toBeUndefined();
  });

  it('reports progress, is cancelled by closing the stream, and runs 64 calls at once', async () => {
    const { fleet } = await modern();
    const progress: number[] = [];
    await fleet.call(
      call(
        'steps',
        { steps: 3 },
        { onProgress: (update: { progress: number }) => progress.push(update.progress) },
      ),
    );
    expect(progress).toEqual([1, 2, 3]);
    effects.length = 0;
    expect(failureOf(await fleet.call(call('slow', { ms: 60_000 }, { timeoutMs: 200 })))).toMatchObject({
      code: 'TIMEOUT',
      ambiguous: true,
    });
    await until(() => effects.includes('aborted'));
    const all = await Promise.all(
      Array.from({ length: 64 }, (_, n) => fleet.call(call('echo', { value: `${n}` }))),
    );
    expect(all.map(textOf)).toEqual(Array.from({ length: 64 }, (_, n) => `${n}`));
  });

  it('tells of changed tools by its subscription', async () => {
    const { server, fleet } = await modern();
    await fleet.call(call('echo', { value: 'x' }));
    const lists = () => server.seen.filter(({ headers }) => headers['mcp-method'] === 'tools/list').length;
    const before = lists();
    server.handler.notify.toolsChanged();
    await until(() => lists() > before);
  });
});

describe('a server of 2025 over HTTP', () => {
  it('is spoken to by Streamable HTTP with a session', async () => {
    const fleet = fleetOf({ e: http(await everythingOver('streamableHttp')) });
    expect(textOf(await fleet.call(toolCall('e', 'echo', { message: 'hello' })))).toContain('hello');
    const progress: number[] = [];
    const long = toolCall(
      'e',
      'trigger-long-running-operation',
      { duration: 1, steps: 3 },
      { onProgress: (update) => progress.push(update.progress) },
    );
    resultOf(await fleet.call(long));
    expect(progress).toEqual([1, 2, 3]);
    expect((await fleet.inspect(ORGANIZATION, 'e')).protocolVersion).toBe('2025-11-25');
  });

  it('is spoken to by HTTP+SSE, also when it was declared as Streamable HTTP', async () => {
    const url = await everythingOver('sse');
    const declared = fleetOf({ e: http(url, { type: 'sse' }), wrong: http(url) });
    expect(textOf(await declared.call(toolCall('e', 'echo', { message: 'one' })))).toContain('one');
    expect(textOf(await declared.call(toolCall('wrong', 'echo', { message: 'two' })))).toContain('two');
    expect(await declared.probe(ORGANIZATION, 'e')).toMatchObject({ state: 'OPEN' });
    expect(await declared.probe(ORGANIZATION, 'wrong')).toMatchObject({ state: 'WRONG_TRANSPORT' });
  });
});

describe('during a call over HTTP, a server that', () => {
  it('hangs: TIMEOUT, ambiguous', async () => {
    const { fleet } = await misbehaving();
    resultOf(await fleet.call(bad('ok')));
    expect(failureOf(await fleet.call(bad('hang', {}, { timeoutMs: 300 })))).toMatchObject({
      code: 'TIMEOUT',
      ambiguous: true,
    });
  });

  it('resets the connection or ends its stream: NETWORK_ERROR at once, ambiguous', async () => {
    const { fleet } = await misbehaving();
    for (const tool of ['reset', 'early_close']) {
      // Not TIMEOUT: it was noticed, nobody waited for the end of the call's time.
      expect(failureOf(await fleet.call(bad(tool)))).toMatchObject({
        code: 'NETWORK_ERROR',
        ambiguous: true,
        retriable: true,
      });
    }
    expect(textOf(await fleet.call(bad('ok')))).toBe('fine');
  });

  it('answers with too much: PAYLOAD_TOO_LARGE', async () => {
    const { fleet } = await misbehaving('/mcp', { maxMessageBytes: 200_000 });
    expect(failureOf(await fleet.call(bad('huge')))).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      ambiguous: false,
    });
    expect(failureOf(await fleet.call(bad('huge_stream'))).code).toBe('PAYLOAD_TOO_LARGE');
    expect(textOf(await fleet.call(bad('ok')))).toBe('fine');
  });

  it('answers under a wrong id, with HTML or with a wrong shape', async () => {
    const { fleet } = await misbehaving();
    expect(failureOf(await fleet.call(bad('wrong_id', {}, { timeoutMs: 300 }))).code).toBe('TIMEOUT');
    expect(failureOf(await fleet.call(bad('html')))).toMatchObject({
      code: 'PROTOCOL_ERROR',
      ambiguous: false,
    });
    expect(failureOf(await fleet.call(bad('wrong_shape'))).code).toBe('PROTOCOL_ERROR');
    expect(textOf(await fleet.call(bad('slow_bytes')))).toBe('späte Bytes ✓');
  });

  it('answers with an HTTP status: mapped', async () => {
    const { fleet } = await misbehaving();
    const code = async (status: number) => failureOf(await fleet.call(bad('status', { status })));
    expect(await code(429)).toMatchObject({ code: 'RATE_LIMITED', ambiguous: false });
    expect(await code(401)).toMatchObject({ code: 'SERVER_AUTH_REQUIRED', ambiguous: false });
    expect(await code(500)).toMatchObject({ code: 'NETWORK_ERROR', ambiguous: true });
  });

  it('has forgotten the session: a new one is opened and the call made once', async () => {
    const { server, fleet } = await misbehaving();
    expect(textOf(await fleet.call(bad('ok')))).toBe('fine');
    expect(textOf(await fleet.call(bad('lost_session')))).toBe('fine');
    expect(server.state.calls).toEqual(['ok', 'lost_session']);
  });

  it('is gone: NETWORK_ERROR, not ambiguous', async () => {
    // As many tries as it takes: the breaker is not what is looked at.
    const { server, fleet } = await misbehaving('/mcp', { breaker: { failures: 1_000_000 } });
    expect(textOf(await fleet.call(bad('ok')))).toBe('fine');
    await server.close();
    // The first ones can still go out on connections that are just being closed.
    await until(async () => {
      const failure = failureOf(await fleet.call(bad('ok')));
      expect(failure.code).toBe('NETWORK_ERROR');
      return !failure.ambiguous;
    });
  });

  it('leaks no socket over many calls', async () => {
    const { server, fleet } = await misbehaving();
    for (let n = 0; n < 200; n++) await fleet.call(bad(n % 4 === 0 ? 'reset' : 'ok'));
    await until(() => server.state.sockets.size < 5);
    await fleet.close();
    await until(() => server.state.sockets.size === 0);
  });
});

describe('health', () => {
  it.each([
    ['/html', 'NOT_MCP'],
    ['/json', 'NOT_MCP'],
    ['/nothing', 'NOT_MCP'],
    ['/redirect', 'NOT_MCP'],
    ['/broken', 'UNREACHABLE'],
    ['/silent', 'UNREACHABLE'],
    ['/auth', 'NEEDS_AUTH'],
    ['/forbidden', 'NEEDS_AUTH'],
    ['/mcp', 'OPEN'],
  ])('of a server at %s is %s', async (page, state) => {
    const { fleet } = await misbehaving(page, { connectTimeoutMs: page === '/silent' ? 700 : 10_000 });
    const report = await fleet.probe(ORGANIZATION, 'bad');
    expect(report).toMatchObject({ state });
    expect(report.detail === null).toBe(state === 'OPEN');
    const history = await fleet.health(ORGANIZATION, 'bad');
    expect(history.reports).toEqual([report]);
    expect(history.uptime).toBe(state === 'OPEN' ? 1 : 0);
  });

  it('of an address with a placeholder is TEMPLATE_URL, of a missing secret NEEDS_AUTH, of nobody UNREACHABLE', async () => {
    const port = await freePort();
    const fleet = fleetOf({
      template: http('https://{tenant}.example.com/mcp'),
      secret: http('https://example.com/mcp', { headers: { authorization: 'Bearer ${secret:TOKEN}' } }),
      nobody: http(`http://127.0.0.1:${port}/mcp`),
    });
    expect((await fleet.probe(ORGANIZATION, 'template')).state).toBe('TEMPLATE_URL');
    expect((await fleet.probe(ORGANIZATION, 'secret')).state).toBe('NEEDS_AUTH');
    expect((await fleet.probe(ORGANIZATION, 'nobody')).state).toBe('UNREACHABLE');
  });
});

describe('addresses', () => {
  it('that are not public are not reached unless allowed', async () => {
    const server = await listen();
    afterTest(() => server.close());
    const fleet = fleetOf(
      { ip: http(server.url), name: http(server.url.replace('127.0.0.1', 'localhost')) },
      { network: { allowLoopback: false, allowPrivate: false } },
    );
    for (const name of ['ip', 'name']) {
      expect(failureOf(await fleet.call(toolCall(name, 'echo', { value: 'x' })))).toMatchObject({
        code: 'ADDRESS_NOT_ALLOWED',
        ambiguous: false,
      });
    }
    expect(server.seen).toEqual([]);
  });

  it('secrets are filled in at the last moment and shown nowhere', async () => {
    const server = await listen();
    afterTest(() => server.close());
    const fleet = fleetOf(
      {
        m: http(`${server.url}?key=\${secret:TOKEN}`, {
          headers: { authorization: 'Bearer ${secret:TOKEN}' },
        }),
      },
      { secrets: async (_organization, name) => (name === 'TOKEN' ? 's3cret' : undefined) },
    );
    resultOf(await fleet.call(call('echo', { value: 'x' })));
    expect(server.seen.at(-1)?.headers.authorization).toBe('Bearer s3cret');
    expect(
      JSON.stringify([await fleet.list(ORGANIZATION), await fleet.inspect(ORGANIZATION, 'm')]),
    ).not.toContain('s3cret');
  });
});
