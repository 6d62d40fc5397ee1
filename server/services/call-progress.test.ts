import { expect, it } from 'vitest';
import type { NodeView } from '@/lib/protocol/run';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import { CallProgress } from '@/server/services/call-progress';

const T0 = Date.parse('2026-11-21T08:00:00Z');
const node = (path: string, status: NodeView['status'], startedAt = T0): NodeView => ({
  ...{
    path,
    status,
    nodeId: path,
    kind: 'mcp-server',
    name: null,
    attempt: 1,
    endedAt: null,
    durationMs: null,
  },
  ...{ startedAt: new Date(startedAt).toISOString(), server: 's', tool: 't', input: null, output: null },
  failure: null,
});
const tell = (path: string, progress: number, at: number) => ({
  ...{ organizationId: 'o', runId: 'r', nodePath: path, at, progress, total: 3 },
});

it('shows the latest progress of a call under way, and none from before it or of another run', () => {
  const bus = createMemoryBus();
  const calls = new CallProgress(bus, 'progress');
  bus.publish('progress', tell('a', 1, T0 + 100));
  bus.publish('progress', tell('a', 2, T0 + 200));
  bus.publish('progress', tell('b', 1, T0 + 100));
  bus.publish('progress', tell('c', 1, T0 - 100));
  const nodes = [
    node('a', 'scheduled'),
    node('b', 'completed'),
    node('c', 'running'),
    node('d', 'scheduled'),
  ];
  expect(calls.addTo('r', nodes).map((it) => it.progress)).toEqual([
    { at: '2026-11-21T08:00:00.200Z', progress: 2, total: 3 },
    undefined,
    undefined,
    undefined,
  ]);
  expect(calls.addTo('other', nodes)).toEqual(nodes);
});

it('forgets the calls that were heard of longest ago', () => {
  const bus = createMemoryBus();
  const calls = new CallProgress(bus, 'progress');
  for (let i = 0; i < 10_001; i++) bus.publish('progress', tell(`n${i}`, 1, T0));
  const shown = calls.addTo('r', [node('n0', 'running'), node('n1', 'running')]);
  expect(shown.map((it) => it.progress?.progress)).toEqual([undefined, 1]);
});
