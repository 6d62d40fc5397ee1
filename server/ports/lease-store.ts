/** A shard lease. Any append under another epoch is refused. */
export interface Lease {
  shard: number;
  epoch: number;
}

/** Facts about this process for others to see. */
export interface ProcessFacts {
  id: string;
  buildId: string;
  /** Where `pid` means something: processes with the same value can look each other up. */
  host: string;
  pid: number;
}

/** What a heartbeat brings back. */
export interface Heartbeat {
  held: Lease[];
  /** Engine processes that live, this one included. */
  processes: number;
  /** Other processes of the same host whose leases have not run out. */
  neighbours: { id: string; pid: number }[];
  /** The database's clock, epoch ms. */
  now: number;
}

export interface LeaseStore {
  /**
   * Makes the shard rows 0 … count-1 of a database that has none. A run keeps the shard that its workflow id had when it
   * was started, so the number never changes afterwards. Throws SHARDS_MISMATCH when the database has another number.
   */
  ensureShards(count: number): Promise<void>;
  /**
   * Says that this process lives and renews all its leases, in one transaction. Time is the database's. One that is
   * `leaving` renews its leases only: from then on others do not count it among the processes that live.
   */
  heartbeat(process: ProcessFacts, ttlMs: number, leaving?: boolean): Promise<Heartbeat>;
  /** Takes up to `limit` shards that nobody holds (never held, released, or expired); raises their epochs. */
  acquire(owner: string, ttlMs: number, limit: number): Promise<Lease[]>;
  /** Gives shards back at once, for a drain or to share them out. */
  release(owner: string, shards: readonly number[]): Promise<void>;
  /** Forgets the process. */
  leave(owner: string): Promise<void>;
}
