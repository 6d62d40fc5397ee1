/** Where time comes from. The system clock in production, a hand-moved one in tests and simulation. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /** Calls `run` once at or after `atMs`; returns a function that cancels it. */
  at(atMs: number, run: () => void): () => void;
}

/** A clock that goes by the database's. */
export interface SteeredClock extends Clock {
  /** Moves towards the database's clock, read as `databaseNow` in an exchange of twice `halfRoundTripMs`; milliseconds. */
  adjust(databaseNow: number, halfRoundTripMs: number): void;
}
