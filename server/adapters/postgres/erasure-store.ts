import type pg from 'pg';
import type { PrismaClient } from '@/server/adapters/postgres/generated/client';
import { inOrganization } from '@/server/adapters/postgres/prisma';
import type { ErasureScope, ErasureStore, Person, RemovedPart } from '@/server/ports/erasure-store';

const FIND = `
SELECT lower($1) AS email, u.id AS "userId", u.name,
  coalesce((SELECT json_agg(json_build_object('id', m.organization_id, 'role', m.role)) FROM member m
    WHERE m.user_id = u.id), '[]') AS organizations,
  ARRAY(SELECT DISTINCT i.organization_id::text FROM invitation i WHERE lower(i.email) = lower($1)) AS "invitedTo"
FROM (SELECT 1) AS always LEFT JOIN app_user u ON lower(u.email) = lower($1)`;

/** One kind of what is kept of people: $1 user, $2 address, $3 organisation. `here` narrows it to the organisation. */
interface Part {
  what: string;
  from: string;
  where: string;
  /** Null: what is not of one organisation goes with the account only. */
  here: string | null;
}

/** In the order in which it is removed; the account itself comes last. What is not named here hangs on it. */
const PARTS: readonly Part[] = [
  { what: 'API keys', from: 'api_key', where: 'reference_id = $1::text', here: 'organization_id = $3' },
  {
    what: 'OAuth access tokens',
    from: 'oauth_access_token',
    where: 'user_id = $1',
    here: 'reference_id = $3::text',
  },
  {
    what: 'OAuth refresh tokens',
    from: 'oauth_refresh_token',
    where: 'user_id = $1',
    here: 'reference_id = $3::text',
  },
  { what: 'OAuth consents', from: 'oauth_consent', where: 'user_id = $1', here: 'reference_id = $3::text' },
  { what: 'sessions', from: 'auth_session', where: 'user_id = $1', here: null },
  { what: 'passwords and sign-ins of providers', from: 'auth_account', where: 'user_id = $1', here: null },
  {
    what: 'links under way',
    from: 'auth_verification',
    where: `position($2 IN lower(identifier || ' ' || value)) > 0 OR position($1::text IN identifier || ' ' || value) > 0`,
    here: null,
  },
  {
    what: 'grants at remote servers',
    from: 'oauth_record',
    where: 'subject = $1::text',
    here: 'organization_id = $3',
  },
  {
    what: 'grants under way',
    from: 'oauth_state',
    where: 'subject = $1::text',
    here: 'organization_id = $3',
  },
  {
    what: 'private views',
    from: 'saved_view',
    where: 'owner = $1::text AND NOT shared',
    here: 'organization_id = $3',
  },
  {
    what: 'team memberships',
    from: 'team_member',
    where: 'user_id = $1',
    here: 'team_id IN (SELECT id FROM team WHERE organization_id = $3)',
  },
  {
    what: 'entries of directories',
    from: 'scim_user',
    where: 'user_id = $1',
    here: 'connection_id = $3::text',
  },
  {
    what: 'marks of directories',
    from: 'scim_identity_tombstone',
    where: 'user_id = $1',
    here: 'connection_id = $3::text',
  },
  {
    what: 'invitations for them',
    from: 'invitation',
    where: 'lower(email) = $2',
    here: 'organization_id = $3',
  },
  { what: 'invitations by them', from: 'invitation', where: 'inviter_id = $1', here: 'organization_id = $3' },
  { what: 'memberships', from: 'member', where: 'user_id = $1', here: 'organization_id = $3' },
];

/** Every statement names all three, whatever it uses: Postgres wants to know their types. */
const TYPED = '($1::uuid IS NULL OR true) AND ($2::text IS NULL OR true) AND ($3::uuid IS NULL OR true)';

/** What others need stays, and is nobody's, or another owner's, from then on. */
const HAND_OVER = [
  `UPDATE oauth_client SET user_id = NULL, contacts = array_remove(contacts, $2) WHERE ${TYPED} AND (user_id = $1 OR $2 = ANY(contacts))`,
  `UPDATE sso_provider p SET user_id = m.user_id FROM member m
   WHERE ${TYPED} AND p.user_id = $1 AND m.organization_id = p.organization_id AND m.role = 'owner' AND m.user_id <> $1`,
];

/**
 * What is known of people, over `pg`.
 *
 * @param auth connections as oc_auth
 * @param engine connections as oc_engine, for runs
 * @param prisma a client that connects as oc_app, for the audit log
 */
export function createErasureStore(auth: pg.Pool, engine: pg.Pool, prisma: PrismaClient): ErasureStore {
  return {
    async find(email) {
      const { rows } = await auth.query<Person>(FIND, [email]);
      const [person] = rows;
      return !person || (person.userId === null && person.invitedTo.length === 0) ? null : person;
    },

    async emailOf(userId) {
      const { rows } = await auth.query<{ email: string }>('SELECT email FROM app_user WHERE id::text = $1', [
        userId,
      ]);
      return rows[0]?.email.toLowerCase() ?? null;
    },

    async erase(person, scope, dryRun) {
      const client = await auth.connect();
      try {
        await client.query('BEGIN');
        const removed = await removeAll(client, person, scope);
        await client.query(dryRun ? 'ROLLBACK' : 'COMMIT');
        return removed;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => undefined);
        throw error;
      } finally {
        client.release();
      }
    },

    async runs(organizationId, userId) {
      const { rows } = await engine.query<{ open: number; closed: number }>(
        `SELECT count(*) FILTER (WHERE closed_at IS NULL) AS open, count(*) FILTER (WHERE closed_at IS NOT NULL) AS closed
         FROM workflow_run WHERE organization_id = $1 AND started_by = $2`,
        [organizationId, userId],
      );
      return { open: Number(rows[0]?.open ?? 0), closed: Number(rows[0]?.closed ?? 0) };
    },

    async eraseRuns(organizationId, userId, limit) {
      const { rows } = await engine.query<{ n: number }>(
        `SELECT erase_runs($1, ARRAY(SELECT run_id FROM workflow_run
           WHERE organization_id = $1 AND started_by = $2 AND closed_at IS NOT NULL ORDER BY run_id LIMIT $3)) AS n`,
        [organizationId, userId, limit],
      );
      return Number(rows[0]?.n ?? 0);
    },

    auditEntries: (organizationId, email) =>
      inOrganization(prisma, organizationId, async (tx) => {
        const rows = await tx.$queryRaw<{ n: bigint }[]>`
          SELECT count(*) AS n FROM audit_entry WHERE organization_id = ${organizationId}::uuid
          AND (lower(object) = ${email} OR position(${email} IN lower(details::text)) > 0)`;
        return Number(rows[0]?.n ?? 0);
      }),
  };
}

async function removeAll(
  client: pg.PoolClient,
  { userId, email }: Person,
  { organizationId, account }: ErasureScope,
): Promise<RemovedPart[]> {
  const values = [userId, email, organizationId];
  const removed: RemovedPart[] = [];
  if (account) for (const sql of HAND_OVER) await client.query(sql, values);
  for (const { what, from, where, here } of PARTS) {
    if (!account && here === null) continue;
    const only = account ? '' : `AND ${here}`;
    const { rowCount } = await client.query(
      `DELETE FROM ${from} WHERE ${TYPED} AND (${where}) ${only}`,
      values,
    );
    removed.push({ what, count: rowCount ?? 0 });
  }
  if (!account) {
    await client.query(
      'UPDATE auth_session SET active_organization_id = NULL WHERE user_id = $1 AND active_organization_id = $2',
      [userId, organizationId],
    );
    return removed;
  }
  const { rowCount } = await client.query('DELETE FROM app_user WHERE id = $1', [userId]);
  removed.push({ what: 'accounts', count: rowCount ?? 0 });
  return removed;
}
