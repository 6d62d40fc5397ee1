import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCliProcess } from '../support/cli-process';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { WebhookReceiver } from '../support/webhook-receiver';

const run = promisify(execFile);
const DOCS = resolve(import.meta.dirname, '../../docs/webhooks.md');

/** The shell session of docs/webhooks.md that signs and sends a delivery, as it is written there. */
function signingSession(): string {
  const lines = readFileSync(DOCS, 'utf8').split('\n');
  const from = lines.findIndex((line) => line.startsWith("    SECRET='"));
  const to = lines.findIndex((line, at) => at > from && line.trim() === '');
  return lines
    .slice(from, to)
    .map((line) => line.slice(4))
    .join('\n');
}

describe('openconductor hook, webhook and alert', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let receiver: WebhookReceiver;
  let folder: string;
  const oc = (...line: string[]) => runCliProcess(line, { url: engine.url, cwd: folder });
  const json = async <T>(...line: string[]): Promise<T> => {
    const { out, err, code } = await oc(...line, '-o', 'json');
    expect([err, code]).toEqual(['', 0]);
    return JSON.parse(out) as T;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'oc-webhooks-'));
    database = await createTestDatabase();
    receiver = await WebhookReceiver.start();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      // A delivery that failed is not tried again while the test looks at it.
      env: { OPENCONDUCTOR_NETWORKS: 'public,loopback', OPENCONDUCTOR_WEBHOOK_RETRY_MS: '600000' },
    });
    const nodes = [{ id: 'a', kind: 'transform', output: { ok: true } }];
    const body = { schemaVersion: 1, name: 'quick', nodes, edges: [] };
    expect((await engine.request('POST', '/api/v1/workflows', body)).status).toBe(201);
  });

  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await receiver.stop();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  it('an address from its making to its end, posted to as the documentation shows', async () => {
    const made = await json<{ secret: string; path: string }>('hook', 'add', 'orders', '--workflow', 'quick');
    const session = signingSession()
      .replace(/^SECRET=.*$/m, `SECRET='${made.secret}'`)
      .replace(/^URL=.*$/m, `URL='${engine.url}${made.path}'`);
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', session]);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'accepted' });
    const { runId } = JSON.parse(stdout) as { runId: string };
    // Accepted is not yet begun: the input is in the run's first event.
    const input = async () => (await engine.request('GET', `/api/v1/runs/${runId}`)).body.input;
    await eventually('the run has begun', async () => (await input()) !== null);
    expect(await input()).toEqual({ order: { id: 'o-1' } });

    expect((await oc('hook', 'list')).out).toMatch(/orders +on +start quick +standard/);
    expect((await oc('hook', 'deliveries', 'orders')).out).toMatch(
      new RegExp(`accepted +msg_\\d+ +${runId}`),
    );
    const edited = await json('hook', 'edit', 'orders', '--when', 'body.x == 1', '--state', 'off');
    expect(edited).toMatchObject({ enabled: false, when: 'body.x == 1', action: { workflow: 'quick' } });
    const wrong = await oc('hook', 'edit', 'orders', '--when', 'nobody.x');
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('nobody')]);
    const rotated = await json<{ secret: string }>('hook', 'rotate', 'orders', '--grace', '1h');
    expect(rotated.secret).not.toBe(made.secret);
    expect((await oc('hook', 'show', 'orders')).out).not.toContain('whsec_');
    expect((await oc('hook', 'remove', 'orders', '--yes')).out).toContain('✓ Address orders removed');
    expect((await oc('hook', 'show', 'orders')).code).not.toBe(0);
  });

  it('a subscription from its making to its end', async () => {
    const url = `${receiver.url}/ops`;
    const added = await oc('webhook', 'add', 'ops', url, '--events', 'run.completed,run.failed');
    expect([added.err, added.code]).toEqual(['', 0]);
    expect(added.out).toMatch(/secret whsec_/);
    expect((await oc('webhook', 'test', 'ops')).out).toMatch(/✓ Delivered +HTTP 204 in \d+ ms/);
    receiver.answer = () => 500;
    const failed = await oc('webhook', 'test', 'ops');
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining('HTTP 500')]);
    receiver.answer = () => 204;
    const sent = await json<{ id: string; state: string }[]>('webhook', 'deliveries', 'ops');
    expect(sent.map(({ state }) => state).sort()).toEqual(['delivered', 'waiting']);
    const done = sent.find(({ state }) => state === 'delivered');
    expect((await oc('webhook', 'replay', 'ops', done?.id ?? '')).out).toContain('1 delivery waits');
    await eventually('it comes again', () => receiver.received.length >= 3, 30_000);
    expect(receiver.received[2]?.headers['webhook-id']).toBe(done?.id);
    const since = await json('webhook', 'replay', 'ops', '--since', '2026-01-01T00:00:00Z');
    expect(since).toEqual({ replayed: 0 });
    expect((await oc('webhook', 'replay', 'ops')).code).toBe(2);
    const edited = await json('webhook', 'edit', 'ops', '--format', 'slack');
    expect(edited).toMatchObject({ format: 'slack', events: ['run.completed', 'run.failed'], enabled: true });
    expect((await oc('webhook', 'list')).out).toMatch(/ops +(on|failing) +slack +run\.completed run\.failed/);
    expect((await oc('webhook', 'remove', 'ops', '--yes')).out).toContain('✓ Subscription ops removed');
  });

  it('alerts and their rules', async () => {
    expect((await oc('alert', 'list')).out).toContain('No alerts.');
    const set = await json('alert', 'set', '{"failure-rate":{"abovePercent":25}}');
    expect(set).toMatchObject({
      'failure-rate': { abovePercent: 25, minutes: 5 },
      'queue-depth': { above: 10_000 },
    });
    expect((await oc('alert', 'rules')).out).toMatch(/failure-rate +\{.*"abovePercent":25/);
    const wrong = await oc('alert', 'set', '{"failure-rate":{"abovePercent":250}}');
    expect(wrong.code).toBe(2);
  });
});
