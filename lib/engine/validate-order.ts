import type { PlacedGraph, PlacedNode } from '@/lib/engine/validate-graphs';

/** What is certain about the nodes of one graph when one of them runs. */
export interface Order {
  /** True when the node of that id has surely completed (or was handled) before `at` begins. */
  isBefore(at: PlacedNode, id: string): boolean;
  /** True when the node of that id may have run before `at` begins. */
  mayBeBefore(at: PlacedNode, id: string): boolean;
  /** Nodes that surely run when their graph does. */
  certain: ReadonlySet<string>;
}

/** Some nodes of a graph, one bit each: of 10,000 nodes in a row each has thousands before it. */
type Bits = Uint32Array;

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
  const places = new Map([...graph.byId.keys()].map((id, i) => [id, i]));
  const none = new Uint32Array(Math.ceil(places.size / 32));
  const before = new Map<PlacedNode, Bits>();
  const maybe = new Map<PlacedNode, Bits>();
  const settled = new Map<PlacedNode, Bits>();
  const certain = new Set<string>();
  const surely = none.slice();
  const isIn = (bits: Bits | undefined, id: string) => {
    const place = places.get(id);
    return place !== undefined && bits !== undefined && isSet(bits, place);
  };
  for (const placed of topological(graph)) {
    const sources = placed.incoming.flatMap((edge) => {
      const from = graph.byId.get(edge.from);
      return from === undefined ? [] : [{ edge, from, place: places.get(edge.from) as number }];
    });
    /** Of each source, what is known of it, and the source itself. */
    const upTo = (known: ReadonlyMap<PlacedNode, Bits>) =>
      sources.map(({ from, place }) => set((known.get(from) ?? none).slice(), place));
    const { join = 'all' } = placed.node;
    const waitsForAll = join === 'all' || join === 'on-failure';
    if (isCertain(placed, sources, certain)) {
      certain.add(placed.node.id);
      set(surely, places.get(placed.node.id) as number);
    }
    const settledHere = (waitsForAll ? union : intersection)(upTo(settled), none);
    settled.set(placed, settledHere);
    maybe.set(placed, union(upTo(maybe), none));
    before.set(
      placed,
      union([intersection(upTo(before), none), intersection([settledHere, surely], none)], none),
    );
  }
  return {
    isBefore: (at, id) => isIn(before.get(at), id),
    mayBeBefore: (at, id) => isIn(maybe.get(at), id),
    certain,
  };
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

const isSet = (bits: Bits, place: number): boolean => ((bits[place >>> 5] ?? 0) & (1 << (place & 31))) !== 0;

function set(bits: Bits, place: number): Bits {
  bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
  return bits;
}

/** `none` is what no sets at all give. */
function union(sets: readonly Bits[], none: Bits): Bits {
  const out = none.slice();
  for (const bits of sets) for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) | (bits[i] ?? 0);
  return out;
}

function intersection([first, ...rest]: readonly Bits[], none: Bits): Bits {
  if (first === undefined) return none.slice();
  const out = first.slice();
  for (const bits of rest) for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) & (bits[i] ?? 0);
  return out;
}
