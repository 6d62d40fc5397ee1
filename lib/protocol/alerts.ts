import { z } from 'zod';

/** REST bodies of /api/v1/alerts. Times are ISO 8601 UTC. */

export const ALERT_RULES = ['queue-depth', 'failure-rate', 'breaker-open', 'server-unreachable'] as const;
export type AlertRule = (typeof ALERT_RULES)[number];

export const ALERT_STATES = ['firing', 'resolved'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

const enabled = z.boolean().default(true);

/** Rules with their thresholds. What is left out has its usual value. */
export const alertRulesSchema = z.strictObject({
  'queue-depth': z
    .strictObject({
      enabled,
      above: z.int().min(1).max(1_000_000_000).default(10_000).describe('Commands waiting for an engine.'),
    })
    .prefault({}),
  'failure-rate': z
    .strictObject({
      enabled,
      abovePercent: z.number().min(0).max(100).default(10).describe('Share of the runs that closed.'),
      minutes: z.int().min(1).max(60).default(5).describe('Window that is looked at.'),
      minimumFailures: z.int().min(1).max(1_000_000).default(3).describe('Fewer failures are no alert.'),
    })
    .prefault({}),
  'breaker-open': z.strictObject({ enabled }).prefault({}),
  'server-unreachable': z
    .strictObject({
      enabled,
      probes: z.int().min(1).max(20).default(2).describe('Failed probes in a row.'),
    })
    .prefault({}),
  resolveAfterSeconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(60)
    .describe('An alert is resolved when its condition has not held for this long.'),
});
export type AlertRules = z.infer<typeof alertRulesSchema>;

/** The rules of an organisation that never changed them. */
export const USUAL_ALERT_RULES: AlertRules = alertRulesSchema.parse({});

export const alertSchema = z.object({
  id: z.string(),
  rule: z.enum(ALERT_RULES),
  /** Name of the server it is about; null for the whole organisation. */
  subject: z.string().nullable(),
  state: z.enum(ALERT_STATES),
  message: z.string(),
  /** What was measured last, and what it must not pass. */
  value: z.number(),
  threshold: z.number(),
  raisedAt: z.string(),
  updatedAt: z.string(),
  resolvedAt: z.string().nullable(),
});
export type AlertBody = z.infer<typeof alertSchema>;

export const listAlertsQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.uuid().optional(),
  state: z.enum(ALERT_STATES).optional(),
});
