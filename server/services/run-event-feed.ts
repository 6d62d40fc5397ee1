import type { Actor } from '@/lib/protocol/actor';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { Clock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { RunService } from '@/server/services/run-service';

/** Rereads at least this often while waiting: a hint can be lost, or the owner be another process. */
const RECHECK_MS = 250;

/** Long-poll reads of one run's history. */
export class RunEventFeed {
  constructor(
    private readonly deps: {
      runs: RunService;
      bus: Bus;
      clock: Clock;
      hintChannel: string /* messages carry { runId } */;
    },
  ) {}

  /**
   * Events after `after`. With none there, waits up to `waitMs` for the first; gives an empty list when none came or
   * `signal` fired. Throws RUN_NOT_FOUND.
   */
  async read(
    actor: Actor,
    runId: string,
    after: number,
    limit: number,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<WorkflowEventRecord[]> {
    const until = this.deps.clock.now() + waitMs;
    for (;;) {
      // Listening begins before the read, so that an event committed in between is not slept through.
      const hint = this.hint(runId, signal, until);
      const events = await this.deps.runs.events(actor, runId, after, limit);
      if (events.length > 0 || signal.aborted || this.deps.clock.now() >= until) {
        hint.cancel();
        return events;
      }
      await hint.fired;
    }
  }

  private hint(
    runId: string,
    signal: AbortSignal,
    until: number,
  ): { fired: Promise<void>; cancel: () => void } {
    const { bus, clock, hintChannel } = this.deps;
    let cancel = () => {};
    const fired = new Promise<void>((resolve) => {
      const unsubscribe = bus.subscribe(hintChannel, (told) => {
        if ((told as { runId?: string }).runId === runId) cancel();
      });
      const stopTimer = clock.at(Math.min(until, clock.now() + RECHECK_MS), () => cancel());
      cancel = () => {
        unsubscribe();
        stopTimer();
        signal.removeEventListener('abort', cancel);
        resolve();
      };
      signal.addEventListener('abort', cancel, { once: true });
    });
    return { fired, cancel: () => cancel() };
  }
}
