import type { Knowledge } from '@/lib/engine/knowledge';
import type { Problems } from '@/lib/engine/problems';
import { mayHold } from '@/lib/engine/sensitivity';
import type { PlacedGraph, PlacedNode } from '@/lib/engine/validate-graphs';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { pathSteps } from '@/lib/protocol/sensitive';
import { isJsonObject, type Json } from '@/lib/shared/json';

/** Sensitive paths at which there can be nothing: a mistyped one would hide nothing, and nobody would notice. */
export function checkSensitive(
  definition: WorkflowDefinition,
  graphs: readonly PlacedGraph[],
  knowledge: Knowledge | undefined,
  problems: Problems,
): void {
  const nodes = new Map(graphs.flatMap((graph) => graph.nodes).map((placed) => [placed.node.id, placed]));
  for (const [i, path] of (definition.sensitive ?? []).entries()) {
    const steps = pathSteps(path);
    if (steps === null) continue;
    const pointer = `/sensitive/${i}`;
    const warn = (nodeId: string | null, message: string, fix: string) =>
      problems.warn('SENSITIVE_PATH_UNKNOWN', nodeId, pointer, message, fix);
    const [kind, name = '', side, ...rest] = steps;
    if (kind === 'nodes') {
      const placed = nodes.get(name);
      if (placed === undefined)
        warn(
          null,
          `There is no node ${name}.`,
          problems.didYouMean(name, () => nodes.keys(), 'Name a node of this workflow.'),
        );
      else if (!nodeMayHold(placed, side ?? '', rest, knowledge))
        warn(name, `Nothing lies at ${path}.`, 'Compare the path with what the node is given and gives.');
    } else if (kind === 'signals') {
      if (!awaits(nodes, name))
        warn(null, `No node waits for a signal ${name}.`, 'Name a signal that is awaited.');
    } else {
      const schema = kind === 'input' ? definition.input : definition.outputSchema;
      if (!mayHold(schema as Json | undefined, steps.slice(1)))
        warn(null, `The ${kind} has nothing at ${path}.`, `Compare the path with the schema of the ${kind}.`);
    }
  }
}

function awaits(nodes: ReadonlyMap<string, PlacedNode>, name: string): boolean {
  return [...nodes.values()].some(
    ({ node }) =>
      node.kind === 'wait' &&
      node.signal !== undefined &&
      (node.signal === name || node.signal.includes('${')),
  );
}

function nodeMayHold(
  { node }: PlacedNode,
  side: string,
  rest: readonly string[],
  knowledge: Knowledge | undefined,
): boolean {
  const [first] = rest;
  if (side === 'compensate') return 'compensate' in node && node.compensate !== undefined;
  if (node.kind !== 'mcp-server' || first === undefined || first === '*') return true;
  const tool = knowledge?.servers.get(node.server)?.get(node.tool);
  if (side === 'input') {
    if (isJsonObject(node.arguments) && Object.hasOwn(node.arguments, first)) return true;
    return tool !== undefined && mayHold(tool.inputSchema as Json, rest) && isJsonObject(tool.inputSchema);
  }
  if (['content', 'isError', 'text'].includes(first)) return true;
  const inside = ['json', 'structuredContent'].includes(first) ? rest.slice(1) : rest;
  return mayHold((tool?.outputSchema ?? undefined) as Json | undefined, inside);
}
