import type { CompiledNode } from '@/lib/engine/program';
import type { ProgressState } from '@/lib/engine/types';

/**
 * What a parallel node or loop can do now: begin its next iteration, end well, fail, or (a while loop) ask its condition.
 * null = wait for the parts that run. Used by `apply` to know whether there is something to decide, and by the decision.
 */
export function progressVerdict(
  compiled: CompiledNode,
  progress: ProgressState,
): 'next' | 'ask' | 'complete' | 'fail' | null {
  const { node } = compiled;
  if (node.kind === 'parallel') {
    const needed = branchesNeeded(node.branchJoin, node.branches.length);
    if (progress.completed >= needed) return 'complete';
    return progress.completed + progress.open < needed ? 'fail' : null;
  }
  if (node.kind !== 'loop') return null;
  if (node.mode === 'while') {
    if (progress.failed > 0) return 'fail';
    return progress.open === 0 ? 'ask' : null;
  }
  if (progress.failed > failuresAllowed(node.onItemFailure)) return 'fail';
  const total = progress.items?.length ?? 0;
  if (progress.started < total) return progress.open < (node.concurrency ?? 1) ? 'next' : null;
  return progress.open === 0 ? 'complete' : null;
}

/** How many branches of a parallel node must complete. */
export function branchesNeeded(
  join: 'all' | 'any' | { atLeast: number } | undefined,
  branches: number,
): number {
  if (join === 'any') return 1;
  return typeof join === 'object' ? Math.min(join.atLeast, branches) : branches;
}

function failuresAllowed(policy: 'fail' | 'continue' | { tolerate: number } | undefined): number {
  if (policy === 'continue') return Number.POSITIVE_INFINITY;
  return typeof policy === 'object' ? policy.tolerate : 0;
}
