import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { LabelBound } from '@/server/adapters/observability/label-bound';
import { METRICS, type NameOf } from '@/server/adapters/observability/metric-catalogue';
import type { Telemetry } from '@/server/ports/telemetry';

/** Distinct values of a label before the rest is counted as `other`. */
const MAX_WORKFLOWS = 100;
const MAX_SERVERS = 100;
/** Of one server. */
const MAX_TOOLS = 50;

/** One value of a gauge with labels. */
export type Sample = [labels: Record<string, string>, value: number];

/**
 * Registers a gauge that is read at each scrape. Without an answer (undefined, or a rejected promise) it is left out of that
 * scrape: a number that nobody knows is not 0.
 */
export type RegisterGauge = (
  name: NameOf<'gauge'>,
  read: () => number | undefined | Sample[] | Promise<number | undefined>,
) => void;

/** Telemetry in the Prometheus text format. */
export function createPrometheus(): { telemetry: Telemetry; registry: Registry; gauge: RegisterGauge } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const counter = (name: NameOf<'counter'>) => new Counter({ name, ...shape(name), registers: [registry] });
  const histogram = (name: NameOf<'histogram'>) => {
    const buckets = [...METRICS[name].buckets];
    return new Histogram({ name, ...shape(name), buckets, registers: [registry] });
  };
  const created = counter('conductor_workflow_created_total');
  const completed = histogram('conductor_workflow_completed_seconds');
  const failed = counter('conductor_workflow_failed_total');
  const task = histogram('conductor_task_execution_seconds');
  const calls = counter('conductor_mcp_tool_calls_total');
  const errors = counter('conductor_mcp_tool_errors_total');
  const callSeconds = histogram('conductor_mcp_tool_call_seconds');
  const commit = histogram('conductor_engine_commit_seconds');
  const commitParts = histogram('conductor_engine_commit_parts');
  const committedParts = counter('conductor_engine_committed_parts_total');
  const committedEvents = counter('conductor_engine_committed_events_total');
  const fenced = counter('conductor_engine_fenced_total');
  const takeovers = counter('conductor_engine_takeovers_total');
  const recovered = counter('conductor_engine_recovered_runs_total');
  const recovery = histogram('conductor_engine_recovery_seconds');
  const requests = histogram('conductor_http_request_seconds');
  const spans = counter('conductor_trace_spans_total');
  const busMessages = counter('conductor_bus_messages_total');

  const workflows = new LabelBound(MAX_WORKFLOWS);
  const servers = new LabelBound(MAX_SERVERS);
  const tools = new Map<string, LabelBound>();
  const toolOf = (server: string, tool: string) => {
    let bound = tools.get(server);
    if (!bound) {
      bound = new LabelBound(MAX_TOOLS);
      tools.set(server, bound);
    }
    return bound.of(tool);
  };

  const gauge: RegisterGauge = (name, read) => {
    registry.removeSingleMetric(name);
    new Gauge({
      name,
      ...shape(name),
      registers: [registry],
      async collect() {
        const value = await Promise.resolve()
          .then(read)
          .catch(() => undefined);
        if (typeof value === 'number') this.set(value);
        else {
          this.reset();
          if (value === undefined) this.remove();
          else for (const [labels, number] of value) this.set(labels, number);
        }
      },
    });
  };

  const telemetry: Telemetry = {
    workflowCreated: (workflow) => created.inc({ workflow: workflows.of(workflow) }),
    workflowClosed(name, status, seconds) {
      const workflow = workflows.of(name);
      completed.observe({ workflow, status }, seconds);
      if (status === 'failed' || status === 'timed_out' || status === 'dead_letter')
        failed.inc({ workflow, status });
    },
    taskExecuted: (kind, outcome, seconds) => task.observe({ kind, outcome }, seconds),
    toolCalled(name, toolName, outcome, seconds) {
      const server = servers.of(name);
      const tool = toolOf(server, toolName);
      calls.inc({ server, tool });
      callSeconds.observe({ server, outcome }, seconds);
      if (outcome !== 'ok') errors.inc({ server, tool, outcome });
    },
    committed(parts, events, seconds) {
      commit.observe(seconds);
      commitParts.observe(parts);
      committedParts.inc(parts);
      committedEvents.inc(events);
    },
    fenced: (parts) => fenced.inc(parts),
    tookOver: (shards) => takeovers.inc(shards),
    recovered(runs, seconds) {
      recovered.inc(runs);
      recovery.observe(seconds);
    },
    requestServed(method, route, status, seconds) {
      requests.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, seconds);
    },
    spansExported: (count, ok) => spans.inc({ outcome: ok ? 'exported' : 'failed' }, count),
    busMessages: (outcome, messages) => busMessages.inc({ outcome }, messages),
    gauge,
  };
  return { telemetry, registry, gauge };
}

function shape(name: keyof typeof METRICS): { help: string; labelNames: string[] } {
  const metric: { help: string; labels?: readonly string[] } = METRICS[name];
  return { help: metric.help, labelNames: [...(metric.labels ?? [])] };
}
