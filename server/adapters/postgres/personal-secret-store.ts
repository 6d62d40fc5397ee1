import type pg from 'pg';
import { personalSecretContext } from '@/server/adapters/postgres/sealed-places';
import { ms, withinOrganization } from '@/server/adapters/postgres/transactions';
import type { PersonalSecretInfo, PersonalSecretStore } from '@/server/ports/personal-secret-store';
import type { Sealer } from '@/server/ports/sealer';

/** Postgres' code for a reference to a row that is not there. */
const NO_MEMBER = '23503';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Secrets of persons over `pg`, sealed.
 *
 * @param app connections as oc_app
 */
export function createPersonalSecretStore(app: pg.Pool, sealer: Sealer): PersonalSecretStore {
  return {
    async list(organizationId, userId) {
      if (!UUID.test(userId)) return [];
      return withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<PersonalSecretInfo>(
          `SELECT name, ${ms('updated_at', 'updatedAt')} FROM personal_secret
           WHERE organization_id = $1 AND user_id = $2 ORDER BY name`,
          [organizationId, userId],
        );
        return rows;
      });
    },

    async read(organizationId, userId, name) {
      if (!UUID.test(userId)) return undefined;
      const sealed = await withinOrganization(app, organizationId, async (client) => {
        const { rows } = await client.query<{ sealed: Buffer }>(
          'SELECT sealed FROM personal_secret WHERE organization_id = $1 AND user_id = $2 AND name = $3',
          [organizationId, userId, name],
        );
        return rows[0]?.sealed;
      });
      return sealed && sealer.open(sealed, personalSecretContext(organizationId, [userId, name]));
    },

    async set(organizationId, userId, name, value) {
      if (!UUID.test(userId)) return false;
      const sealed = Buffer.from(sealer.seal(value, personalSecretContext(organizationId, [userId, name])));
      try {
        await withinOrganization(app, organizationId, (client) =>
          client.query(
            `INSERT INTO personal_secret (organization_id, user_id, name, sealed) VALUES ($1, $2, $3, $4)
             ON CONFLICT (organization_id, user_id, name) DO UPDATE SET sealed = $4, updated_at = clock_timestamp()`,
            [organizationId, userId, name, sealed],
          ),
        );
        return true;
      } catch (error) {
        if ((error as { code?: unknown }).code === NO_MEMBER) return false;
        throw error;
      }
    },

    async remove(organizationId, userId, name) {
      if (!UUID.test(userId)) return false;
      return withinOrganization(app, organizationId, async (client) => {
        const { rowCount } = await client.query(
          'DELETE FROM personal_secret WHERE organization_id = $1 AND user_id = $2 AND name = $3',
          [organizationId, userId, name],
        );
        return (rowCount ?? 0) > 0;
      });
    },
  };
}
