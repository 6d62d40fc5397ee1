import type { EngineEvent } from '@/lib/engine/types';
import { EVENT_CATALOGUE } from '@/lib/protocol/events';
import type { Json, JsonObject } from '@/lib/shared/json';

/** One event of Temporal's history JSON (the protobuf JSON form that its CLI and web UI read). */
export interface TemporalEvent {
  /** Decimal text, as protobuf JSON writes 64-bit numbers. */
  eventId: string;
  eventTime: string;
  eventType: string;
  [attributes: string]: Json;
}

/**
 * A run's history in the shape of a Temporal history file: `{ events: [...] }`. Events that Temporal does not have become
 * MARKER_RECORDED with our name and payload inside, so nothing is lost. Payloads are `json/plain`.
 */
export function toTemporalHistory(history: readonly EngineEvent[]): { events: TemporalEvent[] } {
  const seen = {
    scheduled: new Map<string, number>(),
    started: new Map<string, number>(),
    timers: new Map<string, number>(),
    children: new Map<string, number>(),
  };
  const inputs = new Map<string, Json>();
  const events = history.map((event, i): TemporalEvent => {
    const id = i + 1;
    const { temporal } = EVENT_CATALOGUE[event.type];
    remember(event, id, seen, inputs);
    return {
      eventId: String(id),
      eventTime: new Date(event.at).toISOString(),
      eventType: `EVENT_TYPE_${temporal}`,
      [`${camel(temporal)}EventAttributes`]: attributes(event, seen, inputs),
    };
  });
  return { events };
}

interface Seen {
  scheduled: Map<string, number>;
  started: Map<string, number>;
  timers: Map<string, number>;
  children: Map<string, number>;
}

function remember(event: EngineEvent, id: number, seen: Seen, inputs: Map<string, Json>): void {
  if (event.type === 'ACTIVITY_TASK_SCHEDULED') {
    seen.scheduled.set(event.data.activityId, id);
    seen.started.delete(event.data.activityId);
    if (event.data.input !== undefined) inputs.set(event.data.activityId, event.data.input as Json);
  } else if (event.type === 'ACTIVITY_TASK_STARTED') seen.started.set(event.data.activityId, id);
  else if (event.type === 'TIMER_STARTED') seen.timers.set(event.data.timerId, id);
  else if (event.type === 'START_CHILD_WORKFLOW_EXECUTION_INITIATED')
    seen.children.set(event.data.nodePath, id);
}

function camel(name: string): string {
  return name.toLowerCase().replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

/** A value as a Temporal payload list: base64 of its JSON. */
function payloads(value: Json): JsonObject {
  return {
    payloads: [{ metadata: { encoding: base64('json/plain') }, data: base64(JSON.stringify(value)) }],
  };
}

function base64(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const failureOf = (
  failure: { code: string; message: string; retriable?: boolean | undefined } | undefined,
): JsonObject => ({
  message: failure?.message ?? '',
  source: 'openconductor',
  applicationFailureInfo: { type: failure?.code ?? 'INTERNAL', nonRetryable: failure?.retriable === false },
});

function links(activityId: string, seen: Seen): JsonObject {
  const started = seen.started.get(activityId);
  return {
    scheduledEventId: String(seen.scheduled.get(activityId) ?? 0),
    ...(started === undefined ? {} : { startedEventId: String(started) }),
  };
}

function attributes(event: EngineEvent, seen: Seen, inputs: Map<string, Json>): JsonObject {
  switch (event.type) {
    case 'WORKFLOW_EXECUTION_STARTED':
      return {
        workflowType: { name: event.data.workflow },
        workflowId: event.data.workflowId,
        originalExecutionRunId: event.data.runId,
        firstExecutionRunId: event.data.previousRunId ?? event.data.runId,
        input: payloads(event.data.input as Json),
        identity: event.data.startedBy,
        attempt: 1,
      };
    case 'WORKFLOW_EXECUTION_COMPLETED':
      return { result: payloads(event.data.output as Json) };
    case 'WORKFLOW_EXECUTION_FAILED':
      return { failure: failureOf(event.data.failure) };
    case 'WORKFLOW_EXECUTION_TERMINATED':
    case 'WORKFLOW_EXECUTION_CANCEL_REQUESTED':
      return { reason: event.data.reason ?? '', identity: event.data.by ?? '' };
    case 'WORKFLOW_EXECUTION_SIGNALED':
      return {
        signalName: event.data.name,
        input: payloads(event.data.payload as Json),
        identity: event.data.by ?? '',
      };
    case 'ACTIVITY_TASK_SCHEDULED': {
      const { target, activityId } = event.data;
      const name = target.kind === 'mcp' ? `${target.server}/${target.tool}` : target.name;
      return {
        activityId,
        activityType: { name },
        input: payloads(inputs.get(activityId) ?? null),
        startToCloseTimeout: `${event.data.timeoutMs / 1000}s`,
      };
    }
    case 'ACTIVITY_TASK_STARTED':
      return {
        ...links(event.data.activityId, seen),
        attempt: event.data.attempt,
        identity: event.data.worker ?? '',
      };
    case 'ACTIVITY_TASK_COMPLETED':
      return { ...links(event.data.activityId, seen), result: payloads(event.data.output as Json) };
    case 'ACTIVITY_TASK_FAILED':
    case 'ACTIVITY_TASK_TIMED_OUT':
      return { ...links(event.data.activityId, seen), failure: failureOf(event.data.failure) };
    case 'ACTIVITY_TASK_CANCELED':
    case 'ACTIVITY_TASK_CANCEL_REQUESTED':
      return links(event.data.activityId, seen);
    case 'TIMER_STARTED':
      return {
        timerId: event.data.timerId,
        startToFireTimeout: `${Math.max(0, event.data.fireAt - event.at) / 1000}s`,
      };
    case 'TIMER_FIRED':
    case 'TIMER_CANCELED':
      return {
        timerId: event.data.timerId,
        startedEventId: String(seen.timers.get(event.data.timerId) ?? 0),
      };
    case 'START_CHILD_WORKFLOW_EXECUTION_INITIATED':
      return {
        workflowId: event.data.childWorkflowId,
        workflowType: { name: event.data.workflow },
        input: payloads(event.data.input as Json),
        parentClosePolicy: POLICIES[event.data.parentClosePolicy],
      };
    default:
      return other(event, seen);
  }
}

const POLICIES = {
  terminate: 'PARENT_CLOSE_POLICY_TERMINATE',
  cancel: 'PARENT_CLOSE_POLICY_REQUEST_CANCEL',
  abandon: 'PARENT_CLOSE_POLICY_ABANDON',
} as const;

/** Events with few attributes of their own, and ours without a counterpart. */
function other(event: EngineEvent, seen: Seen): JsonObject {
  const data = event.data as unknown as JsonObject;
  if (EVENT_CATALOGUE[event.type].temporal === 'MARKER_RECORDED') {
    return { markerName: event.type, details: { data: payloads(data) } };
  }
  if ('nodePath' in event.data && typeof event.data.nodePath === 'string') {
    const initiated = seen.children.get(event.data.nodePath);
    const out = 'output' in event.data ? { result: payloads(event.data.output as Json) } : {};
    return {
      ...(initiated === undefined ? {} : { initiatedEventId: String(initiated) }),
      ...out,
      details: payloads(data),
    };
  }
  return { details: payloads(data) };
}
