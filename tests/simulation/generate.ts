import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { ApprovalSettings, WorkflowEdge } from '@/lib/protocol/definition-common';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';
import type { Json } from '@/lib/shared/json';
import type { Random } from '@/tests/simulation/random';

const MAX_DEPTH = 3;

/** A random definition of any shape the format allows, small enough to run to its end in a few hundred steps. */
export function randomDefinition(random: Random): WorkflowDefinition {
  const maker = new Maker(random);
  const { nodes, edges } = maker.graph(0, 1 + random.below(7));
  return {
    schemaVersion: 1,
    name: 'random',
    nodes,
    edges,
    ...(random.chance(0.2) ? { timeout: 1000 * (1 + random.below(200)) } : {}),
    ...(random.chance(0.2) ? { failureWorkflow: 'clean-up' } : {}),
    ...(random.chance(0.2) ? { output: { done: true, by: '${run.id}' } } : {}),
    ...(random.chance(0.1) ? { searchAttributes: { size: '${size(input.items)}' } } : {}),
  };
}

/** A random input for random definitions. */
export function randomInput(random: Random): Json {
  return {
    a: random.below(10),
    b: random.below(10),
    items: Array.from({ length: random.below(5) }, (_none, i) => i),
  };
}

type Common = Pick<WorkflowNode, 'id' | 'join' | 'onError'>;

class Maker {
  private count = 0;

  constructor(private readonly random: Random) {}

  graph(depth: number, size: number): { nodes: WorkflowNode[]; edges: WorkflowEdge[] } {
    const { random } = this;
    const nodes: WorkflowNode[] = [];
    const edges: WorkflowEdge[] = [];
    const loose = random.chance(0.15);
    for (let i = 0; i < size; i++) {
      const before = nodes.map((node) => node.id);
      const node = this.node(depth, before);
      for (const other of nodes) {
        if (other.kind === 'terminate') continue;
        const near = other === nodes.at(-1) ? 0.6 : 0.2;
        if (loose || !random.chance(near)) continue;
        const port = this.port(other);
        edges.push({ from: other.id, to: node.id, ...(port === undefined ? {} : { port }) });
        if (random.chance(0.1)) {
          const second = this.port(other);
          if (second !== port)
            edges.push({ from: other.id, to: node.id, ...(second === undefined ? {} : { port: second }) });
        }
      }
      const incoming = edges.filter((edge) => edge.to === node.id).length;
      if (incoming > 0 && random.chance(0.35))
        node.join = random.pick([
          'all',
          'any',
          'on-failure',
          { atLeast: 1 + random.below(incoming) },
        ] as const);
      nodes.push(node);
    }
    return { nodes, edges };
  }

  private port(from: WorkflowNode): string | undefined {
    const { random } = this;
    if (from.kind === 'condition') return random.pick([...from.cases.map((item) => item.port), 'else']);
    if (random.chance(0.2)) return 'error';
    if (from.kind === 'approval' && random.chance(0.3)) return 'rejected';
    if (from.kind === 'wait' && from.timeout !== undefined && random.chance(0.3)) return 'timeout';
    return undefined;
  }

  private node(depth: number, before: readonly string[]): WorkflowNode {
    const { random } = this;
    const id = `n${++this.count}`;
    const common: Common = { id, ...(random.chance(0.1) ? { onError: 'continue' as const } : {}) };
    const kinds = [
      'call',
      'call',
      'call',
      'call',
      'transform',
      'condition',
      'aggregator',
      'wait',
      'approval',
      'subworkflow',
    ];
    if (depth < MAX_DEPTH) kinds.push('parallel', 'sequential', 'loop', 'loop');
    if (random.chance(0.04)) return this.terminate(common);
    switch (random.pick(kinds)) {
      case 'call':
        return this.call(common, before);
      case 'transform':
        return { ...common, kind: 'transform', output: this.value(before) };
      case 'condition':
        return {
          ...common,
          kind: 'condition',
          cases: [
            { port: 'yes', when: this.condition(before) },
            { port: 'maybe', when: 'input.b > 5' },
          ],
        };
      case 'aggregator':
        return {
          ...common,
          kind: 'aggregator',
          mode: random.pick(['object', 'list', 'first', 'merge'] as const),
          cancelRest: random.chance(0.5),
        };
      case 'wait':
        return this.wait(common);
      case 'approval':
        return { ...common, kind: 'approval', ...this.approval() };
      case 'subworkflow':
        return {
          ...common,
          kind: 'subworkflow',
          workflow: 'child',
          input: '${input}',
          parentClosePolicy: random.pick(['terminate', 'cancel', 'abandon'] as const),
          ...(random.chance(0.3) ? { timeout: '30s' } : {}),
        };
      case 'parallel':
        return this.parallel(common, depth);
      case 'sequential': {
        const { nodes, edges } = this.graph(depth + 1, 1 + random.below(3));
        const timeout = random.chance(0.2) ? { timeout: '40s' } : {};
        const forks = nodes.some((node) => node.kind === 'condition' || node.kind === 'terminate');
        if (forks || random.chance(0.3)) return { ...common, kind: 'sequential', nodes, edges, ...timeout };
        return { ...common, kind: 'sequential', nodes: nodes.map(withoutJoin), ...timeout };
      }
      default:
        return this.loop(common, depth);
    }
  }

  private call(common: Common, before: readonly string[]): WorkflowNode {
    const { random } = this;
    const settings = {
      ...(random.chance(0.5) ? { compensate: this.compensate(common.id) } : {}),
      ...(random.chance(0.15) ? { approval: this.approval() } : {}),
      ...(random.chance(0.3) ? { idempotent: random.chance(0.5) } : {}),
      ...(random.chance(0.5) ? { retry: { maxAttempts: 1 + random.below(3), initialDelay: 1000 } } : {}),
    };
    return random.chance(0.5)
      ? { ...common, ...settings, kind: 'activity', activity: 'work', input: this.value(before) }
      : {
          ...common,
          ...settings,
          kind: 'mcp-server',
          server: random.pick(['alpha', 'beta']),
          tool: 'do',
          arguments: { value: this.value(before) },
        };
  }

  private compensate(id: string): NonNullable<Extract<WorkflowNode, { kind: 'activity' }>['compensate']> {
    const { random } = this;
    const retry = { maxAttempts: 1 + random.below(3), initialDelay: 500 };
    if (random.chance(0.5)) return { activity: 'undo', input: { of: `\${${id}.output}` }, retry };
    return {
      server: 'alpha',
      tool: 'undo',
      arguments: random.chance(0.1) ? { bad: `\${${id}.output.not.there}` } : {},
      retry,
    };
  }

  private approval(): ApprovalSettings {
    const { random } = this;
    return {
      title: 'May it go on, ${input.a}?',
      ...(random.chance(0.5) ? { approvers: { users: ['ann', 'bob', 'cid'] } } : {}),
      ...(random.chance(0.3) ? { quorum: 2 } : {}),
      ...(random.chance(0.4)
        ? { deadline: '60s', onDeadline: random.pick(['fail', 'reject'] as const) }
        : {}),
      ...(random.chance(0.3) ? { escalation: { after: '20s', approvers: { users: ['dan'] } } } : {}),
      ...(random.chance(0.2)
        ? { form: { type: 'object', required: ['why'], properties: { why: { type: 'string' } } } }
        : {}),
    };
  }

  private wait(common: Common): WorkflowNode {
    const { random } = this;
    const kind = random.below(4);
    if (kind === 0) return { ...common, kind: 'wait', duration: random.pick(['5s', '${input.a * 1000}', 0]) };
    if (kind === 1) return { ...common, kind: 'wait', until: '${now() + duration("10s")}' };
    return {
      ...common,
      kind: 'wait',
      signal: random.pick(['go', 'stop', 'sig-${input.a}']),
      ...(random.chance(0.5) ? { timeout: '15s' } : {}),
    };
  }

  private terminate(common: Common): WorkflowNode {
    return {
      ...common,
      kind: 'terminate',
      status: this.random.pick(['completed', 'failed', 'cancelled', 'continue-as-new'] as const),
      output: '${input.a}',
      message: 'Ended early.',
    };
  }

  private parallel(common: Common, depth: number): WorkflowNode {
    const { random } = this;
    const count = 1 + random.below(3);
    return {
      ...common,
      kind: 'parallel',
      branches: Array.from({ length: count }, (_none, i) => ({
        id: `b${i}`,
        ...this.graph(depth + 1, 1 + random.below(3)),
      })),
      branchJoin: random.pick(['all', 'all', 'any', { atLeast: 1 + random.below(count) }] as const),
      ...(random.chance(0.2) ? { timeout: '50s' } : {}),
    };
  }

  private loop(common: Common, depth: number): WorkflowNode {
    const { random } = this;
    const body = this.graph(depth + 1, 1 + random.below(3));
    if (random.chance(0.35)) {
      return {
        ...common,
        kind: 'loop',
        mode: 'while',
        while: random.pick(['index < input.a', 'last == null', 'index < 2']),
        maxIterations: 1 + random.below(3),
        onBound: random.pick(['fail', 'stop'] as const),
        body,
      };
    }
    return {
      ...common,
      kind: 'loop',
      mode: 'for-each',
      items: random.pick(['${input.items}', '[1, 2, 3]', 'input.a', '${input.items.map(x, {"x": x})}']),
      concurrency: 1 + random.below(3),
      onItemFailure: random.pick(['fail', 'continue', { tolerate: 1 }] as const),
      body,
      ...(random.chance(0.2) ? { timeout: '45s' } : {}),
    };
  }

  private value(before: readonly string[]): Json {
    const { random } = this;
    if (random.chance(0.04)) return '${input.not.there}';
    if (before.length === 0 || random.chance(0.5)) return { a: '${input.a + 1}', text: 'b is ${input.b}' };
    return { from: `\${default(${random.pick(before)}.output, "none")}` };
  }

  private condition(before: readonly string[]): string {
    const { random } = this;
    if (before.length > 0 && random.chance(0.4)) return `${random.pick(before)}.status == "completed"`;
    return random.pick(['input.a > 4', '${input.b < 3}', 'size(input.items) > 2', 'true']);
  }
}

function withoutJoin(node: WorkflowNode): WorkflowNode {
  const { join: _join, ...rest } = node;
  return rest as WorkflowNode;
}
