import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withHidden } from '@/server/adapters/postgres/hidden-scope';
import { createPool } from '@/server/adapters/postgres/pool';
import { createPrisma } from '@/server/adapters/postgres/prisma';
import { createQuotaStore } from '@/server/adapters/postgres/quota-store';
import type { QuotaStore } from '@/server/ports/quota-store';
import { createTestDatabase, type TestDatabase } from '../support/database';

const OPEN = 50_000;

describe('what a new run is measured by, with 50,000 open runs of today', () => {
  const [many, other] = [randomUUID(), randomUUID()];
  let database: TestDatabase;
  let app: pg.Pool;
  let prisma: ReturnType<typeof createPrisma>;
  let quotas: QuotaStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    const admin = createPool(database.adminUrl, 1, 'test');
    const insert = (organizationId: string, count: number, closed: boolean, day: string) =>
      admin.query(
        `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, started_by, closed_at)
         SELECT (left(uuidv7_floor($4::timestamptz)::text, 14) || right(id::text, 22))::uuid, $1, id::text, 'w', 1, 'h', 0, 'x',
           CASE WHEN $3::boolean THEN now() END
         FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $2::int)) AS g`,
        [organizationId, count, closed, day],
      );
    // In an hour is today, and still is when the day ends during the test.
    const hoursFromNow = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
    const [today, before] = [hoursFromNow(1), hoursFromNow(-48)];
    await insert(many, OPEN, false, today);
    await insert(many, 100, true, before);
    await insert(other, 3, false, today);
    await insert(other, 2, true, today);
    await insert(other, 1, false, before);
    await admin.query('ANALYZE workflow_run');
    await admin.end();
    app = createPool(database.url('oc_app'), 2, 'test');
    prisma = createPrisma(app);
    quotas = createQuotaStore(prisma);
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await app.end();
    await database.drop();
  });

  it('is counted up to the limit, within the organisation, whatever is hidden', async () => {
    const counts = async (organizationId: string, most: number) => [
      await quotas.openRuns(organizationId, most),
      await quotas.runsToday(organizationId, most),
    ];
    expect(await counts(other, 1_000)).toEqual([4, 5]);
    expect(await withHidden(['w'], () => counts(other, 1_000))).toEqual([4, 5]);
    expect(await counts(other, 3)).toEqual([3, 3]);
    expect(await counts(many, 7)).toEqual([7, 7]);
    expect(await counts(many, 10 * OPEN)).toEqual([OPEN, OPEN]);
    expect(await counts(many, 0)).toEqual([0, 0]);
  });

  it('is not looked at beyond the limit', async () => {
    const client = await app.connect();
    try {
      await client.query('BEGIN');
      await client.query("SELECT set_config('app.organization_id', $1, true)", [many]);
      const pages = async (count: string) => {
        // Planned by the first call of the connection.
        await client.query(`SELECT ${count}`);
        const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT ${count}`);
        const plan = rows[0]['QUERY PLAN'][0].Plan;
        return (plan['Shared Hit Blocks'] + plan['Shared Read Blocks']) as number;
      };
      for (const what of ['open_runs', 'runs_today']) {
        const [few, all] = [await pages(`${what}(100)`), await pages(`${what}(1000000)`)];
        expect(few).toBeLessThan(150);
        expect(all).toBeGreaterThan(200);
      }
    } finally {
      await client.query('ROLLBACK');
      client.release(true);
    }
  });
});
