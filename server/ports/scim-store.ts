/** A token with which a directory keeps users of one organisation. */
export interface ScimToken {
  id: string;
  name: string;
  organizationId: string;
  /** What its maker was allowed. */
  permissions: string[];
}

export interface ScimTokenRow {
  id: string;
  name: string;
  start: string;
  createdBy: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

/** What a directory may do with somebody who has an account already: their id if it may, `elsewhere` if they are not its own. */
type KnownAddress = { userId: string } | 'elsewhere' | null;

/** Tokens of directories, and what is asked before a directory writes. */
export interface ScimStore {
  tokens(organizationId: string): Promise<ScimTokenRow[]>;
  addToken(
    token: ScimToken & { start: string; hash: string; createdBy: string; expiresAt: Date | null },
  ): Promise<void>;
  /** The token that is gone now; null when there is none of this id. */
  removeToken(organizationId: string, id: string): Promise<{ name: string } | null>;
  /** A token that has not run out, by its hash; writes down that it was used. */
  token(hash: string): Promise<ScimToken | null>;
  /** The account with an address, as an organisation may see it. */
  known(organizationId: string, email: string): Promise<KnownAddress>;
  /**
   * Somebody whom the directory has brought in and who has no way to sign in yet; nobody who belongs to another organisation.
   * With a role only who has none stronger: an invitation to it may not open more.
   */
  withoutPassword(organizationId: string, email: string, role: string | null): Promise<string | null>;
}
