import type { EngineEvent } from '@/lib/engine/types';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import {
  checkAmbiguity,
  checkAttempts,
  checkAwaited,
  checkCompensation,
} from '@/tests/simulation/oracle-calls';
import { placesOf } from '@/tests/simulation/oracle-facts';
import {
  checkContainers,
  checkEnd,
  checkGivenUp,
  checkJoins,
  checkPrompt,
} from '@/tests/simulation/oracle-flow';
import { checkApprovals, checkPause, checkSignals } from '@/tests/simulation/oracle-people';

/**
 * What must be true of a finished history, worked out from the definition and the events alone, without any code of the
 * engine. `boundaries` are the lengths of the history after each transition. Throws an Error that names the broken law.
 */
export function checkHistory(
  definition: WorkflowDefinition,
  history: readonly EngineEvent[],
  boundaries: readonly number[],
): void {
  const places = placesOf(definition);
  checkEnd(history);
  checkJoins(places, history);
  checkGivenUp(history);
  checkApprovals(places, history);
  checkCompensation(places, history);
  checkPause(history);
  checkAttempts(places, history);
  checkAwaited(places, history, boundaries);
  checkContainers(places, history);
  checkPrompt(places, history, boundaries);
  checkAmbiguity(places, history);
  checkSignals(history);
}
