'use client';

import { type InputHTMLAttributes, useId } from 'react';

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'className' | 'onChange' | 'id'> {
  label: string;
  /** What to know before typing. */
  hint?: string;
  onText: (text: string) => void;
}

/** A text field with its label above it. */
export function Field({ label, hint, onText, ...rest }: FieldProps) {
  const id = useId();
  return (
    <div className="flex min-w-0 flex-col gap-[2px]">
      <label htmlFor={id} className="text-dim">
        {label}
      </label>
      <input
        {...rest}
        id={id}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={(event) => onText(event.target.value)}
        className="h-row min-w-[18ch] border border-border bg-bg px-[6px] font-mono text-base text-text placeholder:text-dim focus:border-accent"
      />
      {hint === undefined ? null : (
        <span id={`${id}-hint`} className="text-dim">
          {hint}
        </span>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  values: readonly string[];
  /** The label is read out but not shown: inside a table, say. */
  bare?: boolean;
  disabled?: boolean;
  onText: (text: string) => void;
}

/** One of several words. */
export function Choice({ label, value, values, bare = false, disabled = false, onText }: ChoiceProps) {
  const id = useId();
  return (
    <div className="flex flex-col gap-[2px]">
      <label htmlFor={id} className={bare ? 'sr-only' : 'text-dim'}>
        {label}
      </label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        onChange={(event) => onText(event.target.value)}
        className="h-row border border-border bg-bg px-[4px] font-mono text-base text-text focus:border-accent disabled:opacity-60"
      >
        {values.map((one) => (
          <option key={one}>{one}</option>
        ))}
      </select>
    </div>
  );
}
