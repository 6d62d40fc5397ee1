import { z } from 'zod';
import { streamEventSchema, workflowEventSchema } from '@/lib/protocol/event';
import { prioritySchema, runSummarySchema } from '@/lib/protocol/run';

/** REST bodies of /api/v1 and the messages of the live socket: the contract between server, CLI and browser. */

/** One page of a list. `nextCursor` is null on the last page. */
export function pageSchema<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

export const startRunBodySchema = z.strictObject({
  workflow: z.string().min(1).max(200),
  /** A version to pin; the latest when left out. */
  version: z.int().positive().max(2_147_483_647).optional(),
  /** Names the chain of runs; one is made when left out. At most one open run has it at a time. */
  workflowId: z
    .string()
    .min(1)
    .max(1000)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    .regex(/^[^\u0000-\u001f]*$/, 'must not hold control characters')
    .optional(),
  input: z.json().optional(),
  /** Servers that the run must be able to use; anything else in the workflow is refused. */
  servers: z.array(z.string().min(1)).max(100).optional(),
  /** Whose calls go first when calls have to wait: 1 (first) to 5; 3 when left out. */
  priority: prioritySchema.optional(),
});
export type StartRunBody = z.infer<typeof startRunBodySchema>;

export const signalBodySchema = z.strictObject({
  name: z.string().min(1).max(200),
  payload: z.json().optional(),
});

export const reasonBodySchema = z.strictObject({ reason: z.string().max(2000).optional() });

export const workflowSummarySchema = z.object({
  name: z.string(),
  version: z.int(),
  title: z.string().nullable(),
  description: z.string().nullable(),
  nodes: z.int(),
  servers: z.array(z.string()),
  updatedAt: z.string(),
});
export type WorkflowSummary = z.infer<typeof workflowSummarySchema>;

/** One finding of the validator. `pointer` is a JSON pointer into the definition. */
export const definitionProblemSchema = z.object({
  severity: z.enum(['error', 'warning']),
  code: z.string(),
  nodeId: z.string().nullable(),
  pointer: z.string(),
  message: z.string(),
  fix: z.string(),
});
export type DefinitionProblem = z.infer<typeof definitionProblemSchema>;

export const validationResultSchema = z.object({
  valid: z.boolean(),
  problems: z.array(definitionProblemSchema),
});
export type ValidationResult = z.infer<typeof validationResultSchema>;

export const serverSummarySchema = z.object({
  name: z.string(),
  title: z.string().nullable(),
  transport: z.enum(['stdio', 'streamable-http', 'sse']),
  /** What is run or where it is reached; secrets never shown. */
  target: z.string(),
  status: z.enum(['idle', 'connecting', 'connected', 'failed', 'disabled']),
  protocolVersion: z.string().nullable(),
  tools: z.int().nullable(),
  calls: z.int(),
  errors: z.int(),
  latencyMs: z.object({ p50: z.number(), p95: z.number() }).nullable(),
  lastError: z.string().nullable(),
});
export type ServerSummary = z.infer<typeof serverSummarySchema>;

export const toolSchema = z.object({
  name: z.string(),
  title: z.string().nullable(),
  description: z.string().nullable(),
  inputSchema: z.json(),
  outputSchema: z.json().nullable(),
  annotations: z.object({
    readOnlyHint: z.boolean().optional(),
    destructiveHint: z.boolean().optional(),
    idempotentHint: z.boolean().optional(),
    openWorldHint: z.boolean().optional(),
  }),
});
export type Tool = z.infer<typeof toolSchema>;

export const serverDetailSchema = serverSummarySchema.extend({
  version: z.string().nullable(),
  instructions: z.string().nullable(),
  toolList: z.array(toolSchema),
});
export type ServerDetail = z.infer<typeof serverDetailSchema>;

export const callToolBodySchema = z.strictObject({
  tool: z.string().min(1),
  arguments: z.record(z.string(), z.json()).default({}),
});

export const callToolResultSchema = z.object({
  isError: z.boolean(),
  content: z.array(z.json()),
  structuredContent: z.json().nullable(),
  durationMs: z.number(),
});
export type CallToolResultBody = z.infer<typeof callToolResultSchema>;

export const runPageSchema = pageSchema(runSummarySchema);
export const eventPageSchema = pageSchema(workflowEventSchema);

/** Live topics. `runs` is every run event of the organisation; `servers` what happens to its servers; `alerts` what is raised and resolved. */
export const TOPICS = ['runs', 'servers', 'alerts'] as const;
export type Topic = (typeof TOPICS)[number];

/** Client → server `subscribe`: catch up from after `after` (0 = from the beginning; left out = only what comes from now on), then live. */
export const subscribeMessageSchema = z.strictObject({
  topic: z.enum(TOPICS),
  after: z.int().min(0).optional(),
});
export type SubscribeMessage = z.infer<typeof subscribeMessageSchema>;

/** Acknowledgement of `subscribe`: the stream's newest number at that moment. */
export const subscribeAckSchema = z.union([
  z.object({ ok: z.literal(true), head: z.int().min(0) }),
  z.object({ ok: z.literal(false), code: z.string(), message: z.string() }),
]);
export type SubscribeAck = z.infer<typeof subscribeAckSchema>;

/** Server → client `events`: consecutive entries of one stream. */
export const eventsMessageSchema = z.object({
  topic: z.enum(TOPICS),
  items: z.array(streamEventSchema),
  /** Numbers between the items that the receiver does not get to see: no hole. */
  hidden: z.array(z.int().positive()).optional(),
});
export type EventsMessage = z.infer<typeof eventsMessageSchema>;

/** Server → client `progress`, to subscribers of `runs`: how far a call has come, as its server says. Volatile: none is kept. */
export interface ProgressMessage {
  runId: string;
  nodePath: string;
  /** Epoch milliseconds. */
  at: number;
  progress: number;
  total?: number;
  message?: string;
}

/** Body of /health. */
export const healthSchema = z.object({
  status: z.enum(['ok', 'degraded', 'down']),
  version: z.string(),
  uptimeMs: z.number(),
});

/** Body of /health/deep: each part with its own state. */
export const deepHealthSchema = healthSchema.extend({
  checks: z.record(
    z.string(),
    z.object({
      status: z.enum(['ok', 'degraded', 'down']),
      detail: z.string(),
      latencyMs: z.number().optional(),
    }),
  ),
});
export type DeepHealth = z.infer<typeof deepHealthSchema>;
