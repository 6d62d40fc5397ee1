import { compileNodeParts, placed } from '@/lib/engine/compile-node';
import { durationMs } from '@/lib/engine/duration';
import { compileTemplate } from '@/lib/engine/expression/template';
import type { CompiledNode, Graph, Program } from '@/lib/engine/program';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { WorkflowEdge } from '@/lib/protocol/definition-common';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';
import { AppError } from '@/lib/protocol/errors';
import type { Json } from '@/lib/shared/json';

export type { Program } from '@/lib/engine/program';

interface Build {
  nodes: Map<string, CompiledNode>;
  graphs: Map<string, Graph>;
}

/**
 * Makes a definition ready to run: indexes its graphs and prepares its expressions. Does not repeat what
 * `validateDefinition` checks, but never accepts what it could not run: throws AppError INVALID_DEFINITION or
 * EXPRESSION_INVALID with `path` = JSON pointer.
 */
export function compile(definition: WorkflowDefinition): Program {
  const build: Build = { nodes: new Map(), graphs: new Map() };
  addGraph(build, '', null, definition.nodes, definition.edges, '');
  return {
    definition,
    nodes: build.nodes,
    graphs: build.graphs,
    output:
      definition.output === undefined
        ? undefined
        : placed('/output', () => compileTemplate(definition.output as Json)),
    searchAttributes:
      definition.searchAttributes === undefined
        ? undefined
        : placed('/searchAttributes', () => compileTemplate(definition.searchAttributes as Json)),
    timeoutMs: definition.timeout === undefined ? undefined : durationMs(definition.timeout),
  };
}

function addGraph(
  build: Build,
  key: string,
  owner: string | null,
  nodes: WorkflowNode[],
  edges: WorkflowEdge[] | undefined,
  pointer: string,
): Graph {
  const graph: Graph = { key, owner, nodes: [], roots: [], sinks: [] };
  build.graphs.set(key, graph);
  const local = new Map<string, CompiledNode>();
  nodes.forEach((node, i) => {
    const at = `${pointer}/nodes/${i}`;
    if (build.nodes.has(node.id)) {
      throw new AppError('INVALID_DEFINITION', `Two nodes have the id ${node.id}.`, { path: `${at}/id` });
    }
    const compiled: CompiledNode = {
      id: node.id,
      kind: node.kind,
      node,
      pointer: at,
      graph: key,
      join: node.join ?? 'all',
      incoming: [],
      outgoing: [],
      handlesFailure: false,
      graphs: [],
      ...compileNodeParts(node, at),
    };
    build.nodes.set(node.id, compiled);
    local.set(node.id, compiled);
    graph.nodes.push(compiled);
    addBodies(build, compiled, at);
  });
  connect(graph, local, edges ?? [], pointer);
  return graph;
}

/** Edges of a sequential container that has none: one node after the other. */
export function chain(nodes: readonly { id: string }[]): WorkflowEdge[] {
  return nodes.slice(1).map((node, i) => ({ from: (nodes[i] as { id: string }).id, to: node.id }));
}

function addBodies(build: Build, compiled: CompiledNode, at: string): void {
  const { node } = compiled;
  if (node.kind === 'sequential') {
    addGraph(build, node.id, node.id, node.nodes, node.edges ?? chain(node.nodes), at);
    compiled.graphs.push(node.id);
  } else if (node.kind === 'loop') {
    addGraph(build, node.id, node.id, node.body.nodes, node.body.edges, `${at}/body`);
    compiled.graphs.push(node.id);
  } else if (node.kind === 'parallel') {
    node.branches.forEach((branch, i) => {
      const key = `${node.id}/${branch.id}`;
      const pointer = `${at}/branches/${i}`;
      if (build.graphs.has(key)) {
        throw new AppError('INVALID_DEFINITION', `Two branches have the id ${branch.id}.`, {
          path: `${pointer}/id`,
        });
      }
      const graph = addGraph(build, key, node.id, branch.nodes, branch.edges, pointer);
      if (branch.output !== undefined)
        graph.output = placed(`${pointer}/output`, () => compileTemplate(branch.output as Json));
      compiled.graphs.push(key);
    });
  }
}

function connect(
  graph: Graph,
  local: Map<string, CompiledNode>,
  edges: WorkflowEdge[],
  pointer: string,
): void {
  edges.forEach((edge, i) => {
    const [from, to] = [local.get(edge.from), local.get(edge.to)];
    if (from === undefined || to === undefined) {
      const end = from === undefined ? 'from' : 'to';
      throw new AppError('INVALID_DEFINITION', `There is no node ${edge[end]} in this graph.`, {
        path: `${pointer}/edges/${i}/${end}`,
      });
    }
    const compiled = { from, to, port: edge.port };
    from.outgoing.push(compiled);
    to.incoming.push(compiled);
  });
  for (const node of graph.nodes) {
    if (node.incoming.length === 0) graph.roots.push(node);
    if (node.outgoing.length === 0) graph.sinks.push(node);
    node.handlesFailure =
      node.node.onError === 'continue' ||
      node.outgoing.some(
        (edge) => edge.port === 'error' || (edge.port === undefined && edge.to.join !== 'all'),
      );
  }
  assertAcyclic(graph, pointer);
  for (const node of graph.nodes) {
    if (node.node.kind !== 'aggregator' || !node.node.cancelRest) continue;
    node.servedOnly = servedOnly(node);
    for (const id of node.servedOnly) {
      const server = local.get(id);
      if (server !== undefined) server.servesOnly = [...(server.servesOnly ?? []), node.id];
    }
  }
}

function assertAcyclic(graph: Graph, pointer: string): void {
  const waiting = new Map(graph.nodes.map((node) => [node, node.incoming.length]));
  const ready = [...graph.roots];
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    waiting.delete(node);
    for (const { to } of node.outgoing) {
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  const caught = waiting.keys().next().value;
  if (caught !== undefined) {
    throw new AppError('INVALID_DEFINITION', `The edges form a cycle through ${caught.id}.`, {
      path: `${pointer}/edges`,
    });
  }
}

/** Ids of the nodes from which every way ends in `target`: they run for it alone. */
function servedOnly(target: CompiledNode): Set<string> {
  const found = new Set<string>();
  const queue = target.incoming.map((edge) => edge.from);
  for (let i = 0; i < queue.length; i++) {
    const node = queue[i] as CompiledNode;
    if (found.has(node.id) || !node.outgoing.every(({ to }) => to === target || found.has(to.id))) continue;
    found.add(node.id);
    for (const edge of node.incoming) queue.push(edge.from);
  }
  return found;
}
