import type { FaultyPostgres } from '@/tests/faults/database';
import type { FaultLog } from '@/tests/faults/fault-log';
import type { Fleet } from '@/tests/faults/fleet';

/** Looks ten times a second whether every shard is led by a process that lives, and notes when it is so again. */
export function watchRecovery(
  postgres: FaultyPostgres,
  fleet: Fleet,
  faults: FaultLog,
): { stop: () => void } {
  let stopped = false;
  const look = async () => {
    const alive = fleet.up().map((slot) => slot.engine?.child.pid ?? 0);
    const [row] = await postgres.query<{ led: boolean | null }>(
      `SELECT bool_and(s.lease_until > clock_timestamp() AND p.pid = ANY($1::int[])) AS led
       FROM workflow_shard s LEFT JOIN engine_process p ON p.id = s.owner`,
      [alive],
    );
    if (row?.led === true) faults.allWell();
  };
  void (async () => {
    while (!stopped) {
      await look().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    stop: () => {
      stopped = true;
    },
  };
}
