/** A weekly partition of the event table, with the run ids that it holds: from `low` to before `high`. */
export interface EventPartition {
  name: string;
  low: string;
  high: string;
}

/** Slow housekeeping of the engine's tables. */
export interface MaintenanceStore {
  /**
   * Makes the weekly event partitions up to `weeksAhead` weeks from now. Resolves with those that cannot be made, because events
   * of those weeks are in the default partition already.
   */
  ensureEventPartitions(weeksAhead: number): Promise<EventPartition[]>;
  /**
   * The oldest partition whose every run began and closed more than `days` days ago on the database's clock, or null.
   * One open run keeps its whole week.
   */
  expiredPartition(days: number): Promise<EventPartition | null>;
  /** Deletes up to `limit` rows of what watchers read, where they tell of runs of the partition. Gives the number. */
  deleteStream(partition: EventPartition, limit: number): Promise<number>;
  /** Deletes up to `limit` runs of the partition with what belongs to them, but for the events. Gives the number. */
  deleteRuns(partition: EventPartition, limit: number): Promise<number>;
  /** Drops the partition once its runs are gone. False when it was not expired after all, or not reachable in time. */
  dropPartition(partition: EventPartition, days: number): Promise<boolean>;
}
