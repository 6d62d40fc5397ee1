import { describe, expect, it } from 'vitest';
import type { ServerSummary } from '@/lib/protocol/api';
import { paintLine } from '@/server/cli/spans';
import { paintNothing } from '@/server/cli/style';
import { frameOf, metricValues, type TopSample, type TopSort } from '@/server/cli/top-frame';
import { topLines } from '@/server/cli/top-view';

const server = (name: string, calls: number, errors: number, p95: number): ServerSummary => ({
  name,
  title: null,
  transport: 'stdio',
  target: 'x',
  status: 'connected',
  protocolVersion: null,
  tools: 1,
  calls,
  errors,
  latencyMs: { p50: 1, p95 },
  lastError: null,
});

const METRICS = `# HELP conductor_inbox_depth Commands
conductor_inbox_depth 12
conductor_inbox_depth_other 99
conductor_mcp_breaker_state{server="a"} 0
conductor_mcp_breaker_state{server="we\\"ird"} 2
conductor_relay_lag_seconds 0.25
`;

const sample = (atMs: number, servers: ServerSummary[], more: Partial<TopSample> = {}): TopSample => ({
  atMs,
  servers,
  metrics: METRICS,
  counts: { running: { n: 3, more: false }, failed: { n: 200, more: true } },
  failures: [],
  starts: 0,
  events: 0,
  streaming: true,
  version: '1.0.0',
  uptimeMs: 5_000,
  ...more,
});

describe('a frame of top', () => {
  it('reads metrics by their whole name, with labels', () => {
    expect(metricValues(METRICS, 'conductor_inbox_depth')).toEqual([{ labels: {}, value: 12 }]);
    expect(metricValues(METRICS, 'conductor_mcp_breaker_state')).toEqual([
      { labels: { server: 'a' }, value: 0 },
      { labels: { server: 'we"ird' }, value: 2 },
    ]);
    expect(metricValues('', 'conductor_inbox_depth')).toEqual([]);
  });

  it('makes rates of two moments, and none of one', () => {
    const before = sample(1_000, [server('a', 10, 1, 5)], { starts: 4 });
    const now = sample(3_000, [server('a', 30, 6, 5), server('new', 9, 9, 1)], { starts: 10 });
    const frame = frameOf(now, before, 'name');
    expect(frame.servers[0]).toMatchObject({ callsPerSecond: 10, errorRate: 0.25, breaker: 'closed' });
    expect(frame.servers[1]).toMatchObject({ callsPerSecond: null, errorRate: null, breaker: null });
    expect(frame).toMatchObject({ startsPerSecond: 3, inbox: { depth: 12 }, relay: { lagSeconds: 0.25 } });
    expect(frameOf(before, undefined, 'name').startsPerSecond).toBeNull();
    // A restarted process counts from zero again.
    expect(frameOf(sample(4_000, [server('a', 2, 0, 5)]), now, 'name').servers[0]?.callsPerSecond).toBe(0);
  });

  it('sorts', () => {
    const before = sample(0, [server('a', 0, 0, 9), server('b', 0, 0, 1), server('c', 0, 0, 5)]);
    const now = sample(1_000, [server('a', 1, 0, 9), server('b', 9, 0, 1), server('c', 4, 4, 5)]);
    const order = (sort: TopSort) =>
      frameOf(now, before, sort)
        .servers.map((row) => row.name)
        .join('');
    expect([order('calls'), order('latency'), order('errors'), order('name')]).toEqual([
      'bca',
      'acb',
      'cab',
      'abc',
    ]);
  });

  it('fits the screen, whatever its size, and keeps the latest failures in sight', () => {
    const servers = Array.from({ length: 50 }, (_, i) => server(`s${i}`, i, 0, 1));
    const failures = [
      {
        runId: 'r1',
        workflowId: 'w',
        workflow: 'broken',
        version: 1,
        status: 'failed' as const,
        createdAt: '2026-11-20T14:23:45.123Z',
        closedAt: '2026-11-20T14:23:46.123Z',
        durationMs: 1000,
        historyLength: 3,
        failure: { code: 'EXPRESSION_FAILED', message: 'x' },
      },
    ];
    const frame = frameOf(sample(1_000, servers, { failures }), undefined, 'calls');
    for (const [columns, rows] of [
      [80, 24],
      [200, 60],
      [20, 5],
    ] as const) {
      const lines = topLines(frame, 'http://x', 'calls', rows).map((line) =>
        paintLine(line, paintNothing, columns),
      );
      expect(lines.length).toBeLessThanOrEqual(rows);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    }
    const text = topLines(frame, 'http://x', 'calls', 24)
      .map((line) => paintLine(line, paintNothing, 0))
      .join('\n');
    expect(text).toContain('more servers');
    expect(text).toContain('EXPRESSION_FAILED');
    expect(text).toContain('failed 200+');
  });
});
