import { z } from 'zod';
import {
  activityId,
  attempt,
  by,
  entry,
  epochMs,
  eventFailure,
  MARKER,
  nodePath,
  reason,
  targetSchema,
  usageSchema,
} from '@/lib/protocol/events-common';
import { inputAnswerSchema, inputRequiredSchema } from '@/lib/protocol/input-required';

const jitter = z
  .number()
  .min(0)
  .lt(1)
  .describe('Random number in [0, 1) drawn by the host; 0.5 when left out.')
  .optional();
const retrySafe = z
  .boolean()
  .optional()
  .describe('True when the call may be repeated although it may have taken effect.');

/** Events about calls (MCP tools and in-process functions), forward or compensating. */
export const ACTIVITY_EVENTS = {
  ACTIVITY_TASK_SCHEDULED: entry(
    'engine',
    'ACTIVITY_TASK_SCHEDULED',
    'A call is to be made.',
    z.object({
      activityId,
      nodePath,
      purpose: z.enum(['do', 'compensate']),
      attempt,
      target: targetSchema,
      input: z.json().optional().describe('Only with the first attempt: later ones repeat it.'),
      timeoutMs: z.int(),
      resumed: z
        .enum(['call', 'answer'])
        .optional()
        .describe('The same attempt goes on with answers: sent with the call, or into the open call.'),
    }),
  ),
  ACTIVITY_TASK_STARTED: entry(
    'host',
    'ACTIVITY_TASK_STARTED',
    'Committed before the call when a crash would leave its outcome unknown.',
    z.object({ activityId, attempt, retrySafe: z.boolean(), worker: z.string().optional() }),
  ),
  ACTIVITY_TASK_COMPLETED: entry(
    'host',
    'ACTIVITY_TASK_COMPLETED',
    'The call gave a result.',
    z.object({
      activityId,
      attempt,
      output: z.json(),
      usage: usageSchema.optional(),
      server: z.string().optional(),
    }),
  ),
  ACTIVITY_TASK_FAILED: entry(
    'host',
    'ACTIVITY_TASK_FAILED',
    'The call failed. A retry, UNKNOWN_OUTCOME or NODE_FAILED follows.',
    z.object({
      activityId,
      attempt,
      failure: eventFailure,
      jitter,
      retryAt: epochMs.optional().describe('With CIRCUIT_OPEN: when the breaker lets a call through again.'),
      ambiguous: z.boolean().optional().describe('True when the call may have taken effect.'),
      retrySafe,
      usage: usageSchema.optional(),
    }),
  ),
  ACTIVITY_TASK_TIMED_OUT: entry(
    'host',
    'ACTIVITY_TASK_TIMED_OUT',
    'No answer within the timeout; counted as ambiguous unless the host says otherwise.',
    z.object({
      activityId,
      attempt,
      failure: eventFailure.optional(),
      jitter,
      ambiguous: z.boolean().optional(),
      retrySafe,
      usage: usageSchema.optional(),
    }),
  ),
  ACTIVITY_TASK_CANCEL_REQUESTED: entry(
    'engine',
    'ACTIVITY_TASK_CANCEL_REQUESTED',
    'A running call that can be compensated is asked to stop; its outcome is awaited.',
    z.object({ activityId, reason }),
  ),
  ACTIVITY_TASK_CANCELED: entry(
    'engine',
    'ACTIVITY_TASK_CANCELED',
    'The call is given up. Written by the engine at once, or by the host as the answer to CANCEL_ACTIVITY.',
    z.object({ activityId, attempt: attempt.optional(), reason }),
  ),
  ACTIVITY_TASK_OUTCOME_UNKNOWN: entry(
    'host',
    MARKER,
    'Nobody knows whether the call took effect, and it is not repeated (not safe, or not wanted any more): the node waits for a person.',
    z.object({ activityId, attempt, failure: eventFailure.optional() }),
  ),
  ACTIVITY_TASK_INPUT_REQUIRED: entry(
    'host',
    MARKER,
    'The server asks for something before it goes on: the node waits for a person, no timeout of the call runs.',
    z.object({ activityId, attempt, input: inputRequiredSchema }),
  ),
  ACTIVITY_TASK_INPUT_PROVIDED: entry(
    'host',
    MARKER,
    'A person answered what the server asks. ACTIVITY_TASK_SCHEDULED follows.',
    z.object({
      activityId,
      answers: z.record(z.string(), inputAnswerSchema).describe('By the key of the request.'),
      by,
      comment: z.string().optional(),
    }),
  ),
  ACTIVITY_TASK_REMOTE_TASK: entry(
    'host',
    MARKER,
    'The server made a task of the call: whoever owns the run asks for its state until it has ended.',
    z.object({ activityId, attempt, taskId: z.string() }),
  ),
  OUTCOME_RESOLVED: entry(
    'host',
    MARKER,
    'A person said what became of a call with unknown outcome.',
    z.object({
      activityId,
      resolution: z.enum(['retry', 'completed', 'failed']),
      output: z.json().optional(),
      by,
      comment: z.string().optional(),
    }),
  ),
  START_CHILD_WORKFLOW_EXECUTION_INITIATED: entry(
    'engine',
    'START_CHILD_WORKFLOW_EXECUTION_INITIATED',
    'A subworkflow node begins.',
    z.object({
      nodePath,
      childWorkflowId: z.string(),
      workflow: z.string(),
      version: z.int().optional(),
      input: z.json(),
      parentClosePolicy: z.enum(['terminate', 'cancel', 'abandon']),
    }),
  ),
  START_CHILD_WORKFLOW_EXECUTION_FAILED: entry(
    'host',
    'START_CHILD_WORKFLOW_EXECUTION_FAILED',
    'The child could not be started.',
    z.object({ nodePath, failure: eventFailure }),
  ),
  CHILD_WORKFLOW_EXECUTION_STARTED: entry(
    'host',
    'CHILD_WORKFLOW_EXECUTION_STARTED',
    'The child runs.',
    z.object({ nodePath, childRunId: z.string() }),
  ),
  CHILD_WORKFLOW_EXECUTION_COMPLETED: entry(
    'host',
    'CHILD_WORKFLOW_EXECUTION_COMPLETED',
    'The child completed.',
    z.object({ nodePath, output: z.json() }),
  ),
  CHILD_WORKFLOW_EXECUTION_FAILED: entry(
    'host',
    'CHILD_WORKFLOW_EXECUTION_FAILED',
    'The child failed.',
    z.object({ nodePath, failure: eventFailure }),
  ),
  CHILD_WORKFLOW_EXECUTION_CANCELED: entry(
    'host',
    'CHILD_WORKFLOW_EXECUTION_CANCELED',
    'The child was cancelled.',
    z.object({ nodePath, reason }),
  ),
  CHILD_WORKFLOW_EXECUTION_TIMED_OUT: entry(
    'host',
    'CHILD_WORKFLOW_EXECUTION_TIMED_OUT',
    'The child timed out.',
    z.object({ nodePath, failure: eventFailure.optional() }),
  ),
  CHILD_WORKFLOW_EXECUTION_TERMINATED: entry(
    'host',
    'CHILD_WORKFLOW_EXECUTION_TERMINATED',
    'The child was terminated.',
    z.object({ nodePath, reason }),
  ),
} as const;
