import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerConfig } from '@/lib/protocol/server-config';
import { MemoryOAuthStore } from '@/server/adapters/memory/oauth-store';
import { MemoryToolPinStore } from '@/server/adapters/memory/tool-pin-store';
import { createOAuthStore } from '@/server/adapters/postgres/oauth-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { createPrisma } from '@/server/adapters/postgres/prisma';
import { createSecretStore } from '@/server/adapters/postgres/secret-store';
import { createServerHistory } from '@/server/adapters/postgres/server-history';
import { createServerStore } from '@/server/adapters/postgres/server-store';
import { createToolPinStore } from '@/server/adapters/postgres/tool-pin-store';
import { createSealer } from '@/server/adapters/sealer';
import type { PinnedTool, ToolPinStore } from '@/server/ports/mcp-fleet';
import type { OAuthStore } from '@/server/ports/oauth-store';
import { createTestDatabase, type TestDatabase } from '../support/database';

let database: TestDatabase;
let app: pg.Pool;
let engine: pg.Pool;
let prisma: ReturnType<typeof createPrisma>;
const sealer = createSealer('a key for the tests, long enough');
const [a, b] = [randomUUID(), randomUUID()];

beforeAll(async () => {
  database = await createTestDatabase();
  app = createPool(database.url('oc_app'), 4, 'test');
  engine = createPool(database.url('oc_engine'), 2, 'test');
  prisma = createPrisma(app);
});
afterAll(async () => {
  await prisma.$disconnect();
  await Promise.all([app.end(), engine.end()]);
  await database.drop();
});

/** Everything that the database holds of a table, as its superuser sees it. */
async function stored(table: string): Promise<string> {
  const admin = createPool(database.adminUrl, 1, 'test');
  try {
    const { rows } = await admin.query<{ text: string }>(`SELECT t::text AS text FROM ${table} t`);
    return rows.map((row) => row.text).join('\n');
  } finally {
    await admin.end();
  }
}

const oauthStores: Array<[string, () => OAuthStore]> = [
  ['memory', () => new MemoryOAuthStore()],
  ['postgres', () => createOAuthStore(prisma, engine, sealer)],
];
describe.each(oauthStores)('OAuth in %s', (_name, make) => {
  it('keeps, replaces and removes a record under its whole key', async () => {
    const store = make();
    const key = { organizationId: a, server: 'one', subject: '' };
    expect(await store.load(key)).toBeUndefined();
    await store.change(key, () => ({ tokens: { x: 'first' } }));
    await store.change(key, () => ({ tokens: { x: 'second' } }));
    await store.change({ ...key, subject: 'ada' }, () => ({ tokens: { x: 'hers' } }));
    expect(await store.load(key)).toEqual({ tokens: { x: 'second' } });
    expect(await store.load({ ...key, organizationId: b })).toBeUndefined();
    await store.remove(key);
    expect(await store.load(key)).toBeUndefined();
    expect(await store.load({ ...key, subject: 'ada' })).toEqual({ tokens: { x: 'hers' } });
  });

  it('loses none of many changes at the same time, the first of which finds nothing', async () => {
    const store = make();
    const key = { organizationId: a, server: 'busy', subject: '' };
    const names = Array.from({ length: 12 }, (_none, n) => `n${n}`);
    await Promise.all(names.map((name) => store.change(key, (record) => ({ ...record, [name]: true }))));
    expect(Object.keys((await store.load(key)) ?? {}).sort()).toEqual([...names].sort());
  });

  it('gives the flow of a state once, in time', async () => {
    const store = make();
    const key = { organizationId: a, server: 'one', subject: 'ada' };
    const now = Date.now();
    await store.rememberState('right', key, now + 1_000);
    await store.rememberState('late', key, now - 1);
    expect(await store.takeState('wrong', now)).toBeUndefined();
    expect(await store.takeState('late', now)).toBeUndefined();
    expect(await store.takeState('right', now)).toEqual(key);
    expect(await store.takeState('right', now)).toBeUndefined();
  });
});

const pinStores: Array<[string, () => ToolPinStore]> = [
  ['memory', () => new MemoryToolPinStore()],
  ['postgres', () => createToolPinStore(prisma)],
];
describe.each(pinStores)('accepted tools in %s', (_name, make) => {
  it('tells a server without tools from one never seen', async () => {
    const store = make();
    expect(await store.load(a, 'none')).toBeUndefined();
    await store.save(a, 'none', []);
    expect(await store.load(a, 'none')).toEqual([]);
    expect(await store.load(b, 'none')).toBeUndefined();
  });

  it('gives definitions back as they were', async () => {
    const store = make();
    const inputSchema = {
      type: 'object',
      properties: { 'a\u200b': { type: 'string', description: '\u202e' } },
    };
    const tool = {
      name: 't',
      title: null,
      description: 'd',
      inputSchema,
      outputSchema: null,
      annotations: {},
    };
    const pin: PinnedTool = { hash: 'h', tool, acceptedAt: 12 };
    await store.save(a, 's', [pin]);
    expect(await store.load(a, 's')).toEqual([pin]);
  });
});

describe('secrets', () => {
  it('are sealed where they lie, and belong to one organisation', async () => {
    const secrets = createSecretStore(prisma, sealer);
    await secrets.set(a, 'TOKEN', 'hunter2-hunter2', 'ada');
    await secrets.set(a, 'TOKEN', 'hunter3-hunter3', 'bob');
    expect(await secrets.read(a, 'TOKEN')).toBe('hunter3-hunter3');
    expect(await secrets.read(b, 'TOKEN')).toBeUndefined();
    expect(await secrets.list(a)).toEqual([
      { name: 'TOKEN', updatedBy: 'bob', updatedAt: expect.any(Number) },
    ]);
    const text = await stored('secret');
    expect(text).toContain('TOKEN');
    expect(text).not.toContain('hunter');
    expect(text).not.toContain(Buffer.from('hunter').toString('hex'));
    expect(await secrets.remove(a, 'TOKEN')).toBe(true);
    expect(await secrets.remove(a, 'TOKEN')).toBe(false);
  });

  it('do not open in another row', async () => {
    const secrets = createSecretStore(prisma, sealer);
    await secrets.set(a, 'MINE', 'value of mine', 'ada');
    const admin = createPool(database.adminUrl, 1, 'test');
    await admin.query(`UPDATE secret SET organization_id = $1 WHERE name = 'MINE'`, [b]);
    await admin.end();
    await expect(secrets.read(b, 'MINE')).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
  });

  it('and tokens are out of reach of the engine’s role', async () => {
    for (const table of ['secret', 'oauth_record', 'tool_pin'])
      await expect(engine.query(`SELECT 1 FROM ${table}`)).rejects.toThrow(/permission denied/);
  });
});

describe('servers added at run time', () => {
  const config: ServerConfig = { type: 'stdio', command: 'node', args: ['x.mjs'], env: {} };

  it('are kept by name, and every change shows in the fingerprint', async () => {
    const store = createServerStore(prisma, engine);
    const seen = [await store.fingerprint()];
    expect(await store.add(a, 'one', config, 'ada')).toBe(true);
    seen.push(await store.fingerprint());
    expect(await store.add(a, 'one', { ...config, args: [] }, 'bob')).toBe(false);
    expect(await store.fingerprint()).toBe(seen.at(-1));
    expect(await store.replace(a, 'one', { ...config, title: 'One' }, 'bob')).toBe(true);
    seen.push(await store.fingerprint());
    expect(await store.replace(b, 'one', config, 'bob')).toBe(false);
    expect(await store.list(a)).toMatchObject([
      { name: 'one', config: { title: 'One' }, createdBy: 'ada', updatedBy: 'bob' },
    ]);
    expect(await store.list(b)).toEqual([]);
    await store.add(b, 'one', config, 'eve');
    expect((await store.organizations()).sort()).toEqual([a, b].sort());
    seen.push(await store.fingerprint());
    await createToolPinStore(prisma).save(a, 'one', []);
    expect(await store.remove(a, 'one')).toBe(true);
    seen.push(await store.fingerprint());
    expect(await store.remove(a, 'one')).toBe(false);
    expect(await createToolPinStore(prisma).load(a, 'one')).toBeUndefined();
    expect(await store.list(b)).toHaveLength(1);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('history of servers', () => {
  it('keeps probes and events in order, and forgets the old', async () => {
    const history = createServerHistory(prisma, engine);
    const report = { state: 'OPEN' as const, latencyMs: 1.5, protocolVersion: '2025-11-25', detail: null };
    for (const at of [1_000, 3_000, 2_000]) await history.addProbe(a, 's', { ...report, at });
    expect((await history.probes(a, 's', 2)).map((probe) => probe.at)).toEqual([2_000, 3_000]);
    expect(await history.probes(b, 's', 2)).toEqual([]);
    for (const at of [1_000, 3_000])
      await history.addEvent({
        type: 'disconnected',
        organizationId: a,
        server: 's',
        at,
        reason: `at ${at}`,
      });
    const [newest] = await history.events(a, { limit: 1 });
    expect(newest).toMatchObject({ type: 'disconnected', at: 3_000, data: { reason: 'at 3000' } });
    expect(await history.events(a, { limit: 5, before: newest?.id ?? 0 })).toMatchObject([{ at: 1_000 }]);
    expect(await history.events(a, { limit: 5, server: 'other' })).toEqual([]);
    expect(await history.forget(2_500)).toBe(3);
    expect(await history.probes(a, 's', 9)).toHaveLength(1);
  });
});
