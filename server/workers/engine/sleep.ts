import type { CommitPart } from '@/server/ports/execution-store';
import type { CommitVerdict } from '@/server/workers/engine/committer';
import { sleepPart } from '@/server/workers/engine/parts';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

/** How far ahead runs that sleep in the store are loaded. */
export const WAKE_HORIZON_MS = 10_000;

/** What putting runs to sleep needs of the host. */
export interface SleepHost {
  readonly deps: { readonly maxResidents: number; readonly maxResidentBytes: number };
  readonly residents: ReadonlyMap<string, ResidentRun>;
  /** Until when runs that sleep have been loaded, epoch ms. */
  readonly wokenUntil: number;
  commit(part: CommitPart): Promise<CommitVerdict>;
  drop(run: ResidentRun): void;
}

/** How many runs are in memory, without those on their way out, and roughly how many bytes they hold. */
export function inMemory(residents: Iterable<ResidentRun>): { runs: number; bytes: number } {
  let runs = 0;
  let bytes = 0;
  for (const run of residents) {
    // Any other commit of a run says that it is awake.
    if (run.asleep && run.pending > 0) continue;
    runs++;
    bytes += run.bytes;
  }
  return { runs, bytes };
}

/**
 * Puts runs that only wait to sleep in the store, the longest loaded first, until memory has room again. Runs that would have to
 * be loaded again soon stay.
 */
export async function sleepSome(host: SleepHost): Promise<void> {
  const { maxResidents, maxResidentBytes } = host.deps;
  let { runs, bytes } = inMemory(host.residents.values());
  const sleepers: Promise<unknown>[] = [];
  for (const run of host.residents.values()) {
    if (runs <= maxResidents && bytes <= maxResidentBytes) break;
    const part = sleepPart(run, host.wokenUntil + WAKE_HORIZON_MS);
    if (!part) continue;
    runs--;
    bytes -= run.bytes;
    run.pending++;
    run.asleep = true;
    sleepers.push(
      host.commit(part).then((verdict) => {
        run.pending--;
        // Something came for it meanwhile, or nobody would load it any more before its timer: it stays, and its next commit
        // says that it is awake again.
        const wakeAt = part.update?.wakeAt ?? Number.POSITIVE_INFINITY;
        if (verdict !== 'written' || (run.pending === 0 && wakeAt > host.wokenUntil)) host.drop(run);
      }),
    );
  }
  await Promise.all(sleepers);
}
