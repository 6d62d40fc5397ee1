import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { WorkflowEdge } from '@/lib/protocol/definition-common';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';
import type { Json, JsonObject } from '@/lib/shared/json';
import type { Random } from '@/tests/simulation/random';

/** Largest input of a run that the engines under test take, in bytes. */
export const PAYLOAD_LIMIT = 262_144;

/** Workflows that generated programs refer to. They are published before any program. */
export const CHILD = 'faults-child';
export const SLOW_CHILD = 'faults-slow-child';
export const CLEAN_UP = 'faults-clean-up';
/** A call behind an approval that people refuse; the only approval they say no to. */
export const REFUSED = 'refused';
/** The call that always fails. */
export const DOOMED = 'doomed';

/** One place of a definition at which something happens that can be checked, by its full path in a run. */
export interface Site {
  path: string;
  kind: 'call' | 'undo' | 'signal' | 'approval' | 'child' | 'wait';
  /** Calls: at most one effect is allowed. */
  unsafe?: boolean;
  /** Calls: a person must have agreed before. */
  guarded?: boolean;
  /** Approvals and guarded calls: how many different people. */
  quorum?: number;
  /** Signals: its name. */
  signal?: string;
  /** Children: the workflow. */
  workflow?: string;
  /** Waits: how long at least, in milliseconds. */
  ms?: number;
}

/** A random workflow with what must come of it, whatever strikes meanwhile. */
export interface Program {
  name: string;
  definition: WorkflowDefinition;
  input: JsonObject;
  /** How the run must end; `any` when the harness cancels it at a random moment. */
  ends: 'completed' | 'failed' | 'any' | 'dead_letter';
  sites: Site[];
  /** Ask to cancel after this many milliseconds. */
  cancelAfterMs: number | null;
  /** Runs that follow it in the chain (continue-as-new). */
  continues: number;
  cleansUp: boolean;
}

type Body = { nodes: WorkflowNode[]; edges: WorkflowEdge[]; sites: Site[] };

const RETRY = {
  maxAttempts: 5,
  initialDelay: 30,
  retryOn: ['TOOL_ERROR', 'NETWORK_ERROR', 'TIMEOUT', 'SERVER_START_FAILED'],
};

/** Definitions that every round needs. */
export function fixedDefinitions(): WorkflowDefinition[] {
  const chain = (name: string, nodes: WorkflowNode[]): WorkflowDefinition => ({
    schemaVersion: 1,
    name,
    nodes,
    edges: nodes.slice(1).map((node, i) => ({ from: (nodes[i] as WorkflowNode).id, to: node.id })),
  });
  return [
    chain(CHILD, [call('c1', 'count', 5), call('c2', 'count_unsafe', 5)]),
    chain(SLOW_CHILD, [
      call('c1', 'count', 0),
      { id: 'w', kind: 'wait', duration: 300 },
      call('c2', 'count', 20),
    ]),
    chain(CLEAN_UP, [call('c1', 'count', 0)]),
  ];
}

function call(id: string, tool: string, ms: number, more: JsonObject = {}): WorkflowNode {
  const args = { value: `\${run.id + "/${id}"}`, at: '${string(now())}', ms, ...more };
  return { id, kind: 'mcp-server', server: 'counter', tool, arguments: args, retry: RETRY } as WorkflowNode;
}

/** Makes one random program. `name` must be unused. */
export function randomProgram(random: Random, name: string): Program {
  const maker = new Maker(random);
  const kind = random.next();
  const body = maker.chain(0, 1 + random.below(4), false);
  const program: Program = {
    name,
    definition: { schemaVersion: 1, name, nodes: body.nodes, edges: body.edges },
    input: { n: random.below(1000), items: Array.from({ length: maker.items }, (_none, i) => i) },
    ends: 'completed',
    sites: body.sites,
    cancelAfterMs: null,
    continues: 0,
    cleansUp: false,
  };
  if (kind < 0.06) refuseAtEnd(program);
  else if (kind < 0.18) failAtEnd(program, random);
  else if (kind < 0.26) {
    program.ends = 'any';
    program.cancelAfterMs = random.below(1500);
  } else if (kind < 0.3) continueAsNew(program);
  else if (kind < 0.33) return atTheLimit(program);
  return program;
}

/** The same program with so much text in its input that the whole is exactly at the limit. */
export function atTheLimit(program: Program): Program {
  const { blob: _blob, ...input } = program.input;
  const used = Buffer.byteLength(JSON.stringify({ ...input, blob: '' }));
  return { ...program, input: { ...input, blob: 'y'.repeat(PAYLOAD_LIMIT - used) } };
}

/** A run whose input ends every process that works on it. */
export function poisonProgram(name: string): Program {
  return {
    name,
    definition: { schemaVersion: 1, name, nodes: [call('p', 'poison', 0)] },
    input: {},
    ends: 'dead_letter',
    sites: [],
    cancelAfterMs: null,
    continues: 0,
    cleansUp: false,
  };
}

function refuseAtEnd(program: Program): void {
  const { definition } = program;
  const last = definition.nodes.at(-1) as WorkflowNode;
  definition.nodes.push({
    ...call(REFUSED, 'count', 0),
    approval: { title: 'May it be called? (No.)', quorum: 1 },
  } as WorkflowNode);
  definition.edges = [...(definition.edges ?? []), { from: last.id, to: REFUSED }];
  program.ends = 'failed';
}

function failAtEnd(program: Program, random: Random): void {
  const { definition } = program;
  const last = definition.nodes.at(-1) as WorkflowNode;
  definition.nodes.push({
    ...call(DOOMED, 'fail_n_times', 0, { n: 1_000_000 }),
    retry: { ...RETRY, maxAttempts: 1 + random.below(2) },
  } as WorkflowNode);
  definition.edges = [...(definition.edges ?? []), { from: last.id, to: DOOMED }];
  program.ends = 'failed';
  if (random.chance(0.5)) {
    definition.failureWorkflow = CLEAN_UP;
    program.cleansUp = true;
  }
}

function continueAsNew(program: Program): void {
  const { definition } = program;
  const last = definition.nodes.at(-1) as WorkflowNode;
  definition.nodes.push(
    { id: 'again', kind: 'condition', cases: [{ port: 'more', when: 'input.n < 2' }] },
    {
      id: 'next',
      kind: 'terminate',
      status: 'continue-as-new',
      input: { n: '${input.n + 1}', items: '${input.items}' },
    },
    { id: 'stop', kind: 'transform', output: 'done' },
  );
  definition.edges = [
    ...(definition.edges ?? []),
    { from: last.id, to: 'again' },
    { from: 'again', to: 'next', port: 'more' },
    { from: 'again', to: 'stop', port: 'else' },
  ];
  program.input.n = 0;
  program.continues = 2;
}

class Maker {
  readonly items: number;
  private count = 0;

  constructor(private readonly random: Random) {
    this.items = 1 + random.below(4);
  }

  chain(depth: number, size: number, inLoop: boolean): Body {
    const body: Body = { nodes: [], edges: [], sites: [] };
    for (let i = 0; i < size; i++) {
      const before = body.nodes.at(-1);
      const { node, sites } = this.node(depth, inLoop);
      body.nodes.push(node);
      body.sites.push(...sites);
      if (before) body.edges.push({ from: before.id, to: node.id });
    }
    return body;
  }

  private node(depth: number, inLoop: boolean): { node: WorkflowNode; sites: Site[] } {
    const { random } = this;
    const id = `n${++this.count}`;
    const kinds = [
      'count',
      'count',
      'count',
      'unsafe',
      'flaky',
      'undoable',
      'undoable',
      'wait',
      'signal',
      'approval',
      'guarded',
      'child',
      'big',
    ];
    if (depth < 2) kinds.push('parallel', 'parallel');
    if (depth < 2 && !inLoop) kinds.push('loop', 'loop');
    switch (random.pick(kinds)) {
      case 'unsafe':
        return {
          node: call(id, 'count_unsafe', random.below(40)),
          sites: [{ path: id, kind: 'call', unsafe: true }],
        };
      case 'flaky':
        return {
          node: call(id, 'fail_n_times', 0, { n: 1 + random.below(3) }),
          sites: [{ path: id, kind: 'call' }],
        };
      case 'undoable':
        return this.undoable(id);
      case 'big':
        return {
          node: call(id, 'big', 0, { bytes: random.pick([100, 60_000, 100_000]) }),
          sites: [{ path: id, kind: 'call' }],
        };
      case 'wait': {
        const ms = random.below(1200);
        return { node: { id, kind: 'wait', duration: ms }, sites: [{ path: id, kind: 'wait', ms }] };
      }
      case 'signal': {
        const signal = inLoop ? `sig-${id}-\${index}` : `sig-${id}`;
        return { node: { id, kind: 'wait', signal }, sites: [{ path: id, kind: 'signal', signal }] };
      }
      case 'approval': {
        const quorum = 1 + random.below(2);
        return {
          node: { id, kind: 'approval', title: 'Go on?', quorum },
          sites: [{ path: id, kind: 'approval', quorum }],
        };
      }
      case 'guarded': {
        const quorum = 1 + random.below(2);
        const node = {
          ...call(id, random.pick(['count', 'count_unsafe']), 0),
          approval: { title: 'May it be called?', quorum },
        } as WorkflowNode;
        return {
          node,
          sites: [
            {
              path: id,
              kind: 'call',
              guarded: true,
              quorum,
              unsafe: (node as { tool?: string }).tool === 'count_unsafe',
            },
          ],
        };
      }
      case 'child': {
        const workflow = random.pick([CHILD, SLOW_CHILD]);
        return {
          node: { id, kind: 'subworkflow', workflow, input: { of: '${run.id}' } },
          sites: [{ path: id, kind: 'child', workflow }],
        };
      }
      case 'parallel':
        return this.parallel(id, depth, inLoop);
      case 'loop':
        return this.loop(id, depth);
      default:
        return { node: call(id, 'count', random.below(60)), sites: [{ path: id, kind: 'call' }] };
    }
  }

  private undoable(id: string): { node: WorkflowNode; sites: Site[] } {
    const args = {
      value: `\${${id}.output.structuredContent.value}`,
      at: '${string(now())}',
      ms: this.random.below(30),
    };
    const node = {
      ...call(id, 'count', this.random.below(30)),
      compensate: { server: 'counter', tool: 'undo', arguments: args, retry: RETRY },
    } as WorkflowNode;
    return {
      node,
      sites: [
        { path: id, kind: 'call' },
        { path: id, kind: 'undo' },
      ],
    };
  }

  private parallel(id: string, depth: number, inLoop: boolean): { node: WorkflowNode; sites: Site[] } {
    const bodies = Array.from({ length: 2 + this.random.below(2) }, () =>
      this.chain(depth + 1, 1 + this.random.below(2), inLoop),
    );
    const branches = bodies.map(({ nodes, edges }, i) => ({ id: `b${i}`, nodes, edges }));
    const sites = bodies.flatMap((body, i) =>
      body.sites.map((site) => ({ ...site, path: `${id}/b${i}/${site.path}` })),
    );
    return { node: { id, kind: 'parallel', branches } as WorkflowNode, sites };
  }

  private loop(id: string, depth: number): { node: WorkflowNode; sites: Site[] } {
    const body = this.chain(depth + 1, 1 + this.random.below(2), true);
    const node = {
      id,
      kind: 'loop',
      mode: 'for-each',
      items: '${input.items}',
      concurrency: 1 + this.random.below(3),
      body: { nodes: body.nodes, edges: body.edges },
    } as WorkflowNode;
    const sites = Array.from({ length: this.items }, (_none, i) =>
      body.sites.map((site) => ({
        ...site,
        path: `${id}/${i}/${site.path}`,
        ...(site.signal === undefined ? {} : { signal: site.signal.replace('${index}', String(i)) }),
      })),
    ).flat();
    return { node, sites };
  }
}

/** A payload one byte over the limit: must be refused. */
export function oversizedInput(): Json {
  const input = { n: 1, items: [] as Json[], blob: '' };
  return { ...input, blob: 'z'.repeat(PAYLOAD_LIMIT - Buffer.byteLength(JSON.stringify(input)) + 1) };
}
