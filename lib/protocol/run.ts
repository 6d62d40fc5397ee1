import { z } from 'zod';

/** State of a run. `waiting` is not a status of its own: a run that waits is running, its node waits. */
export const RUN_STATUSES = [
  'running',
  'paused',
  'compensating',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'timed_out',
  'continued_as_new',
  'dead_letter',
] as const;
export const runStatusSchema = z.enum(RUN_STATUSES);
export type RunStatus = z.infer<typeof runStatusSchema>;
/** States of runs that have not closed. */
export const OPEN_RUN_STATUSES: readonly RunStatus[] = ['running', 'paused', 'compensating'];

/** How early the calls of a run are made when calls have to wait: 1 first, 5 last. Temporal's priority keys. */
export const prioritySchema = z.int().min(1).max(5);
export const DEFAULT_PRIORITY = 3;

/** State of one node (or of one iteration's node) within a run. */
export const NODE_STATUSES = [
  'pending',
  'scheduled',
  'running',
  'waiting',
  'backing_off',
  'unknown_outcome',
  'completed',
  'failed',
  'skipped',
  'cancelled',
  'compensating',
  'compensated',
  'compensation_failed',
] as const;
export const nodeStatusSchema = z.enum(NODE_STATUSES);
export type NodeStatus = z.infer<typeof nodeStatusSchema>;

/** Why something failed: a code of the error catalogue, a sentence, and whether trying again can help. */
export const failureSchema = z.object({
  code: z.string(),
  message: z.string(),
  retriable: z.boolean().optional(),
  /** Path of the node it came from. */
  nodePath: z.string().optional(),
  details: z.json().optional(),
});
export type Failure = z.infer<typeof failureSchema>;

/** A run as one row of a list. Times are ISO 8601 UTC. */
export const runSummarySchema = z.object({
  runId: z.string(),
  workflowId: z.string(),
  workflow: z.string(),
  version: z.int(),
  status: runStatusSchema,
  createdAt: z.string(),
  closedAt: z.string().nullable(),
  /** Milliseconds from creation to close, or null while it runs. */
  durationMs: z.int().nullable(),
  historyLength: z.int(),
  failure: failureSchema.nullable(),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

/** How far a running call has got, as its server last said. Not kept: only the process that makes the call knows. */
export const nodeProgressSchema = z.object({
  at: z.string(),
  progress: z.number(),
  total: z.number().optional(),
  message: z.string().optional(),
});
export type NodeProgress = z.infer<typeof nodeProgressSchema>;

/** One node of a run, in the order in which nodes were first scheduled. */
export const nodeViewSchema = z.object({
  /** Full path, iterations included: `loop/3/extract`. */
  path: z.string(),
  nodeId: z.string(),
  kind: z.string(),
  name: z.string().nullable(),
  status: nodeStatusSchema,
  attempt: z.int(),
  startedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  durationMs: z.int().nullable(),
  server: z.string().nullable(),
  tool: z.string().nullable(),
  input: z.json().nullable(),
  output: z.json().nullable(),
  failure: failureSchema.nullable(),
  progress: nodeProgressSchema.optional(),
});
export type NodeView = z.infer<typeof nodeViewSchema>;

/** A run with its nodes, input and result. */
export const runDetailSchema = runSummarySchema.extend({
  input: z.json(),
  output: z.json().nullable(),
  /** 1 (first) to 5. */
  priority: prioritySchema.optional(),
  nodes: z.array(nodeViewSchema),
});
export type RunDetail = z.infer<typeof runDetailSchema>;
