import pg from 'pg';

/** `url` with another database in it. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/** Runs statements, one after another, in the maintenance database of a server. */
export async function administer(adminUrl: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: withDatabase(adminUrl, 'postgres') });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

let count = 0;

/** A database name that no other process of this machine takes at the same time. */
export function freshName(prefix: string): string {
  count += 1;
  return `${prefix}_${process.pid}_${Date.now().toString(36)}_${count}`;
}

/** A migrated database that serves as a template: nobody can connect to it, so that it can be copied at any time. */
export async function createTemplate(
  adminUrl: string,
  migrate: (url: string) => Promise<void>,
): Promise<{ name: string; drop: () => Promise<void> }> {
  const name = freshName('oc_template');
  await migrate(withDatabase(adminUrl, name));
  await administer(adminUrl, `ALTER DATABASE ${name} IS_TEMPLATE true ALLOW_CONNECTIONS false`);
  return {
    name,
    drop: () => administer(adminUrl, `ALTER DATABASE ${name} IS_TEMPLATE false`, `DROP DATABASE ${name}`),
  };
}
