'use client';

import type { ReactNode, Ref } from 'react';

interface DetailRegionProps {
  label: string;
  element: Ref<HTMLElement>;
  /** Esc leads back to where the detail was opened from; null leaves Esc to the screen. */
  onBack: (() => void) | null;
  children: ReactNode;
}

/** A scrolling region below a grid, reached by Enter or Tab and left by Esc. */
export function DetailRegion({ label, element, onBack, children }: DetailRegionProps) {
  return (
    <section
      ref={element}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
      tabIndex={0}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || onBack === null) return;
        event.preventDefault();
        onBack();
      }}
      className="min-h-0 flex-1 overflow-auto border-t border-border bg-panel"
    >
      {children}
    </section>
  );
}
