/** A person's secret as it may be shown: never its value. Times are epoch ms. */
export interface PersonalSecretInfo {
  name: string;
  updatedAt: number;
}

/** What the fleet asks of it. Somebody who is nobody's member, or no person, has no secrets. */
export interface PersonalSecretReader {
  /** The names of what a person has, with the times at which they were set. */
  list(organizationId: string, userId: string): Promise<PersonalSecretInfo[]>;
  /** The value, for a connection that is being opened; undefined when there is none. Throws SECRET_UNREADABLE. */
  read(organizationId: string, userId: string, name: string): Promise<string | undefined>;
}

/**
 * Where persons keep values of their own for `${secret:NAME}`. An adapter seals them before it stores them, and never logs
 * them. Who leaves the organisation has none there any more.
 */
export interface PersonalSecretStore extends PersonalSecretReader {
  /** False when the person is no member. */
  set(organizationId: string, userId: string, name: string, value: string): Promise<boolean>;
  /** False when there was none. */
  remove(organizationId: string, userId: string, name: string): Promise<boolean>;
}
