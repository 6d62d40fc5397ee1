import { z } from 'zod';
import { pageSchema, TOPICS } from '@/lib/protocol/api';
import { MAX_COUNT, revealSchema } from '@/lib/protocol/api-runs';
import { streamEventSchema } from '@/lib/protocol/event';

/** REST queries about events. */

const reading = {
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  waitMs: z.coerce
    .number()
    .int()
    .min(0)
    .max(30_000)
    .default(0)
    .describe('Long poll: milliseconds to wait for a first entry when there is none yet.'),
  follow: z.enum(['', 'true', '1']).optional().describe('Server-sent events instead of one page.'),
};

export const listEventsQuerySchema = z.strictObject({
  after: z.coerce.number().int().min(0).max(MAX_COUNT).default(0).describe('Only events with a larger seq.'),
  ...reading,
  reveal: revealSchema,
});

export const listStreamQuerySchema = z.strictObject({
  topic: z.enum(TOPICS).default('runs'),
  after: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Only entries with a larger number; a page begins with the first entry when it is left out.'),
  ...reading,
});

export const streamPageSchema = pageSchema(streamEventSchema);
