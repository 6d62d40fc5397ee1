import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Actor } from '@/lib/protocol/actor';
import type {
  ApiKeyRow,
  IdentityStore,
  Invitation,
  Membership,
  Presented,
} from '@/server/ports/identity-store';

/** A key or token with the membership of its user; what a key is limited to is in `limits`, a token in `scopes`. */
type PresentedRow = Membership & {
  credentialId: string;
  credentialName: string;
  boundTo: string | null;
  limits?: string | null;
  scopes?: string[] | null;
};

const ENSURE = `
WITH org AS (
  INSERT INTO organization (id, name, slug) VALUES (gen_random_uuid(), 'Local', 'local')
  ON CONFLICT (slug) DO UPDATE SET slug = excluded.slug RETURNING id
), owner AS (
  INSERT INTO app_user (id, name, email) VALUES (gen_random_uuid(), 'Local owner', 'owner@localhost')
  ON CONFLICT (email) DO UPDATE SET email = excluded.email RETURNING id, name
), joined AS (
  INSERT INTO member (id, organization_id, user_id, role)
  SELECT gen_random_uuid(), org.id, owner.id, 'owner' FROM org, owner
  ON CONFLICT (organization_id, user_id) DO NOTHING
)
SELECT org.id AS "organizationId", owner.id, owner.name FROM org, owner`;

/** The membership of a user in this organisation, else in the one joined first. `user` and `organization` are uuids in SQL. */
const membershipSql = (user: string, organization: string) => `
SELECT u.id AS "userId", u.name, u.email, m.organization_id AS "organizationId", o.name AS organization, m.role,
       CASE WHEN m.role IN ('viewer', 'operator', 'admin', 'owner') THEN NULL ELSE coalesce(r.permissions, '{}') END AS permissions
FROM member m
JOIN app_user u ON u.id = m.user_id
JOIN organization o ON o.id = m.organization_id
LEFT JOIN organization_role r ON r.organization_id = m.organization_id AND r.name = m.role
WHERE m.user_id = ${user}
ORDER BY (m.organization_id = ${organization}) DESC NULLS LAST, m.created_at LIMIT 1`;

const MEMBERSHIP = membershipSql('$1::uuid', '$2::uuid');

// What every request is let in by: one statement each, prepared, with the membership as it is at this moment.
const SESSION = `
SELECT s.expires_at AS "sessionUntil", m.*
FROM auth_session s CROSS JOIN LATERAL (${membershipSql('s.user_id', 's.active_organization_id')}) m
WHERE s.token = $1 AND s.expires_at > now()`;

const KEY = `
SELECT k.id AS "credentialId", coalesce(k.name, k.start, '') AS "credentialName", k.organization_id AS "boundTo", k.permissions AS limits, m.*
FROM api_key k CROSS JOIN LATERAL (${membershipSql('k.reference_id::uuid', 'k.organization_id')}) m
WHERE k.key = $1 AND k.enabled AND (k.expires_at IS NULL OR k.expires_at > now())`;

const TOKEN = `
SELECT t.client_id AS "credentialId", coalesce(c.name, t.client_id) AS "credentialName", t.reference_id AS "boundTo", t.scopes, m.*
FROM oauth_access_token t JOIN oauth_client c ON c.client_id = t.client_id
CROSS JOIN LATERAL (${membershipSql('t.user_id', 't.reference_id::uuid')}) m
WHERE t.token = $1 AND t.expires_at > now() AND t.revoked IS NULL AND c.disabled IS NOT TRUE`;

const KEYS = `
SELECT k.id, coalesce(k.name, '') AS name, coalesce(k.start, '') AS start, k.reference_id AS "userId", u.name AS "userName",
       k.permissions, k.created_at AS "createdAt", k.expires_at AS "expiresAt", k.last_request AS "lastUsedAt", k.uses
FROM api_key k JOIN app_user u ON u.id::text = k.reference_id
WHERE k.organization_id = $1 ORDER BY k.created_at DESC, k.id`;

const INVITATION = `
SELECT i.id, i.organization_id AS "organizationId", o.name AS organization, i.email, i.role,
       CASE WHEN i.status = 'pending' AND i.expires_at <= now() THEN 'expired' ELSE i.status END AS status,
       i.expires_at AS "expiresAt", i.created_at AS "createdAt", i.inviter_id AS "invitedBy"
FROM invitation i JOIN organization o ON o.id = i.organization_id`;

/** What better-auth keeps as `{"workflows":["read"]}`, as our own list; null = no limit. */
function scopesOf(permissions: string | null): string[] | null {
  if (permissions === null) return null;
  const statements = JSON.parse(permissions) as Record<string, string[]>;
  return Object.entries(statements).flatMap(([kind, verbs]) => verbs.map((verb) => `${kind}:${verb}`));
}

/**
 * Identity tables over `pg`; better-auth writes the same ones through Prisma.
 *
 * @param pool connections as oc_auth
 */
export function createIdentityStore(pool: pg.Pool): IdentityStore {
  const all = async <T extends pg.QueryResultRow>(sql: string, values: unknown[]): Promise<T[]> =>
    (await pool.query<T>(sql, values)).rows;
  const one = async <T extends pg.QueryResultRow>(sql: string, values: unknown[]): Promise<T | null> =>
    (await all<T>(sql, values))[0] ?? null;
  const changed = async (sql: string, values: unknown[]): Promise<boolean> =>
    ((await pool.query(sql, values)).rowCount ?? 0) > 0;
  const prepared = async <T extends pg.QueryResultRow>(
    name: string,
    text: string,
    value: string,
  ): Promise<T | null> => (await pool.query<T>({ name, text, values: [value] })).rows[0] ?? null;
  const presented = (row: PresentedRow | null): Presented | null => {
    if (row === null) return null;
    const { credentialId: id, credentialName: name, boundTo, limits, scopes, ...member } = row;
    // A key is of one organisation: it does not follow its user into another.
    if (boundTo !== null && boundTo !== member.organizationId) return null;
    return { id, name, scopes: limits === undefined ? (scopes ?? null) : scopesOf(limits), member };
  };

  return {
    async ensureLocalOwner(): Promise<Actor> {
      const row = await one<{ organizationId: string; id: string; name: string }>(ENSURE, []);
      if (!row) throw new Error('The local organisation could not be made.');
      const { id, organizationId, name: displayName } = row;
      return { kind: 'user', id, organizationId, role: 'owner', displayName };
    },
    hasOwner: async (organizationId) =>
      (await one(
        `SELECT 1 FROM member m JOIN auth_account a ON a.user_id = m.user_id
         WHERE m.organization_id = $1 AND m.role = 'owner' LIMIT 1`,
        [organizationId],
      )) !== null,
    membership: (userId, organizationId) => one(MEMBERSHIP, [userId, organizationId]),
    everyOrganization: async () =>
      (await all<{ id: string }>('SELECT id FROM organization ORDER BY id', [])).map(({ id }) => id),
    organizationsOf: (userId) =>
      all(
        `SELECT o.id, o.name, o.slug, m.role FROM member m JOIN organization o ON o.id = m.organization_id
         WHERE m.user_id = $1 ORDER BY o.name, o.id`,
        [userId],
      ),
    async session(token) {
      const row = await prepared<Membership & { sessionUntil: Date }>('session', SESSION, token);
      if (row === null) return null;
      const { sessionUntil: expiresAt, ...member } = row;
      return { expiresAt, member };
    },
    apiKey: async (hash) => presented(await prepared('api key', KEY, hash)),
    accessToken: async (hash) => presented(await prepared('access token', TOKEN, hash)),
    async touchKeys(uses) {
      await pool.query(
        `UPDATE api_key k SET uses = k.uses + t.n, last_request = now()
         FROM unnest($1::text[], $2::int[]) AS t (id, n) WHERE k.id = t.id`,
        [[...uses.keys()], [...uses.values()]],
      );
    },

    organization: (organizationId) =>
      one('SELECT id, name, slug FROM organization WHERE id = $1', [organizationId]),
    async renameOrganization(organizationId, name) {
      await pool.query('UPDATE organization SET name = $2 WHERE id = $1', [organizationId, name]);
    },

    members: (organizationId) =>
      all(
        `SELECT u.id AS "userId", u.name, u.email, m.role, m.created_at AS "joinedAt",
                (SELECT max(s.updated_at) FROM auth_session s WHERE s.user_id = u.id) AS "lastSeenAt"
         FROM member m JOIN app_user u ON u.id = m.user_id WHERE m.organization_id = $1 ORDER BY u.name, u.id`,
        [organizationId],
      ),
    async addMember(organizationId, userId, role) {
      await pool.query(
        `INSERT INTO member (id, organization_id, user_id, role) VALUES ($1, $2, $3, $4)
         ON CONFLICT (organization_id, user_id) DO NOTHING`,
        [randomUUID(), organizationId, userId, role],
      );
    },
    setRole: (organizationId, userId, role) =>
      changed('UPDATE member SET role = $3 WHERE organization_id = $1 AND user_id = $2', [
        organizationId,
        userId,
        role,
      ]),
    // Keys, tokens, sessions and teams go with it by a trigger, as for every other way out.
    removeMember: (organizationId, userId) =>
      changed('DELETE FROM member WHERE organization_id = $1 AND user_id = $2', [organizationId, userId]),
    otherOwners: async (organizationId, userId) =>
      (
        await one<{ n: number }>(
          `SELECT count(*) AS n FROM member m WHERE m.organization_id = $1 AND m.role = 'owner' AND m.user_id <> $2
           AND EXISTS (SELECT 1 FROM auth_account a WHERE a.user_id = m.user_id)`,
          [organizationId, userId],
        )
      )?.n ?? 0,
    findUser: (email) =>
      one(
        `SELECT u.id, EXISTS (SELECT 1 FROM auth_account a WHERE a.user_id = u.id) AS "hasPassword"
         FROM app_user u WHERE u.email = $1`,
        [email],
      ),
    teamsOf: async (organizationId, userId) =>
      (
        await all<{ id: string }>(
          `SELECT DISTINCT t.id FROM team t JOIN team_member tm ON tm.team_id = t.id
           JOIN member m ON m.organization_id = t.organization_id AND m.user_id = tm.user_id
           WHERE t.organization_id = $1 AND tm.user_id = $2 ORDER BY t.id`,
          [organizationId, userId],
        )
      ).map((row) => row.id),

    async invite({ id, organizationId, email, role, expiresAt, invitedBy }) {
      await pool.query(
        `INSERT INTO invitation (id, organization_id, email, role, expires_at, inviter_id) VALUES ($1, $2, $3, $4, $5, $6)`,
        [id, organizationId, email, role, expiresAt, invitedBy],
      );
    },
    invitations: (organizationId) =>
      all<Invitation>(`${INVITATION} WHERE i.organization_id = $1 ORDER BY i.created_at DESC LIMIT 500`, [
        organizationId,
      ]),
    invitation: (id) => one<Invitation>(`${INVITATION} WHERE i.id = $1`, [id]),
    settleInvitation: (id, status, organizationId) =>
      changed(
        `UPDATE invitation SET status = $2 WHERE id = $1 AND status = 'pending' AND expires_at > now()
         AND ($3::uuid IS NULL OR organization_id = $3)`,
        [id, status, organizationId ?? null],
      ),

    roles: (organizationId) =>
      all(
        `SELECT r.name, r.description, r.permissions,
                (SELECT count(*) FROM member m WHERE m.organization_id = r.organization_id AND m.role = r.name) AS members
         FROM organization_role r WHERE r.organization_id = $1 ORDER BY r.name`,
        [organizationId],
      ),
    async putRole(organizationId, { name, description, permissions }) {
      await pool.query(
        `INSERT INTO organization_role (organization_id, name, description, permissions) VALUES ($1, $2, $3, $4)
         ON CONFLICT (organization_id, name) DO UPDATE
         SET description = excluded.description, permissions = excluded.permissions, updated_at = now()`,
        [organizationId, name, description, permissions],
      );
    },
    removeRole: (organizationId, name) =>
      changed('DELETE FROM organization_role WHERE organization_id = $1 AND name = $2', [
        organizationId,
        name,
      ]),

    keys: async (organizationId) => {
      type Row = ApiKeyRow & { permissions: string | null };
      const rows = await all<Row>(KEYS, [organizationId]);
      return rows.map(({ permissions, ...row }) => ({ ...row, scopes: scopesOf(permissions) }));
    },
    removeKey: (organizationId, id) =>
      changed('DELETE FROM api_key WHERE organization_id = $1 AND id = $2', [organizationId, id]),

    async keepOneTime(purpose, hash, expiresAt) {
      await pool.query(
        `WITH old AS (DELETE FROM auth_verification WHERE identifier = $2)
         INSERT INTO auth_verification (id, identifier, value, expires_at) VALUES ($1, $2, $3, $4)`,
        [randomUUID(), purpose, hash, expiresAt],
      );
    },
    takeOneTime: (purpose, hash) =>
      changed('DELETE FROM auth_verification WHERE identifier = $1 AND value = $2 AND expires_at > now()', [
        purpose,
        hash,
      ]),
  };
}
