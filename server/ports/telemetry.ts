import type { RunStatus } from '@/lib/protocol/run';

/** What the parts of the system count and time. Durations in seconds. */
export interface Telemetry {
  workflowCreated(workflow: string): void;
  workflowClosed(workflow: string, status: RunStatus, seconds: number): void;
  /** One attempt of an activity. */
  taskExecuted(kind: 'mcp' | 'function', outcome: 'completed' | 'failed', seconds: number): void;
  toolCalled(server: string, tool: string, outcome: 'ok' | 'tool_error' | 'error', seconds: number): void;
  /** One group commit: how many runs shared it. */
  committed(parts: number, events: number, seconds: number): void;
  /** A batch part refused because the shard had another owner. */
  fenced(parts: number): void;
  /** Shards acquired. */
  tookOver(shards: number): void;
  recovered(runs: number, seconds: number): void;
  /** One answered request of the REST API; `route` is the template of its path. */
  requestServed(method: string, route: string, status: number, seconds: number): void;
  /** One batch of spans handed to the exporter. */
  spansExported(spans: number, ok: boolean): void;
  /** Messages of the bus that other processes were sent, that came from them, or that were left to polling. */
  busMessages(outcome: 'sent' | 'received' | 'dropped', messages: number): void;
  /** Registers a value that is read when metrics are collected. */
  gauge(
    name:
      | 'conductor_task_queue_depth'
      | 'conductor_resident_runs'
      | 'conductor_resident_bytes'
      | 'conductor_held_shards'
      | 'conductor_pending_timers',
    read: () => number,
  ): void;
}
