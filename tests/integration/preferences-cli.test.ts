import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Schema } from '@/lib/api-client/client';
import { createApiClient, take } from '@/lib/api-client/client';
import { followEvents, followRun } from '@/lib/api-client/follow';
import { readApi } from '../../scripts/lib/api-document.mjs';
import { cliBundle, runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

const root = resolve(import.meta.dirname, '../..');
const fixture = resolve(root, 'tests/fixtures/mcp-servers/env-server.mjs');

/** Views, settings, profiles, `top`, the live tree, completion and the typed client, against a real process. */
describe('openconductor view, settings, profile, top and the typed client', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let folder: string;
  const oc = (line: string[], input?: string, env: Record<string, string> = {}) =>
    runCliProcess(line, {
      url: engine.url,
      cwd: folder,
      env: { XDG_CONFIG_HOME: join(folder, 'config'), ...env },
      ...(input === undefined ? {} : { input }),
    });
  const client = () => createApiClient({ baseUrl: engine.url });
  const start = async (workflow: string, input: object = {}) =>
    (await take(client().POST('/api/v1/runs', { body: { workflow, input } }))).runId;
  const until = (runId: string, status: string) =>
    eventually(`${runId} ${status}`, async () => {
      const run = await take(client().GET('/api/v1/runs/{runId}', { params: { path: { runId } } }));
      return run.status === status;
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oc-preferences-'));
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {
        tell: { command: 'node', args: [fixture], env: { KEY: 'value' } },
        other: { command: 'node', args: [fixture] },
      },
      env: { OPENCONDUCTOR_SECRET_KEY: 'a-key-of-at-least-thirty-two-characters' },
    });
    const call = { id: 'ask', kind: 'mcp-server', server: 'tell', tool: 'tell', arguments: { name: 'KEY' } };
    const definitions = [
      { schemaVersion: 1, name: 'quick', nodes: [{ id: 'one', kind: 'transform', output: '${1}' }] },
      { schemaVersion: 1, name: 'broken', nodes: [{ id: 'one', kind: 'transform', output: '${1 / 0}' }] },
      { schemaVersion: 1, name: 'patient', nodes: [{ id: 'gate', kind: 'wait', signal: 'go' }] },
      { schemaVersion: 1, name: 'telling', nodes: [call] },
      {
        schemaVersion: 1,
        name: 'parent',
        nodes: [{ id: 'child', kind: 'subworkflow', workflow: 'telling' }],
      },
    ];
    for (const body of definitions)
      await take(client().POST('/api/v1/workflows', { body: body as Schema<'WorkflowDefinition'> }));
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('what an instance serves is the document that the client was generated from', async () => {
    const served = await take(client().GET('/api/v1/openapi.json'));
    const { document } = await readApi();
    expect(served.paths).toEqual(JSON.parse(JSON.stringify(document.paths)));
  });

  it('the typed client: problems become errors, events come once over broken connections', async () => {
    await expect(
      client().GET('/api/v1/runs/{runId}', { params: { path: { runId: 'nope' } } }),
    ).rejects.toMatchObject({ name: 'AppError', code: 'RUN_NOT_FOUND' });
    const key = { 'Idempotency-Key': 'the-same' };
    const twice = await Promise.all(
      [1, 2].map(() =>
        take(client().POST('/api/v1/runs', { body: { workflow: 'quick' }, params: { header: key } })),
      ),
    );
    expect(twice[0]?.runId).toBe(twice[1]?.runId);

    const runId = await start('patient');
    const seen: number[] = [];
    let lost = 0;
    const cut = breakingFetch();
    const following = (async () => {
      const broken = createApiClient({ baseUrl: engine.url, fetch: cut.fetch });
      for await (const event of followRun(broken, runId, { onLost: () => lost++ })) {
        seen.push(event.seq);
        if (seen.length < 3) cut.now();
      }
    })();
    await eventually('the first event', async () => seen.length > 0);
    await client().POST('/api/v1/runs/{runId}/signal', { params: { path: { runId } }, body: { name: 'go' } });
    await following;
    expect(seen).toEqual(seen.map((_, i) => i + 1));
    expect(lost).toBeGreaterThan(0);

    const all: number[] = [];
    for await (const event of followEvents(client(), { after: 0 })) {
      all.push(event.streamSeq);
      if (all.length === 5) break;
    }
    expect(all).toEqual([1, 2, 3, 4, 5]);
  });

  it('a view from its saving to its removal', async () => {
    const failed = await start('broken');
    await until(failed, 'failed');
    const flags = ['--status', 'failed,timed_out', '--within', '24h', '--columns', 'runId,failure,closedAt'];
    const saved = await oc(['view', 'save', 'failures', ...flags, '--sort', 'closedAt:desc', '-o', 'json']);
    expect([saved.err, saved.code]).toEqual(['', 0]);
    expect(saved.json()).toMatchObject({ name: 'failures', shared: false, mine: true, version: 1 });
    const again = await oc(['view', 'save', 'failures', ...flags, '--shared', '-o', 'json']);
    expect(again.json()).toMatchObject({
      shared: true,
      version: 2,
      sort: { by: 'createdAt', order: 'desc' },
    });

    const listed = await oc(['run', 'list', '--view', 'failures', '-o', 'csv']);
    expect([listed.err, listed.code]).toEqual(['', 0]);
    const [heading, ...lines] = listed.out.trim().split('\r\n');
    expect(heading).toBe('run,failure,closed');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(failed);
    const other = await oc(['run', 'list', '--view', 'failures', '--status', 'completed', '-o', 'csv']);
    expect(other.out).not.toContain(failed);
    expect((await oc(['view', 'list'])).out).toMatch(/failures +shared +status=failed,timed_out/);
    const viewId = (again.json() as { viewId: string }).viewId;
    const late = client().PUT('/api/v1/views/{viewId}', {
      params: { path: { viewId }, header: { 'If-Match': '"v1"' } },
      body: { name: 'failures' },
    });
    await expect(late).rejects.toMatchObject({ code: 'VERSION_CONFLICT' });
    const blind = client().PUT('/api/v1/views/{viewId}', {
      params: { path: { viewId } },
      body: { name: 'x' },
    });
    await expect(blind).rejects.toMatchObject({ code: 'PRECONDITION_REQUIRED' });
    const wrong = await oc(['view', 'save', 'bad', '--sort', 'nope', '--json']);
    expect([wrong.code, JSON.parse(wrong.err)]).toMatchObject([2, { error: { path: '--sort' } }]);
    expect((await oc(['view', 'remove', 'failures', '--yes'])).code).toBe(0);
    const gone = await oc(['run', 'list', '--view', 'failures']);
    expect([gone.code, gone.err]).toEqual([2, expect.stringContaining('VIEW_NOT_FOUND')]);
  });

  it('settings take effect, say where they come from, and hide secrets', async () => {
    const row = async (key: string) =>
      (await oc(['settings', 'get', key, '-o', 'json'])).json() as { value: unknown; source: string };
    expect(await row('tools.changes')).toMatchObject({ value: 'warn', source: 'default' });
    expect(await row('retention.days')).toMatchObject({ value: 0, editable: false });
    const refused = await oc(['settings', 'set', 'retention.days', '30']);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('decided by the environment')]);
    expect((await oc(['settings', 'set', 'tools.changes', 'sometimes'])).code).toBe(2);

    expect((await oc(['settings', 'set', 'tools.changes', 'block', '--version', '0'])).code).toBe(0);
    const stale = await oc(['settings', 'set', 'tools.changes', 'off', '--version', '0']);
    expect([stale.code, stale.err]).toEqual([2, expect.stringContaining('VERSION_CONFLICT')]);
    expect(await row('tools.changes')).toMatchObject({ value: 'block', source: 'organisation' });

    expect((await oc(['server', 'add', 'mine', '--command', `node ${fixture}`])).code).toBe(0);
    expect((await oc(['server', 'test', 'mine'])).code).toBe(0);
    await oc(['server', 'edit', 'mine', '--config', '{"env":{"DESCRIPTION":"Quite another."}}']);
    expect((await oc(['server', 'tools', 'mine'])).out).toMatch(/tell +changed, blocked/);

    expect((await oc(['settings', 'set', 'runs.maxInputBytes', '20'])).code).toBe(0);
    const large = client().POST('/api/v1/runs', {
      body: { workflow: 'quick', input: { text: 'x'.repeat(50) } },
    });
    await expect(large).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    expect((await oc(['settings', 'set', 'runs.maxInputBytes', 'null'])).code).toBe(0);
    expect((await oc(['settings', 'set', 'runs.servers', '["other"]'])).code).toBe(0);
    await expect(client().POST('/api/v1/runs', { body: { workflow: 'telling' } })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
    expect((await oc(['settings', 'set', 'runs.servers', 'null'])).code).toBe(0);
    await until(await start('telling'), 'completed');

    const instance = await oc(['settings', 'instance', '-o', 'yaml']);
    expect(instance.out).toContain('OPENCONDUCTOR_RETENTION_DAYS');
    expect(instance.out).not.toContain('thirty-two-characters');
    expect(instance.out).not.toContain(new URL(database.adminUrl).password || 'no password');
  });

  it('profiles: stored for the user alone, chosen by name, the key sent to their address only and never printed', async () => {
    const keys: (string | undefined)[] = [];
    const remote = createServer((request, response) => {
      keys.push(request.headers.authorization);
      response.setHeader('content-type', 'application/json').end('{"items":[],"nextCursor":null}');
    });
    await new Promise<void>((done) => remote.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(remote.address() as AddressInfo).port}`;
    const key = 'oc_secret_key_1234567890';
    const env = { OPENCONDUCTOR_URL: '' };
    try {
      const added = await oc(['profile', 'add', 'far', '--url', url, '--api-key-stdin'], `${key}\n`);
      expect([added.err, added.code]).toEqual(['', 0]);
      const file = join(folder, 'config/openconductor/profiles.json');
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await readFile(file, 'utf8')).toContain(key);
      const said = [added];
      for (const form of ['table', 'json', 'yaml', 'csv'])
        said.push(
          await oc(['profile', 'list', '-o', form]),
          await oc(['profile', 'show', 'far', '-o', form]),
        );
      for (const { code, out, err } of said) {
        expect(code, err).toBe(0);
        expect(out).toContain('far');
        expect(out + err).not.toContain(key);
      }
      expect((await oc(['workflow', 'list', '--profile', 'far', '-o', 'json'])).json()).toEqual([]);
      expect((await oc(['profile', 'use', 'far'])).code).toBe(0);
      expect((await oc(['workflow', 'list', '-o', 'json'], undefined, env)).json()).toEqual([]);
      // The address of the environment stands over the profile in use, and its key does not go there.
      expect((await oc(['workflow', 'list', '-o', 'json'])).json()).not.toEqual([]);
      expect(keys).toEqual([`Bearer ${key}`, `Bearer ${key}`]);
      const other = { ...env, OPENCONDUCTOR_API_KEY: 'other' };
      await oc(['workflow', 'list', '--url', url], undefined, other);
      expect(keys.at(-1)).toBe('Bearer other');
      const both = await oc(['workflow', 'list', '--profile', 'far', '--url', url]);
      expect([both.code, both.err]).toEqual([2, expect.stringContaining('contradict')]);
      expect((await oc(['profile', 'remove', 'far', '--yes'])).code).toBe(0);
      expect((await oc(['workflow', 'list', '--profile', 'far'])).code).toBe(2);
    } finally {
      remote.close();
    }
  });

  it('looks into a run, a server, a schedule, the stream and the API', async () => {
    const runId = await start('telling');
    await until(runId, 'completed');
    const timeline = await oc(['run', 'timeline', runId, '-o', 'csv']);
    expect(timeline.out.split('\r\n')[1]).toMatch(/^ask,completed,\d+,\d+,\d+,0,1$/);
    expect((await oc(['run', 'metrics', runId])).out).toMatch(/1 calls, 0 errors[\s\S]*tell +1 /);
    expect((await oc(['run', 'step', runId, 'ask', '-o', 'json'])).json()).toMatchObject({
      path: 'ask',
      input: { name: 'KEY' },
    });
    expect((await oc(['run', 'event', runId, '1'])).out).toContain('WORKFLOW_EXECUTION_STARTED');
    expect((await oc(['run', 'event', runId, '999'])).code).toBe(2);
    await oc(['server', 'test', 'tell']);
    expect((await oc(['server', 'health', 'tell', '-o', 'json'])).json()).toMatchObject({
      reports: expect.any(Array),
    });
    const times = await oc(['schedule', 'preview', '--every', '1h', '-n', '2', '-o', 'json']);
    expect((times.json() as { times: string[] }).times).toHaveLength(2);
    expect((await oc(['events', '--limit', '2', '-o', 'json'])).json()).toMatchObject({
      items: [{ streamSeq: 1 }, { streamSeq: 2 }],
    });
    const followed = await oc(['events', '--follow', '--after', '0', '--limit', '3', '--json']);
    expect(followed.lines()).toMatchObject([{ streamSeq: 1 }, { streamSeq: 2 }, { streamSeq: 3 }]);
    const rows = await oc(['events', '-f', '--after', '0', '-n', '2', '-o', 'csv']);
    expect(rows.out.split('\r\n')[0]).toBe('number,at,run,type,data');
    expect(rows.out.match(/number,at/g)).toHaveLength(1);
    expect((await oc(['openapi'])).json()).toMatchObject({ openapi: '3.1.0' });
  });

  it('top: one frame for people and one JSON line a frame for programs', async () => {
    await until(await start('telling'), 'completed');
    const table = await oc(['top', '--interval', '300ms']);
    expect([table.err, table.code]).toEqual(['', 0]);
    expect(table.out).toMatch(/tell +connected +closed/);
    expect(table.out).toContain('LATEST FAILURES');
    expect(table.out).not.toContain('\u001b');
    const frames = oc(['top', '--frames', '2', '--interval', '1s', '-o', 'json']);
    await start('telling');
    const lines = (await frames).lines() as {
      servers: { name: string; calls: number }[];
      runs: object;
      inbox: object;
    }[];
    expect(lines).toHaveLength(2);
    expect(lines[1]?.servers.find((row) => row.name === 'tell')?.calls).toBeGreaterThan(0);
    expect(lines[1]).toMatchObject({
      runs: { running: { more: false } },
      inbox: { depth: expect.any(Number) },
    });
    expect((await oc(['top', '--once', '--interval', '200ms', '-o', 'csv'])).out).toMatch(
      /^at,server,status,/,
    );
  });

  it('a terminal gets a live screen from top and a tree from run watch', async (test) => {
    if (spawnSync('script', ['--version']).status !== 0) test.skip('needs `script` for a terminal');
    const bundle = await cliBundle();
    const inTerminal = (line: string, keys: string) =>
      spawnSync('script', ['-qec', `stty rows 30 cols 120; ${line}`, '/dev/null'], {
        encoding: 'utf8',
        input: keys,
        timeout: 30_000,
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          OPENCONDUCTOR_URL: engine.url,
          TERM: 'xterm',
        } as unknown as NodeJS.ProcessEnv,
      });
    const screen = inTerminal(`${process.execPath} ${bundle} top --frames 2 --interval 300ms`, '');
    expect(screen.stdout).toContain('\u001b[?1049h');
    expect(screen.stdout).toContain('\u001b[?1049l');
    expect(screen.stdout).toContain('openconductor top');
    const keyed = inTerminal(`${process.execPath} ${bundle} top --interval 20s`, 'nq');
    expect(keyed.stdout).toContain('sorted by name');
    expect([keyed.status, keyed.signal]).toEqual([0, null]);
    const parent = await start('parent');
    const family = inTerminal(`${process.execPath} ${bundle} run watch ${parent}`, '');
    expect(plain(family.stdout)).toMatch(
      /└─ ✓ child {2}subworkflow.*\r?\n {3}└─ ✓ telling v1.*\r?\n {6}└─ ✓ ask {2}tell\.tell/,
    );
    const runId = await start('telling');
    const watched = inTerminal(`${process.execPath} ${bundle} run watch ${runId}`, '');
    expect(watched.stdout).toMatch(/└─ .*✓.* ask/);
    expect(watched.stdout).toContain('COMPLETED');
    expect(watched.stdout).toContain('\u001b[?25h');
  });

  const SHELLS = (['bash', 'zsh', 'fish'] as const).map(
    (shell) => [shell, spawnSync(shell, ['-c', 'true']).status === 0] as const,
  );
  for (const [shell, isHere] of SHELLS) {
    it.skipIf(!isHere)(`completes in ${shell}${isHere ? '' : ': it is not installed here'}`, async () => {
      const bin = join(folder, 'bin');
      await mkdir(bin, { recursive: true });
      await writeFile(
        join(bin, 'openconductor'),
        `#!/bin/sh\nexec ${process.execPath} ${await cliBundle()} "$@"\n`,
      );
      await chmod(join(bin, 'openconductor'), 0o755);
      const script = (await oc(['completion', shell])).out;
      const file = join(folder, `completion.${shell}`);
      await writeFile(file, script);
      const ask: Record<typeof shell, (words: string[]) => string> = {
        bash: (words) =>
          `source ${file}; COMP_WORDS=(openconductor ${words.map((word) => `'${word}'`).join(' ')}); ` +
          `COMP_CWORD=${words.length}; _openconductor; printf '%s\\n' "\${COMPREPLY[@]}"`,
        // Inside a real completion only; here the function that it calls is looked at.
        zsh: (words) =>
          `compdef() { :; }; _files() { print -- FILES; }; _describe() { print -l -- "\${rows[@]}"; }; source ${file}; ` +
          `words=(openconductor ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}; _openconductor`,
        fish: (words) => `source ${file}; complete -C 'openconductor ${words.join(' ')}'`,
      };
      const complete = (...words: string[]) => {
        const run = spawnSync(shell, ['-c', ask[shell](words)], {
          encoding: 'utf8',
          timeout: 30_000,
          env: {
            PATH: `${bin}:${process.env.PATH}`,
            HOME: folder,
            OPENCONDUCTOR_URL: engine.url,
          } as unknown as NodeJS.ProcessEnv,
        });
        expect(run.status, run.stderr).toBe(0);
        return run.stdout.split('\n').map((line) => line.split(/[\t:]/)[0]);
      };
      expect(complete('view', '')).toEqual(expect.arrayContaining(['list', 'save', 'remove']));
      // Names that the instance does not tell soon enough are left out.
      const offers = (name: string, ...words: string[]) =>
        eventually(`${name} after ${words.join(' ')}`, () => complete(...words).includes(name));
      await offers('patient', 'orchestrate', 'pat');
      await offers('tell', 'server', 'inspect', 'te');
      expect(complete('run', 'list', '--out')).toContain('--output');
      await offers('tools.changes', 'settings', 'set', 'tools');
    });
  }
});

/** Terminal output without its control sequences, beginning with the last drawing. */
function plain(text: string): string {
  const last = text.slice(text.lastIndexOf('\u001b[J') + 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: taking them out is the purpose
  return last.replace(/\u001b?\[[0-9;?]*[A-Za-z]/g, '');
}

/** A fetch whose open connections can be cut, as a failing network does. */
function breakingFetch() {
  let abort = new AbortController();
  return {
    fetch: (request: Request) =>
      fetch(new Request(request, { signal: AbortSignal.any([request.signal, abort.signal]) })),
    now: () => {
      abort.abort();
      abort = new AbortController();
    },
  };
}
