/** The part of a pino logger that the fleet uses. */
export interface FleetLog {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}
