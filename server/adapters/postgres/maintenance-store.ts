import type pg from 'pg';
import { uuidv7Time } from '@/lib/shared/ids';
import { sqlState } from '@/server/adapters/postgres/setup-error';
import type { EventPartition, MaintenanceStore } from '@/server/ports/maintenance-store';

/** Stream entries are written moments after the events they tell of; this is far more than moments. */
const SLACK_MS = 86_400_000;
const LOCK_NOT_AVAILABLE = '55P03';

/** True for a batch that tells of a run of the partition. */
const TELLS_OF = `EXISTS (
  SELECT 1 FROM json_array_elements(refs) AS ref WHERE (ref->>0)::uuid >= $1::uuid AND (ref->>0)::uuid < $2::uuid)`;

/**
 * An entry tells of all that was committed together. One that also tells of other runs goes as well: without some of its
 * events the numbers of the others would be wrong.
 */
const DELETE_STREAM = `
WITH span AS MATERIALIZED (
  SELECT to_timestamp($3::float8 / 1000) AS begins, max(closed_at) + make_interval(secs => $4::float8 / 1000) AS ends
  FROM workflow_run WHERE run_id >= $1::uuid AND run_id < $2::uuid
), entries AS (
  DELETE FROM stream_entry WHERE (organization_id, topic, seq) IN (
    SELECT organization_id, topic, seq FROM stream_entry
    WHERE created_at >= (SELECT begins FROM span) AND created_at < (SELECT ends FROM span) AND ${TELLS_OF}
    LIMIT $5)
  RETURNING 1
), batches AS (
  DELETE FROM event_outbox WHERE id IN (SELECT id FROM event_outbox WHERE ${TELLS_OF} LIMIT $5) RETURNING 1
)
SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM batches) AS n`;

/** By range of run ids, so that the small index of the idempotency records is of use. */
const DELETE_RUNS = `
WITH span AS MATERIALIZED (
  SELECT last.run_id FROM (
    SELECT run_id FROM workflow_run WHERE run_id >= $1::uuid AND run_id < $2::uuid ORDER BY run_id LIMIT $3
  ) AS last ORDER BY run_id DESC LIMIT 1
), keys AS (
  DELETE FROM idempotency_record WHERE run_id >= $1::uuid AND run_id <= (SELECT run_id FROM span)
), commands AS (
  DELETE FROM workflow_inbox WHERE run_id >= $1::uuid AND run_id <= (SELECT run_id FROM span)
)
DELETE FROM workflow_run WHERE run_id >= $1::uuid AND run_id <= (SELECT run_id FROM span)
  -- Once more, should the answer about the partition be out of date.
  AND closed_at IS NOT NULL`;

/**
 * Housekeeping over `pg`.
 *
 * @param pool connections as oc_engine
 */
export function createMaintenanceStore(pool: pg.Pool): MaintenanceStore {
  return {
    async ensureEventPartitions(weeksAhead) {
      await pool.query('SELECT ensure_event_partitions($1)', [weeksAhead]);
      const { rows } = await pool.query<EventPartition>(
        'SELECT name, low, high FROM missing_event_partitions($1)',
        [weeksAhead],
      );
      return rows;
    },

    async expiredPartition(days) {
      const { rows } = await pool.query<EventPartition>(
        'SELECT name, low, high FROM expired_event_partition(clock_timestamp() - make_interval(days => $1))',
        [days],
      );
      return rows[0] ?? null;
    },

    async deleteStream({ low, high }, limit) {
      const begins = uuidv7Time(low) - SLACK_MS;
      const { rows } = await pool.query<{ n: number }>(DELETE_STREAM, [low, high, begins, SLACK_MS, limit]);
      return Number(rows[0]?.n ?? 0);
    },

    async deleteRuns({ low, high }, limit) {
      const { rowCount } = await pool.query(DELETE_RUNS, [low, high, limit]);
      return rowCount ?? 0;
    },

    async dropPartition({ name }, days) {
      try {
        const { rows } = await pool.query<{ dropped: boolean }>(
          'SELECT drop_event_partition($1, clock_timestamp() - make_interval(days => $2)) AS dropped',
          [name, days],
        );
        return rows[0]?.dropped ?? false;
      } catch (error) {
        if (sqlState(error) === LOCK_NOT_AVAILABLE) return false;
        throw error;
      }
    },
  };
}
