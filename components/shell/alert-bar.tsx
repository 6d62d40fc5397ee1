'use client';

import { Button } from '@/components/ui/button';
import { Glyph } from '@/components/ui/glyph';
import { useNow } from '@/components/ui/use-now';
import { useConnection } from '@/lib/client/connection-store';
import { age } from '@/lib/client/format';
import type { AppError } from '@/lib/protocol/errors';

/** A cut shorter than this is not worth a bar, milliseconds. */
const PATIENCE_MS = 1_500;

/** An error of something the reader asked for: code, what happened, what to do now. */
export function AlertBar({ error, onDismiss }: { error: AppError; onDismiss: () => void }) {
  return (
    <div
      role="alert"
      className="flex min-h-bar shrink-0 items-center gap-[8px] border-b border-danger bg-bg px-[8px] text-danger"
    >
      <Glyph name="cross" />
      <span className="font-bold">{error.code}</span>
      <span className="text-text">{error.message}</span>
      <span className="flex-1 text-dim">{error.entry.next}</span>
      <Button kind="bare" onClick={onDismiss}>
        Dismiss
      </Button>
    </div>
  );
}

/** Says that what is shown may be old, while the page is cut off. */
export function ConnectionBar() {
  const { phase, reason, lostAt } = useConnection();
  const now = useNow(1_000);
  if (phase === 'live' || phase === 'connecting' || lostAt === null || now - lostAt < PATIENCE_MS)
    return null;
  return (
    <div className="flex h-bar shrink-0 items-center gap-[8px] overflow-hidden border-b border-warn bg-bg px-[8px] whitespace-nowrap text-warn">
      <Glyph name="triangle" />
      <span className="font-bold">{phase === 'offline' ? 'DISCONNECTED' : 'STALE'}</span>
      <span className="text-text">
        What is shown is {age(now - lostAt)} old. Runs go on without this page.
      </span>
      <span className="text-dim">{reason} Trying again by itself; F5 tries now.</span>
    </div>
  );
}
