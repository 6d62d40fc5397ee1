import type { RunStatus } from '@/lib/protocol/run';
import type { Clock } from '@/lib/shared/clock';
import type { CommitPart, ExecutionStore, InboxRow, OpenRun } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import type { Telemetry } from '@/server/ports/telemetry';
import type { CommitVerdict } from '@/server/workers/engine/committer';
import { deadLetterPart, persist, withStart } from '@/server/workers/engine/recovery';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

/** Tries, each from the stored history, before a run that the engine cannot go on with is given up. */
export const MAX_STUMBLES = 3;
const FIRST_PAUSE_MS = 50;
const LOOK_MS = 5;

/** What dealing with stumbles needs of the host. */
export interface StumbleHost {
  readonly deps: {
    readonly store: ExecutionStore;
    readonly clock: Clock;
    readonly log: Log;
    readonly telemetry: Telemetry;
    readonly calmMs: number;
  };
  readonly leases: { epoch(shard: number): number | undefined };
  readonly isDraining: boolean;
  drop(run: ResidentRun): void;
  commit(part: CommitPart): Promise<CommitVerdict>;
  /** Loads the run from its history, if it is not in memory. */
  reload(info: OpenRun): Promise<void>;
  /** Tells who waits for the run's end. */
  ended(runId: string, status: RunStatus): void;
  track(promise: Promise<unknown>): void;
}

/** What is known of a run that has stumbled. */
interface Stumbled {
  count: number;
  /** When it stumbled last, and whether an event of it has been written since. */
  at: number;
  gotOn: boolean;
}

/**
 * Runs on which the engine itself fails: `step` throws, the history cannot be folded, the store refuses what the run writes.
 * None of them stays out of memory unnoticed: each is read anew and tried again a few times (what it was sent meanwhile is
 * still in its inbox), then goes to dead-letter with the error, where a person sees it and can retry it.
 *
 * The count is for one trouble and not for life: it begins anew once the run has got on and `calmMs` have passed. Getting on
 * alone is not enough: a run can stumble over the same command for ever while something else in it goes on in between.
 */
export class Stumbles {
  /** By shard: who leads a shard under another epoch counts anew. */
  private readonly shards = new Map<number, { epoch: number; runs: Map<string, Stumbled> }>();

  constructor(private readonly host: StumbleHost) {}

  /**
   * Notes a stumble and deals with it in the background.
   *
   * @param start the row of the run's start, when that is what could not be carried out
   */
  note(
    info: OpenRun,
    run: Pick<ResidentRun, 'pending'> | null,
    error: unknown,
    start: InboxRow | null = null,
  ): void {
    const count = this.count(info);
    this.host.deps.log.error('stumble', {
      status: 'failed',
      run_id: info.runId,
      workflow: info.workflow,
      attempt: count,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    const next = count < MAX_STUMBLES ? this.again(info, run, count) : this.giveUp(info, run, error, start);
    this.host.track(next);
  }

  /** The run is over. */
  forget(runId: string): void {
    for (const { runs } of this.shards.values()) runs.delete(runId);
  }

  /** Something of a run was written. */
  written(part: CommitPart): void {
    if (this.shards.size === 0 || part.events.length === 0) return;
    const stumbled = this.shards.get(part.shard)?.runs.get(part.runId);
    if (stumbled) stumbled.gotOn = true;
  }

  private count({ runId, shard }: OpenRun): number {
    const { clock, calmMs } = this.host.deps;
    const { leases } = this.host;
    for (const [lost, { epoch }] of this.shards) {
      if (leases.epoch(lost) !== epoch) this.shards.delete(lost);
    }
    const epoch = leases.epoch(shard);
    if (epoch === undefined) return 1;
    const runs = this.shards.get(shard)?.runs ?? new Map<string, Stumbled>();
    this.shards.set(shard, { epoch, runs });
    const at = clock.now();
    const before = runs.get(runId);
    const isOver = before === undefined || (before.gotOn && at - before.at >= calmMs);
    const count = isOver ? 1 : before.count + 1;
    runs.set(runId, { count, at, gotOn: false });
    return count;
  }

  private async again(info: OpenRun, run: Pick<ResidentRun, 'pending'> | null, count: number): Promise<void> {
    await this.pause(FIRST_PAUSE_MS * 2 ** count);
    await this.settled(run);
    await persist(
      this.host.deps,
      'reload',
      () => this.isOurs(info),
      () => this.host.reload(info),
    );
  }

  private async giveUp(
    info: OpenRun,
    run: Pick<ResidentRun, 'pending'> | null,
    error: unknown,
    start: InboxRow | null,
  ): Promise<void> {
    const { clock, log, store, telemetry } = this.host.deps;
    const { runId } = info;
    await this.settled(run);
    const isOurs = () => this.isOurs(info);
    const lengths = await persist(this.host.deps, 'dead_letter', isOurs, () => store.historyLengths([runId]));
    const epoch = this.host.leases.epoch(info.shard);
    if (lengths === null || epoch === undefined) return;
    const text = error instanceof Error ? error.message : String(error);
    const message = `The engine could not go on with this run, ${MAX_STUMBLES} times: ${clean(text)}`;
    const length = lengths.get(runId) ?? 0;
    const part = deadLetterPart(info, epoch, length, message, clock.now());
    if (length === 0 && start !== null) withStart(part, start, clock.now());
    if ((await this.host.commit(part)) !== 'written') return;
    this.forget(runId);
    telemetry.workflowClosed(info.workflow, 'dead_letter', 0);
    log.error('dead_letter', { run_id: runId, workflow: info.workflow });
    this.host.ended(runId, 'dead_letter');
  }

  private isOurs({ shard }: OpenRun): boolean {
    return !this.host.isDraining && this.host.leases.epoch(shard) !== undefined;
  }

  /** What the run had sent to be written is written, or refused. */
  private async settled(run: Pick<ResidentRun, 'pending'> | null): Promise<void> {
    while (run !== null && run.pending > 0) await this.pause(LOOK_MS);
  }

  private pause(ms: number): Promise<void> {
    const { clock } = this.host.deps;
    return new Promise((resolve) => clock.at(clock.now() + ms, resolve));
  }
}

/** What Postgres refused may be in the message too. */
function clean(text: string): string {
  return text.replaceAll('\u0000', '').slice(0, 1_000);
}
