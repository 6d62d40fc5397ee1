import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { inOrganization } from '@/server/adapters/postgres/prisma';
import { secretContext } from '@/server/adapters/postgres/sealed-places';
import type { Sealer } from '@/server/ports/sealer';
import type { SecretStore } from '@/server/ports/secret-store';

/**
 * Secrets through Prisma, sealed.
 *
 * @param prisma a client that connects as oc_app
 */
export function createSecretStore(prisma: PrismaClient, sealer: Sealer): SecretStore {
  const context = (organizationId: string, name: string) => secretContext(organizationId, [name]);
  const at = (organizationId: string, name: string) => ({ organizationId_name: { organizationId, name } });
  return {
    async list(organizationId) {
      const rows = await inOrganization(prisma, organizationId, (tx) =>
        tx.secret.findMany({
          where: { organizationId },
          select: { name: true, updatedBy: true, updatedAt: true },
          orderBy: { name: 'asc' },
        }),
      );
      return rows.map((row) => ({ ...row, updatedAt: row.updatedAt.getTime() }));
    },

    async read(organizationId, name) {
      const row = await inOrganization(prisma, organizationId, (tx) =>
        tx.secret.findUnique({ where: at(organizationId, name) }),
      );
      return row === null ? undefined : sealer.open(row.sealed, context(organizationId, name));
    },

    async set(organizationId, name, value, by) {
      const facts = {
        sealed: sealer.seal(value, context(organizationId, name)),
        updatedBy: by,
        updatedAt: new Date(),
      };
      await inOrganization(prisma, organizationId, (tx) =>
        tx.secret.upsert({
          where: at(organizationId, name),
          create: { organizationId, name, ...facts },
          update: facts,
        }),
      );
    },

    async remove(organizationId, name) {
      const { count } = await inOrganization(prisma, organizationId, (tx) =>
        tx.secret.deleteMany({ where: { organizationId, name } }),
      );
      return count > 0;
    },
  };
}
