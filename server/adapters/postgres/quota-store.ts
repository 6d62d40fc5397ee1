import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { withNothingHidden } from '@/server/adapters/postgres/hidden-scope';
import { inOrganization, type UnitOfWork } from '@/server/adapters/postgres/prisma';
import type { QuotaStore } from '@/server/ports/quota-store';

/**
 * Quotas through Prisma. They count every run, also those that whoever asks does not see.
 *
 * @param prisma a client that connects as oc_app
 */
export function createQuotaStore(prisma: PrismaClient): QuotaStore {
  const within = <T>(organizationId: string, work: (tx: UnitOfWork) => Promise<T>) =>
    withNothingHidden(() => inOrganization(prisma, organizationId, work));
  return {
    limits: (organizationId) =>
      within(organizationId, async (tx) => {
        const row = await tx.organizationQuota.findUnique({ where: { organizationId } });
        if (row === null) return null;
        const { maxOpenRuns, maxRunsPerDay, maxServers, maxStorageBytes } = row;
        return {
          maxOpenRuns,
          maxRunsPerDay,
          maxServers,
          maxStorageBytes: maxStorageBytes === null ? null : Number(maxStorageBytes),
        };
      }),
    setLimits: (organizationId, limits, updatedBy) =>
      within(organizationId, async (tx) => {
        const facts = { ...limits, updatedBy, updatedAt: new Date() };
        await tx.organizationQuota.upsert({
          where: { organizationId },
          create: { organizationId, ...facts },
          update: facts,
        });
      }),
    usage: (organizationId) =>
      within(organizationId, async (tx) => {
        const rows = await tx.$queryRaw<{ openRuns: number; runsToday: number; storageBytes: bigint }[]>`
          SELECT open_runs AS "openRuns", runs_today AS "runsToday",
            (SELECT coalesce(sum(pg_column_size(data)), 0) FROM workflow_event
             WHERE organization_id = current_organization()) AS "storageBytes" FROM counted_runs()`;
        const { openRuns = 0, runsToday = 0, storageBytes = 0n } = rows[0] ?? {};
        return { openRuns, runsToday, storageBytes: Number(storageBytes) };
      }),
    openRuns: (organizationId, most) =>
      within(organizationId, async (tx) => {
        const rows = await tx.$queryRaw<{ n: number }[]>`SELECT open_runs(${most}::int) AS n`;
        return rows[0]?.n ?? 0;
      }),
    runsToday: (organizationId, most) =>
      within(organizationId, async (tx) => {
        const rows = await tx.$queryRaw<{ n: number }[]>`SELECT runs_today(${most}::int) AS n`;
        return rows[0]?.n ?? 0;
      }),
  };
}
