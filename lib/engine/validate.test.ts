import { describe, expect, it } from 'vitest';
import { type Knowledge, validateDefinition } from '@/lib/engine/validate';
import type { Tool } from '@/lib/protocol/api';
import { isJsonObject, type Json } from '@/lib/shared/json';

const tool = (name: string, inputSchema: Json, more: Partial<Tool> = {}): [string, Tool] => [
  name,
  {
    name,
    title: null,
    description: null,
    inputSchema: inputSchema as Tool['inputSchema'],
    outputSchema: null,
    annotations: {},
    ...more,
  },
];

const KNOWN: Knowledge = {
  servers: new Map([
    [
      'filesystem',
      new Map([
        tool(
          'read_file',
          {
            type: 'object',
            required: ['path'],
            properties: { path: { type: 'string' }, head: { type: 'integer' } },
            additionalProperties: false,
          },
          {
            outputSchema: {
              type: 'object',
              properties: { content: { type: 'string' }, size: { type: 'integer' } },
            } as Tool['outputSchema'],
          },
        ),
        tool(
          'delete_file',
          { type: 'object', properties: { path: { type: 'string' } } },
          { annotations: { destructiveHint: true } },
        ),
      ]),
    ],
  ]),
};

/** A sound definition around the given nodes. */
const around = (nodes: unknown[], edges: unknown[] = [], more: object = {}) => ({
  schemaVersion: 1,
  name: 'sample',
  timeout: '1h',
  nodes,
  edges,
  ...more,
});
const a = { id: 'a', kind: 'transform', output: 1 };
const b = { id: 'b', kind: 'transform', output: 2 };
const c = { id: 'c', kind: 'transform', output: 3 };
const yes = { id: 'cond', kind: 'condition', cases: [{ port: 'yes', when: 'input.ok' }] };
const read = (args: object) => ({
  id: 'read',
  kind: 'mcp-server',
  server: 'filesystem',
  tool: 'read_file',
  arguments: args,
});

type Broken = [
  name: string,
  definition: unknown,
  code: string,
  nodeId: string | null,
  pointer: string,
  fix: RegExp,
];

/** Hand-made broken definitions: what is wrong, where it must be found, and what the fix must say. */
const BROKEN: Broken[] = [
  ['not an object', 'text', 'INVALID_FIELD', null, '', /right form/],
  ['no nodes', { schemaVersion: 1, name: 'x' }, 'MISSING_FIELD', null, '/nodes', /Add it/],
  ['an unknown field', around([a], [], { nmae: 'x' }), 'UNKNOWN_FIELD', null, '/nmae', /spelling/],
  [
    'an unknown field of a node',
    around([{ ...a, colour: 'red' }]),
    'UNKNOWN_FIELD',
    'a',
    '/nodes/0/colour',
    /spelling/,
  ],
  [
    'an unknown kind',
    around([{ id: 'a', kind: 'transfrom', output: 1 }]),
    'UNKNOWN_KIND',
    'a',
    '/nodes/0/kind',
    /Did you mean "transform"/,
  ],
  [
    'an id that is no name',
    around([{ ...a, id: 'my-node' }]),
    'INVALID_ID',
    'my-node',
    '/nodes/0/id',
    /letters, digits and _/,
  ],
  [
    'a bad duration',
    around([{ id: 'w', kind: 'wait', duration: '5 minutes' }]),
    'INVALID_FIELD',
    'w',
    '/nodes/0/duration',
    /500ms, 30s/,
  ],
  [
    'a deadline of 273,000 years',
    around([{ id: 'w', kind: 'approval', deadline: '100000000d' }]),
    'INVALID_FIELD',
    'w',
    '/nodes/0/deadline',
    /at most 36525d, 100 years/i,
  ],
  [
    'a wait for two things',
    around([{ id: 'w', kind: 'wait', duration: '5s', signal: 'go' }]),
    'INVALID_FIELD',
    'w',
    '/nodes/0/duration',
    /exactly one/,
  ],
  [
    'a missing tool',
    around([{ id: 'm', kind: 'mcp-server', server: 'filesystem' }]),
    'MISSING_FIELD',
    'm',
    '/nodes/0/tool',
    /Add it/,
  ],
  [
    'a while loop without a bound',
    around([{ id: 'l', kind: 'loop', mode: 'while', while: 'true', body: { nodes: [a] } }]),
    'LOOP_UNBOUNDED',
    'l',
    '/nodes/0/maxIterations',
    /maxIterations/,
  ],
  [
    'a for-each without items',
    around([{ id: 'l', kind: 'loop', mode: 'for-each', body: { nodes: [a] } }]),
    'INVALID_FIELD',
    'l',
    '/nodes/0/items',
    /items/,
  ],
  [
    'an empty container',
    around([{ id: 's', kind: 'sequential', nodes: [] }]),
    'INVALID_FIELD',
    's',
    '/nodes/0/nodes',
    /right form/,
  ],
  ['one id twice', around([a, { ...b, id: 'a' }]), 'DUPLICATE_ID', 'a', '/nodes/1/id', /another id/],
  [
    'one id twice across containers',
    around([a, { id: 's', kind: 'sequential', nodes: [{ ...b, id: 'a' }] }]),
    'DUPLICATE_ID',
    'a',
    '/nodes/1/nodes/0/id',
    /another id/,
  ],
  ['a reserved id', around([{ ...a, id: 'input' }]), 'RESERVED_ID', 'input', '/nodes/0/id', /input_step/],
  [
    'an edge to nowhere',
    around([a, b], [{ from: 'a', to: 'bb' }]),
    'EDGE_UNKNOWN_NODE',
    null,
    '/edges/0/to',
    /Did you mean "b"/,
  ],
  [
    'an edge into a container',
    around([a, { id: 's', kind: 'sequential', nodes: [b] }], [{ from: 'a', to: 'b' }]),
    'EDGE_UNKNOWN_NODE',
    null,
    '/edges/0/to',
    /border of a container|Did you mean/,
  ],
  [
    'the same edge twice',
    around(
      [a, b],
      [
        { from: 'a', to: 'b' },
        { from: 'a', to: 'b' },
      ],
    ),
    'DUPLICATE_EDGE',
    'a',
    '/edges/1',
    /Remove one/,
  ],
  [
    'a cycle',
    around(
      [a, b, c],
      [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'c' },
        { from: 'c', to: 'b' },
      ],
    ),
    'CYCLE',
    'b',
    '/edges/2',
    /loop node/,
  ],
  ['an edge to itself', around([a], [{ from: 'a', to: 'a' }]), 'CYCLE', 'a', '/edges/0', /loop node/],
  [
    'an unknown port',
    around([yes, b], [{ from: 'cond', to: 'b', port: 'yess' }]),
    'PORT_UNKNOWN',
    'cond',
    '/edges/0/port',
    /Did you mean "yes"/,
  ],
  [
    'a condition without a port',
    around([yes, b], [{ from: 'cond', to: 'b' }]),
    'PORT_MISSING',
    'cond',
    '/edges/0',
    /yes, else/,
  ],
  [
    'a port taken twice',
    around(
      [
        {
          id: 'cond',
          kind: 'condition',
          cases: [
            { port: 'p', when: 'input.a' },
            { port: 'p', when: 'input.b' },
          ],
        },
        b,
      ],
      [{ from: 'cond', to: 'b', port: 'p' }],
    ),
    'CONDITION_PORT_TAKEN',
    'cond',
    '/nodes/0/cases/1/port',
    /another port/,
  ],
  [
    'something after the end',
    around([{ id: 'end', kind: 'terminate' }, b], [{ from: 'end', to: 'b' }]),
    'AFTER_TERMINATE',
    'end',
    '/edges/0',
    /Remove the edge/,
  ],
  [
    'a join of more edges than there are',
    around(
      [a, b, { ...c, join: { atLeast: 3 } }],
      [
        { from: 'a', to: 'c' },
        { from: 'b', to: 'c' },
      ],
    ),
    'JOIN_TOO_LARGE',
    'c',
    '/nodes/2/join/atLeast',
    /at most 2/,
  ],
  [
    'a join without edges',
    around([{ ...a, join: 'on-failure' }]),
    'JOIN_WITHOUT_EDGES',
    'a',
    '/nodes/0/join',
    /Remove join/,
  ],
  [
    'more branches than there are',
    around([
      {
        id: 'p',
        kind: 'parallel',
        branchJoin: { atLeast: 3 },
        branches: [
          { id: 'x', nodes: [a] },
          { id: 'y', nodes: [b] },
        ],
      },
    ]),
    'JOIN_TOO_LARGE',
    'p',
    '/nodes/0/branchJoin/atLeast',
    /at most 2/,
  ],
  [
    'a branch id twice',
    around([
      {
        id: 'p',
        kind: 'parallel',
        branches: [
          { id: 'x', nodes: [a] },
          { id: 'x', nodes: [b] },
        ],
      },
    ]),
    'DUPLICATE_BRANCH',
    'p',
    '/nodes/0/branches/1/id',
    /another id/,
  ],
  [
    'an unknown reference',
    around([a, { ...b, output: '${aa.output}' }], [{ from: 'a', to: 'b' }]),
    'REFERENCE_UNKNOWN',
    'b',
    '/nodes/1/output',
    /Did you mean "a"/,
  ],
  [
    'a reference to what comes later',
    around([{ ...a, output: '${b.output}' }, b], [{ from: 'a', to: 'b' }]),
    'REFERENCE_NOT_BEFORE',
    'a',
    '/nodes/0/output',
    /edge that leads from b to a/,
  ],
  [
    'a reference to a node beside',
    around([a, { ...b, output: { x: ['${a.output}'] } }]),
    'REFERENCE_NOT_BEFORE',
    'b',
    '/nodes/1/output/x/0',
    /edge that leads/,
  ],
  [
    'a reference to a node on one way only',
    around(
      [yes, a, { ...b, output: '${a.output}' }],
      [
        { from: 'cond', to: 'a', port: 'yes' },
        { from: 'cond', to: 'b', port: 'else' },
        { from: 'a', to: 'b' },
      ],
    ),
    'REFERENCE_NOT_CERTAIN',
    'b',
    '/nodes/2/output',
    /default\(a\.output/,
  ],
  [
    'a reference to itself',
    around([{ ...a, output: '${a.output}' }]),
    'REFERENCE_SELF',
    'a',
    '/nodes/0/output',
    /before it/,
  ],
  [
    'a reference into a container',
    around(
      [
        { id: 's', kind: 'sequential', nodes: [a] },
        { ...b, output: '${a.output}' },
      ],
      [{ from: 's', to: 'b' }],
    ),
    'REFERENCE_HIDDEN',
    'b',
    '/nodes/1/output',
    /\$\{s\.output\}/,
  ],
  [
    'an expression that is none',
    around([{ ...a, output: '${1 +}' }]),
    'EXPRESSION_INVALID',
    'a',
    '/nodes/0/output',
    /workflow-reference/,
  ],
  [
    'an expression never closed',
    around([{ ...a, output: 'x ${input.a' }]),
    'EXPRESSION_INVALID',
    'a',
    '/nodes/0/output',
    /\}/,
  ],
  [
    'a regular expression without a bound',
    around([{ ...a, output: '${input.s.matches("(a+)+$")}' }]),
    'EXPRESSION_INVALID',
    'a',
    '/nodes/0/output',
    /workflow-reference/,
  ],
  [
    'types that do not fit',
    around([{ ...a, output: '${input.s + 1}' }], [], {
      input: { type: 'object', properties: { s: { type: 'string' } } },
    }),
    'TYPE_MISMATCH',
    'a',
    '/nodes/0/output',
    /string\(…\)/,
  ],
  [
    'types that do not fit a tool result',
    around(
      [read({ path: 'x' }), { ...b, output: '${read.output.json.content + 1}' }],
      [{ from: 'read', to: 'b' }],
    ),
    'TYPE_MISMATCH',
    'b',
    '/nodes/1/output',
    /Convert/,
  ],
  [
    'an unknown server',
    around([{ ...read({ path: 'x' }), server: 'filesytem' }]),
    'SERVER_UNKNOWN',
    'read',
    '/nodes/0/server',
    /Did you mean "filesystem"/,
  ],
  [
    'an unknown tool',
    around([{ ...read({ path: 'x' }), tool: 'readfile' }]),
    'TOOL_UNKNOWN',
    'read',
    '/nodes/0/tool',
    /Did you mean "read_file"/,
  ],
  ['a missing argument', around([read({})]), 'ARGUMENT_MISSING', 'read', '/nodes/0/arguments', /"path"/],
  [
    'an argument the tool does not take',
    around([read({ path: 'x', mode: 'r' })]),
    'ARGUMENT_UNKNOWN',
    'read',
    '/nodes/0/arguments/mode',
    /path, head/,
  ],
  [
    'an argument of the wrong type',
    around([read({ path: 5 })]),
    'ARGUMENT_TYPE',
    'read',
    '/nodes/0/arguments/path',
    /input schema/,
  ],
  [
    'an argument whose expression has the wrong type',
    around([read({ path: '${size(input.items)}' })]),
    'ARGUMENT_TYPE',
    'read',
    '/nodes/0/arguments/path',
    /string\(…\)/,
  ],
  [
    'a compensation that lacks an argument',
    around([
      { ...read({ path: 'x' }), compensate: { server: 'filesystem', tool: 'read_file', arguments: {} } },
    ]),
    'ARGUMENT_MISSING',
    'read',
    '/nodes/0/compensate/arguments',
    /"path"/,
  ],
  [
    'a quorum nobody can reach',
    around([{ id: 'ok', kind: 'approval', approvers: { users: ['ann'] }, quorum: 2 }]),
    'QUORUM_UNREACHABLE',
    'ok',
    '/nodes/0/quorum',
    /Lower the quorum to 1/,
  ],
  [
    'a secret that is not declared',
    around([{ id: 'x', kind: 'activity', activity: 'f', input: { key: { $secret: 'TOKEN' } } }]),
    'SECRET_UNDECLARED',
    'x',
    '/nodes/0/input/key',
    /"TOKEN"/,
  ],
  [
    'a timeout of zero',
    around([{ id: 'x', kind: 'activity', activity: 'f', timeout: 0 }]),
    'TIMEOUT_ZERO',
    'x',
    '/nodes/0/timeout',
    /longer/,
  ],
  [
    'its own failure workflow',
    around([a], [], { failureWorkflow: 'sample' }),
    'FAILURE_WORKFLOW_SELF',
    null,
    '/failureWorkflow',
    /another workflow/,
  ],
  [
    'a loop variable that hides a node',
    around([a, { id: 'l', kind: 'loop', mode: 'for-each', items: '[1]', as: 'a', body: { nodes: [b] } }]),
    'LOOP_VARIABLE_TAKEN',
    'l',
    '/nodes/1/as',
    /another name/,
  ],
  ...['index', 'item', 'last'].map(
    (name): Broken => [
      `a node that the loop variable ${name} hides, which the loop has without naming it`,
      around([
        { ...a, id: name },
        name === 'last'
          ? {
              id: 'l',
              kind: 'loop',
              mode: 'while',
              while: 'index < 2',
              maxIterations: 2,
              body: { nodes: [b] },
            }
          : { id: 'l', kind: 'loop', mode: 'for-each', items: '[1]', body: { nodes: [b] } },
      ]),
      'LOOP_VARIABLE_TAKEN',
      'l',
      '/nodes/1',
      /another id/,
    ],
  ),
  [
    'an edge for a timeout that never comes',
    around([{ id: 'w', kind: 'wait', signal: 'go' }, b], [{ from: 'w', to: 'b', port: 'timeout' }]),
    'PORT_NEVER_TAKEN',
    'w',
    '/nodes/0',
    /timeout/,
  ],
];

type Odd = [name: string, definition: unknown, code: string, nodeId: string | null, pointer: string];

/** Definitions that work, but likely not as meant. */
const ODD: Odd[] = [
  [
    'a case that leads nowhere',
    around(
      [{ id: 'cond', kind: 'condition', cases: [{ port: 'p', when: 'input.a' }] }, b],
      [{ from: 'cond', to: 'b', port: 'else' }],
    ),
    'DEAD_BRANCH',
    'cond',
    '/nodes/0/cases/0',
  ],
  [
    'a condition that is always true',
    around(
      [{ id: 'cond', kind: 'condition', cases: [{ port: 'p', when: 'true' }] }, b],
      [{ from: 'cond', to: 'b', port: 'p' }],
    ),
    'DEAD_BRANCH',
    'cond',
    '/nodes/0/cases/0/when',
  ],
  ['a node nothing touches', around([a, b, c], [{ from: 'a', to: 'b' }]), 'ISOLATED_NODE', 'c', '/nodes/2'],
  [
    'a wait without an end',
    around([{ id: 'w', kind: 'wait', signal: 'go' }], [], { timeout: undefined }),
    'NO_TIMEOUT',
    'w',
    '/nodes/0',
  ],
  [
    'a timeout longer than the run',
    around([{ id: 'x', kind: 'activity', activity: 'f', timeout: '2h' }]),
    'TIMEOUT_EXCEEDS_RUN',
    'x',
    '/nodes/0/timeout',
  ],
  [
    'a secret in plain sight',
    around([{ id: 'x', kind: 'activity', activity: 'f', input: { password: 'hunter2' } }]),
    'SECRET_LITERAL',
    'x',
    '/nodes/0/input/password',
  ],
  ['a secret never used', around([a], [], { secrets: ['TOKEN'] }), 'SECRET_UNUSED', null, '/secrets/0'],
  [
    'a destructive tool without a yes',
    around([
      { id: 'x', kind: 'mcp-server', server: 'filesystem', tool: 'delete_file', arguments: { path: 'x' } },
    ]),
    'DESTRUCTIVE_TOOL',
    'x',
    '/nodes/0/tool',
  ],
  [
    'a result that may be null',
    around([yes, a], [{ from: 'cond', to: 'a', port: 'yes' }], { output: '${a.output}' }),
    'REFERENCE_MAY_BE_NULL',
    null,
    '/output',
  ],
  [
    'a field the schema does not know',
    around([{ ...a, output: '${input.zz}' }], [], {
      input: { type: 'object', properties: { s: { type: 'string' } } },
    }),
    'FIELD_UNKNOWN',
    'a',
    '/nodes/0/output',
  ],
  [
    'a condition that goes on after a failure by no port',
    around([{ ...yes, onError: 'continue' }, b], [{ from: 'cond', to: 'b', port: 'yes' }]),
    'CONTINUE_LEADS_NOWHERE',
    'cond',
    '/nodes/0/onError',
  ],
  [
    'a join of one edge',
    around([a, { ...b, join: 'any' }], [{ from: 'a', to: 'b' }]),
    'JOIN_NEEDLESS',
    'b',
    '/nodes/1/join',
  ],
  [
    'a position of no node',
    around([a], [], { ui: { positions: { zz: { x: 1, y: 1 } } } }),
    'UI_UNKNOWN_NODE',
    null,
    '/ui/positions/zz',
  ],
  [
    'a workflow that starts itself',
    around([{ id: 's', kind: 'subworkflow', workflow: 'sample' }]),
    'SUBWORKFLOW_SELF',
    's',
    '/nodes/0/workflow',
  ],
  [
    'an input that means nothing',
    around([{ id: 'end', kind: 'terminate', input: 1 }]),
    'FIELD_UNUSED',
    'end',
    '/nodes/0/input',
  ],
];

/** True when the pointer leads somewhere, or to a member that is missing from something that exists. */
function leadsSomewhere(definition: unknown, pointer: string): boolean {
  const parts = pointer.split('/').slice(1);
  let at = definition as Json;
  for (const [i, part] of parts.entries()) {
    const next: Json | undefined = Array.isArray(at)
      ? at[Number(part)]
      : isJsonObject(at)
        ? at[part]
        : undefined;
    if (next === undefined) return i === parts.length - 1;
    at = next;
  }
  return true;
}

describe('names that would make results vanish', () => {
  it.each([
    ['a node', around([{ ...a, id: '__proto__' }])],
    ['a branch', around([{ id: 'p', kind: 'parallel', branches: [{ id: '__proto__', nodes: [a] }] }])],
  ])('%s called __proto__ is refused', (_what, definition) => {
    const { problems } = validateDefinition(definition, KNOWN);
    expect(problems).toContainEqual(expect.objectContaining({ severity: 'error', code: 'INVALID_ID' }));
  });
});

describe('broken definitions', () => {
  it('are at least forty', () => {
    expect(BROKEN.length).toBeGreaterThanOrEqual(40);
  });
  it.each(BROKEN)('%s', (_name, definition, code, nodeId, pointer, fix) => {
    const { problems } = validateDefinition(definition, KNOWN);
    const found = problems.filter((problem) => problem.severity === 'error');
    expect(found.map((problem) => [problem.code, problem.nodeId, problem.pointer])).toContainEqual([
      code,
      nodeId,
      pointer,
    ]);
    const match = found.find((problem) => problem.code === code && problem.pointer === pointer);
    expect(match?.fix).toMatch(fix);
    expect(match?.message).toMatch(/\.$/);
    expect(leadsSomewhere(definition, pointer)).toBe(true);
    // One fault, one finding: nothing else may be blamed.
    expect(found).toHaveLength(1);
  });
});

describe('odd definitions', () => {
  it.each(ODD)('%s', (_name, definition, code, nodeId, pointer) => {
    const { problems } = validateDefinition(definition, KNOWN);
    expect(
      problems.map((problem) => [problem.severity, problem.code, problem.nodeId, problem.pointer]),
    ).toEqual([['warning', code, nodeId, pointer]]);
  });
});

describe('sound definitions', () => {
  it.each<[string, unknown]>([
    ...['list', 'map', 'string', 'type', 'int', 'google'].map((id): [string, unknown] => [
      `a node with the name of one of CEL's types: ${id}`,
      around(
        [
          { ...a, id },
          { ...b, output: `\${${id}.output}` },
        ],
        [{ from: id, to: 'b' }],
      ),
    ]),
    [
      'the question whether a call with onError: continue gave null',
      around(
        [
          { ...read({ path: 'x' }), onError: 'continue' },
          { ...b, output: '${read.output == null ? 0 : 1}' },
        ],
        [{ from: 'read', to: 'b' }],
      ),
    ],
    [
      'a plain chain',
      around(
        [read({ path: '${input.path}' }), { ...b, output: '${read.output.text}' }],
        [{ from: 'read', to: 'b' }],
      ),
    ],
    [
      'a reference guarded by default()',
      around(
        [yes, a, { ...b, output: '${default(a.output, 0)}' }],
        [
          { from: 'cond', to: 'a', port: 'yes' },
          { from: 'cond', to: 'b', port: 'else' },
          { from: 'a', to: 'b' },
        ],
      ),
    ],
    [
      'a reference over an all-join',
      around(
        [a, b, { ...c, output: '${a.output + b.output}' }],
        [
          { from: 'a', to: 'c' },
          { from: 'b', to: 'c' },
        ],
      ),
    ],
    [
      'references out of a loop body',
      around(
        [
          a,
          {
            id: 'l',
            kind: 'loop',
            mode: 'for-each',
            items: '${[a.output]}',
            body: { nodes: [{ ...b, output: '${item + index + a.output}' }] },
          },
          { ...c, output: '${l.output.results[0]}' },
        ],
        [
          { from: 'a', to: 'l' },
          { from: 'l', to: 'c' },
        ],
      ),
    ],
    [
      'a compensation that sees its own result',
      around([
        { id: 'x', kind: 'activity', activity: 'f', compensate: { activity: 'g', input: '${x.output.id}' } },
      ]),
    ],
    [
      'a declared secret',
      around([{ id: 'x', kind: 'activity', activity: 'f', input: { token: { $secret: 'TOKEN' } } }], [], {
        secrets: ['TOKEN'],
      }),
    ],
    [
      'a server whose tools are not known yet',
      around([{ id: 'x', kind: 'mcp-server', server: 'new', tool: 'any' }]),
    ],
  ])('%s', (_name, definition) => {
    const known: Knowledge = { servers: new Map([...KNOWN.servers, ['new', new Map()]]) };
    expect(validateDefinition(definition, known).problems).toEqual([]);
  });
});

describe('a definition of very many nodes', () => {
  const N = 600;
  const chain = (output: (i: number) => unknown) =>
    around(
      Array.from({ length: N }, (_none, i) => ({ id: `n${i}`, kind: 'transform', output: output(i) })),
      Array.from({ length: N - 1 }, (_none, i) => ({ from: `n${i}`, to: `n${i + 1}` })),
    );

  it('knows what comes before what from one end to the other', () => {
    expect(validateDefinition(chain((i) => (i === 0 ? 1 : '${n0.output}'))).problems).toEqual([]);
    const { problems } = validateDefinition(chain((i) => (i === 31 ? `\${n${N - 1}.output}` : 1)));
    expect(problems.map(({ code, nodeId }) => [code, nodeId])).toEqual([['REFERENCE_NOT_BEFORE', 'n31']]);
  });

  it('guesses what was meant for the first hundred misspelt names only', () => {
    const { problems } = validateDefinition(chain((i) => `\${m${i}.output}`));
    expect(problems.every(({ code }) => code === 'REFERENCE_UNKNOWN')).toBe(true);
    expect(problems.filter(({ fix }) => fix.startsWith('Did you mean')).length).toBe(100);
    expect(problems.length).toBe(N);
  });
});
