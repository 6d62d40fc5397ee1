'use client';

import { useNow } from '@/components/ui/use-now';
import { useConnection } from '@/lib/client/connection-store';
import { age } from '@/lib/client/format';

/** `LIVE · 4 s`: whether a panel can be trusted, and how old its newest change is. */
export function Liveness({ paused, changedAt }: { paused: boolean; changedAt: number | null }) {
  const now = useNow(1_000);
  const phase = useConnection((state) => state.phase);
  const state = paused ? 'PAUSED' : phase === 'live' ? 'LIVE' : phase === 'connecting' ? 'WAIT' : 'STALE';
  const tone = state === 'LIVE' ? 'text-ok' : state === 'WAIT' ? 'text-dim' : 'text-warn';
  const since = changedAt === null || now === 0 ? '—' : age(now - changedAt);
  return (
    <span
      className="flex min-w-[13ch] items-center justify-end gap-[6px] px-[6px]"
      title={`${state === 'LIVE' ? 'Live' : state === 'PAUSED' ? 'Paused: the display stands still, events are still kept' : 'Not live: what is shown may be out of date'}. Last event: ${since}.`}
    >
      <span className={`${tone} ${state === 'WAIT' ? 'oc-wait' : ''}`}>{state}</span>
      <span className="text-dim">· {since}</span>
    </span>
  );
}
