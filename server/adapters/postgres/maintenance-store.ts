import type pg from 'pg';
import type { MaintenanceStore } from '@/server/ports/maintenance-store';

/**
 * Housekeeping over `pg`.
 *
 * @param pool connections as oc_engine
 */
export function createMaintenanceStore(pool: pg.Pool): MaintenanceStore {
  return {
    async ensureEventPartitions(weeksAhead) {
      const { rows } = await pool.query<{ made: number }>('SELECT ensure_event_partitions($1) AS made', [
        weeksAhead,
      ]);
      return rows[0]?.made ?? 0;
    },
  };
}
