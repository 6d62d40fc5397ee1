/** Somebody whose data is asked for by their address. */
export interface Person {
  email: string;
  /** Null for who was only invited. */
  userId: string | null;
  name: string | null;
  /** Where they are a member. */
  organizations: { id: string; role: string }[];
  /** Organisations that have an invitation for them. */
  invitedTo: string[];
}

/** How far an erasure goes: one organisation, or everything there is of the person. */
export interface ErasureScope {
  organizationId: string;
  /** True when the account goes too, and with it what lies in other organisations. */
  account: boolean;
}

/** What of a person was found and removed. */
export interface RemovedPart {
  what: string;
  count: number;
}

/** Removes what is known of people. */
export interface ErasureStore {
  find(email: string): Promise<Person | null>;
  emailOf(userId: string): Promise<string | null>;
  /** Removes everything in scope, in one transaction; with `dryRun` the very same is done and taken back. */
  erase(person: Person, scope: ErasureScope, dryRun: boolean): Promise<RemovedPart[]>;
  /** Runs of an organisation that the user started. */
  runs(organizationId: string, userId: string): Promise<{ open: number; closed: number }>;
  /** Deletes up to `limit` closed ones of them with histories and contents; gives how many. */
  eraseRuns(organizationId: string, userId: string, limit: number): Promise<number>;
  /** Entries of the organisation's audit log that name the address. */
  auditEntries(organizationId: string, email: string): Promise<number>;
}
