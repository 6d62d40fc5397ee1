import type { EngineEvent } from '@/lib/engine/types';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { Join } from '@/lib/protocol/definition-common';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';

/** What the laws of the oracle share: the definition's edges and the meaning of events, read without the engine. */
export interface Place {
  node: WorkflowNode;
  incoming: { from: string; port: string | undefined }[];
}

/** Every node by id, with the edges that lead to it. */
export function placesOf(definition: WorkflowDefinition): Map<string, Place> {
  const places = new Map<string, Place>();
  const visit = (
    nodes: readonly WorkflowNode[],
    edges: readonly { from: string; to: string; port?: string | undefined }[],
  ): void => {
    for (const node of nodes) {
      places.set(node.id, {
        node,
        incoming: edges.filter((edge) => edge.to === node.id).map(({ from, port }) => ({ from, port })),
      });
      if (node.kind === 'sequential')
        visit(
          node.nodes,
          node.edges ??
            node.nodes.slice(1).map((next, i) => ({ from: node.nodes[i]?.id ?? '', to: next.id })),
        );
      if (node.kind === 'loop') visit(node.body.nodes, node.body.edges ?? []);
      if (node.kind === 'parallel')
        for (const branch of node.branches) visit(branch.nodes, branch.edges ?? []);
    }
  };
  visit(definition.nodes, definition.edges ?? []);
  return places;
}
export const CLOSE = /^WORKFLOW_EXECUTION_(COMPLETED|FAILED|TIMED_OUT|CANCELED|TERMINATED|CONTINUED_AS_NEW)$/;
export const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
export const scopeOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
export const sibling = (path: string, id: string): string =>
  path.includes('/') ? `${scopeOf(path)}/${id}` : id;
export const pathOf = (activityId: string): string => activityId.slice(0, activityId.lastIndexOf(':'));

/** Path of the node that begins with this event, or null. */
export function begins(event: EngineEvent): string | null {
  switch (event.type) {
    case 'ACTIVITY_TASK_SCHEDULED':
      return event.data.purpose === 'do' && event.data.attempt === 1 ? event.data.nodePath : null;
    case 'NODE_STARTED':
    case 'APPROVAL_REQUESTED':
    case 'START_CHILD_WORKFLOW_EXECUTION_INITIATED':
      return event.data.nodePath;
    case 'TIMER_STARTED':
      return event.data.purpose === 'wait' ? (event.data.nodePath ?? null) : null;
    default:
      return null;
  }
}

export type End =
  | { kind: 'completed'; port: string | undefined }
  | { kind: 'failed'; handled: boolean }
  | { kind: 'dead' };

/** Nodes that end with this event. */
export function ends(event: EngineEvent): [string, End][] {
  switch (event.type) {
    case 'NODE_COMPLETED':
      return [[event.data.nodePath, { kind: 'completed', port: event.data.port }]];
    case 'ACTIVITY_TASK_COMPLETED':
      return event.data.activityId.endsWith(':do')
        ? [[pathOf(event.data.activityId), { kind: 'completed', port: undefined }]]
        : [];
    case 'OUTCOME_RESOLVED':
      return event.data.activityId.endsWith(':do') && event.data.resolution === 'completed'
        ? [[pathOf(event.data.activityId), { kind: 'completed', port: undefined }]]
        : [];
    case 'NODE_FAILED':
      return [[event.data.nodePath, { kind: 'failed', handled: event.data.handled }]];
    case 'NODES_SKIPPED':
    case 'NODES_CANCELED':
      return event.data.nodePaths.map((path) => [path, { kind: 'dead' }]);
    case 'ACTIVITY_TASK_CANCELED':
    case 'ACTIVITY_TASK_CANCEL_REQUESTED':
      return [[pathOf(event.data.activityId), { kind: 'dead' }]];
    default:
      return [];
  }
}

/** Whether the join of a node lets it run, given what has ended. */
export function standing(
  places: Map<string, Place>,
  path: string,
  ended: ReadonlyMap<string, End>,
): { allowed: boolean; open: boolean; unsatisfied: boolean } {
  const place = places.get(idOf(path));
  if (place === undefined) throw new Error(`${path} is no node of the definition.`);
  if (place.incoming.length === 0) return { allowed: true, open: false, unsatisfied: false };
  const join: Join = place.node.join ?? 'all';
  let [settled, taken] = [0, 0];
  for (const { from, port } of place.incoming) {
    const end = ended.get(sibling(path, from));
    if (end === undefined) continue;
    settled++;
    const source = places.get(from);
    if (source !== undefined && isTaken(end, port, source.node, join)) taken++;
  }
  const open = settled < place.incoming.length;
  if (join === 'all' || join === 'on-failure')
    return { allowed: !open && taken > 0, open, unsatisfied: false };
  const needed = join === 'any' ? 1 : join.atLeast;
  return { allowed: taken >= needed, open: open && taken < needed, unsatisfied: !open && taken < needed };
}

function isTaken(end: End, port: string | undefined, source: WorkflowNode, join: Join): boolean {
  if (end.kind === 'dead') return false;
  if (join === 'on-failure' && port === undefined) return end.kind === 'failed';
  if (port === 'error') return end.kind === 'failed';
  if (end.kind === 'failed') return port === undefined && source.onError === 'continue';
  return port === end.port;
}
