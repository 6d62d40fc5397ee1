import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess, type ServersConfig } from '../support/engine-process';

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

  it('ends with 3 when nobody answers', async () => {
    const result = await runCliProcess(['run', 'list'], { url: 'http://127.0.0.1:9', cwd: folder });
    expect([result.code, result.out]).toEqual([3, '']);
    expect(result.err).toContain('NOT_RUNNING');
  });
});
