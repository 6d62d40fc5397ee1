import { failureOf, intOf, nodePathsOf, purposeOf, targetOf, textOf } from '@/lib/client/event-data';
import { advanceRow } from '@/lib/client/run-events';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { NodeStatus, NodeView, RunDetail } from '@/lib/protocol/run';

/**
 * How events change the steps of the open run before the server's own view has been read again, so that a
 * step is seen to start and end in the moment in which its event arrives. Names and payloads are those of
 * the event catalogue (lib/protocol/events.ts); an unknown event changes nothing but the length of the history.
 */

/** What an event does to its nodes. `begins` sets the start time, `ends` the end time. */
interface Effect {
  /** Left out: the status stays, only the facts of the event are taken. */
  status?: NodeStatus;
  begins?: true;
  ends?: true;
}

const RUNNING: Effect = { status: 'running', begins: true };
const WAITING: Effect = { status: 'waiting', begins: true };
const COMPLETED: Effect = { status: 'completed', ends: true };
const FAILED: Effect = { status: 'failed', ends: true };

/** Events that always mean the same. */
const EFFECTS: Record<string, Effect> = {
  // What a failed attempt leads to is said by the event after it: a retry timer, an unknown outcome, NODE_FAILED.
  ACTIVITY_TASK_FAILED: {},
  ACTIVITY_TASK_TIMED_OUT: {},
  ACTIVITY_TASK_CANCELED: { status: 'cancelled', ends: true },
  ACTIVITY_TASK_OUTCOME_UNKNOWN: { status: 'unknown_outcome' },
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: RUNNING,
  CHILD_WORKFLOW_EXECUTION_COMPLETED: COMPLETED,
  NODE_COMPLETED: COMPLETED,
  NODE_FAILED: FAILED,
  NODES_SKIPPED: { status: 'skipped' },
  NODES_CANCELED: { status: 'cancelled', ends: true },
  APPROVAL_REQUESTED: WAITING,
  COMPENSATION_FAILED: { status: 'compensation_failed' },
};

const RESOLVED: Record<string, Effect> = {
  retry: { status: 'scheduled' },
  completed: COMPLETED,
  failed: FAILED,
};

function effectOf(event: WorkflowEventRecord): Effect | undefined {
  const { data, type } = event;
  const undoing = purposeOf(data) === 'compensate';
  switch (type) {
    case 'ACTIVITY_TASK_SCHEDULED':
      return undoing ? { status: 'compensating' } : { status: 'scheduled', begins: true };
    case 'ACTIVITY_TASK_STARTED':
      return undoing ? { status: 'compensating' } : RUNNING;
    case 'ACTIVITY_TASK_COMPLETED':
      return undoing ? { status: 'compensated' } : COMPLETED;
    case 'ACTIVITY_TASK_INPUT_REQUIRED':
      return undoing ? undefined : { status: 'waiting' };
    case 'NODE_STARTED':
      return textOf(data, 'signal') === null ? RUNNING : WAITING;
    case 'TIMER_STARTED': {
      const purpose = textOf(data, 'purpose');
      if (purpose === 'wait') return WAITING;
      return purpose === 'retry' || purpose === 'circuit' ? { status: 'backing_off' } : undefined;
    }
    case 'OUTCOME_RESOLVED':
      return RESOLVED[textOf(data, 'resolution') ?? ''];
    default:
      return Object.hasOwn(EFFECTS, type) ? EFFECTS[type] : undefined;
  }
}

/** A node that the server's view has not shown yet. Its kind is known only when the event names what is called. */
function newNode(path: string): NodeView {
  return {
    path,
    nodeId: path.split('/').at(-1) ?? path,
    kind: '',
    name: null,
    status: 'pending',
    attempt: 0,
    startedAt: null,
    endedAt: null,
    durationMs: null,
    server: null,
    tool: null,
    input: null,
    output: null,
    failure: null,
  };
}

function advanceNode(node: NodeView, effect: Effect, event: WorkflowEventRecord): NodeView {
  const { data, at } = event;
  const target = targetOf(data);
  const undoing = purposeOf(data) === 'compensate';
  const next: NodeView = { ...node, status: effect.status ?? node.status };
  if (target && !undoing) Object.assign(next, target);
  next.attempt = intOf(data, 'attempt') ?? node.attempt;
  if (!undoing) {
    next.input = data.input ?? node.input;
    next.output = data.output ?? node.output;
  }
  next.failure = failureOf(data) ?? (effect.status === 'completed' ? null : node.failure);
  if (effect.begins && next.startedAt === null) next.startedAt = at;
  if (effect.ends) {
    next.startedAt ??= at;
    next.endedAt = at;
    next.durationMs = Math.max(0, Math.round(Date.parse(at) - Date.parse(next.startedAt)));
  }
  return next;
}

/** The run after an event; the same object when the event is already contained in it (by seq). */
export function advanceRun(run: RunDetail, event: WorkflowEventRecord): RunDetail {
  if (event.seq <= run.historyLength) return run;
  const next = advanceRow(run, event);
  if (event.type === 'WORKFLOW_EXECUTION_COMPLETED') next.output = event.data.output ?? next.output;
  const effect = effectOf(event);
  if (effect === undefined) return next;
  let { nodes } = next;
  for (const path of nodePathsOf(event.data)) {
    const index = nodes.findIndex((node) => node.path === path);
    const node = advanceNode(nodes[index] ?? newNode(path), effect, event);
    nodes = index < 0 ? [...nodes, node] : nodes.with(index, node);
  }
  return { ...next, nodes };
}

/**
 * The server's view with the events on top that it does not contain yet, so that a slow answer never
 * takes the screen back in time.
 */
export function replayOver(snapshot: RunDetail, events: readonly WorkflowEventRecord[]): RunDetail {
  let run = snapshot;
  for (const event of events) run = advanceRun(run, event);
  return run;
}
