import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { READ_COMMANDS, READ_INBOX } from '@/server/adapters/postgres/execution-sql';
import { createPool } from '@/server/adapters/postgres/pool';
import { createTestDatabase, type TestDatabase } from '../support/database';

const STARTS = 50_000;

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Node[];
}

describe('reading the inbox with 50,000 starts of one organisation waiting', () => {
  let database: TestDatabase;
  let engine: pg.Pool;

  beforeAll(async () => {
    database = await createTestDatabase();
    const admin = createPool(database.adminUrl, 1, 'test');
    const queue = (organizationId: string, count: number, eventType: string) =>
      admin.query(
        `INSERT INTO workflow_inbox (shard, organization_id, run_id, event_type, data)
         SELECT n % 64, $1, gen_random_uuid(), $3, json_build_object('text', repeat('x', 300))
         FROM generate_series(1, $2::int) AS n`,
        [organizationId, count, eventType],
      );
    const [flood, other] = [randomUUID(), randomUUID()];
    await queue(flood, STARTS, 'WORKFLOW_EXECUTION_STARTED');
    await queue(flood, 10, 'WORKFLOW_EXECUTION_TERMINATED');
    await queue(other, 5, 'WORKFLOW_EXECUTION_SIGNALED');
    await admin.end();
    engine = createPool(database.url('oc_engine'), 1, 'test');
  });
  afterAll(async () => {
    await engine.end();
    await database.drop();
  });

  /** How a statement reads the inbox, as prepared once for all parameters: rows looked at, and how many it gave. */
  const explained = async (text: string) => {
    const client = await engine.connect();
    try {
      await client.query('BEGIN');
      await client.query('SET LOCAL plan_cache_mode = force_generic_plan');
      await client.query(`PREPARE page AS ${text}`);
      const shards = Array.from({ length: 64 }, (_, i) => i).join(',');
      const { rows } = await client.query(
        `EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ('{${shards}}', '{}', 500, 5000, 16777216)`,
      );
      const scans: Node[] = [];
      const look = (node: Node) => {
        if (node['Relation Name'] === 'workflow_inbox') scans.push(node);
        for (const part of node.Plans ?? []) look(part);
      };
      const plan: Node = rows[0]['QUERY PLAN'][0].Plan;
      look(plan);
      const touched = (node: Node) =>
        (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'];
      const looked = scans.reduce((sum, node) => sum + touched(node), 0);
      const how = [
        ...new Set(scans.map((node) => `${node['Node Type']} ${node['Index Name'] ?? ''}`)),
      ].sort();
      return { how, looked, given: plan['Actual Rows'] };
    } finally {
      await client.query('ROLLBACK');
      client.release(true);
    }
  };

  for (const statistics of ['of the empty table', 'of the full one']) {
    it(`passes over none of them for commands or for another organisation, with statistics ${statistics}`, async () => {
      if (statistics === 'of the full one') {
        const admin = createPool(database.adminUrl, 1, 'test');
        await admin.query('ANALYZE workflow_inbox');
        await admin.end();
      }
      const commands = await explained(READ_COMMANDS);
      const all = await explained(READ_INBOX);
      expect(commands.given).toBe(15);
      expect(commands.looked).toBeLessThan(100);
      expect(commands.how.join()).not.toContain('Seq Scan');
      expect(all.given).toBe(505);
      expect(all.looked).toBeLessThan(2_000);
      expect(all.how.join()).not.toContain('Seq Scan');
    });
  }
});
