import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { Failure, RunStatus, RunSummary } from '@/lib/protocol/run';

export interface RunFilter {
  /** Any of these; an empty list gives nothing. */
  status?: readonly RunStatus[] | undefined;
  workflow?: string | undefined;
  /** Every run of one chain. */
  workflowId?: string | undefined;
  parentRunId?: string | undefined;
  /** Epoch ms: created at `startedAfter` or later, and before `startedBefore`. */
  startedAfter?: number | undefined;
  startedBefore?: number | undefined;
  /** A search attribute, compared as text. */
  attribute?: { name: string; value: string } | undefined;
}

/** The row of a run beside its summary. */
export interface RunRow extends RunSummary {
  organizationId: string;
  definitionHash: string;
  shard: number;
  failure: Failure | null;
  startedBy: string;
}

/** The runs around a run. */
export interface RunNeighbours {
  previousRunId: string | null;
  /** Oldest first. */
  nextRunIds: string[];
  parentRunId: string | null;
  parentNodePath: string | null;
}

/** A part of a list of runs. */
export interface RunPage {
  items: RunSummary[];
  /** What the next page is asked for with as `before`; null at the end of the list. */
  next: string | null;
}

/** Reads of runs, always within one organisation. */
export interface RunQueries {
  /**
   * Newest first, from `before` (`next` of the page before) on. A page that looks for a search attribute looks at so many runs and
   * no more: it may have fewer than `limit`, or none, though others follow.
   */
  list(organizationId: string, filter: RunFilter, limit: number, before: string | null): Promise<RunPage>;
  /** Null when the organisation has no such run. */
  get(organizationId: string, runId: string): Promise<RunRow | null>;
  /** Events with seq > `after`, in order. */
  events(organizationId: string, runId: string, after: number, limit: number): Promise<WorkflowEventRecord[]>;
  /** What an idempotency key was used for, or null when it is new. */
  keyUse(organizationId: string, key: string): Promise<{ runId: string; requestHash: string } | null>;
  /** Null when the organisation has no such run. */
  neighbours(organizationId: string, runId: string): Promise<RunNeighbours | null>;
  /**
   * Open runs in whose history a person was ever asked for something (approval, unknown outcome), newest first; whether
   * the question is still open is for the caller to find out. `before` is the last run id of the page before.
   */
  askingRuns(organizationId: string, limit: number, before: string | null): Promise<RunRow[]>;
}
