import { z } from 'zod';
import { durationSchema, slugSchema } from '@/lib/protocol/definition-common';
import { prioritySchema } from '@/lib/protocol/run';

/** REST bodies of /api/v1/schedules. Times are ISO 8601 UTC; durations are `30s`, `5m`, … or milliseconds. */

/** What happens to a time that comes while a run of the schedule is still open; Temporal's names. */
export const OVERLAP_POLICIES = [
  'skip',
  'buffer-one',
  'allow-all',
  'cancel-other',
  'terminate-other',
] as const;
export const overlapPolicySchema = z.enum(OVERLAP_POLICIES);
export type OverlapPolicy = z.infer<typeof overlapPolicySchema>;

/** A longer catch-up window than this would start runs that nobody remembers having asked for. */
export const MAX_CATCHUP_MS = 366 * 86_400_000;
/** Shortest interval between two times of one schedule. */
export const MIN_INTERVAL_MS = 1_000;

/** When: a cron expression in a time zone, or an interval. Exactly one of `cron` and `every`. */
const timing = {
  /** Five fields (minute … weekday), or six with seconds first; or @hourly, @daily, @weekly, @monthly, @yearly. */
  cron: z.string().min(1).max(200).optional(),
  /** IANA name; decides what the cron expression means. */
  timeZone: z.string().min(1).max(100).default('UTC'),
  /** Counted from 1970-01-01T00:00Z, so that every process agrees. */
  every: durationSchema.optional(),
  /** Moves the times of `every`: 10m with every 1h means ten past each hour. */
  offset: durationSchema.default(0),
};

/** Body of a preview: when would it run? */
export const scheduleTimingSchema = z.strictObject(timing);
export type ScheduleTiming = z.infer<typeof scheduleTimingSchema>;

/** Everything a person decides about a schedule, besides its name. */
export const scheduleSpecSchema = z.strictObject({
  ...timing,
  workflow: z.string().min(1).max(200),
  /** A version to pin; the latest at each start when left out. */
  version: z.int().positive().optional(),
  input: z.json().default({}),
  overlap: overlapPolicySchema.default('skip'),
  /** Times missed while no engine ran are started later when they are not older than this. */
  catchupWindow: durationSchema.default('1h'),
  /** Each start is delayed by up to this, the same every time it is worked out. */
  jitter: durationSchema.default(0),
  /** Of a schedule that is replaced, both stay as they are when they are left out. */
  paused: z.boolean().optional(),
  note: z.string().max(2000).optional(),
  /** Of the runs it starts: 1 (first) to 5; 3 when left out. */
  priority: prioritySchema.optional(),
});
export type ScheduleSpec = z.infer<typeof scheduleSpecSchema>;

export const createScheduleBodySchema = scheduleSpecSchema.extend({
  name: slugSchema,
  paused: z.boolean().default(false),
});
export const noteBodySchema = z.strictObject({ note: z.string().max(2000).optional() });
export const triggerBodySchema = z.strictObject({ overlap: overlapPolicySchema.optional() });
export const backfillBodySchema = z.strictObject({
  /** First time that counts. */
  from: z.iso.datetime({ offset: true }),
  /** Last time that counts. */
  to: z.iso.datetime({ offset: true }),
  overlap: overlapPolicySchema.optional(),
});
export const timesQuerySchema = z.strictObject({
  count: z.coerce.number().int().min(1).max(100).default(10),
  /** Times after this one; after now when left out. */
  after: z.iso.datetime({ offset: true }).optional(),
});

/** One time of a schedule that has come, or was asked for. */
export const occurrenceSchema = z.object({
  nominalAt: z.string(),
  dueAt: z.string(),
  kind: z.enum(['schedule', 'trigger', 'backfill']),
  state: z.enum(['waiting', 'started', 'skipped', 'missed', 'failed']),
  runId: z.string().nullable(),
  reason: z.string().nullable(),
  settledAt: z.string().nullable(),
});
export type OccurrenceBody = z.infer<typeof occurrenceSchema>;

/** A schedule as a row of a list. Durations in milliseconds. */
export const scheduleSummarySchema = z.object({
  name: z.string(),
  workflow: z.string(),
  version: z.int().nullable(),
  cron: z.string().nullable(),
  timeZone: z.string(),
  everyMs: z.int().nullable(),
  offsetMs: z.int(),
  jitterMs: z.int(),
  overlap: overlapPolicySchema,
  catchupWindowMs: z.int(),
  paused: z.boolean(),
  note: z.string().nullable(),
  priority: prioritySchema.nullable().default(null),
  nextAt: z.string().nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type ScheduleSummary = z.infer<typeof scheduleSummarySchema>;

/** A schedule with its input and what became of its latest times, newest first. */
export const scheduleDetailSchema = scheduleSummarySchema.extend({
  input: z.json(),
  recent: z.array(occurrenceSchema),
});
export type ScheduleDetail = z.infer<typeof scheduleDetailSchema>;

export const scheduleTimesSchema = z.object({ times: z.array(z.string()) });
