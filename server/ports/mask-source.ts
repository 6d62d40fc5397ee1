import type { WorkflowEventRecord } from '@/lib/protocol/event';

/** What never changes of a run, as far as masking its data needs it. */
export interface MaskedRun {
  runId: string;
  workflowId: string;
  definitionHash: string;
  parentRunId: string | null;
  previousRunId: string | null;
}

/** What masking reads, always within one organisation. */
export interface MaskSource {
  /** Those of the runs that the organisation has. */
  runs(organizationId: string, runIds: readonly string[]): Promise<MaskedRun[]>;
  /** Sensitive paths of definitions, by hash; without those that have none. */
  paths(organizationId: string, hashes: readonly string[]): Promise<Map<string, string[]>>;
  /** Events with seq > `after`, in order. */
  events(organizationId: string, runId: string, after: number, limit: number): Promise<WorkflowEventRecord[]>;
}
