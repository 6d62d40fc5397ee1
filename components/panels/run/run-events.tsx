'use client';

import { type RefObject, useCallback, useRef, useState } from 'react';
import { DataGrid, type GridHandle } from '@/components/grid/data-grid';
import { EVENT_COLUMNS } from '@/components/panels/run/event-columns';
import { DetailRegion } from '@/components/ui/detail-region';
import { EmptyState } from '@/components/ui/empty-state';
import { JsonView } from '@/components/ui/json-view';
import { LoadingRows } from '@/components/ui/loading-rows';
import type { RunState } from '@/lib/client/run-store';
import type { WorkflowEventRecord } from '@/lib/protocol/event';

const seqOf = (event: WorkflowEventRecord) => String(event.seq);

/** The history of a run, oldest first, following its end; the chosen event in full below. */
export function RunEvents({
  events,
  load,
  grid,
}: {
  events: readonly WorkflowEventRecord[];
  load: RunState['eventsLoad'];
  grid: RefObject<GridHandle | null>;
}) {
  const [seq, setSeq] = useState<string | null>(null);
  const detail = useRef<HTMLElement>(null);
  const open = useCallback(() => detail.current?.focus(), []);
  const chosen = seq === null ? null : (events.find((event) => seqOf(event) === seq) ?? null);
  if (events.length === 0) {
    if (load === 'loading') return <LoadingRows label="Reading the events" />;
    return (
      <EmptyState title={load === 'error' ? 'The events could not be read' : 'No event yet'}>
        <p className="m-0 text-dim">F5 reads them again.</p>
      </EmptyState>
    );
  }
  return (
    <>
      <DataGrid
        label="Events"
        rows={events}
        rowKey={seqOf}
        columns={EVENT_COLUMNS}
        selected={seq}
        onSelect={setSeq}
        onOpen={open}
        follow
        handle={grid}
      />
      {chosen === null ? null : (
        <div className="flex h-[45%] shrink-0 flex-col">
          <DetailRegion label="Event detail" element={detail} onBack={() => grid.current?.focus()}>
            <div className="p-[1ch]">
              <JsonView key={chosen.seq} label={chosen.type} value={chosen} />
            </div>
          </DetailRegion>
        </div>
      )}
    </>
  );
}
