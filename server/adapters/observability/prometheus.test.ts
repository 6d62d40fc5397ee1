import { describe, expect, it } from 'vitest';
import { LabelBound } from '@/server/adapters/observability/label-bound';
import { createPrometheus } from '@/server/adapters/observability/prometheus';

const lines = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name));

describe('the registry', () => {
  it('keeps labels bounded, however many names users think of', async () => {
    const { telemetry, registry } = createPrometheus();
    for (let i = 0; i < 1_000; i++) {
      telemetry.workflowCreated(`workflow-${i}`);
      telemetry.toolCalled(`server-${i % 300}`, `tool-${i}`, 'ok', 0.1);
      telemetry.toolCalled('one', `tool-${i}`, 'error', 0.1);
    }
    const text = await registry.metrics();
    const created = lines(text, 'conductor_workflow_created_total{');
    expect(created).toHaveLength(101);
    expect(created.at(-1)).toBe('conductor_workflow_created_total{workflow="other"} 900');
    const errors = lines(text, 'conductor_mcp_tool_errors_total{');
    expect(errors).toHaveLength(51);
    const series = lines(text, 'conductor_mcp_tool_call_seconds_count{');
    expect(series.length).toBeLessThanOrEqual(101 * 3);
  });

  it('leaves a gauge out when nobody knows its value, and shows it again when somebody does', async () => {
    const { gauge, registry } = createPrometheus();
    let depth: () => number | undefined | Promise<number> = () => 3;
    gauge('conductor_inbox_depth', () => depth());
    const shown = async () => lines(await registry.metrics(), 'conductor_inbox_depth');
    expect(await shown()).toEqual(['conductor_inbox_depth 3']);
    depth = () => Promise.reject(new Error('the database is away'));
    expect(await shown()).toEqual([]);
    depth = () => {
      throw new Error('broken');
    };
    expect(await shown()).toEqual([]);
    depth = async () => 0;
    expect(await shown()).toEqual(['conductor_inbox_depth 0']);
  });

  it('forgets labels that are gone', async () => {
    const { gauge, registry } = createPrometheus();
    let servers = ['a', 'b'];
    gauge('conductor_mcp_breaker_state', () => servers.map((server) => [{ server }, 2]));
    const shown = async () => lines(await registry.metrics(), 'conductor_mcp_breaker_state');
    expect(await shown()).toHaveLength(2);
    servers = ['b'];
    expect(await shown()).toEqual(['conductor_mcp_breaker_state{server="b"} 2']);
  });

  it('counts runs that ended badly as failed, others not', async () => {
    const { telemetry, registry } = createPrometheus();
    for (const status of [
      'completed',
      'failed',
      'timed_out',
      'dead_letter',
      'cancelled',
      'terminated',
    ] as const)
      telemetry.workflowClosed('w', status, 1);
    const text = await registry.metrics();
    expect(lines(text, 'conductor_workflow_failed_total{')).toHaveLength(3);
    expect(lines(text, 'conductor_workflow_completed_seconds_count{')).toHaveLength(6);
  });
});

it('a bound keeps what it knew first', () => {
  const bound = new LabelBound(2);
  expect(['a', 'b', 'c', 'a', 'd'].map((value) => bound.of(value))).toEqual([
    'a',
    'b',
    'other',
    'a',
    'other',
  ]);
});
