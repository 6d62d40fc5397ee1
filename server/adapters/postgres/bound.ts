import type { Pool } from '@/server/adapters/postgres/pool';
import { DatabaseSetupError } from '@/server/adapters/postgres/setup-error';

/**
 * Refuses connections that row-level security does not bind: superusers, and roles with BYPASSRLS. The application never
 * works over one.
 *
 * @throws DatabaseSetupError naming the role
 */
export async function mustBeBound(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ user: string; free: boolean }>(
    `SELECT rolname AS user, rolsuper OR rolbypassrls AS free FROM pg_roles WHERE rolname = current_user`,
  );
  if (rows[0]?.free !== true) return;
  throw new DatabaseSetupError(
    `The database role "${rows[0].user}" is a superuser or passes row-level security by: organisations would not be kept apart. ` +
      `Take that from it: ALTER ROLE ${rows[0].user} NOSUPERUSER NOBYPASSRLS.`,
  );
}
