import { isDeepStrictEqual } from 'node:util';
import { compile } from '@/lib/engine/compile';
import { planRerun } from '@/lib/engine/rerun';
import { apply } from '@/lib/engine/step';
import type { EngineEvent, RunState } from '@/lib/engine/types';
import { validateDefinition } from '@/lib/engine/validate';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { goodFate, randomFate } from '@/tests/simulation/fates';
import { randomDefinition, randomInput } from '@/tests/simulation/generate';
import { SimulatedHost } from '@/tests/simulation/host';
import { checkHistory } from '@/tests/simulation/oracle';
import { idOf, pathOf, placesOf, scopeOf, sibling } from '@/tests/simulation/oracle-facts';
import { Random } from '@/tests/simulation/random';

/** What one seed came to. */
export interface SeedResult {
  seed: number;
  status: RunState['status'];
  events: number;
  nodes: number;
  kinds: Set<string>;
  /** How many nodes were undone. */
  compensated: number;
}

/** Errors of generated definitions that are meant: expressions that fail, and references that only may exist. */
const MEANT = new Set([
  'REFERENCE_NOT_BEFORE',
  'REFERENCE_NOT_CERTAIN',
  'FIELD_UNKNOWN',
  'TYPE_MISMATCH',
  'PORT_NEVER_TAKEN',
  'DUPLICATE_EDGE',
]);

/**
 * Runs one seed: a random definition, random fates, then a helpful world until the run ends. Throws an Error that names the
 * broken law.
 */
export function runSeed(seed: number): SeedResult {
  const random = new Random(seed);
  const definition = randomDefinition(random);
  const found = validateDefinition(definition).problems.find(
    (problem) => problem.severity === 'error' && !MEANT.has(problem.code),
  );
  if (found !== undefined)
    throw new Error(
      `The generated definition is refused: ${found.code} at ${found.pointer}: ${found.message}`,
    );
  const program = compile(definition);
  const input = randomInput(random);
  const eager = seed % 3 === 0;
  const host = new SimulatedHost(program, definition, input, undefined, eager);
  const mood = { luck: random.pick([0.5, 0.75, 0.9, 0.98]), calm: random.chance(0.5) };
  const fates = random.below(120);
  for (let i = 0; i < fates && !host.closed; i++) randomFate(host, random, mood);
  finish(definition, host, random);
  const { status } = host.state;
  // What did not complete is tried again, with the results that are kept.
  if (status === 'failed' || status === 'cancelled' || status === 'timed_out') {
    const seeds = planRerun(program, host.state, { mode: 'retry' });
    checkKept(definition, host.history, seeds);
    const again = new SimulatedHost(program, definition, input, seeds, eager);
    finish(definition, again, random);
    for (const path of Object.keys(seeds)) {
      if (
        host.history.some(
          (event) =>
            event.type === 'ACTIVITY_TASK_SCHEDULED' && event.data.activityId === `${path}:compensate`,
        )
      ) {
        throw new Error(`${path} was undone and yet its result is kept.`);
      }
      if (
        again.memory.calls.has(`${path}:do`) ||
        again.commands.some((command) => command.type === 'RUN_ACTIVITY' && command.nodePath === path)
      ) {
        throw new Error(`${path} was kept and yet called again.`);
      }
    }
  }
  const kinds = new Set<string>();
  for (const node of host.state.nodes.values())
    if (node.order > 0) kinds.add(program.nodes.get(node.id)?.kind ?? '');
  return {
    seed,
    status: host.state.status,
    events: host.history.length,
    nodes: host.state.nodes.size,
    kinds,
    compensated: host.state.closing?.compensated ?? 0,
  };
}

/** A helpful world until the run ends; then every law is checked. */
function finish(definition: WorkflowDefinition, host: SimulatedHost, random: Random): void {
  for (let i = 0; !host.closed; i++) {
    if (i > 5000) throw new Error('The run does not end although nothing goes wrong any more.');
    if (!goodFate(host, random))
      throw new Error(`The run is stuck: status ${host.state.status}, nothing is open.`);
  }
  checkHistory(definition, host.history, host.boundaries);
  checkPrefixes(host);
}

/** A fold from the first event, event by event, never throws, and ends in the live state. */
function checkPrefixes(host: SimulatedHost): void {
  let state: RunState | undefined;
  for (const event of host.history) state = apply(host.program, state, event);
  if (!isDeepStrictEqual(state, host.state))
    throw new Error('The fold of the whole history differs from the live state.');
}

/** No kept result rests on what was undone: not that of a sequence around it, nor of a node that had to wait for it. */
function checkKept(
  definition: WorkflowDefinition,
  history: readonly EngineEvent[],
  seeds: Record<string, unknown>,
): void {
  const places = placesOf(definition);
  const given = new Set(
    history.flatMap((event) =>
      event.type === 'ACTIVITY_TASK_CANCEL_REQUESTED' ? [pathOf(event.data.activityId)] : [],
    ),
  );
  for (const event of history) {
    if (event.type !== 'ACTIVITY_TASK_SCHEDULED' || event.data.purpose !== 'compensate') continue;
    const { nodePath } = event.data;
    if (given.has(nodePath)) continue;
    for (
      let around = scopeOf(nodePath);
      places.get(idOf(around))?.node.kind === 'sequential';
      around = scopeOf(around)
    )
      if (Object.hasOwn(seeds, around)) throw new Error(`${nodePath} was undone and yet ${around} is kept.`);
    for (const [id, { node, incoming }] of places) {
      const after = sibling(nodePath, id);
      if (
        (node.join ?? 'all') === 'all' &&
        incoming.some(({ from }) => from === idOf(nodePath)) &&
        Object.hasOwn(seeds, after)
      )
        throw new Error(`${nodePath} was undone and yet ${after}, which had waited for it, is kept.`);
    }
  }
}
