import type { CompiledNode, Program } from '@/lib/engine/program';
import { compiledOf } from '@/lib/engine/state';
import type { RunState } from '@/lib/engine/types';
import { AppError } from '@/lib/protocol/errors';
import type { Seed } from '@/lib/protocol/events-run';

/** restart: everything again. retry: all that did not complete. rerun-from: one node and what comes after it. */
export type RerunPlan = { mode: 'restart' } | { mode: 'retry' } | { mode: 'rerun-from'; nodeId: string };

/**
 * Which results a new run of the chain takes over from a closed run (`seeds` of WORKFLOW_EXECUTION_STARTED). Only nodes that
 * are still completed count: what was compensated is undone and has to run again. The new run does not compensate seeded
 * nodes: their effect belongs to the run that made it. Throws INVALID_INPUT for an unknown node.
 */
export function planRerun(program: Program, state: RunState, plan: RerunPlan): Record<string, Seed> {
  if (plan.mode === 'restart') return {};
  const { stale, opened } = plan.mode === 'rerun-from' ? affected(program, plan.nodeId) : NOTHING;
  const seeds: Record<string, Seed> = {};
  for (const node of state.nodes.values()) {
    if (node.status !== 'completed') continue;
    const { kind } = compiledOf(program, node);
    // A terminate node must end the run again; it has no result to keep.
    if (kind === 'terminate' || opened.has(node.id) || onPath(node.path, stale)) continue;
    seeds[node.path] = {
      output: node.output ?? null,
      ...(node.port === undefined ? {} : { port: node.port }),
    };
  }
  return withoutInner(seeds);
}

const NOTHING = { stale: new Set<string>(), opened: new Set<string>() };

/** True when the node, or a container around it, runs again. */
function onPath(path: string, stale: ReadonlySet<string>): boolean {
  return path.split('/').some((part) => stale.has(part));
}

/** Results inside a container that is kept whole are not needed. */
function withoutInner(seeds: Record<string, Seed>): Record<string, Seed> {
  const out: Record<string, Seed> = {};
  for (const [path, seed] of Object.entries(seeds)) {
    const parts = path.split('/');
    const covered = parts.some((_part, i) => i > 0 && Object.hasOwn(seeds, parts.slice(0, i).join('/')));
    if (!covered) out[path] = seed;
  }
  return out;
}

/**
 * `stale`: the node and all that comes after it, in its graph and in every graph around it. `opened`: the containers around
 * it; they begin again, but what is still good inside them is kept.
 */
function affected(program: Program, nodeId: string): { stale: Set<string>; opened: Set<string> } {
  const stale = new Set<string>();
  const opened = new Set<string>();
  const first = program.nodes.get(nodeId);
  if (first === undefined)
    throw new AppError('INVALID_INPUT', `The workflow has no node ${nodeId}.`, { path: '/nodeId' });
  const queue: CompiledNode[] = [first];
  for (let node: CompiledNode | undefined = first; node !== undefined; ) {
    const owner: string | null = program.graphs.get(node.graph)?.owner ?? null;
    node = owner === null ? undefined : program.nodes.get(owner);
    if (node === undefined) break;
    opened.add(node.id);
    for (const { to } of node.outgoing) queue.push(to);
  }
  for (const node of queue) {
    if (stale.has(node.id)) continue;
    stale.add(node.id);
    for (const { to } of node.outgoing) queue.push(to);
  }
  return { stale, opened };
}
