import type pg from 'pg';
import { DatabaseSetupError } from '../setup-error';
import type { BackupHeader } from './archive';

/** What is not data: the record of migrations, and who does what right now. */
const LEFT_OUT = ['_prisma_migrations', 'engine_process', 'workflow_shard', 'alert_round', 'seal_holder'];

/** A table whose rows are data. */
export interface DataTable {
  name: string;
  columns: string[];
  /** Row-level security binds its owner too. */
  forced: boolean;
  /** Tables that must be filled before. */
  needs: string[];
}

/**
 * Every table of data, in an order in which each comes after those that it refers to. Read from the database, so that
 * tables of later migrations are in it without anybody thinking of them.
 * @throws DatabaseSetupError naming tables that are not oc_owner's: they may be of a migration that somebody else applied, and
 *   what is left out of a backup is lost. Tables of extensions are nobody's data.
 */
export async function dataTables(client: pg.ClientBase): Promise<DataTable[]> {
  const { rows } = await client.query<DataTable & { owner: string }>(
    `SELECT c.relname AS name, c.relforcerowsecurity AS forced, pg_get_userbyid(c.relowner) AS owner,
       (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns,
       coalesce((SELECT array_agg(DISTINCT f.confrelid::regclass::text) FROM pg_constraint f
        WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.confrelid <> c.oid), '{}') AS needs
     FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND c.relname <> ALL($1)
       AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
     ORDER BY c.relname`,
    [LEFT_OUT],
  );
  const foreign = rows.filter(({ owner }) => owner !== 'oc_owner');
  if (foreign.length > 0) {
    const names = foreign.map(({ name, owner }) => `${name} (of ${owner})`).join(', ');
    throw new DatabaseSetupError(
      `The schema public has tables that are not oc_owner's: ${names}. Give each that is OpenConductor's to it (ALTER TABLE … ` +
        'OWNER TO oc_owner), and move others into a schema of their own (ALTER TABLE … SET SCHEMA …).',
    );
  }
  const sorted: DataTable[] = [];
  const left = new Map<string, DataTable>(rows.map(({ owner: _owner, ...table }) => [table.name, table]));
  while (left.size > 0) {
    const ready = [...left.values()].filter(({ needs }) => needs.every((name) => !left.has(name)));
    if (ready.length === 0) {
      throw new DatabaseSetupError(
        `The tables ${[...left.keys()].join(', ')} refer to each other in a circle.`,
      );
    }
    for (const table of ready) {
      sorted.push(table);
      left.delete(table.name);
    }
  }
  return sorted;
}

/**
 * Makes sure that oc_owner sees every row: a table that hides its rows would be written as an empty one.
 * @throws DatabaseSetupError naming the table
 */
export async function checkVisible(client: pg.ClientBase, tables: readonly DataTable[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c
     WHERE c.relname = ANY($1) AND c.relnamespace = 'public'::regnamespace AND NOT EXISTS (
       SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND 'oc_owner'::regrole = ANY(p.polroles) AND p.polcmd = '*')`,
    [tables.filter(({ forced }) => forced).map(({ name }) => name)],
  );
  if (rows.length === 0) return;
  throw new DatabaseSetupError(
    `oc_owner may not read all rows of ${rows.map(({ name }) => name).join(', ')}. Start this version of OpenConductor ` +
      'once, so that it sets the rights.',
  );
}

/** The migrations that the database has, oldest first. */
export async function appliedMigrations(client: pg.ClientBase): Promise<BackupHeader['migrations']> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    `SELECT migration_name AS name, checksum FROM _prisma_migrations
     WHERE rolled_back_at IS NULL AND finished_at IS NOT NULL ORDER BY migration_name`,
  );
  return rows;
}

/** Weekly partitions of the event table. */
export async function eventPartitions(client: pg.ClientBase): Promise<BackupHeader['partitions']> {
  const { rows } = await client.query<BackupHeader['partitions'][number]>(
    'SELECT name, low, high FROM event_partitions()',
  );
  return rows;
}

/** Last values of the sequences that have given one out. */
export async function sequenceValues(client: pg.ClientBase): Promise<BackupHeader['sequences']> {
  const { rows } = await client.query<{ name: string; value: string }>(
    `SELECT sequencename AS name, last_value::text AS value FROM pg_sequences
     WHERE schemaname = 'public' AND last_value IS NOT NULL ORDER BY 1`,
  );
  return rows.map(({ name, value }) => ({ name, value: Number(value) }));
}
