import { z } from 'zod';

/**
 * One row of a run's history as everybody outside the engine sees it (REST, sockets, CLI --json).
 * `type` is one of the names in the event catalogue (docs/events.md); `data` is that event's payload.
 */
export const workflowEventSchema = z.object({
  runId: z.string(),
  /** 1, 2, 3 … without gaps within a run; only the lease owner assigns it. */
  seq: z.int().positive(),
  type: z.string(),
  /** When it happened, ISO 8601 UTC with milliseconds. */
  at: z.string(),
  data: z.record(z.string(), z.json()),
  causationId: z.string().optional(),
  correlationId: z.string().optional(),
});
export type WorkflowEventRecord = z.infer<typeof workflowEventSchema>;

/**
 * An event as one numbered entry of a watcher's stream (organisation, topic). In the topic `alerts` there is no run: `runId` is
 * the id of the alert, and the names of workflow and chain are empty.
 */
export const streamEventSchema = z.object({
  /** Position in the stream: 1, 2, 3 … without gaps; resume after the last one seen. */
  streamSeq: z.int().positive(),
  workflow: z.string(),
  workflowId: z.string(),
  /** Of the topic `servers`: whose event it is. Its workflow, workflowId and runId are empty, its seq the event's id. */
  server: z.string().optional(),
  event: workflowEventSchema,
});
export type StreamEvent = z.infer<typeof streamEventSchema>;
