import type { SteeredClock } from '@/lib/shared/clock';
import type { Bus } from '@/server/ports/bus';
import type { ExecutionStore } from '@/server/ports/execution-store';
import type { LeaseStore, ProcessFacts } from '@/server/ports/lease-store';
import type { Log } from '@/server/ports/log';
import type { Telemetry } from '@/server/ports/telemetry';
import type { Tracing } from '@/server/ports/tracing';
import type { ActivityDeps } from '@/server/workers/engine/activities';
import type { ChildDeps } from '@/server/workers/engine/children';
import type { Programs } from '@/server/workers/engine/programs';

/** What the engine host is made of. */
export interface EngineHostDeps {
  process: ProcessFacts;
  store: ExecutionStore;
  leases: LeaseStore;
  /** Whether a process of this host (as `process.host` names it) still exists. */
  isAlive: (pid: number) => boolean;
  programs: Programs;
  activities: ActivityDeps;
  children: ChildDeps;
  clock: SteeredClock;
  bus: Bus;
  log: Log;
  telemetry: Telemetry;
  /** Left out while tracing is off. */
  tracing?: Tracing | undefined;
  /** Random number in [0, 1), recorded as data where it decides something. */
  random: () => number;
  shards: number;
  leaseTtlMs: number;
  pollMs: number;
  /** Loads by new owners, without progress and each followed by the end of the process, before a run goes to dead-letter. */
  maxRecoveries: number;
  /** Milliseconds a process must live on with a run in memory for the run to be cleared of suspicion. */
  surviveMs: number;
  /** Milliseconds a process must live on without a suspect before its last trial: long against `surviveMs`. */
  calmMs: number;
  /** Calls under way at once; the rest waits in the ready queue. */
  maxActivities: number;
  /** Runs kept in memory; beyond it, runs that only wait are put to sleep in the store. */
  maxResidents: number;
  /** The same by what they hold, in bytes, roughly. */
  maxResidentBytes: number;
  /** Calls and commits in hand at which flooding organisations wait with new runs. */
  maxPressure: number;
}

/**
 * Channel on which inbox rows are announced (the row itself; to other processes only its shard, for what they do has to come
 * from the table), and channel on which committed batches are told.
 */
export const INBOX_CHANNEL = 'inbox';
export const OUTBOX_CHANNEL = 'outbox';
/** Volatile: how calls get on (`ActivityProgress`). */
export const PROGRESS_CHANNEL = 'progress';

/** Told on INBOX_CHANNEL to other processes. */
export interface InboxHint {
  shard: number;
}

/** Told on OUTBOX_CHANNEL after each commit of a run. */
export interface OutboxHint {
  organizationId: string;
  runId: string;
}
