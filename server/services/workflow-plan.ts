import type { CompiledNode, Graph, Program } from '@/lib/engine/program';
import type { WorkflowPlan } from '@/lib/protocol/api-workflows';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';

type PlanNode = WorkflowPlan['steps'][number];
type Safety = PlanNode['safety'];

/**
 * The nodes in the order in which a run would come to them. Nodes with the same `step` can run at the same time; what lies
 * inside a container comes after the container itself. A node may still be skipped: conditions are decided by a run only.
 *
 * @param safetyOf what a tool says of itself; null when it is not known
 */
export function planSteps(program: Program, safetyOf: (server: string, tool: string) => Safety): PlanNode[] {
  const steps: PlanNode[] = [];
  const root = program.graphs.get('');
  if (root !== undefined) place(program, root, 0, null, safetyOf, steps);
  return steps.sort((a, b) => a.step - b.step);
}

/** Places a graph whose first nodes come after `after`; returns the last step in it. */
function place(
  program: Program,
  graph: Graph,
  after: number,
  container: string | null,
  safetyOf: (server: string, tool: string) => Safety,
  steps: PlanNode[],
): number {
  const ends = new Map<CompiledNode, number>();
  const waiting = new Map(graph.nodes.map((node) => [node, node.incoming.length]));
  const ready = [...graph.roots];
  let last = after;
  for (let node = ready.shift(); node !== undefined; node = ready.shift()) {
    const step = Math.max(after, ...node.incoming.map((edge) => ends.get(edge.from) ?? after)) + 1;
    steps.push(planNode(node, step, container, safetyOf));
    let end = step;
    for (const key of node.graphs) {
      const inner = program.graphs.get(key);
      if (inner !== undefined) end = Math.max(end, place(program, inner, step, node.id, safetyOf, steps));
    }
    ends.set(node, end);
    last = Math.max(last, end);
    for (const { to } of node.outgoing) {
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  return last;
}

function planNode(
  compiled: CompiledNode,
  step: number,
  container: string | null,
  safetyOf: (server: string, tool: string) => Safety,
): PlanNode {
  const { node, call } = compiled;
  const target = call?.target;
  const mcp = target?.kind === 'mcp' ? target : undefined;
  return {
    step,
    id: compiled.id,
    kind: compiled.kind,
    name: node.name ?? null,
    container,
    after: compiled.incoming.map((edge) => edge.from.id),
    server: mcp?.server ?? null,
    tool: mcp?.tool ?? (target?.kind === 'function' ? target.name : null),
    safety: mcp === undefined ? null : safetyOf(mcp.server, mcp.tool),
    needsPerson: asksPeople(node),
    compensated: compiled.compensate !== undefined,
  };
}

function asksPeople(node: WorkflowNode): boolean {
  return node.kind === 'approval' || ('approval' in node && node.approval !== undefined);
}
