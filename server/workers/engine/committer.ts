import { isAppError } from '@/lib/protocol/errors';
import type { Clock } from '@/lib/shared/clock';
import { GroupCommit } from '@/lib/shared/group-commit';
import type { CommitPart, ExecutionStore } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import type { Telemetry } from '@/server/ports/telemetry';
import { backOff } from '@/server/workers/engine/back-off';
import { crashPoint } from '@/server/workers/engine/crash-points';

/** What became of a part: written; refused because another process owns the shard; refused by the store for its content. */
export type CommitVerdict = 'written' | 'fenced' | 'rejected';

/** What became of a fact: `ignored` when it does not fit the run any more, so that nothing was to be written. */
export type Delivery = CommitVerdict | 'ignored';

export interface CommitterDeps {
  owner: string;
  store: ExecutionStore;
  clock: Clock;
  log: Log;
  telemetry: Telemetry;
}

const MAX_PARTS = 1_000;
/** Of one organisation in a write while others are active: a flood of one must not make the writes of all slow. */
const SHARED_PARTS = 16;
/** A flood leaves the database to the others for this many times as long as its own write took. */
const REST_FACTOR = 3;

/**
 * Makes appends durable in groups. A broken write is never guessed about: its outcome is read back from the store
 * until it is known, because the commit may have happened although the caller saw an error.
 */
export class Committer {
  private readonly group: GroupCommit<CommitPart, CommitVerdict>;
  private stopped = false;
  /** Runs of which a part was refused, and the first event that is missing: what would come behind the gap is refused too. */
  private readonly gaps = new Map<string, { seq: number; epoch: number }>();

  constructor(private readonly deps: CommitterDeps) {
    this.group = new GroupCommit((parts) => this.write(parts), {
      maxBatch: MAX_PARTS,
      sharedBatch: SHARED_PARTS,
      ownerOf: (part) => part.organizationId,
      now: () => deps.clock.now(),
      rest: (ms) => this.pause(REST_FACTOR * ms),
    });
  }

  /** Resolves when the part's fate is known. */
  submit(part: CommitPart): Promise<CommitVerdict> {
    return this.group.submit(part);
  }

  /** Gives up waiting for a store that does not answer; parts in hand end as fenced. */
  stop(): void {
    this.stopped = true;
  }

  private async write(parts: CommitPart[]): Promise<CommitVerdict[]> {
    const isOld = olderThanOthers(parts);
    const current = mergeByRun(parts.filter((part) => !isOld(part)));
    const merged = this.gaps.size === 0 ? current : this.withoutGaps(current);
    const verdicts = merged.length === 0 ? new Map<string, CommitVerdict>() : await this.writeMerged(merged);
    return parts.map((part) => {
      if (isOld(part)) return 'fenced';
      return verdicts.get(part.runId) ?? (this.gaps.has(part.runId) ? 'rejected' : 'fenced');
    });
  }

  /** The parts that follow what is written: those of runs without a gap, and the one that begins anew, or closes, one with. */
  private withoutGaps(parts: CommitPart[]): CommitPart[] {
    return parts.filter((part) => {
      const gap = this.gaps.get(part.runId);
      if (gap === undefined) return true;
      const first = part.events[0]?.seq;
      const follows = first === undefined ? part.update?.closedAt != null : first <= gap.seq;
      if (!follows && part.epoch === gap.epoch) return false;
      this.gaps.delete(part.runId);
      return true;
    });
  }

  /** @param doubtful an earlier try of these very parts ended without an answer: they may be written already */
  private async writeMerged(parts: CommitPart[], doubtful = false): Promise<Map<string, CommitVerdict>> {
    const { store, owner, clock, log, telemetry } = this.deps;
    for (let attempt = 0; ; attempt++) {
      const begun = clock.now();
      try {
        const writing = store.commit(owner, parts);
        crashPoint('mid-batch');
        const held = await writing;
        const events = parts.reduce((sum, part) => sum + part.events.length, 0);
        telemetry.committed(parts.length, events, (clock.now() - begun) / 1000);
        return new Map(parts.map((part) => [part.runId, held.has(part.shard) ? 'written' : 'fenced']));
      } catch (error) {
        if (isAppError(error) && error.code === 'DATABASE_UNAVAILABLE') {
          log.warn('commit', {
            status: 'unknown',
            attempt,
            parts: parts.length,
            error: String(error.cause ?? error),
          });
          if (this.stopped) return new Map(parts.map((part) => [part.runId, 'fenced']));
          const written = await this.readBack(parts);
          if (written) return written;
          // The statement may still be under way in the database and be written after we looked.
          doubtful = true;
          await backOff(clock, attempt);
        } else if (parts.length > 1) {
          return this.writeOneByOne(parts, doubtful);
        } else {
          return this.judgeRefused(parts[0] as CommitPart, error, doubtful);
        }
      }
    }
  }

  private async writeOneByOne(parts: CommitPart[], doubtful: boolean): Promise<Map<string, CommitVerdict>> {
    const verdicts = new Map<string, CommitVerdict>();
    for (const part of parts) {
      for (const [runId, verdict] of await this.writeMerged([part], doubtful)) verdicts.set(runId, verdict);
    }
    return verdicts;
  }

  /**
   * A refused single part: written before after all (our own earlier try), made from a history that has grown since (the
   * run has to be read anew), or truly rejected.
   */
  private async judgeRefused(
    part: CommitPart,
    error: unknown,
    doubtful: boolean,
  ): Promise<Map<string, CommitVerdict>> {
    const written = doubtful ? await this.readBack([part]) : null;
    if (written?.get(part.runId) === 'written') return written;
    if ((error as { code?: unknown }).code === '23505') {
      this.deps.log.warn('commit', { status: 'stale', run_id: part.runId, error: String(error) });
      return new Map([[part.runId, 'fenced']]);
    }
    this.deps.log.error('commit', { status: 'rejected', run_id: part.runId, error: String(error) });
    if (part.events[0]) this.gaps.set(part.runId, { seq: part.events[0].seq, epoch: part.epoch });
    return new Map([[part.runId, 'rejected']]);
  }

  /**
   * Asks the store until it answers. Only a lease that is still ours says something: under it nobody else can have appended,
   * so a run's new events are this very batch, which is atomic and was written for all that we hold, parts without events
   * too. Where the lease is lost, what is there may be the heir's: such a part is lost whether it was written or not, and
   * the heir has read what it finds. Null when it is not known to be written: then all of it is sent again, which changes
   * nothing for parts without events and is refused for shards that are lost.
   */
  private async readBack(parts: CommitPart[]): Promise<Map<string, CommitVerdict> | null> {
    if (!parts.some((part) => part.events.length > 0)) return null;
    const { store, owner, clock } = this.deps;
    for (let attempt = 0; !this.stopped; attempt++) {
      try {
        const lengths = await store.ownLengths(owner, parts);
        const isOurs = ({ runId }: CommitPart) => lengths.has(runId);
        const isThere = ({ runId, events }: CommitPart) =>
          (lengths.get(runId) ?? 0) >= (events.at(-1)?.seq ?? Number.POSITIVE_INFINITY);
        if (!parts.some(isThere)) return null;
        return new Map(
          parts.map((part) => [
            part.runId,
            isThere(part) || (isOurs(part) && part.events.length === 0) ? 'written' : 'fenced',
          ]),
        );
      } catch {
        await backOff(clock, attempt);
      }
    }
    return new Map(parts.map((part) => [part.runId, 'fenced']));
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.deps.clock.at(this.deps.clock.now() + ms, resolve));
  }
}

/**
 * Parts that were waiting when their shard was lost and came back, beside parts under its new epoch: a batch goes under one
 * epoch a shard, and must not carry them along.
 */
function olderThanOthers(parts: readonly CommitPart[]): (part: CommitPart) => boolean {
  const newest = new Map<number, number>();
  for (const { shard, epoch } of parts) newest.set(shard, Math.max(epoch, newest.get(shard) ?? epoch));
  return ({ shard, epoch }) => epoch < (newest.get(shard) ?? epoch);
}

/** One part a run: a statement that updates a row twice would keep either change at random. */
export function mergeByRun(parts: readonly CommitPart[]): CommitPart[] {
  const byRun = new Map<string, CommitPart>();
  for (const part of parts) {
    const before = byRun.get(part.runId);
    byRun.set(
      part.runId,
      before
        ? {
            ...part,
            events: [...before.events, ...part.events],
            update: part.update ?? before.update,
            newRuns: [...before.newRuns, ...part.newRuns],
            inboxAdds: [...before.inboxAdds, ...part.inboxAdds],
            inboxDone: [...before.inboxDone, ...part.inboxDone],
          }
        : part,
    );
  }
  return [...byRun.values()];
}
