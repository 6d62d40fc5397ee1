'use client';

import Link from 'next/link';
import type { ReactNode } from 'react';
import { LocalMark } from '@/components/shell/local-mark';
import { Button } from '@/components/ui/button';
import { nextPalette, useSettings } from '@/lib/client/settings-store';

interface TopLineProps {
  /** Where one is: code and name of the screen, then its object. */
  crumbs: readonly ReactNode[];
  onHelp: () => void;
  children?: ReactNode;
}

/** The line at the top: name, place, figures of the screen, settings. */
export function TopLine({ crumbs, onHelp, children }: TopLineProps) {
  return (
    <header className="flex h-bar shrink-0 items-center gap-[12px] overflow-hidden bg-raised pr-[2px] whitespace-nowrap">
      <Link
        href="/"
        className="flex h-full items-center bg-accent px-[10px] font-bold tracking-[0.06em] text-on-fill no-underline focus-visible:outline-text forced-color-adjust-none"
      >
        OPENCONDUCTOR
      </Link>
      <nav aria-label="Place" className="flex items-center gap-[8px]">
        {crumbs.map((crumb, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the position is the identity of a crumb
          <span key={at} className={at === 0 ? 'font-bold text-text' : 'text-dim'}>
            {at > 0 ? '› ' : ''}
            {crumb}
          </span>
        ))}
      </nav>
      <div className="flex min-w-0 flex-1 items-center justify-end gap-[16px] overflow-hidden">
        {children}
      </div>
      <LocalMark />
      <Link href="/admin" className="text-dim no-underline hover:text-text">
        Admin
      </Link>
      <PaletteSwitch />
      <Button kind="bare" chord="?" onClick={onHelp}>
        Keys
      </Button>
    </header>
  );
}

function PaletteSwitch() {
  const palette = useSettings((state) => state.palette);
  return (
    <Button
      kind="bare"
      chord="p"
      aria-pressed={palette === 'colour-blind'}
      aria-label="Colour-blind palette"
      onClick={() => useSettings.setState({ palette: nextPalette(palette) })}
    >
      {palette === 'standard' ? 'Palette: standard' : 'Palette: colour-blind'}
    </Button>
  );
}
