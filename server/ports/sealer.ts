/**
 * Seals bytes so that only holders of the key can read them. `context` names the place a value is kept at (table,
 * organisation, name): a sealed value that is moved to another place does not open there.
 */
export interface Sealer {
  seal(text: string, context: string): Uint8Array<ArrayBuffer>;
  /** Throws SECRET_UNREADABLE when the key is another one, or the value was altered or moved. */
  open(sealed: Uint8Array, context: string): string;
}
