import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen } from '../fixtures/mcp-servers/modern-server.mjs';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { firstOwner, member, Visitor } from '../support/people';

const fixture = resolve(import.meta.dirname, '../fixtures/mcp-servers/credential-server.mjs');
const digestOf = (token: string) => createHash('sha256').update(token).digest('hex');

/** Persons with tokens of their own at upstream servers: two real processes on one database, real servers. */
describe('secrets of persons', () => {
  let database: TestDatabase;
  let sql: pg.Client;
  let remote: Awaited<ReturnType<typeof listen>>;
  const processes: EngineProcess[] = [];
  let olga: Visitor;
  let ann: Visitor;
  let bob: Visitor;
  let annThere: Visitor;

  const must = async (visitor: Visitor, method: string, path: string, body?: unknown) => {
    const answer = await visitor.send(method, `/api/v1${path}`, body);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return answer.body;
  };
  const setMine = (visitor: Visitor, name: string, value: string) =>
    must(visitor, 'PUT', `/me/secrets/${name}`, { value });
  const ended = (visitor: Visitor, runId: string) =>
    eventually('the run has ended', async () => {
      const run = await must(visitor, 'GET', `/runs/${runId}`);
      return ['completed', 'failed'].includes(run.status) && run;
    });
  const runAs = async (visitor: Visitor, workflow: string) => {
    const { runId } = await must(visitor, 'POST', '/runs', { workflow });
    return ended(visitor, runId);
  };
  /** What the stdio server said in a run. */
  const said = (run: { status: string; output?: unknown }) => {
    expect(run.status, JSON.stringify(run)).toBe('completed');
    const found = /\{\\*"digest\\*":\\*"([0-9a-f]{64})\\*",\\*"pid\\*":(\d+)\}/.exec(
      JSON.stringify(run.output),
    );
    if (!found) throw new Error(JSON.stringify(run));
    return { digest: found[1], pid: Number(found[2]) };
  };
  const call = (visitor: Visitor, server: string, tool = 'whoami', args = {}) =>
    visitor.send('POST', `/api/v1/servers/${server}/call`, { tool, arguments: args });

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
    remote = await listen();
    const env = {
      OPENCONDUCTOR_AUTH: 'required',
      OPENCONDUCTOR_NETWORKS: 'public,loopback',
      OPENCONDUCTOR_PROBE_INTERVAL_MS: '0',
      // The tests ask for the state of a run a hundred times a second.
      OPENCONDUCTOR_RATE_LIMIT: '0',
      OPENCONDUCTOR_SECRET_KEY: 'a secret key that both of them have in common',
    };
    for (let count = 0; count < 2; count++)
      processes.push(await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {}, env }));
    const [first, second] = processes as [EngineProcess, EngineProcess];
    // Only the newest link counts.
    olga = await firstOwner(second);
    ann = await member(olga, 'ann@example.com', 'operator');
    bob = await member(olga, 'bob@example.com', 'operator');
    annThere = new Visitor(first.url);
    annThere.cookies = ann.cookies;

    const stdio = { type: 'stdio', command: 'node', args: [fixture], env: { TOKEN: '${secret:TOKEN}' } };
    const http = { type: 'streamable-http', url: remote.url, headers: { 'x-token': '${secret:TOKEN}' } };
    for (const [name, config] of [
      ['own', { ...stdio, credentials: 'user' }],
      ['either', { ...stdio, credentials: 'user-or-organization' }],
      ['shared', stdio],
      ['remote', { ...http, credentials: 'user' }],
    ] as const)
      await must(olga, 'POST', '/servers', { name, config });
    const workflow = (name: string, server: string, tool: string, args = {}) => ({
      schemaVersion: 1,
      name,
      nodes: [{ id: 'ask', kind: 'mcp-server', server, tool, arguments: args }],
      edges: [],
    });
    for (const server of ['own', 'either', 'shared'])
      await must(olga, 'POST', '/workflows', workflow(`who-${server}`, server, 'whoami'));
    await must(olga, 'POST', '/workflows', workflow('who-remote', 'remote', 'echo', { value: 'hi' }));
    await must(olga, 'POST', '/workflows', {
      schemaVersion: 1,
      name: 'parent',
      nodes: [{ id: 'sub', kind: 'subworkflow', workflow: 'who-own' }],
      edges: [],
    });
    await must(olga, 'PUT', '/secrets/TOKEN', { value: 'the token of all' });
    await setMine(ann, 'TOKEN', 'the token of Ann');
    await setMine(bob, 'TOKEN', 'the token of Bob');
  });
  afterAll(async () => {
    for (const engine of processes) {
      await engine.end('SIGTERM');
      await engine.removeData();
    }
    await sql.end();
    await remote.close();
    await database.drop();
  });

  it('are listed by name to their owner only, and never by value', async () => {
    const mine = await must(ann, 'GET', '/me/secrets');
    expect(mine.items).toEqual([expect.objectContaining({ name: 'TOKEN' })]);
    expect(JSON.stringify(mine)).not.toContain('token of');
    expect((await must(olga, 'GET', '/me/secrets')).items).toEqual([]);
    const viewer = await member(olga, 'vera@example.com', 'viewer');
    expect((await viewer.send('GET', '/api/v1/me/secrets')).body).toMatchObject({ code: 'FORBIDDEN' });
    const audit = await must(olga, 'GET', '/audit?limit=200');
    const entries = audit.items.filter((entry: { action: string }) => entry.action === 'secret.set-personal');
    expect(entries).toHaveLength(2);
    expect(JSON.stringify(audit)).not.toContain('token of');
    const { rows } = await sql.query<{ sealed: Buffer }>('SELECT sealed FROM personal_secret');
    for (const { sealed } of rows) expect(sealed.toString('latin1')).not.toContain('token of');
  });

  it('Ann’s run reaches a stdio server with Ann’s token, Bob’s with Bob’s, over processes of their own', async () => {
    const [hers, his] = [said(await runAs(ann, 'who-own')), said(await runAs(bob, 'who-own'))];
    expect([hers.digest, his.digest]).toEqual([digestOf('the token of Ann'), digestOf('the token of Bob')]);
    expect(hers.pid).not.toBe(his.pid);
    expect(said(await runAs(ann, 'parent')).digest).toBe(hers.digest);
    // Without `credentials` everybody has the organisation's, over the same connection.
    expect(said(await runAs(ann, 'who-shared')).digest).toBe(digestOf('the token of all'));
  });

  it('the same over Streamable HTTP: no request carries another’s token', async () => {
    remote.seen.length = 0;
    for (const visitor of [ann, bob]) expect((await runAs(visitor, 'who-remote')).status).toBe('completed');
    const tokens = remote.seen.map(({ headers }) => headers['x-token']);
    expect(new Set(tokens)).toEqual(new Set(['the token of Ann', 'the token of Bob']));
    // Each has found the server and its tools out for itself.
    for (const token of new Set(tokens))
      expect(tokens.filter((one) => one === token).length).toBeGreaterThan(1);
    const before = remote.seen.length;
    await runAs(ann, 'who-remote');
    expect(new Set(remote.seen.slice(before).map(({ headers }) => headers['x-token']))).toEqual(
      new Set(['the token of Ann']),
    );
  });

  it('a schedule runs with what its maker has, whoever sets it off', async () => {
    await must(ann, 'POST', '/schedules', { name: 'nightly', workflow: 'who-own', cron: '0 3 1 1 *' });
    await must(bob, 'POST', '/schedules/nightly/trigger', {});
    const run = await eventually('it has run', async () => {
      const { items } = await must(bob, 'GET', '/runs?workflow=who-own');
      for (const { runId } of items) {
        const found = await must(bob, 'GET', `/runs/${runId}`);
        if (found.startedBy === 'schedule:nightly' && found.status === 'completed') return found;
      }
      return null;
    });
    expect(said(run).digest).toBe(digestOf('the token of Ann'));
  });

  it('who has none is told what to do; the organisation’s is taken only where the configuration says so', async () => {
    const run = await runAs(olga, 'who-own');
    expect(run.status).toBe('failed');
    expect(JSON.stringify(run)).toContain('PERSONAL_SECRET_MISSING');
    const direct = await call(olga, 'own');
    expect(direct.status).toBe(409);
    expect(direct.body).toMatchObject({ code: 'PERSONAL_SECRET_MISSING' });
    expect(direct.body.next).toContain('secret set NAME --personal');
    expect(said(await runAs(olga, 'who-either')).digest).toBe(digestOf('the token of all'));
    expect(said(await runAs(ann, 'who-either')).digest).toBe(digestOf('the token of Ann'));
  });

  it('a new value, and a removal, count for the next call, also in another process', async () => {
    const digest = async (visitor: Visitor) =>
      JSON.parse((await call(visitor, 'own')).body.content[0].text).digest;
    expect(await digest(annThere)).toBe(digestOf('the token of Ann'));
    await setMine(ann, 'TOKEN', 'a new token of Ann');
    expect(await digest(annThere)).toBe(digestOf('a new token of Ann'));
    expect(await digest(ann)).toBe(digestOf('a new token of Ann'));
    expect((await ann.send('DELETE', '/api/v1/me/secrets/TOKEN')).status).toBe(204);
    for (const visitor of [ann, annThere])
      expect((await call(visitor, 'own')).body).toMatchObject({ code: 'PERSONAL_SECRET_MISSING' });
    expect((await ann.send('DELETE', '/api/v1/me/secrets/TOKEN')).body).toMatchObject({
      code: 'SECRET_NOT_FOUND',
    });
    expect(await digest(bob)).toBe(digestOf('the token of Bob'));
  });

  it('who is removed leaves nothing behind, and comes back with nothing', async () => {
    const { id, organization } = await must(bob, 'GET', '/me');
    await sql.query(
      `INSERT INTO oauth_record (organization_id, server, subject, sealed) VALUES ($1, 'remote', $2, '\\x00')`,
      [organization.id, id],
    );
    expect((await olga.send('DELETE', `/api/v1/members/${id}`)).status).toBe(204);
    const left = await sql.query(
      'SELECT user_id::text FROM personal_secret WHERE user_id = $1 UNION ALL SELECT subject FROM oauth_record WHERE subject = $1::text',
      [id],
    );
    expect(left.rows).toEqual([]);
  });
});
