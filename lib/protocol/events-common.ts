import { z } from 'zod';

/** What the catalogue says about one event type. `data` is the schema of its payload. */
export interface EventEntry<T extends z.ZodType = z.ZodType> {
  /** When it is written. */
  when: string;
  /** Who makes it: `host` = a fact from outside, fed into the engine; `engine` = a decision or a consequence. */
  origin: 'host' | 'engine';
  /** Temporal's event type of the same meaning; MARKER_RECORDED where it has none. */
  temporal: string;
  data: T;
}

/** Keeps the exact schema type of an entry. */
export function entry<T extends z.ZodType>(
  origin: EventEntry['origin'],
  temporal: string,
  when: string,
  data: T,
): EventEntry<T> {
  return { when, origin, temporal, data };
}

/** Temporal's name for "something the SDK wanted to remember". */
export const MARKER = 'MARKER_RECORDED';

/** Failure as it lies in events: failureSchema of run.ts, repeated here to keep optional parts plain. */
export const eventFailure = z.object({
  code: z.string(),
  message: z.string(),
  retriable: z.boolean().optional(),
  nodePath: z.string().optional(),
  details: z.json().optional(),
});

export const nodePath = z
  .string()
  .describe('Full path of the node, iterations and branches included: `loop/3/extract`.');
export const activityId = z
  .string()
  .describe('`nodePath:do` or `nodePath:compensate`; the same for every attempt.');
export const attempt = z.int().positive().describe('1, 2, 3 … counted over the attempts of this activity.');
export const by = z.string().optional().describe('Id of the actor.');
export const reason = z.string().optional();
export const epochMs = z.int().describe('Milliseconds since 1970-01-01T00:00:00Z.');

/** What is called. */
export const targetSchema = z.union([
  z.object({ kind: z.literal('mcp'), server: z.string(), tool: z.string() }),
  z.object({ kind: z.literal('function'), name: z.string() }),
]);
export type ActivityTarget = z.infer<typeof targetSchema>;

/** What a call used, as the host measured it. */
export const usageSchema = z.object({
  durationMs: z.number().min(0),
  bytesIn: z.number().min(0).optional(),
  bytesOut: z.number().min(0).optional(),
  tokens: z.number().min(0).optional(),
  costUsd: z.number().min(0).optional(),
});
export type Usage = z.infer<typeof usageSchema>;
