import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uuidv7 } from '@/lib/shared/ids';
import { createMaintenanceStore } from '@/server/adapters/postgres/maintenance-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { createStreamStore } from '@/server/adapters/postgres/stream-store';
import { SystemClock } from '@/server/adapters/system-clock';
import type { Log } from '@/server/ports/log';
import { Maintenance } from '@/server/workers/maintenance';
import { createTestDatabase, type TestDatabase } from '../support/database';

const DAY = 86_400_000;
const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, with: () => quiet };

/** When the test began: a week that ends during it changes none of its Mondays. */
let now: number;

/** Monday 00:00 UTC of the week `weeks` ago. */
function monday(weeks: number): number {
  const today = Math.floor(now / DAY) * DAY;
  return today - ((new Date(today).getUTCDay() + 6) % 7) * DAY - weeks * 7 * DAY;
}

const PAYLOAD = `INSERT INTO workflow_payload (run_id, sha256, organization_id, mime_type, bytes, body)
  VALUES ($1, repeat('a', 64), $2, 'image/png', 3, 'abc')`;

describe('retention', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let owner: pg.Client;
  let sql: pg.Client;
  const organization = randomUUID();

  beforeEach(async () => {
    now = Date.now();
    database = await createTestDatabase();
    pool = createPool(database.url('oc_engine'), 4, 'test');
    owner = new pg.Client(database.url('oc_owner'));
    sql = new pg.Client(database.adminUrl);
    await owner.connect();
    await sql.connect();
    // The weeks for which an installation of that age would have partitions.
    for (const weeks of [9, 8, 7, 6, 5]) {
      await owner.query(
        `CREATE TABLE workflow_event_old${weeks} PARTITION OF workflow_event
         FOR VALUES FROM ('${uuidv7(monday(weeks), new Uint8Array(10)).replace(/7000-8000/, '0000-0000')}')
         TO ('${uuidv7(monday(weeks - 1), new Uint8Array(10)).replace(/7000-8000/, '0000-0000')}')`,
      );
      // One week without a partition for payloads: those lie in the default one.
      if (weeks !== 7) await owner.query('SELECT ensure_payload_partitions()');
      else await sql.query(PAYLOAD, [uuidv7(monday(7) + DAY, randomBytes(10)), organization]);
    }
  });

  afterEach(async () => {
    await pool.end();
    await owner.end();
    await sql.end();
    await database.drop();
  });

  /** A run that began at `at` with two events; closed `closedAfter` ms later, or open. */
  const addRun = async (at: number, closedAfter: number | null) => {
    const runId = uuidv7(at, randomBytes(10));
    const closedAt = closedAfter === null ? null : new Date(at + closedAfter);
    await sql.query(
      `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard,
         started_by, created_at, closed_at, status)
       VALUES ($1::uuid, $2, $1::text, 'w', 1, 'h', 0, 'u', $3, $4, $5)`,
      [runId, organization, new Date(at), closedAt, closedAt ? 'completed' : 'running'],
    );
    for (const seq of [1, 2]) {
      await sql.query(
        `INSERT INTO workflow_event (run_id, seq, organization_id, type, at, data) VALUES ($1, $2, $3, 'X', $4, '{}')`,
        [runId, seq, organization, new Date(at)],
      );
    }
    await sql.query(PAYLOAD, [runId, organization]);
    await sql.query(
      `INSERT INTO idempotency_record (organization_id, key, request_hash, run_id) VALUES ($1, $2::text, 'h', $2::uuid)`,
      [organization, runId],
    );
    return runId;
  };

  const addEntry = (seq: number, at: number, ...runIds: string[]) =>
    sql.query(
      `INSERT INTO stream_entry (organization_id, topic, seq, event_count, refs, created_at)
       VALUES ($1, 'runs', $2, $3, $4, $5)`,
      [organization, seq, runIds.length * 2, JSON.stringify(runIds.map((id) => [id, 1, 2])), new Date(at)],
    );

  const round = async (retentionDays: number) => {
    const clock = new SystemClock();
    const store = createMaintenanceStore(pool);
    const maintenance = new Maintenance({ store, clock, log: quiet, retentionDays, batch: 3 });
    await maintenance.start();
    // What goes in the background: wait for its end before stopping it.
    await (maintenance as unknown as { expiring: Promise<void> }).expiring;
    await maintenance.stop();
  };

  const remaining = async (table: string, column = 'run_id') =>
    (
      await sql.query<{ id: string }>(`SELECT DISTINCT ${column}::text AS id FROM ${table} ORDER BY 1`)
    ).rows.map((r) => r.id);
  const partitions = async () =>
    (
      await sql.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relname LIKE 'workflow_event_old%' AND relkind = 'r' ORDER BY 1`,
      )
    ).rows.map((row) => row.name.replace('workflow_event_', ''));

  const payloadPartitions = async () =>
    (
      await sql.query<{ name: string }>(
        `SELECT relname AS name FROM pg_class WHERE relname LIKE 'workflow_payload_old%' AND relkind = 'r' ORDER BY 1`,
      )
    ).rows.map((row) => row.name.replace('workflow_payload_', ''));

  it('drops whole weeks of closed runs with all that belongs to them, and touches nothing else', async () => {
    const gone: string[] = [];
    for (let i = 0; i < 8; i++) gone.push(await addRun(monday(9) + i * 3_600_000, 60_000));
    gone.push(await addRun(monday(7) + DAY, DAY));
    const openKept = await addRun(monday(8) + DAY, null);
    const besideOpen = await addRun(monday(8) + 2 * DAY, 1_000);
    const closedLately = await addRun(monday(6) + DAY, Date.now() - monday(6) - 2 * DAY);
    const young = await addRun(Date.now() - DAY, 1_000);
    await addEntry(1, monday(9) + 60_000, gone[0] as string, gone[1] as string);
    await addEntry(5, monday(8) + DAY, openKept);
    await addEntry(7, monday(7) + DAY, gone[8] as string, openKept);
    await addEntry(11, Date.now() - DAY, young);
    await sql.query(
      `INSERT INTO event_outbox (organization_id, refs, event_count) VALUES ($1, $2, 2), ($1, $3, 2)`,
      [organization, JSON.stringify([[gone[2], 1, 2]]), JSON.stringify([[young, 1, 2]])],
    );

    // The youngest of these weeks ended 28 days ago on a Monday.
    await round(28);

    const kept = [openKept, besideOpen, closedLately, young].sort();
    expect(await remaining('workflow_run')).toEqual(kept);
    expect(await remaining('workflow_event')).toEqual(kept);
    expect(await remaining('idempotency_record')).toEqual(kept);
    expect(await remaining('workflow_payload')).toEqual(kept);
    expect(await payloadPartitions()).toEqual(['old6', 'old8']);
    expect(await remaining('stream_entry', 'seq')).toEqual(['11', '5']);
    expect(await remaining('event_outbox', '(refs->0->>0)')).toEqual([young]);
    // The week of the open run and that of the lately closed one are whole.
    expect(await partitions()).toEqual(['old6', 'old8']);
    const stream = await createStreamStore(pool).read(organization, 'runs', 0, 10);
    expect(stream.map((entry) => [entry.streamSeq, entry.event.runId])).toEqual([
      [5, openKept],
      [6, openKept],
      [11, young],
      [12, young],
    ]);
  });

  it('the week goes once its last run has been closed for long enough', async () => {
    const last = await addRun(monday(8) + DAY, null);
    await addRun(monday(8) + DAY, 1_000);
    await round(30);
    expect(await partitions()).toContain('old8');
    await sql.query(`UPDATE workflow_run SET closed_at = now() - interval '29 days' WHERE run_id = $1`, [
      last,
    ]);
    await round(30);
    expect(await partitions()).toContain('old8');
    await sql.query(`UPDATE workflow_run SET closed_at = now() - interval '31 days' WHERE run_id = $1`, [
      last,
    ]);
    await round(30);
    expect(await partitions()).not.toContain('old8');
    expect(await remaining('workflow_run')).toEqual([]);
  });

  it('erasing runs leaves what a batch without numbers tells of others, and the numbers go on without a hole', async () => {
    const lived = Date.now() - 60_000;
    const [erased, closed, open] = [
      await addRun(lived, 1_000),
      await addRun(lived, 1_000),
      await addRun(lived, null),
    ];
    const batches = [
      [[erased, 1, 2]],
      [
        [closed, 1, 1],
        [erased, 1, 2],
        [open, 1, 2],
      ],
      [[closed, 2, 2]],
    ];
    for (const refs of batches) {
      const count = refs.reduce((sum, [, low, high]) => sum + Number(high) - Number(low) + 1, 0);
      await sql.query('INSERT INTO event_outbox (organization_id, refs, event_count) VALUES ($1, $2, $3)', [
        organization,
        JSON.stringify(refs),
        count,
      ]);
    }
    // An open run is passed over, and so is what is told of it.
    const { rows } = await pool.query('SELECT erase_runs($1, $2) AS n', [organization, [erased, open]]);
    expect(rows).toEqual([{ n: 1 }]);
    const streams = createStreamStore(pool);
    expect(await streams.relay(10)).toEqual([
      { organizationId: organization, topic: 'runs', from: 1, to: 4 },
    ]);
    const told = await streams.read(organization, 'runs', 0, 10);
    expect(told.map(({ streamSeq, event }) => [streamSeq, event.runId, event.seq])).toEqual([
      [1, closed, 1],
      [2, open, 1],
      [3, open, 2],
      [4, closed, 2],
    ]);
  });

  it('0 keeps everything', async () => {
    await addRun(monday(9), 1_000);
    await round(0);
    expect(await remaining('workflow_run')).toHaveLength(1);
    expect(await partitions()).toHaveLength(5);
  });

  it('a partition in use is left for the next round, without holding anybody up', async () => {
    const run = await addRun(monday(9), 1_000);
    const reader = new pg.Client(database.adminUrl);
    await reader.connect();
    await reader.query('BEGIN');
    await reader.query('SELECT count(*) FROM workflow_event');
    await round(30);
    expect(await partitions()).toContain('old9');
    expect(await remaining('workflow_run')).not.toContain(run);
    await reader.query('COMMIT');
    await reader.end();
    await round(30);
    expect(await partitions()).not.toContain('old9');
  });

  it('the engine cannot drop a week with runs in it, expired or not', async () => {
    await addRun(monday(9), 1_000);
    const store = createMaintenanceStore(pool);
    const partition = { name: 'workflow_event_old9', low: '', high: '' };
    expect(await store.dropPartition(partition, 30)).toBe(false);
    expect(await store.dropPartition({ ...partition, name: 'workflow_event_default' }, 30)).toBe(false);
    expect(await store.dropPartition({ ...partition, name: 'workflow_run' }, 30)).toBe(false);
    await expect(pool.query('DROP TABLE workflow_event_old9')).rejects.toThrow('must be owner');
    expect(await partitions()).toHaveLength(5);
  });
});
