import type { Clock } from '@/lib/shared/clock';

interface Timer {
  at: number;
  run: () => void;
}

/** A clock that stands still until it is moved. What is due on one and the same millisecond is told in one go. */
export class HandClock implements Clock {
  private readonly timers = new Set<Timer>();

  constructor(private time = 1_000_000) {}

  now(): number {
    return this.time;
  }

  at(at: number, run: () => void): () => void {
    const timer = { at, run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Time is what this clock says, whatever a store says. */
  adjust(): void {}

  /** Moves on in one leap: what is due by then is told once, in order, and what follows from it comes about. */
  async pass(ms: number): Promise<void> {
    this.time += ms;
    const due = [...this.timers].filter(({ at }) => at <= this.time).sort((a, b) => a.at - b.at);
    for (const timer of due) if (this.timers.delete(timer)) timer.run();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
