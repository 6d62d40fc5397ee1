import { erasureBodySchema, erasureReportSchema } from '@/lib/protocol/api-erasure';
import { answers, type Operation, operation } from '@/server/adapters/http/operation';
import type { ErasureService } from '@/server/services/erasure-service';

/** Erasure of a person's data. */
export function erasureOperations(erasures: ErasureService): Operation[] {
  return [
    operation({
      id: 'erasePerson',
      tag: 'identity',
      method: 'POST',
      path: '/api/v1/erasures',
      summary: 'Erase a person’s data, or see what that would remove.',
      description:
        'Your own in your own right; anybody else’s needs `users:manage`, an owner’s an owner. It cannot be taken back: ask with ' +
        '`dryRun` first. Runs, decisions and the audit log keep the id, which stands for nobody then.',
      permission: 'about:read',
      body: erasureBodySchema,
      answers: answers(200, 'What was removed, and what is kept.', erasureReportSchema),
      errors: ['MEMBER_NOT_FOUND', 'LAST_OWNER'],
      handle: async ({ actor, body }) => ({ status: 200, body: await erasures.erase(actor, body) }),
    }),
  ];
}
