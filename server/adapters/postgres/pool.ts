import pg from 'pg';

// int8 (counts, epochs, identities) as numbers: all of ours stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => Number(text));

/** A connection pool for one database role. Idle clients that lose their connection are dropped, not thrown. */
export function createPool(url: string, max: number, applicationName: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: applicationName,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  });
  pool.on('error', () => {});
  return pool;
}

/** True when Postgres refused a statement for good (its outcome is known: nothing was written). */
export function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  // Class 08 (connection), 53 (resources), 57P (shutdown) and 40 (rollback, also from a crash) are not refusals of the data.
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^(08|40|53|57P|58)/.test(code);
}
