/** The timers that client modules use, so that tests can move time by hand. */
export interface Timers {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs once after `delayMs`; the result cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

/** The browser's timers. Not requestAnimationFrame: that never fires in a hidden tab. */
export const browserTimers: Timers = {
  now: () => Date.now(),
  after: (delayMs, run) => {
    const id = setTimeout(run, delayMs);
    return () => clearTimeout(id);
  },
};
