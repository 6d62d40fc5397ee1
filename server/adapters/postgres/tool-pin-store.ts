import type { Prisma, PrismaClient } from '@/server/adapters/postgres/generated/client';
import { inOrganization } from '@/server/adapters/postgres/prisma';
import type { PinnedTool, ToolPinStore } from '@/server/ports/mcp-fleet';

/**
 * Accepted tool definitions through Prisma.
 *
 * @param prisma a client that connects as oc_app
 */
export function createToolPinStore(prisma: PrismaClient): ToolPinStore {
  return {
    async load(organizationId, server) {
      const row = await inOrganization(prisma, organizationId, (tx) =>
        tx.toolPin.findUnique({ where: { organizationId_server: { organizationId, server } } }),
      );
      return row === null ? undefined : (row.tools as unknown as PinnedTool[]);
    },

    async save(organizationId, server, pins) {
      const tools = pins as unknown as Prisma.InputJsonValue;
      const facts = { tools, updatedAt: new Date() };
      await inOrganization(prisma, organizationId, (tx) =>
        tx.toolPin.upsert({
          where: { organizationId_server: { organizationId, server } },
          create: { organizationId, server, ...facts },
          update: facts,
        }),
      );
    },
  };
}
