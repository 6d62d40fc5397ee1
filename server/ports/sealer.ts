/**
 * Seals bytes so that only holders of the key can read them. `context` names the place a value is kept at (table,
 * organisation, name): a sealed value that is moved to another place does not open there.
 */
export interface Sealer {
  seal(text: string, context: string): Uint8Array<ArrayBuffer>;
  /** Throws SECRET_UNREADABLE when the key is another one, or the value was altered or moved. */
  open(sealed: Uint8Array, context: string): string;
}

/** A sealer that can bring what was sealed under an older key to the one in use. */
export interface Resealer extends Sealer {
  /** The same value under the key in use now. Throws SECRET_UNREADABLE. */
  reseal(sealed: Uint8Array, context: string): Uint8Array<ArrayBuffer>;
}
