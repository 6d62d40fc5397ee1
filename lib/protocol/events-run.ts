import { z } from 'zod';
import { by, entry, epochMs, eventFailure, MARKER, nodePath, reason } from '@/lib/protocol/events-common';
import { prioritySchema } from '@/lib/protocol/run';

/** A node result that a new run of a chain takes over from the run before. */
export const seedSchema = z.object({ output: z.json(), port: z.string().optional() });
export type Seed = z.infer<typeof seedSchema>;

/** Where a run stands in its distributed trace. Kept with its start: a run outlives requests and processes. */
export const runTraceSchema = z.object({
  traceparent: z.string().describe("The run's own span, as W3C Trace Context writes it."),
  tracestate: z.string().optional(),
  parentSpanId: z.string().optional().describe('The span that started the run.'),
  link: z.string().optional().describe('Span of the run before it in its chain, as a traceparent.'),
});
export type RunTrace = z.infer<typeof runTraceSchema>;

/** Events about the run as a whole. */
export const RUN_EVENTS = {
  WORKFLOW_EXECUTION_STARTED: entry(
    'host',
    'WORKFLOW_EXECUTION_STARTED',
    'First event of every run.',
    z.object({
      runId: z.string(),
      workflowId: z.string().describe('Names the chain of runs.'),
      organizationId: z.string(),
      workflow: z.string(),
      version: z.int(),
      definitionHash: z.string().describe('The definition itself is kept once, under this hash.'),
      input: z.json(),
      startedBy: z.string().describe('Id of the actor.'),
      onBehalfOf: z
        .string()
        .optional()
        .describe('Id of the person whose personal credentials are used, when it is not the actor.'),
      parent: z.object({ runId: z.string(), nodePath: z.string() }).optional(),
      previousRunId: z.string().optional().describe('The run of the same chain before this one.'),
      priority: prioritySchema.optional().describe('1 (first) to 5; 3 when left out. Children inherit it.'),
      seeds: z
        .record(z.string(), seedSchema)
        .optional()
        .describe('Results kept from the run before, by node path.'),
      flags: z
        .array(z.string())
        .describe('Behaviour flags of the engine that started the run; it keeps them.'),
      buildId: z.string().optional(),
      correlationId: z.string().optional(),
      trace: runTraceSchema.optional().describe('Only when the process that started the run traces.'),
    }),
  ),
  WORKFLOW_EXECUTION_COMPLETED: entry(
    'engine',
    'WORKFLOW_EXECUTION_COMPLETED',
    'Every node is settled and the output is made.',
    z.object({ output: z.json() }),
  ),
  WORKFLOW_EXECUTION_FAILED: entry(
    'engine',
    'WORKFLOW_EXECUTION_FAILED',
    'A failure nobody handled, after compensation.',
    z.object({ failure: eventFailure }),
  ),
  WORKFLOW_EXECUTION_TIMED_OUT: entry(
    'engine',
    'WORKFLOW_EXECUTION_TIMED_OUT',
    'The timeout of the run was reached; after compensation.',
    z.object({ failure: eventFailure }),
  ),
  WORKFLOW_EXECUTION_CANCELED: entry(
    'engine',
    'WORKFLOW_EXECUTION_CANCELED',
    'A cancellation has been carried out; after compensation.',
    z.object({ reason }),
  ),
  WORKFLOW_EXECUTION_CONTINUED_AS_NEW: entry(
    'engine',
    'WORKFLOW_EXECUTION_CONTINUED_AS_NEW',
    'A terminate node with status continue-as-new was reached.',
    z.object({ workflow: z.string(), input: z.json() }),
  ),
  WORKFLOW_EXECUTION_CANCEL_REQUESTED: entry(
    'host',
    'WORKFLOW_EXECUTION_CANCEL_REQUESTED',
    'Somebody asked to cancel the run. Lifts a pause.',
    z.object({ reason, by }),
  ),
  WORKFLOW_EXECUTION_TERMINATED: entry(
    'host',
    'WORKFLOW_EXECUTION_TERMINATED',
    'Somebody ended the run at once; nothing is compensated.',
    z.object({ reason, by }),
  ),
  WORKFLOW_EXECUTION_SIGNALED: entry(
    'host',
    'WORKFLOW_EXECUTION_SIGNALED',
    'A signal came in; it is kept until a node waits for its name.',
    z.object({
      name: z.string(),
      payload: z.json(),
      signalId: z.string().optional().describe('A second signal with the same id is dropped.'),
      by,
    }),
  ),
  WORKFLOW_EXECUTION_PAUSED: entry(
    'host',
    'WORKFLOW_EXECUTION_PAUSED',
    'Nothing new is begun; what runs may end and is recorded.',
    z.object({ reason, by }),
  ),
  WORKFLOW_EXECUTION_UNPAUSED: entry(
    'host',
    'WORKFLOW_EXECUTION_UNPAUSED',
    'The run goes on.',
    z.object({ reason, by }),
  ),
  UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: entry(
    'engine',
    'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
    'At the start, when the definition has search attributes.',
    z.object({ attributes: z.record(z.string(), z.json()) }),
  ),
  RUN_CLOSING: entry(
    'engine',
    MARKER,
    'The run will end this way: nothing new is begun, open work is cancelled, compensation follows where it applies.',
    z.object({
      status: z.enum(['completed', 'failed', 'cancelled', 'timed_out', 'continued_as_new']),
      failure: eventFailure.optional(),
      reason,
      output: z.json().optional(),
      input: z.json().optional().describe('Input of the next run, for continue-as-new.'),
      compensate: z.boolean(),
    }),
  ),
  HISTORY_SIZE_WARNED: entry(
    'engine',
    MARKER,
    'Once, when the history reaches 10,240 events; at 51,200 the run fails with HISTORY_LIMIT.',
    z.object({ events: z.int() }),
  ),
  COMPENSATION_STARTED: entry(
    'engine',
    MARKER,
    'Completed nodes with `compensate` will be undone, in this order (last completed first).',
    z.object({ nodePaths: z.array(nodePath) }),
  ),
  COMPENSATION_FAILED: entry(
    'engine',
    MARKER,
    'The compensation of one node failed for good; the others go on.',
    z.object({ nodePath, failure: eventFailure }),
  ),
  COMPENSATION_COMPLETED: entry(
    'engine',
    MARKER,
    'Every compensation has ended.',
    z.object({ compensated: z.int(), failed: z.int() }),
  ),
  TIMER_STARTED: entry(
    'engine',
    'TIMER_STARTED',
    'A durable timer was set.',
    z.object({
      timerId: z.string(),
      purpose: z.enum(['workflow-timeout', 'retry', 'circuit', 'wait', 'timeout', 'deadline', 'escalation']),
      nodePath: nodePath.optional(),
      activityId: z.string().optional(),
      fireAt: epochMs,
    }),
  ),
  TIMER_FIRED: entry(
    'host',
    'TIMER_FIRED',
    'The time of a timer has come.',
    z.object({ timerId: z.string() }),
  ),
  TIMER_CANCELED: entry(
    'engine',
    'TIMER_CANCELED',
    'The timer is no longer needed.',
    z.object({ timerId: z.string() }),
  ),
} as const;
