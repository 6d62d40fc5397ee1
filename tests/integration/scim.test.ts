import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { apiKey, firstOwner, member, PASSWORD, Visitor } from '../support/people';
import { connect, Directory, GROUP, USER } from '../support/scim';

/** The examples of RFC 7644 and what Okta and Entra ID really send, over HTTP, at a running instance. */
describe('a directory over SCIM 2.0', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let olga: Visitor;
  let okta: Directory;

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_AUTH: 'required' },
    });
    olga = await firstOwner(engine);
    okta = await connect(olga);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  const members = async (visitor = olga): Promise<{ email: string; role: string; userId: string }[]> =>
    (await visitor.send('GET', '/api/v1/members')).body.items;
  const memberOf = async (email: string, visitor = olga) =>
    (await members(visitor)).find((one) => one.email === email);
  const audited = async (action: string) =>
    (await olga.send('GET', `/api/v1/audit?action=${action}`)).body.items as {
      action: string;
      actorKind: string;
      object: string;
      source: string;
    }[];

  it('creates, reads, finds and lists users, who are viewers from then on', async () => {
    const made = await okta.create('bjensen@example.com', { externalId: 'bjensen' });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    expect(made.headers.get('content-type')).toMatch(/^application\/scim\+json/);
    expect(made.headers.get('location')).toBe(`${okta.url}/Users/${made.body.id}`);
    expect(made.body).toMatchObject({
      schemas: [USER],
      userName: 'bjensen@example.com',
      externalId: 'bjensen',
      active: true,
      name: { givenName: 'bjensen', familyName: 'Example' },
      meta: { resourceType: 'User', location: `${okta.url}/Users/${made.body.id}` },
    });
    expect(await memberOf('bjensen@example.com')).toMatchObject({ role: 'viewer' });

    const read = await okta.send('GET', `/Users/${made.body.id}`);
    expect(read.body).toMatchObject({ id: made.body.id, userName: 'bjensen@example.com' });
    const find = (filter: string) => okta.send('GET', `/Users?filter=${encodeURIComponent(filter)}`);
    expect((await find('userName eq "BJENSEN@example.com"')).body).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
      totalResults: 1,
      Resources: [{ id: made.body.id }],
    });
    expect((await find('externalId eq "bjensen"')).body.totalResults).toBe(1);
    // What Entra ID asks to test the connection.
    expect((await find('userName eq "2f6b0d1c-nobody"')).body).toMatchObject({
      totalResults: 0,
      Resources: [],
    });
    expect((await find('userName co')).status).toBe(400);

    await okta.create('page-two@example.com');
    await okta.create('page-three@example.com');
    const page = await okta.send('GET', '/Users?startIndex=2&count=1');
    expect(page.body).toMatchObject({ totalResults: 3, startIndex: 2, itemsPerPage: 1 });
    expect(page.body.Resources).toMatchObject([{ userName: 'page-two@example.com' }]);
    expect((await audited('scim.user.create'))[0]).toMatchObject({
      actorKind: 'system',
      source: expect.stringContaining('directory Okta'),
    });
  });

  it('refuses a second user of the same name, as RFC 7644 §3.3 says', async () => {
    await okta.create('twice@example.com');
    const again = await okta.create('Twice@Example.com');
    expect(again.status).toBe(409);
    expect(again.headers.get('content-type')).toMatch(/^application\/scim\+json/);
    expect(again.body).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '409',
      scimType: 'uniqueness',
    });
  });

  it.each([
    ['Okta', { op: 'replace', value: { active: false } }, { op: 'replace', value: { active: true } }],
    [
      'Entra ID',
      { op: 'Replace', path: 'active', value: 'False' },
      { op: 'Replace', path: 'active', value: 'True' },
    ],
  ])(
    'active: false in the form of %s ends the membership, sessions and keys; true brings back',
    async (who, off, on) => {
      const email = `${who.split(' ')[0]?.toLowerCase()}@example.com`;
      const vera = await member(olga, email, 'operator');
      const key = await apiKey(vera);
      const asKey = { authorization: `Bearer ${key}` };
      const made = await okta.create(email);
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      // Who is a member already keeps the role.
      expect(await memberOf(email)).toMatchObject({ role: 'operator' });

      const out = await okta.patch(`/Users/${made.body.id}`, off);
      expect(out.status, JSON.stringify(out.body)).toBe(200);
      expect(out.body.active).toBe(false);
      expect(await memberOf(email)).toBeUndefined();
      expect((await vera.send('GET', '/api/v1/me')).status).toBe(401);
      expect((await new Visitor(engine.url).send('GET', '/api/v1/me', undefined, asKey)).status).toBe(401);

      const back = await okta.patch(`/Users/${made.body.id}`, on);
      expect(back.body.active).toBe(true);
      expect(await memberOf(email)).toMatchObject({ role: 'viewer' });
      // The key from before stays dead.
      expect((await new Visitor(engine.url).send('GET', '/api/v1/me', undefined, asKey)).status).toBe(401);
    },
  );

  it('replaces with PUT, and deletes', async () => {
    const { body } = await okta.create('replace@example.com');
    const put = await okta.send('PUT', `/Users/${body.id}`, {
      schemas: [USER],
      userName: 'replaced@example.com',
      name: { formatted: 'Re Placed' },
      emails: [{ value: 'replaced@example.com', primary: true }],
    });
    expect(put.status, JSON.stringify(put.body)).toBe(200);
    expect(put.body).toMatchObject({ userName: 'replaced@example.com', active: true });
    expect(await memberOf('replaced@example.com')).toMatchObject({ name: 'Re Placed' });

    expect((await okta.send('DELETE', `/Users/${body.id}`)).status).toBe(204);
    expect(await memberOf('replaced@example.com')).toBeUndefined();
    const gone = await okta.send('GET', `/Users/${body.id}`);
    expect([gone.status, gone.body.status]).toEqual([404, '404']);
    expect((await okta.send('DELETE', `/Users/${body.id}`)).status).toBe(404);
    expect((await audited('scim.user.delete'))[0]).toMatchObject({ object: body.id });
    // Made again it is the same person, not a quarrel about the address.
    expect((await okta.create('replaced@example.com')).status).toBe(201);
  });

  it('the last owner who can sign in stays; nobody is removed by a token that is weaker than they are', async () => {
    const made = await okta.create('olga@example.com');
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    const off = { op: 'replace', path: 'active', value: false };
    expect((await okta.patch(`/Users/${made.body.id}`, off)).status).toBe(409);
    expect((await okta.send('DELETE', `/Users/${made.body.id}`)).status).toBe(409);
    expect((await okta.send('GET', `/Users/${made.body.id}`)).body.active).toBe(true);
    expect((await olga.send('GET', '/api/v1/me')).body.role).toBe('owner');

    const oscar = await member(olga, 'oscar@example.com', 'owner');
    const adam = await member(olga, 'adam@example.com', 'admin');
    const weaker = await connect(adam, 'of an admin');
    const second = await okta.create('oscar@example.com');
    expect((await weaker.patch(`/Users/${second.body.id}`, off)).status).toBe(403);
    expect((await oscar.send('GET', '/api/v1/me')).body.role).toBe('owner');
    expect((await okta.patch(`/Users/${second.body.id}`, off)).status).toBe(200);
    expect((await oscar.send('GET', '/api/v1/me')).status).toBe(401);
  });

  it('groups are teams: members, a new name, an end', async () => {
    const [ann, ben] = await Promise.all([okta.create('ann@example.com'), okta.create('ben@example.com')]);
    const teams = async () => (await olga.send('GET', '/api/v1/teams')).body.items;
    const emails = async (name: string) =>
      (await teams())
        .find((one: { name: string }) => one.name === name)
        ?.members.map((one: { email: string }) => one.email);
    const made = await okta.send('POST', '/Groups', {
      // Entra ID sends its old marker too.
      schemas: [GROUP, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
      displayName: 'Payments',
      externalId: 'g-1',
      members: [{ value: ann.body.id }],
    });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    expect(await emails('Payments')).toEqual(['ann@example.com']);
    const path = `/Groups/${made.body.id}`;

    const add = { op: 'Add', path: 'members', value: [{ value: ben.body.id }] };
    expect((await okta.patch(path, add)).status).toBeLessThan(300);
    expect(await emails('Payments')).toEqual(['ann@example.com', 'ben@example.com']);
    // Who is not a member for a while comes back into the team.
    const switchBen = (active: boolean) =>
      okta.patch(`/Users/${ben.body.id}`, { op: 'replace', value: { active } });
    await switchBen(false);
    expect(await emails('Payments')).toEqual(['ann@example.com']);
    await switchBen(true);
    expect(await emails('Payments')).toEqual(['ann@example.com', 'ben@example.com']);
    const remove = { op: 'Remove', path: `members[value eq "${ann.body.id}"]` };
    expect((await okta.patch(path, remove)).status).toBeLessThan(300);
    expect(await emails('Payments')).toEqual(['ben@example.com']);

    // A name that people here have taken stays theirs; the team of the directory is changed in the directory only.
    await olga.send('POST', '/api/v1/teams', { name: 'Billing' });
    await okta.patch(path, { op: 'replace', value: { displayName: 'Billing' } });
    expect((await teams()).map((one: { name: string }) => one.name)).toEqual([
      'Billing',
      `Billing (${made.body.id.slice(0, 8)})`,
    ]);
    const team = (await teams())[1];
    expect(team.fromDirectory).toBe(true);
    const rename = await olga.send('PATCH', `/api/v1/teams/${team.id}`, { name: 'Mine' });
    expect(rename.body).toMatchObject({ status: 409, code: 'TEAM_FROM_DIRECTORY' });
    const list = await okta.send('GET', `/Groups?filter=${encodeURIComponent('displayName eq "billing"')}`);
    expect(list.body.totalResults).toBe(1);

    expect((await okta.send('DELETE', path)).status).toBe(204);
    expect((await teams()).map((one: { name: string }) => one.name)).toEqual(['Billing']);
    expect((await audited('scim.group.')).map((one) => one.action)).toContain('scim.group.delete');
  });

  it('says truthfully what it can', async () => {
    const config = await okta.send('GET', '/ServiceProviderConfig');
    expect(config.body).toMatchObject({
      patch: { supported: true },
      bulk: { supported: false },
      filter: { supported: true },
      sort: { supported: false },
      etag: { supported: false },
    });
    const types = await okta.send('GET', '/ResourceTypes');
    expect(types.body.Resources.map((one: { id: string }) => one.id).sort()).toEqual(['Group', 'User']);
    const schemas = await okta.send('GET', '/Schemas');
    expect(schemas.body.Resources.map((one: { id: string }) => one.id)).toContain(USER);
  });

  it('lets in nobody without a token, whose token has ended, or with another kind of key', async () => {
    const refused = async (token: string) => {
      const answer = await new Directory(okta.url, token).send('GET', '/Users');
      expect(answer.status).toBe(401);
      expect(answer.headers.get('content-type')).toMatch(/^application\/scim\+json/);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(answer.body.status).toBe('401');
    };
    await refused('scim_nothing-of-the-kind');
    await refused(await apiKey(olga));
    const short = await connect(olga, 'short');
    expect((await short.send('GET', '/Users?count=0')).status).toBe(200);
    const { items } = (await olga.send('GET', '/api/v1/scim-tokens')).body;
    const { id } = items.find((one: { name: string }) => one.name === 'short');
    expect(JSON.stringify(items)).not.toContain(short.token);
    expect((await olga.send('DELETE', `/api/v1/scim-tokens/${id}`)).status).toBe(204);
    await refused(short.token);
    // A session is not a token: no page of a browser can speak SCIM.
    expect((await olga.send('GET', '/api/auth/scim/v2/Users')).status).toBe(401);
    // And a SCIM token is no key of the API.
    const asKey = { authorization: `Bearer ${okta.token}` };
    expect((await new Visitor(engine.url).send('GET', '/api/v1/me', undefined, asKey)).status).toBe(401);
    const admins = await member(olga, 'viewer@example.com', 'viewer');
    expect((await admins.send('POST', '/api/v1/scim-tokens', { name: 'mine' })).status).toBe(403);
  });

  it('keeps to limits: the size of a body, its type, foreign hosts; other endpoints of the library stay shut', async () => {
    const large = await okta.send('POST', '/Users', { schemas: [USER], userName: 'x'.repeat(600_000) });
    expect(large.status).toBe(413);
    const text = await okta.send('POST', '/Users', '{}', { 'content-type': 'text/plain' });
    expect(text.status).toBe(415);
    const broken = await okta.send('POST', '/Users', '{', {});
    expect([broken.status, broken.body.scimType]).toEqual([400, 'invalidSyntax']);
    expect((await okta.create('no-address', { emails: [] })).body.scimType).toBe('invalidValue');
    expect((await okta.send('GET', '/Me')).status).toBe(404);
    expect((await okta.send('POST', '/Bulk', {})).status).toBe(404);
    for (const path of ['generate-token', 'management/connections', 'connections'])
      expect((await olga.send('POST', `/api/auth/scim/${path}`, {})).status, path).toBe(404);
  });

  it('a NUL character is refused, not an error of ours, here and at sign-in', async () => {
    const NUL = 'a\u0000b';
    const { status, body } = await okta.create('nul@example.com', { displayName: NUL });
    expect([status, body.detail]).toEqual([400, '/displayName: the text holds a NUL character.']);
    expect((await okta.send('GET', '/Users/a%00b')).status).toBe(400);
    for (const [path, sent] of [
      ['organization/create', { name: NUL, slug: 'nul' }],
      ['organization/set-active', { organizationId: NUL }],
      ['revoke-session', { token: NUL }],
      ['sign-in/sso', { email: NUL, providerId: 'x', callbackURL: '/' }],
    ] as const) {
      const answer = await olga.send('POST', `/api/auth/${path}`, sent);
      expect([answer.status, answer.body.code], path).toEqual([400, 'INVALID_INPUT']);
    }
    const asked = await olga.send('GET', '/api/auth/oauth2/authorize?client_id=a%00b&response_type=code');
    expect(asked.status).toBe(400);
  });

  it('whom the directory brought in chooses a password by an invitation, once, and only of their own organisation', async () => {
    await okta.create('nina@example.com', { displayName: 'Nina New' });
    const invited = await olga.send('POST', '/api/v1/invitations', {
      email: 'nina@example.com',
      role: 'viewer',
    });
    const path = `/api/auth/invitations/${invited.body.id}`;
    const nina = new Visitor(engine.url);
    expect((await nina.send('GET', path)).body.hasAccount).toBe(false);
    const chosen = await nina.send('POST', path, { name: 'ignored', password: PASSWORD });
    expect(chosen.status, JSON.stringify(chosen.body)).toBe(201);
    expect((await nina.send('GET', '/api/v1/me')).body).toMatchObject({ name: 'Nina New', role: 'viewer' });
    expect((await new Visitor(engine.url).signIn('nina@example.com')).status).toBe(200);
    const again = await olga.send('POST', '/api/v1/invitations', {
      email: 'nina@example.com',
      role: 'viewer',
    });
    const thief = new Visitor(engine.url);
    const stolen = await thief.send('POST', `/api/auth/invitations/${again.body.id}`, {
      name: 'Thief',
      password: 'another password of a thief',
    });
    expect(stolen.status).toBe(401);
  });

  it('two owners who are taken out at the same moment are not both gone', async () => {
    await member(olga, 'odette@example.com', 'owner');
    const find = async (email: string) => {
      const filter = encodeURIComponent(`userName eq "${email}"`);
      const { Resources } = (await okta.send('GET', `/Users?filter=${filter}`)).body;
      return (Resources[0]?.id ?? (await okta.create(email)).body.id) as string;
    };
    const off = { op: 'replace', path: 'active', value: false };
    const ids = await Promise.all(['olga@example.com', 'odette@example.com'].map(find));
    const answers = await Promise.all(ids.map((id) => okta.patch(`/Users/${id}`, off)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const still = await Promise.all(
      ids.map(async (id) => (await okta.send('GET', `/Users/${id}`)).body.active),
    );
    expect(still.sort()).toEqual([false, true]);
  });
});
