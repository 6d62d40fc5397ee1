import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HttpServerConfig } from '@/lib/protocol/server-config';
import type {
  InputAnswer,
  InputRequest,
  InputRequired,
  SamplingAnswerer,
  ToolCall,
} from '@/server/ports/mcp-fleet';
import { effects, listen } from '../fixtures/mcp-servers/modern-server.mjs';
import {
  afterTest,
  failureOf,
  fleetOf,
  http,
  ORGANIZATION,
  ROOT,
  resultOf,
  stdio,
  textOf,
  toolCall,
} from './mcp-fleet-support';

async function modern(extra: Partial<HttpServerConfig> = {}) {
  effects.length = 0;
  const server = await listen();
  afterTest(() => server.close());
  return { fleet: fleetOf({ m: http(server.url, extra) }), url: server.url };
}

const everything = (extra = {}) =>
  fleetOf({
    e: stdio(
      [path.join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'stdio'],
      extra,
    ),
  });

/** Answers each question by its kind and notes the rounds. */
function answering(
  answers: Partial<Record<InputRequest['kind'], InputAnswer>>,
  rounds: InputRequired[] = [],
) {
  const onInputRequired: NonNullable<ToolCall['onInputRequired']> = async (input) => {
    rounds.push(input);
    const entries = input.requests.map(
      (request) => [request.key, answers[request.kind] ?? { action: 'cancel' }] as const,
    );
    return Object.fromEntries(entries);
  };
  return onInputRequired;
}

describe('questions of a server of the 2026-07-28 era', () => {
  it('are put to the caller, and the call goes on with the answer', async () => {
    const { fleet } = await modern();
    const rounds: InputRequired[] = [];
    const onInputRequired = answering({ form: { action: 'accept', content: { confirm: true } } }, rounds);
    const outcome = await fleet.call(toolCall('m', 'deploy', { env: 'prod' }, { onInputRequired }));
    expect(textOf(outcome)).toBe('deployed prod with state-of-prod');
    expect(rounds).toHaveLength(1);
    expect(rounds[0]).toMatchObject({ durable: true, requestState: 'state-of-prod' });
    expect(rounds[0]?.requests[0]).toMatchObject({
      key: 'confirm',
      kind: 'form',
      message: 'Deploy to prod?',
      schema: { type: 'object' },
    });
    expect(effects).toEqual(['deployed prod']);
  });

  it('a refusal is an answer as well', async () => {
    const { fleet } = await modern();
    const onInputRequired = answering({ form: { action: 'decline' } });
    expect(textOf(await fleet.call(toolCall('m', 'deploy', { env: 'x' }, { onInputRequired })))).toBe(
      'not deployed (decline)',
    );
  });

  it('park the call without a listener, and another process takes it up with the answer', async () => {
    const { fleet, url } = await modern();
    const parked = failureOf(await fleet.call(toolCall('m', 'deploy', { env: 'prod' })));
    expect(parked).toMatchObject({ code: 'INPUT_REQUIRED', ambiguous: false, retriable: false });
    await fleet.close();
    // Only what survives in a database is carried over.
    const input = JSON.parse(JSON.stringify(parked.inputRequired)) as InputRequired;
    const other = fleetOf({ m: http(url) });
    const answers = { confirm: { action: 'accept', content: { confirm: true } } } as const;
    expect(
      textOf(await other.call(toolCall('m', 'deploy', { env: 'prod' }, { resume: { input, answers } }))),
    ).toBe('deployed prod with state-of-prod');
    expect(effects).toEqual(['deployed prod']);
  });

  it('do not use up the time of the call', async () => {
    const { fleet } = await modern();
    await fleet.call(toolCall('m', 'echo', { value: 'warm' }));
    const onInputRequired: ToolCall['onInputRequired'] = async ({ requests }) => {
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      return { [requests[0]?.key ?? '']: { action: 'accept', content: { confirm: true } } };
    };
    const call = toolCall('m', 'deploy', { env: 'late' }, { onInputRequired, timeoutMs: 2_000 });
    expect(textOf(await fleet.call(call))).toContain('deployed late');
  });

  it('several at once: pages and models go to the caller as allowed, folders are answered here', async () => {
    const { fleet } = await modern({ sampling: 'ask', roots: ['file:///data'] });
    const rounds: InputRequired[] = [];
    const model = { role: 'assistant', model: 'test', content: { type: 'text', text: 'Hello!' } };
    const onInputRequired = answering(
      { url: { action: 'accept' }, sampling: { action: 'result', result: model } },
      rounds,
    );
    const result = resultOf(await fleet.call(toolCall('m', 'survey', {}, { onInputRequired })));
    expect(rounds[0]?.requests.map(({ key, kind }) => `${key} ${kind}`)).toEqual([
      'page url',
      'model sampling',
    ]);
    expect(result.structuredContent).toMatchObject({
      answers: { page: { action: 'accept' }, model, folders: { roots: [{ uri: 'file:///data' }] } },
    });
  });

  it('end after too many rounds', async () => {
    const { fleet } = await modern();
    const rounds: InputRequired[] = [];
    const onInputRequired = answering({ form: { action: 'accept', content: { confirm: true } } }, rounds);
    expect(failureOf(await fleet.call(toolCall('m', 'endless', {}, { onInputRequired })))).toMatchObject({
      code: 'PROTOCOL_ERROR',
    });
    expect(rounds.length).toBeLessThan(15);
  });

  it('are cancelled with the call', async () => {
    const { fleet } = await modern();
    const controller = new AbortController();
    const onInputRequired: ToolCall['onInputRequired'] = (_input, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('gone')));
        controller.abort();
      });
    const call = toolCall('m', 'deploy', { env: 'x' }, { onInputRequired, signal: controller.signal });
    expect(failureOf(await fleet.call(call))).toMatchObject({ code: 'CANCELLED', ambiguous: false });
  });
});

describe('questions of a server of 2025', () => {
  const person = { name: 'Ada Verhoeven', check: true, email: 'ada@example.com' };

  it('are put to the caller inside the open request', async () => {
    const fleet = everything();
    const rounds: InputRequired[] = [];
    const onInputRequired = answering({ form: { action: 'accept', content: person } }, rounds);
    const outcome = await fleet.call(toolCall('e', 'trigger-elicitation-request', {}, { onInputRequired }));
    expect(textOf(outcome)).toContain('Ada Verhoeven');
    expect(rounds).toHaveLength(1);
    expect(rounds[0]).toMatchObject({ durable: false, requests: [{ kind: 'form' }] });
  });

  it('are refused without a listener, and the call ends by itself', async () => {
    const fleet = everything();
    expect(textOf(await fleet.call(toolCall('e', 'trigger-elicitation-request')))).toMatch(/declin|cancel/i);
  });

  it('are not declared as possible when the configuration refuses them', async () => {
    const names = async (extra: object) => {
      const detail = await everything(extra).inspect('018f0000-0000-7000-8000-000000000001', 'e');
      return detail.toolList.map((tool) => tool.name);
    };
    expect(await names({})).toContain('trigger-elicitation-request');
    expect(await names({})).not.toContain('trigger-sampling-request');
    expect(await names({ elicitation: 'refuse', sampling: 'ask' })).not.toContain(
      'trigger-elicitation-request',
    );
    expect(await names({ sampling: 'ask', roots: ['file:///data'] })).toEqual(
      expect.arrayContaining(['trigger-sampling-request', 'get-roots-list']),
    );
  });

  it('for a model are answered, and folders told', async () => {
    const fleet = everything({ sampling: 'ask', roots: ['file:///data/documents'] });
    const result = { role: 'assistant', model: 'test-model', content: { type: 'text', text: 'forty-two' } };
    const onInputRequired = answering({ sampling: { action: 'result', result } });
    const args = { prompt: 'What is the answer?', maxTokens: 10 };
    expect(
      textOf(await fleet.call(toolCall('e', 'trigger-sampling-request', args, { onInputRequired }))),
    ).toContain('forty-two');
    expect(textOf(await fleet.call(toolCall('e', 'get-roots-list')))).toContain('file:///data/documents');
  });

  it('for a model go to the model that is set up, or are refused when it fails', async () => {
    const server = stdio(
      [path.join(ROOT, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'stdio'],
      { sampling: 'endpoint' },
    );
    let asked = 0;
    const sampling: SamplingAnswerer = async () => {
      if (asked++ > 0) throw new Error('out of credit');
      return { role: 'assistant', model: 'm', content: { type: 'text', text: 'from the endpoint' } };
    };
    const fleet = fleetOf({ e: server }, { sampling });
    const ask = () =>
      fleet.call(toolCall('e', 'trigger-sampling-request', { prompt: 'What?', maxTokens: 10 }));
    expect(textOf(await ask())).toContain('from the endpoint');
    expect(resultOf(await ask()).isError).toBe(true);
    expect((await fleet.logs(ORGANIZATION, 'e')).some((line) => line.text.includes('out of credit'))).toBe(
      true,
    );
  });

  it('go to the right caller: never to one of several, and one at a time from then on', async () => {
    const fleet = everything();
    await fleet.call(toolCall('e', 'echo', { message: 'warm' }));
    const ask = (name: string) => {
      const onInputRequired = answering({ form: { action: 'accept', content: { ...person, name } } });
      return fleet.call(toolCall('e', 'trigger-elicitation-request', {}, { onInputRequired }));
    };
    const together = await Promise.all([ask('First Person'), ask('Second Person')]);
    const texts = together.map((outcome) => (outcome.ok ? textOf(outcome) : failureOf(outcome).message));
    expect(texts[0]).not.toContain('Second Person');
    expect(texts[1]).not.toContain('First Person');
    const again = await Promise.all([ask('First Person'), ask('Second Person'), ask('Third Person')]);
    expect(again.map(textOf)).toEqual([
      expect.stringContaining('First Person'),
      expect.stringContaining('Second Person'),
      expect.stringContaining('Third Person'),
    ]);
  });
});
