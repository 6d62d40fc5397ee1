import type pg from 'pg';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { AppError } from '@/lib/protocol/errors';
import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { inOrganization, type Prisma, type UnitOfWork } from '@/server/adapters/postgres/prisma';
import { readInOrganization } from '@/server/adapters/postgres/scoped-query';
import type { DefinitionStore, StoredDefinition, VersionQueries } from '@/server/ports/definition-store';

const WITH_DEFINITION = { include: { definition: true } } as const;
type Row = Prisma.WorkflowVersionGetPayload<typeof WITH_DEFINITION>;

function toStored(row: Row): StoredDefinition {
  const { name, version, hash, createdAt } = row;
  return {
    name,
    version,
    hash,
    createdAt,
    definition: row.definition.definition as unknown as WorkflowDefinition,
  };
}

function latest(tx: UnitOfWork, organizationId: string, name: string): Promise<Row | null> {
  return tx.workflowVersion.findFirst({
    where: { organizationId, name },
    orderBy: { version: 'desc' },
    ...WITH_DEFINITION,
  });
}

async function mask(tx: UnitOfWork, organizationId: string, hash: string, paths: readonly string[]) {
  const before = await tx.definitionMask.findFirst({ where: { organizationId, hash } });
  const all = [...new Set([...((before?.paths ?? []) as string[]), ...paths])];
  const data = { organizationId, hash, paths: all };
  await tx.definitionMask.upsert({
    where: { organizationId_hash: { organizationId, hash } },
    create: data,
    update: { paths: all },
  });
}

/** One version, or the newest. */
const STORED = `
SELECT v.name, v.version, v.hash, v.created_at AS "createdAt", d.definition
FROM workflow_version v JOIN workflow_definition d ON d.organization_id = v.organization_id AND d.hash = v.hash
WHERE v.organization_id = $1 AND v.name = $2 AND ($3::int IS NULL OR v.version = $3)
ORDER BY v.version DESC LIMIT 1`;

/**
 * Workflow definitions through Prisma; what every start asks for in one round trip over `pg`.
 *
 * @param prisma a client that connects as oc_app
 * @param pool the connections of that client
 */
export function createDefinitionStore(prisma: PrismaClient, pool: pg.Pool): DefinitionStore & VersionQueries {
  return {
    async put(actor, definition, hash, expectedVersion, sensitive = []) {
      const { organizationId } = actor;
      const { name } = definition;
      return inOrganization(prisma, organizationId, async (tx) => {
        // One writer a workflow at a time: version numbers have no gaps and no doubles.
        await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`${organizationId} ${name}`}, 0))`;
        const before = await latest(tx, organizationId, name);
        const newest = before?.version ?? 0;
        if (expectedVersion !== undefined && expectedVersion !== newest) {
          const now = newest === 0 ? 'it does not exist' : `its newest version is ${newest}`;
          throw new AppError(
            'VERSION_CONFLICT',
            `Workflow "${name}" has changed: version ${expectedVersion} was expected, ${now}.`,
            { path: '/headers/if-match' },
          );
        }
        // Tools may mark more than when the same content was published before; nothing that was masked is ever shown again.
        if (sensitive.length > 0) await mask(tx, organizationId, hash, sensitive);
        if (before?.hash === hash) return toStored(before);
        await tx.workflowDefinition.createMany({
          data: [{ organizationId, hash, definition: definition as unknown as Prisma.InputJsonValue }],
          skipDuplicates: true,
        });
        const row = await tx.workflowVersion.create({
          data: { organizationId, name, version: newest + 1, hash, createdBy: actor.id },
          ...WITH_DEFINITION,
        });
        await tx.auditEntry.create({
          data: {
            id: crypto.randomUUID(),
            organizationId,
            actorKind: actor.kind,
            actorId: actor.id,
            action: 'workflow.publish',
            object: `${name}@${row.version}`,
            details: { hash },
          },
        });
        return toStored(row);
      });
    },

    async get(organizationId, name, version) {
      const [stored] = await readInOrganization<StoredDefinition>(pool, organizationId, {
        name: 'oc_definition',
        text: STORED,
        values: [organizationId, name, version ?? null],
      });
      return stored ?? null;
    },

    async list(organizationId) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const rows = await tx.workflowVersion.findMany({
          where: { organizationId },
          distinct: ['name'],
          orderBy: [{ name: 'asc' }, { version: 'desc' }],
          ...WITH_DEFINITION,
        });
        return rows.map(toStored);
      });
    },

    async byHash(organizationId, hash) {
      return inOrganization(prisma, organizationId, async (tx) => {
        const row = await tx.workflowDefinition.findFirst({ where: { organizationId, hash } });
        return row ? (row.definition as unknown as WorkflowDefinition) : null;
      });
    },

    async versions(organizationId, name, limit, before) {
      return inOrganization(prisma, organizationId, (tx) =>
        tx.workflowVersion.findMany({
          where: { organizationId, name, ...(before === null ? {} : { version: { lt: before } }) },
          orderBy: { version: 'desc' },
          take: limit,
          select: { name: true, version: true, hash: true, createdBy: true, createdAt: true },
        }),
      );
    },
  };
}
