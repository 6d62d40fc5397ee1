import { z } from 'zod';

/** REST bodies of /api/v1/erasures. */

export const erasureBodySchema = z.strictObject({
  person: z.union([z.literal('me'), z.email().max(200)]).describe('An address, or `me` for who asks.'),
  dryRun: z.boolean().default(false).describe('Only say what would be removed.'),
  withRuns: z
    .boolean()
    .default(false)
    .describe(
      'Delete the closed runs that the person started, with histories and contents. Needs `users:manage`.',
    ),
});
export type ErasureBody = z.infer<typeof erasureBodySchema>;

/** What is (or would be) removed, and what stays. */
export const erasureReportSchema = z.object({
  dryRun: z.boolean(),
  /** Stands for nobody afterwards; null for who was only invited. */
  userId: z.string().nullable(),
  /** False when it will be refused as things are; only a dry run says so. */
  allowed: z.boolean(),
  obstacle: z.string().nullable(),
  removed: z.array(z.object({ what: z.string(), count: z.int() })),
  kept: z.array(z.object({ what: z.string(), count: z.int(), why: z.string() })),
});
export type ErasureReport = z.infer<typeof erasureReportSchema>;
