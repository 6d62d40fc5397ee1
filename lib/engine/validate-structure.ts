import { RESERVED_NAMES } from '@/lib/engine/lookup';
import type { Problems } from '@/lib/engine/problems';
import { type PlacedEdge, type PlacedGraph, type PlacedNode, portsOf } from '@/lib/engine/validate-graphs';
import type { WorkflowDefinition } from '@/lib/protocol/definition';

/** Ids, edges, ports, joins, cycles and reachability. */
export function checkStructure(
  definition: WorkflowDefinition,
  graphs: PlacedGraph[],
  problems: Problems,
): void {
  checkIds(graphs, problems);
  for (const graph of graphs) {
    checkEdges(graph, problems);
    checkCycles(graph, problems);
    for (const placed of graph.nodes) {
      checkJoin(placed, problems);
      checkPorts(placed, problems);
    }
    checkIsolated(graph, problems);
  }
  const known = new Set(graphs.flatMap((graph) => graph.nodes.map(({ node }) => node.id)));
  for (const id of Object.keys(definition.ui?.positions ?? {})) {
    if (!known.has(id)) {
      problems.warn(
        'UI_UNKNOWN_NODE',
        null,
        `/ui/positions/${id}`,
        `There is a position for ${id}, but no such node.`,
        'Remove the position.',
      );
    }
  }
}

function checkIds(graphs: PlacedGraph[], problems: Problems): void {
  const first = new Map<string, string>();
  const ids = new Set(graphs.flatMap((graph) => graph.nodes.map(({ node }) => node.id)));
  for (const graph of graphs) {
    for (const { node, pointer } of graph.nodes) {
      const before = first.get(node.id);
      if (before !== undefined) {
        problems.error(
          'DUPLICATE_ID',
          node.id,
          `${pointer}/id`,
          `The id ${node.id} is taken by ${before}; ids are unique in the whole workflow.`,
          `Give one of them another id, such as ${node.id}_2.`,
        );
      } else first.set(node.id, pointer);
      if (RESERVED_NAMES.has(node.id)) {
        problems.error(
          'RESERVED_ID',
          node.id,
          `${pointer}/id`,
          `${node.id} has a meaning of its own in expressions.`,
          `Choose another id, such as ${node.id}_step.`,
        );
      }
      if (node.kind === 'loop') checkLoopVariables(node, pointer, ids, problems);
      if (node.kind === 'parallel') checkBranches(node, pointer, problems);
    }
  }
}

function checkLoopVariables(
  node: Extract<PlacedNode['node'], { kind: 'loop' }>,
  pointer: string,
  ids: ReadonlySet<string>,
  problems: Problems,
): void {
  for (const field of ['as', 'indexAs'] as const) {
    const name = node[field];
    if (name === undefined) continue;
    if (RESERVED_NAMES.has(name) || ids.has(name)) {
      problems.error(
        'LOOP_VARIABLE_TAKEN',
        node.id,
        `${pointer}/${field}`,
        `The loop variable ${name} hides ${ids.has(name) ? 'a node' : 'a built-in name'}.`,
        'Choose another name.',
      );
    }
  }
  if ((node.as ?? 'item') === (node.indexAs ?? 'index')) {
    problems.error(
      'LOOP_VARIABLE_TAKEN',
      node.id,
      `${pointer}/as`,
      'Item and index of the loop have the same name.',
      'Choose two names.',
    );
  }
}

function checkBranches(
  node: Extract<PlacedNode['node'], { kind: 'parallel' }>,
  pointer: string,
  problems: Problems,
): void {
  const seen = new Set<string>();
  node.branches.forEach((branch, i) => {
    if (seen.has(branch.id)) {
      problems.error(
        'DUPLICATE_BRANCH',
        node.id,
        `${pointer}/branches/${i}/id`,
        `Two branches have the id ${branch.id}.`,
        'Give one of them another id.',
      );
    }
    seen.add(branch.id);
  });
  if (typeof node.branchJoin === 'object' && node.branchJoin.atLeast > node.branches.length) {
    problems.error(
      'JOIN_TOO_LARGE',
      node.id,
      `${pointer}/branchJoin/atLeast`,
      `${node.branchJoin.atLeast} branches must complete, but there are ${node.branches.length}.`,
      `Ask for at most ${node.branches.length}.`,
    );
  }
}

function checkEdges(graph: PlacedGraph, problems: Problems): void {
  const seen = new Set<string>();
  for (const edge of graph.edges) {
    for (const end of ['from', 'to'] as const) {
      if (graph.byId.has(edge[end])) continue;
      problems.error(
        'EDGE_UNKNOWN_NODE',
        null,
        `${edge.pointer}/${end}`,
        `The edge names ${edge[end]}, which is no node of this graph.`,
        problems.didYouMean(
          edge[end],
          () => graph.byId.keys(),
          'Name a node of the same graph; edges do not cross the border of a container.',
        ),
      );
    }
    const key = `${edge.from}→${edge.to}:${edge.port ?? ''}`;
    if (seen.has(key))
      problems.error(
        'DUPLICATE_EDGE',
        edge.from,
        edge.pointer,
        `There are two edges from ${edge.from} to ${edge.to} by the same port.`,
        'Remove one of them.',
      );
    seen.add(key);
    const from = graph.byId.get(edge.from);
    if (from !== undefined && graph.byId.has(edge.to)) checkPort(from, edge, problems);
  }
}

function checkPort(from: PlacedNode, edge: PlacedEdge, problems: Problems): void {
  const ports = portsOf(from.node);
  if (edge.port === undefined) {
    if (from.node.kind === 'condition') {
      problems.error(
        'PORT_MISSING',
        edge.from,
        edge.pointer,
        `An edge out of the condition ${edge.from} must say by which port.`,
        `Add "port": one of ${[...ports].join(', ')}.`,
      );
    }
    return;
  }
  if (!ports.has(edge.port)) {
    const fix = problems.didYouMean(
      edge.port,
      () => ports,
      `Use one of: ${[...ports].join(', ')}; or leave port out for the plain way.`,
    );
    problems.error(
      'PORT_UNKNOWN',
      edge.from,
      `${edge.pointer}/port`,
      `${edge.from} (${from.node.kind}) has no port ${edge.port}.`,
      fix,
    );
  }
  if (from.node.kind === 'terminate') return;
}

function checkCycles(graph: PlacedGraph, problems: Problems): void {
  const waiting = new Map(graph.nodes.map((placed) => [placed, placed.incoming.length]));
  const ready = graph.nodes.filter((placed) => placed.incoming.length === 0);
  for (let placed = ready.pop(); placed !== undefined; placed = ready.pop()) {
    waiting.delete(placed);
    for (const edge of placed.outgoing) {
      const to = graph.byId.get(edge.to);
      if (to === undefined) continue;
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  const cycle = findCycle(graph, waiting);
  if (cycle === null) return;
  const names = cycle.map(({ from }) => from);
  problems.error(
    'CYCLE',
    names[0] ?? null,
    cycle.at(-1)?.pointer ?? graph.pointer,
    `The edges go round in a circle: ${[...names, names[0]].join(' → ')}.`,
    'Remove this edge; repeat with a loop node instead.',
  );
}

/** One cycle among the nodes that a topological walk could not reach. */
function findCycle(graph: PlacedGraph, stuck: ReadonlyMap<PlacedNode, number>): PlacedEdge[] | null {
  const [start] = stuck.keys();
  if (start === undefined) return null;
  const trail: PlacedEdge[] = [];
  const position = new Map<string, number>();
  let at: PlacedNode | undefined = start;
  // Walk backwards: every stuck node has a stuck node before it.
  while (at !== undefined && !position.has(at.node.id)) {
    position.set(at.node.id, trail.length);
    const back: PlacedEdge | undefined = at.incoming.find((edge) => {
      const from = graph.byId.get(edge.from);
      return from !== undefined && stuck.has(from);
    });
    if (back === undefined) return null;
    trail.push(back);
    at = graph.byId.get(back.from);
  }
  return at === undefined ? null : trail.slice(position.get(at.node.id)).reverse();
}

function checkJoin({ node, pointer, incoming }: PlacedNode, problems: Problems): void {
  const { join } = node;
  if (join === undefined || join === 'all') return;
  const sources = incoming.length;
  if (typeof join === 'object' && join.atLeast > sources) {
    problems.error(
      'JOIN_TOO_LARGE',
      node.id,
      `${pointer}/join/atLeast`,
      `${node.id} waits for ${join.atLeast} edges, but only ${sources} lead to it.`,
      sources === 0 ? 'Remove join, or add edges.' : `Ask for at most ${sources}.`,
    );
  } else if (sources === 0) {
    problems.error(
      'JOIN_WITHOUT_EDGES',
      node.id,
      `${pointer}/join`,
      `${node.id} has a join, but no edge leads to it.`,
      'Remove join, or add edges.',
    );
  } else if (join === 'any' && sources === 1) {
    problems.warn(
      'JOIN_NEEDLESS',
      node.id,
      `${pointer}/join`,
      `Only one edge leads to ${node.id}: there is nothing to join.`,
      'Remove join.',
    );
  }
  if (node.kind === 'aggregator' && node.cancelRest && join === 'on-failure') {
    problems.warn(
      'CANCEL_REST_NEEDLESS',
      node.id,
      `${pointer}/cancelRest`,
      'Nothing is left to cancel when all edges are settled.',
      'Remove cancelRest.',
    );
  }
}

function checkPorts({ node, pointer, outgoing }: PlacedNode, problems: Problems): void {
  if (node.kind === 'terminate' && outgoing.length > 0) {
    problems.error(
      'AFTER_TERMINATE',
      node.id,
      outgoing[0]?.pointer ?? pointer,
      `${node.id} ends the run: what comes after it can never run.`,
      'Remove the edge and the nodes behind it, or the terminate node.',
    );
  }
  if (node.kind !== 'condition') return;
  const used = new Set(outgoing.map((edge) => edge.port));
  const seen = new Set<string>();
  node.cases.forEach(({ port }, i) => {
    if (seen.has(port) || port === 'else' || port === 'error') {
      const why = seen.has(port) ? 'is used by a case before it' : 'has a meaning of its own';
      problems.error(
        'CONDITION_PORT_TAKEN',
        node.id,
        `${pointer}/cases/${i}/port`,
        `The port ${port} ${why}.`,
        'Give the case another port.',
      );
    } else if (!used.has(port)) {
      problems.warn(
        'DEAD_BRANCH',
        node.id,
        `${pointer}/cases/${i}`,
        `No edge leaves ${node.id} by the port ${port}: this case leads nowhere.`,
        `Add an edge with "port": "${port}", or remove the case.`,
      );
    }
    seen.add(port);
  });
}

function checkIsolated(graph: PlacedGraph, problems: Problems): void {
  if (graph.edges.length === 0) return;
  for (const { node, pointer, incoming, outgoing } of graph.nodes) {
    if (incoming.length === 0 && outgoing.length === 0) {
      problems.warn(
        'ISOLATED_NODE',
        node.id,
        pointer,
        `No edge touches ${node.id}: it starts at once, beside everything else.`,
        'Connect it, if that is not meant.',
      );
    }
  }
}
