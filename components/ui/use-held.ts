'use client';

import { useRef } from 'react';

/** The value, standing still while `held`: a paused panel shows what it showed, though data goes on coming in. */
export function useHeld<T>(value: T, held: boolean): T {
  const last = useRef(value);
  if (!held) last.current = value;
  return last.current;
}
