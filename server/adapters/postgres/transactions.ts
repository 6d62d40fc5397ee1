import type pg from 'pg';

/**
 * Runs a unit of work of one organisation over `pg`: a transaction in which row-level security shows that organisation's
 * rows and no others.
 *
 * @param pool connections as oc_app
 */
export async function withinOrganization<T>(
  pool: pg.Pool,
  organizationId: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, async (client) => {
    await client.query(`SELECT set_config('app.organization_id', $1, true)`, [organizationId]);
    return work(client);
  });
}

/** Runs work in a transaction; when it throws nothing is kept. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    // A refused statement leaves a sound connection behind; one that cannot even roll back is not given back.
    const isSound = await client.query('ROLLBACK').then(
      () => true,
      () => false,
    );
    client.release(!isSound);
    throw error;
  }
}

/** A time column as epoch milliseconds under another name. */
export function ms(column: string, name: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8 AS "${name}"`;
}
