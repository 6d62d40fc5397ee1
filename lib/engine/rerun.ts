import type { CompiledEdge, CompiledNode, Program } from '@/lib/engine/program';
import { compiledOf, joinPath, mustNode, scopeOf } from '@/lib/engine/state';
import type { NodeState, RunState } from '@/lib/engine/types';
import { AppError } from '@/lib/protocol/errors';
import type { Seed } from '@/lib/protocol/events-run';

/** restart: everything again. retry: all that did not complete. rerun-from: one node and what comes after it. */
export type RerunPlan = { mode: 'restart' } | { mode: 'retry' } | { mode: 'rerun-from'; nodeId: string };

/**
 * Which results a new run of the chain takes over from a closed run (`seeds` of WORKFLOW_EXECUTION_STARTED). Only nodes that
 * are still completed count: what was compensated is undone and has to run again, and so has what rests on it, or (retry) on
 * a failure that may not come again. The new run does not compensate seeded nodes: their effect belongs to the run that made
 * it. Throws INVALID_INPUT for an unknown node.
 */
export function planRerun(program: Program, state: RunState, plan: RerunPlan): Record<string, Seed> {
  if (plan.mode === 'restart') return {};
  const { stale, opened } = plan.mode === 'rerun-from' ? affected(program, plan.nodeId) : NOTHING;
  const resting = new Resting(program, state, plan.mode === 'retry');
  const seeds: Record<string, Seed> = {};
  for (const node of state.nodes.values()) {
    if (node.status !== 'completed' || !resting.isKept(node)) continue;
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

/** What rests on results that are gone: they were undone, or (retry) are failures of nodes that are tried again. */
class Resting {
  /** Nodes whose result does not hold any more. What is good inside a container among them is kept. */
  private readonly changed = new Set<NodeState>();
  /** Paths of nodes and iterations of which nothing inside is kept either. */
  private readonly lost = new Set<string>();

  constructor(
    private readonly program: Program,
    private readonly state: RunState,
    private readonly isRetry: boolean,
  ) {
    // A container that has to run again lets the nodes inside it that failed run again, too.
    for (let before = -1; before < this.changed.size; ) {
      before = this.changed.size;
      for (const node of state.nodes.values()) if (this.isGone(node)) this.change(node);
    }
  }

  isKept(node: NodeState): boolean {
    const parts = node.path.split('/');
    return (
      !this.changed.has(node) && !parts.some((_part, i) => this.lost.has(parts.slice(0, i + 1).join('/')))
    );
  }

  private isGone(node: NodeState): boolean {
    if (isUndone(node)) return true;
    return this.isRetry && node.status === 'failed' && this.runsAgain(node);
  }

  /** True when no container around the node is kept whole. */
  private runsAgain(node: NodeState): boolean {
    for (let owner = this.ownerOf(node); owner !== undefined; owner = this.ownerOf(owner))
      if (owner.status === 'completed' && !this.changed.has(owner)) return false;
    return true;
  }

  private ownerOf(node: NodeState): NodeState | undefined {
    const { owner } = scopeOf(this.state, node);
    return owner === null ? undefined : mustNode(this.state, owner);
  }

  /** The result of the node is another one, or none, from now on. */
  private change(first: NodeState): void {
    const queue = [first];
    for (const node of queue) {
      if (this.changed.has(node)) continue;
      this.changed.add(node);
      for (const edge of compiledOf(this.program, node).outgoing) {
        const next = this.state.nodes.get(joinPath(node.scope, edge.to.id));
        if (next === undefined || !restsOn(edge, next, node)) continue;
        this.lost.add(next.path);
        queue.push(next);
      }
      const owner = this.ownerOf(node);
      if (owner !== undefined && this.reaches(owner, node)) queue.push(owner);
    }
  }

  /** What a change inside a container does to it: true when its result is another one then. */
  private reaches(owner: NodeState, node: NodeState): boolean {
    const scope = scopeOf(this.state, node);
    const around = compiledOf(this.program, owner).node;
    const { started = 0, results = [] } = owner.progress ?? {};
    // Each iteration of a while loop goes on from the one before it.
    if (around.kind === 'loop' && around.mode === 'while')
      for (let i = scope.index + 1; i < started; i++) this.lost.add(joinPath(owner.path, i));
    // A branch or an iteration that was given up has given nothing.
    return (
      owner.status === 'completed' && (around.kind === 'sequential' || results[scope.index] !== undefined)
    );
  }
}

/** A call that completed after it was given up has given nothing to anybody. */
function isUndone(node: NodeState): boolean {
  return (
    (node.status === 'compensated' || node.status === 'compensation_failed') && !node.call?.cancelRequested
  );
}

/** With a join that does not wait for all, a node rests on the results that had come before it began. */
function restsOn({ from, to, port }: CompiledEdge, node: NodeState, before: NodeState): boolean {
  if (to.join !== 'any' && typeof to.join !== 'object') return true;
  const wentOn = before.status === 'failed' && (port === 'error' || from.node.onError === 'continue');
  if (before.status !== 'completed' && !isUndone(before) && !wentOn) return false;
  return node.startedAt !== undefined && (before.endedAt ?? 0) <= node.startedAt;
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
