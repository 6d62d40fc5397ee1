import type { EngineEvent } from '@/lib/engine/types';
import { begins, idOf, type Place } from '@/tests/simulation/oracle-facts';

/** No approval is passed without as many different people as its quorum, and no guarded call is made before. */
export function checkApprovals(places: Map<string, Place>, history: readonly EngineEvent[]): void {
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
        event.type === 'NODE_COMPLETED' && event.data.port === undefined && event.data.seeded !== true
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

/** While a run is paused, nothing new begins; not even another attempt. */
export function checkPause(history: readonly EngineEvent[]): void {
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

/** Each signal goes to the node that has waited longest, early ones are kept, and its payload is that node's output. */
export function checkSignals(history: readonly EngineEvent[]): void {
  const kept = new Map<string, unknown[]>();
  const waiters = new Map<string, string[]>();
  const served = new Map<string, unknown>();
  const names = new Map<string, string>();
  const listOf = <T>(map: Map<string, T[]>, name: string): T[] => {
    const found = map.get(name) ?? [];
    map.set(name, found);
    return found;
  };
  for (const event of history) {
    if (event.type === 'NODE_STARTED' && event.data.signal !== undefined) {
      const { nodePath, signal } = event.data;
      names.set(nodePath, signal);
      const early = listOf(kept, signal);
      if (early.length > 0) served.set(nodePath, early.shift());
      else listOf(waiters, signal).push(nodePath);
    } else if (event.type === 'WORKFLOW_EXECUTION_SIGNALED') {
      const next = listOf(waiters, event.data.name).shift();
      if (next === undefined) listOf(kept, event.data.name).push(event.data.payload);
      else served.set(next, event.data.payload);
    } else if (
      event.type === 'NODE_COMPLETED' &&
      names.has(event.data.nodePath) &&
      event.data.port !== 'timeout'
    ) {
      const { nodePath, output } = event.data;
      if (!served.has(nodePath) || JSON.stringify(served.get(nodePath)) !== JSON.stringify(output)) {
        throw new Error(
          `${nodePath} completed with ${JSON.stringify(output)}; its signal brought ${JSON.stringify(served.get(nodePath))}.`,
        );
      }
    }
    const gone =
      event.type === 'NODES_CANCELED'
        ? event.data.nodePaths
        : event.type === 'NODE_FAILED' || event.type === 'NODE_COMPLETED'
          ? [event.data.nodePath]
          : [];
    // A fired timeout takes a node out of the line at once, also while the run is paused and its failure is still to be written.
    const timedOut =
      event.type === 'TIMER_FIRED' && event.data.timerId.endsWith(':timeout')
        ? [event.data.timerId.slice(0, -':timeout'.length)]
        : [];
    for (const path of [...gone, ...timedOut]) {
      const name = names.get(path);
      if (name !== undefined)
        waiters.set(
          name,
          listOf(waiters, name).filter((other) => other !== path),
        );
    }
  }
}
