import { describe, expect, it } from 'vitest';
import { AppError } from '@/lib/protocol/errors';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryWebhookOut } from '@/server/adapters/memory/webhook-out-store';
import type { WebhookSender } from '@/server/ports/webhook-out-store';
import { MAX_ATTEMPTS } from '@/server/services/webhook-backoff';
import { verify } from '@/server/services/webhook-signature';
import { WebhookDeliverer } from '@/server/workers/webhook-deliverer';

const silent = { debug() {}, info() {}, warn() {}, error() {}, with: () => silent };
const HOUR = 3_600_000;
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** A deliverer over the in-memory twin, with a clock moved by hand and a receiver that answers as it is told. */
async function bench() {
  let now = Date.parse('2026-11-21T00:00:00Z');
  let timers: { at: number; run: () => void }[] = [];
  const clock = {
    now: () => now,
    at(at: number, run: () => void) {
      const timer = { at, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
  };
  const { store, queue } = createMemoryWebhookOut(new MemoryDatabase(() => now));
  const sent: { at: number; url: string; body: string; headers: Record<string, string> }[] = [];
  type Answer = Awaited<ReturnType<WebhookSender['post']>>;
  let answer: (url: string) => Answer | Promise<Answer> = () => ({ status: 204, retryAfterMs: null });
  const sender: WebhookSender = {
    check() {},
    async post(url, body, headers) {
      sent.push({ at: now, url, body, headers });
      return answer(url);
    },
  };
  let ids = 0;
  const newId = () => `id-${String(++ids).padStart(4, '0')}`;
  const deliverer = new WebhookDeliverer({
    queue,
    store,
    sender,
    bus: createMemoryBus(),
    clock,
    log: silent,
    random: () => 0.5,
    newId,
    pollMs: 1_000,
    retryMs: 5_000,
    timeoutMs: 1_000,
    disableAfterMs: 48 * HOUR,
  });
  const subscribe = (name: string, events: string[] = [], organizationId = 'org') =>
    store.create(
      {
        id: name,
        organizationId,
        name,
        createdBy: 'me',
        format: 'generic',
        events,
        workflow: null,
        enabled: true,
      },
      { url: `http://${name}/`, target: 'http://x/' },
      SECRET,
    );
  const add = (webhookId = 'a', organizationId = 'org') => {
    const id = newId();
    const payload = { type: 'run.failed', timestamp: '', data: {} };
    return store.add({ id, organizationId, webhookId, eventKey: id, event: 'run.failed', payload });
  };
  /** Lets everything that is due happen, timer by timer, until `ms` are over. */
  const move = async (ms: number) => {
    const until = now + ms;
    for (;;) {
      for (let i = 0; i < 60; i++) await Promise.resolve();
      const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers = timers.filter((one) => one !== next);
      now = Math.max(now, next.at);
      next.run();
    }
    now = until;
  };
  await subscribe('a');
  return {
    store,
    queue,
    sent,
    deliverer,
    subscribe,
    add,
    move,
    setAnswer: (next: typeof answer) => {
      answer = next;
    },
    get: async (id: string, webhook = 'a') => store.delivery('org', webhook, id),
  };
}

describe('the deliverer', () => {
  it('signs each attempt with its own time, under one id', async () => {
    const b = await bench();
    b.setAnswer(() => ({ status: 500, retryAfterMs: null }));
    const { id } = await b.add();
    b.deliverer.start();
    await b.move(30_000);
    expect(b.sent.map(({ at }) => at - (b.sent[0]?.at ?? 0))).toEqual([0, 5_000, 20_000]);
    for (const { at, body, headers } of b.sent) {
      expect(verify('standard', [SECRET], new Headers(headers), Buffer.from(body), at)).toEqual({
        deliveryId: id,
      });
    }
    await b.deliverer.stop();
  });

  it('gives a delivery up after its last attempt, and keeps the latest attempts', async () => {
    const b = await bench();
    b.setAnswer(() => ({ status: 500, retryAfterMs: null }));
    const { id } = await b.add();
    b.deliverer.start();
    await b.move(36 * HOUR);
    expect(b.sent).toHaveLength(MAX_ATTEMPTS);
    const row = await b.get(id);
    expect(row).toMatchObject({ state: 'failed', attempts: MAX_ATTEMPTS });
    expect(row?.history).toHaveLength(10);
    expect((await b.store.get('org', 'a'))?.enabled).toBe(true);
    await b.deliverer.stop();
  }, 120_000);

  it('waits as long as the receiver asks', async () => {
    const b = await bench();
    b.setAnswer(() => ({ status: 429, retryAfterMs: 60_000 }));
    await b.add();
    b.deliverer.start();
    await b.move(59_000);
    expect(b.sent).toHaveLength(1);
    await b.move(3_000);
    expect(b.sent).toHaveLength(2);
    await b.deliverer.stop();
  });

  it('does not try again where it may not go', async () => {
    const b = await bench();
    b.setAnswer(() => {
      throw new AppError('ADDRESS_NOT_ALLOWED', '10.0.0.1 is a private address, which may not be reached.');
    });
    const { id } = await b.add();
    b.deliverer.start();
    await b.move(60_000);
    expect(await b.get(id)).toMatchObject({
      state: 'failed',
      attempts: 1,
      history: [{ status: null, error: '10.0.0.1 is a private address, which may not be reached.' }],
    });
    await b.deliverer.stop();
  });

  it('switches off what has failed for two days, and tells the others once', async () => {
    const b = await bench();
    await b.subscribe('b', ['webhook.disabled']);
    b.setAnswer(() => ({ status: 503, retryAfterMs: null }));
    await b.add();
    b.deliverer.start();
    await b.move(40 * HOUR);
    expect((await b.store.get('org', 'a'))?.enabled).toBe(true);
    await b.add();
    await b.move(12 * HOUR);
    const off = await b.store.get('org', 'a');
    expect(off).toMatchObject({ enabled: false });
    expect(off?.disabledReason).toContain('HTTP 503');
    const query = { limit: 10, before: null, state: null };
    const told = await b.store.deliveries('org', 'b', query);
    expect(told.map(({ event }) => event)).toEqual(['webhook.disabled']);
    await b.deliverer.stop();
  }, 120_000);

  it('a success in between starts the count anew', async () => {
    const b = await bench();
    b.setAnswer(() => ({ status: 503, retryAfterMs: null }));
    await b.add();
    b.deliverer.start();
    await b.move(10_000);
    expect((await b.store.get('org', 'a'))?.failingSince).not.toBeNull();
    b.setAnswer(() => ({ status: 200, retryAfterMs: null }));
    await b.move(60_000);
    expect((await b.store.get('org', 'a'))?.failingSince).toBeNull();
    await b.deliverer.stop();
  });

  it('a slow receiver holds up no other, of its own organisation or of another', async () => {
    const b = await bench();
    await b.subscribe('b');
    await b.subscribe('c', [], 'elsewhere');
    let release = () => {};
    const later = new Promise<void>((resolve) => {
      release = resolve;
    });
    const good = { status: 204, retryAfterMs: null };
    b.setAnswer((url) => (url === 'http://a/' ? later.then(() => good) : good));
    const to = (name: string) => b.sent.filter(({ url }) => url === `http://${name}/`).length;
    for (let i = 0; i < 10; i++) await b.add('a');
    b.deliverer.start();
    await b.move(0);
    expect(to('a')).toBe(4);
    // What comes while those are under way: all of it, though none of them has ended.
    for (let i = 0; i < 10; i++) await b.add('b');
    for (let i = 0; i < 10; i++) await b.add('c', 'elsewhere');
    await b.move(2_000);
    expect([to('a'), to('b'), to('c')]).toEqual([4, 10, 10]);
    release();
    await b.move(2_000);
    expect(to('a')).toBe(10);
    await b.deliverer.stop();
  });

  it('an organisation with many slow receivers leaves places to others', async () => {
    const b = await bench();
    const names = ['a', ...Array.from({ length: 19 }, (_, i) => `a${i}`)];
    for (const name of names.slice(1)) await b.subscribe(name);
    await b.subscribe('c', [], 'elsewhere');
    const good = { status: 204, retryAfterMs: null };
    let release = () => {};
    const later = new Promise<void>((resolve) => {
      release = resolve;
    });
    b.setAnswer((url) => (url === 'http://c/' ? good : later.then(() => good)));
    for (const name of names) for (let i = 0; i < 4; i++) await b.add(name);
    b.deliverer.start();
    await b.move(0);
    expect(b.sent).toHaveLength(16);
    await b.add('c', 'elsewhere');
    await b.move(1_000);
    expect(b.sent.slice(16).map(({ url }) => url)).toEqual(['http://c/']);
    release();
    await b.move(5_000);
    expect(b.sent).toHaveLength(81);
    await b.deliverer.stop();
  });

  it('stops after the attempts under way, and begins none after them', async () => {
    const b = await bench();
    let release = () => {};
    const later = new Promise<void>((resolve) => {
      release = resolve;
    });
    b.setAnswer(() => later.then(() => ({ status: 204, retryAfterMs: null })));
    const ids: string[] = [];
    for (let i = 0; i < 6; i++) ids.push((await b.add()).id);
    b.deliverer.start();
    await b.move(0);
    let stopped = false;
    const stopping = b.deliverer.stop().then(() => {
      stopped = true;
    });
    await b.move(0);
    expect([b.sent.length, stopped]).toEqual([4, false]);
    release();
    await stopping;
    const states = await Promise.all(ids.map(async (id) => (await b.get(id))?.state));
    expect(states).toEqual([...Array(4).fill('delivered'), 'waiting', 'waiting']);
    expect(b.sent).toHaveLength(4);
  });
});
