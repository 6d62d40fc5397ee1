import { inject } from 'vitest';
import { type DatabaseRole, roleUrl } from '@/server/adapters/postgres/roles';
import { assertCleanDatabase } from './canary';
import { administer, freshName, withDatabase } from './database-admin';

/** A database of one test file (or one test): migrated, empty, shared with nobody. */
export interface TestDatabase {
  /** URL of the administrator (a superuser) in this database. */
  adminUrl: string;
  /** URL of a database role in this database. */
  url(role: DatabaseRole): string;
  /** Removes it, also when connections are left. Fails when a table holds a planted secret (canary.ts). */
  drop(): Promise<void>;
}

/**
 * Copies the migrated template; takes some tens of milliseconds.
 *
 * @param template `template0` for one without tables
 */
export async function createTestDatabase(template = inject('postgresTemplate')): Promise<TestDatabase> {
  const server = inject('postgresAdminUrl');
  const name = freshName('oc_test');
  await administer(
    server,
    // FILE_COPY is faster than the default for a template this small when fsync is off.
    `CREATE DATABASE ${name} TEMPLATE ${template} OWNER oc_owner STRATEGY FILE_COPY`,
    `GRANT CONNECT ON DATABASE ${name} TO oc_auth, oc_app, oc_engine`,
  );
  const adminUrl = withDatabase(server, name);
  return {
    adminUrl,
    url: (role) => roleUrl(adminUrl, role),
    async drop() {
      try {
        await assertCleanDatabase(adminUrl);
      } finally {
        await administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      }
    },
  };
}
