import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile } from '@/lib/engine/compile';
import { validateDefinition } from '@/lib/engine/validate';
import { parseDefinitionText, toYaml } from '@/lib/protocol/definition-text';
import type { RunStatus } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';
import { goodFate } from '@/tests/simulation/fates';
import { SimulatedHost } from '@/tests/simulation/host';
import { checkHistory } from '@/tests/simulation/oracle';
import { Random } from '@/tests/simulation/random';

const reference = readFileSync(new URL('../../docs/workflow-reference.md', import.meta.url), 'utf8');
const examples = [...reference.matchAll(/^### \d+\. (.+)\n[\s\S]*?```yaml\n([\s\S]*?)```/gm)].map(
  ([, title = '', yaml = '']) => ({ title, yaml }),
);

const text = (value: Json) => ({
  content: [],
  structuredContent: null,
  isError: false,
  text: JSON.stringify(value),
  json: value,
});

interface Run {
  input: Json;
  /** Answer of a tool or function, by its name. */
  answers?: Record<string, Json>;
  status: RunStatus;
  output: Json;
}

/** What each example must come to in a helpful world. */
const EXPECTED: Record<string, Run> = {
  'copy-file': {
    input: { from: 'a', to: 'b' },
    answers: { read_text_file: { ...text('x'), text: 'hello' } },
    status: 'completed',
    output: { bytes: 5 },
  },
  'route-by-size': {
    input: { amount: 150 },
    answers: { check: 'checked' },
    status: 'completed',
    output: 'checked',
  },
  'summarise-files': {
    input: { paths: ['a', 'b', 'c', 'd'] },
    answers: { read_text_file: { ...text('x'), text: 't' } },
    status: 'completed',
    output: { done: 4, failed: [] },
  },
  'fastest-mirror': {
    input: { key: 'k' },
    answers: { fetch: 'found' },
    status: 'completed',
    output: 'found',
  },
  'book-trip': {
    input: { to: 'Rome', amount: 5 },
    answers: { pay: 'paid' },
    status: 'completed',
    output: 'paid',
  },
  'approve-deletion': {
    input: { path: '/tmp/x' },
    answers: { delete_file: 'gone' },
    status: 'completed',
    output: { delete: 'gone' },
  },
  'poll-export': {
    input: {},
    answers: { start_export: text({ id: 7 }), export_state: text({ state: 'ready' }) },
    status: 'completed',
    output: { state: 'ready' },
  },
  'import-with-care': {
    input: { url: 'http://x' },
    answers: { fetch: text('page'), insert: 'stored' },
    status: 'completed',
    output: null,
  },
  'order-and-delivery': {
    input: { basket: 1, order: 42 },
    answers: { 'send-mail': 'sent' },
    status: 'completed',
    output: { thank: 'sent' },
  },
  release: {
    input: { ref: 'v1', teams: ['red', 'blue'] },
    answers: { health: 'well' },
    status: 'completed',
    output: 'well',
  },
  heartbeat: { input: { round: 1, rounds: 2 }, status: 'continued_as_new', output: null },
  'quorum-of-models': {
    input: { prompt: 'why?' },
    status: 'completed',
    output: { by: ['a', 'b'], count: 2 },
  },
};

describe('the examples of docs/workflow-reference.md', () => {
  it('are twelve', () => {
    expect(examples).toHaveLength(12);
  });

  it.each(examples)('$title: validates without errors and runs', ({ yaml }) => {
    const json = parseDefinitionText(yaml);
    const { definition, problems } = validateDefinition(json);
    expect(problems.filter((problem) => problem.severity === 'error')).toEqual([]);
    if (definition === undefined) throw new Error('unreachable');
    const expected = EXPECTED[definition.name];
    if (expected === undefined) throw new Error(`No expectation for ${definition.name}.`);
    const host = new SimulatedHost(compile(definition), definition, expected.input);
    const random = new Random(1);
    for (let i = 0; !host.closed; i++) {
      if (i > 500) throw new Error('The example does not end.');
      const call = host.memory.calls.values().next().value;
      if (call === undefined) {
        const waiting = [...host.state.signalWaiters.keys()][0];
        if (waiting === undefined) expect(goodFate(host, random)).toBe(true);
        else host.send('WORKFLOW_EXECUTION_SIGNALED', { name: waiting, payload: { carrier: 'post' } });
        continue;
      }
      const name = call.target.kind === 'mcp' ? call.target.tool : call.target.name;
      host.answered(call.activityId);
      host.send('ACTIVITY_TASK_COMPLETED', {
        activityId: call.activityId,
        attempt: call.attempt,
        output: expected.answers?.[name] ?? text({ ok: true }),
      });
    }
    expect(host.state.failure).toBeUndefined();
    expect(host.state.status).toBe(expected.status);
    expect(host.state.output ?? null).toEqual(expected.output);
    checkHistory(definition, host.history, host.boundaries);
  });

  it.each(examples)('$title: survives the way to YAML and back', ({ yaml }) => {
    const json = parseDefinitionText(yaml);
    expect(parseDefinitionText(toYaml(json))).toEqual(json);
    expect(parseDefinitionText(JSON.stringify(json))).toEqual(json);
  });
});
