'use client';

import type { ReactNode } from 'react';
import { progress } from '@/components/panels/run/steps';
import { RunningTime } from '@/components/ui/running-time';
import { StatusBadge } from '@/components/ui/status-badge';
import { rowTime } from '@/lib/client/format';
import type { RunDetail } from '@/lib/protocol/run';
import { isOpenRun, RUN_LOOKS } from '@/lib/theme/status';

/** The facts of a run in two lines: status, workflow, length, progress; ids, times; and why it failed. */
export function RunHeader({ run }: { run: RunDetail }) {
  const { done, total } = progress(run.nodes);
  return (
    <div className="flex shrink-0 flex-col border-b border-border bg-panel px-[1ch] py-[4px]">
      <dl className="m-0 flex flex-wrap items-center gap-x-[20px]">
        <Fact name="STATUS">
          <StatusBadge look={RUN_LOOKS[run.status]} />
        </Fact>
        <Fact name="WORKFLOW">
          <span className="font-bold">{run.workflow}</span> <span className="text-dim">v{run.version}</span>
        </Fact>
        <Fact name="DURATION">
          <RunningTime since={run.createdAt} ms={run.durationMs} open={isOpenRun(run.status)} />
        </Fact>
        <Fact name="STEPS">
          {done}/{total}
        </Fact>
        <Fact name="EVENTS">{run.historyLength.toLocaleString('en-GB')}</Fact>
      </dl>
      <dl className="m-0 flex flex-wrap items-center gap-x-[20px]">
        <Fact name="RUN">{run.runId}</Fact>
        <Fact name="ID">{run.workflowId}</Fact>
        <Fact name="STARTED">
          <span title={`${run.createdAt} – ${run.closedAt ?? 'open'}`}>
            {rowTime(run.createdAt, Date.now())}
          </span>
        </Fact>
      </dl>
      {run.failure === null ? null : (
        <p className="m-0 py-[4px] text-danger">
          <span className="font-bold">{run.failure.code}</span>
          {run.failure.nodePath === undefined ? '' : ` at ${run.failure.nodePath}`}: {run.failure.message}
        </p>
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex h-[20px] min-w-0 items-center gap-[6px]">
      <dt className="text-[11px] text-dim">{name}</dt>
      <dd className="m-0 overflow-hidden text-ellipsis whitespace-nowrap">{children}</dd>
    </div>
  );
}
