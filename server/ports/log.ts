/** Facts of a log line; `operation` names what was done, as in `create_workflow`. */
export type LogFacts = Record<string, unknown>;

/** Structured log. One line is one object: timestamp, level, operation, then the facts. */
export interface Log {
  debug(operation: string, facts?: LogFacts): void;
  info(operation: string, facts?: LogFacts): void;
  warn(operation: string, facts?: LogFacts): void;
  error(operation: string, facts?: LogFacts): void;
  /** A log whose lines all carry these facts. */
  with(facts: LogFacts): Log;
}
