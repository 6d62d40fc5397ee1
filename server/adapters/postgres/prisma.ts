import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { Prisma, PrismaClient } from '@/server/adapters/postgres/generated/client';
import { hiddenNow } from '@/server/adapters/postgres/hidden-scope';

export { Prisma };

/** Milliseconds to wait for a connection (as long as the pool itself does), and for the unit of work to end. */
const PATIENCE = { maxWait: 5_000, timeout: 10_000 };

/**
 * A Prisma client over a pool of ours.
 *
 * @param timeout milliseconds for a transaction that somebody else's code opens
 */
export function createPrisma(pool: pg.Pool, timeout = 5_000): PrismaClient {
  return new PrismaClient({
    adapter: new PrismaPg(pool),
    transactionOptions: { maxWait: PATIENCE.maxWait, timeout },
  });
}

/** What a unit of work may use: the client without connection and transaction management. */
export type UnitOfWork = Prisma.TransactionClient;

/**
 * Runs a unit of work of one organisation: a transaction in which row-level security shows that organisation's rows
 * and no others; of those, none that is hidden from whoever asks.
 *
 * @param prisma a client whose pool connects as oc_app
 */
export function inOrganization<T>(
  prisma: PrismaClient,
  organizationId: string,
  work: (tx: UnitOfWork) => Promise<T>,
): Promise<T> {
  const hidden = hiddenNow();
  return prisma.$transaction(async (tx) => {
    if (hidden === null)
      await tx.$executeRaw`SELECT set_config('app.organization_id', ${organizationId}, true)`;
    else
      await tx.$executeRaw`SELECT set_config('app.organization_id', ${organizationId}, true),
        set_config('app.hidden_workflows', ${hidden}, true)`;
    return work(tx);
  }, PATIENCE);
}
