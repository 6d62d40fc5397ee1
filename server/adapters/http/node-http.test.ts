import { once } from 'node:events';
import { Agent, createServer, request as send } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toRequest, writeResponse } from '@/server/adapters/http/node-http';

describe('between Node and the web', () => {
  let answer: (request: Request) => Response | Promise<Response> = () => new Response('');
  const server = createServer((incoming, outgoing) => {
    void (async () => writeResponse(outgoing, await answer(toRequest(incoming, outgoing))))();
  });
  let port: number;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = (path = '/') => `http://127.0.0.1:${port}${path}`;

  /** A stream that never ends, and what becomes of it. */
  const endless = () => {
    let given: () => void = () => undefined;
    const cancelled = new Promise<void>((done) => {
      given = done;
    });
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('begun')),
      cancel: () => given(),
    });
    return { body, cancelled };
  };

  it('sends every cookie as a header of its own', async () => {
    answer = () => {
      const response = new Response('ok');
      for (const cookie of ['a=1; Path=/', 'b=2; Expires=Thu, 01 Jan 2099 00:00:00 GMT'])
        response.headers.append('set-cookie', cookie);
      return response;
    };
    const response = await fetch(url());
    expect(response.headers.getSetCookie()).toEqual([
      'a=1; Path=/',
      'b=2; Expires=Thu, 01 Jan 2099 00:00:00 GMT',
    ]);
  });

  it('answers HEAD without a body, and ends what would have been one', async () => {
    const { body, cancelled } = endless();
    answer = () => new Response(body, { headers: { 'x-is': 'there' } });
    const response = await fetch(url(), { method: 'HEAD' });
    expect([response.headers.get('x-is'), await response.text()]).toEqual(['there', '']);
    await cancelled;
  });

  it('sends the beginning of a stream at once, and ends its source when the reader hangs up', async () => {
    const { body, cancelled } = endless();
    let gone: AbortSignal | undefined;
    answer = (request) => {
      gone = request.signal;
      return new Response(body);
    };
    const asking = send(url()).end();
    const [response] = await once(asking, 'response');
    expect(String((await once(response, 'data'))[0])).toBe('begun');
    asking.destroy();
    await cancelled;
    expect(gone?.aborted).toBe(true);
  });

  /** Larger than what either end keeps on its way, so that nobody can have read it in passing. */
  const LARGE_BODY = 'x'.repeat(4_000_000);

  it.each<[string, number, (request: Request) => Promise<number>]>([
    ['whole', LARGE_BODY.length, async (request) => (await request.text()).length],
    ['not at all', 0, async () => 0],
    [
      'in part',
      1,
      async (request) => {
        for await (const chunk of request.body ?? []) return Math.min(chunk.byteLength, 1);
        return -1;
      },
    ],
  ])(
    'answers the next request of a connection when the body before was read %s',
    async (_how, read, readSome) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const ports: (number | undefined)[] = [];
      const ask = async (method: string, body?: string) => {
        const asking = send(url(), { method, agent }).end(body);
        const [response] = await once(asking, 'response');
        ports.push(asking.socket?.localPort);
        let text = '';
        for await (const chunk of response) text += chunk;
        return text;
      };
      answer = async (request) => new Response(`${request.method} ${await readSome(request)}`);
      expect(await ask('POST', LARGE_BODY)).toBe(`POST ${read}`);
      answer = (request) => new Response(request.method);
      expect(await ask('GET')).toBe('GET');
      expect(ports[1]).toBe(ports[0]);
      agent.destroy();
    },
  );

  it('says to who reads a body that its caller has hung up', async () => {
    let told: (error: unknown) => void = () => undefined;
    const failed = new Promise((done) => {
      told = done;
    });
    answer = async (request) => {
      await request.text().catch(told);
      return new Response('');
    };
    const asking = send(url(), { method: 'POST', headers: { 'content-length': '100' } });
    asking.on('error', () => undefined);
    await new Promise<void>((done) => {
      asking.write('begun', () => done());
    });
    asking.destroy();
    expect(await failed).toBeInstanceOf(Error);
  });

  it('takes what a caller sends for an address of this very server, or for none', async () => {
    answer = (request) => new Response(request.url);
    const raw = async (target: string, host: string) => {
      const socket = connect(port, '127.0.0.1');
      socket.end(`GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
      let text = '';
      for await (const chunk of socket) text += chunk;
      return text;
    };
    expect(await raw('//evil.example/api/v1/runs', 'mine')).toContain(
      'http://mine//evil.example/api/v1/runs',
    );
    expect(await raw('/api/v1/runs?a=1', 'no host name')).toContain('http://localhost/api/v1/runs?a=1');
  });
});
