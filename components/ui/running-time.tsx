'use client';

import { useContext } from 'react';
import { Paused } from '@/components/ui/paused';
import { useHeld } from '@/components/ui/use-held';
import { useNow } from '@/components/ui/use-now';
import { duration } from '@/lib/client/format';

interface RunningTimeProps {
  /** Start, ISO 8601. */
  since: string | null;
  /** Length when it is over, milliseconds. */
  ms: number | null;
  /** True while it runs: the time then counts up once a second. */
  open: boolean;
}

/** How long something took, or has been taking. */
export function RunningTime({ since, ms, open }: RunningTimeProps) {
  if (ms !== null) return <>{duration(ms)}</>;
  if (!open || since === null) return <span className="text-dim">—</span>;
  return <Counting since={since} />;
}

function Counting({ since }: { since: string }) {
  const now = useHeld(useNow(1_000), useContext(Paused));
  // Whole seconds only: a figure that is renewed once a second must not claim to be finer.
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1_000));
  return <span className="text-active">{seconds < 60 ? `${seconds} s` : duration(seconds * 1_000)}</span>;
}
