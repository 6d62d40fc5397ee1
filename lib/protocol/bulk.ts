import { z } from 'zod';
import { runStatusSchema } from '@/lib/protocol/run';

/** REST bodies of /api/v1/bulk-operations. Times are ISO 8601. */

/** What can be done to many runs at once. */
export const BULK_ACTIONS = ['pause', 'resume', 'cancel', 'terminate', 'signal', 'retry'] as const;
export type BulkAction = (typeof BULK_ACTIONS)[number];

/**
 * Which runs: all that fit everything given. Without `ids`, only open ones; for `retry` only closed ones that were not
 * taken up again yet, and without a status those that failed, timed out or went to dead-letter.
 */
export const bulkFilterSchema = z.strictObject({
  status: z.array(runStatusSchema).min(1).max(20).optional(),
  workflow: z.string().min(1).max(200).optional(),
  startedAfter: z.iso.datetime({ offset: true }).optional(),
  startedBefore: z.iso.datetime({ offset: true }).optional(),
  ids: z.array(z.uuid()).min(1).max(10_000).optional(),
});
export type BulkFilterBody = z.infer<typeof bulkFilterSchema>;

export const createBulkBodySchema = z.strictObject({
  action: z.enum(BULK_ACTIONS),
  filter: bulkFilterSchema,
  reason: z.string().max(2000).optional(),
  /** For `signal`. */
  signal: z.strictObject({ name: z.string().min(1).max(200), payload: z.json().optional() }).optional(),
  /** Only count the runs that fit. */
  dryRun: z.boolean().default(false),
});
export type CreateBulkBody = z.infer<typeof createBulkBodySchema>;

/** A bulk operation and how far it is. */
export const bulkOperationSchema = z.object({
  /** Null for a dry run. */
  bulkId: z.string().nullable(),
  action: z.enum(BULK_ACTIONS),
  /** In lists without `ids`, of which there may be thousands. */
  filter: bulkFilterSchema,
  /** How many runs `ids` of the filter names; left out when it has none. */
  named: z.int().optional(),
  state: z.enum(['running', 'completed', 'cancelled', 'dry-run']),
  /** Runs that fitted when it was asked for. */
  matched: z.int(),
  /** Runs to which the command was handed over. */
  done: z.int(),
  failed: z.int(),
  /** The first failures. */
  failures: z.array(z.object({ runId: z.string(), code: z.string(), message: z.string() })),
  createdAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
});
export type BulkOperationBody = z.infer<typeof bulkOperationSchema>;

export const readBulkQuerySchema = z.strictObject({
  ids: z
    .enum(['true', 'false'])
    .default('true')
    .transform((value) => value === 'true')
    .describe('`false` leaves `ids` out of the filter.'),
});

export const listBulkQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
