import type pg from 'pg';
import type { ObjectKind, ShareLevel } from '@/lib/protocol/permissions';
import type { Subject } from '@/lib/protocol/sharing';
import { isUuid } from '@/lib/shared/ids';
import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { withNothingHidden } from '@/server/adapters/postgres/hidden-scope';
import { inOrganization, type Prisma, type UnitOfWork } from '@/server/adapters/postgres/prisma';
import { readInOrganization } from '@/server/adapters/postgres/scoped-query';
import type { Named, Sharing, SharingStore, SubjectDirectory } from '@/server/ports/sharing-store';

const WITH_SHARES = {
  include: { shares: { orderBy: [{ subjectKind: 'asc' }, { subject: 'asc' }] } },
} as const satisfies Prisma.ObjectSharingDefaultArgs;
type Row = Prisma.ObjectSharingGetPayload<typeof WITH_SHARES>;

function toSharing({ kind, object, restricted, creator, version, shares }: Row): Sharing {
  return {
    kind: kind as ObjectKind,
    object,
    restricted,
    creator,
    version,
    shares: shares.map(({ subjectKind, subject, level }) => ({
      subject: { kind: subjectKind as Subject['kind'], id: subject },
      level: level as ShareLevel,
    })),
  };
}

/** Read every two seconds for every organisation that is worked in. */
const ALL = `
SELECT s.kind, s.object, s.restricted, s.creator, s.version, h.shares
FROM object_sharing s CROSS JOIN LATERAL (
  SELECT coalesce(json_agg(json_build_object('subject', json_build_object('kind', h.subject_kind, 'id', h.subject), 'level', h.level)
    ORDER BY h.subject_kind, h.subject), '[]'::json) AS shares
  FROM object_share h WHERE h.organization_id = s.organization_id AND h.kind = s.kind AND h.object = s.object
) h
WHERE s.organization_id = $1::uuid AND (s.restricted OR json_array_length(h.shares) > 0)`;

/**
 * Restrictions and shares through Prisma. They decide what is hidden, so nothing is hidden from them.
 *
 * @param prisma a client that connects as oc_app
 * @param pool the connections of that client
 */
export function createSharingStore(prisma: PrismaClient, pool: pg.Pool): SharingStore {
  const within = <T>(organizationId: string, work: (tx: UnitOfWork) => Promise<T>) =>
    withNothingHidden(() => inOrganization(prisma, organizationId, work));
  return {
    all: (organizationId) =>
      withNothingHidden(() =>
        readInOrganization<Sharing>(pool, organizationId, {
          name: 'sharing',
          text: ALL,
          values: [organizationId],
        }),
      ),

    async get(organizationId, kind, object) {
      const where = { organizationId_kind_object: { organizationId, kind, object } };
      const row = await within(organizationId, (tx) =>
        tx.objectSharing.findUnique({ where, ...WITH_SHARES }),
      );
      return row === null ? null : toSharing(row);
    },

    async put(organizationId, { kind, object, restricted, creator, shares }, seen, updatedBy) {
      return within(organizationId, async (tx) => {
        const key = { organizationId, kind, object };
        const facts = { restricted, creator, updatedBy, version: seen + 1 };
        const { count } =
          seen === 0
            ? await tx.objectSharing.createMany({ data: [{ ...key, ...facts }], skipDuplicates: true })
            : await tx.objectSharing.updateMany({
                where: { ...key, version: seen },
                data: { ...facts, updatedAt: new Date() },
              });
        if (count === 0) return null;
        await tx.objectShare.deleteMany({ where: key });
        await tx.objectShare.createMany({
          data: shares.map(({ subject, level }) => ({
            ...key,
            subjectKind: subject.kind,
            subject: subject.id,
            level,
            createdBy: updatedBy,
          })),
        });
        return { kind, object, restricted, creator, shares, version: seen + 1 };
      });
    },

    async remove(organizationId, kind, object) {
      await within(organizationId, (tx) =>
        tx.objectSharing.deleteMany({ where: { organizationId, kind, object } }),
      );
    },

    async creatorOf(organizationId, kind, object) {
      return within(organizationId, async (tx) => {
        if (kind === 'workflow') {
          const row = await tx.workflowVersion.findFirst({
            where: { organizationId, name: object },
            orderBy: { version: 'asc' },
            select: { createdBy: true },
          });
          return row?.createdBy;
        }
        if (!isUuid(object)) return undefined;
        const row = await tx.savedView.findFirst({ where: { organizationId, viewId: object } });
        return row?.owner;
      });
    },

    async workflowOf(organizationId, runId) {
      if (!isUuid(runId)) return null;
      const row = await within(organizationId, (tx) =>
        tx.workflowRun.findFirst({ where: { organizationId, runId }, select: { workflow: true } }),
      );
      return row?.workflow ?? null;
    },
  };
}

/**
 * Whom an organisation has, from the identity tables.
 *
 * @param pool connections as oc_auth
 */
export function createSubjectDirectory(pool: pg.Pool): SubjectDirectory {
  return {
    async users(organizationId) {
      const { rows } = await pool.query<Named>(
        `SELECT u.id, u.name, u.email FROM member m JOIN app_user u ON u.id = m.user_id
         WHERE m.organization_id = $1 ORDER BY u.email`,
        [organizationId],
      );
      return rows;
    },
    async teams(organizationId) {
      const { rows } = await pool.query<Named>(
        'SELECT id, name FROM team WHERE organization_id = $1 ORDER BY name, id',
        [organizationId],
      );
      return rows;
    },
  };
}
