import type pg from 'pg';
import type { Actor } from '@/lib/protocol/actor';
import type { IdentityStore } from '@/server/ports/identity-store';

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

/**
 * Identity tables over `pg`.
 *
 * @param pool connections as oc_auth
 */
export function createIdentityStore(pool: pg.Pool): IdentityStore {
  return {
    async ensureLocalOwner(): Promise<Actor> {
      const { rows } = await pool.query<{ organizationId: string; id: string; name: string }>(ENSURE);
      const row = rows[0];
      if (!row) throw new Error('The local organisation could not be made.');
      return {
        kind: 'user',
        id: row.id,
        organizationId: row.organizationId,
        role: 'owner',
        displayName: row.name,
      };
    },
  };
}
