import { describe, expect, it } from 'vitest';
import { createApiClient, take, UnexpectedAnswer } from '@/lib/api-client/client';
import { followRun } from '@/lib/api-client/follow';
import { readMessages, type SseMessage } from '@/lib/api-client/sse';
import { AppError, toProblem } from '@/lib/protocol/errors';

const json = (status: number, body: unknown, type = 'application/json') =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': type } });

/** A client whose requests go to `answer`; what was sent is kept. */
function clientOf(answer: (request: Request) => Response | Promise<Response>, apiKey?: string) {
  const sent: Request[] = [];
  const fetch = async (request: Request) => {
    sent.push(request);
    return answer(request);
  };
  return { sent, client: createApiClient({ baseUrl: 'http://instance.test/', apiKey, fetch }) };
}

describe('the typed client', () => {
  it('fills in paths and queries, and sends key and body', async () => {
    const { sent, client } = clientOf(() => json(200, { items: [], nextCursor: null }), 'k1');
    await take(client.GET('/api/v1/runs/{runId}', { params: { path: { runId: 'a/b' } } }));
    await take(client.GET('/api/v1/runs', { params: { query: { status: 'failed', limit: 3 } } }));
    expect(sent.map((request) => request.url)).toEqual([
      'http://instance.test/api/v1/runs/a%2Fb',
      'http://instance.test/api/v1/runs?status=failed&limit=3',
    ]);
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer k1');
    expect(sent[0]?.redirect).toBe('error');
  });

  it('gives each POST a key of its own unless one is given', async () => {
    const { sent, client } = clientOf(() => json(201, { runId: 'r' }));
    const body = { workflow: 'w' };
    await client.POST('/api/v1/runs', { body });
    await client.POST('/api/v1/runs', { body });
    await client.POST('/api/v1/runs', { body, params: { header: { 'Idempotency-Key': 'mine' } } });
    const keys = sent.map((request) => request.headers.get('idempotency-key'));
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[0]).not.toBe(keys[1]);
    expect(keys[2]).toBe('mine');
  });

  it('throws problems by their code, unknown codes as INTERNAL, and other errors as what they are', async () => {
    const problem = toProblem(new AppError('INVALID_INPUT', 'No.', { path: '/limit' }));
    const of = (status: number, body: unknown) =>
      clientOf(() => json(status, body, 'application/problem+json')).client.GET('/api/v1/workflows');
    await expect(of(400, problem)).rejects.toMatchObject({ code: 'INVALID_INPUT', path: '/limit' });
    await expect(of(418, { ...problem, code: 'OF_TOMORROW' })).rejects.toMatchObject({
      code: 'INTERNAL',
      cause: { code: 'OF_TOMORROW' },
    });
    await expect(of(502, 'bad gateway')).rejects.toBeInstanceOf(UnexpectedAnswer);
  });
});

/** A stream that gives these pieces and then ends, or breaks. */
function streamOf(pieces: string[], breaks = false): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece !== undefined) controller.enqueue(encoder.encode(piece));
      else if (breaks) controller.error(new Error('cut'));
      else controller.close();
    },
  });
}

describe('server-sent events', () => {
  it('come whole however they are cut, and a half one at the end does not count', async () => {
    const text =
      'retry: 1000\n\n: hello\n\nid: 1\ndata: {"a":\ndata: 1}\n\nevent: end\r\ndata: é\r\n\r\nid: 2\ndata: half';
    const bytes = [...text];
    for (const size of [1, 2, 7, 1000]) {
      const pieces: string[] = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size).join(''));
      const seen: SseMessage[] = [];
      for await (const message of readMessages(streamOf(pieces))) seen.push(message);
      expect(seen).toEqual([
        { id: '1', event: null, data: '{"a":\n1}' },
        { id: null, event: 'end', data: 'é' },
      ]);
    }
  });

  it('following goes on behind the last number, each event once', async () => {
    const event = (seq: number) => `id: ${seq}\ndata: {"seq":${seq}}\n\n`;
    const answers = [
      () => new Response(streamOf([event(1), event(2), 'id: 3\ndata: {"se'], true)),
      () => json(503, toProblem(new AppError('DATABASE_UNAVAILABLE', 'away')), 'application/problem+json'),
      () => new Response(streamOf([event(3), 'event: end\ndata: {}\n\n'])),
    ];
    const { sent, client } = clientOf(() => answers.shift()?.() ?? json(500, {}));
    const seen: number[] = [];
    for await (const { seq } of followRun(client, 'r1', { after: 0 })) seen.push(seq);
    expect(seen).toEqual([1, 2, 3]);
    expect(sent.map((request) => request.headers.get('last-event-id'))).toEqual([null, '2', '2']);
  });

  it('following ends at once when the run is not there', async () => {
    const { client } = clientOf(() =>
      json(404, toProblem(new AppError('RUN_NOT_FOUND', 'no')), 'application/problem+json'),
    );
    await expect(followRun(client, 'r1').next()).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });
});
