import type { EngineEvent } from '@/lib/engine/types';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import type { Join } from '@/lib/protocol/definition-common';
import type { WorkflowNode } from '@/lib/protocol/definition-nodes';

/**
 * What must be true of a finished history, worked out from the definition and the events alone, without any code of the
 * engine. Throws an Error that names the broken law.
 */
export function checkHistory(definition: WorkflowDefinition, history: readonly EngineEvent[]): void {
  const places = placesOf(definition);
  checkEnd(history);
  checkJoins(places, history);
  checkGivenUp(history);
  checkApprovals(places, history);
  checkCompensation(places, history);
  checkPause(history);
  checkAttempts(history);
}

interface Place {
  node: WorkflowNode;
  incoming: { from: string; port: string | undefined }[];
}

/** Every node by id, with the edges that lead to it. */
function placesOf(definition: WorkflowDefinition): Map<string, Place> {
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

const CLOSE = /^WORKFLOW_EXECUTION_(COMPLETED|FAILED|TIMED_OUT|CANCELED|TERMINATED|CONTINUED_AS_NEW)$/;
const idOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const scopeOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
const sibling = (path: string, id: string): string => (path.includes('/') ? `${scopeOf(path)}/${id}` : id);
const pathOf = (activityId: string): string => activityId.slice(0, activityId.lastIndexOf(':'));

function checkEnd(history: readonly EngineEvent[]): void {
  const ends = history.filter((event) => CLOSE.test(event.type));
  if (ends.length !== 1) throw new Error(`The run ended ${ends.length} times.`);
  if (history.at(-1) !== ends[0])
    throw new Error(`Something happened after the end: ${history.at(-1)?.type}.`);
}

/** Path of the node that begins with this event, or null. */
function begins(event: EngineEvent): string | null {
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

type End =
  | { kind: 'completed'; port: string | undefined }
  | { kind: 'failed'; handled: boolean }
  | { kind: 'dead' };

/** Nodes that end with this event. */
function ends(event: EngineEvent): [string, End][] {
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

/** No node runs on a dead path, none before its join allows it, and none is skipped that had a way to run. */
function checkJoins(places: Map<string, Place>, history: readonly EngineEvent[]): void {
  const ended = new Map<string, End>();
  const begun = new Set<string>();
  for (const event of history) {
    const starting =
      begins(event) ??
      (event.type === 'NODE_COMPLETED' || event.type === 'NODE_FAILED' ? event.data.nodePath : null);
    if (starting !== null && !begun.has(starting)) {
      const joined = standing(places, starting, ended);
      const allowed =
        joined.allowed ||
        (event.type === 'NODE_FAILED' &&
          event.data.failure.code === 'JOIN_UNSATISFIED' &&
          joined.unsatisfied);
      if (!allowed) throw new Error(`${starting} began although its join did not allow it (${event.type}).`);
      begun.add(starting);
    }
    const over = ends(event);
    if (event.type === 'NODES_SKIPPED') {
      for (const [path] of over) {
        if (begun.has(path)) throw new Error(`${path} was skipped after it had begun.`);
        for (const [other, end] of over) ended.set(other, end);
        const joined = standing(places, path, ended);
        if (joined.allowed || joined.open)
          throw new Error(`${path} was skipped although it had a way to run.`);
      }
    }
    for (const [path, end] of over) if (!ended.has(path)) ended.set(path, end);
  }
}

/** Whether the join of a node lets it run, given what has ended. */
function standing(
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

/** What was given up, skipped or closed never begins afterwards; nothing but compensation begins once the run is closing. */
function checkGivenUp(history: readonly EngineEvent[]): void {
  const dead = new Set<string>();
  const closedScopes = new Set<string>();
  let closing = false;
  for (const event of history) {
    const path = begins(event);
    if (path !== null) {
      if (closing) throw new Error(`${path} began while the run was closing.`);
      if (dead.has(path)) throw new Error(`${path} began after it was skipped or given up.`);
      if (closedScopes.has(scopeOf(path))) throw new Error(`${path} began in a graph that was closed.`);
    }
    if (event.type === 'NODES_SKIPPED' || event.type === 'NODES_CANCELED')
      for (const gone of event.data.nodePaths) dead.add(gone);
    if (event.type === 'NODES_CANCELED') for (const scope of event.data.scopes) closedScopes.add(scope);
    if (event.type === 'RUN_CLOSING') closing = true;
  }
}

/** No approval is passed without as many different people as its quorum, and no guarded call is made before. */
function checkApprovals(places: Map<string, Place>, history: readonly EngineEvent[]): void {
  const asked = new Map<
    string,
    { quorum: number; yes: Set<string>; no: boolean; allowed: string[] | null }
  >();
  const passed = new Set<string>();
  for (const event of history) {
    if (event.type === 'APPROVAL_REQUESTED') {
      asked.set(event.data.approvalId, {
        quorum: event.data.quorum,
        yes: new Set(),
        no: false,
        allowed: event.data.approvers?.users ?? null,
      });
    } else if (event.type === 'APPROVAL_ESCALATED') {
      asked.get(event.data.approvalId)?.allowed?.push(...(event.data.approvers.users ?? []));
    } else if (event.type === 'APPROVAL_DECIDED') {
      const open = asked.get(event.data.approvalId);
      if (open === undefined)
        throw new Error(`A decision on ${event.data.approvalId}, which was never asked.`);
      if (open.allowed !== null && !open.allowed.includes(event.data.by))
        throw new Error(`${event.data.by} decided on ${event.data.approvalId} without being asked.`);
      if (event.data.decision === 'approve') open.yes.add(event.data.by);
      else open.no = true;
    } else if (event.type === 'APPROVAL_CLOSED' && event.data.outcome === 'approved') {
      const open = asked.get(event.data.approvalId);
      if (open === undefined || open.no || open.yes.size < open.quorum)
        throw new Error(`${event.data.approvalId} passed without its decisions.`);
      passed.add(event.data.nodePath);
    } else {
      const path =
        event.type === 'NODE_COMPLETED' && event.data.port === undefined
          ? event.data.nodePath
          : event.type === 'ACTIVITY_TASK_SCHEDULED' && event.data.purpose === 'do'
            ? event.data.nodePath
            : null;
      if (path === null) continue;
      const node = places.get(idOf(path))?.node;
      const guarded =
        node?.kind === 'approval' ||
        (node !== undefined && 'approval' in node && node.approval !== undefined);
      if (guarded && !passed.has(path)) throw new Error(`${path} went on without its approval.`);
    }
  }
}

/** Compensation runs exactly the completed compensable nodes, the last completed first, and only when the run did not complete. */
function checkCompensation(places: Map<string, Place>, history: readonly EngineEvent[]): void {
  const completed: string[] = [];
  const undone: string[] = [];
  let started = false;
  let compensates = false;
  for (const event of history) {
    for (const [path, end] of ends(event)) {
      const node = places.get(idOf(path))?.node;
      if (
        end.kind !== 'completed' ||
        node === undefined ||
        !('compensate' in node) ||
        node.compensate === undefined
      )
        continue;
      if (event.type === 'NODE_COMPLETED') continue;
      if (started) throw new Error(`${path} completed after compensation had begun.`);
      completed.push(path);
    }
    if (event.type === 'RUN_CLOSING') compensates = event.data.compensate;
    if (event.type === 'COMPENSATION_STARTED') started = true;
    if (
      event.type === 'ACTIVITY_TASK_SCHEDULED' &&
      event.data.purpose === 'compensate' &&
      event.data.attempt === 1 &&
      undone.at(-1) !== event.data.nodePath
    )
      undone.push(event.data.nodePath);
    if (event.type === 'COMPENSATION_FAILED' && undone.at(-1) !== event.data.nodePath)
      undone.push(event.data.nodePath);
  }
  const expected = [...completed].reverse();
  const end = history.at(-1)?.type;
  const full = compensates && end !== 'WORKFLOW_EXECUTION_TERMINATED';
  const wanted = full ? expected : expected.slice(0, undone.length);
  if (!compensates && undone.length > 0) throw new Error(`A run that ${end} was compensated.`);
  if (JSON.stringify(undone) !== JSON.stringify(wanted))
    throw new Error(`Compensated ${JSON.stringify(undone)}, wanted ${JSON.stringify(wanted)}.`);
}

/** While a run is paused, nothing new begins; not even another attempt. */
function checkPause(history: readonly EngineEvent[]): void {
  let paused = false;
  for (const event of history) {
    if (event.type === 'WORKFLOW_EXECUTION_PAUSED') paused = true;
    else if (
      event.type === 'WORKFLOW_EXECUTION_UNPAUSED' ||
      event.type === 'WORKFLOW_EXECUTION_CANCEL_REQUESTED' ||
      event.type === 'RUN_CLOSING'
    )
      paused = false;
    else if (paused && (begins(event) !== null || event.type === 'ACTIVITY_TASK_SCHEDULED'))
      throw new Error(`${event.type} while the run was paused.`);
  }
}

/** Attempts are counted without gaps, no call is made while the one before it is open, and none beyond its limit. */
function checkAttempts(history: readonly EngineEvent[]): void {
  const open = new Map<string, number>();
  const last = new Map<string, number>();
  for (const event of history) {
    if (event.type === 'ACTIVITY_TASK_SCHEDULED') {
      const { activityId, attempt } = event.data;
      if (open.has(activityId)) throw new Error(`${activityId} was scheduled while it was open.`);
      const before = last.get(activityId) ?? 0;
      if (attempt !== before + 1 && attempt !== before)
        throw new Error(`${activityId} went from attempt ${before} to ${attempt}.`);
      open.set(activityId, attempt);
      last.set(activityId, attempt);
    } else if (/^ACTIVITY_TASK_(COMPLETED|FAILED|TIMED_OUT|CANCELED|OUTCOME_UNKNOWN)$/.test(event.type)) {
      open.delete((event.data as { activityId: string }).activityId);
    }
  }
}
