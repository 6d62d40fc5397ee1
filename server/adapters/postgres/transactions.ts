import type pg from 'pg';
import { hiddenNow } from '@/server/adapters/postgres/hidden-scope';
import { limited, type Statements } from '@/server/adapters/postgres/pool';

/** A connection that does not answer this long to the end of its transaction is not worth keeping. */
const ROLLBACK_LIMIT_MS = 5_000;

/**
 * Runs a unit of work of one organisation over `pg`: a transaction in which row-level security shows that organisation's
 * rows and no others; of those, none that is hidden from whoever asks.
 *
 * @param pool connections as oc_app
 */
export async function withinOrganization<T>(
  pool: pg.Pool,
  organizationId: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const hidden = hiddenNow();
  return inTransaction(pool, async (client) => {
    const statements = limited(client);
    await statements.query(`SELECT set_config('app.organization_id', $1, true)`, [organizationId]);
    if (hidden !== null)
      await statements.query(`SELECT set_config('app.hidden_workflows', $1, true)`, [hidden]);
    return work(client);
  });
}

/**
 * Runs work in a transaction; when it throws nothing is kept. On a connection that is cut off without a word its begin and
 * end are given up after the time that any statement has; the work limits its own statements.
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    await limited(client).query('BEGIN');
    const result = await work(client);
    await limited(client).query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    // A refused statement leaves a sound connection behind; one that cannot even roll back is not given back.
    const isSound = await limited(client, ROLLBACK_LIMIT_MS)
      .query('ROLLBACK')
      .then(
        () => true,
        () => false,
      );
    client.release(!isSound);
    throw error;
  }
}

/**
 * The same for work that holds a row against other processes: each statement is given up after `limitMs`, and so does Postgres with
 * the transaction when nothing comes for so long. Else a machine that goes silent would keep the row for hours.
 */
export function inHeldTransaction<T>(
  pool: pg.Pool,
  limitMs: number,
  work: (held: Statements) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, async (client) => {
    const held = limited(client, limitMs);
    await held.query(`SET LOCAL idle_in_transaction_session_timeout = ${limitMs}`);
    return work(held);
  });
}

/** A time column as epoch milliseconds under another name. */
export function ms(column: string, name: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8 AS "${name}"`;
}
