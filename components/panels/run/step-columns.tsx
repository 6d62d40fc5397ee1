'use client';

import type { Column } from '@/components/grid/grid-types';
import { targetText } from '@/components/panels/run/steps';
import { RunningTime } from '@/components/ui/running-time';
import { StatusBadge } from '@/components/ui/status-badge';
import { rowTime } from '@/lib/client/format';
import type { NodeView } from '@/lib/protocol/run';
import { isOpenNode, NODE_LOOKS } from '@/lib/theme/status';

/** Columns of the steps of a run. */
export const STEP_COLUMNS: readonly Column<NodeView>[] = [
  {
    id: 'status',
    header: 'STATUS',
    chars: 9,
    sortBy: (node) => NODE_LOOKS[node.status].code,
    cell: (node) => <StatusBadge look={NODE_LOOKS[node.status]} />,
  },
  {
    id: 'path',
    header: 'STEP',
    chars: 18,
    grow: 2,
    sortBy: (node) => node.path,
    cell: (node) => node.path,
    title: (node) => (node.name === null ? node.path : `${node.path} · ${node.name}`),
  },
  {
    id: 'kind',
    header: 'KIND',
    chars: 12,
    sortBy: (node) => node.kind,
    cell: (node) => <span className="text-dim">{node.kind === '' ? '…' : node.kind}</span>,
  },
  {
    id: 'target',
    header: 'SERVER / TOOL',
    chars: 20,
    grow: 3,
    sortBy: targetText,
    cell: (node) => <Target node={node} />,
    title: targetText,
  },
  {
    id: 'attempt',
    header: 'TRY',
    chars: 5,
    align: 'end',
    sortBy: (node) => node.attempt,
    cell: (node) => (
      <span className={node.attempt > 1 ? 'text-warn' : 'text-dim'}>{node.attempt || '—'}</span>
    ),
  },
  {
    id: 'started',
    header: 'STARTED',
    chars: 15,
    align: 'end',
    sortBy: (node) => node.startedAt ?? '',
    cell: (node) => (
      <span className="text-dim">{node.startedAt === null ? '—' : rowTime(node.startedAt, Date.now())}</span>
    ),
    title: (node) => node.startedAt ?? 'Not started',
  },
  {
    id: 'duration',
    header: 'DURATION',
    chars: 11,
    align: 'end',
    sortBy: (node) => node.durationMs ?? Number.MAX_SAFE_INTEGER,
    cell: (node) => (
      <RunningTime since={node.startedAt} ms={node.durationMs} open={isOpenNode(node.status)} />
    ),
  },
];

function Target({ node }: { node: NodeView }) {
  if (node.server === null) return <>{node.tool}</>;
  return (
    <>
      <span className="text-dim">{node.server} / </span>
      {node.tool}
    </>
  );
}
