import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { samplingEndpoint } from '@/server/adapters/mcp/sampling-endpoint';

const cleanups: Array<() => void> = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A model that answers with what it is told to, and remembers what it was asked. */
async function model(status: number, answer: unknown) {
  const asked: Array<{ path: string; headers: Record<string, unknown>; body: unknown }> = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    asked.push({
      path: request.url ?? '',
      headers: request.headers,
      body: JSON.parse(Buffer.concat(chunks).toString()),
    });
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1/`, asked };
}

const params = {
  systemPrompt: 'Be brief.',
  temperature: 0.5,
  maxTokens: 5000,
  stopSequences: ['END'],
  messages: [
    { role: 'user', content: { type: 'text', text: 'Hello' } },
    { role: 'assistant', content: { type: 'text', text: 'Hi' } },
    { role: 'user', content: { type: 'image', mimeType: 'image/png', data: 'AAAA' } },
  ],
};
const never = new AbortController().signal;
const common = { apiKey: 'key', model: 'small', maxTokens: 100, fetch };

describe('samplingEndpoint', () => {
  it('speaks the OpenAI form', async () => {
    const { url, asked } = await model(200, {
      model: 'small-1',
      choices: [{ message: { content: 'Good day' }, finish_reason: 'length' }],
    });
    const answer = await samplingEndpoint({ ...common, kind: 'openai', url })(params, never);
    expect(answer).toEqual({
      role: 'assistant',
      model: 'small-1',
      stopReason: 'maxTokens',
      content: { type: 'text', text: 'Good day' },
    });
    expect(asked[0]).toMatchObject({
      path: '/v1/chat/completions',
      headers: { authorization: 'Bearer key' },
      body: {
        model: 'small',
        max_tokens: 100,
        temperature: 0.5,
        stop: ['END'],
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
          { role: 'assistant', content: [{ type: 'text', text: 'Hi' }] },
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }],
          },
        ],
      },
    });
  });

  it('speaks the Anthropic form', async () => {
    const { url, asked } = await model(200, {
      model: 'm',
      content: [
        { type: 'text', text: 'Good ' },
        { type: 'text', text: 'day' },
      ],
      stop_reason: 'end_turn',
    });
    const answer = await samplingEndpoint({ ...common, kind: 'anthropic', url: url.replace('/v1/', '') })(
      params,
      never,
    );
    expect(answer).toEqual({
      role: 'assistant',
      model: 'm',
      stopReason: 'endTurn',
      content: { type: 'text', text: 'Good day' },
    });
    expect(asked[0]).toMatchObject({
      path: '/v1/messages',
      headers: { 'x-api-key': 'key' },
      body: { system: 'Be brief.', max_tokens: 100, stop_sequences: ['END'] },
    });
  });

  it('fails with a code, and without the key in its message', async () => {
    for (const [status, answer, code] of [
      [500, 'no', 'NETWORK_ERROR'],
      [200, 'no json', 'PROTOCOL_ERROR'],
      [200, { choices: [] }, 'PROTOCOL_ERROR'],
    ] as const) {
      const { url } = await model(status, answer);
      const failure = await samplingEndpoint({ ...common, kind: 'openai', url })(params, never).catch(
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ code });
      expect(String(failure)).not.toContain('key');
    }
  });
});
