import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

describe('the audit log', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let admin: pg.Client;

  const get = async (path: string) => (await engine.request('GET', `/api/v1/audit${path}`)).body;
  const write = (name: string) => engine.request('PUT', `/api/v1/secrets/${name}`, { value: 'v' });

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
    admin = new pg.Client(database.adminUrl);
    await admin.connect();
    for (let i = 0; i < 12; i++) expect((await write(`S${i}`)).status).toBeLessThan(300);
    await eventually('all is sealed', async () => {
      const { unsealed, checked } = await get('/verify');
      return unsealed === 0 && checked >= 12;
    });
  });
  afterAll(async () => {
    await admin.end();
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  /** Changes rows as nobody but a superuser could, looks, and puts everything back. */
  const tampered = async (statement: string) => {
    await admin.query('CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM audit_entry');
    await admin.query('SET session_replication_role = replica');
    try {
      await admin.query(statement);
      return await get('/verify');
    } finally {
      await admin.query('DELETE FROM audit_entry');
      await admin.query('INSERT INTO audit_entry SELECT * FROM kept');
      await admin.query('DROP TABLE kept');
      await admin.query('SET session_replication_role = origin');
    }
  };

  it('is one chain without a gap, and the whole of it holds', async () => {
    expect(await get('/verify')).toMatchObject({ ok: true, broken: null });
    const { items } = await get('?limit=200');
    const seqs = items.map((row: { seq: number }) => row.seq).sort((x: number, y: number) => x - y);
    expect(seqs).toEqual(seqs.map((_: number, i: number) => i + 1));
  });

  it.each([
    ['details', `details = replace(details::text, '}', ' }')::json`],
    ['who', `actor_id = actor_id || 'x'`],
    ['when', `at = at + interval '1 millisecond'`],
    ['where from', `source = 'elsewhere'`],
    ['hash', `hash = translate(hash, '0123456789abcdef', '123456789abcdef0')`],
  ])('one changed byte is found, and the row is named: %s', async (_what, change) => {
    const { rows } = await admin.query('SELECT id FROM audit_entry WHERE chain_seq = 5');
    const found = await tampered(`UPDATE audit_entry SET ${change} WHERE chain_seq = 5`);
    expect(found).toMatchObject({ ok: false, broken: { seq: 5, id: rows[0].id, fault: 'changed' } });
    expect((await get('/verify')).ok).toBe(true);
  });

  /** One byte of a column changed, by its type; what no rule is for fails the test, so that a new column is thought of. */
  const FLIP: Record<string, (column: string) => string> = {
    text: (column) => `coalesce(overlay(${column} placing chr(ascii(${column}) # 1) from 1 for 1), 'x')`,
    uuid: (column) =>
      `translate(left(${column}::text, 1), '0123456789abcdef', '123456789abcdef0')::text || substr(${column}::text, 2)`,
    json: (column) => `replace(${column}::text, '}', ' }')::json`,
    'timestamp with time zone': (column) => `${column} + interval '1 millisecond'`,
    bigint: (column) => `${column} + 1000`,
  };

  it('one flipped byte in any column of a row is found, and the row is named', async () => {
    const { rows: columns } = await admin.query<{ name: string; type: string }>(
      `SELECT column_name AS name, data_type AS type FROM information_schema.columns
       WHERE table_schema = 'public' AND table_name = 'audit_entry' ORDER BY ordinal_position`,
    );
    expect(columns.length).toBeGreaterThanOrEqual(12);
    const { rows } = await admin.query('SELECT id FROM audit_entry WHERE chain_seq = 5');
    for (const { name, type } of columns) {
      const flip = FLIP[type]?.(name);
      expect(flip, `${name} is of type ${type}`).toBeDefined();
      const cast = type === 'uuid' ? `(${flip})::uuid` : flip;
      const found = await tampered(`UPDATE audit_entry SET ${name} = ${cast} WHERE chain_seq = 5`);
      expect(found.ok, name).toBe(false);
      expect(found.broken.seq, name).toBe(5);
      // A row that says that it is another one, or stands elsewhere, is missing at its place.
      if (name === 'organization_id' || name === 'chain_seq')
        expect(found.broken.fault, name).toBe('missing');
      else expect(found.broken.fault, name).toBe('changed');
      if (found.broken.fault === 'changed' && name !== 'id') expect(found.broken.id, name).toBe(rows[0].id);
    }
    expect((await get('/verify')).ok).toBe(true);
  });

  it('two rows that changed places are found, and the first of them is named', async () => {
    const { rows } = await admin.query('SELECT id FROM audit_entry WHERE chain_seq = 7');
    const found = await tampered(
      `UPDATE audit_entry SET chain_seq = -chain_seq WHERE chain_seq IN (6, 7);
       UPDATE audit_entry SET chain_seq = CASE chain_seq WHEN -6 THEN 7 ELSE 6 END WHERE chain_seq < 0`,
    );
    expect(found.broken).toEqual({ seq: 6, id: rows[0].id, fault: 'changed' });
  });

  it('a row that was put into the chain is found: in the middle, in the place of another, and at the end', async () => {
    const forge = (seq: number) =>
      `INSERT INTO audit_entry (id, organization_id, at, actor_kind, actor_id, action, object, details, chain_seq, previous_hash, hash, source)
       SELECT gen_random_uuid(), organization_id, at, actor_kind, actor_id, 'forged', object, details, ${seq}, previous_hash, hash, source
       FROM audit_entry WHERE chain_seq = 5`;
    // Everything behind it moves up: the chain has a new length, but not the hashes.
    const middle = await tampered(
      `UPDATE audit_entry SET chain_seq = -chain_seq WHERE chain_seq > 5;
       UPDATE audit_entry SET chain_seq = 1 - chain_seq WHERE chain_seq < 0; ${forge(6)}`,
    );
    expect(middle.broken).toMatchObject({ seq: 6, fault: 'changed' });
    const place = await tampered(`DELETE FROM audit_entry WHERE chain_seq = 6; ${forge(6)}`);
    expect(place.broken).toMatchObject({ seq: 6, fault: 'changed' });
    const { rows } = await admin.query('SELECT max(chain_seq)::int AS last FROM audit_entry');
    const end = await tampered(forge(rows[0].last + 1));
    expect(end.broken).toMatchObject({ seq: rows[0].last + 1, fault: 'changed' });
  });

  it('a row that is gone is found, in the middle and at the end', async () => {
    const middle = await tampered('DELETE FROM audit_entry WHERE chain_seq = 4');
    expect(middle.broken).toEqual({ seq: 4, id: null, fault: 'missing' });
    const end = await tampered('DELETE FROM audit_entry WHERE chain_seq > 10');
    expect(end.broken).toMatchObject({ seq: 11, fault: 'cut' });
  });

  it('no role of the application can change a sealed entry', async () => {
    const client = new pg.Client(database.url('oc_engine'));
    await client.connect();
    await expect(client.query(`UPDATE audit_entry SET hash = 'x'`)).rejects.toThrow(/is sealed/);
    await expect(client.query(`UPDATE audit_entry SET action = 'x'`)).rejects.toThrow(/permission denied/);
    await expect(client.query('DELETE FROM audit_entry')).rejects.toThrow(/permission denied/);
    await client.end();
  });

  it('is searched by action, object and time, page by page', async () => {
    const { items } = await get('?action=secret.set&object=S3');
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({
      actorKind: 'user',
      object: 'S3',
      source: expect.stringMatching(/127\.0\.0\.1|::1/),
    });
    const first = await get('?action=secret.&limit=5');
    const second = await get(`?action=secret.&limit=5&cursor=${encodeURIComponent(first.nextCursor)}`);
    const objects = [...first.items, ...second.items].map((row: { object: string }) => row.object);
    expect(new Set(objects).size).toBe(10);
    expect((await get(`?until=2020-01-01T00:00:00Z`)).items).toEqual([]);
  });

  it('the command line says whether it holds, in words and by its exit code', async () => {
    const good = await runCliProcess(['audit', 'verify'], { url: engine.url });
    expect(good.code, good.err).toBe(0);
    expect(good.out).toMatch(/\d+ entries hold/);
    await admin.query('CREATE TABLE before AS SELECT id, actor_id FROM audit_entry WHERE chain_seq = 3');
    await admin.query('SET session_replication_role = replica');
    await admin.query(`UPDATE audit_entry SET actor_id = 'nobody' WHERE chain_seq = 3`);
    const bad = await runCliProcess(['audit', 'verify'], { url: engine.url });
    expect(bad.code).toBe(1);
    expect(bad.out).toMatch(/Entry 3 is changed/);
    await admin.query('UPDATE audit_entry e SET actor_id = b.actor_id FROM before b WHERE b.id = e.id');
    await admin.query('SET session_replication_role = origin');
    const listed = await runCliProcess(['audit', 'list', '--action', 'secret.', '--json'], {
      url: engine.url,
    });
    expect(listed.lines().length).toBeGreaterThanOrEqual(12);
  });

  it('is exported whole, as JSON lines and as CSV that no spreadsheet runs', async () => {
    await engine.request('PUT', '/api/v1/roles/plain', {
      description: 'x',
      permissions: ['workflows:read'],
    });
    const lines = await (await fetch(`${engine.url}/api/v1/audit/export`)).text();
    const rows = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.length).toBeGreaterThanOrEqual(13);
    const csv = await (await fetch(`${engine.url}/api/v1/audit/export?format=csv`)).text();
    expect(csv.split('\r\n')[0]).toBe('seq,at,actorKind,actorId,action,object,source,details,hash,id');
    expect(csv.trimEnd().split('\r\n')).toHaveLength(rows.length + 1);
  });
});
