/** A secret as it may be shown: never its value. Times are epoch ms. */
export interface SecretInfo {
  name: string;
  updatedBy: string;
  updatedAt: number;
}

/** Where the values of `${secret:NAME}` are kept. An adapter seals them before it stores them, and never logs them. */
export interface SecretStore {
  list(organizationId: string): Promise<SecretInfo[]>;
  /** The value, for a connection that is being opened; undefined when there is none. Throws SECRET_UNREADABLE. */
  read(organizationId: string, name: string): Promise<string | undefined>;
  set(organizationId: string, name: string, value: string, by: string): Promise<void>;
  /** False when there was none. */
  remove(organizationId: string, name: string): Promise<boolean>;
}
