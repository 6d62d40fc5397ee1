import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess, type ServersConfig } from '../support/engine-process';
import { eventually } from '../support/eventually';

const root = resolve(import.meta.dirname, '../..');

/** The command line against a real process with the bundled filesystem and memory servers. */
describe('openconductor against a running instance', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let sql: pg.Client;
  let folder: string;

  const oc = (args: readonly string[], input?: string): Promise<CliResult> =>
    runCliProcess(args, { url: engine.url, cwd: folder, ...(input === undefined ? {} : { input }) });

  const counts = async () => {
    const { rows } = await sql.query(
      `SELECT (SELECT count(*) FROM workflow_run) AS runs, (SELECT count(*) FROM workflow_version) AS versions,
         (SELECT count(*) FROM workflow_event) AS events, (SELECT count(*) FROM workflow_inbox) AS inbox,
         (SELECT count(*) FROM audit_entry) AS audit, (SELECT count(*) FROM idempotency_record) AS keys`,
    );
    return rows[0];
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oc-cli-'));
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
    const { mcpServers } = JSON.parse(await readFile(join(root, 'openconductor.config.json'), 'utf8')) as {
      mcpServers: ServersConfig;
    };
    const { filesystem, memory } = mcpServers;
    if (!filesystem || !memory) throw new Error('openconductor.config.json lacks filesystem or memory.');
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers: { filesystem, memory } });
  });

  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await sql.end();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('orchestrates the document pipeline; the memory server itself knows the entity afterwards', async () => {
    const run = await oc([
      'orchestrate',
      'document-pipeline',
      '--with',
      'filesystem,memory',
      '--input',
      '{"path":"welcome.md"}',
      '--timeout',
      '60s',
    ]);
    expect(run.err).toBe('');
    expect(run.out).toMatch(/✓ +OK +COMPLETED in/);
    for (const step of ['read', 'extract', 'describe', 'store', 'recall', 'summarise'])
      expect(run.out).toMatch(new RegExp(`✓ OK +${step} `));
    expect(run.code).toBe(0);

    const found = await oc([
      'server',
      'call',
      'memory',
      'search_nodes',
      '--input',
      '{"query":"welcome.md"}',
      '--output',
      'json',
    ]);
    expect(found.code).toBe(0);
    const { structuredContent } = found.json() as {
      structuredContent: { entities: { name: string; entityType: string; observations: string[] }[] };
    };
    const document = structuredContent.entities.find((entity) => entity.name === 'welcome.md');
    expect(document?.entityType).toBe('document');
    expect(document?.observations[0]).toMatch(/^title: \S/);
  });

  it('prints the events as JSON lines, the run as the last', async () => {
    const run = await oc([
      'orchestrate',
      'document-pipeline',
      '--input',
      '{"path":"runbook-restart.md"}',
      '--json',
    ]);
    expect(run.code).toBe(0);
    const lines = run.lines() as { seq?: number; type?: string; status?: string; runId: string }[];
    const events = lines.slice(0, -1);
    expect(events.map((event) => event.seq)).toEqual(events.map((_event, i) => i + 1));
    expect([events[0]?.type, events.at(-1)?.type]).toEqual([
      'WORKFLOW_EXECUTION_STARTED',
      'WORKFLOW_EXECUTION_COMPLETED',
    ]);
    expect(lines.at(-1)).toMatchObject({ status: 'completed', workflow: 'document-pipeline' });
  });

  it('ends with 1 when the run fails, and says at which step', async () => {
    const run = await oc(['orchestrate', 'document-pipeline', '--input', '{"path":"not-there.md"}']);
    expect(run.code).toBe(1);
    expect(run.out).toMatch(/FAILED in/);
    expect(run.out).toContain('at step read');
  });

  describe('bad input ends with 2, says what and where, and writes nothing', () => {
    const cases: [string, string[], { code: string; path?: string; input?: string }][] = [
      ['broken JSON', ['--input', '{"path": "welcome.md"'], { code: 'INVALID_JSON', path: 'input' }],
      [
        'broken JSON on standard input',
        ['--input', '-'],
        { code: 'INVALID_JSON', path: '--input', input: '{"path"' },
      ],
      [
        'a field of the wrong type',
        ['--input', '{"path":7}'],
        { code: 'INVALID_WORKFLOW_INPUT', path: '/input/path' },
      ],
      ['a missing field', ['--input', '{}'], { code: 'INVALID_WORKFLOW_INPUT', path: '/input/path' }],
      [
        'an unknown field',
        ['--input', '{"path":"a","nope":1}'],
        { code: 'INVALID_WORKFLOW_INPUT', path: '/input/nope' },
      ],
      [
        'an unknown server',
        ['--with', 'filesystem,nope', '--input', '{"path":"a"}'],
        { code: 'SERVER_NOT_FOUND', path: '--with' },
      ],
      [
        'a server that is needed and not given',
        ['--with', 'filesystem', '--input', '{"path":"a"}'],
        { code: 'INVALID_INPUT', path: '/servers' },
      ],
      [
        'an unknown version',
        ['--version', '9', '--input', '{"path":"a"}'],
        { code: 'WORKFLOW_NOT_FOUND', path: '/workflow' },
      ],
    ];
    it.each(cases)('%s', async (_name, flags, { code, path, input }) => {
      const before = await counts();
      const result = await oc(['orchestrate', 'document-pipeline', ...flags, '--json'], input);
      expect(result.code).toBe(2);
      expect(result.out).toBe('');
      // A warning about what will be refused may come before the refusal itself.
      const said = JSON.parse(result.err.trim().split('\n').at(-1) ?? '') as unknown;
      expect(said).toMatchObject({ error: { code, exit: 2, ...(path === undefined ? {} : { path }) } });
      expect(await counts()).toEqual(before);
    });

    it('an unknown workflow, with the name that was probably meant', async () => {
      const before = await counts();
      const result = await oc(['orchestrate', 'document-pipline', '--input', '{}']);
      expect(result.code).toBe(2);
      expect(result.err).toContain('WORKFLOW_NOT_FOUND');
      expect(result.err).toContain('Did you mean document-pipeline?');
      expect(await counts()).toEqual(before);
    });

    it('5 MB of input', async () => {
      await writeFile(join(folder, 'big.json'), JSON.stringify({ path: 'x'.repeat(5_000_000) }));
      const before = await counts();
      const result = await oc(['orchestrate', 'document-pipeline', '--input', '@big.json']);
      expect(result.err).toContain('✕ PAYLOAD_TOO_LARGE');
      expect(result.code).toBe(2);
      expect(await counts()).toEqual(before);
    });
  });

  describe('the life of a run', () => {
    const ASKING = {
      schemaVersion: 1,
      name: 'asking',
      nodes: [
        { id: 'ask', kind: 'approval', title: 'Send it?', form: { type: 'object', required: ['amount'] } },
        {
          id: 'check',
          kind: 'transform',
          output: '${ask.output.form.amount > 100 ? 1 / 0 : ask.output.form.amount}',
        },
      ],
      edges: [{ from: 'ask', to: 'check' }],
    };

    const started = async (workflow: string): Promise<string> => {
      const { runId } = (await oc(['orchestrate', workflow, '--detach', '--json'])).lines()[0] as {
        runId: string;
      };
      return runId;
    };
    const taskOf = (runId: string) =>
      eventually('the task is there', async () =>
        (await oc(['task', 'list', '--json'])).out
          .trim()
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as { runId: string; kind: string; title: string })
          .find((task) => task.runId === runId),
      );
    const statusOf = async (runId: string) =>
      ((await oc(['run', 'show', runId, '--json'])).lines()[0] as { status: string }).status;

    beforeAll(async () => {
      const registered = await oc(['workflow', 'register', '-', '--base', '0'], JSON.stringify(ASKING));
      expect(registered.err + registered.out).toContain('asking v1');
    });

    it('registers over the version that was edited, and refuses when it is no longer the newest', async () => {
      const edit = (title: string) => JSON.stringify({ ...ASKING, name: 'edited', title });
      expect((await oc(['workflow', 'register', '-', '--base', '0'], edit('one'))).code).toBe(0);
      expect((await oc(['workflow', 'register', '-', '--base', '1'], edit('two'))).err).toBe('');
      const late = await oc(['workflow', 'register', '-', '--base', '1'], edit('three'));
      expect([late.code, late.out]).toEqual([2, '']);
      expect(late.err).toContain('✕ VERSION_CONFLICT');
      const versions = await oc(['workflow', 'versions', 'edited', '--json']);
      expect(versions.lines()).toMatchObject([{ version: 2 }, { version: 1 }]);
    });

    it('exports a definition that can be registered again, and plans it', async () => {
      const yaml = await oc(['workflow', 'export', 'document-pipeline']);
      expect(yaml.out).toMatch(/^schemaVersion: 1\nname: document-pipeline\n/);
      await writeFile(join(folder, 'again.yaml'), yaml.out);
      expect((await oc(['workflow', 'register', 'again.yaml'])).out).toContain('document-pipeline v1');
      const plan = await oc(['workflow', 'plan', 'document-pipeline']);
      expect(plan.code).toBe(0);
      expect(plan.out).toMatch(/1 +read +mcp-server +filesystem\.read_text_file +reads/);
      expect(plan.out).toMatch(/6 +summarise/);
      expect(plan.out).toContain('A run can start');
    });

    it('approves, fails later, retries with what was approved, reruns and restarts', async () => {
      const runId = await started('asking');
      expect(await taskOf(runId)).toMatchObject({ kind: 'approval', title: 'Send it?' });
      const empty = await oc(['run', 'approve', runId]);
      expect([empty.code, empty.err]).toEqual([2, expect.stringContaining('at    /form')]);
      expect((await oc(['run', 'approve', runId, '--form', '{"amount":500}', '-m', 'fine'])).code).toBe(0);
      const end = await oc(['run', 'watch', runId]);
      expect([end.code, end.out]).toEqual([1, expect.stringContaining('at step check')]);
      expect((await oc(['run', 'approve', runId])).err).toContain('RUN_CLOSED');

      const retried = await oc(['run', 'retry', runId, '--json']);
      expect(retried.code).toBe(1);
      const again = retried.lines().at(-1) as {
        runId: string;
        status: string;
        workflowId: string;
        links: object;
      };
      expect(again).toMatchObject({
        status: 'failed',
        nodes: [{ path: 'ask', status: 'completed' }, { path: 'check' }],
      });
      const first = (await oc(['run', 'show', runId, '--json'])).lines()[0] as { workflowId: string };
      expect(again.workflowId).toBe(first.workflowId);
      const chain = await oc(['run', 'list', '--workflow-id', first.workflowId, '--json']);
      expect(chain.lines()).toMatchObject([{ runId: again.runId }, { runId }]);

      const rerun = await oc(['run', 'rerun', runId, 'ask', '--detach', '--json']);
      const { runId: third } = rerun.lines()[0] as { runId: string };
      await taskOf(third);
      expect((await oc(['run', 'reject', third, '-m', 'too much'])).code).toBe(0);
      await eventually('it has failed', async () => (await statusOf(third)) === 'failed');

      const restarted = await oc(['run', 'restart', third, '--latest', '--detach', '--json']);
      const { runId: fourth } = restarted.lines()[0] as { runId: string };
      expect((await oc(['run', 'restart', fourth])).err).toContain('RUN_OPEN');
      expect((await oc(['run', 'terminate', fourth, '--yes'])).code).toBe(0);
      await eventually('it is terminated', async () => (await statusOf(fourth)) === 'terminated');
    });

    it('pauses, resumes and downloads the history', async () => {
      const runId = await started('asking');
      expect((await oc(['run', 'pause', runId, '--reason', 'lunch'])).code).toBe(0);
      await eventually('it is paused', async () => (await statusOf(runId)) === 'paused');
      expect((await oc(['run', 'resume', runId])).code).toBe(0);
      await eventually('it runs', async () => (await statusOf(runId)) === 'running');
      const history = (await oc(['run', 'history', runId, '--format', 'temporal'])).json() as {
        events: { eventType: string }[];
      };
      expect(history.events[0]?.eventType).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_STARTED');
      expect((await oc(['run', 'resolve', runId, 'retry'])).err).toContain('✕ OUTCOME_KNOWN');
      expect((await oc(['run', 'cancel', runId, '--yes'])).code).toBe(0);
    });
  });

  describe('completion', () => {
    const words = async (...line: string[]) =>
      (await oc(['__complete', ...line])).out.split('\n').map((row) => row.split('\t')[0]);

    it('knows commands, flags, words and the names of the instance', async () => {
      expect(await words('workf')).toContain('workflow');
      expect(await words('run', 're')).toEqual(expect.arrayContaining(['resume', 'retry', 'restart']));
      expect(await words('orchestrate', 'doc')).toContain('document-pipeline');
      expect(await words('orchestrate', 'x', '--with', 'filesystem,m')).toContain('filesystem,memory');
      expect(await words('server', 'call', 'memory', 'search')).toContain('search_nodes');
      expect(await words('workflow', 'validate', '')).toContain(':files');
    });

    it('offers nothing, and does not fail, when the instance is away', async () => {
      const away = await runCliProcess(['__complete', 'orchestrate', 'doc'], {
        url: 'http://127.0.0.1:9',
        cwd: folder,
      });
      expect([away.code, away.out.trim(), away.err]).toEqual([0, '', '']);
    });

    it('works in bash as printed', async () => {
      const { out: script } = await oc(['completion', 'bash']);
      const shell = spawnSync(
        'bash',
        [
          '--norc',
          '-c',
          `openconductor() { printf 'run\\tRuns\\nrestore\\tBack\\n'; }\n${script}\nCOMP_WORDS=(openconductor r); COMP_CWORD=1; _openconductor; printf '%s,' "\${COMPREPLY[@]}"`,
        ],
        { encoding: 'utf8' },
      );
      expect([shell.stdout, shell.stderr]).toEqual(['run,restore,', '']);
    });
  });

  it('ends with 3 when nobody answers', async () => {
    const result = await runCliProcess(['run', 'list'], { url: 'http://127.0.0.1:9', cwd: folder });
    expect([result.code, result.out]).toEqual([3, '']);
    expect(result.err).toContain('NOT_RUNNING');
  });
});
