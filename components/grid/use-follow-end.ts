'use client';

import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

/** Pixels from the end within which the reader counts as being at the end. */
const NEAR_PX = 30;

/**
 * Follows the end of a growing list while the reader is there; when the reader has scrolled away the list
 * stands still and what has come in since is counted instead.
 */
export function useFollowEnd(scroller: RefObject<HTMLElement | null>, count: number, enabled: boolean) {
  /** Length of the list when the reader left the end; null while at the end. */
  const [left, setLeft] = useState<number | null>(null);
  const length = useRef(count);

  useEffect(() => {
    const element = scroller.current;
    if (!element || !enabled) return;
    const onScroll = () => {
      const near = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
      setLeft((known) => (near ? null : (known ?? length.current)));
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, [scroller, enabled]);

  const goToEnd = useCallback(() => {
    const element = scroller.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, [scroller]);

  useLayoutEffect(() => {
    length.current = count;
    if (enabled && left === null) goToEnd();
  }, [count, enabled, left, goToEnd]);

  return { count: enabled && left !== null ? Math.max(0, count - left) : 0, goToEnd };
}
