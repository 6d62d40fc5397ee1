'use client';

import { useEffect, useRef } from 'react';
import { Button } from '@/components/ui/button';
import { Kbd } from '@/components/ui/kbd';
import { StatusBadge } from '@/components/ui/status-badge';
import { useSettings } from '@/lib/client/settings-store';
import { GRID_KEYS, SHORTCUTS } from '@/lib/keyboard/shortcuts';
import { RUN_LOOKS } from '@/lib/theme/status';

interface HelpSheetProps {
  open: boolean;
  onClose: () => void;
}

/** The keys and signs of this screen, made from the same data that the listeners use. */
export function HelpSheet({ open, onClose }: HelpSheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (open && !element.open) element.showModal();
    if (!open && element.open) element.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      aria-label="Keys and signs"
      onClose={onClose}
      className="m-auto max-h-[90vh] w-[min(920px,94vw)] overflow-auto border border-accent bg-panel p-0 text-text backdrop:bg-bg/70"
    >
      <header className="sticky top-0 flex h-bar items-center justify-between border-b border-border bg-raised pl-[8px]">
        <h2 className="m-0 text-base font-bold">
          <span className="text-accent">HELP</span> Keys and signs
        </h2>
        <Button kind="bare" chord="escape" onClick={onClose}>
          Close
        </Button>
      </header>
      <div className="grid grid-cols-1 gap-x-[32px] gap-y-[16px] p-[16px] md:grid-cols-2">
        <Keys title="This screen" rows={SHORTCUTS.filter((entry) => entry.group === 'screen')} />
        <div className="flex flex-col gap-[16px]">
          <Keys title="Grids" rows={GRID_KEYS} />
          <Keys title="The run that is shown" rows={SHORTCUTS.filter((entry) => entry.group === 'run')} />
        </div>
        <section className="md:col-span-2">
          <h3 className="m-0 mb-[4px] text-base font-bold text-dim">Signs</h3>
          <ul className="m-0 grid list-none grid-cols-2 gap-x-[16px] p-0 md:grid-cols-4">
            {Object.values(RUN_LOOKS).map((look) => (
              <li key={look.code} className="flex h-row items-center gap-[8px]">
                <StatusBadge look={look} /> <span className="text-dim">{look.label}</span>
              </li>
            ))}
          </ul>
        </section>
        <SingleKeys />
      </div>
    </dialog>
  );
}

function Keys({
  title,
  rows,
}: {
  title: string;
  rows: readonly { keys: readonly string[]; label: string }[];
}) {
  return (
    <section>
      <h3 className="m-0 mb-[4px] text-base font-bold text-dim">{title}</h3>
      <dl className="m-0">
        {rows.map((row) => (
          <div
            key={row.label}
            className="flex h-row items-center justify-between gap-[12px] border-b border-rule"
          >
            <dt>{row.label}</dt>
            <dd className="m-0 flex gap-[4px]">
              {row.keys.map((key) => (
                <Kbd key={key} chord={key} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function SingleKeys() {
  const on = useSettings((state) => state.singleKeys);
  return (
    <label className="flex h-row cursor-pointer items-center gap-[8px] md:col-span-2">
      <input
        type="checkbox"
        checked={on}
        onChange={(event) => useSettings.setState({ singleKeys: event.target.checked })}
        className="size-[14px] accent-accent"
      />
      Keys of one character work on their own
      <span className="text-dim">(arrows, Enter, Esc, F5 and Ctrl keys always do)</span>
    </label>
  );
}
