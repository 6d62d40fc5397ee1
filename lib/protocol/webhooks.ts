import { z } from 'zod';
import { slugSchema } from '@/lib/protocol/definition-common';

/** REST bodies of /api/v1/webhooks and what goes out to subscribers. Times are ISO 8601 UTC. */

/** How a delivery to us is signed. `standard` = Standard Webhooks; `github` = X-Hub-Signature-256. */
export const WEBHOOK_SCHEMES = ['standard', 'github'] as const;
export type WebhookScheme = (typeof WEBHOOK_SCHEMES)[number];

/** Form of what goes out. */
export const WEBHOOK_FORMATS = ['generic', 'slack', 'teams'] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** What subscribers can hear of. `webhook.disabled` tells of another subscription that was switched off. */
export const WEBHOOK_EVENTS = [
  'run.started',
  'run.completed',
  'run.failed',
  'run.cancelled',
  'run.terminated',
  'run.timed_out',
  'run.dead_letter',
  'approval.requested',
  'approval.decided',
  'approval.escalated',
  'approval.closed',
  'task.waiting',
  'task.unknown_outcome',
  'alert.raised',
  'alert.resolved',
  'webhook.disabled',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** An event as it lies in a delivery; `webhook.test` is the sample that somebody asked for. */
export type SentEvent = WebhookEvent | 'webhook.test';

/** Longest grace period of a rotated secret, and the usual one; seconds. */
export const MAX_GRACE_S = 7 * 86_400;
const USUAL_GRACE_S = 86_400;

const templateText = z.string().min(1).max(2_000);

const startAction = z.strictObject({
  kind: z.literal('start'),
  workflow: z.string().min(1).max(200),
  version: z.int().positive().max(2_147_483_647).optional().describe('The newest one when left out.'),
  workflowId: templateText.optional().describe('Template: names the chain of runs.'),
  input: z.json().optional().describe('Template over `body`, `headers`, `query`; the body when left out.'),
});

const signalAction = z.strictObject({
  kind: z.literal('signal'),
  signal: templateText.describe('Template: name of the signal.'),
  runId: templateText.optional().describe('Template: the run. Either this or `workflowId`.'),
  workflowId: templateText.optional().describe('Template: its open run is signalled.'),
  payload: z.json().optional().describe('Template; the body when left out.'),
});

/** What a delivery does. Templates hold expressions in `${ … }`, as definitions do. */
export const webhookActionSchema = z.discriminatedUnion('kind', [startAction, signalAction]);
export type WebhookAction = z.infer<typeof webhookActionSchema>;

/** What a person decides about a way in, besides its name. */
export const webhookInSpecSchema = z.strictObject({
  scheme: z.enum(WEBHOOK_SCHEMES).default('standard'),
  action: webhookActionSchema,
  when: z
    .string()
    .min(1)
    .max(2_000)
    .optional()
    .describe('Expression over `body`, `headers`, `query`: other deliveries are acknowledged and ignored.'),
  enabled: z.boolean().default(true),
});
export type WebhookInSpec = z.infer<typeof webhookInSpecSchema>;
export const createWebhookInSchema = webhookInSpecSchema.extend({ name: slugSchema });

export const webhookInSchema = z.object({
  name: z.string(),
  id: z.string(),
  /** Path to post to. */
  path: z.string(),
  scheme: z.enum(WEBHOOK_SCHEMES),
  action: webhookActionSchema,
  when: z.string().nullable(),
  enabled: z.boolean(),
  /** Until then the secret before the last rotation is good too. */
  previousSecretUntil: z.string().nullable(),
  lastAt: z.string().nullable(),
  createdBy: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type WebhookInBody = z.infer<typeof webhookInSchema>;

/** With the secret: in the answer that made it, and never again. */
export const webhookInSecretSchema = webhookInSchema.extend({ secret: z.string() });
export type WebhookInSecretBody = z.infer<typeof webhookInSecretSchema>;

export const INBOUND_STATUSES = ['accepted', 'repeated', 'ignored', 'refused'] as const;
export const inboundDeliverySchema = z.object({
  id: z.int(),
  deliveryId: z.string(),
  at: z.string(),
  status: z.enum(INBOUND_STATUSES),
  runId: z.string().nullable(),
  code: z.string().nullable(),
  error: z.string().nullable(),
  bytes: z.int(),
});
export type InboundDeliveryBody = z.infer<typeof inboundDeliverySchema>;

/** Answer to a delivery. */
export const hookAnswerSchema = z.object({
  status: z.enum(['accepted', 'repeated', 'ignored']),
  deliveryId: z.string(),
  runId: z.string().nullable(),
});
export type HookAnswer = z.infer<typeof hookAnswerSchema>;

const outSpec = {
  format: z.enum(WEBHOOK_FORMATS).default('generic'),
  events: z
    .array(z.enum(WEBHOOK_EVENTS))
    .max(WEBHOOK_EVENTS.length)
    .default([])
    .describe('What is told; everything when empty.'),
  workflow: z.string().min(1).max(200).optional().describe('Only runs of this workflow.'),
  enabled: z.boolean().default(true),
};
const url = z.url({ protocol: /^https?$/ }).max(2_000);

/** What a person decides about a subscription. The address stays as it is when it is left out. */
export const webhookOutSpecSchema = z.strictObject({ ...outSpec, url: url.optional() });
export type WebhookOutSpec = z.infer<typeof webhookOutSpecSchema>;
export const createWebhookOutSchema = z.strictObject({ ...outSpec, url, name: slugSchema });
export type CreateWebhookOut = z.infer<typeof createWebhookOutSchema>;

export const webhookOutSchema = z.object({
  name: z.string(),
  /** Where it goes, shortened: addresses of chat systems are secrets. */
  target: z.string(),
  format: z.enum(WEBHOOK_FORMATS),
  events: z.array(z.string()),
  workflow: z.string().nullable(),
  enabled: z.boolean(),
  /** Set when it was switched off after failing for long. */
  disabledAt: z.string().nullable(),
  disabledReason: z.string().nullable(),
  failingSince: z.string().nullable(),
  previousSecretUntil: z.string().nullable(),
  createdBy: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
});
export type WebhookOutBody = z.infer<typeof webhookOutSchema>;
export const webhookOutSecretSchema = webhookOutSchema.extend({ secret: z.string() });
export type WebhookOutSecretBody = z.infer<typeof webhookOutSecretSchema>;

export const OUTBOUND_STATES = ['waiting', 'delivered', 'failed'] as const;
export type OutboundState = (typeof OUTBOUND_STATES)[number];

/** One attempt. `status` is null when there was no answer. */
export const attemptSchema = z.object({
  at: z.string(),
  status: z.int().nullable(),
  latencyMs: z.int(),
  error: z.string().nullable(),
});
export type Attempt = z.infer<typeof attemptSchema>;

export const outboundDeliverySchema = z.object({
  /** Goes out as `webhook-id`. */
  id: z.string(),
  event: z.string(),
  state: z.enum(OUTBOUND_STATES),
  attempts: z.int(),
  replays: z.int(),
  nextAt: z.string().nullable(),
  createdAt: z.string(),
  settledAt: z.string().nullable(),
  /** Of the latest attempt. */
  status: z.int().nullable(),
  latencyMs: z.int().nullable(),
  error: z.string().nullable(),
  history: z.array(attemptSchema),
  payload: z.record(z.string(), z.json()),
});
export type OutboundDeliveryBody = z.infer<typeof outboundDeliverySchema>;

export const rotateBodySchema = z.strictObject({
  graceSeconds: z
    .int()
    .min(0)
    .max(MAX_GRACE_S)
    .default(USUAL_GRACE_S)
    .describe('How long the old secret is good beside the new one.'),
});
export const replayBodySchema = z.strictObject({
  since: z.iso.datetime({ offset: true }).describe('Failed deliveries made at this time or later.'),
});
export const replayAnswerSchema = z.object({ replayed: z.int() });

const limit = z.coerce.number().int().min(1).max(200).default(50);
export const inboundQuerySchema = z.strictObject({
  limit,
  cursor: z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
});
export const outboundQuerySchema = z.strictObject({
  limit,
  cursor: z.uuid().optional(),
  state: z.enum(OUTBOUND_STATES).optional(),
});
