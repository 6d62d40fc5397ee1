import type { Masker, MaskRules } from '@/lib/engine/mask';
import { collectSensitive } from '@/lib/engine/mask';
import { parseActivityId } from '@/lib/engine/state';
import type { Failure, NodeView } from '@/lib/protocol/run';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';

/** An event as stores and screens have it. */
interface Told {
  type: string;
  data: JsonObject;
}

/**
 * Fields of events that say what happened where, never what a run works on. They stay as they are, so that a masked history can
 * still be followed; every other field, also one that is added one day, is masked.
 */
const STRUCTURE = new Set([
  ...[
    'runId',
    'workflowId',
    'organizationId',
    'workflow',
    'version',
    'definitionHash',
    'startedBy',
    'parent',
  ],
  ...[
    'previousRunId',
    'priority',
    'flags',
    'buildId',
    'correlationId',
    'trace',
    'nodePath',
    'nodePaths',
    'scopes',
  ],
  ...[
    'activityId',
    'purpose',
    'attempt',
    'target',
    'timeoutMs',
    'resumed',
    'retrySafe',
    'worker',
    'usage',
    'server',
  ],
  ...[
    'jitter',
    'retryAt',
    'ambiguous',
    'by',
    'roles',
    'resolution',
    'taskId',
    'childWorkflowId',
    'childRunId',
  ],
  ...[
    'parentClosePolicy',
    'port',
    'seeded',
    'handled',
    'branch',
    'index',
    'approvalId',
    'approvers',
    'quorum',
  ],
  ...[
    'deadline',
    'decision',
    'outcome',
    'status',
    'compensate',
    'events',
    'compensated',
    'failed',
    'timerId',
  ],
  ...['fireAt', 'signal', 'signalId', 'name', 'code', 'retriable', 'truncated'],
]);

/** Id of the node at the end of a path: `loop/3/extract` → `extract`. */
function nodeIdOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function pathOf(data: JsonObject): { id: string; undoes: boolean } | null {
  if (typeof data.nodePath === 'string')
    return { id: nodeIdOf(data.nodePath), undoes: data.purpose === 'compensate' };
  if (typeof data.activityId === 'string') {
    const parsed = parseActivityId(data.activityId);
    return parsed && { id: nodeIdOf(parsed.path), undoes: parsed.purpose === 'compensate' };
  }
  if (typeof data.approvalId === 'string') return { id: nodeIdOf(data.approvalId), undoes: false };
  return null;
}

/** Where a field of an event lies in the data of the run; null when it has no place of its own. */
function placeOf({ type, data }: Told, field: string): string[] | null {
  if (type === 'WORKFLOW_EXECUTION_SIGNALED')
    return field === 'payload' ? ['signals', String(data.name ?? '')] : null;
  const node = pathOf(data);
  if (node === null) return field === 'input' || field === 'output' ? [field] : null;
  const { id, undoes } = node;
  // What a server asks is no input of the node, and the answer of an undoing call no output of it.
  if (type === 'ACTIVITY_TASK_INPUT_REQUIRED') return ['asked'];
  if (field === 'input' || field === 'subject' || field === 'items')
    return ['nodes', id, undoes ? 'compensate' : 'input'];
  if (field === 'form') return type === 'APPROVAL_DECIDED' ? ['nodes', id, 'output', 'form'] : null;
  if (field !== 'output') return null;
  if (undoes) return ['undone'];
  if (type === 'BRANCH_COMPLETED') return ['nodes', id, 'output', String(data.branch)];
  if (type === 'LOOP_ITERATION_COMPLETED') return ['nodes', id, 'output', String(data.index)];
  return ['nodes', id, 'output'];
}

/** Adds the sensitive values of an event to `into`. */
export function collectFromEvent(rules: MaskRules, event: Told, into: Set<string>): void {
  for (const [field, value] of Object.entries(event.data)) {
    if (STRUCTURE.has(field)) continue;
    if (field === 'seeds' && isJsonObject(value)) {
      for (const [path, seed] of Object.entries(value))
        if (isJsonObject(seed))
          collectSensitive(rules, seed.output ?? null, ['nodes', nodeIdOf(path), 'output'], into);
    } else collectSensitive(rules, value, placeOf(event, field) ?? [field], into);
  }
}

/** An event as it may be shown. */
export function maskEvent<T extends Told>(masker: Masker, event: T): T {
  const data: JsonObject = {};
  for (const [field, value] of Object.entries(event.data)) {
    if (STRUCTURE.has(field)) data[field] = value;
    else if (field === 'failure') data[field] = maskFailure(masker, value);
    else if (field === 'seeds' && isJsonObject(value)) data[field] = maskSeeds(masker, value);
    else data[field] = masker.value(value, placeOf(event, field) ?? [field]);
  }
  return { ...event, data };
}

function maskSeeds(masker: Masker, seeds: JsonObject): JsonObject {
  const masked = Object.entries(seeds).map(([path, seed]): [string, Json] => {
    if (!isJsonObject(seed)) return [path, masker.value(seed)];
    return [
      path,
      { ...seed, output: masker.value(seed.output ?? null, ['nodes', nodeIdOf(path), 'output']) },
    ];
  });
  return Object.fromEntries(masked);
}

function maskFailure(masker: Masker, failure: Json): Json {
  if (!isJsonObject(failure)) return masker.value(failure);
  const { message, details } = failure;
  return {
    ...failure,
    ...(message === undefined ? {} : { message: masker.value(message) }),
    ...(details === undefined ? {} : { details: masker.value(details, ['details']) }),
  };
}

/** A failure as it may be shown; its code and its node stay. */
export function maskFailureOf<T extends Failure | null>(masker: Masker, failure: T): T {
  return failure === null ? failure : (maskFailure(masker, failure as unknown as Json) as unknown as T);
}

/** A node of a run as it may be shown. */
export function maskNodeView(masker: Masker, view: NodeView): NodeView {
  const { nodeId, progress } = view;
  const message = progress?.message;
  return {
    ...view,
    input: masker.value(view.input, ['nodes', nodeId, 'input']),
    output: masker.value(view.output, ['nodes', nodeId, 'output']),
    failure: maskFailureOf(masker, view.failure),
    ...(progress && message !== undefined
      ? { progress: { ...progress, message: masker.text(message) } }
      : {}),
  };
}
