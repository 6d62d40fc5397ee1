import type { Actor } from '@/lib/protocol/actor';
import type { Clock } from '@/lib/shared/clock';
import { isUuid } from '@/lib/shared/ids';
import { createGate } from '@/server/adapters/http/object-gate';
import type { Operation } from '@/server/adapters/http/operation';
import { sharingOperations } from '@/server/adapters/http/operations/sharing';
import { actorOf } from '@/server/adapters/identity/authenticate';
import { createAuditLog } from '@/server/adapters/postgres/audit-log';
import { withHidden } from '@/server/adapters/postgres/hidden-scope';
import { createIdentityStore } from '@/server/adapters/postgres/identity-store';
import type { Pool } from '@/server/adapters/postgres/pool';
import type { createPrisma } from '@/server/adapters/postgres/prisma';
import { createSharingStore, createSubjectDirectory } from '@/server/adapters/postgres/sharing-store';
import type { Bus } from '@/server/ports/bus';
import { AccessService } from '@/server/services/access-service';
import { SharingService, type SharingServiceDeps } from '@/server/services/sharing-service';

export interface SharingDeps {
  /** Connections as oc_auth. */
  auth: Pool;
  /** Connections as oc_app, and a client over them. */
  app: Pool;
  prisma: ReturnType<typeof createPrisma>;
  bus: Bus;
  clock: Clock;
  find: SharingServiceDeps['find'];
}

/** Part of the composition root: who reaches which workflow and view, and the gate before every operation. */
export function createSharing({ auth, app, prisma, bus, clock, find }: SharingDeps) {
  const store = createSharingStore(prisma, app);
  const identity = createIdentityStore(auth);
  const access = new AccessService({
    store,
    teamsOf: (organizationId, userId) =>
      isUuid(userId) ? identity.teamsOf(organizationId, userId) : Promise.resolve([]),
    async member(organizationId, userId): Promise<Actor | null> {
      const member = isUuid(userId) ? await identity.membership(userId, organizationId) : null;
      // Who has left may still belong to another organisation, which is what is found then.
      return member === null || member.organizationId !== organizationId ? null : actorOf(member);
    },
    bus,
    clock,
  });
  const service = new SharingService({
    store,
    directory: createSubjectDirectory(auth),
    audit: createAuditLog(prisma),
    changed: (organizationId) => access.changed(organizationId),
    find,
  });
  const operations: Operation[] = sharingOperations(service);
  return { access, service, operations, gate: createGate({ access, withHidden }) };
}
