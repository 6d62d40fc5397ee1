import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { Failure, RunStatus, RunSummary } from '@/lib/protocol/run';

export interface RunFilter {
  status?: RunStatus | undefined;
  workflow?: string | undefined;
}

/** The row of a run beside its summary. */
export interface RunRow extends RunSummary {
  organizationId: string;
  definitionHash: string;
  shard: number;
  failure: Failure | null;
}

/** Reads of runs, always within one organisation. */
export interface RunQueries {
  /** Newest first; `before` is the run id of the last row of the page before. */
  list(
    organizationId: string,
    filter: RunFilter,
    limit: number,
    before: string | null,
  ): Promise<RunSummary[]>;
  /** Null when the organisation has no such run. */
  get(organizationId: string, runId: string): Promise<RunRow | null>;
  /** Events with seq > `after`, in order. */
  events(organizationId: string, runId: string, after: number, limit: number): Promise<WorkflowEventRecord[]>;
}
