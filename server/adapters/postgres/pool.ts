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
  // The pool listens to idle clients only. One that is taken and waits for other work when the server goes away would end the
  // process with its error; its next query fails with it instead.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/**
 * True when Postgres refused a statement for what it says: its data (class 22), a constraint (23), its names or rights
 * (42). It would be refused again. Anything else passes: lost connections, shutdowns, cancelled statements, lock timeouts,
 * serialization failures.
 */
export function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^(22|23|42)[0-9A-Z]{3}$/.test(code);
}

/** A pool, for those who pass one on and must not know the driver. */
export type Pool = pg.Pool;
