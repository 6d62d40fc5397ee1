import { parseActivityId } from '@/lib/engine/state';
import type { EngineEvent } from '@/lib/engine/types';

/** A stretch of a bar. */
export interface TimelineSegment {
  kind: 'scheduled' | 'running' | 'waiting' | 'backing_off' | 'unknown_outcome' | 'compensating';
  fromMs: number;
  /** null while it lasts. */
  toMs: number | null;
}

/** Everything that happened to one node (one iteration's node), as one bar of the timeline. */
export interface TimelineGroup {
  path: string;
  /** Path of the container around it, or null. */
  parent: string | null;
  segments: TimelineSegment[];
  attempts: number;
  outcome: 'open' | 'completed' | 'failed' | 'cancelled' | 'skipped' | 'compensated';
  /** Positions in the history (1 = first event) that belong to the bar. */
  events: number[];
}

/**
 * Groups a history into bars, one per node path, in the order in which they began. A fold of the same events as the
 * state, so a downloaded history can be shown without its definition.
 */
export function toTimeline(history: readonly EngineEvent[]): TimelineGroup[] {
  const groups = new Map<string, TimelineGroup>();
  history.forEach((event, i) => {
    for (const path of pathsOf(event)) {
      let group = groups.get(path);
      if (group === undefined) {
        const cut = path.lastIndexOf('/');
        group = {
          path,
          parent: cut < 0 ? null : path.slice(0, cut),
          segments: [],
          attempts: 0,
          outcome: 'open',
          events: [],
        };
        groups.set(path, group);
      }
      group.events.push(i + 1);
      place(group, event);
    }
    if (event.type.startsWith('WORKFLOW_EXECUTION_') && CLOSED.has(event.type))
      for (const group of groups.values()) end(group, event.at);
  });
  return [...groups.values()];
}

const CLOSED = new Set([
  'WORKFLOW_EXECUTION_COMPLETED',
  'WORKFLOW_EXECUTION_FAILED',
  'WORKFLOW_EXECUTION_TIMED_OUT',
  'WORKFLOW_EXECUTION_CANCELED',
  'WORKFLOW_EXECUTION_TERMINATED',
  'WORKFLOW_EXECUTION_CONTINUED_AS_NEW',
]);

function pathsOf(event: EngineEvent): string[] {
  switch (event.type) {
    case 'NODES_SKIPPED':
    case 'NODES_CANCELED':
      return event.data.nodePaths;
    case 'COMPENSATION_STARTED':
      return [];
    case 'APPROVAL_DECIDED':
      return [event.data.approvalId];
    default: {
      const data = event.data as { nodePath?: string; activityId?: string };
      if (data.nodePath !== undefined) return [data.nodePath];
      const parsed = data.activityId === undefined ? null : parseActivityId(data.activityId);
      return parsed === null ? [] : [parsed.path];
    }
  }
}

function end(group: TimelineGroup, at: number): void {
  const last = group.segments.at(-1);
  if (last !== undefined) last.toMs ??= at;
}

function enter(group: TimelineGroup, kind: TimelineSegment['kind'], at: number): void {
  const last = group.segments.at(-1);
  if (last !== undefined && last.toMs === null && last.kind === kind) return;
  end(group, at);
  group.segments.push({ kind, fromMs: at, toMs: null });
}

function finish(group: TimelineGroup, outcome: TimelineGroup['outcome'], at: number): void {
  end(group, at);
  group.outcome = outcome;
}

function place(group: TimelineGroup, event: EngineEvent): void {
  const { at } = event;
  switch (event.type) {
    case 'ACTIVITY_TASK_SCHEDULED':
      group.attempts = Math.max(group.attempts, event.data.attempt);
      enter(group, event.data.purpose === 'do' ? 'scheduled' : 'compensating', at);
      return;
    case 'ACTIVITY_TASK_STARTED':
      if (event.data.activityId.endsWith(':do')) enter(group, 'running', at);
      return;
    case 'ACTIVITY_TASK_COMPLETED':
      finish(group, event.data.activityId.endsWith(':do') ? 'completed' : 'compensated', at);
      return;
    case 'ACTIVITY_TASK_INPUT_REQUIRED':
      if (event.data.activityId.endsWith(':do')) enter(group, 'waiting', at);
      return;
    case 'ACTIVITY_TASK_OUTCOME_UNKNOWN':
      enter(group, 'unknown_outcome', at);
      return;
    case 'TIMER_STARTED':
      if (event.data.purpose === 'retry' || event.data.purpose === 'circuit') enter(group, 'backing_off', at);
      else if (event.data.purpose === 'wait') enter(group, 'waiting', at);
      return;
    case 'NODE_STARTED':
      enter(group, event.data.signal === undefined ? 'running' : 'waiting', at);
      return;
    case 'APPROVAL_REQUESTED':
      enter(group, 'waiting', at);
      return;
    case 'START_CHILD_WORKFLOW_EXECUTION_INITIATED':
      enter(group, 'running', at);
      return;
    case 'NODE_COMPLETED':
      finish(group, 'completed', at);
      return;
    case 'NODE_FAILED':
    case 'COMPENSATION_FAILED':
      finish(group, 'failed', at);
      return;
    case 'ACTIVITY_TASK_CANCELED':
    case 'NODES_CANCELED':
      finish(group, 'cancelled', at);
      return;
    case 'NODES_SKIPPED':
      finish(group, 'skipped', at);
      return;
    default:
  }
}
