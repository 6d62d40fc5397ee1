import { z } from 'zod';
import { pageSchema } from '@/lib/protocol/api';
import { plainText, timeSchema } from '@/lib/protocol/api-runs';
import { durationSchema } from '@/lib/protocol/definition-common';
import { RUN_STATUSES, runStatusSchema } from '@/lib/protocol/run';

/** REST bodies of /api/v1/views: saved views of the list of runs. */

/** What a list of runs can show of each run: the fields of its summary. */
export const VIEW_COLUMNS = [
  'runId',
  'status',
  'workflow',
  'version',
  'createdAt',
  'closedAt',
  'durationMs',
  'historyLength',
  'workflowId',
  'failure',
] as const;
export type ViewColumn = (typeof VIEW_COLUMNS)[number];

/** The columns of a view that names none. */
const USUAL_COLUMNS: ViewColumn[] = ['runId', 'status', 'workflow', 'createdAt', 'durationMs', 'failure'];

/** Which runs belong to a view; what is left out does not matter. */
export const viewFiltersSchema = z.strictObject({
  status: z.array(runStatusSchema).min(1).max(RUN_STATUSES.length).optional(),
  workflow: plainText(200).optional(),
  workflowId: plainText(1000).optional(),
  parentRunId: z.uuid().optional(),
  startedAfter: timeSchema.optional(),
  startedBefore: timeSchema.optional(),
  startedWithin: durationSchema.optional().describe('Runs created at most this long ago: `24h`.'),
  attribute: plainText(1000)
    .regex(/^[^:]{1,100}:/, 'write NAME:VALUE')
    .optional()
    .describe('A search attribute as NAME:VALUE.'),
});
export type ViewFilters = z.infer<typeof viewFiltersSchema>;

export const viewSortSchema = z.strictObject({
  by: z.enum(VIEW_COLUMNS),
  order: z.enum(['asc', 'desc']),
});
export type ViewSort = z.infer<typeof viewSortSchema>;

/** What a person decides about a view. */
export const viewBodySchema = z.strictObject({
  name: plainText(100).refine((name) => name.trim() === name, 'must not begin or end with a blank'),
  shared: z.boolean().default(false).describe('Seen by everybody of the organisation.'),
  filters: viewFiltersSchema.default({}),
  columns: z
    .array(z.enum(VIEW_COLUMNS))
    .min(1)
    .max(VIEW_COLUMNS.length)
    .refine((names) => new Set(names).size === names.length, 'must not name a column twice')
    .default(USUAL_COLUMNS),
  sort: viewSortSchema
    .default({ by: 'createdAt', order: 'desc' })
    .describe('Order within a page; pages themselves go from the newest run to the oldest.'),
});
export type ViewBody = z.infer<typeof viewBodySchema>;

/** A saved view. Times are ISO 8601 UTC. */
export const savedViewSchema = z.object({
  viewId: z.string(),
  name: z.string(),
  shared: z.boolean(),
  owner: z.string().describe('Id of whoever made it.'),
  mine: z.boolean(),
  filters: viewFiltersSchema,
  columns: z.array(z.enum(VIEW_COLUMNS)),
  sort: viewSortSchema,
  version: z.int(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type SavedView = z.infer<typeof savedViewSchema>;

export const viewPageSchema = pageSchema(savedViewSchema);
export const listViewsQuerySchema = z.strictObject({
  name: plainText(100).optional().describe('Only views of this name; the caller’s own stands first.'),
});
