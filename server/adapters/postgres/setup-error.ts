/**
 * The database cannot be prepared, and a person must do something; the message says what. It is read in the
 * terminal by whoever starts OpenConductor and never leaves through REST, so it has no code of the error catalogue.
 */
export class DatabaseSetupError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'DatabaseSetupError';
  }
}

/** SQLSTATE of an error of Postgres, or the code of a network error (`ECONNREFUSED`). */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}
