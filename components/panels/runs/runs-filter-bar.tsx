'use client';

import type { Ref } from 'react';
import { parseFilter, withStatus } from '@/components/panels/runs/runs-filter';
import { Glyph } from '@/components/ui/glyph';
import { Kbd } from '@/components/ui/kbd';
import { TEXT_TONE } from '@/components/ui/tones';
import type { RunStatus } from '@/lib/protocol/run';
import { RUN_LOOKS } from '@/lib/theme/status';

/** Statuses that have a button of their own; the others are reached by `status:…`. */
const QUICK: readonly RunStatus[] = ['running', 'completed', 'failed', 'paused', 'cancelled'];

interface RunsFilterBarProps {
  value: string;
  onChange: (text: string) => void;
  /** Esc, Enter or an arrow leads from the field to the rows. */
  onLeave: () => void;
  field: Ref<HTMLInputElement>;
  /** How many rows have each status. */
  counts: ReadonlyMap<RunStatus, number>;
}

/** The filter line of the runs: text, and a button for each common status. */
export function RunsFilterBar({ value, onChange, onLeave, field, counts }: RunsFilterBarProps) {
  const { status } = parseFilter(value);
  return (
    <div className="flex h-[28px] shrink-0 items-center gap-[8px] overflow-hidden border-b border-border bg-panel px-[8px]">
      <Kbd chord="/" />
      <input
        ref={field}
        type="search"
        aria-label="Filter runs"
        placeholder="workflow, id, status:failed"
        value={value}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' && event.key !== 'ArrowDown') return;
          event.preventDefault();
          onLeave();
        }}
        className="h-[22px] min-w-[12ch] flex-1 border border-border bg-bg px-[6px] font-mono text-base text-text placeholder:text-dim focus:border-accent [&::-webkit-search-cancel-button]:hidden"
      />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be a flex row in every browser */}
      <div role="group" aria-label="Status" className="flex items-center gap-[2px]">
        {QUICK.map((name) => {
          const look = RUN_LOOKS[name];
          const on = status === name;
          return (
            <button
              key={name}
              type="button"
              aria-pressed={on}
              aria-label={`${look.label}: ${counts.get(name) ?? 0}`}
              onClick={() => onChange(withStatus(value, on ? null : name))}
              className="flex h-row cursor-pointer items-center gap-[5px] border border-transparent px-[6px] text-dim hover:text-text aria-pressed:border-accent aria-pressed:text-text"
            >
              <Glyph name={look.glyph} className={TEXT_TONE[look.token]} />
              {look.code}
              <span>{(counts.get(name) ?? 0).toLocaleString('en-GB')}</span>
            </button>
          );
        })}
      </div>
    </div>
  );
}
