import { resolve } from 'node:path';
import type { TestProject } from 'vitest/node';
import { prepareDatabase } from '@/server/adapters/postgres/prepare';
import { startPrivatePostgres } from './cluster';
import { createTemplate } from './database-admin';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the administrator of the Postgres that the suites share. */
    postgresAdminUrl: string;
    /** Name of the migrated database that test databases are copies of. */
    postgresTemplate: string;
  }
}

const migrationsDir = resolve(import.meta.dirname, '../../prisma/migrations');

/**
 * Before the first test file of a project: a Postgres (OPENCONDUCTOR_TEST_DATABASE_URL, else an embedded one in a
 * temporary folder), the roles, and one migrated database that each test copies.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.OPENCONDUCTOR_TEST_DATABASE_URL;
  const own =
    given === undefined || given === '' ? await startPrivatePostgres({ durable: false }) : undefined;
  const adminUrl = own?.adminUrl ?? (given as string);
  const template = await createTemplate(adminUrl, (url) =>
    prepareDatabase(url, { log: () => undefined, migrationsDir }),
  );
  project.provide('postgresAdminUrl', adminUrl);
  project.provide('postgresTemplate', template.name);
  return async () => {
    await template.drop();
    await own?.remove();
  };
}
