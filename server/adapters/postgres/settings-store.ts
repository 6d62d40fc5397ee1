import type { JsonObject } from '@/lib/shared/json';
import type { OrganizationSetting, PrismaClient } from '@/server/adapters/postgres/generated/client';
import { inOrganization, type Prisma } from '@/server/adapters/postgres/prisma';
import type { SettingsStore, StoredSettings } from '@/server/ports/settings-store';

function stored(row: OrganizationSetting): StoredSettings {
  const { version, updatedBy } = row;
  return { values: row.values as JsonObject, version, updatedBy, updatedAt: row.updatedAt.getTime() };
}

/**
 * Settings of organisations through Prisma.
 *
 * @param prisma a client that connects as oc_app
 */
export function createSettingsStore(prisma: PrismaClient): SettingsStore {
  return {
    async read(organizationId) {
      const row = await inOrganization(prisma, organizationId, (tx) =>
        tx.organizationSetting.findUnique({ where: { organizationId } }),
      );
      return row === null ? { values: {}, version: 0, updatedBy: null, updatedAt: null } : stored(row);
    },

    async write(organizationId, seen, values, by) {
      const facts = {
        values: values as Prisma.InputJsonObject,
        version: seen + 1,
        updatedBy: by,
        updatedAt: new Date(),
      };
      return inOrganization(prisma, organizationId, async (tx) => {
        const where = { organizationId, version: seen };
        const { count } =
          seen === 0
            ? await tx.organizationSetting.createMany({
                data: [{ organizationId, ...facts }],
                skipDuplicates: true,
              })
            : await tx.organizationSetting.updateMany({ where, data: facts });
        if (count === 0) return null;
        const row = await tx.organizationSetting.findUnique({ where: { organizationId } });
        return row === null ? null : stored(row);
      });
    },
  };
}
