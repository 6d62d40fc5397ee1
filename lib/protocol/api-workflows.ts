import { z } from 'zod';
import { definitionProblemSchema, pageSchema, workflowSummarySchema } from '@/lib/protocol/api';
import { MAX_COUNT } from '@/lib/protocol/api-runs';
import { NODE_KINDS, workflowDefinitionSchema } from '@/lib/protocol/definition';

/** REST bodies about workflow definitions and their versions. */

export const versionQuerySchema = z.strictObject({
  version: z.coerce.number().int().min(1).max(MAX_COUNT).optional(),
});
export const versionPathSchema = z.strictObject({
  name: z.string(),
  version: z.coerce.number().int().min(1).max(MAX_COUNT),
});

export const workflowDetailSchema = workflowSummarySchema.extend({ definition: workflowDefinitionSchema });

/** One version of a workflow, without its definition. */
export const workflowVersionSchema = z.object({
  name: z.string(),
  version: z.int(),
  /** SHA-256 of the definition's canonical JSON: versions with equal content share it. */
  hash: z.string(),
  /** What If-Match takes when this version was edited. */
  etag: z.string(),
  createdBy: z.string(),
  createdAt: z.string(),
});
export type WorkflowVersionRow = z.infer<typeof workflowVersionSchema>;
export const workflowVersionPageSchema = pageSchema(workflowVersionSchema);

export const listVersionsQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(/^\d{1,9}$/, 'is not one that a list gave')
    .optional()
    .describe('`nextCursor` of the page before.'),
});

/** One node of a plan. `step` counts from 1: nodes of one step can run at the same time. */
const planNodeSchema = z.object({
  step: z.int(),
  id: z.string(),
  kind: z.enum(NODE_KINDS),
  name: z.string().nullable(),
  /** Id of the container around it, or null. */
  container: z.string().nullable(),
  /** Ids of the nodes whose end it waits for. */
  after: z.array(z.string()),
  server: z.string().nullable(),
  tool: z.string().nullable(),
  /** What the tool says of itself; null when it is not known. */
  safety: z.enum(['reads', 'repeatable', 'writes', 'destroys']).nullable(),
  needsPerson: z.boolean(),
  compensated: z.boolean(),
});

/** What a run would do, found out without doing it. */
export const workflowPlanSchema = z.object({
  name: z.string(),
  version: z.int(),
  /** False when a run would be refused now. */
  runnable: z.boolean(),
  servers: z.array(
    z.object({
      name: z.string(),
      configured: z.boolean(),
      status: z.string().nullable(),
      tools: z.array(z.string()),
    }),
  ),
  subworkflows: z.array(z.object({ name: z.string(), found: z.boolean() })),
  secrets: z.array(z.string()),
  steps: z.array(planNodeSchema),
  problems: z.array(definitionProblemSchema),
});
export type WorkflowPlan = z.infer<typeof workflowPlanSchema>;
