import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { apiKey, firstOwner, member, PASSWORD, Visitor } from '../support/people';
import { connect, type Directory, GROUP, USER } from '../support/scim';

/** Two organisations in one instance, each with a directory. Neither reaches what is the other's, whatever it says. */
describe('the directories of two organisations', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let tables: pg.Client;
  /** Owns organisation A, and owns organisation B. */
  let olga: Visitor;
  let bea: Visitor;
  let ofA: Directory;
  let ofB: Directory;
  const off = { op: 'replace', value: { active: false } };

  const listed = async (
    visitor: Visitor,
  ): Promise<{ email: string; name: string; userId: string; role: string }[]> =>
    (await visitor.send('GET', '/api/v1/members')).body.items;
  const memberOf = async (visitor: Visitor, email: string) =>
    (await listed(visitor)).find((one) => one.email === email);

  beforeAll(async () => {
    database = await createTestDatabase();
    tables = new pg.Client(database.url('oc_auth'));
    await tables.connect();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_AUTH: 'required' },
    });
    olga = await firstOwner(engine);
    bea = await member(olga, 'bea@b.example', 'viewer');
    const made = await bea.send('POST', '/api/auth/organization/create', { name: 'Bee', slug: 'bee' });
    await bea.send('POST', '/api/auth/organization/set-active', { organizationId: made.body.id });
    const inA = await memberOf(olga, 'bea@b.example');
    expect((await olga.send('DELETE', `/api/v1/members/${inA?.userId}`)).status).toBe(204);
    ofA = await connect(olga, 'A');
    ofB = await connect(bea, 'B');
  });
  afterAll(async () => {
    await tables.end();
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  it('one does not see, change or delete a user or group of the other', async () => {
    const ours = await ofB.create('belongs@b.example', { externalId: 'same-id' });
    const group = await ofB.send('POST', '/Groups', { schemas: [GROUP], displayName: 'Bees' });
    const paths = [`/Users/${ours.body.id}`, `/Groups/${group.body.id}`];
    for (const path of paths) {
      const body = path.startsWith('/Users')
        ? { schemas: [USER], userName: 'stolen@a.example' }
        : { schemas: [GROUP], displayName: 'Stolen' };
      expect((await ofA.send('GET', path)).status, path).toBe(404);
      expect((await ofA.send('PUT', path, body)).status, path).toBe(404);
      expect(
        (
          await ofA.patch(
            path,
            path.startsWith('/Users') ? off : { op: 'replace', value: { displayName: 'x' } },
          )
        ).status,
      ).toBe(404);
      expect((await ofA.send('DELETE', path)).status, path).toBe(404);
    }
    const find = (filter: string) => ofA.send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    for (const filter of [
      'userName eq "belongs@b.example"',
      'externalId eq "same-id"',
      `id eq "${ours.body.id}"`,
    ])
      expect((await find(filter)).body.totalResults, filter).toBe(0);
    expect((await ofA.send('GET', '/Users')).body.Resources).toEqual([]);
    // Nor does a group of A take a user of B in.
    const taken = await ofA.send('POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'Taken',
      members: [{ value: ours.body.id }],
    });
    expect(taken.status).toBe(400);
    expect((await ofB.send('GET', `/Users/${ours.body.id}`)).body.active).toBe(true);
    expect((await ofB.send('GET', `/Groups/${group.body.id}`)).body.displayName).toBe('Bees');
    // The same external id is another person there.
    expect((await ofA.create('other@a.example', { externalId: 'same-id' })).status).toBe(201);
    expect((await memberOf(bea, 'belongs@b.example'))?.role).toBe('viewer');
  });

  it('an address that has an account in the other organisation is refused, and nothing of the account changes', async () => {
    for (const email of ['bea@b.example', 'belongs@b.example', 'BEA@b.example']) {
      const taken = await ofA.create(email, { displayName: 'Taken Over' });
      expect([taken.status, taken.body.scimType], email).toEqual([409, 'uniqueness']);
    }
    // Nor by moving a user of one's own to that address.
    const mine = await ofA.create('mover@a.example');
    const moved = { schemas: [USER], userName: 'bea@b.example' };
    expect((await ofA.send('PUT', `/Users/${mine.body.id}`, moved)).status).toBe(409);
    const patched = await ofA.patch(`/Users/${mine.body.id}`, {
      op: 'replace',
      path: 'emails',
      value: [{ value: 'bea@b.example', primary: true }],
    });
    expect(patched.status).toBe(409);
    expect(await memberOf(olga, 'bea@b.example')).toBeUndefined();
    expect((await bea.send('GET', '/api/v1/me')).body).toMatchObject({ name: 'bea', role: 'owner' });
  });

  it('somebody of both organisations loses one of them, and nothing of the other', async () => {
    const both = await member(olga, 'both@a.example', 'operator');
    const invited = await bea.send('POST', '/api/v1/invitations', { email: 'both@a.example', role: 'admin' });
    await both.send('POST', `/api/auth/invitations/${invited.body.id}`, {});
    const organizationId = (await bea.send('GET', '/api/v1/me')).body.organization.id;
    const atB = new Visitor(engine.url);
    await atB.signIn('both@a.example');
    await atB.send('POST', '/api/auth/organization/set-active', { organizationId });
    const key = await apiKey(atB);

    const linked = await ofA.create('both@a.example', { displayName: 'Renamed By A' });
    expect(linked.status, JSON.stringify(linked.body)).toBe(201);
    // A keeps its own card of them; the account has the name and address it had.
    await ofA.send('PUT', `/Users/${linked.body.id}`, {
      schemas: [USER],
      userName: 'evil@a.example',
      emails: [{ value: 'evil@a.example', primary: true }],
    });
    expect(await memberOf(bea, 'both@a.example')).toMatchObject({ name: 'both', role: 'admin' });
    expect((await ofA.patch(`/Users/${linked.body.id}`, off)).status).toBe(200);
    expect(await memberOf(olga, 'both@a.example')).toBeUndefined();
    expect((await both.send('GET', '/api/v1/me')).status).toBe(401);
    expect((await atB.send('GET', '/api/v1/me')).body).toMatchObject({ role: 'admin' });
    const asKey = { authorization: `Bearer ${key}` };
    expect((await new Visitor(engine.url).send('GET', '/api/v1/me', undefined, asKey)).status).toBe(200);
  });

  it('a directory that made an account keeps it no longer when its user joins another organisation', async () => {
    const made = await ofA.create('wanda@a.example', { externalId: 'wanda', displayName: 'Wanda' });
    const invited = await olga.send('POST', '/api/v1/invitations', {
      email: 'wanda@a.example',
      role: 'viewer',
    });
    const wanda = new Visitor(engine.url);
    const chosen = await wanda.send('POST', `/api/auth/invitations/${invited.body.id}`, {
      name: 'Wanda',
      password: PASSWORD,
    });
    expect(chosen.status, JSON.stringify(chosen.body)).toBe(201);
    const toB = await bea.send('POST', '/api/v1/invitations', { email: 'wanda@a.example', role: 'operator' });
    expect((await wanda.send('POST', `/api/auth/invitations/${toB.body.id}`, {})).status).toBe(200);

    const move = {
      schemas: [USER],
      userName: 'attacker@a.example',
      externalId: 'wanda',
      displayName: 'Attacker',
      emails: [{ value: 'attacker@a.example', primary: true }],
    };
    await ofA.send('PUT', `/Users/${made.body.id}`, move);
    expect(await memberOf(bea, 'wanda@a.example')).toMatchObject({ name: 'Wanda', role: 'operator' });
    // Nor by deleting them and taking them up again under the old id.
    expect((await ofA.send('DELETE', `/Users/${made.body.id}`)).status).toBe(204);
    await ofA.send('POST', '/Users', move);
    expect(await memberOf(bea, 'wanda@a.example')).toMatchObject({ name: 'Wanda', role: 'operator' });
    expect((await new Visitor(engine.url).signIn('wanda@a.example')).status).toBe(200);
  });

  it('whom a directory deleted and who works elsewhere now is not taken back by the old id', async () => {
    const made = await ofA.create('left@a.example', { externalId: 'left' });
    await ofA.send('DELETE', `/Users/${made.body.id}`);
    const { rows } = await tables.query('SELECT id FROM app_user WHERE email = $1', ['left@a.example']);
    const organizationId = (await bea.send('GET', '/api/v1/me')).body.organization.id;
    await tables.query(
      `INSERT INTO member (id, organization_id, user_id, role) VALUES (gen_random_uuid(), $1, $2, 'operator')`,
      [organizationId, rows[0]?.id],
    );
    const again = await ofA.send('POST', '/Users', {
      schemas: [USER],
      userName: 'left@a.example',
      externalId: 'left',
      displayName: 'Attacker',
    });
    expect([again.status, again.body.scimType]).toEqual([409, 'uniqueness']);
    expect(await memberOf(bea, 'left@a.example')).toMatchObject({ name: 'left Example', role: 'operator' });
    expect(await memberOf(olga, 'left@a.example')).toBeUndefined();
  });

  it('an administrator of another organisation cannot choose the first password of whom a directory brought in', async () => {
    await ofA.create('fresh@a.example');
    const invited = await bea.send('POST', '/api/v1/invitations', {
      email: 'fresh@a.example',
      role: 'viewer',
    });
    const thief = new Visitor(engine.url);
    const path = `/api/auth/invitations/${invited.body.id}`;
    expect((await thief.send('GET', path)).body.hasAccount).toBe(true);
    expect((await thief.send('POST', path, { name: 'Thief', password: PASSWORD })).status).toBe(401);
    // Nor does an administrator of the same one become more than the invitation gives.
    const fresh = await memberOf(olga, 'fresh@a.example');
    await olga.send('PATCH', `/api/v1/members/${fresh?.userId}`, { role: 'owner' });
    const adam = await member(olga, 'adam@a.example', 'admin');
    const weak = await adam.send('POST', '/api/v1/invitations', { email: 'fresh@a.example', role: 'viewer' });
    const higher = `/api/auth/invitations/${weak.body.id}`;
    expect((await thief.send('POST', higher, { name: 'Thief', password: PASSWORD })).status).toBe(401);
  });

  it('tokens are of one organisation too', async () => {
    const { items } = (await olga.send('GET', '/api/v1/scim-tokens')).body;
    expect(items.map((one: { name: string }) => one.name)).toEqual(['A']);
    expect((await bea.send('DELETE', `/api/v1/scim-tokens/${items[0].id}`)).body.code).toBe(
      'SCIM_TOKEN_NOT_FOUND',
    );
    expect((await ofA.send('GET', '/Users?count=0')).status).toBe(200);
  });

  it('guessing tokens is slow; good tokens are not held up by it', async () => {
    const guess = (n: number) =>
      fetch(`${ofA.url}/Users`, { headers: { authorization: `Bearer scim_guess-${n}` } });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => guess(n)));
    const slow = answers.filter((one) => one.status === 429);
    expect(slow.length).toBeGreaterThan(5);
    expect(slow[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(slow[0]?.headers.get('content-type')).toMatch(/^application\/scim\+json/);
    expect((await ofA.send('GET', '/Users?count=0')).status).toBe(200);
  });

  it('a large group is written at once', { timeout: 240_000 }, async () => {
    const people = 110;
    await tables.query(
      `WITH u AS (INSERT INTO app_user (id, name, email)
         SELECT gen_random_uuid(), 'n' || n, 'n' || n || '@many.example' FROM generate_series(1, $1) n RETURNING id)
       INSERT INTO member (id, organization_id, user_id, role) SELECT gen_random_uuid(), $2, id, 'viewer' FROM u`,
      [people, (await olga.send('GET', '/api/v1/me')).body.organization.id],
    );
    const members: { value: string }[] = [];
    for (let from = 1; from <= people; from += 10) {
      const some = Array.from({ length: 10 }, (_, n) => ofA.create(`n${from + n}@many.example`));
      for (const { status, body } of await Promise.all(some)) {
        expect(status, JSON.stringify(body)).toBe(201);
        members.push({ value: body.id });
      }
    }
    // More than a page of the library: it must neither refuse them nor forget those behind the first hundred.
    const made = await ofA.send('POST', '/Groups', { schemas: [GROUP], displayName: 'Many', members });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const { items } = (await olga.send('GET', '/api/v1/teams')).body;
    expect(items.find((one: { name: string }) => one.name === 'Many').members).toHaveLength(people);
    expect((await ofA.send('GET', `/Groups/${made.body.id}`)).body.members).toHaveLength(people);
    const first = await ofA.send('PUT', `/Groups/${made.body.id}`, {
      schemas: [GROUP],
      displayName: 'Many',
      members: members.slice(0, 1),
    });
    expect(first.body.members).toHaveLength(1);
    const after = (await olga.send('GET', '/api/v1/teams')).body.items;
    expect(after.find((one: { name: string }) => one.name === 'Many').members).toHaveLength(1);
  });
});
