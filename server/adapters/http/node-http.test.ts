import { once } from 'node:events';
import { createServer, request as send } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toRequest, writeResponse } from '@/server/adapters/http/node-http';

describe('between Node and the web', () => {
  let answer: (request: Request) => Response = () => new Response('');
  const server = createServer((incoming, outgoing) => {
    void writeResponse(outgoing, answer(toRequest(incoming, outgoing)));
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
