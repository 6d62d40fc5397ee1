import { chain } from '@/lib/engine/compile';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { WorkflowEdge } from '@/lib/protocol/definition-common';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';

/** An edge whose ends exist, with its place in the definition. */
export interface PlacedEdge extends WorkflowEdge {
  pointer: string;
}

/** A node with its place in the definition. */
export interface PlacedNode {
  node: WorkflowNode;
  pointer: string;
  graph: PlacedGraph;
  incoming: PlacedEdge[];
  outgoing: PlacedEdge[];
}

/** One graph of the definition as it was written, sound or not. */
export interface PlacedGraph {
  pointer: string;
  owner: PlacedNode | null;
  nodes: PlacedNode[];
  /** First node of each id. */
  byId: Map<string, PlacedNode>;
  /** Every edge as written, also those whose ends do not exist. */
  edges: PlacedEdge[];
  /** Template of the graph's result, with its pointer. */
  output: { value: unknown; pointer: string } | null;
}

/** All graphs of a definition, outer ones before inner ones. Accepts what `compile` would refuse. */
export function placeGraphs(definition: WorkflowDefinition): PlacedGraph[] {
  const graphs: PlacedGraph[] = [];
  const output = definition.output === undefined ? null : { value: definition.output, pointer: '/output' };
  add(graphs, null, '', definition.nodes, definition.edges, output);
  return graphs;
}

function add(
  graphs: PlacedGraph[],
  owner: PlacedNode | null,
  pointer: string,
  nodes: WorkflowNode[],
  edges: WorkflowEdge[] | undefined,
  output: PlacedGraph['output'],
  sequence = false,
): void {
  const graph: PlacedGraph = { pointer, owner, nodes: [], byId: new Map(), edges: [], output };
  graphs.push(graph);
  nodes.forEach((node, i) => {
    const placed: PlacedNode = { node, pointer: `${pointer}/nodes/${i}`, graph, incoming: [], outgoing: [] };
    graph.nodes.push(placed);
    if (!graph.byId.has(node.id)) graph.byId.set(node.id, placed);
  });
  const written = edges ?? (sequence ? chain(nodes) : []);
  written.forEach((edge, i) => {
    // The edges of a plain sequence are not written anywhere: they are shown at the node they leave.
    const placed = {
      ...edge,
      pointer: edges === undefined ? `${pointer}/nodes/${i}` : `${pointer}/edges/${i}`,
    };
    graph.edges.push(placed);
    const [from, to] = [graph.byId.get(edge.from), graph.byId.get(edge.to)];
    if (from === undefined || to === undefined) return;
    from.outgoing.push(placed);
    to.incoming.push(placed);
  });
  for (const placed of graph.nodes) addInner(graphs, placed);
}

function addInner(graphs: PlacedGraph[], placed: PlacedNode): void {
  const { node, pointer } = placed;
  const output =
    'output' in node && node.output !== undefined
      ? { value: node.output, pointer: `${pointer}/output` }
      : null;
  if (node.kind === 'sequential') add(graphs, placed, pointer, node.nodes, node.edges, output, true);
  else if (node.kind === 'loop')
    add(graphs, placed, `${pointer}/body`, node.body.nodes, node.body.edges, output);
  else if (node.kind === 'parallel') {
    node.branches.forEach((branch, i) => {
      const at = `${pointer}/branches/${i}`;
      const result = branch.output === undefined ? null : { value: branch.output, pointer: `${at}/output` };
      add(graphs, placed, at, branch.nodes, branch.edges, result);
    });
  }
}

/** Names of the ports that edges of a node may leave by, besides the plain one. */
export function portsOf(node: WorkflowNode): Set<string> {
  const ports = new Set(['error']);
  if (node.kind === 'condition') {
    for (const { port } of node.cases) ports.add(port);
    ports.add('else');
  }
  if (node.kind === 'approval' || ('approval' in node && node.approval !== undefined)) ports.add('rejected');
  if (node.kind === 'wait' && node.signal !== undefined) ports.add('timeout');
  return ports;
}
