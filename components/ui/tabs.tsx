'use client';

import { type KeyboardEvent, useId, useRef } from 'react';

interface Tab<Id extends string> {
  id: Id;
  label: string;
  /** The key that chooses this tab. */
  chord: string;
  count?: number;
}

interface TabsProps<Id extends string> {
  label: string;
  tabs: readonly Tab<Id>[];
  value: Id;
  onChange: (id: Id) => void;
  /** Id of the element that the tabs control. */
  panelId: string;
}

/** A row of tabs (ARIA tabs pattern): one tab stop, arrows choose. */
export function Tabs<Id extends string>({ label, tabs, value, onChange, panelId }: TabsProps<Id>) {
  const base = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.id === value);
    const next = tabs[(at + step + tabs.length) % tabs.length];
    if (!next) return;
    onChange(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <div
      ref={list}
      role="tablist"
      aria-label={label}
      className="flex h-row shrink-0 border-b border-border bg-bg"
    >
      {tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          id={`${base}-${tab.id}`}
          data-tab={tab.id}
          aria-selected={tab.id === value}
          aria-controls={panelId}
          aria-keyshortcuts={tab.chord}
          tabIndex={tab.id === value ? 0 : -1}
          onClick={() => onChange(tab.id)}
          onKeyDown={move}
          className="flex cursor-pointer items-center gap-[6px] border-b-2 border-transparent px-[10px] text-dim hover:text-text aria-selected:border-accent aria-selected:text-text"
        >
          {tab.label}
          {tab.count === undefined ? null : (
            <span className="text-dim">{tab.count.toLocaleString('en-GB')}</span>
          )}
          <span
            aria-hidden="true"
            className="border border-border px-[4px] text-[11px] leading-[14px] text-dim"
          >
            {tab.chord}
          </span>
        </button>
      ))}
    </div>
  );
}
