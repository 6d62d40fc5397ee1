import type { Clock } from '@/lib/shared/clock';
import type { Operation } from '@/server/adapters/http/operation';
import { auditOperations } from '@/server/adapters/http/operations/audit';
import { createAuditLog } from '@/server/adapters/postgres/audit-log';
import { createAuditReader, createAuditSealer, linkHash } from '@/server/adapters/postgres/audit-store';
import type { Pool } from '@/server/adapters/postgres/pool';
import type { createPrisma } from '@/server/adapters/postgres/prisma';
import { createQuotaStore } from '@/server/adapters/postgres/quota-store';
import type { Log } from '@/server/ports/log';
import { AuditService } from '@/server/services/audit-service';
import { QuotaService } from '@/server/services/quota-service';
import { AuditSeal } from '@/server/workers/audit-seal';

const SEAL_MS = 2_000;

export interface GovernanceDeps {
  /** Connections as oc_engine. */
  pool: Pool;
  /** A client that connects as oc_app. */
  prisma: ReturnType<typeof createPrisma>;
  clock: Clock;
  log: Log;
  countServers: (organizationId: string) => Promise<number>;
}

/** Part of the composition root: the audit log with its chains, and quotas. */
export function createGovernance({ pool, prisma, clock, log, countServers }: GovernanceDeps) {
  const audit = new AuditService({ store: createAuditReader(prisma), hash: linkHash });
  const quotas = new QuotaService({
    store: createQuotaStore(prisma),
    audit: createAuditLog(prisma),
    now: () => clock.now(),
    countServers,
  });
  const seal = new AuditSeal({ store: createAuditSealer(pool), clock, log, everyMs: SEAL_MS });
  const operations: Operation[] = auditOperations(audit, quotas);
  return {
    operations,
    quotas,
    /** Only in processes with the role `engine`. */
    start: () => seal.start(),
    stop: () => seal.stop(),
  };
}
