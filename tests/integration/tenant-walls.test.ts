import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';

interface Column {
  name: string;
  type: string;
  isArray: boolean;
}

/**
 * The second wall alone: every statement here is what a repository would send if it forgot its organisation. The tables come
 * from the schema itself, so that a new one is held to it without anybody thinking of it.
 */
describe('row-level security without any scoping above it', () => {
  let database: TestDatabase;
  let admin: pg.Client;
  let app: pg.Client;
  const [a, b] = [randomUUID(), randomUUID()];
  const tables: { name: string; columns: Column[]; may: Record<string, boolean> }[] = [];
  let serial = 0;

  /** Some value of a type; every call another one, so that unique keys hold. */
  const value = ({ type, isArray }: Column): unknown => {
    if (isArray) return [];
    serial += 1;
    if (type === 'uuid') return randomUUID();
    if (/^(int|float|numeric)/.test(type)) return serial % 32_000;
    if (type === 'bool') return false;
    if (/^json/.test(type)) return '{}';
    if (type === 'bytea') return Buffer.from(String(serial));
    if (/^(timestamp|date)/.test(type)) return new Date(1_700_000_000_000 + serial);
    if (type === 'interval') return '1 second';
    return `v${serial}`;
  };
  const within = async <T>(organizationId: string, work: () => Promise<T>): Promise<T> => {
    await app.query('BEGIN');
    try {
      await app.query("SELECT set_config('app.organization_id', $1, true)", [organizationId]);
      return await work();
    } finally {
      await app.query('ROLLBACK');
    }
  };
  const insert = (client: pg.Client, table: (typeof tables)[number], organizationId: string) => {
    const names = table.columns.map(({ name }) => `"${name}"`).join(', ');
    const places = table.columns.map((_, i) => `$${i + 1}`).join(', ');
    const values = table.columns.map((column) =>
      column.name === 'organization_id' ? organizationId : value(column),
    );
    return client.query(
      `INSERT INTO "${table.name}" (${names}) OVERRIDING SYSTEM VALUE VALUES (${places})`,
      values,
    );
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    admin = new pg.Client(database.adminUrl);
    app = new pg.Client(database.url('oc_app'));
    await Promise.all([admin.connect(), app.connect()]);
    // Only the walls are looked at: what a row says, and whom it refers to, does not matter.
    await admin.query(`SET session_replication_role = replica`);
    const { rows: checks } = await admin.query<{ drop: string }>(
      `SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', c.conrelid::regclass::text, c.conname) AS drop
       FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
       WHERE c.contype = 'c' AND c.connamespace = 'public'::regnamespace AND NOT t.relispartition`,
    );
    for (const { drop } of checks) await admin.query(drop);
    const { rows } = await admin.query<{ name: string; columns: Column[]; may: Record<string, boolean> }>(
      `SELECT c.relname AS name,
              (SELECT json_agg(json_build_object('name', x.attname, 'type', e.typname, 'isArray', t.typelem <> 0 AND t.typlen = -1))
               FROM pg_attribute x JOIN pg_type t ON t.oid = x.atttypid
               JOIN pg_type e ON e.oid = CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN t.typelem ELSE t.oid END
               WHERE x.attrelid = c.oid AND x.attnum > 0 AND NOT x.attisdropped AND x.attgenerated = '') AS columns,
              json_build_object('select', has_table_privilege('oc_app', c.oid, 'SELECT'),
                'insert', has_table_privilege('oc_app', c.oid, 'INSERT'),
                'update', has_any_column_privilege('oc_app', c.oid, 'UPDATE'),
                'delete', has_table_privilege('oc_app', c.oid, 'DELETE')) AS may
       FROM pg_class c JOIN pg_attribute o ON o.attrelid = c.oid AND o.attname = 'organization_id'
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       ORDER BY c.relname`,
    );
    tables.push(...rows.filter(({ may }) => Object.values(may).some(Boolean)));
    for (const table of tables) {
      for (const organizationId of [a, b]) await insert(admin, table, organizationId);
    }
  });
  afterAll(async () => {
    await Promise.all([admin.end(), app.end()]);
    await database.drop();
  });

  it('knows the tables from the schema', () => {
    expect(tables.length).toBeGreaterThan(18);
  });

  it('identity connects as a role that reaches no tenant table, but to erase what is a person’s; the one that crosses organisations does so by a policy of its own', async () => {
    const { rows } = await admin.query<{
      name: string;
      auth: boolean;
      reads: boolean;
      erases: string[];
      forced: boolean;
      engine: boolean;
      policy: boolean;
    }>(
      `SELECT c.relname AS name, has_any_column_privilege('oc_auth', c.oid, 'INSERT, UPDATE') AS auth,
              has_any_column_privilege('oc_auth', c.oid, 'SELECT') AS reads,
              ARRAY(SELECT p.policyname::text FROM pg_policies p
                    WHERE p.tablename = c.relname AND 'oc_auth' = ANY (p.roles) ORDER BY 1) AS erases,
              c.relrowsecurity AND c.relforcerowsecurity AS forced,
              has_any_column_privilege('oc_engine', c.oid, 'SELECT, INSERT, UPDATE') AS engine,
              EXISTS (SELECT 1 FROM pg_policies p WHERE p.tablename = c.relname AND 'oc_engine' = ANY (p.roles)) AS policy
       FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY ($1)`,
      [tables.map(({ name }) => name)],
    );
    expect(rows).toHaveLength(tables.length);
    const personal = ['oauth_record', 'oauth_state', 'saved_view'];
    for (const { name, reads, erases } of rows)
      expect({ reads, erases }, name).toEqual(
        personal.includes(name)
          ? { reads: true, erases: ['erasure', 'erasure_read'] }
          : { reads: false, erases: [] },
      );
    for (const { name, auth, forced, engine, policy } of rows)
      expect({ auth, forced, engine: !engine || policy }, name).toEqual({
        auth: false,
        forced: true,
        engine: true,
      });
  });

  it('a read without a condition gives the rows of one organisation; outside a unit of work, none', async () => {
    for (const { name, may } of tables.filter((table) => table.may.select)) {
      const seen = await within(a, () => app.query(`SELECT organization_id AS id FROM "${name}"`));
      expect(seen.rows, name).toEqual([{ id: a }]);
      expect((await app.query(`SELECT 1 FROM "${name}"`)).rowCount, name).toBe(0);
      expect(may.select).toBe(true);
    }
  });

  it('a change without a condition changes no row of another organisation', async () => {
    for (const { name, columns, may } of tables) {
      const state = async () =>
        (await admin.query(`SELECT t::text AS row FROM "${name}" t WHERE organization_id = $1`, [b])).rows;
      const before = await state();
      expect(before, name).toHaveLength(1);
      if (may.update) {
        const { rows } = await admin.query<{ column_name: string }>(
          `SELECT column_name FROM information_schema.column_privileges
           WHERE grantee = 'oc_app' AND privilege_type = 'UPDATE' AND table_name = $1`,
          [name],
        );
        const column = rows[0]?.column_name ?? columns[0]?.name;
        const changed = await within(a, () => app.query(`UPDATE "${name}" SET "${column}" = "${column}"`));
        expect(changed.rowCount, name).toBe(1);
      }
      if (may.delete) {
        const gone = await within(a, () => app.query(`DELETE FROM "${name}"`));
        expect(gone.rowCount, name).toBe(1);
      }
      expect(await state(), name).toEqual(before);
    }
  });

  it('nothing can be written into another organisation, nor moved there', async () => {
    for (const table of tables) {
      if (table.may.insert) {
        const write = within(a, () => insert(app, table, b));
        await expect(write, table.name).rejects.toThrow(/row-level security|permission denied/);
      }
      if (table.may.update) {
        const move = within(a, () => app.query(`UPDATE "${table.name}" SET organization_id = $1`, [b]));
        await expect(move, table.name).rejects.toThrow(/row-level security|permission denied/);
      }
    }
  });
});
