'use client';

import { useEffect, useRef } from 'react';
import { Glyph } from '@/components/ui/glyph';
import { useNow } from '@/components/ui/use-now';
import { type ConnectionState, useConnection } from '@/lib/client/connection-store';
import { age, clockTime } from '@/lib/client/format';

/** How long a notice stays, milliseconds. */
const NOTICE_MS = 6_000;

/** The line at the bottom: place of the command bar, notices, and `LIVE · 12 ms · 14:23:45.123 UTC`. */
export function StatusLine({ hints }: { hints: readonly (readonly [string, string])[] }) {
  return (
    <footer className="flex h-bar shrink-0 items-center gap-[12px] overflow-hidden bg-raised px-[8px] whitespace-nowrap">
      <span aria-hidden="true" className="font-bold text-accent">
        &gt;
      </span>
      <span
        aria-hidden="true"
        className="flex min-w-0 flex-1 items-center gap-[14px] overflow-hidden text-dim"
      >
        {hints.map(([key, label]) => (
          <span key={key}>
            <span className="text-text">{key}</span> {label}
          </span>
        ))}
      </span>
      <Notice />
      <Connection />
      <UtcClock />
    </footer>
  );
}

function Notice() {
  const notice = useConnection((state) => state.notice);
  const now = useNow(1_000);
  if (notice === null || now - notice.at > NOTICE_MS) return null;
  return <span className="text-accent">{notice.text}</span>;
}

const WORDS = {
  live: { code: 'LIVE', glyph: 'play', tone: 'text-ok' },
  connecting: { code: 'CONNECTING', glyph: 'ring', tone: 'text-dim' },
  stale: { code: 'STALE', glyph: 'triangle', tone: 'text-warn' },
  offline: { code: 'OFFLINE', glyph: 'cross', tone: 'text-danger' },
} as const;

function detail(state: ConnectionState, now: number): string {
  if (state.phase === 'live') return state.latencyMs === null ? '' : `${Math.round(state.latencyMs)} ms`;
  if (state.phase === 'connecting' || state.lostAt === null || now === 0) return '';
  return `${age(now - state.lostAt)} · trying again`;
}

function Connection() {
  const state = useConnection();
  const now = useNow(1_000);
  const word = WORDS[state.phase];
  const more = detail(state, now);
  return (
    // biome-ignore lint/a11y/useSemanticElements: it groups no form fields
    <span
      role="group"
      aria-label="Connection"
      title={state.reason ?? 'Every event arrives as it happens.'}
      className="flex items-center gap-[6px]"
    >
      <span className={`flex items-center gap-[6px] ${word.tone}`}>
        <Glyph name={word.glyph} />
        {word.code}
      </span>
      {more === '' ? null : <span className="text-dim">· {more}</span>}
    </span>
  );
}

/** The time, written straight into the document: ten times a second is no reason to draw anything else. */
function UtcClock() {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const calm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    const write = () => {
      const time = clockTime(Date.now());
      if (place.current) place.current.textContent = `· ${calm ? time.slice(0, 8) : time} UTC`;
    };
    write();
    const timer = setInterval(write, calm ? 1_000 : 97);
    return () => clearInterval(timer);
  }, []);
  return (
    <span ref={place} aria-hidden="true" className="min-w-[18ch] text-text">
      · --:--:--.--- UTC
    </span>
  );
}
