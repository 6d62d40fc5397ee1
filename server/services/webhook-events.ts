import { isEventType } from '@/lib/protocol/events';
import type { SentEvent, WebhookEvent } from '@/lib/protocol/webhooks';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';
import { storableText } from '@/lib/shared/text';
import { isoTime } from '@/lib/shared/time';
import type { Alert } from '@/server/ports/alert-store';
import type { NewDelivery, Offered, SourceEvent, Subscription } from '@/server/ports/webhook-out-store';

/** Longest text that is passed on; a payload never carries inputs, outputs, signals or answers. */
const MAX_TEXT = 500;

/** Events of histories that subscribers can hear of. RUN_GIVEN_UP is no event: a run in the dead letters closes without one. */
const NAMES: Readonly<Record<string, WebhookEvent>> = {
  WORKFLOW_EXECUTION_STARTED: 'run.started',
  WORKFLOW_EXECUTION_COMPLETED: 'run.completed',
  WORKFLOW_EXECUTION_FAILED: 'run.failed',
  WORKFLOW_EXECUTION_CANCELED: 'run.cancelled',
  WORKFLOW_EXECUTION_TERMINATED: 'run.terminated',
  WORKFLOW_EXECUTION_TIMED_OUT: 'run.timed_out',
  RUN_GIVEN_UP: 'run.dead_letter',
  APPROVAL_REQUESTED: 'approval.requested',
  APPROVAL_DECIDED: 'approval.decided',
  APPROVAL_ESCALATED: 'approval.escalated',
  APPROVAL_CLOSED: 'approval.closed',
  ACTIVITY_TASK_INPUT_REQUIRED: 'task.waiting',
  ACTIVITY_TASK_OUTCOME_UNKNOWN: 'task.unknown_outcome',
};

/** Types of history events that are looked for in the stream. */
export const TOLD_TYPES: readonly string[] = Object.keys(NAMES).filter(isEventType);

/** True when a subscription wants an event of a workflow (null = of no run). */
export function wants(subscription: Subscription, event: WebhookEvent, workflow: string | null): boolean {
  if (subscription.events.length > 0 && !subscription.events.includes(event)) return false;
  return subscription.workflow === null || workflow === null || subscription.workflow === workflow;
}

/** The deliveries that committed events lead to. `newId` makes ids that sort by time. */
export function matchEvents(offered: readonly Offered[], newId: () => string): NewDelivery[] {
  return offered.flatMap(({ event, subscriptions }) => {
    const name = NAMES[event.type];
    if (name === undefined) return [];
    const fitting = subscriptions.filter((one) => wants(one, name, event.workflow));
    if (fitting.length === 0) return [];
    const payload = envelope(name, event.at, runData(event));
    const eventKey = `${event.runId}:${event.type === 'RUN_GIVEN_UP' ? 'given-up' : event.seq}`;
    const { organizationId } = event;
    return fitting.map((one) => ({
      id: newId(),
      organizationId,
      webhookId: one.id,
      eventKey,
      event: name,
      payload,
    }));
  });
}

/** The deliveries of an alert that was raised or resolved. Every subscription without a workflow, or with one, hears of it. */
export function matchAlert(
  alert: Alert,
  subscriptions: readonly Subscription[],
  newId: () => string,
): NewDelivery[] {
  const name = alert.state === 'firing' ? 'alert.raised' : 'alert.resolved';
  const payload = envelope(name, alert.updatedAt, {
    alertId: alert.id,
    rule: alert.rule,
    subject: alert.subject === '' ? null : alert.subject,
    message: cut(alert.message),
    value: alert.value,
    threshold: alert.threshold,
    raisedAt: isoTime(alert.raisedAt),
    resolvedAt: alert.resolvedAt === null ? null : isoTime(alert.resolvedAt),
  });
  const { organizationId } = alert;
  return subscriptions
    .filter((one) => wants(one, name, null))
    .map((one) => ({
      id: newId(),
      organizationId,
      webhookId: one.id,
      eventKey: `${alert.id}:${alert.state}`,
      event: name,
      payload,
    }));
}

/** What goes out: `{type, timestamp, data}`, as Standard Webhooks proposes it. */
export function envelope(type: SentEvent, at: number, data: JsonObject): JsonObject {
  return { type, timestamp: isoTime(at), data };
}

/** What is told of an event of a run: who and what, never what it worked on. */
function runData(event: SourceEvent): JsonObject {
  const { runId, workflow, workflowId, version } = event;
  const given = event.data ?? {};
  const out: JsonObject = { runId, workflow, workflowId: cut(workflowId), version };
  const failure = given.failure;
  if (isJsonObject(failure)) {
    out.failure = pick(failure, ['code', 'message', 'nodePath']);
  }
  switch (event.type) {
    case 'WORKFLOW_EXECUTION_CANCELED':
    case 'WORKFLOW_EXECUTION_TERMINATED':
      return { ...out, ...pick(given, ['reason', 'by']) };
    case 'WORKFLOW_EXECUTION_STARTED':
      return { ...out, ...pick(given, ['startedBy', 'correlationId']) };
    case 'APPROVAL_REQUESTED': {
      const asked = pick(given, ['approvalId', 'nodePath', 'title', 'description', 'quorum']);
      const { deadline } = given;
      return { ...out, ...asked, ...(typeof deadline === 'number' ? { deadline: isoTime(deadline) } : {}) };
    }
    case 'APPROVAL_DECIDED':
      return { ...out, ...pick(given, ['approvalId', 'decision', 'by', 'comment']) };
    case 'APPROVAL_ESCALATED':
    case 'APPROVAL_CLOSED':
      return { ...out, ...pick(given, ['approvalId', 'nodePath', 'outcome', 'by']) };
    case 'ACTIVITY_TASK_INPUT_REQUIRED':
    case 'ACTIVITY_TASK_OUTCOME_UNKNOWN':
      return { ...out, ...nodeOf(given.activityId), ...pick(given, ['attempt']) };
    default:
      return out;
  }
}

/** `path/of/node:do` names the node. */
function nodeOf(activityId: Json | undefined): JsonObject {
  if (typeof activityId !== 'string') return {};
  return { nodePath: cut(activityId.replace(/:(do|compensate)$/, '')) };
}

function pick(from: JsonObject, names: readonly string[]): JsonObject {
  const out: JsonObject = {};
  for (const name of names) {
    const value = from[name];
    if (typeof value === 'string') out[name] = cut(value);
    else if (typeof value === 'number') out[name] = value;
  }
  return out;
}

/** Short, and text that every database and receiver takes. */
function cut(text: string): string {
  return storableText(text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`);
}
