import type { PlacedGraph, PlacedNode } from '@/lib/engine/validate-graphs';

/** What is certain about the nodes of one graph when one of them runs. */
export interface Order {
  /** Nodes that have surely completed (or were handled) before this one begins. */
  before: ReadonlyMap<PlacedNode, ReadonlySet<string>>;
  /** Nodes that may have run before this one begins. */
  maybe: ReadonlyMap<PlacedNode, ReadonlySet<string>>;
  /** Nodes that surely run when their graph does. */
  certain: ReadonlySet<string>;
}

/** True when the node, having run, surely leaves by its plain edges. */
function surelyPlain({ node, outgoing }: PlacedNode): boolean {
  if (node.kind === 'condition' || node.kind === 'terminate') return false;
  return node.onError === 'continue' || outgoing.every((edge) => edge.port === undefined);
}

/**
 * Order facts of one graph without cycles. A node is surely over before another when every way to that one passes through
 * it, or when that one waits for all edges and the node lies on one of them and surely runs.
 */
export function orderOf(graph: PlacedGraph): Order {
  const before = new Map<PlacedNode, Set<string>>();
  const maybe = new Map<PlacedNode, Set<string>>();
  const settled = new Map<PlacedNode, Set<string>>();
  const certain = new Set<string>();
  for (const placed of topological(graph)) {
    const sources = placed.incoming.flatMap((edge) => {
      const from = graph.byId.get(edge.from);
      return from === undefined ? [] : [{ edge, from }];
    });
    const { join = 'all' } = placed.node;
    const waitsForAll = join === 'all' || join === 'on-failure';
    const through = sources.map(({ from }) => new Set([...(before.get(from) ?? []), from.node.id]));
    const over = sources.map(({ from }) => new Set([...(settled.get(from) ?? []), from.node.id]));
    if (isCertain(placed, sources, certain)) certain.add(placed.node.id);
    const settledHere = waitsForAll ? union(over) : intersection(over);
    settled.set(placed, settledHere);
    maybe.set(placed, union(sources.map(({ from }) => new Set([...(maybe.get(from) ?? []), from.node.id]))));
    const sure = [...settledHere].filter((id) => certain.has(id));
    before.set(placed, new Set([...intersection(through), ...sure]));
  }
  return { before, maybe, certain };
}

function isCertain(
  placed: PlacedNode,
  sources: { edge: { port?: string | undefined }; from: PlacedNode }[],
  certain: ReadonlySet<string>,
): boolean {
  if (sources.length === 0) return true;
  const { join = 'all' } = placed.node;
  if (join === 'on-failure' || typeof join === 'object') return false;
  return sources.some(
    ({ edge, from }) => edge.port === undefined && certain.has(from.node.id) && surelyPlain(from),
  );
}

/** Nodes so that every edge goes forward; nodes on a cycle are left out. */
function topological(graph: PlacedGraph): PlacedNode[] {
  const waiting = new Map(graph.nodes.map((placed) => [placed, placed.incoming.length]));
  const order = graph.nodes.filter((placed) => placed.incoming.length === 0);
  for (const placed of order) {
    for (const edge of placed.outgoing) {
      const to = graph.byId.get(edge.to);
      if (to === undefined) continue;
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) order.push(to);
    }
  }
  return order;
}

function union(sets: ReadonlySet<string>[]): Set<string> {
  const out = new Set<string>();
  for (const set of sets) for (const id of set) out.add(id);
  return out;
}

function intersection(sets: ReadonlySet<string>[]): Set<string> {
  const [first, ...rest] = sets;
  if (first === undefined) return new Set();
  return new Set([...first].filter((id) => rest.every((set) => set.has(id))));
}
