import { describe, expect, it } from 'vitest';
import { collectSensitive, compileMaskRules, Masker, type MaskRules } from '@/lib/engine/mask';
import { collectFromEvent, maskEvent } from '@/lib/engine/mask-events';
import { markedIn, mayHold, sensitivePaths } from '@/lib/engine/sensitivity';
import { validateDefinition } from '@/lib/engine/validate';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { workflowDefinitionSchema } from '@/lib/protocol/definition';
import { parseDefinitionText, toYaml } from '@/lib/protocol/definition-text';
import { pathOf, pathSteps } from '@/lib/protocol/sensitive';
import type { Json, JsonObject } from '@/lib/shared/json';

const rulesOf = (...paths: string[]) => compileMaskRules(paths) as MaskRules;
/** Masks one value as if it were all the run holds. */
const shown = (paths: string[], value: Json, at: string[]) => {
  const rules = rulesOf(...paths);
  const values = new Set<string>();
  collectSensitive(rules, value, at, values);
  return new Masker(rules, values).value(value, at);
};

describe('places', () => {
  it('steps and paths are each other’s inverse', () => {
    for (const steps of [['input', 'a/b'], ['nodes', 'x', 'output', '~'], ['input']])
      expect(pathSteps(pathOf(steps))).toEqual(steps);
    expect(pathSteps('*.password')).toBeNull();
  });

  it('nothing to hide is no rules at all', () => {
    expect(compileMaskRules([])).toBeNull();
  });

  it('hides what lies at a path and below it, and says what it was', () => {
    const card = { number: '4111111111111111', month: 7, valid: true, note: null, tags: ['ab'] };
    expect(shown(['/input/card'], { card, other: 7 }, ['input'])).toEqual({
      card: { number: '•••', month: '••• number', valid: '••• boolean', note: null, tags: ['•••'] },
      other: 7,
    });
  });

  it('takes * for any one step, and keys wherever they are, in any case', () => {
    const value = {
      list: [{ pin: 'a', name: 'b' }],
      deep: { Authorization: 'c', x: { authorization: 'd' } },
    };
    expect(shown(['/input/list/*/pin', '*.authorization'], value, ['input'])).toEqual({
      list: [{ pin: '•••', name: 'b' }],
      deep: { Authorization: '•••', x: { authorization: '•••' } },
    });
  });

  it('finds a field of a tool’s answer in both structures, and in the texts that repeat it', () => {
    const json = { pin: '12', name: 'Ada' };
    const text = JSON.stringify(json);
    const output = { content: [{ type: 'text', text }], isError: false, text, structuredContent: json, json };
    const masked = shown(['/nodes/ask/output/pin'], output, ['nodes', 'ask', 'output']) as JsonObject;
    expect(JSON.stringify(masked)).not.toContain('"12"');
    expect(JSON.stringify(masked)).not.toContain('\\"12\\"');
    expect(masked.json).toEqual({ pin: '•••', name: 'Ada' });
    expect(masked.text).toBe('{"pin":"•••","name":"Ada"}');
  });
});

describe('values', () => {
  const masker = new Masker(null, new Set(['hunter22', 'hunter', '123456', 'say "so"', 'a b&c']));

  it('are replaced wherever they turn up: in texts, numbers, keys, JSON in texts, URLs; the longest first', () => {
    expect(masker.value('my hunter22 and hunter')).toBe('my ••• and •••');
    expect(masker.value({ hunter22: 123456, n: 1234567 })).toEqual({ '•••': '••• number', n: 1234567 });
    expect(masker.text(JSON.stringify({ quote: 'say "so"' }))).toBe('{"quote":"•••"}');
    expect(masker.text('https://x/?q=a%20b%26c')).toBe('https://x/?q=•••');
  });

  it('however many and however long they are', () => {
    const many = new Set(Array.from({ length: 5_000 }, (_none, i) => `value-${i}-`));
    const document = 'All of it. '.repeat(50_000);
    const all = new Masker(null, new Set([...many, document]));
    expect(all.text(`a value-4999- ${document}`)).toBe('a ••• •••');
    expect(all.value({ x: document })).toEqual({ x: '•••' });
  });

  it('keeps two keys that look alike', () => {
    expect(masker.value({ hunter22: 1, hunter: 2 })).toEqual({ '•••': 1, '••••': 2 });
  });

  it('shorter than four characters they are hidden only where they lie', () => {
    const rules = rulesOf('/input/pin');
    const values = new Set<string>();
    collectSensitive(rules, { pin: '123', year: 1999 }, ['input'], values);
    expect([...values]).toEqual([]);
    expect(new Masker(rules, values).value({ pin: '123', text: '123' }, ['input'])).toEqual({
      pin: '•••',
      text: '123',
    });
  });

  it('that regular expressions would take for something else stand for themselves', () => {
    const odd = new Masker(null, new Set(['a.*b$(', '[x]+y']));
    expect(odd.text('a.*b$( axxb [x]+y')).toBe('••• axxb •••');
  });
});

describe('events', () => {
  const rules = rulesOf('/input/ssn', '/nodes/fetch/output/token', '/signals/go/code');
  const history = [
    {
      type: 'WORKFLOW_EXECUTION_STARTED',
      data: { runId: 'r-1', input: { ssn: '078-05-1120', x: 1 }, workflowId: 'w' },
    },
    {
      type: 'ACTIVITY_TASK_SCHEDULED',
      data: {
        activityId: 'loop/0/fetch:do',
        nodePath: 'loop/0/fetch',
        purpose: 'do',
        input: { q: 'of 078-05-1120' },
      },
    },
    {
      type: 'ACTIVITY_TASK_COMPLETED',
      data: { activityId: 'loop/0/fetch:do', output: { json: { token: 'tok-9999' }, text: 'tok-9999' } },
    },
    { type: 'WORKFLOW_EXECUTION_SIGNALED', data: { name: 'go', payload: { code: 'c0de!' } } },
    {
      type: 'NODE_FAILED',
      data: {
        nodePath: 'x',
        failure: { code: 'TOOL_ERROR', message: 'no tok-9999, c0de!', details: { t: 'tok-9999' } },
      },
    },
  ];

  it('gather values from every place and hide them in every later field, while what says where stays', () => {
    const values = new Set<string>();
    for (const event of history) collectFromEvent(rules, event, values);
    expect([...values]).toEqual(['078-05-1120', 'tok-9999', 'c0de!']);
    const masker = new Masker(rules, values);
    const masked = history.map((event) => maskEvent(masker, event));
    for (const value of values) expect(JSON.stringify(masked)).not.toContain(value);
    expect(masked[0]?.data).toEqual({ runId: 'r-1', input: { ssn: '•••', x: 1 }, workflowId: 'w' });
    expect(masked[1]?.data).toMatchObject({ nodePath: 'loop/0/fetch', input: { q: 'of •••' } });
    expect(masked[4]?.data.failure).toEqual({
      code: 'TOOL_ERROR',
      message: 'no •••, •••',
      details: { t: '•••' },
    });
  });

  it('what was seeded from the run before is hidden like what it came from', () => {
    const values = new Set<string>();
    const seeded = {
      type: 'WORKFLOW_EXECUTION_STARTED',
      data: { input: null, seeds: { fetch: { output: { json: { token: 'tok-1' } }, port: 'ok' } } },
    };
    collectFromEvent(rules, seeded, values);
    expect(maskEvent(new Masker(rules, values), seeded).data.seeds).toEqual({
      fetch: { output: { json: { token: '•••' } }, port: 'ok' },
    });
  });

  it('questions of servers and answers of undoing calls are no input or output of the run', () => {
    const own = rulesOf('/input', '/output');
    const values = new Set<string>();
    collectFromEvent(
      own,
      { type: 'ACTIVITY_TASK_INPUT_REQUIRED', data: { activityId: 'a:do', input: { q: 'what?' } } },
      values,
    );
    collectFromEvent(
      own,
      { type: 'ACTIVITY_TASK_COMPLETED', data: { activityId: 'a:compensate', output: 'undone' } },
      values,
    );
    expect([...values]).toEqual([]);
  });
});

const definition = (more: object) =>
  ({
    schemaVersion: 1,
    name: 'pay',
    input: {
      type: 'object',
      properties: {
        card: { $ref: '#/$defs/card' },
        pin: { type: 'string', writeOnly: true },
        list: { type: 'array', items: { properties: { key: { 'x-sensitive': true } } } },
        open: { type: 'string' },
      },
      $defs: { card: { allOf: [{ properties: { number: { 'x-sensitive': true } } }] } },
    },
    nodes: [
      { id: 'call', kind: 'mcp-server', server: 's', tool: 't', arguments: { a: '${input.open}' } },
      { id: 'child', kind: 'subworkflow', workflow: 'inner' },
      { id: 'ask', kind: 'approval', form: { properties: { code: { writeOnly: true } } } },
      { id: 'hold', kind: 'wait', signal: 'go' },
    ],
    ...more,
  }) as WorkflowDefinition;

describe('marks', () => {
  it('are found in every kind of schema', () => {
    expect(markedIn({ additionalProperties: { writeOnly: true } })).toEqual([['*']]);
    expect(markedIn({ prefixItems: [{}, { 'x-sensitive': true }] })).toEqual([['1']]);
    const self: JsonObject = { properties: { a: { $ref: '#' }, b: { writeOnly: true } } };
    expect(markedIn(self)).toEqual([['b']]);
  });

  it('come from the definition, its schemas, its tools, its questions and its children', () => {
    const tool = {
      name: 't',
      inputSchema: { properties: { secret: { writeOnly: true } } },
      outputSchema: { properties: { token: { 'x-sensitive': true } } },
    };
    const knowledge = { servers: new Map([['s', new Map([['t', tool as never]])]]) };
    const inner = definition({
      name: 'inner',
      sensitive: ['/output/made', '*.key'],
      nodes: [{ id: 'x', kind: 'transform', output: 1 }],
    });
    const paths = sensitivePaths(definition({ sensitive: ['/signals/go/code'] }), knowledge, () => inner);
    expect(paths.sort()).toEqual(
      [
        '/signals/go/code',
        '/input/card/number',
        '/input/pin',
        '/input/list/*/key',
        '/nodes/ask/output/form/code',
        '/nodes/call/input/secret',
        '/nodes/call/output/token',
        '/nodes/child/input/card/number',
        '/nodes/child/input/pin',
        '/nodes/child/input/list/*/key',
        '/nodes/child/output/made',
      ].sort(),
    );
  });

  it('mayHold knows what a schema rules out, and doubts in favour of the path', () => {
    const schema = definition({}).input as Json;
    expect(mayHold(schema, ['pin'])).toBe(true);
    expect(mayHold(schema, ['list', '*', 'key'])).toBe(true);
    expect(mayHold(schema, ['pni'])).toBe(false);
    expect(mayHold(schema, ['list', 'key'])).toBe(false);
    expect(mayHold({ type: 'object' }, ['x'])).toBe(true);
    expect(mayHold(undefined, ['x'])).toBe(true);
  });
});

describe('the list of a definition', () => {
  const warnings = (sensitive: string[]) =>
    validateDefinition(definition({ sensitive })).problems.filter(
      ({ code }) => code === 'SENSITIVE_PATH_UNKNOWN',
    );

  it('is kept by YAML and back', () => {
    const given = workflowDefinitionSchema.parse(definition({ sensitive: ['/input/pin', '*.password'] }));
    expect(workflowDefinitionSchema.parse(parseDefinitionText(toYaml(given as unknown as Json)))).toEqual(
      given,
    );
  });

  it('refuses what is no path', () => {
    for (const path of ['input/pin', '/elsewhere', '/nodes/call', '*.a/b', '/nodes/call/state/x'])
      expect(workflowDefinitionSchema.safeParse(definition({ sensitive: [path] })).success, path).toBe(false);
  });

  it('warns of each path at which nothing can lie, and of no other', () => {
    const good = [
      '/input/pin',
      '/input/list/0/key',
      '/nodes/call/input/a',
      '/nodes/call/output/x',
      '/signals/go/code',
      '*.x',
      '/output/y',
    ];
    expect(warnings(good)).toEqual([]);
    const bad = [
      '/input/pni',
      '/nodes/cal/output/x',
      '/nodes/call/input/b',
      '/signals/gone',
      '/nodes/hold/compensate/x',
    ];
    const found = warnings(bad);
    expect(found.map(({ pointer }) => pointer)).toEqual(bad.map((_path, i) => `/sensitive/${i}`));
    expect(found.every(({ severity }) => severity === 'warning')).toBe(true);
    expect(found[1]?.fix).toContain('call');
  });
});
