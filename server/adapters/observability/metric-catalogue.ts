/** One metric of ours, as `/metrics` shows it. Units are in the names: seconds, or a plain number. */
interface Metric {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels?: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  buckets?: readonly number[];
}

const RUN_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 86_400,
];
const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const REQUEST_SECONDS = [0.005, 0.01, 0.025, 0.1, 0.25, 1, 5, 30];
const RECOVERY_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300];
const BATCH_PARTS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000];

/**
 * Every metric of OpenConductor. The registry is made from it; a test holds docs/operations.md, the dashboard and the rules in
 * `ops/` against it. The first seven names are those of the product's seed document.
 */
export const METRICS = {
  conductor_workflow_created_total: { type: 'counter', help: 'Runs started.', labels: ['workflow'] },
  conductor_workflow_completed_seconds: {
    type: 'histogram',
    help: 'Time from start to close of runs, by how they ended.',
    labels: ['workflow', 'status'],
    buckets: RUN_SECONDS,
  },
  conductor_workflow_failed_total: {
    type: 'counter',
    help: 'Runs that failed, timed out or went to dead-letter.',
    labels: ['workflow', 'status'],
  },
  conductor_task_queue_depth: { type: 'gauge', help: 'Activities scheduled or under way in this process.' },
  conductor_task_execution_seconds: {
    type: 'histogram',
    help: 'Time of one attempt of an activity.',
    labels: ['kind', 'outcome'],
    buckets: CALL_SECONDS,
  },
  conductor_mcp_tool_calls_total: {
    type: 'counter',
    help: 'Tool calls of runs.',
    labels: ['server', 'tool'],
  },
  conductor_mcp_tool_errors_total: {
    type: 'counter',
    help: 'Tool calls that failed: the tool itself said so (tool_error), or the way to it failed (error).',
    labels: ['server', 'tool', 'outcome'],
  },

  conductor_mcp_tool_call_seconds: {
    type: 'histogram',
    help: 'Time of one tool call, waiting for its server included.',
    labels: ['server', 'outcome'],
    buckets: CALL_SECONDS,
  },
  conductor_mcp_breaker_state: {
    type: 'gauge',
    help: 'Circuit breaker of a server in this process: 0 closed, 1 half-open, 2 open.',
    labels: ['server'],
  },

  conductor_resident_runs: { type: 'gauge', help: 'Runs held in memory by this process.' },
  conductor_resident_bytes: { type: 'gauge', help: 'Roughly the bytes that these runs hold.' },
  conductor_pending_timers: {
    type: 'gauge',
    help: 'Timers armed in this process, of the runs in its memory.',
  },
  conductor_held_shards: {
    type: 'gauge',
    help: 'Shards leased by this process; 0 once the leases have run out unconfirmed.',
  },
  conductor_engine_takeovers_total: {
    type: 'counter',
    help: 'Shards acquired, at the start or from others.',
  },
  conductor_engine_recovered_runs_total: { type: 'counter', help: 'Runs loaded after shards were acquired.' },
  conductor_engine_recovery_seconds: {
    type: 'histogram',
    help: 'Time from acquiring shards until their runs were loaded.',
    buckets: RECOVERY_SECONDS,
  },
  conductor_engine_fenced_total: {
    type: 'counter',
    help: 'Appends refused because another process owned the shard.',
  },
  conductor_engine_commit_seconds: {
    type: 'histogram',
    help: 'Time of one group commit.',
    buckets: CALL_SECONDS,
  },
  conductor_engine_commit_parts: {
    type: 'histogram',
    help: 'Runs that shared one group commit.',
    buckets: BATCH_PARTS,
  },
  conductor_engine_committed_parts_total: { type: 'counter', help: 'Steps made durable.' },
  conductor_engine_committed_events_total: { type: 'counter', help: 'Events appended.' },

  conductor_inbox_depth: {
    type: 'gauge',
    help: 'Commands in the database that wait for the owner of their shard.',
  },
  conductor_inbox_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest of these commands; 0 without any.',
  },
  conductor_relay_backlog_events: { type: 'gauge', help: 'Committed events that watchers cannot see yet.' },
  conductor_relay_lag_seconds: { type: 'gauge', help: 'Age of the oldest of these events; 0 without any.' },
  conductor_unowned_shards: { type: 'gauge', help: 'Shards whose lease nobody holds.' },
  conductor_engine_processes: { type: 'gauge', help: 'Engine processes that live and do not drain.' },
  conductor_database_up: { type: 'gauge', help: '1 when the database answered this scrape, else 0.' },
  conductor_database_connections: {
    type: 'gauge',
    help: 'Connections of this process by pool: busy, idle, and requests waiting for one.',
    labels: ['pool', 'state'],
  },

  conductor_http_request_seconds: {
    type: 'histogram',
    help: 'Time until the head of an answer of the REST API was ready.',
    labels: ['method', 'route', 'status'],
    buckets: REQUEST_SECONDS,
  },
  conductor_trace_spans_total: {
    type: 'counter',
    help: 'Spans handed to the OTLP exporter, by outcome: exported or failed.',
    labels: ['outcome'],
  },
  conductor_redis_up: {
    type: 'gauge',
    help: '1 while this process is connected to the Redis of REDIS_URL, else 0; not there without one.',
  },
  conductor_bus_messages_total: {
    type: 'counter',
    help: 'Hints for other processes over Redis: sent, received, or dropped (left to polling).',
    labels: ['outcome'],
  },
  conductor_build_info: { type: 'gauge', help: 'Always 1; the label says what runs.', labels: ['version'] },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** Names of one type. */
export type NameOf<T extends Metric['type']> = {
  [N in MetricName]: (typeof METRICS)[N]['type'] extends T ? N : never;
}[MetricName];
