import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPool } from '@/server/adapters/postgres/pool';
import { SystemClock } from '@/server/adapters/system-clock';
import { createHealth } from '@/server/health';
import { FaultyProxy } from '../faults/proxy';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';

let database: TestDatabase;
let proxy: FaultyProxy;
let pool: pg.Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await FaultyProxy.start(database.url('oc_engine'));
  pool = createPool(proxy.url, 2, 'health-test');
});
afterAll(async () => {
  proxy.resume();
  await pool.end();
  await proxy.close();
  await database.drop();
});

it('a look of /health/deep at a database that has gone silent does not keep its connections', async () => {
  const health = createHealth({
    version: '0',
    pool,
    leases: null,
    shards: 1,
    servers: async () => [],
    clock: new SystemClock(),
    more: {},
  });
  expect((await health.deep()).status).toBe('ok');
  expect(pool.totalCount).toBeGreaterThan(0);
  proxy.hang();
  expect((await health.deep()).checks).toMatchObject({
    database: { status: 'down' },
    queue: { status: 'down' },
    engine: { status: 'ok' },
  });
  await eventually('every connection is given up', () => pool.totalCount === 0);
  proxy.resume();
  await eventually('it says when the database is back', async () => (await health.deep()).status === 'ok');
});
