'use client';

import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';

/**
 * Keeps the browser's focus on the active cell of a grid while the grid has the focus, although rows come,
 * go, and move in the document. `key` names the active cell; it is looked up by `data-cell`.
 *
 * @returns handlers for the grid's element, and `take`, which gives the grid the focus.
 */
export function useGridFocus(grid: RefObject<HTMLElement | null>, key: string | null) {
  const owns = useRef(false);

  // After every drawing: a virtual row may have been made anew, or moved, and lost the focus with that.
  useLayoutEffect(() => {
    if (!owns.current || key === null) return;
    const cell = grid.current?.querySelector<HTMLElement>(`[data-cell="${CSS.escape(key)}"]`);
    if (cell && document.activeElement !== cell) cell.focus({ preventScroll: true });
  });

  // The focus must not fall to the page when the grid goes (another tab, another run is read): its panel holds
  // it, and the grid that comes next takes it from there.
  useLayoutEffect(() => {
    const panel = grid.current?.closest<HTMLElement>('[data-panel]');
    if (panel && document.activeElement === panel) {
      const first = grid.current?.querySelector<HTMLElement>('[role="gridcell"][tabindex="0"]');
      (first ?? grid.current)?.focus({ preventScroll: true });
    }
    return () => {
      if (owns.current) panel?.focus({ preventScroll: true });
    };
  }, [grid]);

  useEffect(() => {
    // A click elsewhere takes the focus away even when what was clicked cannot hold it.
    const onPointer = (event: PointerEvent) => {
      if (!(event.target instanceof Node) || !grid.current?.contains(event.target)) owns.current = false;
    };
    document.addEventListener('pointerdown', onPointer, true);
    return () => document.removeEventListener('pointerdown', onPointer, true);
  }, [grid]);

  return {
    onFocus: () => {
      owns.current = true;
    },
    onBlur: (event: { relatedTarget: EventTarget | null }) => {
      const to = event.relatedTarget;
      if (to instanceof Node && !grid.current?.contains(to)) owns.current = false;
    },
    take: () => {
      owns.current = true;
    },
  };
}
