import { z } from 'zod';
import {
  durationSchema,
  edgeSchema,
  jsonSchemaSchema,
  slugSchema,
  type WorkflowEdge,
} from '@/lib/protocol/definition-common';
import { nodeSchema, type WorkflowNode } from '@/lib/protocol/definition-nodes';
import { sensitivePathSchema } from '@/lib/protocol/sensitive';
import type { Json } from '@/lib/shared/json';

export { durationSchema, NODE_KINDS, type NodeKind } from '@/lib/protocol/definition-common';

/**
 * The workflow definition, format version 1: the one form that JSON, YAML, the visual builder and the TypeScript
 * builder share. Any string inside `arguments`, `input`, `output` and the like may hold CEL in `${ … }`: a string that is one
 * whole expression keeps the value's type, otherwise values are put into the text; `$${` is a literal `${`.
 * A value `{ "$secret": "NAME" }` stands for a secret: only the process that makes the call ever replaces it.
 */
export const workflowDefinitionSchema = z.strictObject({
  schemaVersion: z.literal(1),
  name: slugSchema,
  title: z.string().max(200).optional(),
  description: z.string().max(20_000).optional(),
  /** JSON Schema of the run's input. */
  input: jsonSchemaSchema.optional(),
  /** Result of the run: a template. Left out: the output of the last node, or of each of them by id. */
  output: z.json().optional(),
  outputSchema: jsonSchemaSchema.optional(),
  nodes: z.array(nodeSchema).min(1).max(5000),
  /** Without edges every node is a root: they all start at once. */
  edges: z.array(edgeSchema).max(20_000).optional(),
  /** Limit for the whole run. */
  timeout: durationSchema.optional(),
  /** Workflow that is started when this one fails or times out; it gets the failure as input. */
  failureWorkflow: slugSchema.optional(),
  /** Values to find runs by, set at the start; each may hold `${ }`. */
  searchAttributes: z.record(z.string().min(1).max(100), z.json()).optional(),
  /** Names of the secrets that the workflow may refer to. */
  secrets: z.array(z.string().min(1).max(200)).max(100).optional(),
  /** Places of the run's data that nobody is shown; marks in schemas (`x-sensitive`, `writeOnly`) count as well. */
  sensitive: z.array(sensitivePathSchema).max(1000).optional(),
  /** For people and screens only: never read by the engine. */
  ui: z
    .strictObject({
      positions: z.record(z.string(), z.strictObject({ x: z.number(), y: z.number() })).optional(),
      viewport: z.strictObject({ x: z.number(), y: z.number(), zoom: z.number() }).optional(),
      notes: z.string().max(20_000).optional(),
    })
    .optional(),
}) as unknown as z.ZodType<WorkflowDefinition>;

type Position = { x: number; y: number };

export interface WorkflowDefinition {
  schemaVersion: 1;
  name: string;
  title?: string | undefined;
  description?: string | undefined;
  input?: z.infer<typeof jsonSchemaSchema> | undefined;
  output?: Json | undefined;
  outputSchema?: z.infer<typeof jsonSchemaSchema> | undefined;
  nodes: WorkflowNode[];
  edges?: WorkflowEdge[] | undefined;
  timeout?: z.infer<typeof durationSchema> | undefined;
  failureWorkflow?: string | undefined;
  searchAttributes?: Record<string, Json> | undefined;
  secrets?: string[] | undefined;
  sensitive?: string[] | undefined;
  ui?:
    | {
        positions?: Record<string, Position> | undefined;
        viewport?: (Position & { zoom: number }) | undefined;
        notes?: string | undefined;
      }
    | undefined;
}
