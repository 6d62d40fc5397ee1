import { createHash } from 'node:crypto';
import type { Pool } from '@/server/adapters/postgres/pool';

/**
 * A short name of the very database that a pool is connected to, however its address is spelt: a hash of what the server was
 * given when it was made and the number of the database in it. A restored backup is another database.
 */
export async function databaseIdentity(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ identity: string }>(
    `SELECT system_identifier || '/' || (SELECT oid FROM pg_database WHERE datname = current_database()) AS identity
     FROM pg_control_system()`,
  );
  return createHash('sha256')
    .update(rows[0]?.identity ?? '')
    .digest('hex')
    .slice(0, 16);
}
