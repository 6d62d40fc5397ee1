import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess, type ServersConfig } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { expectResult } from '../support/expected-result';

const root = resolve(import.meta.dirname, '../..');

interface Task {
  runId: string;
  kind: string;
  nodePath: string;
  title: string | null;
}

/** By name, as the list has them. */
const STARTERS = [
  'dependent-pipeline',
  'document-pipeline',
  'elicitation',
  'failure-notification',
  'folder-fan-out',
  'human-approval',
  'long-running-progress',
  'parallel-analysis',
  'retry-and-breaker',
  'saga-compensation',
  'scheduled-digest',
  'webhook-intake',
];

const NEED_EVERYTHING = ['elicitation', 'long-running-progress', 'retry-and-breaker'];

interface RunLine {
  runId: string;
  workflow: string;
  status: string;
  output: Record<string, unknown> | null;
  failure: { code: string; message: string } | null;
  nodes: {
    path: string;
    status: string;
    attempt: number;
    startedAt: string;
    endedAt: string;
    progress?: unknown;
  }[];
}
interface EventLine {
  type: string;
  at: string;
  data: Record<string, unknown>;
}

/** Every starter with its sample input, by the command line, on a fresh instance with the bundled servers. */
describe('the starters', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let folder: string;
  let servers: ServersConfig;

  const oc = (...args: string[]): Promise<CliResult> => runCliProcess(args, { url: engine.url, cwd: folder });
  /** The last line of a command that must have worked. */
  const ask = async <T>(...args: string[]): Promise<T> => {
    const result = await oc(...args, '--json');
    expect(result.err).toBe('');
    return result.lines().at(-1) as T;
  };
  const start = async (name: string, input?: object): Promise<string> => {
    const given = input === undefined ? ['--sample'] : ['--input', JSON.stringify(input)];
    return (await ask<{ runId: string }>('orchestrate', name, ...given, '--detach')).runId;
  };
  const watch = async (runId: string): Promise<RunLine> =>
    (await oc('run', 'watch', runId, '--json', '--timeout', '90s')).lines().at(-1) as RunLine;
  const run = async (name: string, input?: object) => watch(await start(name, input));
  const eventsOf = async (runId: string, ...types: string[]): Promise<EventLine[]> =>
    ((await oc('run', 'events', runId, '--json')).lines() as EventLine[]).filter(({ type }) =>
      types.includes(type),
    );
  /** Names of what the memory server knows about something. */
  const known = async (query: string): Promise<string[]> => {
    const found = await oc(
      ...[
        'server',
        'call',
        'memory',
        'search_nodes',
        '--input',
        JSON.stringify({ query }),
        '--output',
        'json',
      ],
    );
    const { structuredContent } = found.json() as {
      structuredContent: { entities: { name: string }[] };
    };
    return structuredContent.entities.map((entity) => entity.name);
  };
  const taskOf = (runId: string) =>
    eventually(`a task of ${runId}`, async () => {
      const { out } = await oc('task', 'list', '--json');
      const rows = out.split('\n').filter((line) => line !== '');
      return rows.map((line) => JSON.parse(line) as Task).find((task) => task.runId === runId);
    });
  /** The result must be the one of the readme. */
  const expectSample = async (ended: RunLine) => {
    const readme = await ask<{ expected: Record<string, unknown> }>('workflow', 'starter', ended.workflow);
    expectResult(ended, readme.expected);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oc-starters-'));
    database = await createTestDatabase();
    const config = await readFile(join(root, 'openconductor.config.json'), 'utf8');
    servers = (JSON.parse(config) as { mcpServers: ServersConfig }).mcpServers;
    engine = await EngineProcess.start({ databaseUrl: database.adminUrl, servers });
  });

  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('are there at the first start: twelve, with a line each, and none with an error or a warning', async () => {
    const list = await oc('workflow', 'starters');
    const lines = list.out.split('\n');
    for (const name of STARTERS) expect(lines.find((line) => line.startsWith(`${name} `))).toMatch(/\.$/);
    const rows = (await oc('workflow', 'starters', '--json')).lines() as { name: string }[];
    expect(rows.map((row) => row.name)).toEqual(STARTERS);
    const plans = await Promise.all(
      [...STARTERS, 'failure-note'].map((name) => engine.request('GET', `/api/v1/workflows/${name}/plan`)),
    );
    for (const { body } of plans) expect(body).toMatchObject({ runnable: true, problems: [] });
  });

  it('show readme and sample; the sample alone can go into a file; the readme goes along with an export', async () => {
    const shown = await oc('workflow', 'starter', 'saga-compensation');
    expect(shown.out).toContain('## When to use it');
    expect(shown.out).toContain('openconductor orchestrate saga-compensation --sample');
    expect(shown.out).toContain('"compensated"');
    const sample = (await oc('workflow', 'starter', 'saga-compensation', '--sample')).json();
    expect(sample).toMatchObject({ order: '10418' });
    const exported = await oc('workflow', 'export', 'saga-compensation');
    await writeFile(join(folder, 'mine.yaml'), exported.out.replace('name: saga-compensation', 'name: mine'));
    expect((await oc('workflow', 'register', 'mine.yaml')).code).toBe(0);
    const mine = await oc('workflow', 'starter', 'mine', '--json');
    expect(mine.json()).toMatchObject({ sample, expected: { status: 'failed' } });
  });

  it('--sample says what is wrong: with --input, and for a workflow without a sample', async () => {
    const both = await oc('orchestrate', 'document-pipeline', '--sample', '--input', '{}');
    expect([both.code, both.err]).toEqual([2, expect.stringContaining('Give one of --input and --sample.')]);
    const none = await oc('orchestrate', 'failure-note', '--sample');
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('has no sample input')]);
  });

  it('elicitation: the run parks until somebody answers', async () => {
    const runId = await start('elicitation');
    expect(await taskOf(runId)).toMatchObject({ kind: 'input', nodePath: 'ask' });
    const content = { name: 'Ada Verhoeven', email: 'ada@northwind.example', check: true };
    expect((await oc('run', 'answer', runId, '--content', JSON.stringify(content))).code).toBe(0);
    await expectSample(await watch(runId));
    expect(await known('visit of the warehouse')).toEqual(['Ada Verhoeven']);

    const declined = await start('elicitation');
    await taskOf(declined);
    expect((await oc('run', 'answer', declined, '--decline')).code).toBe(0);
    expect(await watch(declined)).toMatchObject({ status: 'completed', output: { answered: false } });
  });

  it('long-running-progress: heartbeats while a batch runs, one checkpoint a batch', async () => {
    const long = await start('long-running-progress', {
      batches: 1,
      stepsPerBatch: 100,
      secondsPerBatch: 60,
    });
    const heard = await eventually('a heartbeat of the call', async () => {
      const [shown] = (await oc('run', 'show', long, '--json')).lines() as RunLine[];
      return shown?.nodes.find((node) => node.progress !== undefined);
    });
    expect(heard).toMatchObject({
      path: 'work/0/batch',
      progress: { progress: expect.any(Number), total: 100 },
    });
    expect((await oc('run', 'cancel', long, '--yes')).code).toBe(0);
    const cancelled = await watch(long);
    expect(cancelled.status).toBe('cancelled');
    expect(cancelled.nodes.filter((node) => node.progress !== undefined)).toEqual([]);

    const ended = await run('long-running-progress');
    await expectSample(ended);
    const batches = ended.nodes.filter((node) => node.path.endsWith('/batch'));
    expect(batches.map((node) => node.path)).toEqual(['work/0/batch', 'work/1/batch', 'work/2/batch']);
    for (const batch of batches)
      expect(Date.parse(batch.endedAt) - Date.parse(batch.startedAt)).toBeGreaterThanOrEqual(1200);
  });

  describe('while the breaker of the server "everything" is closed, opens, and closes again', () => {
    let breakerRun: string;

    it('retry-and-breaker: with a service that is fast enough, one attempt', async () => {
      await eventually('one attempt', async () => {
        const { output } = await run('retry-and-breaker', { answersAfterSeconds: 0 });
        expect(output).toMatchObject({ source: 'service', reason: null });
        // On a busy machine a call can take longer than the second it has: then once more.
        return output?.attempts === 1;
      });
      breakerRun = await start('retry-and-breaker');
    });

    it('document-pipeline: what was read is in the knowledge graph', async () => {
      await expectSample(await run('document-pipeline'));
      expect(await known('named in welcome.md')).toEqual([
        'Filesystem',
        'Memory',
        'Sequential Thinking',
        'Everything',
      ]);
    });

    it('parallel-analysis: the branches begin together; one may fail', async () => {
      const ended = await run('parallel-analysis');
      await expectSample(ended);
      const first = (path: string) => ended.nodes.find((node) => node.path === `analyse/${path}`)?.startedAt;
      expect(new Set(['outline/headings', 'figures/count', 'actions/pick'].map(first)).size).toBe(1);
    });

    it('dependent-pipeline: relations only after both kinds of entities', async () => {
      const ended = await run('dependent-pipeline');
      await expectSample(ended);
      const node = (path: string) => ended.nodes.find((it) => it.path === path);
      for (const before of ['store_customers', 'store_orders'])
        expect((node('link')?.startedAt ?? '') >= (node(before)?.endedAt ?? '~')).toBe(true);
      // The same again changes nothing.
      expect((await run('dependent-pipeline')).output).toEqual(ended.output);
    });

    it('human-approval: a yes with its form, a no, and an amount that needs nobody', async () => {
      const runId = await start('human-approval');
      expect(await taskOf(runId)).toMatchObject({
        kind: 'approval',
        title: 'Refund 980 EUR for order 10415?',
      });
      const empty = await oc('run', 'approve', runId);
      expect([empty.code, empty.err]).toEqual([2, expect.stringContaining('/form')]);
      const form = '{"amountEur":900,"note":"one unit was used"}';
      expect((await oc('run', 'approve', runId, '--form', form)).code).toBe(0);
      await expectSample(await watch(runId));
      const [asked] = await eventsOf(runId, 'APPROVAL_REQUESTED');
      const twoDays = Number(asked?.data.deadline) - Date.parse(asked?.at ?? '');
      expect(twoDays).toBe(2 * 86_400_000);

      const refused = await start('human-approval');
      await taskOf(refused);
      expect((await oc('run', 'reject', refused, '--comment', 'too late')).code).toBe(0);
      expect((await watch(refused)).output).toMatchObject({ decision: 'rejected', amountEur: 0 });

      const small = { order: '1', customer: 'Atelier Moreau', amountEur: 20, reason: 'scratched' };
      expect((await run('human-approval', small)).output).toMatchObject({ decision: 'granted by rule' });
      expect(await known('decision: ')).toHaveLength(3);
    });

    it('saga-compensation: undone in reverse; with a proof everything stays', async () => {
      const failed = await oc('orchestrate', 'saga-compensation', '--sample');
      expect(failed.code).toBe(1);
      const undone = [...failed.out.matchAll(/UNDO +(\w+)/g)].map((line) => line[1]);
      expect(undone).toEqual(['invoice', 'ship', 'reserve']);
      const runId = /^run (\S+)$/m.exec(failed.out)?.[1] ?? '';
      await expectSample(await watch(runId));
      expect((await eventsOf(runId, 'COMPENSATION_STARTED')).map(({ data }) => data.nodePaths)).toEqual([
        ['invoice', 'ship', 'reserve'],
      ]);
      const undoing = (await eventsOf(runId, 'ACTIVITY_TASK_COMPLETED')).map(({ data }) => data.activityId);
      expect(undoing).toEqual([
        ...['reserve:do', 'ship:do', 'invoice:do'],
        ...['invoice:compensate', 'ship:compensate', 'reserve:compensate'],
      ]);
      expect(await known('10418')).not.toContain('reservation 10418');
      expect(await known('10418')).toEqual([]);

      const paid = { order: '10420', article: 'gripper-g1', quantity: 1, paymentProof: 'orders.csv' };
      expect(await run('saga-compensation', paid)).toMatchObject({
        status: 'completed',
        output: { paid: true },
      });
      expect(await known('10420')).toEqual(['reservation 10420', 'shipment 10420', 'invoice 10420']);
    });

    it('folder-fan-out: in order, three at a time; a third failure is too many', async () => {
      const ended = await run('folder-fan-out');
      await expectSample(ended);
      const reads = ended.nodes.filter((node) => node.path.endsWith('/read'));
      const overlap = reads.map(
        ({ startedAt }) =>
          reads.filter((other) => other.startedAt <= startedAt && startedAt < other.endedAt).length,
      );
      expect(Math.max(...overlap)).toBeLessThanOrEqual(3);
      expect(Math.max(...overlap)).toBeGreaterThan(1);
      const missing = { folder: '.', expected: ['a.md', 'b.md', 'c.md'] };
      expect(await run('folder-fan-out', missing)).toMatchObject({
        status: 'failed',
        failure: { code: 'TOOL_ERROR', nodePath: expect.stringMatching(/^each/) },
      });
    });

    it('scheduled-digest: by hand and by its schedule, one digest a day', async () => {
      const ended = await run('scheduled-digest');
      await expectSample(ended);
      expect(ended.output?.storedAs).toBe(`digest ${ended.output?.date}`);
      const readme = await ask<{ readme: string }>('workflow', 'starter', 'scheduled-digest');
      const line = /^openconductor (schedule create .*)$/m.exec(readme.readme)?.[1] ?? '';
      const words = [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
      const created = await oc(...words);
      expect([created.code, created.err]).toEqual([0, '']);
      expect((await oc('schedule', 'trigger', 'morning-digest')).code).toBe(0);
      const again = await eventually('the run of the schedule', async () => {
        const runs = (
          await oc('run', 'list', '--workflow', 'scheduled-digest', '--json')
        ).lines() as RunLine[];
        return runs.find((row) => row.runId !== ended.runId && row.status === 'completed');
      });
      const { output } = await watch(again.runId);
      // At midnight UTC the next day's begins.
      expect(output?.isNew).toBe(output?.date !== ended.output?.date);
    });

    it('webhook-intake: each event once, other kinds are noted', async () => {
      await expectSample(await run('webhook-intake'));
      expect((await run('webhook-intake')).output).toMatchObject({ duplicate: true });
      const odd = { id: 'evt-7', kind: 'customer.renamed' };
      expect((await run('webhook-intake', odd)).output).toMatchObject({
        action: 'noted, this kind is not known',
      });
      // Connected as the readme says: a signed delivery starts a run with its body as the input.
      const hook = await ask<{ path: string; secret: string }>(
        'hook',
        'add',
        'shop',
        '--workflow',
        'webhook-intake',
      );
      const body = JSON.stringify({ id: 'evt-9', kind: 'order.created', data: { order: '7', amountEur: 1 } });
      const at = String(Math.floor(Date.now() / 1000));
      const key = Buffer.from(hook.secret.replace(/^whsec_/, ''), 'base64');
      const signature = createHmac('sha256', key).update(`msg-1.${at}.${body}`).digest('base64');
      const delivered = await engine.request('POST', hook.path, body, {
        ...{ 'webhook-id': 'msg-1', 'webhook-timestamp': at, 'webhook-signature': `v1,${signature}` },
      });
      expect(delivered.status).toBe(202);
      expect((await watch(delivered.body.runId)).output).toMatchObject({ event: 'evt-9', duplicate: false });
      const refund = { id: 'evt-8', kind: 'order.refund_requested', data: { order: '10415', amountEur: 98 } };
      expect((await run('webhook-intake', refund)).output).toMatchObject({
        action: 'filed as refund request for order 10415',
      });
    });

    it('failure-notification: the failure workflow notes who failed, where and why', async () => {
      const failed = await run('failure-notification');
      await expectSample(failed);
      const note = await eventually('the run of the failure workflow', async () => {
        const runs = await oc('run', 'list', '--workflow', 'failure-note', '--status', 'completed', '--json');
        return runs.out === '' ? null : (runs.lines()[0] as RunLine);
      });
      expect((await watch(note.runId)).output).toEqual({
        note: `failure of ${failed.runId}`,
        workflow: 'failure-notification',
        step: 'read',
        code: 'TOOL_ERROR',
      });
      expect(await known('failure-notification, failed')).toEqual([`failure of ${failed.runId}`]);
      expect(await run('failure-notification', { path: 'orders.csv' })).toMatchObject({
        status: 'completed',
        output: { rows: 6 },
      });
    });

    it('on an upgrade new ones appear, and one that was edited stays as it is', async () => {
      const own = await createTestDatabase();
      const { filesystem, memory, everything } = servers;
      if (!filesystem || !memory || !everything) throw new Error('A bundled server is missing.');
      const before = await EngineProcess.start({
        databaseUrl: own.adminUrl,
        servers: { filesystem, memory },
      });
      const on = (url: string, ...args: string[]) => runCliProcess([...args, '--json'], { url, cwd: folder });
      const names = async (url: string) =>
        ((await on(url, 'workflow', 'starters')).lines() as { name: string }[]).map((row) => row.name);
      // What needs the server "everything" is not offered without it.
      const few = await names(before.url);
      expect(few).toEqual(STARTERS.filter((name) => !NEED_EVERYTHING.includes(name)));
      const exported = await on(before.url, 'workflow', 'export', 'document-pipeline');
      await writeFile(
        join(folder, 'edited.json'),
        JSON.stringify({ ...(exported.json() as object), title: 'Ours' }),
      );
      expect((await on(before.url, 'workflow', 'register', 'edited.json')).code).toBe(0);
      await before.end('SIGTERM');

      const after = await EngineProcess.start({
        databaseUrl: own.adminUrl,
        servers: { filesystem, memory, everything },
        dataDir: before.dataDir,
      });
      expect(await names(after.url)).toEqual(STARTERS);
      const shown = await on(after.url, 'workflow', 'show', 'document-pipeline');
      expect(shown.json()).toMatchObject({ version: 2, title: 'Ours' });
      await after.end('SIGTERM');
      await after.removeData();
      await own.drop();
    });

    it('retry-and-breaker: five attempts with doubled pauses, then the breaker', async () => {
      const ended = await watch(breakerRun);
      await expectSample(ended);
      const asks = (events: EventLine[], node: string) =>
        events.filter(({ data }) => data.activityId === `${node}:do`);
      const tried = asks(await eventsOf(breakerRun, 'ACTIVITY_TASK_TIMED_OUT'), 'ask');
      expect(tried.map(({ data }) => data.attempt)).toEqual([1, 2, 3, 4, 5]);
      const pauses = (await eventsOf(breakerRun, 'TIMER_STARTED')).filter(
        ({ data }) => data.nodePath === 'ask',
      );
      expect(pauses.map(({ data, at }) => Number(data.fireAt) - Date.parse(at))).toEqual([
        200, 400, 800, 1600,
      ]);
      const refused = asks(await eventsOf(breakerRun, 'ACTIVITY_TASK_FAILED'), 'again');
      expect(refused[0]?.data.failure).toMatchObject({ code: 'CIRCUIT_OPEN' });
      expect(ended.nodes.find((node) => node.path === 'again')).toMatchObject({
        status: 'completed',
        attempt: 1,
      });
    });
  });
});
