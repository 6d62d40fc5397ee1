import { expect, it } from 'vitest';
import type { NodeView, RunDetail } from '@/lib/protocol/run';
import { Output } from '@/server/cli/output';
import { StepLines } from '@/server/cli/steps';

const node = (path: string, status: NodeView['status'], endedAt: string): NodeView => ({
  ...{ path, status, endedAt, nodeId: path, kind: 'mcp-server', name: null, attempt: 1 },
  ...{ startedAt: '2026-11-21T08:00:00.000Z', durationMs: 5, server: 'memory', tool: 'create_entities' },
  ...{ input: null, output: null, failure: null },
});

it('prints steps that were undone in the order in which they were undone, after the failure', () => {
  let text = '';
  const sink = {
    write: (more: string) => {
      text += more;
    },
    isTTY: false,
    columns: 80,
  };
  const lines = new StepLines(new Output(sink, sink, 'table', false));
  const nodes = [
    node('reserve', 'compensated', '2026-11-21T08:00:03.000Z'),
    node('ship', 'compensated', '2026-11-21T08:00:01.000Z'),
    node('invoice', 'compensation_failed', '2026-11-21T08:00:03.000Z'),
    node('payment', 'failed', '2026-11-21T08:00:04.000Z'),
  ];
  lines.update({ nodes, status: 'failed', closedAt: '2026-11-21T08:00:05.000Z' } as unknown as RunDetail);
  expect([...text.matchAll(/(reserve|ship|invoice|payment)/g)].map(([name]) => name)).toEqual([
    'payment',
    'invoice',
    'reserve',
    'ship',
  ]);
});
