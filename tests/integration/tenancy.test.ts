import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mustBeBound } from '@/server/adapters/postgres/bound';
import { createPool } from '@/server/adapters/postgres/pool';
import type { DatabaseRole } from '@/server/adapters/postgres/roles';
import { createTestDatabase, type TestDatabase } from '../support/database';

/** The walls between organisations and between database roles, asked of Postgres itself. */
describe('walls in the database', () => {
  let database: TestDatabase;
  const clients = new Map<DatabaseRole, pg.Client>();
  const [a, b] = [randomUUID(), randomUUID()];

  const as = (role: DatabaseRole) => {
    const client = clients.get(role);
    if (!client) throw new Error(role);
    return client;
  };
  const within = async <T>(organizationId: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = as('oc_app');
    await client.query('BEGIN');
    try {
      await client.query("SELECT set_config('app.organization_id', $1, true)", [organizationId]);
      return await work(client);
    } finally {
      await client.query('ROLLBACK');
    }
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    for (const role of ['oc_owner', 'oc_app', 'oc_engine', 'oc_auth'] as const) {
      const client = new pg.Client(database.url(role));
      await client.connect();
      clients.set(role, client);
    }
    for (const organizationId of [a, b]) {
      await as('oc_engine').query(
        `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, started_by)
         VALUES (gen_random_uuid(), $1, 'w', 'w', 1, 'h', 0, 'x')`,
        [organizationId],
      );
      await as('oc_engine').query(
        `INSERT INTO workflow_event (run_id, seq, organization_id, type, at, data)
         VALUES (gen_random_uuid(), 1, $1, 'T', now(), '{}')`,
        [organizationId],
      );
    }
  });
  afterAll(async () => {
    for (const client of clients.values()) await client.end();
    await database.drop();
  });

  it('no role of ours is a superuser or passes row-level security by', async () => {
    const { rows } = await as('oc_app').query(
      `SELECT rolname FROM pg_roles WHERE rolname LIKE 'oc\\_%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)`,
    );
    expect(rows).toEqual([]);
  });

  it('every table with organization_id has forced row-level security', async () => {
    const { rows } = await as('oc_owner').query<{ relname: string }>(
      `SELECT c.relname FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'organization_id'
       JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
       WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition 
         AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
         -- Identity tables have none: oc_auth alone may touch them.
         AND (has_any_column_privilege('oc_app', c.oid, 'SELECT, INSERT, UPDATE')
              OR has_any_column_privilege('oc_engine', c.oid, 'SELECT, INSERT, UPDATE'))`,
    );
    expect(rows).toEqual([]);
  });

  it('the application sees nothing outside a unit of work, and only its organisation within one', async () => {
    for (const table of ['workflow_run', 'workflow_event']) {
      expect((await as('oc_app').query(`SELECT 1 FROM ${table}`)).rowCount).toBe(0);
      const seen = await within(a, (client) => client.query(`SELECT organization_id FROM ${table}`));
      expect(seen.rows).toEqual([{ organization_id: a }]);
    }
  });

  it('the application cannot write for another organisation', async () => {
    const write = within(a, (client) =>
      client.query(
        `INSERT INTO workflow_definition (organization_id, hash, definition) VALUES ($1, 'h', '{}')`,
        [b],
      ),
    );
    await expect(write).rejects.toThrow(/row-level security/);
  });

  it('the application cannot write runs or events at all: only the engine does', async () => {
    for (const statement of ['DELETE FROM workflow_event', "UPDATE workflow_run SET status = 'completed'"]) {
      await expect(within(a, (client) => client.query(statement))).rejects.toThrow(/permission denied/);
    }
  });

  it('nobody, not even the engine, can change or delete an event', async () => {
    for (const statement of ['DELETE FROM workflow_event', "UPDATE workflow_event SET type = 'X'"]) {
      await expect(as('oc_engine').query(statement)).rejects.toThrow(/permission denied/);
    }
  });

  it('the process refuses to work over a superuser', async () => {
    const asAdmin = createPool(database.adminUrl, 2, 'test');
    await expect(mustBeBound(asAdmin)).rejects.toThrow(/passes row-level security by/);
    await asAdmin.end();
    const asApp = createPool(database.url('oc_app'), 2, 'test');
    await mustBeBound(asApp);
    await asApp.end();
  });

  it('identity tables belong to oc_auth alone', async () => {
    for (const table of ['organization', 'app_user', 'member', 'auth_session', 'auth_account', 'api_key']) {
      await expect(as('oc_app').query(`SELECT 1 FROM ${table}`)).rejects.toThrow(/permission denied/);
      await expect(as('oc_engine').query(`SELECT 1 FROM ${table}`)).rejects.toThrow(/permission denied/);
      await as('oc_auth').query(`SELECT 1 FROM ${table}`);
    }
    await expect(as('oc_auth').query('SELECT 1 FROM workflow_run')).rejects.toThrow(/permission denied/);
  });
});
