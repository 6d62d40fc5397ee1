import type { Clock } from '@/lib/shared/clock';
import type { LeaseManager } from '@/server/workers/engine/leases';
import type { RunLoader } from '@/server/workers/engine/loader';
import type { ResidentRun } from '@/server/workers/engine/resident-run';

/** What ending in good order needs of the host. */
export interface DrainHost {
  readonly deps: { readonly clock: Clock };
  readonly residents: ReadonlyMap<string, ResidentRun>;
  readonly leases: Pick<LeaseManager, 'held' | 'drain' | 'giveBack'>;
  readonly loader: Pick<RunLoader, 'shardsUnderWay'>;
}

/** How often it is looked for shards on which nothing is under way any more. */
const LOOK_MS = 50;

/**
 * Lets the work that is under way end, for at most `timeoutMs`. Meanwhile each shard is given back as soon as nothing is under
 * way on it: its other runs need not wait for the longest call of this process.
 *
 * @param work what has to end; what follows from it joins it
 */
export async function letEnd(
  host: DrainHost,
  work: ReadonlySet<Promise<unknown>>,
  timeoutMs: number,
): Promise<void> {
  const { clock } = host.deps;
  let isOver = false;
  const pause = (ms: number) => new Promise<void>((resolve) => clock.at(clock.now() + ms, resolve));
  const giveBack = async () => {
    await host.leases.drain();
    while (!isOver) {
      // What could not be given back is with the next heartbeat.
      await host.leases.giveBack(idleShards(host)).catch(() => {});
      await pause(LOOK_MS);
    }
  };
  const idle = async () => {
    while (work.size > 0) await Promise.allSettled([...work]);
  };
  if (work.size > 0) void giveBack();
  await Promise.race([idle(), pause(timeoutMs)]);
  isOver = true;
}

/** The shards that are held and have no run that is being read, or has a call or a commit under way. */
function idleShards({ leases, residents, loader }: DrainHost): number[] {
  const busy = loader.shardsUnderWay();
  for (const run of residents.values()) if (run.calls + run.pending > 0) busy.add(run.info.shard);
  return leases.held().filter((shard) => !busy.has(shard));
}
