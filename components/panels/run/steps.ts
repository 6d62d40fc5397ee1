import type { NodeStatus, NodeView } from '@/lib/protocol/run';

/** Statuses that somebody should look at before anything else. */
const TROUBLE: readonly NodeStatus[] = ['failed', 'unknown_outcome', 'compensation_failed'];
const BUSY: readonly NodeStatus[] = ['running', 'backing_off', 'compensating', 'waiting', 'scheduled'];

/**
 * The step to show when the reader has chosen none: the one in trouble, else the newest that is at work, else the
 * last that ended.
 */
export function stepOfInterest(nodes: readonly NodeView[]): NodeView | null {
  return (
    nodes.find((node) => TROUBLE.includes(node.status)) ??
    nodes.findLast((node) => BUSY.includes(node.status)) ??
    nodes.findLast((node) => node.status === 'completed') ??
    nodes[0] ??
    null
  );
}

/** How many steps have ended well, and how many there are. */
export function progress(nodes: readonly NodeView[]): { done: number; total: number } {
  const done = nodes.filter((node) => ['completed', 'skipped', 'compensated'].includes(node.status)).length;
  return { done, total: nodes.length };
}

/** `filesystem / read_text_file`, or the function's name, or nothing for steps that call nothing. */
export function targetText(node: NodeView): string {
  return [node.server, node.tool].filter((part) => part !== null).join(' / ');
}
