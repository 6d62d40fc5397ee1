import { plural } from '@/lib/client/format';
import type { RunsDelta } from '@/lib/client/runs-store';
import type { Timers } from '@/lib/client/timers';

/** Least time between two announcements, milliseconds. */
const ANNOUNCE_GAP_MS = 5_000;

export interface Announcer {
  /** Adds to the running count of what happened. */
  count(delta: Pick<RunsDelta, 'started' | 'completed' | 'failed'>): void;
  /** Says a sentence of its own; the newest one wins. */
  say(text: string): void;
}

/**
 * Sums up what happened into at most one message in five seconds, for one polite live region: a screen
 * reader that is told about every event is of no use.
 */
export function createAnnouncer(timers: Timers, speak: (text: string) => void): Announcer {
  let sums = { started: 0, completed: 0, failed: 0 };
  let sentence: string | null = null;
  let quietUntil = Number.NEGATIVE_INFINITY;
  let armed = false;

  const text = () => {
    const parts: string[] = [];
    if (sentence !== null) parts.push(sentence);
    if (sums.started > 0) parts.push(`${plural(sums.started, 'run')} started.`);
    if (sums.completed > 0) parts.push(`${plural(sums.completed, 'run')} completed.`);
    if (sums.failed > 0) parts.push(`${plural(sums.failed, 'run')} failed.`);
    return parts.join(' ');
  };
  const flush = () => {
    armed = false;
    const message = text();
    sums = { started: 0, completed: 0, failed: 0 };
    sentence = null;
    if (message === '') return;
    quietUntil = timers.now() + ANNOUNCE_GAP_MS;
    speak(message);
  };
  const arm = () => {
    if (armed) return;
    armed = true;
    // A short wait even when it has been quiet: a run that starts and ends at once is one message.
    timers.after(Math.max(500, quietUntil - timers.now()), flush);
  };
  return {
    count(delta) {
      if (delta.started + delta.completed + delta.failed === 0) return;
      sums = {
        started: sums.started + delta.started,
        completed: sums.completed + delta.completed,
        failed: sums.failed + delta.failed,
      };
      arm();
    },
    say(message) {
      sentence = message;
      arm();
    },
  };
}
