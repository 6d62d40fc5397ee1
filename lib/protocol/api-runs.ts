import { z } from 'zod';
import { pageSchema } from '@/lib/protocol/api';
import { approversSchema } from '@/lib/protocol/definition-common';
import { workflowEventSchema } from '@/lib/protocol/event';
import { inputAnswerSchema, inputRequestSchema } from '@/lib/protocol/input-required';
import { failureSchema, nodeViewSchema, RUN_STATUSES, runDetailSchema } from '@/lib/protocol/run';

/** REST bodies about the life of a run: commands to it, new runs of its chain, and what can be read of it. */

/** Largest number that fits where histories and versions count. */
export const MAX_COUNT = 2_147_483_647;

/** Text of one line that a database can keep: no control characters. */
export function plainText(max: number) {
  return (
    z
      .string()
      .min(1)
      .max(max)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
      .regex(/^[^\u0000-\u001f]*$/, 'must not hold control characters')
  );
}

const comment = z.string().max(10_000).optional();

/** Answer to a command that was written down: its owner carries it out as soon as it comes to it. */
export const acceptedSchema = z.object({ accepted: z.literal(true) });

/** `approvalId` may be left out when the run has exactly one open question. `form` is checked against the question's own schema. */
export const approveBodySchema = z.strictObject({
  approvalId: plainText(2000).optional(),
  comment,
  form: z.json().optional(),
});
export type ApproveBody = z.infer<typeof approveBodySchema>;

export const rejectBodySchema = z.strictObject({ approvalId: plainText(2000).optional(), comment });

export const OUTCOME_RESOLUTIONS = ['retry', 'completed', 'failed'] as const;

/**
 * What became of a call whose outcome nobody knows: `retry` makes it again, `completed` takes `output` as its result,
 * `failed` fails it. `nodePath` may be left out when exactly one call of the run waits for this.
 */
export const resolveBodySchema = z
  .strictObject({
    nodePath: plainText(2000).optional(),
    resolution: z.enum(OUTCOME_RESOLUTIONS),
    output: z.json().optional(),
    comment,
  })
  .refine((body) => body.output === undefined || body.resolution === 'completed', {
    message: 'belongs to the resolution completed',
    path: ['output'],
  });
export type ResolveBody = z.infer<typeof resolveBodySchema>;

/**
 * Answers to what a server asks in the middle of a call: `answer` when it asks one thing, else `answers` by the keys of the
 * requests. `nodePath` may be left out when exactly one call of the run asks.
 */
export const inputBodySchema = z
  .strictObject({
    nodePath: plainText(2000).optional(),
    answer: inputAnswerSchema.optional(),
    answers: z.record(z.string(), inputAnswerSchema).optional(),
    comment,
  })
  .refine((body) => (body.answer === undefined) !== (body.answers === undefined), {
    message: 'give either answer or answers',
    path: ['answer'],
  });
export type InputBody = z.infer<typeof inputBodySchema>;

/** Without `input` the new run gets the one of the run before. */
export const retryBodySchema = z.strictObject({});
export const rerunBodySchema = z.strictObject({ nodeId: plainText(64) });
export const restartBodySchema = z.strictObject({
  /** `current`: the version the run had. `latest`: the newest one now. */
  version: z.enum(['current', 'latest']).default('current'),
  input: z.json().optional(),
});
export type RestartBody = z.infer<typeof restartBodySchema>;

/** The runs around a run: before and after it in its chain, and the one that started it. Its children: list with `parentRunId`. */
export const runLinksSchema = z.object({
  previousRunId: z.string().nullable(),
  /** Runs that were started from this one, oldest first. */
  nextRunIds: z.array(z.string()),
  parentRunId: z.string().nullable(),
  parentNodePath: z.string().nullable(),
});
export type RunLinks = z.infer<typeof runLinksSchema>;

/** Everything that is known of a run. */
export const runRecordSchema = runDetailSchema.extend({
  startedBy: z.string(),
  searchAttributes: z.record(z.string(), z.json()),
  /** Its trace, for the screens of a tracing system; null when it was started while tracing was off. */
  traceId: z.string().nullable(),
  links: runLinksSchema,
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** A list of statuses with commas between, as a query parameter carries it. */
export const statusListSchema = z
  .string()
  .max(200)
  .transform((text, context) => {
    const names = text.split(',');
    const known = RUN_STATUSES.filter((status) => names.includes(status));
    const stranger = names.find((name) => !(RUN_STATUSES as readonly string[]).includes(name));
    if (stranger === undefined) return known;
    context.addIssue({ code: 'custom', message: `"${stranger}" is not one of ${RUN_STATUSES.join(', ')}` });
    return z.NEVER;
  });

/** A time within the years that ids and the database can hold. */
export const timeSchema = z.iso
  .datetime({ offset: true })
  .refine((text) => text >= '2000' && text < '3000', 'must lie between the years 2000 and 3000');

export const runFilterQuerySchema = z.strictObject({
  view: plainText(200)
    .optional()
    .describe('Id or name of a saved view; its filters hold unless another one is given.'),
  status: statusListSchema.optional().describe('One status, or several with commas between.'),
  workflow: plainText(200).optional().describe('Name of the workflow.'),
  workflowId: plainText(1000).optional().describe('Name of the chain of runs.'),
  parentRunId: z.uuid().optional().describe('Runs that this run started.'),
  startedAfter: timeSchema.optional().describe('ISO 8601; runs created at this time or later.'),
  startedBefore: timeSchema.optional().describe('ISO 8601; runs created before this time.'),
  attribute: z
    .string()
    .max(1000)
    .regex(/^[^:]{1,100}:/, 'write NAME:VALUE')
    .optional()
    .describe('A search attribute as NAME:VALUE.'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(100).optional().describe('`nextCursor` of the page before.'),
});

export const eventPathSchema = z.strictObject({
  runId: z.string(),
  seq: z.coerce.number().int().min(1).max(MAX_COUNT),
});

/** One bar of a timeline. Times are milliseconds since 1970. */
export const timelineGroupSchema = z.object({
  path: z.string(),
  parent: z.string().nullable(),
  segments: z.array(
    z.object({
      kind: z.enum(['scheduled', 'running', 'waiting', 'backing_off', 'unknown_outcome', 'compensating']),
      fromMs: z.number(),
      toMs: z.number().nullable(),
    }),
  ),
  attempts: z.int(),
  outcome: z.enum(['open', 'completed', 'failed', 'cancelled', 'skipped', 'compensated']),
  events: z.array(z.int()),
});
export const timelineSchema = z.object({
  runId: z.string(),
  startedMs: z.number(),
  /** Null while the run is open. */
  closedMs: z.number().nullable(),
  items: z.array(timelineGroupSchema),
});

/** How a run stands and what its servers did; durations and latencies in milliseconds. */
export const workflowMetricsSchema = z.object({
  workflowId: z.string(),
  runId: z.string(),
  status: z.enum(['running', 'completed', 'failed', 'paused']),
  currentActivity: z.string().nullable(),
  completedActivities: z.array(z.string()),
  duration: z.number(),
  serverMetrics: z.record(
    z.string(),
    z.object({
      callCount: z.number(),
      avgLatency: z.number(),
      errorRate: z.number(),
      lastCall: z.string(),
    }),
  ),
  usage: z.object({
    calls: z.number(),
    errors: z.number(),
    totalMs: z.number(),
    bytesIn: z.number(),
    bytesOut: z.number(),
    tokens: z.number(),
    costUsd: z.number(),
  }),
});

export const revealSchema = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')
  .describe('Sensitive values as they are. Needs `payloads:reveal`; each use is in the audit log.');
export const revealQuerySchema = z.strictObject({ reveal: revealSchema });

export const historyQuerySchema = z.strictObject({
  reveal: revealSchema,
  format: z.enum(['native', 'temporal']).default('native'),
});
/** A whole history: ours, or in the shape of a Temporal history file. */
export const historySchema = z.object({
  runId: z.string().optional(),
  events: z.array(z.union([workflowEventSchema, z.record(z.string(), z.json())])),
});

export const payloadQuerySchema = z.strictObject({
  reveal: revealSchema,
  node: plainText(2000).describe('Full path of the node, iterations included: `loop/3/extract`.'),
});
/** One node with its whole input and output. */
export const payloadSchema = nodeViewSchema;

const taskBase = {
  /** Stable while the task is open. */
  taskId: z.string(),
  runId: z.string(),
  workflowId: z.string(),
  workflow: z.string(),
  version: z.int(),
  nodePath: z.string(),
  since: z.string(),
};

/** Something that waits for a person. */
export const taskSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('approval'),
    ...taskBase,
    approvalId: z.string(),
    title: z.string(),
    description: z.string().nullable(),
    quorum: z.int(),
    approvers: z.array(approversSchema).describe('Anybody who may approve at all when it is empty.'),
    decisions: z.array(
      z.object({
        by: z.string(),
        decision: z.enum(['approve', 'reject']),
        comment: z.string().nullable(),
        at: z.string(),
      }),
    ),
    form: z.record(z.string(), z.json()).nullable().describe('JSON Schema of what a yes brings along.'),
    subject: z.json().nullable().describe('What the guarded call would be made with.'),
    deadline: z.string().nullable(),
    mayDecide: z.boolean().describe('True when the caller can decide it now.'),
  }),
  z.object({
    kind: z.literal('unknown-outcome'),
    ...taskBase,
    purpose: z.enum(['do', 'compensate']),
    server: z.string().nullable(),
    tool: z.string().nullable(),
    attempt: z.int(),
    input: z.json().nullable(),
    failure: failureSchema.nullable(),
  }),
  z.object({
    kind: z.literal('input'),
    ...taskBase,
    server: z.string().nullable(),
    tool: z.string().nullable(),
    requests: z.array(inputRequestSchema).describe('What the server asks; answered with /input.'),
  }),
]);
export type Task = z.infer<typeof taskSchema>;
export const taskPageSchema = pageSchema(taskSchema);

export const listTasksQuerySchema = z.strictObject({
  kind: z.enum(['approval', 'unknown-outcome', 'input']).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(100).optional().describe('`nextCursor` of the page before.'),
});
