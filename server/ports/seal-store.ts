/** A rotation of the master key. Times are epoch ms. */
export interface Rotation {
  /** `preparing`: until every process has the new key; `resealing`: values are brought to it, one batch after another. */
  phase: 'preparing' | 'resealing' | 'done';
  from: string;
  to: string;
  startedBy: string;
  startedAt: number;
  endedAt: number | null;
  /** Values that were under the old key when resealing began; null before. */
  total: number | null;
  done: number;
  /** Values that could not be opened and stay as they are. */
  unreadable: number;
}

/** What the instance has agreed on. Keys are named by their ids. */
export interface SealState {
  activeKey: string;
  form: 1 | 2;
  /** What cookies and tokens of people are signed with, sealed. */
  identitySealed: Uint8Array;
  /** The rotation under way, or the last one. */
  rotation: Rotation | null;
}

/** A process and the keys that it has. */
export interface KeyHolder {
  processId: string;
  host: string;
  pid: number;
  keys: string[];
  /** The key that it seals under. */
  activeKey: string;
}

/** What came of one batch. `last` is where the next one goes on; null at the end. */
export interface ResealedBatch {
  resealed: number;
  unreadable: number;
  last: string[] | null;
}

/** Brings one sealed value to the key in use. Throws when it cannot be opened. */
export type Reseal = (sealed: Uint8Array, context: string) => Uint8Array;

/** The state of the master key in the database, and the values that are sealed under it. */
export interface SealStore {
  /** The state; made with what is given when there is none yet. */
  claim(activeKey: string, identity: Uint8Array): Promise<SealState>;
  read(): Promise<SealState>;
  report(holder: KeyHolder): Promise<void>;
  forget(processId: string): Promise<void>;
  /** Processes that reported within the last seconds. */
  holders(): Promise<KeyHolder[]>;

  /** Begins a rotation, unless one is under way. */
  begin(from: string, to: string, by: string): Promise<void>;
  /** Lets everybody seal under the new key from now on. */
  activate(to: string): Promise<void>;
  /** Counts what is under a key, in all organisations. */
  count(organizations: readonly string[], keyId: string): Promise<number>;
  setTotal(total: number): Promise<void>;
  /** How many kinds of places there are; `reseal` takes their numbers. */
  readonly places: number;
  /** Brings up to `limit` values of one place to the new key; null when another process is at it. */
  reseal(
    organizationId: string,
    at: { place: number; from: string; after: string[]; limit: number },
    reseal: Reseal,
  ): Promise<ResealedBatch | null>;
  /** The same for what people's cookies are signed with. */
  resealIdentity(from: string, reseal: Reseal): Promise<void>;
  /**
   * Ends the rotation when no more than `unreadable` values are under the old key and every process seals under the new
   * one; from then on nothing can be stored under the old one. Writes the audit entry in `auditIn`. False: not yet.
   */
  finish(organizations: () => Promise<string[]>, unreadable: number, auditIn: string): Promise<boolean>;
}
