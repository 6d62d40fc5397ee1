import type { CompiledNode } from '@/lib/engine/program';
import { joinPath } from '@/lib/engine/state';
import type { Turn } from '@/lib/engine/turn';
import type { NodeState } from '@/lib/engine/types';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';

/** Result of an aggregator without a template of its own: the results of the completed nodes before it. */
export function aggregate(turn: Turn, node: NodeState, compiled: CompiledNode): Json {
  const mode = compiled.node.kind === 'aggregator' ? (compiled.node.mode ?? 'object') : 'object';
  if (mode === 'first') {
    return (node.firstFrom === undefined ? undefined : turn.state.nodes.get(node.firstFrom)?.output) ?? null;
  }
  const done: { id: string; output: Json }[] = [];
  const seen = new Set<string>();
  for (const { from } of compiled.incoming) {
    if (seen.has(from.id)) continue;
    seen.add(from.id);
    const source = turn.state.nodes.get(joinPath(node.scope, from.id));
    if (source?.status === 'completed') done.push({ id: from.id, output: source.output ?? null });
  }
  if (mode === 'list') return done.map((item) => item.output);
  const out: JsonObject = {};
  for (const { id, output } of done) {
    if (mode === 'object') out[id] = output;
    else if (isJsonObject(output)) Object.assign(out, output);
  }
  return out;
}
