import { limited, type Statements } from '@/server/adapters/postgres/pool';

/** The database's clock in a statement: epoch milliseconds. */
export const NOW = '(extract(epoch FROM clock_timestamp()) * 1000)::float8';

/** Asks the database for its clock: epoch milliseconds, with fractions. */
export async function databaseNow(pool: Statements): Promise<number> {
  const { rows } = await limited(pool).query<{ now: number }>(`SELECT ${NOW} AS now`);
  if (rows[0] === undefined) throw new Error('The database did not tell the time.');
  return rows[0].now;
}
