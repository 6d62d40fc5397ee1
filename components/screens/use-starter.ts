'use client';

import { useCallback, useState } from 'react';
import { notify } from '@/lib/client/connection-store';
import { shortId } from '@/lib/client/format';
import { startRun } from '@/lib/client/rest';
import { STARTER_RUN } from '@/lib/client/starter';
import { type AppError, toAppError } from '@/lib/protocol/errors';

/** Starts the starter workflow; one at a time, so that a doubled key press is one run. */
export function useStarter(onStarted: (runId: string) => void) {
  const [starting, setStarting] = useState(false);
  const [error, setError] = useState<AppError | null>(null);
  const start = useCallback(async () => {
    if (starting) return;
    setStarting(true);
    setError(null);
    try {
      const { runId } = await startRun(STARTER_RUN);
      notify(`Run ${shortId(runId)} started`);
      onStarted(runId);
    } catch (cause) {
      setError(toAppError(cause));
    } finally {
      setStarting(false);
    }
  }, [starting, onStarted]);
  return { start, starting, error, dismiss: () => setError(null) };
}
