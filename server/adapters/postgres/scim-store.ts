import type pg from 'pg';
import type { ScimStore, ScimToken, ScimTokenRow } from '@/server/ports/scim-store';

const TOKENS = `
SELECT t.id, t.name, t.start, u.name AS "createdBy", t.created_at AS "createdAt", t.expires_at AS "expiresAt",
       t.last_used_at AS "lastUsedAt"
FROM scim_token t LEFT JOIN app_user u ON u.id = t.created_by
WHERE t.organization_id = $1 ORDER BY t.created_at DESC, t.id`;

/** A busy directory writes its last use once a minute, not at every request. */
const TOKEN = `
WITH found AS (
  SELECT id, name, organization_id AS "organizationId", permissions, last_used_at FROM scim_token
  WHERE hash = $1 AND (expires_at IS NULL OR expires_at > now())
), used AS (
  UPDATE scim_token t SET last_used_at = now() FROM found
  WHERE t.id = found.id AND (found.last_used_at IS NULL OR found.last_used_at < now() - interval '1 minute')
)
SELECT id, name, "organizationId", permissions FROM found`;

/** An organisation may link who is its member, and who belongs to nobody: left behind when a directory deleted them. */
const KNOWN = `
SELECT u.id AS "userId",
       EXISTS (SELECT 1 FROM member m WHERE m.user_id = u.id AND m.organization_id = $1)
       OR NOT EXISTS (SELECT 1 FROM member m WHERE m.user_id = u.id)
          AND NOT EXISTS (SELECT 1 FROM scim_user s WHERE s.user_id = u.id AND s.connection_id <> $1::text) AS mine
FROM app_user u WHERE u.email = $2`;

/**
 * Tokens of directories over `pg`.
 *
 * @param pool connections as oc_auth
 */
export function createScimStore(pool: pg.Pool): ScimStore {
  const one = async <T extends pg.QueryResultRow>(sql: string, values: unknown[]): Promise<T | null> =>
    (await pool.query<T>(sql, values)).rows[0] ?? null;
  return {
    tokens: async (organizationId) => (await pool.query<ScimTokenRow>(TOKENS, [organizationId])).rows,
    async addToken({ id, organizationId, name, start, hash, permissions, createdBy, expiresAt }) {
      await pool.query(
        `INSERT INTO scim_token (id, organization_id, name, start, hash, permissions, created_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [id, organizationId, name, start, hash, permissions, createdBy, expiresAt],
      );
    },
    removeToken: (organizationId, id) =>
      one('DELETE FROM scim_token WHERE organization_id = $1 AND id = $2 RETURNING name', [
        organizationId,
        id,
      ]),
    token: (hash) => one<ScimToken>(TOKEN, [hash]),
    async known(organizationId, email) {
      const found = await one<{ userId: string; mine: boolean }>(KNOWN, [organizationId, email]);
      if (found === null) return null;
      return found.mine ? { userId: found.userId } : 'elsewhere';
    },
    withoutPassword: async (organizationId, email, role) =>
      (
        await one<{ id: string }>(
          `SELECT u.id FROM app_user u
           JOIN member m ON m.user_id = u.id AND m.organization_id = $1
             AND ($3::text IS NULL OR m.role IN ('viewer', $3))
           WHERE u.email = $2
             AND EXISTS (SELECT 1 FROM scim_user s WHERE s.user_id = u.id AND s.connection_id = $1::text AND s.active)
             AND NOT EXISTS (SELECT 1 FROM auth_account a WHERE a.user_id = u.id)
             AND NOT EXISTS (SELECT 1 FROM member o WHERE o.user_id = u.id AND o.organization_id <> $1)`,
          [organizationId, email, role],
        )
      )?.id ?? null,
  };
}
