import pg from 'pg';
import { roleUrl } from '../roles';

/**
 * A connection as the owner of the tables, for work that may take hours.
 * @param name what the server shows it as
 */
export async function connectAsOwner(adminUrl: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: roleUrl(adminUrl, 'oc_owner'), application_name: name });
  // The next query fails with it.
  client.on('error', () => undefined);
  await client.connect();
  await liftLimits(client);
  return client;
}

/**
 * Lifts the limits of time that the server, the database or the role sets on statements and transactions: one COPY of a large
 * table passes them all. By name, because not every version of Postgres has each.
 */
export async function liftLimits(client: pg.Client): Promise<void> {
  await client.query(
    `SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN
       ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout')`,
  );
}

/**
 * Ends the connection when the signal comes: what is under way on it fails, and its transaction is gone.
 * @returns how to have it left alone again
 */
export function endOn(signal: AbortSignal, client: pg.Client): () => void {
  const end = () => void client.end().catch(() => undefined);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  return () => signal.removeEventListener('abort', end);
}

/** For whoever gives no signal. */
export function never(): AbortSignal {
  return new AbortController().signal;
}
