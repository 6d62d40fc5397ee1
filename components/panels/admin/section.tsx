'use client';

import type { FormEvent, ReactNode } from 'react';
import { Button } from '@/components/ui/button';
import { Glyph } from '@/components/ui/glyph';
import type { AppError } from '@/lib/protocol/errors';

/** What went wrong, above the rows that are still there. */
export function Fault({ error }: { error: AppError | null }) {
  if (error === null) return null;
  return (
    <p
      role="alert"
      className="m-0 flex items-center gap-[6px] border-b border-border px-[8px] py-[4px] text-danger"
    >
      <Glyph name="cross" /> {error.message} <span className="text-dim">{error.entry.next}</span>
    </p>
  );
}

interface BarProps {
  /** What the fields together make; the name of the form. */
  label: string;
  action: string;
  onSend: () => void;
  children: ReactNode;
}

/** A line of fields with one button: add one of these. */
export function AddBar({ label, action, onSend, children }: BarProps) {
  const send = (event: FormEvent) => {
    event.preventDefault();
    onSend();
  };
  return (
    <form
      aria-label={label}
      onSubmit={send}
      className="flex shrink-0 flex-wrap items-end gap-[8px] border-b border-border p-[8px]"
    >
      {children}
      <Button kind="filled" type="submit">
        {action}
      </Button>
    </form>
  );
}

/** Moment as the tables show it: UTC, to the second. */
export function moment(iso: string | null): string {
  return iso === null ? '—' : iso.slice(0, 19).replace('T', ' ');
}
