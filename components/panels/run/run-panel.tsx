'use client';

import Link from 'next/link';
import { type ReactNode, type RefObject, useId } from 'react';
import type { GridHandle } from '@/components/grid/data-grid';
import { RunEvents } from '@/components/panels/run/run-events';
import { RunHeader } from '@/components/panels/run/run-header';
import { RunSteps } from '@/components/panels/run/run-steps';
import { Button } from '@/components/ui/button';
import { DetailRegion } from '@/components/ui/detail-region';
import { ErrorState } from '@/components/ui/error-state';
import { JsonView } from '@/components/ui/json-view';
import { LoadingRows } from '@/components/ui/loading-rows';
import { Panel } from '@/components/ui/panel';
import { Tabs } from '@/components/ui/tabs';
import { useHeld } from '@/components/ui/use-held';
import { shortId } from '@/lib/client/format';
import { refreshAll } from '@/lib/client/live';
import { type RunState, useRun } from '@/lib/client/run-store';

export type RunTab = 'steps' | 'events' | 'data';

interface RunPanelProps {
  tab: RunTab;
  onTab: (tab: RunTab) => void;
  paused: boolean;
  onPause: () => void;
  /** The grid of the shown tab. */
  grid: RefObject<GridHandle | null>;
  /** What is shown when no run is open. */
  empty: ReactNode;
  /** True on the run's own page. */
  full: boolean;
}

/** One run, live: header, then steps, events or data. */
export function RunPanel(props: RunPanelProps) {
  const { paused, full, onPause } = props;
  const state = useHeld(useRun(), paused);
  const newest = state.events.at(-1)?.at;
  return (
    <Panel
      id="run"
      code="RUN"
      name="Run detail"
      number={full ? 1 : 2}
      object={state.runId === null ? 'none chosen' : shortId(state.runId)}
      paused={paused}
      changedAt={newest === undefined ? null : Date.parse(newest)}
      broken={state.error !== null}
      actions={
        state.runId === null ? null : (
          <>
            {full ? null : (
              <Link
                href={`/runs/${encodeURIComponent(state.runId)}`}
                aria-keyshortcuts="m"
                className="flex h-row items-center gap-[6px] px-[6px] text-dim no-underline hover:text-text"
              >
                Maximise
                <span aria-hidden="true" className="border border-border px-[4px] text-[11px] leading-[14px]">
                  m
                </span>
              </Link>
            )}
            <Button kind="bare" chord="space" aria-pressed={paused} onClick={onPause}>
              {paused ? 'Resume' : 'Pause'}
            </Button>
          </>
        )
      }
    >
      <RunBody {...props} state={state} />
    </Panel>
  );
}

function RunBody({ state, tab, onTab, grid, empty }: RunPanelProps & { state: RunState }) {
  const bodyId = useId();
  const { detail } = state;
  if (state.runId === null) return <>{empty}</>;
  if (detail === null) {
    if (state.load !== 'error' || state.error === null) return <LoadingRows label="Reading the run" />;
    return <ErrorState error={state.error} onRetry={() => void refreshAll()} />;
  }
  return (
    <>
      <RunHeader run={detail} />
      <Tabs
        label="Parts of the run"
        value={tab}
        onChange={onTab}
        panelId={bodyId}
        tabs={[
          { id: 'steps', label: 'STEPS', chord: 't', count: detail.nodes.length },
          { id: 'events', label: 'EVENTS', chord: 'e', count: detail.historyLength },
          { id: 'data', label: 'INPUT / RESULT', chord: 'd' },
        ]}
      />
      <div id={bodyId} role="tabpanel" aria-label={tab} className="flex min-h-0 flex-1 flex-col">
        {tab === 'steps' ? <RunSteps key={detail.runId} run={detail} grid={grid} /> : null}
        {tab === 'events' ? (
          <RunEvents key={detail.runId} events={state.events} load={state.eventsLoad} grid={grid} />
        ) : null}
        {tab === 'data' ? <RunData state={state} grid={grid} /> : null}
      </div>
    </>
  );
}

function RunData({ state, grid }: { state: RunState; grid: RefObject<GridHandle | null> }) {
  const { detail } = state;
  if (detail === null) return null;
  return (
    <DetailRegion
      label="Input and result"
      element={(element) => {
        grid.current = element === null ? null : { focus: () => element.focus() };
      }}
      onBack={null}
    >
      <div className="flex flex-col gap-[8px] p-[1ch]">
        {detail.failure === null ? null : <JsonView label="Failure" value={detail.failure} />}
        <JsonView label="Input" value={detail.input} />
        <JsonView label="Result" value={detail.output} />
      </div>
    </DetailRegion>
  );
}
