import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

const fixture = (name: string) => resolve(import.meta.dirname, '../fixtures/mcp-servers', name);

describe('openconductor server, secret and run answer', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let folder: string;
  const oc = (line: string[], input?: string) =>
    runCliProcess(line, { url: engine.url, cwd: folder, ...(input === undefined ? {} : { input }) });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oc-fleet-cli-'));
    database = await createTestDatabase();
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: {} });
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('a server from its adding to its removal', async () => {
    const added = await oc(['server', 'add', 'mine', '--command', `node ${fixture('env-server.mjs')}`]);
    expect([added.err, added.code]).toEqual(['', 0]);
    expect(added.out).toContain('✓ Added mine');
    const edited = await oc(['server', 'edit', 'mine', '--config', '{"env":{"KEY":"${secret:KEY}"}}']);
    expect(edited.out).toContain('The secret KEY is not set');
    const lacking = await oc(['server', 'test', 'mine']);
    expect([lacking.code, lacking.out]).toEqual([1, expect.stringContaining('NEEDS_AUTH')]);

    expect((await oc(['secret', 'set', 'KEY'], 'hunter2\n')).out).toContain('✓ Set KEY');
    const listed = await oc(['secret', 'list', '--output', 'json']);
    expect(listed.json()).toMatchObject([{ name: 'KEY' }]);
    expect(listed.out).not.toContain('hunter2');
    expect((await oc(['server', 'test', 'mine'])).out).toContain('mine is OPEN');
    const call = await oc(['server', 'call', 'mine', 'tell', '--input', '{"name":"KEY"}']);
    expect(call.out.split('\n')[0]).toBe('•••');
    const input = '{"name":"KEY","backwards":true}';
    const backwards = await oc(['server', 'call', 'mine', 'tell', '--input', input]);
    expect(backwards.out.split('\n')[0]).toBe('2retnuh');
    expect((await oc(['server', 'logs', 'mine'])).out).toContain('started with nothing');

    const shown = await oc(['server', 'edit', 'mine', '--output', 'json']);
    expect(shown.json()).toMatchObject({ config: { command: 'node', env: { KEY: '${secret:KEY}' } } });
    const changed = { env: { DESCRIPTION: 'Quite another.' }, toolChanges: 'block' };
    expect((await oc(['server', 'edit', 'mine', '--config', JSON.stringify(changed)])).code).toBe(0);
    expect((await oc(['server', 'tools', 'mine'])).out).toMatch(/tell +changed, blocked .*Quite another/);
    const refused = await oc(['server', 'call', 'mine', 'tell']);
    expect([refused.code, refused.err]).toEqual([
      expect.any(Number),
      expect.stringContaining('TOOL_BLOCKED'),
    ]);
    expect(refused.code).not.toBe(0);
    expect((await oc(['server', 'accept', 'mine', 'tell', '--yes'])).out).toMatch(/tell +accepted/);
    expect((await oc(['server', 'call', 'mine', 'tell'])).code).toBe(0);
    expect((await oc(['server', 'events', 'mine'])).out).toContain('tools-changed');

    expect((await oc(['server', 'remove', 'mine', '--yes'])).out).toContain('✓ Removed mine');
    expect((await oc(['server', 'test', 'mine'])).err).toContain('SERVER_NOT_FOUND');
    expect((await oc(['secret', 'remove', 'KEY', '--yes'])).out).toContain('✓ Removed KEY');
  });

  it('secrets of one’s own are apart from those of the organisation', async () => {
    expect((await oc(['secret', 'set', 'MINE', '--personal'], 'hush')).code).toBe(0);
    const mine = await oc(['secret', 'list', '--personal', '--json']);
    expect(mine.out).toContain('MINE');
    expect((await oc(['secret', 'list', '--json'])).out).not.toContain('MINE');
    expect((await oc(['secret', 'remove', 'MINE', '--personal', '--yes'])).code).toBe(0);
    expect((await oc(['secret', 'remove', 'MINE', '--personal', '--yes'])).err).toContain('SECRET_NOT_FOUND');
  });

  it('takes over a file, and says what it could not', async () => {
    const servers = {
      notes: { command: 'node', args: [fixture('env-server.mjs')], env: { NOTES_TOKEN: 'abc' } },
      shell: { command: 'bash' },
    };
    await writeFile(join(folder, 'mcp.json'), JSON.stringify({ servers }));
    const taken = await oc(['server', 'import', 'mcp.json']);
    expect(taken.code).toBe(1);
    expect(taken.out).toMatch(/✓ Added +notes/);
    expect(taken.out).toMatch(/✓ Stored the secret +NOTES_NOTES_TOKEN/);
    expect(taken.out).toMatch(/⚠ \/shell +The command bash is not on the list/);
  });

  it('answers what a server asks', async () => {
    await oc(['server', 'add', 'modern', '--command', `node ${fixture('modern-server.mjs')} stdio`]);
    const node = {
      id: 'go',
      kind: 'mcp-server',
      server: 'modern',
      tool: 'deploy',
      arguments: { env: 'prod' },
    };
    await writeFile(
      join(folder, 'asks.json'),
      JSON.stringify({ schemaVersion: 1, name: 'asks', nodes: [node] }),
    );
    expect((await oc(['workflow', 'register', 'asks.json'])).code).toBe(0);
    const { body } = await engine.request('POST', '/api/v1/runs', { workflow: 'asks' });
    await eventually('the task', async () =>
      (await oc(['task', 'list', '--kind', 'input'])).out.includes(body.runId),
    );
    const wrong = await oc(['run', 'answer', body.runId, '--content', '{"confirm":3}']);
    expect(wrong.err).toContain('INVALID_INPUT');
    const answered = await oc(['run', 'answer', body.runId, '--content', '{"confirm":true}']);
    expect([answered.err, answered.code]).toEqual(['', 0]);
    const watched = await oc(['run', 'watch', body.runId]);
    expect(watched.code).toBe(0);
    expect((await oc(['run', 'answer', body.runId, '--decline'])).err).toContain('RUN_CLOSED');
  });
});
