import type { WorkflowEventRecord } from '@/lib/protocol/event';
import { targetSchema } from '@/lib/protocol/events-common';
import { type Failure, failureSchema, type NodeView } from '@/lib/protocol/run';

/** Readers of event payloads that never throw: an event of a newer server must not break the page. */

type Data = WorkflowEventRecord['data'];

/** A text field, or null. */
export function textOf(data: Data, key: string): string | null {
  const value = data[key];
  return typeof value === 'string' ? value : null;
}

/** A whole-number field, or null. */
export function intOf(data: Data, key: string): number | null {
  const value = data[key];
  return typeof value === 'number' && Number.isInteger(value) ? value : null;
}

/** The failure that an event reports, or null. */
export function failureOf(data: Data): Failure | null {
  const parsed = failureSchema.safeParse(data.failure);
  return parsed.success ? parsed.data : null;
}

/** What a call is made to, as the fields of a step, or null. */
export function targetOf(data: Data): Pick<NodeView, 'kind' | 'server' | 'tool'> | null {
  const parsed = targetSchema.safeParse(data.target);
  if (!parsed.success) return null;
  const target = parsed.data;
  return target.kind === 'mcp'
    ? { kind: 'mcp-server', server: target.server, tool: target.tool }
    : { kind: 'activity', server: null, tool: target.name };
}

/** `do` or `compensate` for events about a call, else null. The activity id ends with it. */
export function purposeOf(data: Data): 'do' | 'compensate' | null {
  const id = textOf(data, 'activityId');
  if (id === null) return null;
  return id.endsWith(':compensate') ? 'compensate' : 'do';
}

/** Paths of the nodes that an event is about; empty when it is about the run. */
export function nodePathsOf(data: Data): string[] {
  const path = textOf(data, 'nodePath');
  if (path !== null) return [path];
  if (Array.isArray(data.nodePaths)) return data.nodePaths.filter((item) => typeof item === 'string');
  const id = textOf(data, 'activityId');
  return id === null ? [] : [id.slice(0, id.lastIndexOf(':'))];
}
