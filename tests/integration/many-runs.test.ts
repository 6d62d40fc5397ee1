import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBulkStore, fitting } from '@/server/adapters/postgres/bulk-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { createPrisma } from '@/server/adapters/postgres/prisma';
import { runsSql, windowSql } from '@/server/adapters/postgres/run-filter-sql';
import { createRunQueries } from '@/server/adapters/postgres/run-queries';
import { idBelow } from '@/server/adapters/postgres/run-times';
import { readInOrganization } from '@/server/adapters/postgres/scoped-query';
import type { BulkFilter, BulkOperation } from '@/server/ports/bulk-store';
import type { RunFilter } from '@/server/ports/run-queries';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';

const RUNS = 60_000;
const MINUTE = 60_000;
const FIRST = '00000000-0000-0000-0000-000000000000';
const anything: BulkFilter = {
  ...{ status: null, workflow: null, startedAfter: null, startedBefore: null },
  ...{ ids: null, except: null, closed: false },
};

/** A run a minute up to now: nearly all completed; the few others are the oldest ones, the worst place for a walk from the newest. */
const FILL = `
INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, status, created_at,
  closed_at, started_by, wake_at)
SELECT id, $1::text::uuid, id::text, 'w' || n % 5, 1, 'h', 0, status, at, CASE WHEN status <> 'running' THEN at END, 'x', 'infinity'
FROM (SELECT n, at, (left(uuidv7_floor(at)::text, 14) || '7' || substr(md5($1 || n::text), 1, 3) || '-8'
      || substr(md5($1 || n::text), 4, 3) || '-' || substr(md5($1 || n::text), 7, 12))::uuid AS id,
    CASE WHEN n % 10 = 3 AND n < 300 THEN 'timed_out' WHEN n % 10 = 5 AND n < 300 THEN 'running' ELSE 'completed' END AS status
  FROM (SELECT n, to_timestamp($2::float8 / 1000) - (${RUNS} - n) * interval '1 minute' AS at
    FROM generate_series(1, ${RUNS}) AS n) AS numbered) AS made`;

/** What the histories of all runs begin with: a customer of each run's own, but one and the same for the thirty oldest that timed out. */
const HISTORIES = `
INSERT INTO workflow_event (run_id, seq, organization_id, type, at, data)
SELECT run_id, seq, organization_id, CASE seq WHEN 2 THEN 'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES' ELSE 'TIMER_FIRED' END, created_at,
  json_build_object('attributes', json_build_object('customer', CASE status WHEN 'timed_out' THEN 'acme' ELSE run_id::text END))
FROM workflow_run, generate_series(1, 3) AS seq WHERE organization_id = $1`;

interface Plan {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
}

/** How many rows of tables were looked at. */
function looked(plan: Plan): number {
  const own = (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops'];
  return (
    (plan['Relation Name'] === undefined ? 0 : own) +
    (plan.Plans ?? []).reduce((sum, one) => sum + looked(one), 0)
  );
}

describe('an organisation with many runs', () => {
  const organizationId = randomUUID();
  const now = Date.now();
  const until = new Date(now + 10 * MINUTE);
  let database: TestDatabase;
  let app: pg.Pool;
  let engine: pg.Pool;
  let admin: pg.Client;
  let prisma: ReturnType<typeof createPrisma>;

  /** Rows that people's statement looks at. */
  const asPeople = async ({ text, values }: { text: string; values: unknown[] }) => {
    const statement = { text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values };
    const [row] = await readInOrganization<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      app,
      organizationId,
      statement,
    );
    return looked((row as { 'QUERY PLAN': [{ Plan: Plan }] })['QUERY PLAN'][0].Plan);
  };
  const listed = (filter: RunFilter) => asPeople(runsSql(organizationId, filter, 50, null));
  const counted = (filter: Partial<BulkFilter>) => {
    const { text, values } = fitting(organizationId, { ...anything, ...filter }, FIRST, until);
    return asPeople({ text: `SELECT count(*) ${text}`, values });
  };
  /** Rows that the worker looks at to choose its first chunk. */
  const chosen = async (filter: Partial<BulkFilter>) => {
    const { text, values } = fitting(organizationId, { ...anything, ...filter }, FIRST, until);
    const { rows } = await engine.query(
      `EXPLAIN (ANALYZE, FORMAT JSON) SELECT r.run_id, r.shard ${text} ORDER BY r.run_id LIMIT 16`,
      values,
    );
    return looked(rows[0]['QUERY PLAN'][0].Plan);
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    app = createPool(database.url('oc_app'), 4, 'test');
    engine = createPool(database.url('oc_engine'), 2, 'test');
    prisma = createPrisma(app);
    admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    await engine.query(FILL, [organizationId, now]);
    await engine.query(FILL, [randomUUID(), now]);
    await engine.query(HISTORIES, [organizationId]);
    await admin.query('ANALYZE workflow_run, workflow_event');
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await Promise.all([app.end(), engine.end(), admin.end()]);
    await database.drop();
  });

  it('a bulk operation on what started this morning looks at this morning, not at all runs there ever were', async () => {
    const startedAfter = now - 100 * MINUTE;
    for (const workflow of ['w1', null]) {
      const filter = { closed: true, status: ['completed' as const], workflow, startedAfter };
      expect(await counted(filter)).toBeLessThan(250);
      expect(await chosen(filter)).toBeLessThan(250);
    }
    const oldest = { closed: true, startedBefore: now - (RUNS - 100) * MINUTE };
    expect(await counted(oldest)).toBeLessThan(250);
    const store = createBulkStore(prisma, app);
    const count = (filter: Partial<BulkFilter>) =>
      store.count(organizationId, { ...anything, ...filter }, until);
    expect(await count({ closed: true, startedAfter })).toBe(101);
    expect(await count({ closed: true, startedAfter, workflow: 'w1' })).toBe(20);
    expect(await count({ startedBefore: now - (RUNS - 100) * MINUTE })).toBe(10);
  });

  it('a bulk retry of what failed looks at what failed', async () => {
    const status = ['failed', 'timed_out', 'dead_letter'] as const;
    for (const workflow of ['w3', null]) {
      expect(await counted({ closed: true, status, workflow })).toBeLessThan(100);
      expect(await chosen({ closed: true, status, workflow })).toBeLessThan(100);
    }
    expect(await counted({})).toBeLessThan(100);
    expect(await chosen({})).toBeLessThan(100);
  });

  it('a list by state looks at runs in this state, also when there are hardly any', async () => {
    expect(await listed({ status: ['timed_out'] })).toBeLessThan(100);
    expect(await listed({ status: ['failed', 'dead_letter'] })).toBeLessThan(100);
    expect(await listed({ status: ['running'] })).toBeLessThan(100);
    expect(await listed({ status: ['paused', 'compensating'] })).toBeLessThan(100);
    expect(await listed({ status: ['running', 'timed_out'], workflow: 'w3' })).toBeLessThan(100);
    expect(await listed({ status: ['completed'] })).toBeLessThan(100);
    expect(await listed({ startedAfter: now - 100 * MINUTE, status: ['completed'] })).toBeLessThan(250);
    const found = async (filter: RunFilter) =>
      (await readInOrganization(app, organizationId, runsSql(organizationId, filter, 100, null))).length;
    expect(await found({ status: ['timed_out'] })).toBe(30);
    expect(await found({ status: ['running'] })).toBe(30);
    expect(await found({ status: ['running', 'timed_out'] })).toBe(60);
    expect(await found({ status: ['running', 'timed_out'], workflow: 'w3' })).toBe(30);
    expect(await found({ status: [] })).toBe(0);
  });

  it('a list by search attribute looks at so many runs a page and no more, and finds the oldest ones all the same', async () => {
    const queries = createRunQueries(prisma, app);
    const attribute = { name: 'customer', value: 'acme' };
    const first = await queries.list(organizationId, { attribute }, 20, null);
    expect(first).toEqual({ items: [], next: expect.any(String) });
    const found: string[] = [];
    let pages = 0;
    for (let next: string | null = first.next; next !== null; pages++) {
      const page = await queries.list(organizationId, { attribute }, 20, next);
      found.push(...page.items.map(({ runId }) => runId));
      next = page.next;
    }
    const rest = await queries.list(organizationId, { status: ['timed_out'] }, 50, null);
    expect([rest.items.length, rest.next]).toEqual([30, null]);
    expect(found).toEqual(rest.items.map(({ runId }) => runId));
    expect(pages).toBe(2);
    // What is new is found without a look at what is old.
    const [newest] = (await queries.list(organizationId, {}, 1, null)).items;
    const own = { name: 'customer', value: newest?.runId ?? '' };
    expect((await queries.list(organizationId, { attribute: own }, 1, null)).items).toEqual([newest]);
    const filter = { attribute: { name: 'customer', value: 'nobody' } };
    const [end] = await readInOrganization<{ runId: string }>(
      app,
      organizationId,
      windowSql(organizationId, filter, 1_000, null),
    );
    expect(await asPeople(runsSql(organizationId, filter, 50, null, end?.runId))).toBeLessThan(5_000);
  });

  const operation = (): BulkOperation => {
    const bulkId = idBelow(Date.now()).slice(0, 24) + randomUUID().slice(24);
    return {
      ...{ bulkId, organizationId, action: 'retry', filter: anything, reason: null, signal: null },
      ...{ state: 'running', matched: 0, done: 0, failed: 0, failures: [] },
      ...{ actorKind: 'user', actorId: 'tester', createdAt: new Date(), finishedAt: null },
    };
  };
  /** How long the statements of `app` have been waiting for a lock, in milliseconds. */
  const waiting = async () => {
    const { rows } = await admin.query<{ ms: number }>(
      `SELECT extract(epoch FROM clock_timestamp() - query_start) * 1000 AS ms FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND usename = 'oc_app'`,
    );
    return rows.map(({ ms }) => Number(ms));
  };

  it('a count and `bulk stop` that take longer than a unit of work may (10 s) do not fail', async () => {
    const store = createBulkStore(prisma, app);
    const made = operation();
    await store.create(made, { key: null, hash: 'h', source: null });
    const holder = new pg.Client({ connectionString: database.adminUrl });
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM bulk_operation FOR UPDATE');
      await holder.query('LOCK TABLE workflow_run');
      const answers = Promise.allSettled([
        store.count(organizationId, { ...anything, closed: true, startedAfter: now - 100 * MINUTE }, until),
        store.cancel(organizationId, made.bulkId),
      ]);
      let isOver = false;
      void answers.then(() => {
        isOver = true;
      });
      await eventually('both wait for eleven seconds', async () => {
        const times = await waiting();
        return isOver || (times.length === 2 && times.every((ms) => ms > 11_000));
      });
      await holder.query('COMMIT');
      expect(await answers).toEqual([
        { status: 'fulfilled', value: 101 },
        { status: 'fulfilled', value: true },
      ]);
    } finally {
      await holder.end();
    }
    expect(await store.get(organizationId, made.bulkId)).toMatchObject({
      state: 'cancelled',
      finishedAt: expect.any(Date),
    });
  });

  it('what cannot be counted in time at all is told as that, and no connection is kept', async () => {
    const store = createBulkStore(prisma, app, 200);
    const holder = new pg.Client({ connectionString: database.adminUrl });
    await holder.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('LOCK TABLE workflow_run');
      await expect(store.count(organizationId, anything, until)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        path: '/filter',
        message: expect.stringContaining('within 0.2 s'),
      });
      expect(await waiting()).toEqual([]);
    } finally {
      await holder.end();
    }
    // With the patience of a product: 0.2 s can be too little on a slow machine.
    expect(await createBulkStore(prisma, app).count(organizationId, anything, until)).toBe(30);
  });
});
