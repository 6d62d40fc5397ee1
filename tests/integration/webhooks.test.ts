import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type {
  OutboundDeliveryBody,
  WebhookInSecretBody,
  WebhookOutSecretBody,
} from '@/lib/protocol/webhooks';
import { uuidv7 } from '@/lib/shared/ids';
import { verify } from '@/server/services/webhook-signature';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { type Received, WebhookReceiver } from '../support/webhook-receiver';

const quick = {
  schemaVersion: 1,
  name: 'quick',
  nodes: [{ id: 'a', kind: 'transform', output: { got: '${input}' } }],
  edges: [],
};
const patient = {
  schemaVersion: 1,
  name: 'patient',
  nodes: [{ id: 'gate', kind: 'wait', signal: 'go' }],
  edges: [],
};
const asking = {
  schemaVersion: 1,
  name: 'asking',
  nodes: [{ id: 'ask', kind: 'approval', title: 'Ship it?' }],
  edges: [],
};
const failing = {
  schemaVersion: 1,
  name: 'failing',
  nodes: [{ id: 'end', kind: 'terminate', status: 'failed', message: 'as asked' }],
  edges: [],
};

const IN = '/api/v1/webhooks/in';
const OUT = '/api/v1/webhooks/out';

/** Headers of Standard Webhooks, made here from its text and not by the code under test. */
function standard(secret: string, body: string, id: string, seconds = Math.floor(Date.now() / 1000)) {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const mac = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${mac}` };
}

describe('webhooks and alerts on real processes', () => {
  let database: TestDatabase;
  let sql: pg.Client;
  let receiver: WebhookReceiver;
  let engine: EngineProcess;
  let dataDir: string | undefined;

  const launch = async () => {
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      // One folder: the key that secrets are sealed under lies there.
      ...(dataDir === undefined ? {} : { dataDir }),
      env: {
        OPENCONDUCTOR_NETWORKS: 'public,loopback',
        OPENCONDUCTOR_WEBHOOK_RETRY_MS: '100',
        OPENCONDUCTOR_WEBHOOK_TIMEOUT_MS: '10000',
        OPENCONDUCTOR_WEBHOOK_DISABLE_AFTER_MS: '60000',
        OPENCONDUCTOR_ALERT_INTERVAL_MS: '500',
        OPENCONDUCTOR_MAX_BODY_BYTES: '32768',
      },
    });
    dataDir = engine.dataDir;
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client(database.adminUrl);
    await sql.connect();
    receiver = await WebhookReceiver.start();
    await launch();
    for (const definition of [quick, patient, asking, failing]) {
      const { status, body } = await engine.request('POST', '/api/v1/workflows', definition);
      expect([status, body.problems]).toEqual([201, undefined]);
    }
  });

  afterEach(async () => {
    receiver.answer = () => 204;
    for (const { name } of (await engine.request('GET', OUT)).body.items) {
      await engine.request('DELETE', `${OUT}/${name}`);
    }
  });

  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await receiver.stop();
    await sql.end();
    await database.drop();
  });

  const wayIn = async (spec: Record<string, unknown>): Promise<WebhookInSecretBody> => {
    const name = `in-${randomUUID().slice(0, 8)}`;
    const { status, body } = await engine.request('POST', IN, { name, ...spec });
    expect(status, JSON.stringify(body)).toBe(201);
    return body;
  };
  const subscribe = async (
    path: string,
    spec: Record<string, unknown> = {},
  ): Promise<WebhookOutSecretBody> => {
    const name = `out-${randomUUID().slice(0, 8)}`;
    const { status, body } = await engine.request('POST', OUT, { name, url: receiver.url + path, ...spec });
    expect(status, JSON.stringify(body)).toBe(201);
    return body;
  };
  const post = (hook: { path: string }, body: string, headers: Record<string, string>) =>
    engine.request('POST', hook.path, body, headers);
  const start = async (workflow: string, more: Record<string, unknown> = {}): Promise<string> => {
    const { status, body } = await engine.request('POST', '/api/v1/runs', { workflow, ...more });
    expect(status, JSON.stringify(body)).toBe(201);
    return body.runId;
  };
  /** A run that has begun: what was accepted need not have its first event, and with it its input, yet. */
  const runOf = (runId: string) =>
    eventually('the run has begun', async () => {
      const { body } = await engine.request('GET', `/api/v1/runs/${runId}`);
      return body.input !== null && body;
    });
  const deliveries = async (name: string): Promise<OutboundDeliveryBody[]> =>
    (await engine.request('GET', `${OUT}/${name}/deliveries`)).body.items;
  const to = (path: string): Received[] => receiver.received.filter((one) => one.path === path);

  describe('in', () => {
    it('starts one run for a delivery, however often it comes', async () => {
      const hook = await wayIn({
        action: {
          kind: 'start',
          workflow: 'quick',
          input: { order: '${body.order.id}', kind: '${headers["x-kind"]}', page: '${query.page}' },
        },
      });
      const body = JSON.stringify({ order: { id: 'o-1' } });
      const headers = { 'x-kind': 'paid', ...standard(hook.secret, body, 'msg_1') };
      const path = { path: `${hook.path}?page=7` };
      const first = await post(path, body, headers);
      expect([first.status, first.body.status]).toEqual([202, 'accepted']);
      const again = await Promise.all([post(path, body, headers), post(path, body, headers)]);
      for (const answer of again) {
        expect([answer.status, answer.body.status]).toEqual([202, 'repeated']);
        expect(answer.body.runId).toBe(first.body.runId);
      }
      const run = await eventually('the run completes', async () => {
        const found = await runOf(first.body.runId);
        return found.status === 'completed' && found;
      });
      expect(run.input).toEqual({ order: 'o-1', kind: 'paid', page: '7' });
      const { rows } = await sql.query<{ started_by: string }>(
        'SELECT started_by FROM workflow_run WHERE started_by = $1',
        [`webhook:${hook.name}`],
      );
      expect(rows).toHaveLength(1);
      const listed = await engine.request('GET', `${IN}/${hook.name}/deliveries`);
      expect(listed.body.items.map((one: { status: string }) => one.status)).toEqual([
        'repeated',
        'repeated',
        'accepted',
      ]);
    });

    it('takes deliveries that come at once for one', async () => {
      const hook = await wayIn({ action: { kind: 'start', workflow: 'quick' } });
      const headers = standard(hook.secret, '{"a":1}', 'msg_twin');
      const answers = await Promise.all([1, 2, 3, 4].map(() => post(hook, '{"a":1}', headers)));
      expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
      expect(new Set(answers.map(({ body }) => body.runId)).size).toBe(1);
      expect((await runOf(answers[0]?.body.runId)).input).toEqual({ a: 1 });
    });

    it('refuses what is not signed, signed wrongly, altered or too old, and starts nothing', async () => {
      const hook = await wayIn({ action: { kind: 'start', workflow: 'quick' } });
      const body = '{"x":1}';
      const good = standard(hook.secret, body, 'msg_bad');
      const old = Math.floor(Date.now() / 1000) - 301;
      const refused = [
        [{}, body, 'WEBHOOK_SIGNATURE_INVALID'],
        [
          { ...good, 'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}` },
          body,
          'WEBHOOK_SIGNATURE_INVALID',
        ],
        [good, '{"x":2}', 'WEBHOOK_SIGNATURE_INVALID'],
        [{ ...good, 'webhook-id': 'msg_other' }, body, 'WEBHOOK_SIGNATURE_INVALID'],
        [standard(hook.secret, body, 'msg_old', old), body, 'WEBHOOK_TOO_OLD'],
        [standard(hook.secret, body, 'msg_new', old + 900), body, 'WEBHOOK_TOO_OLD'],
      ] as const;
      for (const [headers, sent, code] of refused) {
        const answer = await post(hook, sent, headers as Record<string, string>);
        expect([answer.status, answer.body.code]).toEqual([401, code]);
      }
      const { body: list } = await engine.request('GET', `${IN}/${hook.name}/deliveries`);
      expect(list.items.map((one: { status: string }) => one.status)).toEqual(refused.map(() => 'refused'));
      const { rows } = await sql.query('SELECT 1 FROM workflow_run WHERE started_by = $1', [
        `webhook:${hook.name}`,
      ]);
      expect(rows).toEqual([]);
    });

    it('answers 404 to an unknown address, 410 to one that is off, 413 to a huge body', async () => {
      const nowhere = await post({ path: '/api/v1/hooks/nope' }, '{}', {});
      expect([nowhere.status, nowhere.body.code]).toEqual([404, 'WEBHOOK_NOT_FOUND']);
      const hook = await wayIn({ action: { kind: 'start', workflow: 'quick' }, enabled: false });
      const off = await post(hook, '{}', standard(hook.secret, '{}', 'msg_off'));
      expect([off.status, off.body.code]).toEqual([410, 'WEBHOOK_DISABLED']);
      const huge = JSON.stringify('x'.repeat(33_000));
      const large = await post(hook, huge, standard(hook.secret, huge, 'msg_huge'));
      expect([large.status, large.body.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    });

    it('signals the open run of a workflow id, once for a delivery', async () => {
      const workflowId = `order-${randomUUID()}`;
      const runId = await start('patient', { workflowId });
      const hook = await wayIn({
        action: { kind: 'signal', workflowId: '${body.id}', signal: 'go', payload: { ok: '${body.ok}' } },
      });
      const body = JSON.stringify({ id: workflowId, ok: true });
      const headers = standard(hook.secret, body, 'msg_signal');
      const answer = await post(hook, body, headers);
      expect([answer.status, answer.body.runId]).toEqual([202, runId]);
      await eventually('the run completes', async () => (await runOf(runId)).status === 'completed');
      // The run is closed by now; the same delivery is still answered as it was.
      const again = await post(hook, body, headers);
      expect([again.status, again.body.status, again.body.runId]).toEqual([202, 'repeated', runId]);
      const { body: events } = await engine.request('GET', `/api/v1/runs/${runId}/events`);
      const signals = events.items.filter(
        (event: { type: string }) => event.type === 'WORKFLOW_EXECUTION_SIGNALED',
      );
      expect(signals).toHaveLength(1);
      expect(signals[0].data).toMatchObject({
        name: 'go',
        payload: { ok: true },
        by: `webhook:${hook.name}`,
      });
      const late = await post(hook, body, standard(hook.secret, body, 'msg_late'));
      expect([late.status, late.body.code]).toEqual([404, 'RUN_NOT_FOUND']);
    });

    it("checks GitHub's signature, and ignores what the condition leaves out", async () => {
      const hook = await wayIn({
        scheme: 'github',
        when: 'headers["x-github-event"] == "push"',
        action: { kind: 'start', workflow: 'quick', input: { ref: '${body.ref}' } },
      });
      const body = JSON.stringify({ ref: 'refs/heads/main' });
      const mac = createHmac('sha256', hook.secret).update(body).digest('hex');
      const headers = (event: string) => ({
        'x-hub-signature-256': `sha256=${mac}`,
        'x-github-delivery': `gh-${event}`,
        'x-github-event': event,
      });
      const ping = await post(hook, body, headers('ping'));
      expect([ping.status, ping.body.status, ping.body.runId]).toEqual([202, 'ignored', null]);
      const push = await post(hook, body, headers('push'));
      expect([push.status, push.body.status]).toEqual([202, 'accepted']);
      expect((await runOf(push.body.runId)).input).toEqual({ ref: 'refs/heads/main' });
      const bad = await post(hook, `${body} `, headers('push'));
      expect([bad.status, bad.body.code]).toEqual([401, 'WEBHOOK_SIGNATURE_INVALID']);
    });

    it('rotates: old and new secret are good for a while, after a second rotation without grace only the newest', async () => {
      const hook = await wayIn({ action: { kind: 'start', workflow: 'quick' } });
      const { body: next } = await engine.request('POST', `${IN}/${hook.name}/rotate`, {});
      expect(next.secret).toMatch(/^whsec_/);
      expect(next.secret).not.toBe(hook.secret);
      const ask = async (secret: string, id: string) =>
        (await post(hook, '{}', standard(secret, '{}', id))).status;
      expect([await ask(hook.secret, 'r1'), await ask(next.secret, 'r2')]).toEqual([202, 202]);
      const { body: last } = await engine.request('POST', `${IN}/${hook.name}/rotate`, { graceSeconds: 0 });
      expect([
        await ask(hook.secret, 'r3'),
        await ask(next.secret, 'r4'),
        await ask(last.secret, 'r5'),
      ]).toEqual([401, 401, 202]);
      const { body: shown } = await engine.request('GET', `${IN}/${hook.name}`);
      expect(JSON.stringify(shown)).not.toContain('whsec_');
      const { rows } = await sql.query<{ t: string }>('SELECT w::text AS t FROM webhook_in w');
      expect(rows.map(({ t }) => t).join('\n')).not.toContain('whsec_');
    });

    it('two editors: the second one, who has not seen the change of the first, is refused', async () => {
      const hook = await wayIn({ action: { kind: 'start', workflow: 'quick' } });
      const read = await engine.request('GET', `${IN}/${hook.name}`);
      const etag = read.headers.get('etag') ?? '';
      const spec = { action: { kind: 'start', workflow: 'patient' } };
      const put = () => engine.request('PUT', `${IN}/${hook.name}`, spec, { 'if-match': etag });
      expect((await put()).status).toBe(200);
      const second = await put();
      expect([second.status, second.body.code]).toEqual([412, 'VERSION_CONFLICT']);
    });
  });

  describe('out', () => {
    it('tells of a run after its commit, signed, without what the run worked on', async () => {
      const path = `/${randomUUID()}`;
      const hook = await subscribe(path, { workflow: 'quick' });
      await start('patient');
      const runId = await start('quick', { input: { password: 'hunter2' } });
      await eventually('both are told', () => to(path).length >= 2);
      const told = receiver.bodies<{ type: string }>(path).sort((a, b) => (a.type < b.type ? -1 : 1));
      expect(told).toMatchObject([
        { type: 'run.completed', data: { runId, workflow: 'quick' } },
        { type: 'run.started', data: { runId, workflow: 'quick', version: 1 } },
      ]);
      expect(
        to(path)
          .map(({ text }) => text)
          .join(),
      ).not.toContain('hunter2');
      for (const one of to(path)) {
        const headers = new Headers(one.headers as Record<string, string>);
        const sent = verify('standard', [hook.secret], headers, Buffer.from(one.text), Date.now());
        expect((await deliveries(hook.name)).map(({ id }) => id)).toContain(sent.deliveryId);
      }
      const settled = await eventually('both are written down', async () => {
        const rows = await deliveries(hook.name);
        return rows.length === 2 && rows.every(({ state }) => state === 'delivered') && rows;
      });
      expect(settled[0]).toMatchObject({ attempts: 1, status: 204, error: null });
    });

    it('tries again after errors, under the same id, until it is taken', async () => {
      const path = `/${randomUUID()}`;
      receiver.answer = (one) => (one.path === path && to(path).length < 3 ? 500 : 204);
      const hook = await subscribe(path, { events: ['run.completed'] });
      await start('quick');
      const row = await eventually('it is delivered', async () =>
        (await deliveries(hook.name)).find(({ state }) => state === 'delivered'),
      );
      expect(row.attempts).toBe(4);
      expect(row.history.map(({ status }) => status)).toEqual([500, 500, 500, 204]);
      expect(new Set(to(path).map(({ headers }) => headers['webhook-id']))).toEqual(new Set([row.id]));
    });

    it('a kill -9 between attempts: the next process delivers it, and what was committed meanwhile', async () => {
      const path = `/${randomUUID()}`;
      receiver.answer = () => 503;
      const hook = await subscribe(path, { events: ['run.completed'] });
      const runId = await start('quick');
      await eventually('it is tried', () => to(path).length >= 2);
      await engine.end('SIGKILL');
      receiver.answer = () => 204;
      const before = to(path).length;
      await launch();
      await eventually('it comes', () => to(path).length > before);
      expect(JSON.parse(to(path).at(-1)?.text ?? '')).toMatchObject({ data: { runId } });
      const row = await eventually('it is written down', async () =>
        (await deliveries(hook.name)).find(({ state }) => state === 'delivered'),
      );
      expect(new Set(to(path).map(({ headers }) => headers['webhook-id']))).toEqual(new Set([row.id]));
    });

    it('a kill -9 between commit and delivery loses nothing', async () => {
      const path = `/${randomUUID()}`;
      await subscribe(path, { events: ['run.started', 'run.completed'] });
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.push(await start('quick'));
      await engine.end('SIGKILL');
      await launch();
      await eventually('every run is told of', () => {
        const told = receiver.bodies<{ type: string; data: { runId: string } }>(path);
        return ids.every((id) =>
          ['run.started', 'run.completed'].every((type) =>
            told.some((one) => one.type === type && one.data.runId === id),
          ),
        );
      });
      // Sent twice at most where the first answer was lost, and then under one id.
      const byId = new Map(to(path).map(({ headers, text }) => [headers['webhook-id'], text]));
      expect(byId.size).toBe(10);
    });

    it('gives up when the receiver is gone, tells another subscription, and replays once it is on again', async () => {
      const [path, other] = [`/${randomUUID()}`, `/${randomUUID()}`];
      receiver.answer = (one) => (one.path === path ? 410 : 204);
      const hook = await subscribe(path, { events: ['run.completed'] });
      await subscribe(other, { events: ['webhook.disabled'] });
      await start('quick');
      const off = await eventually('it is switched off', async () => {
        const { body } = await engine.request('GET', `${OUT}/${hook.name}`);
        return body.enabled === false && body;
      });
      expect(off.disabledReason).toContain('410');
      await eventually('the other hears of it', () => to(other).length === 1);
      expect(receiver.bodies(other)[0]).toMatchObject({
        type: 'webhook.disabled',
        data: { webhook: hook.name },
      });
      const refused = await engine.request('POST', `${OUT}/${hook.name}/replay`, {
        since: '2026-01-01T00:00:00Z',
      });
      expect([refused.status, refused.body.code]).toEqual([410, 'WEBHOOK_DISABLED']);
      receiver.answer = () => 204;
      await engine.request('PUT', `${OUT}/${hook.name}`, { events: ['run.completed'] });
      const replay = await engine.request('POST', `${OUT}/${hook.name}/replay`, {
        since: '2026-01-01T00:00:00Z',
      });
      expect(replay.body).toEqual({ replayed: 1 });
      const row = await eventually('it is delivered', async () =>
        (await deliveries(hook.name)).find(({ state }) => state === 'delivered'),
      );
      expect(row.replays).toBe(1);
      const one = await engine.request('POST', `${OUT}/${hook.name}/deliveries/${row.id}/replay`);
      expect([one.status, one.body.state]).toEqual([202, 'waiting']);
      await eventually('it comes once more', () => to(path).length === 3);
      expect(new Set(to(path).map(({ headers }) => headers['webhook-id']))).toEqual(new Set([row.id]));
    });

    it('switches off what has failed for too long', async () => {
      const path = `/${randomUUID()}`;
      receiver.answer = (one) => (one.path === path ? 500 : 204);
      const hook = await subscribe(path, { events: ['run.completed'] });
      await start('quick');
      await eventually('it fails', async () => {
        const { body } = await engine.request('GET', `${OUT}/${hook.name}`);
        return body.failingSince !== null;
      });
      await sql.query(`UPDATE webhook_out SET failing_since = now() - interval '2 minutes' WHERE name = $1`, [
        hook.name,
      ]);
      const off = await eventually('it is switched off', async () => {
        const { body } = await engine.request('GET', `${OUT}/${hook.name}`);
        return body.enabled === false && body;
      });
      expect(off.disabledReason).toContain('HTTP 500');
      expect(off.disabledAt).not.toBeNull();
    });

    it('sends a sample in the form of Slack, Teams and our own', async () => {
      for (const format of ['generic', 'slack', 'teams'] as const) {
        const path = `/${randomUUID()}`;
        const hook = await subscribe(path, { format });
        expect(hook.target.includes(path)).toBe(format === 'generic');
        const { status, body } = await engine.request('POST', `${OUT}/${hook.name}/test`);
        expect([status, body.event]).toEqual([202, 'webhook.test']);
        await eventually('it comes', () => to(path).length === 1);
        const sent = receiver.bodies(path)[0];
        if (format === 'generic') expect(sent).toMatchObject({ type: 'webhook.test' });
        if (format === 'slack') expect(sent).toMatchObject({ blocks: [{ type: 'header' }, {}, {}] });
        if (format === 'teams') {
          expect(sent).toMatchObject({
            type: 'message',
            attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive' }],
          });
        }
      }
    });

    it('tells of approvals, and of runs in the dead letters', async () => {
      const path = `/${randomUUID()}`;
      await subscribe(path, {
        events: ['approval.requested', 'approval.decided', 'approval.closed', 'run.dead_letter'],
      });
      const runId = await start('asking');
      const has = (type: string) => () =>
        receiver
          .bodies<{ type: string; data: Record<string, unknown> }>(path)
          .find((one) => one.type === type);
      const asked = await eventually('it asks', has('approval.requested'));
      expect(asked.data).toMatchObject({ runId, title: 'Ship it?' });
      await engine.request('POST', `/api/v1/runs/${runId}/approve`, { comment: 'fine' });
      expect((await eventually('decided', has('approval.decided'))).data).toMatchObject({
        decision: 'approve',
        comment: 'fine',
      });
      await eventually('closed', has('approval.closed'));
      const lost = await start('patient');
      await eventually('it waits', async () => (await runOf(lost)).historyLength > 1);
      // As the loader leaves a run that it gives up: a row without an event.
      await sql.query(
        `UPDATE workflow_run SET status = 'dead_letter', closed_at = now(), wake_at = 'infinity',
           failure = '{"code":"DEAD_LETTER","message":"Given up."}' WHERE run_id = $1`,
        [lost],
      );
      const dead = await eventually('given up', has('run.dead_letter'));
      expect(dead.data).toMatchObject({ runId: lost, failure: { code: 'DEAD_LETTER' } });
    });

    it('an absurd deadline is refused; one that an older version recorded stops neither webhooks nor the list of tasks', async () => {
      const [ask] = asking.nodes;
      const far = { ...asking, name: 'far', nodes: [{ ...ask, deadline: '100000000d' }] };
      const refused = await engine.request('POST', '/api/v1/workflows', far);
      expect([refused.status, refused.body.problems[0]?.pointer]).toEqual([422, '/nodes/0/deadline']);

      const path = `/${randomUUID()}`;
      await subscribe(path, { events: ['approval.requested', 'run.completed'] });
      const model = await start('asking');
      await eventually('it asks', () => to(path).length === 1);
      // Its history once more, with the deadline, under a shard that nobody owns.
      const runId = uuidv7(Date.now(), randomBytes(10));
      await sql.query(
        `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, started_by,
           history_length)
         SELECT $1, organization_id, 'far', workflow, version, definition_hash, 32000, started_by, 2
         FROM workflow_run WHERE run_id = $2`,
        [runId, model],
      );
      const { rows } = await sql.query<{ organization_id: string }>(
        `INSERT INTO workflow_event (run_id, seq, organization_id, type, at, data)
         SELECT $1, seq, organization_id, type, at, (CASE WHEN type = 'APPROVAL_REQUESTED'
           THEN data::jsonb || '{"deadline": 8641800000000000}' ELSE data::jsonb END)::json
         FROM workflow_event WHERE run_id = $2 AND seq <= 3 RETURNING organization_id`,
        [runId, model],
      );
      await sql.query('INSERT INTO event_outbox (organization_id, refs, event_count) VALUES ($1, $2, $3)', [
        rows[0]?.organization_id,
        JSON.stringify([[runId, 1, rows.length]]),
        rows.length,
      ]);
      await eventually('it is told, too', () => to(path).length === 2);
      const deadline = '9999-12-31T23:59:59.999Z';
      expect(receiver.bodies(path)[1]).toMatchObject({
        type: 'approval.requested',
        data: { runId, deadline },
      });
      await start('quick');
      await eventually('and what comes after it', () => to(path).length === 3);
      const tasks = await engine.request('GET', '/api/v1/tasks');
      expect(tasks.status).toBe(200);
      expect(tasks.body.items).toContainEqual(expect.objectContaining({ runId, kind: 'approval', deadline }));
      await sql.query('DELETE FROM workflow_run WHERE run_id = $1', [runId]);
      await engine.request('POST', `/api/v1/runs/${model}/terminate`, {});
    });

    it('reaches no address that the process may not reach', async () => {
      for (const url of ['http://169.254.169.254/latest', 'http://10.0.0.1/', 'http://user:pw@127.0.0.1/']) {
        const { status } = await engine.request('POST', OUT, { name: 'evil', url });
        expect(status, url).toBeGreaterThanOrEqual(400);
        expect(status, url).toBeLessThan(404);
      }
    });
  });

  describe('alerts', () => {
    it('more than 10 % of the runs failed: raised, told by webhook and on the stream within a minute; resolved after', async () => {
      const path = `/${randomUUID()}`;
      await subscribe(path, { events: ['alert.raised', 'alert.resolved'] });
      const begun = Date.now();
      for (let i = 0; i < 20; i++) await start('failing');
      await eventually('it is told', () => to(path).length >= 1, 60_000);
      expect(Date.now() - begun).toBeLessThan(60_000);
      expect(receiver.bodies(path)[0]).toMatchObject({
        type: 'alert.raised',
        data: { rule: 'failure-rate', threshold: 10 },
      });
      const { body } = await engine.request('GET', '/api/v1/alerts?state=firing');
      expect(body.items).toMatchObject([{ rule: 'failure-rate', state: 'firing', subject: null }]);
      const stream = await engine.request('GET', '/api/v1/events?topic=alerts');
      expect(stream.body.items).toMatchObject([
        { streamSeq: 1, event: { type: 'ALERT_RAISED', runId: body.items[0].id } },
      ]);

      const rules = await engine.request('GET', '/api/v1/alerts/rules');
      const etag = rules.headers.get('etag') ?? '';
      const put = (more: Record<string, unknown>) =>
        engine.request('PUT', '/api/v1/alerts/rules', more, { 'if-match': etag });
      const changed = await put({ 'failure-rate': { abovePercent: 100 }, resolveAfterSeconds: 0 });
      expect(changed.status).toBe(200);
      const stale = await put({});
      expect([stale.status, stale.body.code]).toEqual([412, 'VERSION_CONFLICT']);
      await eventually('it is resolved', () => to(path).length >= 2);
      expect(receiver.bodies(path)[1]).toMatchObject({ type: 'alert.resolved' });
      const after = await engine.request('GET', '/api/v1/alerts');
      expect(after.body.items).toMatchObject([{ state: 'resolved' }]);
    });

    it('the queue is too deep, a server does not answer, a breaker is open: each is an alert of its own', async () => {
      const path = `/${randomUUID()}`;
      await subscribe(path, { events: ['alert.raised'] });
      const { rows } = await sql.query<{ id: string }>('SELECT id FROM organization LIMIT 1');
      const organization = rows[0]?.id;
      const read = await engine.request('GET', '/api/v1/alerts/rules');
      await engine.request(
        'PUT',
        '/api/v1/alerts/rules',
        { 'queue-depth': { above: 5 }, 'failure-rate': { enabled: false }, resolveAfterSeconds: 0 },
        { 'if-match': read.headers.get('etag') ?? '' },
      );
      // A shard that nobody owns: the rows stay.
      await sql.query(
        `INSERT INTO workflow_inbox (shard, organization_id, run_id, event_type, data)
         SELECT 32000, $1, gen_random_uuid(), 'WORKFLOW_EXECUTION_SIGNALED', '{}' FROM generate_series(1, 6)`,
        [organization],
      );
      await sql.query(
        `INSERT INTO server_health (organization_id, server, at, state, latency_ms)
         SELECT $1, 'far', now() - make_interval(secs => n), 'UNREACHABLE', 1 FROM generate_series(1, 3) AS n`,
        [organization],
      );
      await sql.query(
        `INSERT INTO alert_observation (organization_id, rule, subject, reporter, seen_at)
         VALUES ($1, 'breaker-open', 'weak', gen_random_uuid(), clock_timestamp())`,
        [organization],
      );
      await eventually('all are told', () => to(path).length >= 3);
      const told = receiver
        .bodies<{ data: { rule: string; subject: string | null } }>(path)
        .map(({ data }) => [data.rule, data.subject]);
      expect(told).toEqual(
        expect.arrayContaining([
          ['queue-depth', null],
          ['server-unreachable', 'far'],
          ['breaker-open', 'weak'],
        ]),
      );
    });
  });
});
