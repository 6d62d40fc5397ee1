import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { uuidv7 } from '@/lib/shared/ids';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryStreamStore } from '@/server/adapters/memory/stream-store';
import { createMemoryWebhookInStore } from '@/server/adapters/memory/webhook-in-store';
import { createMemoryWebhookOut } from '@/server/adapters/memory/webhook-out-store';
import { createPool, type Pool } from '@/server/adapters/postgres/pool';
import { createWebhookInStore } from '@/server/adapters/postgres/webhook-in-store';
import { createWebhookOutStore } from '@/server/adapters/postgres/webhook-out-store';
import { createWebhookQueue } from '@/server/adapters/postgres/webhook-queue';
import { createSealer } from '@/server/adapters/sealer';
import type { InboundDelivery, WebhookInStore } from '@/server/ports/webhook-in-store';
import type {
  Dispatched,
  NewDelivery,
  Offered,
  WebhookOutStore,
  WebhookQueue,
} from '@/server/ports/webhook-out-store';
import { createTestDatabase, type TestDatabase } from '../support/database';

/** Webhook stores in Postgres and their in-memory twins keep the same promises. */

interface Stores {
  ways: WebhookInStore;
  out: WebhookOutStore;
  queue: WebhookQueue;
  /** Commits an event of a run, numbered as the relay numbers it. */
  commit: (organizationId: string, type: string, workflow?: string) => Promise<string>;
}

let database: TestDatabase;
let app: Pool;
let engine: Pool;
let admin: Pool;
const sealer = createSealer('a key for the tests, long enough');
const newId = () => uuidv7(Date.now(), randomBytes(10));

beforeAll(async () => {
  database = await createTestDatabase();
  app = createPool(database.url('oc_app'), 4, 'test');
  engine = createPool(database.url('oc_engine'), 4, 'test');
  admin = createPool(database.adminUrl, 1, 'test');
});
afterAll(async () => {
  await Promise.all([app.end(), engine.end(), admin.end()]);
  await database.drop();
});

async function commitInPostgres(organizationId: string, type: string, workflow = 'w'): Promise<string> {
  const runId = newId();
  await admin.query(
    `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, started_by)
     VALUES ($1, $2, $3, $4, 1, 'h', 0, 'me')`,
    [runId, organizationId, runId, workflow],
  );
  // JSON functions of Postgres refuse this text; ours must not trip over it.
  const data = JSON.stringify({ reason: 'a\u0000b' });
  await admin.query(
    'INSERT INTO workflow_event (run_id, seq, organization_id, type, at, data) VALUES ($1, 1, $2, $3, now(), $4::json)',
    [runId, organizationId, type, data],
  );
  await admin.query(
    `WITH head AS (
       INSERT INTO stream_head VALUES ($1, 'runs', 1)
       ON CONFLICT (organization_id, topic) DO UPDATE SET last_seq = stream_head.last_seq + 1 RETURNING last_seq)
     INSERT INTO stream_entry (organization_id, topic, seq, event_count, refs)
     SELECT $1, 'runs', last_seq, 1, json_build_array(json_build_array($2::text, 1, 1)) FROM head`,
    [organizationId, runId],
  );
  return runId;
}

function memory(restMs?: number): Stores {
  const db = new MemoryDatabase(() => Date.now());
  createMemoryExecutionStore(db);
  const streams = createMemoryStreamStore(db);
  const { store, queue } = createMemoryWebhookOut(db, restMs);
  return {
    ways: createMemoryWebhookInStore(() => Date.now()),
    out: store,
    queue,
    async commit(organizationId, type, workflow = 'w') {
      const runId = newId();
      const at = new Date().toISOString();
      const event = { runId, seq: 1, type, at, data: { reason: 'a\u0000b' } };
      db.outbox.push({ organizationId, events: [{ workflow, workflowId: runId, event }] });
      await streams.relay(10);
      return runId;
    },
  };
}

const kinds: Array<[string, (restMs?: number) => Stores]> = [
  ['memory', memory],
  [
    'postgres',
    (restMs) => ({
      ways: createWebhookInStore(app, engine, sealer),
      out: createWebhookOutStore(app, sealer),
      queue: createWebhookQueue(engine, restMs),
      commit: commitInPostgres,
    }),
  ],
];

describe.each(kinds)('webhooks in %s', (_kind, make) => {
  let stores: Stores;
  let org: string;
  beforeEach(() => {
    stores = make();
    org = randomUUID();
  });

  describe('ways in', () => {
    const facts = {
      enabled: true,
      scheme: 'standard',
      action: { kind: 'start', workflow: 'w' },
      when: null,
    } as const;
    const create = (name: string, id = randomUUID(), secret = 'one') =>
      stores.ways.create({ id, organizationId: org, name, createdBy: 'me', ...facts }, secret);
    const delivery = (deliveryId: string, status: InboundDelivery['status']): InboundDelivery => ({
      deliveryId,
      status,
      runId: null,
      code: null,
      error: null,
      bytes: 2,
    });

    it('a name is taken once in an organisation, and nobody else sees it', async () => {
      const { ways } = stores;
      const hook = await create('a');
      expect(await create('a')).toBeNull();
      expect(await ways.organizationOf(hook?.id ?? '')).toBe(org);
      expect(await ways.organizationOf('nope')).toBeNull();
      const other = randomUUID();
      expect(await ways.get(other, 'a')).toBeNull();
      expect(await ways.byId(other, hook?.id ?? '')).toBeNull();
      expect(await ways.secrets(other, hook?.id ?? '')).toEqual([]);
      expect(await ways.remove(other, 'a')).toBe(false);
      expect(await ways.list(org)).toMatchObject([{ name: 'a', revision: 1, ...facts }]);
      expect(JSON.stringify(await ways.list(org))).not.toContain('one');
      expect([await ways.remove(org, 'a'), await ways.remove(org, 'a')]).toEqual([true, false]);
    });

    it('compares the revision that a writer has seen', async () => {
      await create('a');
      const off = { ...facts, enabled: false, when: 'body.x' };
      expect(await stores.ways.update(org, 'a', off, 1)).toMatchObject({ done: { revision: 2, ...off } });
      expect(await stores.ways.update(org, 'a', facts, 1)).toBe('stale');
      expect(await stores.ways.update(org, 'a', facts, null)).toMatchObject({ done: { revision: 3 } });
      expect(await stores.ways.update(org, 'b', facts, null)).toBe('missing');
    });

    it('keeps the old secret for as long as was asked', async () => {
      const id = (await create('a'))?.id ?? '';
      const rotated = await stores.ways.rotate(org, 'a', 'two', 60_000);
      expect(rotated?.previousUntil).toBeGreaterThan(Date.now());
      expect(await stores.ways.secrets(org, id)).toEqual(['two', 'one']);
      expect((await stores.ways.rotate(org, 'a', 'three', 0))?.previousUntil).toBeNull();
      expect(await stores.ways.secrets(org, id)).toEqual(['three']);
      expect(await stores.ways.rotate(org, 'b', 'x', 0)).toBeNull();
    });

    it('knows what was taken, and keeps the newest of what came', async () => {
      const { ways } = stores;
      const id = (await create('a'))?.id ?? '';
      const runId = newId();
      await ways.record(org, id, delivery('d1', 'refused'));
      expect(await ways.taken(org, id, 'd1')).toBeNull();
      await ways.record(org, id, { ...delivery('d1', 'accepted'), runId });
      await ways.record(org, id, delivery('d2', 'ignored'));
      expect(await ways.taken(org, id, 'd1')).toMatchObject({ status: 'accepted', runId });
      expect(await ways.taken(org, id, 'd2')).toMatchObject({ status: 'ignored', runId: null });
      expect((await ways.byId(org, id))?.lastAt).not.toBeNull();
      const page = await ways.deliveries(org, id, 2, null);
      expect(page.map(({ deliveryId }) => deliveryId)).toEqual(['d2', 'd1']);
      const rest = await ways.deliveries(org, id, 2, page.at(-1)?.id ?? null);
      expect(rest.map(({ status }) => status)).toEqual(['refused']);
      for (let i = 0; i < 140; i++) await ways.record(org, id, delivery(`x${i}`, 'refused'));
      const kept = await ways.deliveries(org, id, 200, null);
      expect(kept.filter(({ status }) => status === 'refused').length).toBeLessThanOrEqual(120);
      expect(kept.filter(({ status }) => status !== 'refused')).toHaveLength(2);
    });
  });

  describe('subscriptions and their queue', () => {
    const subscribe = async (name: string, more: { enabled?: boolean } = {}, of = org) => {
      const facts = { format: 'generic', events: [], workflow: null, enabled: true, ...more } as const;
      const hook = { id: newId(), organizationId: of, name, createdBy: 'me', ...facts };
      const made = await stores.out.create(hook, { url: 'http://x/secret-path', target: 'http://x' }, 's1');
      return made?.id ?? '';
    };
    const toAll = (offered: readonly Offered[]): NewDelivery[] =>
      offered.flatMap(({ event, subscriptions }) =>
        subscriptions.map(({ id }) => ({
          id: newId(),
          organizationId: event.organizationId,
          webhookId: id,
          eventKey: `${event.runId}:${event.seq}`,
          event: 'run.terminated',
          payload: { reason: event.data?.reason ?? null },
        })),
      );
    const TYPES = ['WORKFLOW_EXECUTION_TERMINATED'];
    const drain = async () => {
      while ((await stores.queue.dispatch(TYPES, toAll)) !== null);
    };
    const all = (id: string, of = org) =>
      stores.out.deliveries(of, id, { limit: 50, before: null, state: null });
    const bad = { at: new Date().toISOString(), status: 500, latencyMs: 1, error: 'HTTP 500' };
    const good = { ...bad, status: 204, error: null };

    it('hears of what was committed after it came, once, and of nothing else', async () => {
      await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      const first = await subscribe('a');
      const runId = await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await stores.commit(org, 'TIMER_FIRED');
      await drain();
      await drain();
      expect(await all(first)).toMatchObject([{ eventKey: `${runId}:1`, payload: { reason: 'a\u0000b' } }]);
      const second = await subscribe('b');
      await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await drain();
      expect([(await all(first)).length, (await all(second)).length]).toEqual([2, 1]);
    });

    it('hears of nothing while it is off, and not of it later either', async () => {
      const id = await subscribe('a', { enabled: false });
      await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await drain();
      const on = { format: 'generic', events: [], workflow: null, enabled: true } as const;
      expect(await stores.out.update(org, 'a', on, null, 1)).toMatchObject({ done: { revision: 2 } });
      expect(await stores.out.update(org, 'a', on, null, 1)).toBe('stale');
      await drain();
      expect(await all(id)).toEqual([]);
      await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await drain();
      expect(await all(id)).toHaveLength(1);
    });

    it('stores deliveries and the new place together: work that throws is done again', async () => {
      stores = make(0);
      const id = await subscribe('a');
      await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      const error = new Error('crash');
      const broken = await stores.queue.dispatch(TYPES, () => {
        throw error;
      });
      expect(broken).toEqual({ organizationId: org, error });
      expect(await all(id)).toEqual([]);
      await drain();
      expect(await all(id)).toHaveLength(1);
    });

    it('an organisation whose events cannot be worked on rests, and those behind it are served', async () => {
      stores = make(60_000);
      const others = [randomUUID(), randomUUID()];
      const id = await subscribe('a');
      const ids = await Promise.all(others.map((other) => subscribe('a', {}, other)));
      for (const of of [org, ...others]) await stores.commit(of, 'WORKFLOW_EXECUTION_TERMINATED');
      const error = new Error('crash');
      const done: (Dispatched | null)[] = [];
      do {
        const match = (offered: readonly Offered[]) => {
          if (offered[0]?.event.organizationId === org) throw error;
          return toAll(offered);
        };
        done.push(await stores.queue.dispatch(TYPES, match));
      } while (done.at(-1) !== null);
      expect(done.filter((one) => one?.error)).toEqual([{ organizationId: org, error }]);
      expect(await all(id)).toEqual([]);
      for (const [i, other] of others.entries()) expect(await all(ids[i] ?? '', other)).toHaveLength(1);
    });

    it('organisations take turns, however much is new of one of them', async () => {
      const other = randomUUID();
      for (const of of [org, other]) {
        await subscribe('a', {}, of);
        await stores.commit(of, 'WORKFLOW_EXECUTION_TERMINATED');
      }
      const served: string[] = [];
      for (let i = 0; i < 4; i++) {
        const { organizationId } = (await stores.queue.dispatch(TYPES, toAll)) ?? { organizationId: '' };
        served.push(organizationId);
        await stores.commit(organizationId, 'WORKFLOW_EXECUTION_TERMINATED');
      }
      expect(new Set(served.slice(0, 2))).toEqual(new Set([org, other]));
      expect(served.slice(2)).toEqual(served.slice(0, 2));
      await drain();
    });

    it('hears of what is committed while it is looked at what came before', async () => {
      const id = await subscribe('a');
      await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await stores.queue.dispatch(TYPES, async (offered) => {
        await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
        return toAll(offered);
      });
      await drain();
      expect(await all(id)).toHaveLength(2);
    });

    it('gives nobody every place: subscriptions and organisations take turns, with what is under way', async () => {
      await admin.query('DELETE FROM webhook_out_delivery');
      const other = randomUUID();
      for (let i = 0; i < 5; i++) await subscribe(`a${i}`);
      for (let i = 0; i < 4; i++) await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await drain();
      await subscribe('b', {}, other);
      await stores.commit(other, 'WORKFLOW_EXECUTION_TERMINATED');
      await drain();
      const claim = (limit: number, busy: { organizationId: string; webhookId: string }[] = []) =>
        stores.queue.claim(limit, 60_000, busy);
      const first = await claim(2);
      expect(new Set(first.map(({ organizationId }) => organizationId))).toEqual(new Set([org, other]));
      const [next] = await claim(1, first);
      expect(next?.organizationId).toBe(org);
      expect(first.map(({ webhookId }) => webhookId)).not.toContain(next?.webhookId);
      const under = next === undefined ? first : [...first, next];
      // 20 are due of the organisation; 2 are under way, 14 more may be.
      expect(await claim(100, under)).toHaveLength(14);
      const elsewhere = { organizationId: org, webhookId: newId() };
      const [last, ...rest] = await claim(100, Array(13).fill(elsewhere));
      expect(rest).toHaveLength(2);
      if (last === undefined) throw new Error('nothing to claim');
      const [one] = await claim(100, Array(15).fill(elsewhere));
      expect(one?.organizationId).toBe(org);
    });

    it('gives a subscription nothing more while it has four under way', async () => {
      const id = await subscribe('a');
      for (let i = 0; i < 6; i++) await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await drain();
      const claim = async (busy: { organizationId: string; webhookId: string }[]) =>
        (await stores.queue.claim(100, 60_000, busy)).filter(({ webhookId }) => webhookId === id);
      const about = { organizationId: org, webhookId: id };
      expect(await claim(Array(4).fill(about))).toEqual([]);
      expect(await claim(Array(3).fill(about))).toHaveLength(1);
      expect(await claim([])).toHaveLength(4);
    });

    it('is claimed by one, few at once of each, and comes back when it is not settled', async () => {
      const id = await subscribe('a');
      for (let i = 0; i < 6; i++) await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await drain();
      const [one, two] = [await stores.queue.claim(100, 60_000), await stores.queue.claim(100, 0)];
      const mine = (claimed: { webhookId: string }[]) => claimed.filter(({ webhookId }) => webhookId === id);
      expect([mine(one).length, mine(two).length]).toEqual([4, 2]);
      // A claim that was over at once stands for a process that died.
      expect(mine(await stores.queue.claim(100, 60_000))).toHaveLength(2);
      expect(mine(await stores.queue.claim(100, 60_000))).toHaveLength(0);
    });

    it('waits after a failure, is delivered after a success, and can be sent again', async () => {
      const { queue, out } = stores;
      const id = await subscribe('a');
      await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await drain();
      const take = async () => (await queue.claim(100, 60_000)).find(({ webhookId }) => webhookId === id);
      const claimed = await take();
      if (!claimed) throw new Error('nothing to claim');
      const since = await queue.settle(claimed, { attempt: bad, delivered: false, retryAfterMs: 0 });
      expect(since).not.toBeNull();
      expect((await out.get(org, 'a'))?.failingSince).toBe(since);
      const again = await take();
      expect(again).toMatchObject({ id: claimed.id, attempts: 1, history: [bad] });
      if (!again) throw new Error('nothing to claim');
      expect(await queue.settle(again, { attempt: good, delivered: true, retryAfterMs: null })).toBeNull();
      expect(await out.delivery(org, id, claimed.id)).toMatchObject({
        state: 'delivered',
        attempts: 2,
        history: [bad, good],
      });
      expect((await out.get(org, 'a'))?.failingSince).toBeNull();
      expect(await take()).toBeUndefined();
      expect(await out.replay(org, id, { since: 0 })).toBe(0);
      expect(await out.replay(org, id, { id: claimed.id })).toBe(1);
      expect(await out.replay(org, id, { id: claimed.id })).toBe(0);
      const last = await take();
      expect(last).toMatchObject({ id: claimed.id, attempts: 0, replays: 1 });
      if (!last) throw new Error('nothing to claim');
      await queue.settle(last, { attempt: bad, delivered: false, retryAfterMs: null });
      const failed = { limit: 5, before: null, state: 'failed' } as const;
      expect(await out.deliveries(org, id, failed)).toHaveLength(1);
      expect(await out.replay(org, id, { since: Date.now() + 60_000 })).toBe(0);
      expect(await out.replay(org, id, { since: 0 })).toBe(1);
    });

    it('is switched off once, gives up what waits, and tells the others', async () => {
      const { queue, out } = stores;
      const [id, other] = [await subscribe('a'), await subscribe('b')];
      await stores.commit(org, 'WORKFLOW_EXECUTION_TERMINATED');
      await drain();
      const tell = (one: { id: string }, name: string): NewDelivery => ({
        id: newId(),
        organizationId: org,
        webhookId: one.id,
        eventKey: `disabled:${name}`,
        event: 'webhook.disabled',
        payload: { webhook: name },
      });
      const about = { organizationId: org, webhookId: id };
      expect(await queue.disable(about, 'gone', tell)).toBe(true);
      expect(await queue.disable(about, 'gone', tell)).toBe(false);
      expect(await out.get(org, 'a')).toMatchObject({ enabled: false, disabledReason: 'gone' });
      expect((await all(id)).map(({ state }) => state)).toEqual(['failed']);
      const news = (await all(other)).filter(({ event }) => event === 'webhook.disabled');
      expect(news).toMatchObject([{ payload: { webhook: 'a' } }]);
    });

    it('keeps address and secrets to itself, and to its organisation', async () => {
      const id = await subscribe('a');
      expect(await stores.out.destination(org, id)).toEqual({ url: 'http://x/secret-path', secrets: ['s1'] });
      expect(await stores.out.destination(randomUUID(), id)).toBeNull();
      await stores.out.rotate(org, 'a', 's2', 60_000);
      expect((await stores.out.destination(org, id))?.secrets).toEqual(['s2', 's1']);
      expect(JSON.stringify(await stores.out.list(org))).not.toMatch(/secret-path|s1|s2/);
      expect(await stores.out.list(randomUUID())).toEqual([]);
    });
  });
});

it('Postgres keeps no secret and no address as it is', async () => {
  const { rows } = await admin.query<{ t: string }>(
    'SELECT t::text FROM webhook_out t UNION ALL SELECT t::text FROM webhook_in t',
  );
  expect(rows.length).toBeGreaterThan(2);
  const hex = (text: string) => Buffer.from(text).toString('hex');
  for (const { t } of rows)
    for (const text of ['secret-path', hex('secret-path')]) expect(t).not.toContain(text);
  const denied = engine.query('SELECT url_sealed, secret_sealed FROM webhook_out');
  await expect(denied).rejects.toThrow('permission denied');
});

it('Postgres: what is numbered while a run in the dead letters is looked for is told of later', async () => {
  const org = randomUUID();
  const out = createWebhookOutStore(app, sealer);
  const queue = createWebhookQueue(engine);
  // Organisations of the tests before must not have their turn in place of this one.
  await admin.query('DELETE FROM webhook_cursor');
  const id = newId();
  const facts = { format: 'generic', events: [], workflow: null, enabled: true } as const;
  const hook = { id, organizationId: org, name: 'a', createdBy: 'me', ...facts };
  await out.create(hook, { url: 'http://x/', target: 'http://x' }, 's1');
  const lost = newId();
  await admin.query(
    `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard, started_by,
       status, closed_at)
     VALUES ($1, $2, 'lost', 'w', 1, 'h', 0, 'me', 'dead_letter', clock_timestamp())`,
    [lost, org],
  );
  // Looked for some seconds ago: the organisation has its turn without anything new in its stream.
  await admin.query(
    `UPDATE webhook_cursor SET given_up_at = clock_timestamp() - interval '4 seconds' WHERE organization_id = $1`,
    [org],
  );
  const types = ['WORKFLOW_EXECUTION_TERMINATED'];
  const toOne = (offered: readonly Offered[]): NewDelivery[] =>
    offered.map(({ event }) => ({
      id: newId(),
      organizationId: org,
      webhookId: id,
      eventKey: event.runId,
      event: event.type,
      payload: {},
    }));
  let late = '';
  const looked = await queue.dispatch(types, async (offered) => {
    expect(offered.map(({ event }) => event.runId)).toEqual([lost]);
    late = await commitInPostgres(org, 'WORKFLOW_EXECUTION_TERMINATED');
    return toOne(offered);
  });
  expect(looked).toEqual({ organizationId: org, error: null });
  while ((await queue.dispatch(types, toOne)) !== null);
  const made = await out.deliveries(org, id, { limit: 10, before: null, state: null });
  expect(made.map(({ eventKey }) => eventKey).sort()).toEqual([lost, late].sort());
});
