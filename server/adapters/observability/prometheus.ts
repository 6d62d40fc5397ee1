import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Telemetry } from '@/server/ports/telemetry';

const RUN_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 86_400,
];
const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

const GAUGE_HELP = {
  conductor_task_queue_depth: 'Activities scheduled or under way in this process.',
  conductor_resident_runs: 'Runs held in memory by this process.',
  conductor_held_shards: 'Shards leased by this process.',
} as const;

/** Telemetry in the Prometheus text format; the seven conductor_* names of the product's seed document and engine internals. */
export function createPrometheus(): { telemetry: Telemetry; registry: Registry } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const created = new Counter({
    name: 'conductor_workflow_created_total',
    help: 'Runs started.',
    labelNames: ['workflow'],
    registers,
  });
  const completed = new Histogram({
    name: 'conductor_workflow_completed_seconds',
    help: 'Time from start to close of runs.',
    labelNames: ['workflow', 'status'],
    buckets: RUN_SECONDS,
    registers,
  });
  const failed = new Counter({
    name: 'conductor_workflow_failed_total',
    help: 'Runs that failed, timed out or went to dead-letter.',
    labelNames: ['workflow', 'status'],
    registers,
  });
  const task = new Histogram({
    name: 'conductor_task_execution_seconds',
    help: 'Time of one attempt of an activity.',
    labelNames: ['kind', 'outcome'],
    buckets: CALL_SECONDS,
    registers,
  });
  const calls = new Counter({
    name: 'conductor_mcp_tool_calls_total',
    help: 'Tool calls.',
    labelNames: ['server', 'tool'],
    registers,
  });
  const errors = new Counter({
    name: 'conductor_mcp_tool_errors_total',
    help: 'Tool calls that failed, by what failed: the tool itself (tool_error) or the way to it (error).',
    labelNames: ['server', 'tool', 'outcome'],
    registers,
  });
  const commit = new Histogram({
    name: 'conductor_engine_commit_seconds',
    help: 'Time of one group commit.',
    buckets: CALL_SECONDS,
    registers,
  });
  const commitParts = new Counter({
    name: 'conductor_engine_committed_parts_total',
    help: 'Steps made durable.',
    registers,
  });
  const commitEvents = new Counter({
    name: 'conductor_engine_committed_events_total',
    help: 'Events appended.',
    registers,
  });
  const fenced = new Counter({
    name: 'conductor_engine_fenced_total',
    help: 'Appends refused because another process owned the shard.',
    registers,
  });
  const recovered = new Counter({
    name: 'conductor_engine_recovered_runs_total',
    help: 'Runs taken over.',
    registers,
  });
  const telemetry: Telemetry = {
    workflowCreated: (workflow) => created.inc({ workflow }),
    workflowClosed(workflow, status, seconds) {
      completed.observe({ workflow, status }, seconds);
      if (status === 'failed' || status === 'timed_out' || status === 'dead_letter')
        failed.inc({ workflow, status });
    },
    taskExecuted: (kind, outcome, seconds) => task.observe({ kind, outcome }, seconds),
    toolCalled(server, tool, outcome) {
      calls.inc({ server, tool });
      if (outcome !== 'ok') errors.inc({ server, tool, outcome });
    },
    committed(parts, events, seconds) {
      commit.observe(seconds);
      commitParts.inc(parts);
      commitEvents.inc(events);
    },
    fenced: (parts) => fenced.inc(parts),
    recovered: (runs) => recovered.inc(runs),
    gauge(name, read) {
      registry.removeSingleMetric(name);
      new Gauge({
        name,
        help: GAUGE_HELP[name],
        registers,
        collect() {
          this.set(read());
        },
      });
    },
  };
  return { telemetry, registry };
}
