import type { EngineEvent } from '@/lib/engine/types';
import { ends, idOf, type Place, pathOf } from '@/tests/simulation/oracle-facts';

/** Compensation runs exactly the completed compensable nodes, the last completed first, and only when the run did not complete. */
export function checkCompensation(places: Map<string, Place>, history: readonly EngineEvent[]): void {
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

/** Attempts are counted without gaps, no call is made while the one before it is open, and none beyond its limit. */
export function checkAttempts(places: Map<string, Place>, history: readonly EngineEvent[]): void {
  const open = new Map<string, number>();
  const last = new Map<string, number>();
  const granted = new Map<string, number>();
  for (const event of history) {
    if (event.type === 'ACTIVITY_TASK_SCHEDULED') {
      const { activityId, attempt, nodePath, purpose } = event.data;
      if (open.has(activityId) && event.data.resumed === undefined)
        throw new Error(`${activityId} was scheduled while it was open.`);
      const before = last.get(activityId) ?? 0;
      if (attempt !== before + 1 && attempt !== before) {
        throw new Error(`${activityId} went from attempt ${before} to ${attempt}.`);
      }
      const node = places.get(idOf(nodePath))?.node;
      const settings =
        node !== undefined && 'compensate' in node && purpose === 'compensate' ? node.compensate : node;
      const limit =
        (settings !== undefined && 'retry' in settings ? settings.retry?.maxAttempts : undefined) ?? 3;
      if (attempt > limit + (granted.get(activityId) ?? 0))
        throw new Error(`${activityId} got attempt ${attempt} of ${limit}.`);
      open.set(activityId, attempt);
      last.set(activityId, attempt);
    } else if (event.type === 'OUTCOME_RESOLVED') {
      // A person may grant one more.
      if (event.data.resolution === 'retry')
        granted.set(event.data.activityId, (granted.get(event.data.activityId) ?? 0) + 1);
    } else if (/^ACTIVITY_TASK_(COMPLETED|FAILED|TIMED_OUT|CANCELED|OUTCOME_UNKNOWN)$/.test(event.type)) {
      open.delete((event.data as { activityId: string }).activityId);
    }
  }
}

/** After these nobody has to wait for the call any more: it answered, or a person said what became of it. */
const ANSWERS = new Set(['ACTIVITY_TASK_FAILED', 'ACTIVITY_TASK_TIMED_OUT', 'OUTCOME_RESOLVED']);

/**
 * A call that could be undone and may be running is never given up without awaiting its outcome; nor is one of
 * which an attempt left open whether it took effect.
 */
export function checkAwaited(
  places: Map<string, Place>,
  history: readonly EngineEvent[],
  boundaries: readonly number[],
): void {
  const sent = new Map<string, number>();
  const asked = new Set<string>();
  const doubtful = new Set<string>();
  const transitionOf = (index: number): number => boundaries.findIndex((end) => index < end);
  history.forEach((event, i) => {
    // Once the call is to stop there is no retry: that, too, says that nothing is to be undone.
    if (
      event.type === 'OUTCOME_RESOLVED' &&
      (event.data.resolution === 'failed' || asked.has(event.data.activityId))
    )
      doubtful.delete(event.data.activityId);
    if (event.type === 'ACTIVITY_TASK_OUTCOME_UNKNOWN') doubtful.add(event.data.activityId);
    if (event.type === 'ACTIVITY_TASK_FAILED' || event.type === 'ACTIVITY_TASK_TIMED_OUT') {
      if (event.data.ambiguous ?? event.type === 'ACTIVITY_TASK_TIMED_OUT')
        doubtful.add(event.data.activityId);
      else if (event.data.failure?.code === 'TOOL_ERROR') doubtful.delete(event.data.activityId);
    }
    if (event.type === 'NODE_FAILED' && doubtful.has(`${event.data.nodePath}:do`)) {
      const node = places.get(idOf(event.data.nodePath))?.node;
      if (node !== undefined && 'compensate' in node && node.compensate !== undefined)
        throw new Error(`${event.data.nodePath} could be undone, may have taken effect, and was let fail.`);
    }
    // A question that does not keep the call open ends it for now.
    if (event.type === 'ACTIVITY_TASK_INPUT_REQUIRED' && event.data.input.durable)
      sent.delete(event.data.activityId);
    if (event.type === 'ACTIVITY_TASK_SCHEDULED') sent.set(event.data.activityId, i);
    else if (event.type === 'ACTIVITY_TASK_CANCEL_REQUESTED') asked.add(event.data.activityId);
    else if (ANSWERS.has(event.type)) sent.delete((event.data as { activityId: string }).activityId);
    else if (event.type === 'ACTIVITY_TASK_CANCELED') {
      const { activityId } = event.data;
      const since = sent.get(activityId);
      const node = places.get(idOf(pathOf(activityId)))?.node;
      const undoable = node !== undefined && 'compensate' in node && node.compensate !== undefined;
      if (undoable && doubtful.has(activityId))
        throw new Error(
          `${activityId} could be undone, may have taken effect, and was given up all the same.`,
        );
      if (
        undoable &&
        since !== undefined &&
        !asked.has(activityId) &&
        transitionOf(since) !== transitionOf(i)
      ) {
        throw new Error(`${activityId} could be undone, was running, and was given up without awaiting it.`);
      }
    }
  });
}

/** A failure that may have taken effect is never followed by another attempt unless a repeat is safe or a person says so. */
export function checkAmbiguity(places: Map<string, Place>, history: readonly EngineEvent[]): void {
  const started = new Map<string, boolean>();
  const unsafe = new Set<string>();
  for (const event of history) {
    switch (event.type) {
      case 'ACTIVITY_TASK_STARTED':
        started.set(event.data.activityId, event.data.retrySafe);
        break;
      case 'ACTIVITY_TASK_FAILED':
      case 'ACTIVITY_TASK_TIMED_OUT': {
        const { activityId } = event.data;
        const ambiguous = event.data.ambiguous ?? event.type === 'ACTIVITY_TASK_TIMED_OUT';
        const node = places.get(idOf(pathOf(activityId)))?.node;
        if (node === undefined) throw new Error(`${activityId} belongs to no node.`);
        const settings = activityId.endsWith(':do')
          ? node
          : 'compensate' in node
            ? node.compensate
            : undefined;
        const own = settings !== undefined && 'idempotent' in settings ? settings.idempotent : undefined;
        const inProcess = settings !== undefined && 'activity' in settings;
        const safe = own ?? event.data.retrySafe ?? started.get(activityId) ?? inProcess;
        if (ambiguous && !safe) unsafe.add(activityId);
        started.delete(activityId);
        break;
      }
      case 'OUTCOME_RESOLVED':
        unsafe.delete(event.data.activityId);
        break;
      case 'ACTIVITY_TASK_SCHEDULED':
        if (unsafe.has(event.data.activityId))
          throw new Error(`${event.data.activityId} may have taken effect and was repeated.`);
        break;
      default:
    }
  }
}
