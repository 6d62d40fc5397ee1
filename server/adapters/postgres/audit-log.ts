import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { inOrganization } from '@/server/adapters/postgres/prisma';
import type { AuditLog } from '@/server/ports/audit-log';

/**
 * Audit entries through Prisma.
 *
 * @param prisma a client that connects as oc_app
 */
export function createAuditLog(prisma: PrismaClient): AuditLog {
  return {
    async record(actor, action, object, details) {
      const { organizationId, kind: actorKind, id: actorId } = actor;
      const source = actor.source ?? null;
      await inOrganization(prisma, organizationId, (tx) =>
        tx.auditEntry.create({
          data: {
            id: crypto.randomUUID(),
            organizationId,
            actorKind,
            actorId,
            action,
            object,
            details,
            source,
          },
        }),
      );
    },
  };
}
