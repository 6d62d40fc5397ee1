import { pageSchema } from '@/lib/protocol/api';
import {
  type AuditEntryBody,
  auditEntrySchema,
  auditVerificationSchema,
  exportAuditQuerySchema,
  listAuditQuerySchema,
  putQuotasBodySchema,
  quotasSchema,
} from '@/lib/protocol/api-audit';
import { csvField } from '@/lib/shared/csv';
import { answers, type Operation, operation } from '@/server/adapters/http/operation';
import type { AuditService } from '@/server/services/audit-service';
import type { QuotaService } from '@/server/services/quota-service';

const tag = 'audit';
const COLUMNS = [
  'seq',
  'at',
  'actorKind',
  'actorId',
  'action',
  'object',
  'source',
  'details',
  'hash',
  'id',
] as const;

/** A value as a field of CSV (RFC 4180). What a spreadsheet would take for a formula gets an apostrophe. */
function field(value: unknown): string {
  const text =
    value === null || value === undefined
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);
  return csvField(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
}

/** Entries as text, one chunk a pull, so that a slow reader never makes us hold the whole log. */
function stream(
  entries: AsyncGenerator<AuditEntryBody>,
  format: 'csv' | 'jsonl',
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let first = true;
  return new ReadableStream({
    async pull(controller) {
      let chunk = first && format === 'csv' ? `${COLUMNS.join(',')}\r\n` : '';
      first = false;
      for (let n = 0; n < 500; n++) {
        const { done, value } = await entries.next();
        if (done) {
          if (chunk !== '') controller.enqueue(encoder.encode(chunk));
          controller.close();
          return;
        }
        chunk +=
          format === 'jsonl'
            ? `${JSON.stringify(value)}\n`
            : `${COLUMNS.map((name) => field(value[name])).join(',')}\r\n`;
      }
      controller.enqueue(encoder.encode(chunk));
    },
    async cancel() {
      await entries.return(undefined);
    },
  });
}

/** Operations on the audit log, and on what may be used. */
export function auditOperations(audit: AuditService, quotas: QuotaService): Operation[] {
  return [
    operation({
      id: 'listAudit',
      tag,
      method: 'GET',
      path: '/api/v1/audit',
      summary: 'Search the audit log, newest first.',
      permission: 'audit:read',
      query: listAuditQuerySchema,
      answers: answers(200, 'One page.', pageSchema(auditEntrySchema)),
      errors: [],
      handle: async ({ actor, query: { limit, cursor, ...filter } }) => ({
        status: 200,
        body: await audit.search(actor, filter, limit, cursor),
      }),
    }),
    operation({
      id: 'verifyAudit',
      tag,
      method: 'GET',
      path: '/api/v1/audit/verify',
      summary: 'Walk the hash chain of the audit log and name the first entry that was changed.',
      permission: 'audit:read',
      answers: answers(200, 'What was found.', auditVerificationSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: await audit.verify(actor) }),
    }),
    operation({
      id: 'exportAudit',
      tag,
      method: 'GET',
      path: '/api/v1/audit/export',
      summary: 'Export the audit log as CSV or JSON lines.',
      permission: 'audit:read',
      query: exportAuditQuerySchema,
      answers: {
        200: {
          description: 'Every entry that fits, newest first.',
          content: { 'application/jsonl': null, 'text/csv': null },
        },
      },
      errors: [],
      handle: async ({ actor, query: { format, ...filter } }) =>
        new Response(stream(audit.export(actor, filter), format), {
          headers: {
            'content-type': format === 'csv' ? 'text/csv; charset=utf-8' : 'application/jsonl',
            'content-disposition': `attachment; filename="audit.${format}"`,
            'cache-control': 'no-store',
          },
        }),
    }),
    operation({
      id: 'getQuotas',
      tag,
      method: 'GET',
      path: '/api/v1/quotas',
      summary: 'Read how much the organisation may use, and how much it uses.',
      permission: 'organization:read',
      answers: answers(200, 'Limits (null = none) and use.', quotasSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: await quotas.read(actor) }),
    }),
    operation({
      id: 'putQuotas',
      tag,
      method: 'PUT',
      path: '/api/v1/quotas',
      summary: 'Set how much the organisation may use.',
      permission: 'organization:manage',
      body: putQuotasBodySchema,
      answers: answers(200, 'Limits and use.', quotasSchema),
      errors: [],
      handle: async ({ actor, body }) => ({ status: 200, body: await quotas.set(actor, body) }),
    }),
  ];
}
