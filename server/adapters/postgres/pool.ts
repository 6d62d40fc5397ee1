import pg from 'pg';

// int8 (counts, epochs, identities) as numbers: all of ours stay far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => Number(text));

const CONNECT_LIMIT_MS = 5_000;

/** A connection pool for one database role. Idle clients that lose their connection are dropped, not thrown. */
export function createPool(url: string, max: number, applicationName: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    onConnect: abandonable,
  });
  pool.on('error', () => {});
  // The pool listens to idle clients only. One that is taken and waits for other work when the server goes away would end the
  // process with its error; its next query fails with it instead.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/**
 * Has the server look now and then, while it works or waits for a lock, whether the client is still there: a statement that
 * was given up ends, instead of keeping its backend for as long as the lock lasts. A server whose system cannot look goes on as before.
 */
async function abandonable(client: pg.ClientBase): Promise<void> {
  const set = { text: "SET client_connection_check_interval = '5s'", query_timeout: CONNECT_LIMIT_MS };
  await client.query(set).catch((error: { code?: unknown }) => {
    if (typeof error.code !== 'string') throw error;
  });
}

/** What stores do with a pool, or with one connection of it, that only send single statements. */
export type Statements = Pick<pg.Pool, 'query'>;

/**
 * Far longer than any statement of the engine takes, locks of some seconds included, and far shorter than the quarter of an hour
 * after which the system gives up on a connection through which nothing comes any more.
 */
export const STATEMENT_LIMIT_MS = 30_000;
/** What is to be written has a second more for each so many characters: given up, the same again would take as long. */
const CHARACTERS_PER_SECOND = 1_000_000;
/** For statements (spread into them) over what may be large in the database: whole histories, contents that are copied. */
export const LARGE = { query_timeout: 300_000 };

/**
 * A pool, or one connection, whose statements fail when their answer is not there after `limitMs`, and their connection with them: one that is cut
 * off without a word would hold up everything that waits for the answer. The statement may still take effect, so that this is
 * a lost answer like any other: only for statements that may be repeated.
 */
export function limited(pool: Statements, limitMs = STATEMENT_LIMIT_MS): Statements {
  const query = (statement: string | pg.QueryConfig<unknown[]>, parameters?: unknown[]) => {
    const config = typeof statement === 'string' ? { text: statement, values: parameters ?? [] } : statement;
    const texts = (config.values ?? []).filter((value) => typeof value === 'string');
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    const limit = { query_timeout: limitMs + 1_000 * Math.floor(length / CHARACTERS_PER_SECOND) };
    return pool.query(Object.assign(limit, config));
  };
  return { query } as Statements;
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
