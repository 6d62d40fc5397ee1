'use client';

import { useEffect, useRef } from 'react';
import { openRun } from '@/lib/client/live';
import { createThrottle, type Throttle } from '@/lib/client/throttle';
import { browserTimers } from '@/lib/client/timers';

/** Least time between two opened runs, milliseconds: holding the down key must not read every run it passes. */
const GAP_MS = 180;

/** Keeps the open run the chosen one. */
export function useOpenRun(runId: string | null): void {
  const wanted = useRef(runId);
  const throttle = useRef<Throttle | null>(null);
  useEffect(() => {
    wanted.current = runId;
    throttle.current ??= createThrottle(browserTimers, GAP_MS, () => openRun(wanted.current));
    throttle.current.request();
  }, [runId]);
  useEffect(
    () => () => {
      throttle.current?.stop();
      throttle.current = null;
    },
    [],
  );
}
