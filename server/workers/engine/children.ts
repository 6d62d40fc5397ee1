import type { CloseRun, Command, StartChild, StartWorkflow } from '@/lib/engine/commands';
import type { EngineEvent, RunState, Transition } from '@/lib/engine/types';
import { isAppError, toAppError } from '@/lib/protocol/errors';
import type { Clock } from '@/lib/shared/clock';
import { shardOf } from '@/lib/shared/ids';
import type { Json, JsonObject } from '@/lib/shared/json';
import type { DefinitionStore } from '@/server/ports/definition-store';
import type {
  AcceptRequest,
  AuditFacts,
  CommitPart,
  ExecutionStore,
  InboxRow,
  NewInboxRow,
  NewRun,
} from '@/server/ports/execution-store';
import type { Tracing } from '@/server/ports/tracing';
import { backOff } from '@/server/workers/engine/back-off';
import { emptyPart } from '@/server/workers/engine/parts';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

export interface ChildDeps {
  store: ExecutionStore;
  definitions: DefinitionStore;
  clock: Clock;
  newRunId: () => string;
  shards: number;
  flags: readonly string[];
  /** Left out while tracing is off. */
  tracing?: Tracing | undefined;
  /** Announces an accepted row to whoever hosts its shard in this process. */
  announce: (row: unknown) => void;
}

interface Opening {
  workflow: string;
  version?: number | undefined;
  workflowId: string;
  input: Json;
  parent?: { runId: string; nodePath: string };
  previousRunId?: string;
}

/** Row and first event of a run that another run starts. Null when the workflow does not exist. */
async function prepare(deps: ChildDeps, run: ResidentRun, opening: Opening): Promise<NewRun | null> {
  const { organizationId, workflow, definitionHash, version } = run.info;
  // continue-as-new goes on with the very definition of the run; anything else is looked up by name.
  const target =
    opening.previousRunId && opening.workflow === workflow && (opening.version ?? version) === version
      ? { hash: definitionHash, version }
      : await deps.definitions.get(organizationId, opening.workflow, opening.version);
  if (!target) return null;
  const runId = deps.newRunId();
  const startedBy = run.state?.startedBy ?? 'system';
  const started: JsonObject = {
    runId,
    workflowId: opening.workflowId,
    organizationId,
    workflow: opening.workflow,
    version: target.version,
    definitionHash: target.hash,
    input: opening.input,
    startedBy,
    ...(run.state?.onBehalfOf === undefined ? {} : { onBehalfOf: run.state.onBehalfOf }),
    flags: [...deps.flags],
    correlationId: run.correlationId ?? run.info.runId,
    ...(opening.parent ? { parent: opening.parent } : {}),
    ...(opening.previousRunId ? { previousRunId: opening.previousRunId } : {}),
    ...(run.state?.priority === undefined ? {} : { priority: run.state.priority }),
    ...(deps.tracing && run.state?.trace
      ? {
          trace: deps.tracing.followRun(
            opening.workflow,
            run.state.trace,
            opening.previousRunId ? 'next' : 'child',
          ),
        }
      : {}),
  };
  return {
    runId,
    organizationId,
    workflowId: opening.workflowId,
    workflow: opening.workflow,
    version: target.version,
    definitionHash: target.hash,
    shard: shardOf(opening.workflowId, deps.shards),
    startedBy,
    parentRunId: opening.parent?.runId ?? null,
    parentNodePath: opening.parent?.nodePath ?? null,
    previousRunId: opening.previousRunId ?? null,
    started,
  };
}

/**
 * Tries again until the store answers for certain: no run fails, or stays open for ever, because the database was away for
 * a while. Ends with the error when it says something, or when the run is lost.
 */
export async function insist<T>(deps: ChildDeps, run: ResidentRun, work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const { code } = error as { code?: unknown };
      const isRefused = typeof code === 'string' && /^(22|23|42)[0-9A-Z]{3}$/.test(code);
      const isAnswer = isAppError(error) ? error.code !== 'DATABASE_UNAVAILABLE' : isRefused;
      if (run.gone || isAnswer || error instanceof TypeError) throw error;
      await backOff(deps.clock, attempt);
    }
  }
}

/** Accepts the start of `opening` once, whatever crashes in between: `key` makes a repetition find the first run. */
async function accept(
  deps: ChildDeps,
  run: ResidentRun,
  opening: Opening,
  key: string,
): Promise<string | null> {
  const newRun = await insist(deps, run, () => prepare(deps, run, opening));
  if (!newRun) return null;
  const request: AcceptRequest = {
    organizationId: newRun.organizationId,
    runId: newRun.runId,
    shard: newRun.shard,
    newRun,
    eventType: 'WORKFLOW_EXECUTION_STARTED',
    data: newRun.started,
    idempotency: { key, requestHash: key },
    audit: startEntry(run, newRun),
  };
  const { runId, row } = await insist(deps, run, () => deps.store.accept(request));
  if (row) deps.announce(row);
  return runId;
}

function startEntry(run: ResidentRun, { runId, workflow }: NewRun): AuditFacts {
  return {
    actorKind: 'system',
    actorId: run.info.runId,
    action: 'run.start',
    object: runId,
    details: { workflow },
  };
}

/** Starts a child run; resolves with the fact for the parent. */
export async function startChild(
  deps: ChildDeps,
  run: ResidentRun,
  command: StartChild,
): Promise<EngineEvent> {
  const { nodePath, childWorkflowId, workflow, version, input } = command;
  const parent = { runId: run.info.runId, nodePath };
  const fact = (type: string, data: JsonObject) =>
    ({ type, at: deps.clock.now(), data }) as unknown as EngineEvent;
  try {
    const key = `child:${run.info.runId}:${nodePath}`;
    const childRunId = await accept(
      deps,
      run,
      { workflow, version, workflowId: childWorkflowId, input, parent },
      key,
    );
    if (childRunId) return fact('CHILD_WORKFLOW_EXECUTION_STARTED', { nodePath, childRunId });
    const failure = {
      code: 'WORKFLOW_NOT_FOUND',
      message: `There is no workflow "${workflow}".`,
      retriable: false,
    };
    return fact('START_CHILD_WORKFLOW_EXECUTION_FAILED', { nodePath, failure });
  } catch (error) {
    const { code, message, entry } = toAppError(error);
    const failure = { code, message, retriable: entry.retriable };
    return fact('START_CHILD_WORKFLOW_EXECUTION_FAILED', { nodePath, failure });
  }
}

/**
 * What children are told when their parent gives them up, as rows for their inboxes that join the parent's commit. A child
 * whose run nobody knows yet is left out; one that has closed meanwhile drops its row.
 */
export function stopChildRows(
  deps: ChildDeps,
  run: ResidentRun,
  commands: readonly Command[],
): NewInboxRow[] {
  return commands.flatMap((command) => {
    if (command.type !== 'CANCEL_CHILD' && command.type !== 'TERMINATE_CHILD') return [];
    const { type, childRunId, childWorkflowId } = command;
    if (!childRunId) return [];
    return {
      shard: shardOf(childWorkflowId, deps.shards),
      organizationId: run.info.organizationId,
      runId: childRunId,
      eventType:
        type === 'CANCEL_CHILD' ? 'WORKFLOW_EXECUTION_CANCEL_REQUESTED' : 'WORKFLOW_EXECUTION_TERMINATED',
      data: { reason: 'The parent run gave it up.', by: run.info.runId },
    };
  });
}

/**
 * The same for children whose start is under way: nobody knows their run yet, so it is asked for once more under the key of
 * the start (made, when the start has not reached the store). Null when there is none, which is nearly always.
 */
export function stopStartingChildren(
  deps: ChildDeps,
  run: ResidentRun,
  commands: readonly Command[],
  part: CommitPart,
): Promise<void> | null {
  const starting = commands.flatMap((command) =>
    (command.type === 'CANCEL_CHILD' || command.type === 'TERMINATE_CHILD') && !command.childRunId
      ? [command]
      : [],
  );
  if (starting.length === 0) return null;
  return (async () => {
    for (const command of starting) {
      const child = run.state?.nodes.get(command.nodePath)?.child;
      if (!child) continue;
      const { type: _type, data } = await startChild(deps, run, {
        ...child,
        type: 'START_CHILD',
        nodePath: command.nodePath,
      } as StartChild);
      const { childRunId } = data as { childRunId?: string };
      // A start that was refused has left nothing to stop.
      if (childRunId) part.inboxAdds.push(...stopChildRows(deps, run, [{ ...command, childRunId }]));
    }
  })();
}

/**
 * Makes ready what a closing run starts. It joins the closing commit itself: a continue-as-new run takes over the workflow id in
 * that instant, and a failure workflow must not exist when the close is refused, since another owner may yet complete the run.
 */
export async function openClosingWorkflows(
  deps: ChildDeps,
  run: ResidentRun,
  transition: Transition,
  part: CommitPart,
): Promise<void> {
  for (const command of transition.commands) {
    if (command.type !== 'START_WORKFLOW') continue;
    const isNext = command.purpose === 'continue-as-new';
    // A parent waits for the last run of the chain: each one knows the parent, and only the last one tells it.
    const { parent } = run.state ?? {};
    const chain = isNext ? { previousRunId: run.info.runId, ...(parent ? { parent } : {}) } : {};
    const following = { ...opening(command, run), ...chain };
    const next = await insist(deps, run, () => prepare(deps, run, following));
    if (!next) continue;
    // The id of a failure workflow holds the failed run's own: where it has a run already, this start was made, by a process of
    // an earlier version, or somebody took the id on purpose. Either way the close must go on without it.
    part.newRuns.push(isNext ? next : { ...next, audit: startEntry(run, next), once: true });
    if (isNext) part.inboxAdds.push(...keptSignals(run, next));
  }
}

/** Signals that the run was sent and no node has taken: they were acknowledged, and the next run of the chain may wait for them. */
function keptSignals(run: ResidentRun, next: NewRun): NewInboxRow[] {
  return [...(run.state?.signals ?? [])].flatMap(([name, payloads]) =>
    payloads.map((payload) => ({
      shard: next.shard,
      organizationId: next.organizationId,
      runId: next.runId,
      eventType: 'WORKFLOW_EXECUTION_SIGNALED',
      data: { name, payload, by: run.info.runId },
    })),
  );
}

function opening(command: StartWorkflow, run: ResidentRun): Opening {
  const { workflow, version, input, purpose } = command;
  const workflowId =
    command.workflowId ?? (purpose === 'continue-as-new' ? run.info.workflowId : `${run.info.runId}:failure`);
  return { workflow, version, workflowId, input };
}

/** What is meant for a run as a whole, and so for the one as which it has continued. */
const FOR_THE_CHAIN = [
  'WORKFLOW_EXECUTION_SIGNALED',
  'WORKFLOW_EXECUTION_CANCEL_REQUESTED',
  'WORKFLOW_EXECUTION_TERMINATED',
  'WORKFLOW_EXECUTION_PAUSED',
  'WORKFLOW_EXECUTION_UNPAUSED',
];

/**
 * The part that answers a row for a run that has closed. It has no effect, unless the run has continued as new since the row was
 * accepted, or is the first run of a chain, which is the one that a parent knows: then it goes on to the next run.
 */
export async function answerClosed(store: ExecutionStore, row: InboxRow, epoch: number): Promise<CommitPart> {
  const { id, ...command } = row;
  const part = { ...emptyPart({ ...command, epoch }), inboxDone: [id] };
  if (!FOR_THE_CHAIN.includes(row.eventType)) return part;
  const runId = await store.successor(row.runId, typeof row.data.by === 'string' ? row.data.by : null);
  if (runId !== null && !(await isKnownSignal(store, row))) part.inboxAdds.push({ ...command, runId });
  return part;
}

/** True for a signal that the closed run had taken up already, under the same id. */
async function isKnownSignal(store: ExecutionStore, { runId, data }: InboxRow): Promise<boolean> {
  if (data.signalId === undefined) return false;
  const history = await store.readHistories([runId]);
  return history.some(
    (event) => event.type === 'WORKFLOW_EXECUTION_SIGNALED' && event.data.signalId === data.signalId,
  );
}

const CLOSED_EVENTS = {
  completed: 'CHILD_WORKFLOW_EXECUTION_COMPLETED',
  failed: 'CHILD_WORKFLOW_EXECUTION_FAILED',
  dead_letter: 'CHILD_WORKFLOW_EXECUTION_FAILED',
  cancelled: 'CHILD_WORKFLOW_EXECUTION_CANCELED',
  timed_out: 'CHILD_WORKFLOW_EXECUTION_TIMED_OUT',
  terminated: 'CHILD_WORKFLOW_EXECUTION_TERMINATED',
} as const;

/** What a parent is told when its child closes for good, as a row for the parent's inbox; null for a run without parent. */
export function childClosedEvent(run: ResidentRun, state: RunState, close: CloseRun): NewInboxRow | null {
  const { parent } = state;
  const { parentShard } = run.info;
  if (!parent || parentShard === null || !(close.status in CLOSED_EVENTS)) return null;
  const eventType = CLOSED_EVENTS[close.status as keyof typeof CLOSED_EVENTS];
  const data: JsonObject = { nodePath: parent.nodePath };
  if (close.status === 'completed') data.output = close.output ?? null;
  else if (close.failure) data.failure = close.failure as unknown as JsonObject;
  else if (eventType === 'CHILD_WORKFLOW_EXECUTION_FAILED') {
    data.failure = { code: 'ACTIVITY_FAILED', message: 'The child run failed.' };
  }
  return { shard: parentShard, organizationId: state.organizationId, runId: parent.runId, eventType, data };
}
