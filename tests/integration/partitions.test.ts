import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uuidv7 } from '@/lib/shared/ids';
import { createMaintenanceStore } from '@/server/adapters/postgres/maintenance-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { SystemClock } from '@/server/adapters/system-clock';
import type { Log, LogFacts } from '@/server/ports/log';
import { Maintenance } from '@/server/workers/maintenance';
import { createTestDatabase, type TestDatabase } from '../support/database';

const HOUR = 3_600_000;
const WEEK = 7 * 24 * HOUR;

/** When the test began: a week that ends during it changes none of its Mondays. */
let now: number;

/** Monday 00:00 UTC of the week `weeks` from now. */
function monday(weeks: number): number {
  const day = Math.floor(now / (24 * HOUR)) * 24 * HOUR;
  return day - ((new Date(day).getUTCDay() + 6) % 7) * 24 * HOUR + weeks * WEEK;
}

/** The smallest run id of an instant, as Postgres shows it. */
function floorId(at: number): string {
  const hex = at.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

/** A time zone whose clocks change in the middle of week `weeks` from now: `hours` back (as in autumn) or forward. */
function zoneThatChanges(weeks: number, change: 'back' | 'forward'): string {
  // Days of the year in POSIX's count, which leaves 29 February out. A year is over between the two at the most.
  const day = (at: number) => {
    const date = new Date(at);
    return `J${(Date.UTC(2001, date.getUTCMonth(), Math.min(date.getUTCDate(), 28)) - Date.UTC(2001, 0, 1)) / (24 * HOUR) + 1}`;
  };
  const inside = day(monday(weeks) + 3 * 24 * HOUR);
  const halfAYearOn = day(monday(weeks + 26));
  return change === 'back'
    ? `XST-1XDT,${halfAYearOn}/0,${inside}/0`
    : `XST-1XDT,${inside}/0,${halfAYearOn}/0`;
}

describe('weekly partitions', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let owner: pg.Client;
  let sql: pg.Client;
  let warnings: LogFacts[];
  const log: Log = {
    debug() {},
    info() {},
    warn: (operation, facts) => warnings.push({ operation, ...facts }),
    error() {},
    with: () => log,
  };

  beforeEach(async () => {
    now = Date.now();
    database = await createTestDatabase();
    owner = new pg.Client(database.url('oc_owner'));
    sql = new pg.Client(database.adminUrl);
    await owner.connect();
    await sql.connect();
    warnings = [];
    await dropAll();
    pool = createPool(database.url('oc_engine'), 4, 'test');
  });
  afterEach(async () => {
    await pool.end();
    await owner.end();
    await sql.end();
    await database.drop();
  });

  const partitions = async () =>
    (await sql.query<{ name: string; low: string; high: string }>('SELECT * FROM event_partitions()')).rows;
  const dropAll = async () => {
    for (const { name } of await partitions()) {
      await owner.query(`DROP TABLE ${name}`);
      await owner.query(`DROP TABLE ${name.replace('event', 'payload')}`);
    }
  };
  const addPartition = (name: string, from: number, to: number) =>
    owner.query(
      `CREATE TABLE ${name} PARTITION OF workflow_event FOR VALUES FROM ('${floorId(from)}') TO ('${floorId(to)}')`,
    );
  const addEvent = (runId: string) =>
    sql.query(
      `INSERT INTO workflow_event (run_id, seq, organization_id, type, at, data) VALUES ($1, 1, $2, 'X', now(), '{}')`,
      [runId, randomUUID()],
    );
  const round = async () => {
    const clock = new SystemClock();
    const maintenance = new Maintenance({ store: createMaintenanceStore(pool), clock, log });
    await maintenance.start();
    await maintenance.stop();
  };
  /** Mondays that partitions begin and end with, in order; null where one ends at another moment than the next begins. */
  const bounds = async () => {
    const all = await partitions();
    return all.every(({ high }, i) => i === all.length - 1 || high === all[i + 1]?.low)
      ? [all[0]?.low, all.at(-1)?.high]
      : null;
  };
  const whole = () => [floorId(monday(-1)), floorId(monday(9))];

  it.each(['back', 'forward'] as const)(
    'begin on Monday 00:00 UTC, also where the clocks of the session are put %s meanwhile',
    async (change) => {
      const name = new URL(database.adminUrl).pathname.slice(1);
      await sql.query(`ALTER DATABASE ${name} SET TimeZone = '${zoneThatChanges(4, change)}'`);
      const { rows } = await pool.query(
        `SELECT extract(timezone FROM now()) <> extract(timezone FROM now() + interval '8 weeks') AS changes`,
      );
      expect(rows).toEqual([{ changes: true }]);
      await round();
      const expected = Array.from({ length: 10 }, (_none, i) => [floorId(monday(i - 1)), floorId(monday(i))]);
      expect((await partitions()).map(({ low, high }) => [low, high])).toEqual(expected);
      expect(warnings).toEqual([]);
    },
  );

  it.each([
    ['back', HOUR],
    ['forward', -HOUR],
  ])(
    'are made behind those that a clock put %s had shifted, and the gap is filled',
    async (change, shift) => {
      const { rows } = await sql.query<{ name: string }>(
        `SELECT 'workflow_event_' || to_char(now() AT TIME ZONE 'UTC' + make_interval(weeks => i), 'IYYY"w"IW') AS name
       FROM generate_series(0, 6) AS i`,
      );
      const name = (week: number) => rows[week]?.name as string;
      // What the version before made: up to week 2 as it should be, 4 and 5 with the clocks of after the change. In spring
      // their names were those of the week before, and week 3 was taken to be there.
      const step = change === 'back' ? 0 : -1;
      await addPartition(name(0), monday(0), monday(1));
      await addPartition(name(1), monday(1), monday(2));
      await addPartition(name(2), monday(2), monday(3) + shift);
      if (change === 'back') await addPartition(name(3), monday(3) + shift, monday(4) + shift);
      await addPartition(name(4 + step), monday(4) + shift, monday(5) + shift);
      await addPartition(name(5 + step), monday(5) + shift, monday(6) + shift);
      await round();
      expect(warnings).toEqual([]);
      expect(await bounds()).toEqual(whole());
      // With a partition for payloads each.
      const { rows: without } = await sql.query(
        `SELECT name FROM event_partitions() WHERE to_regclass(replace(name, '_event_', '_payload_')) IS NULL`,
      );
      expect(without).toEqual([]);
      const before = await partitions();
      await round();
      expect(await partitions()).toEqual(before);
    },
  );

  it('one run id in the future does not stop the weeks behind it, and the log names its week', async () => {
    await addEvent(uuidv7(monday(5) + HOUR, randomBytes(10)));
    await round();
    const lows = (await partitions()).map(({ low }) => low);
    expect(lows).toEqual([-1, 0, 1, 2, 3, 4, 6, 7, 8].map((week) => floorId(monday(week))));
    expect(warnings).toEqual([
      expect.objectContaining({
        operation: 'maintenance',
        status: 'incomplete',
        partitions: [expect.stringMatching(/^workflow_event_\d{4}w\d\d$/)],
      }),
    ]);
    // It is kept where it is.
    await addEvent(uuidv7(monday(5) + 2 * HOUR, randomBytes(10)));
    expect((await sql.query('SELECT 1 FROM workflow_event_default')).rowCount).toBe(2);
  });

  it('an engine starts while a backup reads the events, holds nobody up, and makes them afterwards', async () => {
    await addPartition('workflow_event_now', monday(0), monday(1));
    const reader = new pg.Client(database.adminUrl);
    await reader.connect();
    await reader.query('BEGIN');
    await reader.query('SELECT count(*) FROM workflow_event');
    await round();
    expect(warnings).toEqual([expect.objectContaining({ operation: 'maintenance', status: 'failed' })]);
    expect(String(warnings[0]?.error)).toContain('lock timeout');
    await addEvent(uuidv7(monday(0) + HOUR, randomBytes(10)));
    await reader.query('COMMIT');
    await reader.end();
    await round();
    expect(await bounds()).toEqual(whole());
  });

  it('several processes that start at once make them together', async () => {
    await Promise.all([round(), round(), round()]);
    // They take turns. One whose turn does not come in time says so and leaves the rest to its next round.
    for (const { error } of warnings) expect(String(error)).toContain('lock timeout');
    await round();
    expect(await bounds()).toEqual(whole());
  });
});
