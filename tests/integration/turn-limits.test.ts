import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBulkQueue } from '@/server/adapters/postgres/bulk-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { createScheduleQueue } from '@/server/adapters/postgres/schedule-queue';
import type { ScheduleQueue } from '@/server/ports/schedule-store';
import { FaultyProxy } from '../faults/proxy';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';

/** Of the process that will be cut off. The others wait as long as they always do: a busy machine is not a silent one. */
const LIMIT_MS = 3_000;
const rest = async () => ({ nextAt: null, attentionAt: null, occurrences: [] });

describe('a turn', () => {
  let database: TestDatabase;
  let proxy: FaultyProxy;
  let behindProxy: pg.Pool;
  let direct: pg.Pool;
  let admin: pg.Client;
  /** Of the process that will be cut off, and of another one. */
  let silent: ScheduleQueue;
  let other: ScheduleQueue;

  beforeAll(async () => {
    database = await createTestDatabase();
    const url = new URL(database.url('oc_engine'));
    proxy = await FaultyProxy.start({ host: url.hostname, port: Number(url.port) });
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    behindProxy = createPool(url.href, 2, 'turn-test');
    direct = createPool(database.url('oc_engine'), 2, 'turn-test');
    admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    silent = createScheduleQueue(behindProxy, LIMIT_MS);
    other = createScheduleQueue(direct);
  });
  afterAll(async () => {
    await Promise.all([behindProxy.end(), direct.end()]);
    await proxy.close();
    await admin.end();
    await database.drop();
  });

  it('of a schedule on a machine that goes silent is taken over', async () => {
    await admin.query(
      `INSERT INTO workflow_schedule (schedule_id, organization_id, name, workflow, input, interval_ms, overlap,
         catchup_window_ms, attention_at, created_by)
       VALUES ($1, $2, 'pulse', 'w', '{}', 60000, 'skip', 0, '-infinity', 'tester')`,
      [randomUUID(), randomUUID()],
    );
    let wake = () => {};
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let isHeld = false;
    const turn = silent.turn(async () => {
      proxy.hang();
      isHeld = true;
      await asleep;
      return rest();
    });
    const outcome = turn.then(
      () => 'stored',
      (error) => String(error),
    );
    await eventually('it is held', () => isHeld);
    await eventually('another process has it', () => other.turn(rest));
    // When it wakes up nothing of its turn is stored, and it does not wait for answers that will not come.
    wake();
    expect(await outcome).toMatch(/timeout|terminated|ended/);
    proxy.resume();
    expect(await createScheduleQueue(behindProxy).turn(rest)).toBe(false);
  });

  it('of a bulk operation is ended by Postgres when nothing comes from its machine', async () => {
    await admin.query(
      `INSERT INTO bulk_operation (bulk_id, organization_id, action, filter, until_run_id, actor_kind, actor_id, chunk, matched)
       VALUES ($1, $2, 'cancel', '{}', $1, 'user', 'tester', '[]', 0)`,
      [randomUUID(), randomUUID()],
    );
    // Five minutes are too long to wait for here: the connection of the turn says what holds for it.
    const own = createPool(database.url('oc_engine'), 1, 'turn-test');
    let connection: pg.PoolClient | undefined;
    own.on('acquire', (client) => {
      connection = client;
    });
    let limit: unknown;
    await createBulkQueue(own).turn(10, async () => {
      limit = (await connection?.query('SHOW idle_in_transaction_session_timeout'))?.rows[0];
      return [];
    });
    await own.end();
    expect(limit).toEqual({ idle_in_transaction_session_timeout: '5min' });
  });
});
