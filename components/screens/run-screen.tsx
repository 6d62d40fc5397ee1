'use client';

import { useRouter } from 'next/navigation';
import { useRef, useState } from 'react';
import type { GridHandle } from '@/components/grid/data-grid';
import { RunPanel, type RunTab } from '@/components/panels/run/run-panel';
import { useOpenRun } from '@/components/screens/use-open-run';
import { useShortcuts } from '@/components/screens/use-shortcuts';
import { ConnectionBar } from '@/components/shell/alert-bar';
import { Figures } from '@/components/shell/figures';
import { HelpSheet } from '@/components/shell/help-sheet';
import { StatusLine } from '@/components/shell/status-line';
import { TopLine } from '@/components/shell/top-line';
import { copyText } from '@/lib/client/clipboard';
import { shortId } from '@/lib/client/format';
import { refreshAll } from '@/lib/client/live';

const HINTS = [
  ['j k', 'move'],
  ['Enter', 'detail'],
  ['Esc', 'back to the runs'],
  ['t e d', 'steps, events, data'],
  ['Space', 'pause'],
  ['?', 'all keys'],
] as const;

/** One run on the whole screen. */
export function RunScreen({ runId }: { runId: string }) {
  const router = useRouter();
  const [tab, setTab] = useState<RunTab>('steps');
  const [paused, setPaused] = useState(false);
  const [help, setHelp] = useState(false);
  const grid = useRef<GridHandle>(null);
  useOpenRun(runId);
  const focus = () => grid.current?.focus();

  useShortcuts({
    help: () => setHelp(true),
    refresh: () => void refreshAll(),
    back: () => {
      if (help) return false;
      router.push(`/?run=${encodeURIComponent(runId)}`);
      return true;
    },
    'panel-1': focus,
    'next-panel': focus,
    'previous-panel': focus,
    pause: () => setPaused((state) => !state),
    steps: () => setTab('steps'),
    events: () => setTab('events'),
    data: () => setTab('data'),
    'copy-id': () => copyText(runId, 'Run id'),
  });

  return (
    <div className="flex h-full flex-col bg-bg">
      <h1 className="sr-only">OpenConductor: run {runId}</h1>
      <TopLine crumbs={['RUN', shortId(runId)]} onHelp={() => setHelp(true)}>
        <Figures />
      </TopLine>
      <ConnectionBar />
      <main className="flex min-h-0 flex-1 flex-col p-[4px]">
        <RunPanel
          tab={tab}
          onTab={setTab}
          paused={paused}
          onPause={() => setPaused((state) => !state)}
          grid={grid}
          full
          empty={null}
        />
      </main>
      <StatusLine hints={HINTS} />
      <HelpSheet open={help} onClose={() => setHelp(false)} />
    </div>
  );
}
