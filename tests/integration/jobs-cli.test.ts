import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';

describe('openconductor schedule and bulk', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let folder: string;
  const oc = (line: string[]) => runCliProcess(line, { url: engine.url, cwd: folder });
  const runs = async (query = '') => (await engine.request('GET', `/api/v1/runs${query}`)).body.items;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oc-jobs-'));
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
    });
    const nodes = [{ id: 'gate', kind: 'wait', signal: 'go' }];
    const body = { schemaVersion: 1, name: 'patient', nodes, edges: [] };
    expect((await engine.request('POST', '/api/v1/workflows', body)).status).toBe(201);
  });

  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('a schedule from its making to its end', async () => {
    const settings = [
      '--workflow',
      'patient',
      '--cron',
      '30 2 * * *',
      '--time-zone',
      'Europe/Berlin',
      '-i',
      '{"n":1}',
    ];
    const made = await oc(['schedule', 'create', 'nightly', ...settings, '--overlap', 'buffer-one']);
    expect([made.err, made.code]).toEqual(['', 0]);
    expect(made.out).toMatch(/✓ Schedule nightly made +next 20\d\d-/);
    const wrong = await oc([
      'schedule',
      'create',
      'x',
      '--workflow',
      'patient',
      '--cron',
      '99 * * * *',
      '--json',
    ]);
    expect(wrong.code).toBe(2);
    expect(JSON.parse(wrong.err)).toMatchObject({ error: { code: 'INVALID_INPUT', path: '/cron' } });

    expect((await oc(['schedule', 'list'])).out).toMatch(
      /nightly +active .*30 2 \* \* \* \(Europe\/Berlin\) +patient/,
    );
    // Paused from here on: a time of it that comes during the test must not start a run.
    expect((await oc(['schedule', 'pause', 'nightly', '--note', 'work on it'])).code).toBe(0);
    const times = await oc([
      'schedule',
      'times',
      'nightly',
      '-n',
      '2',
      '--after',
      '2027-03-27T12:00:00Z',
      '-o',
      'json',
    ]);
    expect(times.json()).toEqual({ times: ['2027-03-28T01:00:00.000Z', '2027-03-29T00:30:00.000Z'] });

    const changed = await oc(['schedule', 'update', 'nightly', '--jitter', '10s', '-o', 'json']);
    expect(changed.json()).toMatchObject({ cron: '30 2 * * *', overlap: 'buffer-one', jitterMs: 10_000 });
    const every = await oc(['schedule', 'update', 'nightly', '--every', '2h', '-o', 'json']);
    expect(every.json()).toMatchObject({ cron: null, everyMs: 7_200_000, jitterMs: 10_000 });

    const moved = await oc(['schedule', 'update', 'nightly', '--offset', '10m', '-o', 'json']);
    expect(moved.json()).toMatchObject({ everyMs: 7_200_000, offsetMs: 600_000 });
    const kept = await oc(['schedule', 'update', 'nightly', '--every', '3h', '-o', 'json']);
    expect(kept.json()).toMatchObject({ everyMs: 10_800_000, offsetMs: 600_000 });
    await oc(['schedule', 'update', 'nightly', '--every', '2h', '--offset', '0s']);

    expect((await oc(['schedule', 'trigger', 'nightly'])).out).toContain('✓ Schedule nightly triggered');
    await eventually('it runs', async () => (await runs()).length === 1);
    const shown = await eventually('it is noted', async () => {
      const { out } = await oc(['schedule', 'show', 'nightly']);
      return out.includes('started') && out;
    });
    expect(shown).toContain('note work on it');
    expect(shown).toContain('input {"n":1}');
    const still = await oc(['schedule', 'update', 'nightly', '--jitter', '0s', '-o', 'json']);
    expect(still.json()).toMatchObject({ paused: true, note: 'work on it', jitterMs: 0 });
    const back = ['2026-01-01T00:00:00Z', '2026-01-01T03:00:00Z', '--overlap', 'allow-all', '-o', 'json'];
    expect((await oc(['schedule', 'backfill', 'nightly', ...back])).json()).toEqual({
      times: ['2026-01-01T00:00:00.000Z', '2026-01-01T02:00:00.000Z'],
    });
    await eventually('they run too', async () => (await runs()).length === 3);
    expect((await oc(['schedule', 'resume', 'nightly'])).out).toMatch(/resumed +next/);
    expect((await oc(['schedule', 'delete', 'nightly', '--yes'])).code).toBe(0);
    const gone = await oc(['schedule', 'show', 'nightly']);
    expect([gone.code, gone.err]).toEqual([2, expect.stringContaining('SCHEDULE_NOT_FOUND')]);
  });

  it('a bulk operation: counted, carried out, shown', async () => {
    const [first] = await runs();
    const dry = await oc(['bulk', 'start', 'pause', '--workflow', 'patient', '--dry-run']);
    expect([dry.err, dry.out]).toEqual(['', '3 runs fit.\n']);
    const paused = await oc([
      'bulk',
      'start',
      'pause',
      '--workflow',
      'patient',
      '--reason',
      'night',
      '-o',
      'json',
    ]);
    expect(paused.code).toBe(0);
    const { bulkId } = paused.json() as { bulkId: string };
    expect(paused.json()).toMatchObject({ state: 'completed', matched: 3, done: 3, failed: 0 });
    await eventually('they are paused', async () => (await runs('?status=paused')).length === 3);

    const one = await oc(['bulk', 'start', 'terminate', '--ids', first.runId, '-o', 'json']);
    expect(one.json()).toMatchObject({
      state: 'completed',
      done: 1,
      filter: { ids: [first.runId] },
      named: 1,
    });
    await eventually('it has ended', async () => (await runs('?status=terminated')).length === 1);
    const closed = await oc(['bulk', 'start', 'cancel', '--ids', first.runId]);
    expect(closed.code).toBe(1);
    expect(closed.out).toContain('RUN_CLOSED');
    const rest = await oc([
      'bulk',
      'start',
      'signal',
      '--signal',
      'go',
      '-p',
      '{"x":1}',
      '--status',
      'paused',
      '--detach',
    ]);
    expect(rest.code).toBe(0);

    expect(
      (await oc(['bulk', 'list'])).out.split('\n').filter((line) => / 3 +3 +0 /.test(line)),
    ).toHaveLength(1);
    // The ids themselves are for who reads the operation: there may be thousands.
    const listed = await oc(['bulk', 'list']);
    expect([listed.out.includes('{"ids":1}'), listed.out.includes(first.runId)]).toEqual([true, false]);
    expect((await oc(['bulk', 'show', bulkId])).out).toContain('3 of 3 done');
    expect((await oc(['bulk', 'stop', bulkId, '-o', 'json'])).json()).toMatchObject({ state: 'completed' });
    const empty = await oc(['bulk', 'start', 'cancel']);
    expect([empty.code, empty.err]).toEqual([2, expect.stringContaining('/filter')]);
  });
});
