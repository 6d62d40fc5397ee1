import { z } from 'zod';

/** The parts that every kind of node shares. See definition.ts for the format as a whole. */
export const NODE_KINDS = [
  'mcp-server',
  'activity',
  'transform',
  'condition',
  'parallel',
  'sequential',
  'aggregator',
  'loop',
  'wait',
  'approval',
  'subworkflow',
  'terminate',
] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

/** The longest duration, in milliseconds: 100 years. What lies further away is no time that every part can hold and write. */
export const MAX_DURATION_MS = 36_525 * 86_400_000;

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of `500ms`, `30s`, `5m`, `2h` or `7d`, however long; null for any other text. */
export function durationTextMs(text: string): number | null {
  const found = DURATION.exec(text);
  return found === null ? null : Math.round(Number(found[1]) * (UNITS[found[2] as string] as number));
}

/** `500ms`, `30s`, `5m`, `2h`, `7d`, or a number of milliseconds; 100 years at most. */
export const durationSchema = z
  .union([
    z.int().min(0).max(MAX_DURATION_MS),
    z
      .string()
      .regex(DURATION, 'write a duration such as 500ms, 30s, 5m, 2h or 7d')
      .refine((text) => (durationTextMs(text) ?? 0) <= MAX_DURATION_MS, 'at most 36525d, 100 years'),
  ])
  .meta({ id: 'duration' });
export type Duration = z.infer<typeof durationSchema>;

/** A duration, or a `${ … }` expression that gives one (text or a number of milliseconds). */
export const durationTemplateSchema = z.union([durationSchema, z.string().regex(/\$\{/).max(10_000)]);

/** Names a node; expressions use it as `${id.output…}`, so it must be a plain identifier. */
export const nodeIdSchema = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    'use letters, digits and _ (not first a digit), at most 64: expressions use the id as a name',
  )
  .meta({ id: 'nodeId' });

/** Name of a workflow: lower-case letters, digits, dot, dash, underscore. */
export const slugSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,99}$/,
    'use lower-case letters, digits, dots, dashes and underscores, at most 100',
  )
  .meta({ id: 'slug' });

/** Name of an output port, and so of what an edge can leave by. */
export const portSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, 'use letters, digits, - and _, at most 64')
  .meta({ id: 'port' });

/** One CEL expression, with or without `${ }` around it. */
export const expressionSchema = z.string().min(1).max(10_000).meta({ id: 'expression' });

/** A JSON Schema. Kept as it is; checked where it is used. */
export const jsonSchemaSchema = z.record(z.string(), z.json()).meta({ id: 'jsonSchema' });

/** When and how often a failed attempt is repeated. Every part has a default (docs/workflow-reference.md). */
export const retrySchema = z
  .strictObject({
    maxAttempts: z.int().min(1).max(100).optional(),
    initialDelay: durationSchema.optional(),
    multiplier: z.number().min(1).max(10).optional(),
    maxDelay: durationSchema.optional(),
    /** With jitter (the default), each delay lies between half of it and all of it. */
    jitter: z.boolean().optional(),
    /** Codes that may be retried, in place of the default ones. */
    retryOn: z.array(z.string().min(1).max(100)).max(50).optional(),
  })
  .meta({ id: 'retry' });
export type RetrySettings = z.infer<typeof retrySchema>;

/** Ready-made retry and timeout settings: 3 × 30 s, 2 × 10 s, 1 × 300 s. */
export const presetSchema = z.enum(['external-api', 'database', 'long-running']).meta({ id: 'preset' });

/** Who may decide: a user named here, or anybody with one of the roles. Left out: anybody who may approve at all. */
export const approversSchema = z
  .strictObject({
    users: z.array(z.string().min(1).max(200)).max(100).optional(),
    roles: z.array(z.string().min(1).max(100)).max(20).optional(),
  })
  .meta({ id: 'approvers' });
export type Approvers = z.infer<typeof approversSchema>;

/** A question to people. Used by `approval` nodes and by calls that need a yes before they are made. */
export const approvalSettingsSchema = z
  .strictObject({
    /** May hold `${ }`. */
    title: z.string().min(1).max(500).optional(),
    description: z.string().max(10_000).optional(),
    approvers: approversSchema.optional(),
    /** How many different people must say yes. */
    quorum: z.int().min(1).max(100).optional(),
    deadline: durationSchema.optional(),
    /** What the deadline does: fail the node with TIMEOUT (default), or count as a no. */
    onDeadline: z.enum(['fail', 'reject']).optional(),
    /** After this time these people may decide too. */
    escalation: z.strictObject({ after: durationSchema, approvers: approversSchema }).optional(),
    /** JSON Schema of data that a yes must bring along. */
    form: jsonSchemaSchema.optional(),
  })
  .meta({ id: 'approvalSettings' });
export type ApprovalSettings = z.infer<typeof approvalSettingsSchema>;

/** The call that undoes a completed node when the run fails or is cancelled later. */
export const compensateSchema = z
  .union([
    z.strictObject({
      server: z.string().min(1).max(200),
      tool: z.string().min(1).max(200),
      arguments: z.record(z.string(), z.json()).optional(),
      timeout: durationSchema.optional(),
      retry: retrySchema.optional(),
      preset: presetSchema.optional(),
      idempotent: z.boolean().optional(),
    }),
    z.strictObject({
      activity: z.string().min(1).max(200),
      input: z.json().optional(),
      timeout: durationSchema.optional(),
      retry: retrySchema.optional(),
      preset: presetSchema.optional(),
      idempotent: z.boolean().optional(),
    }),
  ])
  .meta({ id: 'compensate' });
export type CompensateSettings = z.infer<typeof compensateSchema>;

/**
 * When a node with several incoming edges runs: when `all` are settled and at least one was taken (default),
 * at the first taken one (`any`), at the n-th (`{ atLeast: n }`), or when all are settled and at least one of the
 * nodes before it has failed (`on-failure`).
 */
export const joinSchema = z
  .union([z.enum(['all', 'any', 'on-failure']), z.strictObject({ atLeast: z.int().min(1).max(1000) })])
  .meta({ id: 'join' });
export type Join = z.infer<typeof joinSchema>;

/** Fields that every node has. */
export const nodeBase = {
  id: nodeIdSchema,
  name: z.string().max(200).optional(),
  description: z.string().max(10_000).optional(),
  join: joinSchema.optional(),
  /** `continue`: a failure is kept in `${id.error}` and the run goes on as if the node had completed with null. */
  onError: z.enum(['fail', 'continue']).optional(),
};

/** Fields of nodes that call something outside the engine. */
export const callBase = {
  timeout: durationSchema.optional(),
  retry: retrySchema.optional(),
  preset: presetSchema.optional(),
  compensate: compensateSchema.optional(),
  approval: approvalSettingsSchema.optional(),
  /** Overrides what the tool says about itself: true = safe to repeat. */
  idempotent: z.boolean().optional(),
};

/** A connection between two nodes of one graph. `port`: a condition's case, `error`, `rejected` or `timeout`; left out = completed. */
export const edgeSchema = z
  .strictObject({
    from: nodeIdSchema,
    to: nodeIdSchema,
    port: portSchema.optional(),
  })
  .meta({ id: 'edge' });
export type WorkflowEdge = z.infer<typeof edgeSchema>;
