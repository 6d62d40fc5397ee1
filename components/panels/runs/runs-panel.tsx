'use client';

import { type Ref, type RefObject, useEffect, useMemo } from 'react';
import { DataGrid, type GridHandle } from '@/components/grid/data-grid';
import { RUN_COLUMNS } from '@/components/panels/runs/runs-columns';
import { RunsEmpty } from '@/components/panels/runs/runs-empty';
import { matcher, parseFilter } from '@/components/panels/runs/runs-filter';
import { RunsFilterBar } from '@/components/panels/runs/runs-filter-bar';
import { Button } from '@/components/ui/button';
import { EmptyState } from '@/components/ui/empty-state';
import { ErrorState } from '@/components/ui/error-state';
import { LoadingRows } from '@/components/ui/loading-rows';
import { Panel } from '@/components/ui/panel';
import { useHeld } from '@/components/ui/use-held';
import { useConnection } from '@/lib/client/connection-store';
import { plural } from '@/lib/client/format';
import { readOlderRuns, readRuns, refreshAll } from '@/lib/client/live';
import { type RunRow, type RunsState, useRuns } from '@/lib/client/runs-store';
import type { RunStatus } from '@/lib/protocol/run';

interface RunsPanelProps {
  filter: string;
  onFilter: (text: string) => void;
  filterField: Ref<HTMLInputElement>;
  selected: string | null;
  onSelect: (runId: string) => void;
  onOpen: (runId: string) => void;
  onStart: () => void;
  starting: boolean;
  paused: boolean;
  onPause: () => void;
  grid: RefObject<GridHandle | null>;
}

/** The list of runs, newest first, live. */
export function RunsPanel(props: RunsPanelProps) {
  const { filter, paused } = props;
  const state = useHeld(useRuns(), paused);
  const lastEventAt = useConnection((connection) => connection.lastEventAt);
  const all = useMemo(() => rowsOf(state), [state]);
  const counts = useMemo(() => countByStatus(all), [all]);
  const rows = useMemo(() => all.filter(matcher(parseFilter(filter))), [all, filter]);
  const { status } = parseFilter(filter);
  // The runs read so far may hold few with this status: ask for a page of its own.
  useEffect(() => {
    if (status !== null) void readRuns(status);
  }, [status]);
  const newest = all[0]?.closedAt ?? all[0]?.createdAt;
  const changedAt = lastEventAt ?? (newest === undefined ? null : Date.parse(newest));
  const filtered = filter.trim() !== '';
  return (
    <Panel
      id="runs"
      code="RUNS"
      name="Run list"
      number={1}
      object={
        state.load === 'ready' ? `${filtered ? `${rows.length} of ` : ''}${plural(all.length, 'run')}` : ''
      }
      paused={paused}
      changedAt={changedAt}
      broken={state.error !== null}
      actions={
        <>
          <Button kind="bare" chord="n" onClick={props.onStart} disabled={props.starting}>
            Run starter
          </Button>
          <Button kind="bare" chord="space" aria-pressed={paused} onClick={props.onPause}>
            {paused ? 'Resume' : 'Pause'}
          </Button>
        </>
      }
    >
      <RunsBody {...props} state={state} rows={rows} counts={counts} />
    </Panel>
  );
}

interface RunsBodyProps extends RunsPanelProps {
  state: RunsState;
  rows: readonly RunRow[];
  counts: ReadonlyMap<RunStatus, number>;
}

function RunsBody({ state, rows, counts, ...props }: RunsBodyProps) {
  if (state.load === 'error' && state.error) {
    return <ErrorState error={state.error} onRetry={() => void refreshAll()} />;
  }
  if (state.load === 'loading' && state.order.length === 0) return <LoadingRows label="Reading the runs" />;
  if (state.order.length === 0) return <RunsEmpty onStart={props.onStart} starting={props.starting} />;
  const older = state.nextCursor !== null;
  return (
    <>
      <RunsFilterBar
        value={props.filter}
        onChange={props.onFilter}
        onLeave={() => props.grid.current?.focus()}
        field={props.filterField}
        counts={counts}
      />
      {rows.length === 0 ? (
        <EmptyState title="No run matches the filter">
          <p className="m-0 text-dim">
            {older ? 'Only the runs read so far were looked at. ' : ''}Words are looked for in the workflow,
            its id and the run id; status:failed names a status.
          </p>
          <div className="flex gap-[8px]">
            <Button chord="escape" onClick={() => props.onFilter('')}>
              Clear the filter
            </Button>
            {older ? <Button onClick={() => void readOlderRuns()}>Read older runs</Button> : null}
          </div>
        </EmptyState>
      ) : (
        <DataGrid
          label="Runs"
          rows={rows}
          rowKey={rowKey}
          columns={RUN_COLUMNS}
          selected={props.selected}
          onSelect={props.onSelect}
          onOpen={props.onOpen}
          onEnd={readOlderRuns}
          handle={props.grid}
        />
      )}
    </>
  );
}

const rowKey = (row: RunRow) => row.runId;

function rowsOf({ order, byId }: RunsState): RunRow[] {
  return order.flatMap((id) => byId.get(id) ?? []);
}

function countByStatus(rows: readonly RunRow[]): ReadonlyMap<RunStatus, number> {
  const counts = new Map<RunStatus, number>();
  for (const row of rows) counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
  return counts;
}
