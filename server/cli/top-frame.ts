import type { ServerSummary } from '@/lib/protocol/api';
import type { RunStatus, RunSummary } from '@/lib/protocol/run';

/** What was read at one moment. Times are milliseconds. */
export interface TopSample {
  atMs: number;
  servers: readonly ServerSummary[];
  /** Text of /metrics; '' when it may not be read. */
  metrics: string;
  /** Runs by state, counted up to a page; `more` when the page was full. */
  counts: Partial<Record<RunStatus, { n: number; more: boolean }>>;
  failures: readonly RunSummary[];
  /** Counted from the stream of events since the beginning. */
  starts: number;
  events: number;
  /** False while the stream is broken. */
  streaming: boolean;
  version: string;
  uptimeMs: number;
}

/** One server of a frame. Rates are a second; null until there are two moments to compare. */
export interface TopServer {
  name: string;
  status: ServerSummary['status'];
  breaker: 'closed' | 'half-open' | 'open' | null;
  calls: number;
  errors: number;
  callsPerSecond: number | null;
  errorRate: number | null;
  p50Ms: number | null;
  p95Ms: number | null;
  lastError: string | null;
}

/** What `top` shows at one moment, and what a program gets as one line. */
export interface TopFrame {
  at: string;
  version: string;
  uptimeMs: number;
  streaming: boolean;
  servers: TopServer[];
  runs: Partial<Record<RunStatus, { n: number; more: boolean }>>;
  startsPerSecond: number | null;
  eventsPerSecond: number | null;
  /** Commands that wait for their owner, and the age of the oldest, seconds. */
  inbox: { depth: number | null; oldestSeconds: number | null };
  /** Activities scheduled or under way. */
  queueDepth: number | null;
  /** Committed events that watchers cannot see yet, and the age of the oldest, seconds. */
  relay: { backlog: number | null; lagSeconds: number | null };
  failures: {
    runId: string;
    workflow: string;
    status: RunStatus;
    closedAt: string | null;
    code: string | null;
  }[];
}

export type TopSort = 'calls' | 'latency' | 'errors' | 'name';

const BREAKERS = ['closed', 'half-open', 'open'] as const;

/** Samples of one metric in the text format of Prometheus, with their labels. */
export function metricValues(
  text: string,
  name: string,
): { labels: Record<string, string>; value: number }[] {
  const found: { labels: Record<string, string>; value: number }[] = [];
  for (const line of text.split('\n')) {
    if (!line.startsWith(name) || !/[{ ]/.test(line[name.length] ?? '')) continue;
    const match = /^[\w:]+(?:\{(.*)\})? (\S+)/.exec(line);
    if (match === null) continue;
    const labels: Record<string, string> = {};
    for (const [, key = '', value = ''] of (match[1] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
      labels[key] = value.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
    found.push({ labels, value: Number(match[2]) });
  }
  return found;
}

function gauge(text: string, name: string): number | null {
  const values = metricValues(text, name);
  return values.length === 0 ? null : values.reduce((sum, row) => sum + row.value, 0);
}

/** What happened between two moments becomes rates; without an earlier one there are none. */
export function frameOf(now: TopSample, before: TopSample | undefined, sort: TopSort): TopFrame {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
  const rate = (a: number, b: number | undefined) =>
    seconds > 0 && b !== undefined ? Math.max(0, a - b) / seconds : null;
  const breakers = metricValues(now.metrics, 'conductor_mcp_breaker_state');
  const servers = now.servers.map((server): TopServer => {
    const old = before?.servers.find((row) => row.name === server.name);
    const state = breakers.find((row) => row.labels.server === server.name)?.value;
    const calls = server.calls - (old?.calls ?? 0);
    const isNew = old === undefined || calls < 0;
    return {
      name: server.name,
      status: server.status,
      breaker: state === undefined ? null : (BREAKERS[state] ?? null),
      calls: server.calls,
      errors: server.errors,
      callsPerSecond: rate(server.calls, old?.calls),
      errorRate: isNew || calls === 0 ? null : Math.max(0, server.errors - old.errors) / calls,
      p50Ms: server.latencyMs?.p50 ?? null,
      p95Ms: server.latencyMs?.p95 ?? null,
      lastError: server.lastError,
    };
  });
  return {
    at: new Date(now.atMs).toISOString(),
    version: now.version,
    uptimeMs: now.uptimeMs,
    streaming: now.streaming,
    servers: servers.sort(ORDERS[sort]),
    runs: now.counts,
    startsPerSecond: rate(now.starts, before?.starts),
    eventsPerSecond: rate(now.events, before?.events),
    inbox: {
      depth: gauge(now.metrics, 'conductor_inbox_depth'),
      oldestSeconds: gauge(now.metrics, 'conductor_inbox_oldest_seconds'),
    },
    queueDepth: gauge(now.metrics, 'conductor_task_queue_depth'),
    relay: {
      backlog: gauge(now.metrics, 'conductor_relay_backlog_events'),
      lagSeconds: gauge(now.metrics, 'conductor_relay_lag_seconds'),
    },
    failures: now.failures.map(({ runId, workflow, status, closedAt, failure }) => ({
      runId,
      workflow,
      status,
      closedAt,
      code: failure?.code ?? null,
    })),
  };
}

const byName = (a: TopServer, b: TopServer) => (a.name < b.name ? -1 : 1);
const ORDERS: Record<TopSort, (a: TopServer, b: TopServer) => number> = {
  name: byName,
  calls: (a, b) => (b.callsPerSecond ?? 0) - (a.callsPerSecond ?? 0) || b.calls - a.calls || byName(a, b),
  latency: (a, b) => (b.p95Ms ?? -1) - (a.p95Ms ?? -1) || byName(a, b),
  errors: (a, b) => (b.errorRate ?? -1) - (a.errorRate ?? -1) || b.errors - a.errors || byName(a, b),
};
