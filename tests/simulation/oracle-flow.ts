import type { EngineEvent } from '@/lib/engine/types';
import {
  begins,
  CLOSE,
  type End,
  ends,
  idOf,
  type Place,
  scopeOf,
  standing,
} from '@/tests/simulation/oracle-facts';

export function checkEnd(history: readonly EngineEvent[]): void {
  const ends = history.filter((event) => CLOSE.test(event.type));
  if (ends.length !== 1) throw new Error(`The run ended ${ends.length} times.`);
  if (history.at(-1) !== ends[0])
    throw new Error(`Something happened after the end: ${history.at(-1)?.type}.`);
}

/** No node runs on a dead path, none before its join allows it, and none is skipped that had a way to run. */
export function checkJoins(places: Map<string, Place>, history: readonly EngineEvent[]): void {
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

/** What was given up, skipped or closed never begins afterwards; nothing but compensation begins once the run is closing. */
export function checkGivenUp(history: readonly EngineEvent[]): void {
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

/** A container completes only when enough of its parts have: every item of a for-each, the branches asked for. */
export function checkContainers(places: Map<string, Place>, history: readonly EngineEvent[]): void {
  const parts = new Map<string, { done: number; failed: number; items: number | null }>();
  const of = (path: string) => {
    const found = parts.get(path) ?? { done: 0, failed: 0, items: null };
    parts.set(path, found);
    return found;
  };
  for (const event of history) {
    if (event.type === 'NODE_STARTED') of(event.data.nodePath).items = event.data.items?.length ?? null;
    else if (event.type === 'LOOP_ITERATION_COMPLETED' || event.type === 'BRANCH_COMPLETED')
      of(event.data.nodePath).done++;
    else if (event.type === 'LOOP_ITERATION_FAILED' || event.type === 'BRANCH_FAILED')
      of(event.data.nodePath).failed++;
    else if (event.type === 'NODE_COMPLETED' && event.data.seeded !== true) {
      const node = places.get(idOf(event.data.nodePath))?.node;
      const { done, failed, items } = of(event.data.nodePath);
      if (node?.kind === 'loop' && node.mode === 'for-each' && done + failed !== items) {
        throw new Error(`${event.data.nodePath} completed after ${done + failed} of ${items} iterations.`);
      }
      if (node?.kind === 'loop' && node.mode === 'for-each') {
        const policy = node.onItemFailure ?? 'fail';
        const allowed = policy === 'continue' ? failed : policy === 'fail' ? 0 : policy.tolerate;
        if (failed > allowed)
          throw new Error(`${event.data.nodePath} completed with ${failed} failed iterations.`);
      }
      if (node?.kind === 'parallel') {
        const join = node.branchJoin ?? 'all';
        const needed =
          join === 'all'
            ? node.branches.length
            : join === 'any'
              ? 1
              : Math.min(join.atLeast, node.branches.length);
        if (done < needed)
          throw new Error(`${event.data.nodePath} completed with ${done} of ${needed} branches.`);
      }
    }
  }
}

/**
 * Nothing is put off: after every transition of a run that is neither paused nor closing, every node whose join allows it has
 * begun, and every node without a way to run is skipped.
 */
export function checkPrompt(
  places: Map<string, Place>,
  history: readonly EngineEvent[],
  boundaries: readonly number[],
): void {
  const ended = new Map<string, End>();
  const begun = new Set<string>();
  const closed = new Set<string>();
  const behind = new Map<string, string[]>();
  for (const [id, place] of places)
    for (const { from } of place.incoming) behind.set(from, [...(behind.get(from) ?? []), id]);
  const stops = new Set(boundaries);
  let candidates = new Set<string>();
  let [paused, closing] = [false, false];
  history.forEach((event, i) => {
    const path = begins(event);
    if (path !== null) begun.add(path);
    for (const [over, end] of ends(event)) {
      if (!ended.has(over)) ended.set(over, end);
      const prefix = scopeOf(over) === '' ? '' : `${scopeOf(over)}/`;
      for (const id of behind.get(idOf(over)) ?? []) candidates.add(prefix + id);
    }
    if (event.type === 'NODES_CANCELED') for (const scope of event.data.scopes) closed.add(scope);
    if (event.type === 'LOOP_ITERATION_FAILED') closed.add(`${event.data.nodePath}/${event.data.index}`);
    if (event.type === 'BRANCH_FAILED') closed.add(`${event.data.nodePath}/${event.data.branch}`);
    if (event.type === 'WORKFLOW_EXECUTION_PAUSED') paused = true;
    if (event.type === 'WORKFLOW_EXECUTION_UNPAUSED') paused = false;
    if (event.type === 'RUN_CLOSING' || CLOSE.test(event.type)) closing = true;
    if (!stops.has(i + 1) || paused || closing) return;
    for (const candidate of candidates) {
      if (begun.has(candidate) || ended.has(candidate) || closed.has(scopeOf(candidate))) continue;
      const { allowed, open } = standing(places, candidate, ended);
      if (allowed) throw new Error(`${candidate} could run and was left waiting.`);
      if (!open) throw new Error(`${candidate} has no way to run and was not settled.`);
    }
    candidates = new Set();
  });
}
