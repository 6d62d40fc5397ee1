import type { PrismaClient, SavedView } from '@/server/adapters/postgres/generated/client';
import { inOrganization } from '@/server/adapters/postgres/prisma';
import type { StoredView, ViewStore } from '@/server/ports/view-store';

function toView(row: SavedView): StoredView {
  return {
    ...row,
    filters: row.filters as StoredView['filters'],
    columns: row.columns as StoredView['columns'],
    sort: row.sort as unknown as StoredView['sort'],
    createdAt: row.createdAt.getTime(),
    updatedAt: row.updatedAt.getTime(),
  };
}

/** True when one of the two unique names is taken. */
function isTaken(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'P2002';
}

/**
 * Saved views through Prisma.
 *
 * @param prisma a client that connects as oc_app
 */
export function createViewStore(prisma: PrismaClient): ViewStore {
  return {
    async list(organizationId, owner, viewIds = []) {
      const rows = await inOrganization(prisma, organizationId, (tx) =>
        tx.savedView.findMany({
          where: { organizationId, OR: [{ shared: true }, { owner }, { viewId: { in: [...viewIds] } }] },
          orderBy: [{ name: 'asc' }, { shared: 'asc' }],
        }),
      );
      return rows.map(toView);
    },

    async get(organizationId, viewId) {
      const row = await inOrganization(prisma, organizationId, (tx) =>
        tx.savedView.findFirst({ where: { organizationId, viewId } }),
      );
      return row === null ? null : toView(row);
    },

    async create(view) {
      try {
        return toView(
          await inOrganization(prisma, view.organizationId, (tx) => tx.savedView.create({ data: view })),
        );
      } catch (error) {
        if (isTaken(error)) return null;
        throw error;
      }
    },

    async update(organizationId, viewId, seen, facts) {
      try {
        return await inOrganization(prisma, organizationId, async (tx) => {
          const { count } = await tx.savedView.updateMany({
            where: { organizationId, viewId, version: seen },
            data: { ...facts, version: seen + 1, updatedAt: new Date() },
          });
          const row =
            count === 0 ? null : await tx.savedView.findFirst({ where: { organizationId, viewId } });
          return row === null ? 'conflict' : toView(row);
        });
      } catch (error) {
        if (isTaken(error)) return 'taken';
        throw error;
      }
    },

    async remove(organizationId, viewId, seen) {
      const { count } = await inOrganization(prisma, organizationId, (tx) =>
        tx.savedView.deleteMany({
          where: { organizationId, viewId, ...(seen === null ? {} : { version: seen }) },
        }),
      );
      return count > 0;
    },
  };
}
