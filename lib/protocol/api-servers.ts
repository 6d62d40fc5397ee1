import { z } from 'zod';
import { toolSchema } from '@/lib/protocol/api';
import { serverConfigSchema, serverNameSchema } from '@/lib/protocol/server-config';

/** REST bodies about servers beyond listing and calling them: changing, testing, accepting, secrets. Times are ISO 8601 UTC. */

export const HEALTH_STATES = [
  'OPEN',
  'NEEDS_AUTH',
  'NOT_MCP',
  'WRONG_TRANSPORT',
  'UNREACHABLE',
  'TEMPLATE_URL',
] as const;

/** Name of a secret: what stands in `${secret:NAME}`. */
export const secretNameSchema = z
  .string()
  .max(128)
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'begin with a letter or underscore; then letters, digits, . _ -');

export const addServerBodySchema = z.strictObject({ name: serverNameSchema, config: serverConfigSchema });
export const editServerBodySchema = z.strictObject({ config: serverConfigSchema });

/** A server's configuration as it may be shown: values that look secret are references. */
export const serverConfigAnswerSchema = z.object({
  name: z.string(),
  config: serverConfigSchema,
  /** Secrets that were taken out of what was sent and stored under these names. */
  storedSecrets: z.array(z.string()),
  /** Secrets that it refers to and that are not set. */
  missingSecrets: z.array(z.string()),
});
export type ServerConfigAnswer = z.infer<typeof serverConfigAnswerSchema>;

export const importServersBodySchema = z.strictObject({
  /** The file as it is: JSON, also with comments. */
  text: z.string().max(1_000_000),
  /** What `${workspaceFolder}` stands for; the workspace of this instance when left out. */
  workspaceFolder: z.string().max(4_096).optional(),
});
export const importServersAnswerSchema = z.object({
  added: z.array(z.string()),
  storedSecrets: z.array(z.string()),
  missingSecrets: z.array(z.string()),
  problems: z.array(z.object({ pointer: z.string(), message: z.string() })),
});
export type ImportServersAnswer = z.infer<typeof importServersAnswerSchema>;

export const healthReportSchema = z.object({
  state: z.enum(HEALTH_STATES),
  at: z.string(),
  latencyMs: z.number(),
  protocolVersion: z.string().nullable(),
  detail: z.string().nullable(),
});
export type HealthReportBody = z.infer<typeof healthReportSchema>;

export const healthHistorySchema = z.object({
  /** Oldest first. */
  reports: z.array(healthReportSchema),
  /** Share of these probes that were OPEN, 0 to 1. */
  uptime: z.number().nullable(),
  latencyMs: z.object({ p50: z.number(), p95: z.number() }).nullable(),
});
export type HealthHistoryBody = z.infer<typeof healthHistorySchema>;

export const serverLogSchema = z.object({
  items: z.array(
    z.object({ at: z.string(), stream: z.enum(['stderr', 'stdout', 'client']), text: z.string() }),
  ),
});
export type ServerLogBody = z.infer<typeof serverLogSchema>;

/** How a tool stands to its accepted definition. `blocked`: its calls are refused. */
export const TOOL_STATES = ['accepted', 'added', 'changed', 'removed'] as const;
export const serverToolSchema = z.object({
  name: z.string(),
  state: z.enum(TOOL_STATES),
  blocked: z.boolean(),
  /** The difference, a line for each place. */
  change: z.string().nullable(),
  /** Null when it is gone. */
  tool: toolSchema.nullable(),
});
export type ServerTool = z.infer<typeof serverToolSchema>;
export const serverToolsSchema = z.object({ items: z.array(serverToolSchema) });

export const acceptToolsBodySchema = z.strictObject({
  /** All of them when left out. */
  tools: z.array(z.string().min(1)).min(1).max(1_000).optional(),
});

export const authorizeAnswerSchema = z.object({
  /** The page to visit; null when access works already. */
  url: z.string().nullable(),
});

export const serverEventsQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  /** Only events with a smaller id. */
  before: z.coerce.number().int().positive().optional(),
});
export const serverEventSchema = z.object({
  id: z.int(),
  server: z.string(),
  at: z.string(),
  type: z.string(),
  data: z.looseObject({}),
});
export type ServerEventBody = z.infer<typeof serverEventSchema>;

export const setSecretBodySchema = z.strictObject({ value: z.string().min(1).max(65_536) });
export const secretInfoSchema = z.object({ name: z.string(), updatedBy: z.string(), updatedAt: z.string() });
export type SecretInfoBody = z.infer<typeof secretInfoSchema>;
