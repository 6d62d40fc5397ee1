import type pg from 'pg';
import { serverConfigSchema } from '@/lib/protocol/server-config';
import type { Prisma, PrismaClient } from '@/server/adapters/postgres/generated/client';
import { inOrganization } from '@/server/adapters/postgres/prisma';
import type { ServerStore, StoredServer } from '@/server/ports/server-store';

const FINGERPRINT = `
SELECT count(*) AS n, coalesce(extract(epoch FROM max(updated_at))::float8, 0) AS newest,
  coalesce(sum(hashtext(organization_id::text || name)::bigint), 0)::text AS names
FROM mcp_server`;

/**
 * Servers that were added at run time, through Prisma.
 *
 * @param prisma a client that connects as oc_app
 * @param engine connections as oc_engine, for what concerns every organisation
 */
export function createServerStore(prisma: PrismaClient, engine: pg.Pool): ServerStore {
  return {
    async list(organizationId) {
      const rows = await inOrganization(prisma, organizationId, (tx) =>
        tx.mcpServer.findMany({ where: { organizationId }, orderBy: { name: 'asc' } }),
      );
      return rows.flatMap((row): StoredServer[] => {
        // One that an older version wrote in another form is left out rather than breaking all others.
        const config = serverConfigSchema.safeParse(row.config);
        if (!config.success) return [];
        const { name, createdBy, updatedBy } = row;
        const times = { createdAt: row.createdAt.getTime(), updatedAt: row.updatedAt.getTime() };
        return [{ name, config: config.data, createdBy, updatedBy, ...times }];
      });
    },

    async add(organizationId, name, config, by) {
      const data = {
        organizationId,
        name,
        config: config as Prisma.InputJsonValue,
        createdBy: by,
        updatedBy: by,
      };
      const { count } = await inOrganization(prisma, organizationId, (tx) =>
        tx.mcpServer.createMany({ data: [data], skipDuplicates: true }),
      );
      return count > 0;
    },

    async replace(organizationId, name, config, by) {
      const data = { config: config as Prisma.InputJsonValue, updatedBy: by, updatedAt: new Date() };
      const { count } = await inOrganization(prisma, organizationId, (tx) =>
        tx.mcpServer.updateMany({ where: { organizationId, name }, data }),
      );
      return count > 0;
    },

    async remove(organizationId, name) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const { count } = await tx.mcpServer.deleteMany({ where: { organizationId, name } });
        if (count === 0) return false;
        await tx.toolPin.deleteMany({ where: { organizationId, server: name } });
        await tx.oauthRecord.deleteMany({ where: { organizationId, server: name } });
        return true;
      });
    },

    async fingerprint() {
      const { rows } = await engine.query<{ n: number; newest: number; names: string }>(FINGERPRINT);
      return JSON.stringify(rows[0]);
    },

    async organizations() {
      const { rows } = await engine.query<{ id: string }>(
        'SELECT DISTINCT organization_id AS id FROM mcp_server',
      );
      return rows.map((row) => row.id);
    },
  };
}
