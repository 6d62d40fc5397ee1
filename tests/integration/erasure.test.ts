import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { firstOwner, member, Visitor } from '../support/people';
import { connect } from '../support/scim';

const quick = {
  schemaVersion: 1,
  name: 'quick',
  input: { type: 'object' },
  nodes: [{ id: 'only', kind: 'transform', output: '${input}' }],
};
const waiting = { schemaVersion: 1, name: 'waiting', nodes: [{ id: 'hold', kind: 'wait', signal: 'go' }] };
const asking = {
  schemaVersion: 1,
  name: 'asking',
  nodes: [{ id: 'ask', kind: 'approval', title: 'Go on?' }],
};

/** Local parts that nothing else in a database says. */
const ADA = 'zaphira.quell@example.com';

describe('erasure of a person', () => {
  let database: TestDatabase;
  let sql: pg.Client;
  let engine: EngineProcess;
  let owner: Visitor;

  const sent = async (who: Visitor, method: string, path: string, body?: unknown) => {
    const answer = await who.send(method, path, body);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  };
  const erase = (who: Visitor, person: string, more: object = {}) =>
    who.send('POST', '/api/v1/erasures', { person, ...more });
  const counts = (rows: { what: string; count: number }[]) =>
    Object.fromEntries(rows.map(({ what, count }) => [what, count]));
  const idOf = async (who: Visitor) => (await sent(who, 'GET', '/api/v1/me')).id as string;
  const runOf = async (who: Visitor, workflow: string, input: object = {}) => {
    const { runId } = await sent(who, 'POST', '/api/v1/runs', { workflow, input });
    return runId as string;
  };
  const closed = (runId: string) =>
    eventually('the run closes', async () => {
      const { closedAt } = await sent(owner, 'GET', `/api/v1/runs/${runId}`);
      return closedAt !== null;
    });

  /** Every place of the whole database in which a text stands, as table.column. */
  const placesOf = async (text: string): Promise<string[]> => {
    const { rows: columns } = await sql.query<{ t: string; c: string; type: string }>(
      `SELECT c.table_name AS t, c.column_name AS c, c.data_type AS type FROM information_schema.columns c
       JOIN information_schema.tables t USING (table_schema, table_name)
       WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE'
         AND c.data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY', 'uuid', 'name')`,
    );
    expect(columns.length).toBeGreaterThan(200);
    const found: string[] = [];
    for (const { t, c, type } of columns) {
      const value = type === 'bytea' ? `encode("${c}", 'escape')` : `"${c}"::text`;
      const { rowCount } = await sql.query(
        `SELECT 1 FROM "${t}" WHERE position(lower($1) IN lower(${value})) > 0 LIMIT 1`,
        [text],
      );
      if ((rowCount ?? 0) > 0) found.push(`${t}.${c}`);
    }
    return found;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_AUTH: 'required', OPENCONDUCTOR_RATE_LIMIT: '0' },
    });
    owner = await firstOwner(engine);
    for (const definition of [quick, waiting, asking])
      await sent(owner, 'POST', '/api/v1/workflows', definition);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await sql.end();
    await database.drop();
  });

  it('leaves neither name nor address anywhere in the database, and the audit chain whole', async () => {
    const ada = await member(owner, ADA, 'admin');
    const userId = await idOf(ada);
    const { id: teamId } = { id: 'team-1' };
    const { id: organizationId } = (await sent(ada, 'GET', '/api/v1/me')).organization;
    await sql.query('INSERT INTO team (id, name, organization_id) VALUES ($1, $1, $2)', [
      teamId,
      organizationId,
    ]);
    await sql.query(`INSERT INTO team_member (id, team_id, user_id) VALUES ('tm', $1, $2)`, [teamId, userId]);
    for (const subject of [userId, '']) {
      await sql.query(
        `INSERT INTO oauth_record (organization_id, server, subject, sealed) VALUES ($1, 's', $2, 'x')`,
        [organizationId, subject],
      );
    }
    const key = (await sent(ada, 'POST', '/api/v1/api-keys', { name: 'mine' })).key;
    const view = {
      filters: { status: ['failed'] },
      columns: ['runId'],
      sort: { by: 'createdAt', order: 'desc' },
    };
    for (const shared of [true, false]) {
      const answer = await ada.send('POST', '/api/v1/views', { name: `view-${shared}`, shared, ...view });
      expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    }
    await sent(ada, 'POST', '/api/v1/invitations', { email: 'friend@example.com', role: 'viewer' });
    await sent(ada, 'POST', '/api/v1/workflows', { ...quick, name: 'adas' });
    const done = await runOf(ada, 'quick', { note: 'kept' });
    const open = await runOf(ada, 'waiting');
    const asked = await runOf(owner, 'asking');
    await eventually('the question is asked', async () => {
      const { items } = await sent(owner, 'GET', '/api/v1/tasks');
      return items.some((task: { runId: string }) => task.runId === asked);
    });
    await sent(ada, 'POST', `/api/v1/runs/${asked}/approve`, { comment: 'fine' });
    await closed(asked);
    await closed(done);
    expect((await placesOf(ADA)).length).toBeGreaterThan(0);

    const before = (await erase(owner, ADA.toUpperCase(), { dryRun: true })).body;
    expect(before).toMatchObject({ dryRun: true, userId, allowed: true, obstacle: null });
    expect(counts(before.removed)).toEqual({
      ...{
        accounts: 1,
        sessions: 1,
        'API keys': 1,
        memberships: 1,
        'team memberships': 1,
        'private views': 1,
      },
      ...{ 'passwords and sign-ins of providers': 1, 'grants at remote servers': 1 },
      ...{ 'invitations for them': 1, 'invitations by them': 1 },
    });
    expect(counts(before.kept)).toEqual({ 'open runs': 1, 'closed runs': 1 });
    expect((await ada.send('GET', '/api/v1/me')).status).toBe(200);

    const report = (await erase(owner, ADA)).body;
    expect({ ...report, dryRun: true }).toEqual(before);
    expect(await placesOf(ADA)).toEqual([]);
    expect(await placesOf(ADA.split('@')[0] ?? '')).toEqual([]);
    expect((await ada.send('GET', '/api/v1/me')).status).toBe(401);
    const withKey = await new Visitor(engine.url).send('GET', '/api/v1/me', undefined, {
      authorization: `Bearer ${key}`,
    });
    expect(withKey.status).toBe(401);
    expect((await new Visitor(engine.url).signIn(ADA)).status).toBeGreaterThanOrEqual(400);

    // The id stays where others need it, and is nobody's.
    expect((await sent(owner, 'GET', `/api/v1/runs/${done}`)).startedBy).toBe(userId);
    expect((await sent(owner, 'GET', `/api/v1/runs/${open}`)).status).toBe('running');
    const { items: events } = await sent(owner, 'GET', `/api/v1/runs/${asked}/events`);
    expect(events.find(({ type }: { type: string }) => type === 'APPROVAL_DECIDED').data.by).toBe(userId);
    const { rows } = await sql.query('SELECT subject FROM oauth_record');
    expect(rows).toEqual([{ subject: '' }]);
    const views = await sent(owner, 'GET', '/api/v1/views');
    expect(views.items.map(({ name }: { name: string }) => name)).toEqual(['view-true']);
    const { items: members } = await sent(owner, 'GET', '/api/v1/members');
    expect(members.map(({ email }: { email: string }) => email)).not.toContain(ADA);

    const verdict = await eventually('all is sealed', async () => {
      const now = await sent(owner, 'GET', '/api/v1/audit/verify');
      return now.unsealed === 0 && now;
    });
    expect(verdict).toMatchObject({ ok: true, broken: null });
    const { items: audit } = await sent(owner, 'GET', '/api/v1/audit?action=user.erase');
    expect(audit).toMatchObject([{ object: userId, details: { account: true, withRuns: false } }]);
    const { items: invited } = await sent(owner, 'GET', '/api/v1/audit?action=member.invite');
    const digests = invited.map(({ details }: { details: { person: string } }) => details.person);
    expect(digests).toContain(audit[0].details.person);
    expect((await erase(owner, ADA)).body).toMatchObject({ code: 'MEMBER_NOT_FOUND' });
    await sent(owner, 'POST', `/api/v1/runs/${open}/cancel`, {});
  });

  it('deletes closed runs of theirs whole when asked to; open ones and those of others stay, and streams go on', async () => {
    const bea = await member(owner, 'bea@example.com', 'operator');
    const gone = [await runOf(bea, 'quick', { who: 'quillfeather' }), await runOf(bea, 'quick')];
    const open = await runOf(bea, 'waiting');
    const others = await runOf(owner, 'quick', { who: 'somebody' });
    for (const runId of [...gone, others]) await closed(runId);
    expect((await placesOf('quillfeather')).length).toBeGreaterThan(0);
    const before = (await erase(owner, 'bea@example.com', { dryRun: true, withRuns: true })).body;
    expect(counts(before.removed)['closed runs']).toBe(2);
    const report = (await erase(owner, 'bea@example.com', { withRuns: true })).body;
    expect(counts(report.removed)['closed runs']).toBe(2);
    expect(counts(report.kept)).toEqual({ 'open runs': 1 });
    for (const runId of gone) {
      expect((await owner.send('GET', `/api/v1/runs/${runId}`)).status).toBe(404);
      // Who started what stays on record; of what it was about, nothing.
      expect(await placesOf(runId)).toEqual(['audit_entry.object']);
    }
    expect(await placesOf('quillfeather')).toEqual([]);
    expect((await sent(owner, 'GET', `/api/v1/runs/${others}`)).input).toEqual({ who: 'somebody' });
    await sent(owner, 'POST', `/api/v1/runs/${open}/signal`, { name: 'go' });
    await closed(open);
    const heads = await sql.query<{ last: number }>(
      `SELECT max(last_seq)::int AS last FROM stream_head WHERE topic = 'runs'`,
    );
    const last = heads.rows[0]?.last as number;
    const next = await runOf(owner, 'quick');
    await eventually('the stream goes on', async () => {
      const page = await sent(owner, 'GET', `/api/v1/events?after=${last}&limit=1000`);
      return page.items.some(({ event }: { event: { runId: string } }) => event.runId === next);
    });
  });

  it('the last owner stays, admins do not erase owners, and nobody erases who is not theirs', async () => {
    const email = 'olga@example.com';
    const dry = (await erase(owner, 'me', { dryRun: true })).body;
    expect(dry).toMatchObject({ allowed: false, obstacle: 'Olga Owner is the last owner.' });
    expect((await erase(owner, 'me')).body).toMatchObject({ code: 'LAST_OWNER', status: 409 });
    const carl = await member(owner, 'carl@example.com', 'admin');
    expect((await erase(carl, email)).body).toMatchObject({ code: 'LAST_OWNER' });
    const second = await member(owner, 'second@example.com', 'owner');
    expect((await erase(carl, 'second@example.com')).body).toMatchObject({ code: 'FORBIDDEN' });
    const vera = await member(owner, 'vera@example.com', 'viewer');
    expect((await erase(vera, 'carl@example.com')).body).toMatchObject({ code: 'FORBIDDEN' });
    expect((await erase(vera, 'me', { withRuns: true })).body).toMatchObject({ code: 'FORBIDDEN' });
    expect((await erase(carl, 'nobody@example.com')).body).toMatchObject({ code: 'MEMBER_NOT_FOUND' });
    const limited = (await sent(vera, 'POST', '/api/v1/api-keys', { name: 'l', scopes: ['workflows:read'] }))
      .key;
    const byKey = await new Visitor(engine.url).send(
      'POST',
      '/api/v1/erasures',
      { person: 'me' },
      { authorization: `Bearer ${limited}` },
    );
    expect(byKey.body).toMatchObject({ code: 'FORBIDDEN' });
    expect((await erase(second, 'second@example.com')).status).toBe(200);
    expect((await second.send('GET', '/api/v1/me')).status).toBe(401);
  });

  it('in one’s own right: everything, in every organisation', async () => {
    const vera = new Visitor(engine.url);
    await vera.signIn('vera@example.com');
    const id = await idOf(vera);
    const { rows } = await sql.query<{ id: string }>(
      `INSERT INTO organization (id, name, slug) VALUES (gen_random_uuid(), 'Other', 'other') RETURNING id`,
    );
    await sql.query(
      `INSERT INTO member (id, organization_id, user_id, role) VALUES (gen_random_uuid(), $1, $2, 'viewer')`,
      [rows[0]?.id, id],
    );
    // An organisation erases what it has of somebody who belongs to another one; the account is theirs.
    const other = await member(owner, 'both@example.com', 'viewer');
    await sql.query(
      `INSERT INTO member (id, organization_id, user_id, role) VALUES (gen_random_uuid(), $1, $2, 'viewer')`,
      [rows[0]?.id, await idOf(other)],
    );
    const partly = (await erase(owner, 'both@example.com')).body;
    expect(counts(partly.kept)).toEqual({ accounts: 1 });
    expect(counts(partly.removed)).toEqual({ memberships: 1, 'invitations for them': 1 });
    // With the membership its sessions have ended.
    expect((await other.send('GET', '/api/v1/me')).status).toBe(401);
    await other.signIn('both@example.com');
    expect((await sent(other, 'GET', '/api/v1/me')).organization.name).toBe('Other');
    expect((await erase(owner, 'both@example.com')).body).toMatchObject({ code: 'MEMBER_NOT_FOUND' });

    const report = (await erase(vera, 'me')).body;
    expect(counts(report.removed)).toMatchObject({ accounts: 1, memberships: 2 });
    expect(await placesOf('vera@example.com')).toEqual([]);
    const { rows: told } = await sql.query(
      `SELECT organization_id FROM audit_entry WHERE action = 'user.erase' AND object = $1`,
      [id],
    );
    expect(told).toHaveLength(2);
  });

  it('what a directory has brought goes, too, here alone when they belong elsewhere as well', async () => {
    const directory = await connect(owner);
    for (const name of ['quorra.vex', 'bryndis.oak'])
      expect((await directory.create(`${name}@example.com`, { externalId: name })).status).toBe(201);
    const { rows } = await sql.query<{ id: string }>(
      `INSERT INTO organization (id, name, slug) VALUES (gen_random_uuid(), 'Third', 'third') RETURNING id`,
    );
    await sql.query(
      `INSERT INTO member (id, organization_id, user_id, role)
       SELECT gen_random_uuid(), $1, id, 'viewer' FROM app_user WHERE email = 'bryndis.oak@example.com'`,
      [rows[0]?.id],
    );
    const quorra = (await erase(owner, 'quorra.vex@example.com')).body;
    expect(counts(quorra.removed)).toMatchObject({ accounts: 1, 'entries of directories': 1 });
    expect(await placesOf('quorra.vex')).toEqual([]);
    const bryndis = (await erase(owner, 'bryndis.oak@example.com')).body;
    expect(counts(bryndis.removed)).toEqual({ memberships: 1, 'entries of directories': 1 });
    expect((await placesOf('bryndis.oak')).map((place) => place.split('.')[0])).toEqual([
      'app_user',
      'app_user',
    ]);
  });

  it('who was only invited is erased, too; entries of an earlier version are told of', async () => {
    await sent(owner, 'POST', '/api/v1/invitations', { email: 'maybe@example.com', role: 'viewer' });
    const { id: organizationId } = (await sent(owner, 'GET', '/api/v1/me')).organization;
    await sql.query(
      `INSERT INTO audit_entry (id, organization_id, actor_kind, actor_id, action, object, details)
       VALUES (gen_random_uuid(), $1, 'user', 'x', 'member.invite', 'maybe@example.com', '{}')`,
      [organizationId],
    );
    const report = (await erase(owner, 'maybe@example.com')).body;
    expect(report).toMatchObject({ userId: null, removed: [{ what: 'invitations for them', count: 1 }] });
    expect(counts(report.kept)).toEqual({ 'entries of the audit log': 1 });
    expect(await placesOf('maybe@example.com')).toEqual(['audit_entry.object']);
  });

  it('by the command line: shows, and does', async () => {
    await member(owner, 'dora@example.com', 'viewer');
    const key = (await sent(owner, 'POST', '/api/v1/api-keys', { name: 'cli' })).key;
    const options = { url: engine.url, env: { OPENCONDUCTOR_API_KEY: key } };
    const shown = await runCliProcess(['user', 'erase', 'dora@example.com', '--dry-run'], options);
    expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(/accounts\s+1\s+goes/)]);
    const done = await runCliProcess(['user', 'erase', 'dora@example.com', '--output', 'json'], options);
    expect(done.json()).toMatchObject({ dryRun: false, allowed: true });
    const again = await runCliProcess(['user', 'erase', 'dora@example.com', '--yes'], options);
    expect(again.err).toContain('MEMBER_NOT_FOUND');
  });
});
