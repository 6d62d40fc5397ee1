import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { plainWorkflow } from './rest-cases/definitions';

/** Sharing from the command line, against a real process. */
describe.each(['workflow', 'view'])('openconductor %s share', (kind) => {
  let database: TestDatabase;
  let engine: EngineProcess;
  const oc = (...line: string[]) => runCliProcess(line, { url: engine.url });
  const sharing = async () => JSON.parse((await oc(kind, 'sharing', 'lent', '--json')).out);

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
    await engine.request('POST', '/api/v1/workflows', plainWorkflow('lent'));
    await engine.request('POST', '/api/v1/views', { name: 'lent', shared: true, filters: {} });
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  it('restricts, shares, raises and takes away, each with the state it leads to', async () => {
    expect((await sharing()).restricted).toBe(false);
    const restricted = await oc(kind, 'restrict', 'lent');
    expect(restricted.code, restricted.err).toBe(0);
    expect(restricted.out).toContain('Only its creator and administrators reach it.');
    const shared = await oc(kind, 'share', 'lent', '--with', 'everyone,user:owner@localhost');
    expect(shared.code, shared.err).toBe(0);
    expect(shared.out).toMatch(/everyone +read/);
    await oc(kind, 'share', 'lent', '--with', 'USER:owner@localhost', '--level', 'admin');
    const raised = await oc(kind, 'share', 'lent', '--with', 'user:owner@localhost', '--level', 'admin');
    expect(raised.out).toMatch(/owner@localhost +admin/);
    const taken = await oc(kind, 'unshare', 'lent', '--with', 'everyone');
    expect(taken.code, taken.err).toBe(0);
    const open = await oc(kind, 'unrestrict', 'lent');
    expect(open.out).toContain('not restricted');
    const now = await sharing();
    expect(now).toMatchObject({ kind, restricted: false, version: 5 });
    expect(now.shares).toEqual([
      { subject: expect.stringMatching(/^user:/), name: 'owner@localhost', level: 'admin' },
    ]);
  });

  it('says what is wrong: nobody named, nobody there, not shared', async () => {
    const nobody = await oc(kind, 'share', 'lent');
    expect(nobody.code).toBe(2);
    expect(nobody.err).toContain('--with');
    const stranger = await oc(kind, 'share', 'lent', '--with', 'user:stranger@example.com');
    expect(stranger.code).not.toBe(0);
    expect(stranger.err).toContain('There is no member "stranger@example.com"');
    const never = await oc(kind, 'unshare', 'lent', '--with', 'team:ops');
    expect(never.err).toContain('It is not shared with team:ops');
    const missing = await oc(kind, 'sharing', 'nope');
    expect(missing.err).toContain('_NOT_FOUND');
  });
});
