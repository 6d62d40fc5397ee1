'use client';

import { useEffect, useRef, useState } from 'react';

/** Length of a flash and the least time between two in one cell, milliseconds (WCAG 2.3.1). */
const FLASH_MS = 300;
const GAP_MS = 1_000;

/** True for a moment after `value` has changed, at most once a second; never on first sight. */
export function useFlash(value: string): boolean {
  const [on, setOn] = useState(false);
  const seen = useRef({ value, at: 0 });
  useEffect(() => {
    if (seen.current.value === value) return;
    const now = Date.now();
    const allowed = now - seen.current.at >= GAP_MS;
    seen.current = { value, at: allowed ? now : seen.current.at };
    if (!allowed) return;
    setOn(true);
    const timer = setTimeout(() => setOn(false), FLASH_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return on;
}
