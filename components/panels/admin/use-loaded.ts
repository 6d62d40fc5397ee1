'use client';

import { useCallback, useEffect, useRef, useState } from 'react';
import { type AppError, toAppError } from '@/lib/protocol/errors';

/** Data of a panel, read when it opens and after every change. */
export function useLoaded<T>(read: () => Promise<T>) {
  const [data, setData] = useState<T | null>(null);
  const [error, setError] = useState<AppError | null>(null);
  const reading = useRef(read);
  reading.current = read;
  const reload = useCallback(async () => {
    try {
      setData(await reading.current());
      setError(null);
    } catch (cause) {
      setError(toAppError(cause));
    }
  }, []);
  useEffect(() => void reload(), [reload]);
  /** Carries a change out, then reads again; what it throws is shown. */
  const change = useCallback(
    async (work: () => Promise<unknown>): Promise<boolean> => {
      try {
        await work();
        await reload();
        return true;
      } catch (cause) {
        setError(toAppError(cause));
        return false;
      }
    },
    [reload],
  );
  return { data, error, reload, change };
}
