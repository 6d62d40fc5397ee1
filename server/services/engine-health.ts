import type { DeepHealth } from '@/lib/protocol/api';

/** What is asked of the leases: those this process has, and of these the ones that are known to run. */
export interface LeasesSeen {
  held(): readonly number[];
  fresh(): readonly number[];
}

/**
 * Whether this process's engine leads runs. Only leases that run count: during an outage of the database those that were
 * held before say nothing.
 *
 * @param shards how many there are, over all processes
 */
export function engineHealth(leases: LeasesSeen, shards: number): DeepHealth['checks'][string] {
  const held = leases.held().length;
  const fresh = leases.fresh().length;
  if (fresh > 0) return { status: 'ok', detail: `${fresh} of ${shards} shards held` };
  const detail =
    held > 0
      ? `0 of ${shards} shards held: the leases of ${held} have run out, and the database has not confirmed them`
      : `0 of ${shards} shards held`;
  return { status: 'degraded', detail };
}
