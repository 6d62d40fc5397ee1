'use client';

import type { Column } from '@/components/grid/grid-types';
import { RunningTime } from '@/components/ui/running-time';
import { StatusBadge } from '@/components/ui/status-badge';
import { rowTime, shortId } from '@/lib/client/format';
import type { RunRow } from '@/lib/client/runs-store';
import { isOpenRun, RUN_LOOKS } from '@/lib/theme/status';

function note(row: RunRow): string {
  if (row.failure) return `${row.failure.code} ${row.failure.message}`;
  return isOpenRun(row.status) ? (row.at ?? '') : '';
}

/** Columns of the list of runs. */
export const RUN_COLUMNS: readonly Column<RunRow>[] = [
  {
    id: 'started',
    header: 'STARTED',
    chars: 15,
    sortBy: (row) => row.createdAt,
    cell: (row) => <span className="text-dim">{rowTime(row.createdAt, Date.now())}</span>,
    title: (row) => row.createdAt,
  },
  {
    id: 'status',
    header: 'STATUS',
    chars: 9,
    sortBy: (row) => RUN_LOOKS[row.status].code,
    cell: (row) => <StatusBadge look={RUN_LOOKS[row.status]} />,
  },
  {
    id: 'workflow',
    header: 'WORKFLOW',
    chars: 22,
    grow: 2,
    sortBy: (row) => row.workflow,
    cell: (row) => (
      <>
        {row.workflow} <span className="text-dim">v{row.version}</span>
      </>
    ),
    title: (row) => `${row.workflow} v${row.version} · ${row.workflowId}`,
  },
  {
    id: 'run',
    header: 'RUN',
    chars: 10,
    cell: (row) => <span className="text-dim">{shortId(row.runId)}</span>,
    title: (row) => row.runId,
  },
  {
    id: 'duration',
    header: 'DURATION',
    chars: 11,
    align: 'end',
    sortBy: (row) => row.durationMs ?? Number.MAX_SAFE_INTEGER,
    cell: (row) => <RunningTime since={row.createdAt} ms={row.durationMs} open={isOpenRun(row.status)} />,
  },
  {
    id: 'events',
    header: 'EVENTS',
    chars: 8,
    align: 'end',
    sortBy: (row) => row.historyLength,
    cell: (row) => row.historyLength.toLocaleString('en-GB'),
  },
  {
    id: 'note',
    header: 'STEP / FAILURE',
    chars: 18,
    grow: 3,
    cell: (row) => <span className={row.failure ? 'text-danger' : 'text-active'}>{note(row)}</span>,
    title: note,
  },
];
