import type { CommitPart } from '@/server/ports/execution-store';
import type { CommitVerdict } from '@/server/workers/engine/committer';
import { sleepPart } from '@/server/workers/engine/parts';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

/** What putting runs to sleep needs of the host. */
export interface SleepHost {
  readonly deps: { readonly maxResidents: number };
  readonly residents: ReadonlyMap<string, ResidentRun>;
  commit(part: CommitPart): Promise<CommitVerdict>;
  drop(run: ResidentRun): void;
}

/**
 * Puts runs that only wait to sleep in the store, the longest loaded first, until memory has room again.
 *
 * @param earliest epoch ms: runs with a timer before it stay
 */
export async function sleepSome(host: SleepHost, earliest: number): Promise<void> {
  const excess = host.residents.size - host.deps.maxResidents;
  if (excess <= 0) return;
  const sleepers: Promise<unknown>[] = [];
  for (const run of host.residents.values()) {
    if (sleepers.length >= excess) break;
    const part = sleepPart(run, earliest);
    if (!part) continue;
    run.pending++;
    run.asleep = true;
    sleepers.push(
      host.commit(part).then((verdict) => {
        run.pending--;
        // Something came for it meanwhile: it stays, and its next commit says that it is awake again.
        if (verdict !== 'written' || run.pending === 0) host.drop(run);
      }),
    );
  }
  await Promise.all(sleepers);
}
