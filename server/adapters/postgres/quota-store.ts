import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { withNothingHidden } from '@/server/adapters/postgres/hidden-scope';
import { inOrganization, Prisma, type UnitOfWork } from '@/server/adapters/postgres/prisma';
import type { QuotaStore } from '@/server/ports/quota-store';

const RUNS = Prisma.sql`open_runs AS "openRuns", runs_today AS "runsToday"`;

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
          SELECT ${RUNS},
            (SELECT coalesce(sum(pg_column_size(data)), 0) FROM workflow_event
             WHERE organization_id = current_organization()) AS "storageBytes" FROM counted_runs()`;
        const { openRuns = 0, runsToday = 0, storageBytes = 0n } = rows[0] ?? {};
        return { openRuns, runsToday, storageBytes: Number(storageBytes) };
      }),
    runs: (organizationId) =>
      within(organizationId, async (tx) => {
        const rows = await tx.$queryRaw<
          { openRuns: number; runsToday: number }[]
        >`SELECT ${RUNS} FROM counted_runs()`;
        return rows[0] ?? { openRuns: 0, runsToday: 0 };
      }),
  };
}
