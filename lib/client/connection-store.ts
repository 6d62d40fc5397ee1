import { create } from 'zustand';
import type { LivePhase } from '@/lib/client/live-connection';

export interface ConnectionState {
  phase: LivePhase;
  /** What is wrong, as a sentence; null while live. */
  reason: string | null;
  /** When the phase last left `live`, milliseconds since 1970; null while live. */
  lostAt: number | null;
  /** Last measured round trip of the live stream, milliseconds. */
  latencyMs: number | null;
  /** When the last event arrived, milliseconds since 1970. */
  lastEventAt: number | null;
  /** Events received since the page was opened. */
  events: number;
  /** A line that tells what the last reconnect or refresh did; it fades by itself. */
  notice: { text: string; at: number } | null;
}

/** State of the live stream, for the status line and the panels' title bars. */
export const useConnection = create<ConnectionState>(() => ({
  phase: 'connecting',
  reason: null,
  lostAt: null,
  latencyMs: null,
  lastEventAt: null,
  events: 0,
  notice: null,
}));

/** Shows a line in the status bar. */
export function notify(text: string): void {
  useConnection.setState({ notice: { text, at: Date.now() } });
}
