import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withHidden } from '@/server/adapters/postgres/hidden-scope';
import { createPool } from '@/server/adapters/postgres/pool';
import { runsSql } from '@/server/adapters/postgres/run-filter-sql';
import { readInOrganization } from '@/server/adapters/postgres/scoped-query';
import { createTestDatabase, type TestDatabase } from '../support/database';

/** Reads that say whom they are for and what they want in one piece: the walls between organisations stand all the same. */
describe('a read in one round trip', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  const organizations = Array.from({ length: 8 }, () => randomUUID());
  const [a = '', b = ''] = organizations;
  // Nothing in it says which organisation is meant: what is seen is up to row-level security alone.
  const ALL = {
    name: 'all',
    text: 'SELECT organization_id, workflow FROM workflow_run LIMIT $1',
    values: [100],
  };
  const seen = async (organizationId: string) =>
    (await readInOrganization<{ organization_id: string; workflow: string }>(pool, organizationId, ALL)).map(
      (row) => `${row.organization_id} ${row.workflow}`,
    );

  beforeAll(async () => {
    database = await createTestDatabase();
    const engine = createPool(database.url('oc_engine'), 1, 'test');
    await engine.query(
      `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, started_by)
       SELECT gen_random_uuid(), o, w || n, w, 1, 'h', 0, 'x'
       FROM unnest($1::uuid[]) AS o, unnest('{shown,secret}'::text[]) AS w, generate_series(1, 2) AS n`,
      [organizations],
    );
    await engine.end();
    pool = createPool(database.url('oc_app'), 2, 'test');
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });

  it('sees its own organisation only, however many ask at once over the same few connections', async () => {
    const asked = Array.from({ length: 200 }, (_, i) => organizations[i % organizations.length] as string);
    const answers = await Promise.all(asked.map(seen));
    answers.forEach((rows, i) => {
      const own = asked[i];
      expect(rows.toSorted()).toEqual([`${own} secret`, `${own} secret`, `${own} shown`, `${own} shown`]);
    });
  });

  it('leaves nothing behind on its connection: who says nothing sees nothing', async () => {
    const one = createPool(database.url('oc_app'), 1, 'test');
    try {
      await withHidden(['secret'], () => readInOrganization(one, a, ALL));
      const { rows } = await one.query(
        `SELECT (SELECT count(*) FROM workflow_run) AS runs, current_setting('app.organization_id', true) AS organization,
           current_setting('app.hidden_workflows', true) AS hidden`,
      );
      expect(rows).toEqual([{ runs: 0, organization: '', hidden: '' }]);
    } finally {
      await one.end();
    }
  });

  it('hides what is hidden from whoever asks, and from nobody else', async () => {
    const [without, all] = await Promise.all([withHidden(['secret'], () => seen(b)), seen(b)]);
    expect(new Set(without)).toEqual(new Set([`${b} shown`]));
    expect(all).toHaveLength(4);
  });

  it('takes a page of runs off the end of the index, however many there are', async () => {
    const many = randomUUID();
    const admin = createPool(database.adminUrl, 1, 'test');
    await admin.query(
      `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, started_by, closed_at)
       SELECT gen_random_uuid(), $1, 'w' || n, 'w', 1, 'h', 0, 'x', now() FROM generate_series(1, 20000) AS n`,
      [many],
    );
    await admin.query('ANALYZE workflow_run');
    await admin.end();
    const { text } = runsSql(many, {}, 50, null);
    const app = await pool.connect();
    try {
      await app.query('BEGIN');
      await app.query("SELECT set_config('app.organization_id', $1, true)", [many]);
      await app.query('SET LOCAL plan_cache_mode = force_generic_plan');
      await app.query(`PREPARE page AS ${text}`);
      const { rows } = await app.query(`EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ('${many}', 50)`);
      const plan = rows[0]['QUERY PLAN'][0].Plan;
      const scans: { 'Index Name': string; 'Actual Rows': number }[] = [];
      const look = (node: { Plans?: never[]; 'Relation Name'?: string }) => {
        if (node['Relation Name'] === 'workflow_run') scans.push(node as never);
        for (const part of node.Plans ?? []) look(part);
      };
      look(plan);
      expect(scans[0]).toMatchObject({ 'Index Name': 'workflow_run_list', 'Actual Rows': 50 });
    } finally {
      await app.query('ROLLBACK');
      app.release(true);
    }
  });

  it('fails alone: those beside and behind it get their answers', async () => {
    const broken = { text: 'SELECT 1 / (n - n) FROM (SELECT $1::int AS n) AS x', values: [1] };
    const misspelt = { text: 'SELECT $1::int FROM no_such_table', values: [1] };
    const [first, second, ...others] = await Promise.allSettled([
      readInOrganization(pool, a, broken),
      readInOrganization(pool, a, misspelt),
      ...organizations.map(seen),
    ]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: '22012' } });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: '42P01' } });
    for (const other of others) expect(other).toMatchObject({ status: 'fulfilled', value: { length: 4 } });
    expect(await seen(a)).toHaveLength(4);
  });
});
