import { z } from 'zod';

const text = z.string().min(1).max(200);

const filters = {
  actor: text.optional().describe('Id of the person.'),
  action: text.optional().describe('Beginning of the action: `run.` finds run.start and run.cancel.'),
  object: text.optional().describe('What was written to, exactly.'),
  since: z.iso.datetime().optional(),
  until: z.iso.datetime().optional(),
};
export const listAuditQuerySchema = z.object({
  ...filters,
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(100).optional().describe('`nextCursor` of the page before.'),
});
export const exportAuditQuerySchema = z.object({
  ...filters,
  format: z.enum(['csv', 'jsonl']).default('jsonl'),
});
export type AuditFilter = Pick<z.infer<typeof listAuditQuerySchema>, keyof typeof filters>;

export const auditEntrySchema = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  actorKind: z.string(),
  actorId: z.string(),
  action: z.string(),
  object: z.string(),
  details: z.unknown(),
  source: z.string().nullable(),
  /** Place in the chain; null until the next batch is sealed, within seconds. */
  seq: z.int().nullable(),
  hash: z.string().nullable(),
});
export type AuditEntryBody = z.infer<typeof auditEntrySchema>;

export const auditVerificationSchema = z.object({
  ok: z.boolean(),
  /** Sealed entries that were looked at. */
  checked: z.int(),
  /** Entries that wait for the next batch. */
  unsealed: z.int(),
  /** Hash of the end of the chain: kept elsewhere, it proves later that nothing before it was changed. */
  head: z.string(),
  broken: z
    .object({ seq: z.int(), id: z.string().nullable(), fault: z.enum(['changed', 'missing', 'cut']) })
    .nullable(),
});
export type AuditVerification = z.infer<typeof auditVerificationSchema>;

const limit = z.int().min(0).max(1_000_000_000_000_000).nullable();
export const quotaLimitsSchema = z.object({
  maxOpenRuns: limit,
  maxRunsPerDay: limit,
  maxServers: limit,
  maxStorageBytes: limit,
});
export type QuotaLimits = z.infer<typeof quotaLimitsSchema>;
export const putQuotasBodySchema = z.strictObject({
  maxOpenRuns: z.int().min(0).max(2_000_000_000).nullable(),
  maxRunsPerDay: z.int().min(0).max(2_000_000_000).nullable(),
  maxServers: z.int().min(0).max(2_000_000_000).nullable(),
  maxStorageBytes: z.int().min(0).max(9_000_000_000_000_000).nullable(),
});
export const quotasSchema = z.object({
  limits: quotaLimitsSchema,
  usage: z.object({
    openRuns: z.int(),
    runsToday: z.int(),
    servers: z.int(),
    storageBytes: z.int(),
  }),
});
export type QuotasBody = z.infer<typeof quotasSchema>;
