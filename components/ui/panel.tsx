'use client';

import type { ReactNode } from 'react';
import { Liveness } from '@/components/ui/liveness';
import { Paused } from '@/components/ui/paused';

interface PanelProps {
  /** Short name for keys and focus, e.g. `runs`. */
  id: string;
  /** Two to four letters, e.g. `RUNS`. */
  code: string;
  name: string;
  /** What the panel is about now: a run id, a filter. */
  object?: ReactNode;
  /** Position in reading order; Ctrl + this number focuses the panel. */
  number: number;
  paused: boolean;
  /** When the data last changed, milliseconds since 1970; null when nothing has arrived yet. */
  changedAt: number | null;
  /** True when the data could not be read: what is shown, if anything, is not the truth. */
  broken: boolean;
  /** Buttons of the title bar. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A panel: title bar with code, name, object and liveness, and a body. The focused one has a bright title. */
export function Panel({
  id,
  code,
  name,
  object,
  number,
  paused,
  changedAt,
  broken,
  actions,
  children,
}: PanelProps) {
  return (
    <section
      data-panel={id}
      aria-label={name}
      tabIndex={-1}
      className="group/panel flex h-full min-h-0 min-w-0 flex-col border border-border bg-panel outline-none focus-within:border-accent"
    >
      <header className="flex h-bar shrink-0 items-stretch gap-[8px] overflow-hidden border-b border-border bg-raised pr-[2px] whitespace-nowrap">
        <span className="flex items-center gap-[6px] bg-border/0 pl-[8px]">
          <span aria-hidden="true" className="text-[11px] text-dim">
            {number}
          </span>
          <span className="bg-raised px-[4px] font-bold text-accent group-focus-within/panel:bg-accent group-focus-within/panel:text-on-fill forced-color-adjust-none">
            {code}
          </span>
        </span>
        <h2 className="m-0 flex items-center text-base font-bold text-text">{name}</h2>
        <span className="flex min-w-0 flex-1 items-center overflow-hidden text-ellipsis text-dim">
          {object}
        </span>
        <span className="flex items-center">{actions}</span>
        <Liveness paused={paused} changedAt={changedAt} broken={broken} />
      </header>
      <div className="flex min-h-0 flex-1 flex-col">
        <Paused value={paused}>{children}</Paused>
      </div>
    </section>
  );
}
