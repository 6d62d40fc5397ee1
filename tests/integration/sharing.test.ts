import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signedHeaders } from '@/server/services/webhook-signature';
import { eventually } from '../support/eventually';
import { type Person, type SharingWorld, sharingWorld } from '../support/sharing-world';
import { plainWorkflow } from './rest-cases/definitions';

const CANARY = 'canary-9b1e';
const WORKFLOW = `/api/v1/workflows/${CANARY}`;

/** Asks a person, then waits: in its history and its tasks. */
const asking = (name: string) => ({
  schemaVersion: 1,
  name,
  nodes: [{ id: 'ask', kind: 'approval', title: `${name}?` }],
});

/** Starts the canary. */
const parent = (name: string) => ({
  schemaVersion: 1,
  name,
  nodes: [{ id: 'sub', kind: 'subworkflow', workflow: CANARY }],
});

interface Documented {
  id: string;
  method: string;
  path: string;
  /** The schema of the body as text. */
  body: string;
}

describe('a restricted workflow', () => {
  let w: SharingWorld;
  let ada: Person;
  let mia: Person;
  let otto: Person;
  let vera: Person;
  let runId: string;
  let viewId: string;
  let documented: Documented[];

  const make = async (who: Person, method: string, path: string, body?: unknown) => {
    const answer = await w.ask(who, method, path, body);
    expect(answer.status, `${method} ${path}: ${answer.text}`).toBeLessThan(300);
    return answer.body;
  };
  const restrict = async (shares: { subject: string; level: string }[] = [], restricted = true) => {
    const answer = await w.share(ada, WORKFLOW, restricted, shares);
    expect(answer.status, answer.text).toBe(200);
  };
  const until = (id: string, status: string) =>
    eventually(
      `${id} is ${status}`,
      async () => (await w.ask(ada, 'GET', `/api/v1/runs/${id}`)).body.status === status,
    );

  beforeAll(async () => {
    w = await sharingWorld();
    ada = await w.person('ada', 'admin');
    mia = await w.person('mia', 'maker');
    otto = await w.person('otto', 'operator');
    vera = await w.person('vera', 'viewer');
    await make(ada, 'POST', '/api/v1/workflows', asking(CANARY));
    await make(ada, 'POST', '/api/v1/workflows', plainWorkflow('open'));
    await make(ada, 'POST', '/api/v1/workflows', parent('parent'));
    runId = (await make(ada, 'POST', '/api/v1/runs', { workflow: CANARY, workflowId: CANARY })).runId;
    await make(ada, 'POST', '/api/v1/runs', { workflow: 'open' });
    await make(ada, 'POST', '/api/v1/schedules', { name: CANARY, workflow: CANARY, cron: '0 3 * * *' });
    await make(ada, 'POST', '/api/v1/webhooks/in', {
      name: CANARY,
      action: { kind: 'start', workflow: CANARY },
    });
    await make(ada, 'POST', '/api/v1/webhooks/out', {
      name: CANARY,
      url: 'http://127.0.0.1:1/',
      workflow: CANARY,
    });
    await make(ada, 'POST', '/api/v1/bulk-operations', { action: 'pause', filter: { workflow: CANARY } });
    await eventually('the run asks', async () =>
      (await w.ask(ada, 'GET', '/api/v1/tasks')).body.items.some(
        (task: { runId: string }) => task.runId === runId,
      ),
    );
    await eventually('the stream tells of it', async () =>
      (await w.ask(ada, 'GET', '/api/v1/events')).text.includes(runId),
    );
    viewId = (await make(ada, 'POST', '/api/v1/views', { name: CANARY, shared: true, filters: {} })).viewId;
    const { body } = await w.ask(ada, 'GET', '/api/v1/openapi.json');
    documented = Object.entries(body.paths).flatMap(([path, item]) =>
      Object.entries(item as Record<string, { operationId: string; requestBody?: unknown }>).map(
        ([method, of]) => ({
          id: of.operationId,
          method: method.toUpperCase(),
          path,
          body: withReferences(JSON.stringify(of.requestBody ?? {}), body.components.schemas),
        }),
      ),
    );
  });
  afterAll(async () => {
    await w.end();
  });

  /** Operations on something that people find in a list: asked with the canary's name, where another kind of thing has it. */
  const named = () =>
    documented.filter(({ path }) =>
      /^\/api\/v1\/(schedules|webhooks\/in|webhooks\/out)\/\{name\}/.test(path),
    );

  it('is seen by everybody before, by its lists, runs and stream', async () => {
    for (const who of [mia, otto, vera]) {
      for (const path of [
        'workflows',
        'runs',
        'tasks',
        'schedules',
        'events',
        'webhooks/in',
        'webhooks/out',
        'views',
      ])
        expect((await w.ask(who, 'GET', `/api/v1/${path}`)).text, path).toContain(CANARY);
      expect((await w.ask(who, 'GET', `/api/v1/runs/${runId}`)).status).toBe(200);
    }
  });

  it('does not exist for who has no share: every operation that takes its name or one of its runs answers 404', async () => {
    await restrict();
    await w.share(ada, `/api/v1/views/${viewId}`, true, []);
    const wrong: string[] = [];
    const asked = documented.filter(({ path }) => /\/workflows\/\{name\}|\{runId\}|\{viewId\}/.test(path));
    const values: Record<string, string> = {
      name: CANARY,
      runId,
      viewId,
      version: '1',
      seq: '1',
      sha256: 'a'.repeat(64),
    };
    const fill = (path: string) =>
      path.replace(/\{(\w+)\}/g, (_all, name: string) => values[name] ?? randomUUID());
    for (const { id, method, path } of [...asked, ...named()]) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : {};
      const { status, code } = await w.ask(mia, method, fill(path), body);
      const isFound = status !== 404 || !/^(WORKFLOW|RUN|VIEW|SCHEDULE|WEBHOOK)_NOT_FOUND$/.test(code ?? '');
      // What a body must hold is checked before a schedule or webhook is looked for.
      const isRefusedBefore = named().some((of) => of.id === id) && code === 'INVALID_INPUT';
      if (isFound && !isRefusedBefore) wrong.push(`${id}: ${status} ${code}`);
    }
    expect(wrong).toEqual([]);
    expect(asked.length).toBeGreaterThan(30);
  });

  it('does not exist for who names it in a body either', async () => {
    const spec = { workflow: CANARY, cron: '0 4 * * *' };
    const action = { kind: 'start', workflow: CANARY };
    const out = { name: 'mine', url: 'http://127.0.0.1:1/', workflow: CANARY };
    await make(mia, 'POST', '/api/v1/schedules', { name: 'mine', workflow: 'open', cron: '0 4 * * *' });
    await make(mia, 'POST', '/api/v1/webhooks/in', {
      name: 'mine',
      action: { kind: 'start', workflow: 'open' },
    });
    await make(mia, 'POST', '/api/v1/webhooks/out', { ...out, workflow: undefined });
    const bodies: Record<string, { path: string; body: unknown } | 'says nothing of it'> = {
      startRun: { path: '/api/v1/runs', body: { workflow: CANARY } },
      createSchedule: { path: '/api/v1/schedules', body: { name: 'other', ...spec } },
      replaceSchedule: { path: '/api/v1/schedules/mine', body: spec },
      createWebhookIn: { path: '/api/v1/webhooks/in', body: { name: 'other', action } },
      replaceWebhookIn: { path: '/api/v1/webhooks/in/mine', body: { action } },
      createWebhookOut: { path: '/api/v1/webhooks/out', body: { ...out, name: 'other' } },
      replaceWebhookOut: { path: '/api/v1/webhooks/out/mine', body: { ...out, name: undefined } },
      createBulkOperation: {
        path: '/api/v1/bulk-operations',
        body: { action: 'cancel', filter: { workflow: CANARY } },
      },
      // A view keeps the name that it was given; its runs are looked for when it is used.
      createView: 'says nothing of it',
      replaceView: 'says nothing of it',
    };
    const naming = documented.filter(({ body }) => /"workflow":\{/.test(body)).map(({ id }) => id);
    expect(naming.sort()).toEqual(Object.keys(bodies).sort());
    for (const [id, asked] of Object.entries(bodies)) {
      if (asked === 'says nothing of it') continue;
      const method = documented.find((of) => of.id === id)?.method ?? '';
      const { status, code, text } = await w.ask(mia, method, asked.path, asked.body);
      expect({ id, status, code }, text).toEqual({ id, status: 404, code: 'WORKFLOW_NOT_FOUND' });
    }
    const published = await w.ask(mia, 'POST', '/api/v1/workflows', asking(CANARY));
    expect(published.code).toBe('WORKFLOW_NOT_FOUND');
    const calling = await w.ask(mia, 'POST', '/api/v1/workflows', parent('detour'));
    expect(calling.code).toBe('WORKFLOW_NOT_FOUND');
  });

  it('is in no list, page or stream of who has no share', async () => {
    const wrong: string[] = [];
    const lists = documented.filter(({ method, path }) => method === 'GET' && !path.includes('{'));
    for (const { id, path } of lists) {
      if (id === 'getOpenApi') continue;
      for (const who of [mia, otto, vera]) {
        const { text } = await w.ask(who, 'GET', path);
        if (text.includes(CANARY) || text.includes(runId)) wrong.push(`${id}: ${text.slice(0, 300)}`);
      }
    }
    for (const query of [`workflow=${CANARY}`, `workflowId=${CANARY}`]) {
      const { body } = await w.ask(otto, 'GET', `/api/v1/runs?${query}`);
      expect(body.items, query).toEqual([]);
    }
    expect(wrong).toEqual([]);
    expect(lists.length).toBeGreaterThan(15);
    expect((await w.ask(ada, 'GET', '/api/v1/runs')).text).toContain(CANARY);
    const plan = await w.ask(otto, 'GET', '/api/v1/workflows/parent/plan');
    expect(plan.body.subworkflows).toEqual([{ name: CANARY, found: false }]);
    const metrics = await w.ask(ada, 'GET', '/api/v1/quotas');
    expect(metrics.text).toBe((await w.ask(mia, 'GET', '/api/v1/quotas')).text);
  });

  it('shows nothing over the socket, server-sent events and long polls; visible events beside it still come, without a hole', async () => {
    await restrict([{ subject: `user:${vera.email}`, level: 'read' }]);
    const [stranger, friend] = [await w.watch(otto), await w.watch(vera)];
    const { headers, body: stream } = await w.runtime.handle(
      new Request(`${w.url}/api/v1/events?follow&after=0`, {
        headers: { authorization: `Bearer ${otto.key}` },
      }),
    );
    expect(headers.get('content-type')).toContain('event-stream');
    const reader = (stream as ReadableStream<Uint8Array>).getReader();
    const { body: page } = await w.ask(otto, 'GET', '/api/v1/events?limit=1000');
    const after = page.items.at(-1).streamSeq as number;
    const poll = w.ask(otto, 'GET', `/api/v1/events?after=${after}&waitMs=30000`);

    const hidden = (await make(ada, 'POST', '/api/v1/runs', { workflow: CANARY, workflowId: `${CANARY}-2` }))
      .runId;
    await eventually('the friend sees it', () => friend.text().includes(hidden));
    const visible = (await make(ada, 'POST', '/api/v1/runs', { workflow: 'open' })).runId;
    await until(visible, 'completed');
    await eventually('the stranger sees the other', () => stranger.text().includes(visible));
    await eventually('the friend sees the other', () => friend.text().includes(visible));

    expect(stranger.text()).not.toContain(CANARY);
    expect(stranger.text()).not.toContain(hidden);
    expect((await poll).text).not.toContain(CANARY);
    expect((await poll).text).toContain(visible);
    let text = '';
    while (!text.includes(visible)) text += new TextDecoder().decode((await reader.read()).value);
    expect(text).not.toContain(CANARY);
    await reader.cancel();
    const numbers = (stranger.told as { items: { streamSeq: number }[]; hidden?: number[] }[])
      .flatMap(({ items, hidden: kept = [] }) => [...items.map(({ streamSeq }) => streamSeq), ...kept])
      .sort((one, other) => one - other);
    const distinct = [...new Set(numbers)];
    expect(distinct).toEqual(distinct.map((_, i) => (distinct[0] ?? 0) + i));
    await make(ada, 'POST', `/api/v1/runs/${hidden}/terminate`, {});
  });

  it('ends an open stream of one of its runs for who loses it', async () => {
    await restrict([], false);
    const { body: stream } = await w.runtime.handle(
      new Request(`${w.url}/api/v1/runs/${runId}/events?follow`, {
        headers: { authorization: `Bearer ${otto.key}` },
      }),
    );
    const reader = (stream as ReadableStream<Uint8Array>).getReader();
    let text = '';
    const read = async () => {
      const { value, done } = await reader.read();
      text += new TextDecoder().decode(value);
      return done;
    };
    while (!text.includes('APPROVAL_REQUESTED')) await read();
    await restrict();
    while (!(await read()));
    expect(text).toContain('RUN_NOT_FOUND');
  });

  it('stays hidden below a run that is seen', async () => {
    await restrict();
    const { runId: above } = await make(otto, 'POST', '/api/v1/runs', { workflow: 'parent' });
    const child = await eventually('the child runs', async () => {
      const { body } = await w.ask(ada, 'GET', `/api/v1/runs?parentRunId=${above}`);
      return body.items[0]?.runId as string | undefined;
    });
    expect((await w.ask(otto, 'GET', `/api/v1/runs/${above}`)).status).toBe(200);
    expect((await w.ask(otto, 'GET', `/api/v1/runs?parentRunId=${above}`)).body.items).toEqual([]);
    expect((await w.ask(otto, 'GET', `/api/v1/runs/${child}`)).code).toBe('RUN_NOT_FOUND');
    await make(ada, 'POST', `/api/v1/runs/${above}/terminate`, {});
  });

  it('lets a team work with it, and nobody who leaves the team; a dissolved team leaves no share', async () => {
    const team = await w.team('ops', [vera]);
    await restrict([{ subject: 'team:ops', level: 'write' }]);
    const { runId: mine } = await make(vera, 'POST', '/api/v1/runs', { workflow: CANARY });
    const task = await eventually('it asks', async () => {
      const { body } = await w.ask(vera, 'GET', '/api/v1/tasks');
      return body.items.find((one: { runId: string }) => one.runId === mine);
    });
    expect(task.mayDecide).toBe(true);
    await make(vera, 'POST', `/api/v1/runs/${mine}/approve`, {});
    await until(mine, 'completed');
    await make(vera, 'POST', '/api/v1/workflows', { ...asking(CANARY), title: 'by Vera' });
    // For this workflow alone.
    expect((await w.ask(vera, 'POST', '/api/v1/runs', { workflow: 'open' })).code).toBe('FORBIDDEN');
    expect((await w.ask(vera, 'POST', '/api/v1/workflows', plainWorkflow('open'))).code).toBe('FORBIDDEN');
    expect((await w.share(vera, WORKFLOW, false, [])).code).toBe('FORBIDDEN');

    await w.auth.query('DELETE FROM team_member WHERE team_id = $1', [team]);
    expect((await w.ask(vera, 'GET', WORKFLOW)).code).toBe('WORKFLOW_NOT_FOUND');
    await w.auth.query('DELETE FROM team WHERE id = $1', [team]);
    const { body } = await w.ask(ada, 'GET', `${WORKFLOW}/sharing`);
    expect(body.shares).toEqual([]);
  });

  it('is forgotten for who leaves the organisation', async () => {
    const gone = await w.person('gone', 'operator');
    await restrict([
      { subject: `user:${gone.email}`, level: 'write' },
      { subject: `user:${vera.id}`, level: 'read' },
    ]);
    const before = await w.ask(ada, 'GET', `${WORKFLOW}/sharing`);
    await make(ada, 'DELETE', `/api/v1/members/${gone.id}`);
    const { body, etag } = await w.ask(ada, 'GET', `${WORKFLOW}/sharing`);
    expect(body.shares).toEqual([{ subject: `user:${vera.id}`, name: vera.email, level: 'read' }]);
    expect(etag).not.toBe(before.etag);
  });

  it('gives a key no more than its scopes, and an administrator’s key no less than those', async () => {
    await restrict([{ subject: `user:${vera.id}`, level: 'admin' }]);
    const reading = await w.makeKey(vera.id, ['workflows:read', 'executions:read']);
    expect((await w.ask(reading, 'GET', WORKFLOW)).status).toBe(200);
    expect((await w.ask(reading, 'POST', '/api/v1/runs', { workflow: CANARY })).code).toBe('FORBIDDEN');
    const other = await w.makeKey(vera.id, ['views:read']);
    expect((await w.ask(other, 'GET', WORKFLOW)).code).toBe('FORBIDDEN');
    const admins = await w.makeKey(ada.id, ['workflows:read']);
    expect((await w.ask(admins, 'GET', WORKFLOW)).status).toBe(200);
    expect((await w.ask(await w.makeKey(mia.id, ['workflows:read']), 'GET', WORKFLOW)).status).toBe(404);
  });

  it('is shared by its administrators by share, with no more than they have; not over somebody else’s change', async () => {
    await restrict([{ subject: `user:${vera.id}`, level: 'admin' }]);
    const { etag } = await w.ask(vera, 'GET', `${WORKFLOW}/sharing`);
    const shares = [
      { subject: `user:${vera.id}`, level: 'admin' },
      { subject: `user:${otto.email}`, level: 'read' },
    ];
    const body = { restricted: true, shares };
    expect((await w.ask(vera, 'PUT', `${WORKFLOW}/sharing`, body)).code).toBe('PRECONDITION_REQUIRED');
    const changed = await w.ask(vera, 'PUT', `${WORKFLOW}/sharing`, body, { 'if-match': etag });
    expect(changed.status, changed.text).toBe(200);
    expect((await w.ask(vera, 'PUT', `${WORKFLOW}/sharing`, body, { 'if-match': etag })).code).toBe(
      'VERSION_CONFLICT',
    );
    // There an operator with `read` reads: a role counts for nothing on what is restricted.
    expect((await w.ask(otto, 'GET', `/api/v1/runs/${runId}`)).status).toBe(200);
    expect((await w.ask(otto, 'POST', '/api/v1/runs', { workflow: CANARY })).code).toBe('FORBIDDEN');
    const schedule = { name: 'ottos', workflow: CANARY, cron: '0 5 * * *' };
    expect((await w.ask(otto, 'POST', '/api/v1/schedules', schedule)).code).toBe('FORBIDDEN');
    const all = { action: 'cancel', filter: { status: ['running'] }, dryRun: true };
    expect((await w.ask(otto, 'POST', '/api/v1/bulk-operations', all)).body.matched).toBe(0);
    const nobody = { restricted: true, shares: [{ subject: 'user:nobody@example.com', level: 'read' }] };
    const unknown = await w.ask(vera, 'PUT', `${WORKFLOW}/sharing`, nobody, { 'if-match': changed.etag });
    expect(unknown.body).toMatchObject({ code: 'INVALID_INPUT', path: '/shares/0/subject' });
    const sharer = await w.makeKey(ada.id, ['workflows:read', 'workflows:share']);
    const now = await w.ask(sharer, 'GET', `${WORKFLOW}/sharing`);
    const more = { restricted: true, shares: [{ subject: 'everyone', level: 'write' }] };
    const refused = await w.ask(sharer, 'PUT', `${WORKFLOW}/sharing`, more, { 'if-match': now.etag });
    expect(refused.body).toMatchObject({ code: 'FORBIDDEN', path: '/shares/0/level' });
    const { text } = await w.ask(ada, 'GET', '/api/v1/audit?action=workflow.share');
    expect(text).toContain(`user:${otto.id}`);
  });

  it('is its maker’s still: a restriction does not touch them', async () => {
    await make(mia, 'POST', '/api/v1/workflows', plainWorkflow('mias'));
    expect((await w.share(mia, '/api/v1/workflows/mias', true, [])).status).toBe(200);
    expect((await w.ask(mia, 'POST', '/api/v1/runs', { workflow: 'mias' })).status).toBe(201);
    expect((await w.ask(otto, 'GET', '/api/v1/workflows/mias')).status).toBe(404);
    expect((await w.ask(ada, 'GET', '/api/v1/workflows/mias')).status).toBe(200);
  });

  it('skips the times of schedules, and refuses webhooks, of who may not start it any more', async () => {
    await restrict([], false);
    await make(otto, 'POST', '/api/v1/schedules', {
      name: 'ottos',
      workflow: CANARY,
      cron: '0 5 * * *',
      paused: true,
    });
    await restrict();
    await make(ada, 'POST', '/api/v1/schedules/ottos/trigger', {});
    const recent = await eventually('the time is settled', async () => {
      const { body } = await w.ask(ada, 'GET', '/api/v1/schedules/ottos');
      return body.recent.find((one: { state: string }) => one.state !== 'waiting');
    });
    expect(recent).toMatchObject({ state: 'skipped', runId: null });
    expect(recent.reason).toContain('may not start');
    expect(await w.runtime.access.lostBy(w.organizationId, ada.id, 'workflows:execute')).toEqual([]);
    expect(await w.runtime.access.lostBy(w.organizationId, otto.id, 'workflows:execute')).toContain(CANARY);
    expect(await w.runtime.access.lostBy(w.organizationId, randomUUID(), 'workflows:execute')).toContain(
      CANARY,
    );
    // Nor is what acts for an administrator taken over by somebody who is kept from it.
    const hook = { action: { kind: 'signal', signal: 'go', runId } };
    const made = await w.ask(ada, 'POST', '/api/v1/webhooks/in', { name: 'adas', ...hook });
    expect(made.status, made.text).toBe(201);
    expect((await w.ask(mia, 'PUT', '/api/v1/webhooks/in/adas', hook)).code).toBe('FORBIDDEN');
  });

  it('is told to no subscription, and started by no webhook, of who does not reach it', async () => {
    await restrict([], false);
    const listening = { url: 'http://127.0.0.1:1/', events: ['run.started'] };
    await make(mia, 'POST', '/api/v1/webhooks/out', { name: 'mias-ear', ...listening });
    await make(ada, 'POST', '/api/v1/webhooks/out', { name: 'adas-ear', ...listening });
    const action = { kind: 'start', workflow: CANARY };
    const { id, secret } = await make(mia, 'POST', '/api/v1/webhooks/in', { name: 'mias-door', action });
    const post = async (delivery: string) => {
      const headers = signedHeaders([secret], delivery, Date.now(), '{}');
      const init = {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: '{}',
      };
      return (await w.runtime.handle(new Request(`${w.url}/api/v1/hooks/${id}`, init))).status;
    };
    expect(await post('before')).toBe(202);
    await restrict();
    expect(await post('after')).toBe(403);
    const hidden = (await make(ada, 'POST', '/api/v1/runs', { workflow: CANARY })).runId;
    const visible = (await make(ada, 'POST', '/api/v1/runs', { workflow: 'open' })).runId;
    const heard = async (name: string, who = ada) =>
      (await w.ask(who, 'GET', `/api/v1/webhooks/out/${name}/deliveries?limit=100`)).text;
    await eventually(
      'both hear of the run that all see',
      async () => (await heard('mias-ear')).includes(visible) && (await heard('adas-ear')).includes(visible),
    );
    expect(await heard('adas-ear')).toContain(hidden);
    expect(await heard('mias-ear')).not.toContain(hidden);
    expect(await heard('adas-ear', otto)).toContain(visible);
    expect(await heard('adas-ear', otto)).not.toContain(hidden);
    expect((await w.ask(mia, 'PUT', '/api/v1/webhooks/out/adas-ear', listening)).code).toBe('FORBIDDEN');
  });

  it('is hidden by the database itself from a query that forgets to ask', async () => {
    const app = new pg.Client(w.database.url('oc_app'));
    await app.connect();
    const count = async (hidden: string[]) => {
      const found: Record<string, number> = {};
      await app.query('BEGIN');
      await app.query(
        `SELECT set_config('app.organization_id', $1, true), set_config('app.hidden_workflows', $2, true)`,
        [w.organizationId, JSON.stringify(hidden)],
      );
      for (const [table, where] of [
        ['workflow_version', `name = '${CANARY}'`],
        ['workflow_run', `workflow = '${CANARY}'`],
        ['workflow_event', `run_id = '${runId}'`],
        ['workflow_schedule', `workflow = '${CANARY}'`],
        ['webhook_in', `name = '${CANARY}'`],
        ['webhook_out', `name = '${CANARY}'`],
        ['webhook_out_delivery', `payload::text LIKE '%${CANARY}%'`],
        ['bulk_operation', `filter::text LIKE '%${CANARY}%'`],
        ['workflow_run', `workflow = 'open'`],
      ] as const) {
        const { rows } = await app.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM ${table} WHERE ${where}`,
        );
        found[`${table} ${where.includes('open') ? 'open' : ''}`] = rows[0]?.n ?? -1;
      }
      await app.query('ROLLBACK');
      return found;
    };
    try {
      for (const [what, n] of Object.entries(await count([]))) expect(n, what).toBeGreaterThan(0);
      for (const [what, n] of Object.entries(await count([CANARY])))
        if (what.endsWith('open')) expect(n, what).toBeGreaterThan(0);
        else expect(n, what).toBe(0);
    } finally {
      await app.end();
    }
  });
});

/** A text of JSON with what its references lead to behind it. */
function withReferences(text: string, schemas: Record<string, unknown>): string {
  const seen = new Set<string>();
  let out = text;
  for (let more = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)]; more.length > 0; ) {
    const next = more.flatMap(([, name = '']) => (seen.has(name) ? [] : [name]));
    more = [];
    for (const name of next) {
      seen.add(name);
      const inner = JSON.stringify(schemas[name] ?? {});
      out += inner;
      more.push(...inner.matchAll(/#\/components\/schemas\/(\w+)/g));
    }
  }
  return out;
}
