'use client';

import type { Column } from '@/components/grid/grid-types';
import { nodePathsOf } from '@/lib/client/event-data';
import { rowTime } from '@/lib/client/format';
import type { WorkflowEventRecord } from '@/lib/protocol/event';

/** Characters of an event's data that a row shows; the whole is below the grid. */
const PREVIEW = 300;

function tone(type: string): string {
  if (/FAILED|TIMED_OUT|TERMINATED/.test(type)) return 'text-danger';
  if (/COMPLETED/.test(type)) return 'text-ok';
  if (/UNKNOWN|PAUSED|CANCEL|WARNED/.test(type)) return 'text-warn';
  return 'text-text';
}

function preview(event: WorkflowEventRecord): string {
  return JSON.stringify(event.data).slice(0, PREVIEW);
}

/** Columns of a run's history. */
export const EVENT_COLUMNS: readonly Column<WorkflowEventRecord>[] = [
  {
    id: 'seq',
    header: 'SEQ',
    chars: 7,
    align: 'end',
    sortBy: (event) => event.seq,
    cell: (event) => <span className="text-dim">{event.seq.toLocaleString('en-GB')}</span>,
  },
  {
    id: 'time',
    header: 'TIME',
    chars: 16,
    cell: (event) => <span className="text-dim">{rowTime(event.at, Date.now())}</span>,
    title: (event) => event.at,
  },
  {
    id: 'type',
    header: 'TYPE',
    chars: 32,
    sortBy: (event) => event.type,
    cell: (event) => <span className={tone(event.type)}>{event.type}</span>,
    title: (event) => event.type,
  },
  {
    id: 'node',
    header: 'STEP',
    chars: 14,
    grow: 1,
    sortBy: (event) => nodePathsOf(event.data)[0] ?? '',
    cell: (event) => nodePathsOf(event.data).join(', '),
    title: (event) => nodePathsOf(event.data).join(', '),
  },
  {
    id: 'data',
    header: 'DATA',
    chars: 20,
    grow: 3,
    cell: (event) => <span className="text-dim">{preview(event)}</span>,
  },
];
