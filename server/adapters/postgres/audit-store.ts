import { createHash } from 'node:crypto';
import { sealText } from '@/lib/shared/audit-hash';
import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import type { Pool } from '@/server/adapters/postgres/pool';
import { inOrganization, Prisma } from '@/server/adapters/postgres/prisma';
import { inTransaction } from '@/server/adapters/postgres/transactions';
import type { AuditReader, AuditSealer, ChainLink } from '@/server/ports/audit-store';

/** The hash of a chain's link, in hex. */
export function linkHash(facts: Parameters<typeof sealText>[0]): string {
  return createHash('sha256').update(sealText(facts)).digest('hex');
}

type Row = Omit<ChainLink, 'at'> & { at: Date };

const FACTS = `organization_id AS "organizationId", id, at, actor_kind AS "actorKind", actor_id AS "actorId",
  action, object, details::text AS details, source`;

/** A beginning as a pattern of LIKE, with what means something there taken literally. */
function beginning(text: string): string {
  return `${text.replace(/[\\%_]/g, '\\$&')}%`;
}

/**
 * Reads of the audit log.
 *
 * @param prisma a client that connects as oc_app
 */
export function createAuditReader(prisma: PrismaClient): AuditReader {
  return {
    search: (organizationId, filter, limit, before) =>
      inOrganization(prisma, organizationId, async (tx) => {
        const conditions = [
          Prisma.sql`organization_id = ${organizationId}::uuid`,
          ...(filter.actor ? [Prisma.sql`actor_id = ${filter.actor}`] : []),
          ...(filter.action ? [Prisma.sql`action LIKE ${beginning(filter.action)}`] : []),
          ...(filter.object ? [Prisma.sql`object = ${filter.object}`] : []),
          ...(filter.since ? [Prisma.sql`at >= ${filter.since}::timestamptz`] : []),
          ...(filter.until ? [Prisma.sql`at < ${filter.until}::timestamptz`] : []),
          ...(before ? [Prisma.sql`(at, id) < (${before.at}::timestamptz, ${before.id}::uuid)`] : []),
        ];
        type Found = Omit<Row, 'details' | 'chainSeq'> & { details: unknown; seq: bigint | null };
        const rows = await tx.$queryRaw<Found[]>`
          SELECT id, at, actor_kind AS "actorKind", actor_id AS "actorId", action, object, details, source,
                 chain_seq AS seq, hash
          FROM audit_entry WHERE ${Prisma.join(conditions, ' AND ')} ORDER BY at DESC, id DESC LIMIT ${limit}`;
        return rows.map((row) => ({
          ...row,
          at: row.at.toISOString(),
          seq: row.seq === null ? null : Number(row.seq),
        }));
      }),
    chain: (organizationId, after, limit) =>
      inOrganization(prisma, organizationId, async (tx) => {
        const rows = await tx.$queryRaw<(Omit<Row, 'chainSeq'> & { chainSeq: bigint })[]>`
          SELECT ${Prisma.raw(FACTS)}, chain_seq AS "chainSeq", previous_hash AS "previousHash", hash
          FROM audit_entry WHERE organization_id = ${organizationId}::uuid AND chain_seq > ${after}
          ORDER BY chain_seq LIMIT ${limit}`;
        return rows.map((row) => ({ ...row, at: row.at.toISOString(), chainSeq: Number(row.chainSeq) }));
      }),
    head: (organizationId) =>
      inOrganization(prisma, organizationId, async (tx) => {
        const rows = await tx.$queryRaw<{ seq: bigint; hash: string }[]>`
          SELECT last_seq AS seq, last_hash AS hash FROM audit_chain WHERE organization_id = ${organizationId}::uuid`;
        return { seq: Number(rows[0]?.seq ?? 0), hash: rows[0]?.hash ?? '' };
      }),
    unsealed: (organizationId) =>
      inOrganization(prisma, organizationId, (tx) =>
        tx.auditEntry.count({ where: { organizationId, hash: null } }),
      ),
  };
}

/**
 * Seals entries.
 *
 * @param pool connections as oc_engine
 */
export function createAuditSealer(pool: Pool): AuditSealer {
  return {
    async waiting() {
      const { rows } = await pool.query<{ id: string }>(
        'SELECT DISTINCT organization_id AS id FROM audit_entry WHERE hash IS NULL LIMIT 1000',
      );
      return rows.map((row) => row.id);
    },
    seal(organizationId, limit) {
      return inTransaction(pool, async (client) => {
        await client.query('INSERT INTO audit_chain (organization_id) VALUES ($1) ON CONFLICT DO NOTHING', [
          organizationId,
        ]);
        const { rows: heads } = await client.query<{ seq: number; hash: string }>(
          'SELECT last_seq AS seq, last_hash AS hash FROM audit_chain WHERE organization_id = $1 FOR UPDATE',
          [organizationId],
        );
        let { seq, hash } = heads[0] ?? { seq: 0, hash: '' };
        const { rows } = await client.query<Omit<Row, 'chainSeq' | 'previousHash' | 'hash'>>(
          `SELECT ${FACTS} FROM audit_entry WHERE organization_id = $1 AND hash IS NULL ORDER BY at, id LIMIT $2`,
          [organizationId, limit],
        );
        const links = rows.map((row) => {
          const previousHash = hash;
          seq += 1;
          hash = linkHash({ ...row, at: row.at.toISOString(), chainSeq: seq, previousHash });
          return { id: row.id, seq, previousHash, hash };
        });
        await client.query(
          `UPDATE audit_entry e SET chain_seq = l.seq, previous_hash = l.previous, hash = l.hash
           FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS l (id, seq, previous, hash)
           WHERE e.id = l.id AND e.hash IS NULL`,
          [
            links.map((link) => link.id),
            links.map((link) => link.seq),
            links.map((link) => link.previousHash),
            links.map((link) => link.hash),
          ],
        );
        await client.query(
          'UPDATE audit_chain SET last_seq = $2, last_hash = $3, sealed_at = now() WHERE organization_id = $1',
          [organizationId, seq, hash],
        );
        return links.length;
      });
    },
  };
}
