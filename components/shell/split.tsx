'use client';

import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef } from 'react';
import { useSettings } from '@/lib/client/settings-store';

const LEAST = 25;
const MOST = 75;
const STEP = 2;

/**
 * Two panels side by side with a bar that moves between them, by pointer or by arrow keys; on narrow
 * windows they stand one above the other.
 */
export function Split({ first, second }: { first: ReactNode; second: ReactNode }) {
  const share = useSettings((state) => state.split);
  const box = useRef<HTMLDivElement>(null);
  const set = (value: number) =>
    useSettings.setState({ split: Math.round(Math.max(LEAST, Math.min(MOST, value)) * 10) / 10 });

  const drag = (event: PointerEvent<HTMLElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId) || !box.current) return;
    const area = box.current.getBoundingClientRect();
    set(((event.clientX - area.left) / area.width) * 100);
  };
  const key = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    set(share + by);
  };

  return (
    <div
      ref={box}
      className="grid min-h-0 flex-1 grid-cols-1 grid-rows-2 gap-[4px] p-[4px] lg:grid-cols-[var(--split)] lg:grid-rows-1 lg:gap-0"
      style={{ '--split': `minmax(0, ${share}fr) 6px minmax(0, ${100 - share}fr)` } as React.CSSProperties}
    >
      {first}
      {/* biome-ignore lint/a11y/useSemanticElements: a separator that moves (ARIA window splitter), not a thematic break */}
      <div
        role="separator"
        aria-label="Width of the list of runs"
        aria-orientation="vertical"
        aria-valuenow={Math.round(share)}
        aria-valuemin={LEAST}
        aria-valuemax={MOST}
        tabIndex={0}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={key}
        onDoubleClick={() => set(50)}
        className="hidden cursor-col-resize touch-none hover:bg-border focus-visible:bg-accent lg:block"
      />
      {second}
    </div>
  );
}
