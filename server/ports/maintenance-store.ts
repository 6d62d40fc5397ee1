/** Slow housekeeping of the engine's tables. */
export interface MaintenanceStore {
  /** Makes the weekly event partitions up to `weeksAhead` weeks from now; resolves with how many were made. */
  ensureEventPartitions(weeksAhead: number): Promise<number>;
}
