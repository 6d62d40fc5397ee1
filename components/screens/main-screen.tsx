'use client';

import { useRouter } from 'next/navigation';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { GridHandle } from '@/components/grid/data-grid';
import { RunPanel, type RunTab } from '@/components/panels/run/run-panel';
import { RunsPanel } from '@/components/panels/runs/runs-panel';
import { useUrlState } from '@/components/screens/url-state';
import { useOpenRun } from '@/components/screens/use-open-run';
import { useShortcuts } from '@/components/screens/use-shortcuts';
import { useStarter } from '@/components/screens/use-starter';
import { AlertBar, ConnectionBar } from '@/components/shell/alert-bar';
import { Figures } from '@/components/shell/figures';
import { HelpSheet } from '@/components/shell/help-sheet';
import { Split } from '@/components/shell/split';
import { StatusLine } from '@/components/shell/status-line';
import { TopLine } from '@/components/shell/top-line';
import { EmptyState } from '@/components/ui/empty-state';
import { copyText } from '@/lib/client/clipboard';
import { shortId } from '@/lib/client/format';
import { focusedPanel } from '@/lib/client/hotkeys';
import { openRun, refreshAll } from '@/lib/client/live';
import { useRun } from '@/lib/client/run-store';
import { useRuns } from '@/lib/client/runs-store';

const HINTS = [
  ['j k', 'move'],
  ['Enter', 'open'],
  ['Esc', 'back'],
  ['/', 'filter'],
  ['s', 'sort'],
  ['t e d', 'steps, events, data'],
  ['Space', 'pause'],
  ['m', 'maximise'],
  ['?', 'all keys'],
] as const;

/** The first screen: the runs, and one run's steps as they happen. */
export function MainScreen() {
  const router = useRouter();
  const [filter, setFilter] = useUrlState('q');
  const [selected, setSelected] = useUrlState('run');
  const [tab, setTab] = useState<RunTab>('steps');
  const [paused, setPaused] = useState({ runs: false, run: false });
  const [help, setHelp] = useState(false);
  const runsGrid = useRef<GridHandle>(null);
  const runGrid = useRef<GridHandle>(null);
  const field = useRef<HTMLInputElement>(null);

  const select = useCallback(
    (runId: string) => {
      setSelected(runId);
      setPaused((state) => (state.run ? { ...state, run: false } : state));
    },
    [setSelected],
  );
  const started = useCallback(
    (runId: string) => {
      setFilter('');
      setTab('steps');
      select(runId);
    },
    [select, setFilter],
  );
  const starter = useStarter(started);
  useOpenRun(selected === '' ? null : selected);
  useFirstRun(selected, select);

  const toRuns = () => focusPart('runs', runsGrid.current);
  const toRun = () => focusPart('run', runGrid.current);
  const toggle = (panel: 'runs' | 'run') => setPaused((state) => ({ ...state, [panel]: !state[panel] }));
  const cycle = () => (focusedPanel() === 'runs' ? toRun() : toRuns());

  useShortcuts({
    help: () => setHelp(true),
    filter: () => {
      // A second Ctrl+F is the browser's own search.
      if (field.current === null || document.activeElement === field.current) return false;
      field.current.focus();
      field.current.select();
      return true;
    },
    refresh: () => void refreshAll(),
    back: () => {
      if (help) return false;
      const panel = focusedPanel();
      if (panel === 'run') toRuns();
      else if (filter !== '') setFilter('');
      else toRuns();
      return true;
    },
    'panel-1': toRuns,
    'panel-2': toRun,
    'next-panel': cycle,
    'previous-panel': cycle,
    'start-starter': () => void starter.start(),
    pause: () => toggle(focusedPanel() === 'run' ? 'run' : 'runs'),
    maximise: () => {
      if (selected !== '') router.push(`/runs/${encodeURIComponent(selected)}`);
    },
    steps: () => setTab('steps'),
    events: () => setTab('events'),
    data: () => setTab('data'),
    'copy-id': () => copyText(selected, 'Run id'),
  });

  return (
    <div className="flex h-full flex-col bg-bg">
      <h1 className="sr-only">OpenConductor: runs</h1>
      <TopLine
        crumbs={['RUNS', ...(selected === '' ? [] : [shortId(selected)])]}
        onHelp={() => setHelp(true)}
      >
        <Figures />
      </TopLine>
      {starter.error === null ? null : <AlertBar error={starter.error} onDismiss={starter.dismiss} />}
      <ConnectionBar />
      <main className="flex min-h-0 flex-1 flex-col">
        <Split
          first={
            <RunsPanel
              filter={filter}
              onFilter={setFilter}
              filterField={field}
              selected={selected === '' ? null : selected}
              onSelect={select}
              onOpen={(runId) => {
                select(runId);
                // At once: right after an arrow the panel would still show the run before, and its steps take the focus.
                openRun(runId);
                if (useRun.getState().detail !== null) toRun();
                // The panel hands the focus to the grid that comes.
                else focusPart('run', null);
              }}
              onStart={() => void starter.start()}
              starting={starter.starting}
              paused={paused.runs}
              onPause={() => toggle('runs')}
              grid={runsGrid}
            />
          }
          second={
            <RunPanel
              tab={tab}
              onTab={setTab}
              paused={paused.run}
              onPause={() => toggle('run')}
              grid={runGrid}
              full={false}
              empty={<NoRun />}
            />
          }
        />
      </main>
      <StatusLine hints={HINTS} />
      <HelpSheet open={help} onClose={() => setHelp(false)} />
    </div>
  );
}

function NoRun() {
  return (
    <EmptyState title="No run chosen">
      <p className="m-0 text-dim">Choose a run in the list: its steps, events and data appear here, live.</p>
    </EmptyState>
  );
}

/** Shows the newest run when the address names none, once. */
function useFirstRun(selected: string, select: (runId: string) => void): void {
  const done = useRef(false);
  const newest = useRuns((state) => (state.load === 'ready' ? (state.order[0] ?? null) : null));
  useEffect(() => {
    if (done.current || newest === null) return;
    done.current = true;
    if (selected === '' && !new URLSearchParams(window.location.search).has('run')) select(newest);
  }, [newest, selected, select]);
}

/** Gives a panel the focus: its grid when there is one, else the panel itself. */
function focusPart(panel: string, grid: GridHandle | null): void {
  if (grid) grid.focus();
  else document.querySelector<HTMLElement>(`[data-panel="${panel}"]`)?.focus();
}
