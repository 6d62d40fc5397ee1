'use client';

import { useNow } from '@/components/ui/use-now';
import { useConnection } from '@/lib/client/connection-store';
import { age } from '@/lib/client/format';

const WORDS = { live: 'LIVE', connecting: 'WAIT', stale: 'STALE', offline: 'STALE' } as const;

const MEANING = {
  LIVE: 'Live: every event is shown as it happens',
  WAIT: 'Connecting',
  STALE: 'Not live: what is shown may be out of date',
  PAUSED: 'Paused: the display stands still, events are still kept',
} as const;

interface LivenessProps {
  paused: boolean;
  /** Milliseconds since 1970, or null when nothing has arrived yet. */
  changedAt: number | null;
  /** True when the data could not be read. */
  broken: boolean;
}

/** `LIVE · 4 s`: whether a panel can be trusted, and how old its newest change is. */
export function Liveness({ paused, changedAt, broken }: LivenessProps) {
  const now = useNow(1_000);
  const phase = useConnection((state) => state.phase);
  const state = paused ? 'PAUSED' : broken ? 'STALE' : WORDS[phase];
  const tone = state === 'LIVE' ? 'text-ok' : state === 'WAIT' ? 'text-dim' : 'text-warn';
  const since = changedAt === null || now === 0 ? '—' : age(now - changedAt);
  return (
    <span
      className="flex min-w-[13ch] items-center justify-end gap-[6px] px-[6px]"
      title={`${MEANING[state]}. Last event: ${since}.`}
    >
      <span className={`${tone} ${state === 'WAIT' ? 'oc-wait' : ''}`}>{state}</span>
      <span className="text-dim">· {since}</span>
    </span>
  );
}
