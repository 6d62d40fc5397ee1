import type { Actor } from '@/lib/protocol/actor';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { AccessService } from '@/server/services/access-service';
import type { RunMasks } from '@/server/services/run-masks';
import type { RunService } from '@/server/services/run-service';
import { type HintDeps, waitForHint } from '@/server/services/wait-for-hint';

/** Long-poll reads of one run's history. */
export class RunEventFeed {
  /** Messages on `hintChannel` carry { runId }. */
  constructor(
    private readonly deps: HintDeps & {
      runs: RunService;
      masks: RunMasks;
      access: Pick<AccessService, 'refuseHiddenRun'>;
    },
  ) {}

  /**
   * Events after `after`. With none there, waits up to `waitMs` for the first; gives an empty list when none came or
   * `signal` fired. Sensitive values are masked. Throws RUN_NOT_FOUND.
   */
  async read(
    actor: Actor,
    runId: string,
    after: number,
    limit: number,
    waitMs: number,
    signal: AbortSignal,
    reveal = false,
  ): Promise<WorkflowEventRecord[]> {
    const isMine = (told: unknown) => (told as { runId?: string }).runId === runId;
    const events = await waitForHint(this.deps, isMine, waitMs, signal, async () => {
      // Asked at every reading: a stream is open for long, and a restriction ends it.
      await this.deps.access.refuseHiddenRun(actor, runId);
      return this.deps.runs.events(actor, runId, after, limit);
    });
    if (!reveal) return this.deps.masks.events(actor.organizationId, runId, events);
    await this.deps.masks.for(actor, runId, true, `events ${after + 1}–${events.at(-1)?.seq ?? after}`);
    return events;
  }
}
