import { z } from 'zod';
import {
  approvalSettingsSchema,
  callBase,
  durationSchema,
  durationTemplateSchema,
  edgeSchema,
  expressionSchema,
  nodeBase,
  nodeIdSchema,
  portSchema,
  slugSchema,
  type WorkflowEdge,
} from '@/lib/protocol/definition-common';

const mcpServerNode = z.strictObject({
  ...nodeBase,
  ...callBase,
  kind: z.literal('mcp-server'),
  server: z.string().min(1).max(200),
  tool: z.string().min(1).max(200),
  /** Arguments of the tool; any string inside may hold `${ }`. */
  arguments: z.record(z.string(), z.json()).optional(),
});
export type McpServerNode = z.infer<typeof mcpServerNode>;

const activityNode = z.strictObject({
  ...nodeBase,
  ...callBase,
  kind: z.literal('activity'),
  /** Name of a function that the process offers. */
  activity: z.string().min(1).max(200),
  input: z.json().optional(),
});
export type ActivityNode = z.infer<typeof activityNode>;

const transformNode = z.strictObject({ ...nodeBase, kind: z.literal('transform'), output: z.json() });
export type TransformNode = z.infer<typeof transformNode>;

const conditionNode = z.strictObject({
  ...nodeBase,
  kind: z.literal('condition'),
  /** The first case whose `when` is true gives the port; none: the port `else`. */
  cases: z
    .array(z.strictObject({ port: portSchema, when: expressionSchema }))
    .min(1)
    .max(100),
});
export type ConditionNode = z.infer<typeof conditionNode>;

const aggregatorNode = z.strictObject({
  ...nodeBase,
  kind: z.literal('aggregator'),
  /** What becomes of the results of the nodes before it; `output` replaces this by a template. */
  mode: z.enum(['object', 'list', 'first', 'merge']).optional(),
  output: z.json().optional(),
  /** Cancel what still runs only for this node once it goes ahead (`any`, `{ atLeast }`). */
  cancelRest: z.boolean().optional(),
});
export type AggregatorNode = z.infer<typeof aggregatorNode>;

const waitNode = z
  .strictObject({
    ...nodeBase,
    kind: z.literal('wait'),
    duration: durationTemplateSchema.optional(),
    /** ISO 8601 time, or an expression that gives one (or epoch milliseconds). */
    until: z.string().min(1).max(10_000).optional(),
    /** Name of the signal; may hold `${ }`. Its payload is the output. */
    signal: z.string().min(1).max(200).optional(),
    /** For `signal`: after this the port `timeout` is taken, or the node fails with TIMEOUT when there is none. */
    timeout: durationSchema.optional(),
  })
  .refine(
    (node) => [node.duration, node.until, node.signal].filter((part) => part !== undefined).length === 1,
    {
      message: 'give exactly one of duration, until and signal',
      path: ['duration'],
    },
  )
  .refine((node) => node.timeout === undefined || node.signal !== undefined, {
    message: 'timeout belongs to a wait for a signal',
    path: ['timeout'],
  });
export type WaitNode = z.infer<typeof waitNode>;

const approvalNode = z.strictObject({
  ...nodeBase,
  ...approvalSettingsSchema.shape,
  kind: z.literal('approval'),
});
export type ApprovalNode = z.infer<typeof approvalNode>;

const subworkflowNode = z.strictObject({
  ...nodeBase,
  kind: z.literal('subworkflow'),
  workflow: slugSchema,
  version: z.int().positive().optional(),
  /** May hold `${ }`; `runId/nodePath` when left out. */
  workflowId: z.string().min(1).max(1000).optional(),
  input: z.json().optional(),
  timeout: durationSchema.optional(),
  /** What happens to the child when this run closes or the node is cancelled. */
  parentClosePolicy: z.enum(['terminate', 'cancel', 'abandon']).optional(),
});
export type SubworkflowNode = z.infer<typeof subworkflowNode>;

const terminateNode = z.strictObject({
  ...nodeBase,
  kind: z.literal('terminate'),
  /** `continue-as-new` ends this run and starts the next one of the chain with `input`. */
  status: z.enum(['completed', 'failed', 'cancelled', 'continue-as-new']).optional(),
  output: z.json().optional(),
  message: z.string().max(10_000).optional(),
  input: z.json().optional(),
});
export type TerminateNode = z.infer<typeof terminateNode>;

/** A graph of its own inside a container: its nodes are seen by each other, not from outside. */
export interface GraphBody {
  nodes: WorkflowNode[];
  edges?: WorkflowEdge[] | undefined;
}

const nodes: z.ZodType<WorkflowNode[]> = z.lazy(() => z.array(nodeSchema).min(1).max(5000));
const edges = z.array(edgeSchema).max(20_000).optional();

const sequentialBase = z.strictObject({
  ...nodeBase,
  kind: z.literal('sequential'),
  timeout: durationSchema.optional(),
  /** Left out: the output of the last node. */
  output: z.json().optional(),
});
const sequentialNode = sequentialBase.extend({ nodes, edges });
export type SequentialNode = z.infer<typeof sequentialBase> & GraphBody;

const branchBase = z.strictObject({
  id: nodeIdSchema,
  name: z.string().max(200).optional(),
  output: z.json().optional(),
});
export type ParallelBranch = z.infer<typeof branchBase> & GraphBody;

const parallelBase = z.strictObject({
  ...nodeBase,
  kind: z.literal('parallel'),
  timeout: durationSchema.optional(),
  /** How many branches must complete; the rest is cancelled. Default: all. */
  branchJoin: z
    .union([z.enum(['all', 'any']), z.strictObject({ atLeast: z.int().min(1).max(1000) })])
    .optional(),
});
const parallelNode = parallelBase.extend({
  branches: z.array(branchBase.extend({ nodes, edges })).min(1).max(1000),
});
export type ParallelNode = z.infer<typeof parallelBase> & { branches: ParallelBranch[] };

const loopBase = z.strictObject({
  ...nodeBase,
  kind: z.literal('loop'),
  mode: z.enum(['for-each', 'while']),
  /** for-each: a list, or an expression that gives one. */
  items: z.union([expressionSchema, z.array(z.json()).max(10_000)]).optional(),
  /** Names of the loop's variables in expressions: `item` and `index` when left out. */
  as: nodeIdSchema.optional(),
  indexAs: nodeIdSchema.optional(),
  /** for-each: how many iterations at the same time; 1 when left out. */
  concurrency: z.int().min(1).max(1000).optional(),
  /** for-each: `fail` at the first failed iteration (default), `continue` and report, or tolerate a number of them. */
  onItemFailure: z
    .union([z.enum(['fail', 'continue']), z.strictObject({ tolerate: z.int().min(0).max(10_000) })])
    .optional(),
  /** while: asked before each iteration; sees `index` and `last` (output of the iteration before, null at first). */
  while: expressionSchema.optional(),
  /** The bound: needed for `while`, 10,000 for `for-each`. */
  maxIterations: z.int().min(1).max(10_000).optional(),
  /** while: what reaching the bound does. */
  onBound: z.enum(['fail', 'stop']).optional(),
  timeout: durationSchema.optional(),
  /** Result of one iteration; left out: the output of the body's last node. */
  output: z.json().optional(),
});
const loopNode = loopBase
  .extend({ body: z.strictObject({ nodes, edges }) })
  .refine((node) => (node.mode === 'for-each' ? node.items !== undefined : node.items === undefined), {
    message: 'for-each needs items; while has none',
    path: ['items'],
  })
  .refine((node) => (node.mode === 'while' ? node.while !== undefined : node.while === undefined), {
    message: 'while needs a condition in `while`; for-each has none',
    path: ['while'],
  })
  .refine((node) => node.mode !== 'while' || node.maxIterations !== undefined, {
    message: 'a while loop needs a bound: maxIterations',
    path: ['maxIterations'],
  });
export type LoopNode = z.infer<typeof loopBase> & { body: GraphBody };

export type WorkflowNode =
  | McpServerNode
  | ActivityNode
  | TransformNode
  | ConditionNode
  | ParallelNode
  | SequentialNode
  | AggregatorNode
  | LoopNode
  | WaitNode
  | ApprovalNode
  | SubworkflowNode
  | TerminateNode;

/** One node of any kind. */
export const nodeSchema = z
  .discriminatedUnion('kind', [
    mcpServerNode,
    activityNode,
    transformNode,
    conditionNode,
    parallelNode,
    sequentialNode,
    aggregatorNode,
    loopNode,
    waitNode,
    approvalNode,
    subworkflowNode,
    terminateNode,
  ])
  .meta({ id: 'node' }) as unknown as z.ZodType<WorkflowNode>;
