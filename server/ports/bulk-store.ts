import type { BulkAction } from '@/lib/protocol/bulk';
import type { RunStatus } from '@/lib/protocol/run';
import type { Json } from '@/lib/shared/json';

/** Which runs. Times in epoch milliseconds. Without `ids`, only open runs, unless `closed` is set. */
export interface BulkFilter {
  status: readonly RunStatus[] | null;
  workflow: string | null;
  startedAfter: number | null;
  startedBefore: number | null;
  ids: readonly string[] | null;
  /** Never runs of these workflows: whoever asked may not do this with them. */
  except: readonly string[] | null;
  /** Only closed runs, and of each chain only the newest: what can be retried. */
  closed: boolean;
}

export interface BulkFailure {
  runId: string;
  code: string;
  message: string;
}

/** One command to many runs, and how far it is. */
export interface BulkOperation {
  bulkId: string;
  organizationId: string;
  action: BulkAction;
  filter: BulkFilter;
  reason: string | null;
  signal: { name: string; payload: Json } | null;
  state: 'running' | 'completed' | 'cancelled';
  matched: number;
  done: number;
  failed: number;
  failures: BulkFailure[];
  actorKind: string;
  actorId: string;
  /** By the database's clock, as runs are: those made later do not count. */
  createdAt: Date;
  finishedAt: Date | null;
}

/** How a bulk operation was asked for. */
export interface BulkRequest {
  /** Its Idempotency-Key, and a hash of what was asked for. */
  key: string | null;
  hash: string;
  /** Where from, for the audit log. */
  source: string | null;
}

/** The operation that a key stands for. */
export interface BulkKeyUse {
  operation: BulkOperation;
  hash: string | null;
}

/** An operation as lists show it: without the ids that its filter names, of which there may be thousands. */
export interface ListedBulkOperation extends BulkOperation {
  /** How many there are; null when the filter names none. */
  named: number | null;
}

/** Bulk operations as people see them, within one organisation. */
export interface BulkStore {
  /** The database's clock. No run that somebody has been told of was made later. */
  now(): Promise<Date>;
  /** How many runs that were made until then fit now. */
  count(organizationId: string, filter: BulkFilter, until: Date): Promise<number>;
  /** Keeps it, with its entry in the audit log; resolves with what is kept under its key, which is the first one when that came before. */
  create(operation: BulkOperation, request: BulkRequest): Promise<BulkKeyUse>;
  /** What a request with this key was written down for. */
  keyUse(organizationId: string, key: string): Promise<BulkKeyUse | null>;
  /** Newest first. */
  list(organizationId: string, limit: number): Promise<ListedBulkOperation[]>;
  get(organizationId: string, bulkId: string): Promise<BulkOperation | null>;
  /** Ends it after the chunk under way. False when it is not running. */
  cancel(organizationId: string, bulkId: string): Promise<boolean>;
}

/** A run to send the command to. */
export interface BulkTarget {
  runId: string;
  shard: number;
}

/** Retries of one turn at most: each reads a whole history, and whoever ends the operation waits for the turn under way. */
export const MOST_RETRIES = 16;

/** Bulk operations as the worker sees them, across organisations. */
export interface BulkQueue {
  /**
   * Goes on with the operation that was served longest ago and that no other process holds: notes its next `size` runs
   * (fewer when they are to be retried), or hands those noted to `work`, which gives back those that failed; then the progress is stored. Resolves with false
   * when nothing is to be done. When the turn fails, `work` or anything else of it, nothing is stored but that
   * there was one: the very same runs come again, after every other operation has had its turn.
   */
  turn(
    size: number,
    work: (operation: BulkOperation, targets: readonly BulkTarget[]) => Promise<BulkFailure[]>,
  ): Promise<boolean>;
}
