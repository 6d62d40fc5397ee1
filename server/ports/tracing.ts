import type { RunTrace } from '@/lib/protocol/events-run';
import type { RunStatus } from '@/lib/protocol/run';

/** Where a span stands in its trace, as W3C Trace Context writes it. */
export interface TraceContext {
  traceparent: string;
  tracestate?: string | undefined;
}

/** A `RunTrace` that is about to be written down. */
export type WrittenTrace = { traceparent: string } & Record<string, string>;

/** A piece of work that has begun. What is said of it after `end` is lost. */
export interface TraceSpan {
  /** For whoever is called from within it. */
  readonly context: TraceContext;
  /** Attributes by their OpenTelemetry names. Never payloads. */
  set(attributes: Record<string, string | number | boolean>): void;
  /** @param code what failed, as a code of the error catalogue or a kind such as `tool_error`; nothing when it went well */
  end(code?: string): void;
}

/** A run that has closed. Times are epoch milliseconds. */
export interface ClosedRun {
  runId: string;
  organizationId: string;
  workflowId: string;
  workflow: string;
  version: number;
  status: RunStatus;
  startedAt: number;
  closedAt: number;
  /** Code of its failure. */
  code?: string | undefined;
}

/** One attempt of an activity. */
export interface AttemptFacts {
  organizationId: string;
  runId: string;
  activityId: string;
  nodePath: string;
  nodeId: string;
  attempt: number;
  target: { kind: 'mcp'; server: string; tool: string } | { kind: 'function'; name: string };
}

/** What an HTTP request tells of itself while it is served. */
export interface RequestSpan {
  /** The template of its path, once known. */
  route(template: string): void;
  /** Code of the error that it is answered with. */
  failed(code: string): void;
}

/**
 * Distributed traces. Whoever works with it holds `undefined` while tracing is off, so that off costs one comparison. No
 * method throws.
 */
export interface Tracing {
  /** Serves a request within a span: what `work` does, and logs, belongs to it. Honours the caller's `traceparent`. */
  request(request: Request, work: (span: RequestSpan) => Promise<Response>): Promise<Response>;
  /** The place of a new run, as its start keeps it: in the request that starts it, else in a trace of its own. `follows`: span of the run that it repeats, to be linked to. */
  startRun(workflow: string, follows?: string): WrittenTrace;
  /**
   * The place of a run that another starts. A child or failure run goes on in the same trace; the next run of a chain gets a
   * trace of its own that links back, because a chain may go on for ever.
   */
  followRun(workflow: string, from: RunTrace, how: 'child' | 'next'): WrittenTrace;
  /** Reports the span of a run, which begins on one process and may end on another. */
  runClosed(trace: RunTrace, run: ClosedRun): void;
  /** The span that the caller's asynchronous work belongs to. */
  current(): TraceContext | undefined;
  attempt(run: RunTrace, facts: AttemptFacts): TraceSpan;
  /** One `tools/call` within an attempt. */
  toolCall(parent: TraceContext, call: { server: string; tool: string }): TraceSpan;
  /** Sends what is left, for a bounded time. */
  shutdown(): Promise<void>;
}
