import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { functionsDocs } from '@/lib/engine/expression/functions-docs';
import { runUsage, workflowMetrics } from '@/lib/engine/metrics';
import { toTemporalHistory } from '@/lib/engine/temporal-history';
import { Bench } from '@/lib/engine/testing';
import { toTimeline } from '@/lib/engine/timeline';
import { toNodeViews, toRunDetailParts } from '@/lib/engine/views';
import { workflowJsonSchema } from '@/lib/protocol/definition-json-schema';
import { EVENT_CATALOGUE, isEventType } from '@/lib/protocol/events';
import { eventsDocs } from '@/lib/protocol/events-docs';
import { nodeViewSchema } from '@/lib/protocol/run';

/** A run with a retry, a wait, a dead path and an undone call. */
function sample(): Bench {
  const bench = new Bench({
    schemaVersion: 1,
    name: 'views',
    nodes: [
      {
        id: 'a',
        name: 'Read',
        kind: 'mcp-server',
        server: 'files',
        tool: 'read',
        arguments: { p: 1 },
        compensate: { server: 'files', tool: 'undo' },
      },
      { id: 'c', kind: 'condition', cases: [{ port: 'yes', when: 'true' }] },
      { id: 'w', kind: 'wait', duration: '5s' },
      { id: 'dead', kind: 'transform', output: 1 },
      { id: 'z', kind: 'mcp-server', server: 'mail', tool: 'send', retry: { maxAttempts: 1 } },
    ],
    edges: [
      { from: 'a', to: 'c' },
      { from: 'c', to: 'w', port: 'yes' },
      { from: 'c', to: 'dead', port: 'else' },
      { from: 'w', to: 'z' },
    ],
  });
  const done = (path: string, attempt: number, durationMs: number, purpose: 'do' | 'compensate' = 'do') =>
    bench.send('ACTIVITY_TASK_COMPLETED', {
      activityId: `${path}:${purpose}`,
      attempt,
      output: { ok: true },
      usage: { durationMs, bytesIn: 5, tokens: 10, costUsd: 0.5 },
    });
  bench.send('ACTIVITY_TASK_STARTED', { activityId: 'a:do', attempt: 1, retrySafe: true });
  bench.now += 100;
  bench.fail('a', 'NETWORK_ERROR', { usage: { durationMs: 100 } });
  bench.fireNext();
  bench.now += 50;
  done('a', 2, 50);
  bench.fireNext();
  bench.now += 10;
  bench.fail('z', 'TOOL_ERROR', { usage: { durationMs: 10 } });
  bench.now += 5;
  done('a', 1, 5, 'compensate');
  return bench;
}

describe('node views', () => {
  it('follow the schema, in the order in which nodes began', () => {
    const bench = sample();
    const views = toNodeViews(bench.program, bench.state);
    for (const view of views) nodeViewSchema.parse(view);
    expect(views.map((view) => [view.path, view.status, view.attempt])).toEqual([
      ['a', 'compensated', 1],
      ['c', 'completed', 1],
      ['w', 'completed', 1],
      ['dead', 'skipped', 0],
      ['z', 'failed', 1],
    ]);
    expect(views[0]).toMatchObject({
      kind: 'mcp-server',
      name: 'Read',
      server: 'files',
      tool: 'read',
      input: { p: 1 },
      output: { ok: true },
    });
    expect(views[0]?.durationMs).toBe(100 + 750 + 50);
    expect(views[4]?.failure).toMatchObject({ code: 'TOOL_ERROR' });
  });
  it('make the detail of a run', () => {
    const bench = sample();
    expect(toRunDetailParts(bench.program, bench.state)).toMatchObject({
      status: 'failed',
      createdAt: '2027-01-15T08:00:00.000Z',
      historyLength: bench.history.length,
      failure: { code: 'TOOL_ERROR' },
      output: null,
      durationMs: bench.now - 1_800_000_000_000,
    });
  });
});

describe('metrics', () => {
  it('are those of the seed: current activity, completed ones, duration, servers', () => {
    const bench = sample();
    const metrics = workflowMetrics(bench.state, bench.now + 1000);
    expect(metrics).toMatchObject({
      status: 'failed',
      currentActivity: null,
      completedActivities: ['a', 'c', 'w'],
      duration: bench.now - 1_800_000_000_000,
    });
    expect(metrics.serverMetrics.files).toMatchObject({ callCount: 3, errorRate: 1 / 3 });
    expect(metrics.serverMetrics.files?.avgLatency).toBeCloseTo(155 / 3);
    expect(metrics.serverMetrics.mail).toMatchObject({ callCount: 1, errorRate: 1, avgLatency: 10 });
    expect(runUsage(bench.state)).toEqual({
      calls: 4,
      errors: 2,
      totalMs: 165,
      bytesIn: 10,
      bytesOut: 0,
      tokens: 20,
      costUsd: 1,
    });
  });
  it('name what is in progress, the innermost thing first', () => {
    const bench = new Bench({
      schemaVersion: 1,
      name: 'm',
      nodes: [{ id: 's', kind: 'sequential', nodes: [{ id: 'w', kind: 'wait', signal: 'go' }] }],
    });
    expect(workflowMetrics(bench.state, bench.now + 7)).toMatchObject({
      status: 'running',
      currentActivity: 's/w',
      duration: 7,
    });
  });
});

describe('timeline', () => {
  it('groups events into one bar per node with its stretches', () => {
    const bench = sample();
    const groups = toTimeline(bench.history);
    const a = groups.find((group) => group.path === 'a');
    expect(a?.segments.map((segment) => [segment.kind, (segment.toMs ?? 0) - segment.fromMs])).toEqual([
      ['scheduled', 0],
      ['running', 100],
      ['backing_off', 750],
      ['scheduled', 50],
      ['compensating', 5],
    ]);
    expect(a).toMatchObject({ attempts: 2, outcome: 'compensated', parent: null });
    expect(groups.find((group) => group.path === 'dead')).toMatchObject({ outcome: 'skipped', segments: [] });
    expect(groups.flatMap((group) => group.segments).every((segment) => segment.toMs !== null)).toBe(true);
  });
});

describe('export to Temporal', () => {
  it('keeps every event: numbered, named as Temporal names them, linked to what they answer', () => {
    const bench = sample();
    const { events } = toTemporalHistory(bench.history);
    expect(events.map((event) => event.eventId)).toEqual(bench.history.map((_event, i) => String(i + 1)));
    expect(events[0]).toMatchObject({
      eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED',
      workflowExecutionStartedEventAttributes: { workflowType: { name: 'views' } },
    });
    const completed = events.find((event) => event.eventType === 'EVENT_TYPE_ACTIVITY_TASK_COMPLETED');
    const { scheduledEventId } = (completed?.activityTaskCompletedEventAttributes ?? {}) as {
      scheduledEventId?: string;
    };
    expect(bench.history[Number(scheduledEventId) - 1]).toMatchObject({
      type: 'ACTIVITY_TASK_SCHEDULED',
      data: { attempt: 2 },
    });
    const second = events[Number(scheduledEventId) - 1]?.activityTaskScheduledEventAttributes as {
      input: { payloads: { data: string }[] };
    };
    expect(atob(second.input.payloads[0]?.data ?? '')).toBe('{"p":1}');
    const markers = events.filter((event) => event.eventType === 'EVENT_TYPE_MARKER_RECORDED');
    expect(
      markers.map((event) => (event.markerRecordedEventAttributes as { markerName: string }).markerName),
    ).toContain('NODES_SKIPPED');
    expect(events.at(-1)?.eventType).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_FAILED');
  });
});

describe('what is generated', () => {
  const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  it('every event that is written is in the catalogue, and fits its schema', () => {
    const bench = sample();
    for (const event of bench.history) {
      expect(isEventType(event.type)).toBe(true);
      EVENT_CATALOGUE[event.type].data.parse(event.data);
    }
  });
  it('docs/events.md is up to date (scripts/generate-docs.ts)', () => {
    expect(file('docs/events.md')).toBe(eventsDocs());
    for (const type of Object.keys(EVENT_CATALOGUE)) expect(eventsDocs()).toContain(`### ${type}\n`);
  });
  it('the function table of docs/workflow-reference.md is up to date', () => {
    expect(file('docs/workflow-reference.md')).toContain(functionsDocs());
  });
  it('public/schemas/workflow.v1.json is up to date', () => {
    expect(JSON.parse(file('public/schemas/workflow.v1.json'))).toEqual(workflowJsonSchema());
  });
});
