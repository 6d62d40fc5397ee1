import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIdentityStore } from '@/server/adapters/postgres/identity-store';
import { runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { apiKey, firstOwner, member, type Visitor } from '../support/people';
import { Directory } from '../support/scim';

describe('teams, over REST and from the command line', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let pool: pg.Pool;
  let folder: string;
  let olga: Visitor;
  let vera: Visitor;
  let key: string;
  const oc = (line: string[]) =>
    runCliProcess(line, { url: engine.url, cwd: folder, env: { OPENCONDUCTOR_API_KEY: key } });
  const idOf = async (visitor: Visitor): Promise<string> => (await visitor.send('GET', '/api/v1/me')).body.id;
  const organizationOf = async (visitor: Visitor): Promise<string> =>
    (await visitor.send('GET', '/api/v1/me')).body.organization.id;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oc-teams-'));
    database = await createTestDatabase();
    pool = new pg.Pool({ connectionString: database.url('oc_auth'), max: 2 });
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_AUTH: 'required' },
    });
    olga = await firstOwner(engine);
    vera = await member(olga, 'vera@example.com', 'viewer');
    key = await apiKey(olga);
  });
  afterAll(async () => {
    await pool.end();
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('a team from its making to its end; every write is in the audit log', async () => {
    const made = await olga.send('POST', '/api/v1/teams', { name: '  Platform ' });
    expect(made.body).toMatchObject({ name: 'Platform', fromDirectory: false, members: [] });
    const path = `/api/v1/teams/${made.body.id}`;
    const userId = await idOf(vera);
    for (let times = 0; times < 2; times++) {
      const added = await olga.send('PUT', `${path}/members/${userId}`);
      expect(added.body.members).toEqual([{ userId, name: 'vera', email: 'vera@example.com' }]);
    }
    expect(await createIdentityStore(pool).teamsOf(await organizationOf(olga), userId)).toEqual([
      made.body.id,
    ]);
    expect((await olga.send('PATCH', path, { name: 'platform' })).body.name).toBe('platform');
    await olga.send('POST', '/api/v1/teams', { name: 'Second' });
    expect((await olga.send('PATCH', path, { name: 'SECOND' })).body.code).toBe('TEAM_EXISTS');
    // Members see teams, and change none.
    expect((await vera.send('GET', '/api/v1/teams')).body.items).toHaveLength(2);
    expect((await vera.send('DELETE', path)).status).toBe(403);
    expect((await olga.send('DELETE', `${path}/members/${userId}`)).status).toBe(204);
    expect((await olga.send('DELETE', path)).status).toBe(204);
    expect((await olga.send('PATCH', path, { name: 'late' })).body.code).toBe('TEAM_NOT_FOUND');
    const { items } = (await olga.send('GET', '/api/v1/audit?action=team.')).body;
    expect(items.map((one: { action: string }) => one.action).reverse()).toEqual([
      'team.create',
      'team.member.add',
      'team.member.add',
      'team.rename',
      'team.create',
      'team.member.remove',
      'team.remove',
    ]);
  });

  it('who leaves the organisation leaves its teams, and comes back into none', async () => {
    const tom = await member(olga, 'tom@example.com', 'operator');
    const userId = await idOf(tom);
    const { id } = (await olga.send('POST', '/api/v1/teams', { name: 'Night' })).body;
    await olga.send('PUT', `/api/v1/teams/${id}/members/${userId}`);
    const organizationId = await organizationOf(olga);
    expect((await olga.send('DELETE', `/api/v1/members/${userId}`)).status).toBe(204);
    const store = createIdentityStore(pool);
    expect(await store.teamsOf(organizationId, userId)).toEqual([]);
    expect((await olga.send('PUT', `/api/v1/teams/${id}/members/${userId}`)).body.code).toBe(
      'MEMBER_NOT_FOUND',
    );
    await store.addMember(organizationId, userId, 'viewer');
    expect(await store.teamsOf(organizationId, userId)).toEqual([]);
  });

  it('another organisation has its own teams, of the same names, and reaches none of these', async () => {
    const bea = await member(olga, 'bea@example.com', 'viewer');
    const userId = await idOf(bea);
    const other = await bea.send('POST', '/api/auth/organization/create', { name: 'Bee', slug: 'bee' });
    await bea.send('POST', '/api/auth/organization/set-active', { organizationId: other.body.id });
    const { id } = (await olga.send('POST', '/api/v1/teams', { name: 'Shared name' })).body;
    expect((await bea.send('POST', '/api/v1/teams', { name: 'Shared name' })).status).toBe(201);
    expect((await bea.send('GET', '/api/v1/teams')).body.items).toHaveLength(1);
    const path = `/api/v1/teams/${id}`;
    expect((await bea.send('PATCH', path, { name: 'mine' })).body.code).toBe('TEAM_NOT_FOUND');
    expect((await bea.send('PUT', `${path}/members/${userId}`)).body.code).toBe('TEAM_NOT_FOUND');
    expect((await bea.send('DELETE', path)).body.code).toBe('TEAM_NOT_FOUND');
    // Nor does a foreigner get into a team: Vera belongs to the first organisation alone.
    const own = (await bea.send('GET', '/api/v1/teams')).body.items[0];
    const into = await bea.send('PUT', `/api/v1/teams/${own.id}/members/${await idOf(vera)}`);
    expect(into.body.code).toBe('MEMBER_NOT_FOUND');
  });

  it('the command line works by names and addresses', async () => {
    const made = await oc(['team', 'create', 'Payments']);
    expect([made.err, made.out, made.code]).toEqual(['', expect.stringContaining('Made Payments'), 0]);
    expect((await oc(['team', 'add', 'payments', 'VERA@example.com'])).out).toContain('is in payments');
    expect((await oc(['team', 'rename', 'Payments', 'Billing'])).code).toBe(0);
    expect((await oc(['team', 'list'])).out).toMatch(/Billing +no +vera@example\.com/);
    expect((await oc(['team', 'remove', 'Billing', 'vera@example.com'])).code).toBe(0);
    expect((await oc(['team', 'rm', 'Billing', '--yes'])).code).toBe(0);
    const none = await oc(['team', 'add', 'Billing', 'vera@example.com', '--json']);
    expect(JSON.parse(none.err)).toMatchObject({ error: { code: 'TEAM_NOT_FOUND' } });
  });

  it('tokens of directories are made, listed and ended from the command line', async () => {
    const made = await oc(['scim', 'token', 'Okta', '--days', '30', '-o', 'json']);
    const { url, token, id } = made.json() as { url: string; token: string; id: string };
    const directory = new Directory(url, token);
    expect((await directory.send('GET', '/Users')).status).toBe(200);
    const listed = await oc(['scim', 'list']);
    expect(listed.out).toMatch(new RegExp(`${token.slice(0, 9)}… +Okta +Olga Owner`));
    expect(listed.out).not.toContain(token);
    expect((await oc(['scim', 'rm', id, '--yes'])).code).toBe(0);
    expect((await directory.send('GET', '/Users')).status).toBe(401);
    expect((await oc(['scim', 'list'])).out).not.toContain('Okta');
  });
});
