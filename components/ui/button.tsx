import type { ButtonHTMLAttributes, ReactNode } from 'react';
import { chordLabel } from '@/lib/keyboard/matcher';

interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'className'> {
  /** `filled`: the one thing to do next. `plain`: an edge. `bare`: text only, for title bars. */
  kind?: 'filled' | 'plain' | 'bare';
  /** The key that does the same; it is printed on the button. */
  chord?: string;
  children: ReactNode;
}

const KINDS = {
  filled:
    'forced-color-adjust-none border border-accent bg-accent text-on-fill px-[10px] font-bold hover:bg-text hover:border-text',
  plain: 'border border-border px-[8px] text-text hover:border-accent hover:text-accent',
  bare: 'px-[6px] text-dim hover:text-text aria-pressed:text-accent',
} as const;

/** A button, 24 px high. */
export function Button({ kind = 'plain', chord, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-keyshortcuts={chord?.replace('escape', 'Escape')}
      className={`inline-flex h-row shrink-0 cursor-pointer items-center gap-[6px] whitespace-nowrap focus-visible:outline-offset-1 disabled:cursor-default disabled:opacity-60 ${KINDS[kind]}`}
    >
      {children}
      {chord === undefined ? null : (
        <span
          aria-hidden="true"
          className={`px-[4px] text-[11px] leading-[14px] font-normal ${kind === 'filled' ? 'bg-bg text-accent' : 'border border-border text-dim'}`}
        >
          {chordLabel(chord)}
        </span>
      )}
    </button>
  );
}
