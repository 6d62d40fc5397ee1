import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { alertRulesSchema, USUAL_ALERT_RULES } from '@/lib/protocol/alerts';
import { uuidv7 } from '@/lib/shared/ids';
import { createMemoryAlerts } from '@/server/adapters/memory/alert-store';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryStreamStore } from '@/server/adapters/memory/stream-store';
import { createAlertBoard } from '@/server/adapters/postgres/alert-board';
import { createAlertStore } from '@/server/adapters/postgres/alert-store';
import { createPool, type Pool } from '@/server/adapters/postgres/pool';
import { createStreamStore } from '@/server/adapters/postgres/stream-store';
import type { AlertBoard, AlertStore } from '@/server/ports/alert-store';
import type { StreamStore } from '@/server/ports/stream-store';
import { judge } from '@/server/services/alert-rules';
import { createTestDatabase, type TestDatabase } from '../support/database';

/**
 * What alerts rest on: in Postgres and in its in-memory twin the state machine, its one round at a time, the rules and the
 * numbered topic; in Postgres also the measuring.
 */

let database: TestDatabase;
let app: Pool;
let engine: Pool;
let admin: Pool;
const newId = () => uuidv7(Date.now(), randomBytes(10));

beforeAll(async () => {
  database = await createTestDatabase();
  app = createPool(database.url('oc_app'), 2, 'test');
  engine = createPool(database.url('oc_engine'), 8, 'test');
  admin = createPool(database.adminUrl, 1, 'test');
});
afterAll(async () => {
  await Promise.all([app.end(), engine.end(), admin.end()]);
  await database.drop();
});

const kinds: Array<[string, () => { store: AlertStore; board: AlertBoard; streams: StreamStore }]> = [
  [
    'memory',
    () => {
      const db = new MemoryDatabase(() => Date.now());
      return { ...createMemoryAlerts(db, () => []), streams: createMemoryStreamStore(db) };
    },
  ],
  [
    'postgres',
    () => ({
      store: createAlertStore(app),
      board: createAlertBoard(engine),
      streams: createStreamStore(engine),
    }),
  ],
];

describe.each(kinds)('alerts in %s', (_kind, make) => {
  const patient = { ...USUAL_ALERT_RULES, resolveAfterSeconds: 0 };
  const all = { limit: 10, before: null, state: null };

  it('are raised once, resolved once, and told in numbers without gaps', async () => {
    const { store, board, streams } = make();
    const [org, one, two] = [randomUUID(), randomUUID(), randomUUID()];
    const turn = () =>
      board.round(
        0,
        (measured, now) => judge(measured, now, newId),
        () => [],
      );
    const told = (changed: Awaited<ReturnType<typeof turn>>) =>
      changed?.filter(({ organizationId }) => organizationId === org).map(({ seq }) => seq);
    await store.setRules(org, patient, 0, 'me');
    const open = [{ organizationId: org, server: 'weak' }];
    await board.report(one, open);
    await board.report(two, open);
    expect(told(await turn())).toEqual([1]);
    expect(told(await turn())).toEqual([]);
    await board.report(one, []);
    expect(told(await turn())).toEqual([]);
    expect(await store.list(org, all)).toMatchObject([
      { rule: 'breaker-open', subject: 'weak', state: 'firing' },
    ]);
    await board.report(two, []);
    expect(told(await turn())).toEqual([2]);
    const [alert] = await store.list(org, { ...all, state: 'resolved' });
    expect(alert?.resolvedAt).not.toBeNull();
    const entries = await streams.read(org, 'alerts', 0, 10);
    expect(entries).toMatchObject([
      { streamSeq: 1, workflow: '', event: { runId: alert?.id, seq: 1, type: 'ALERT_RAISED' } },
      { streamSeq: 2, workflow: '', event: { runId: alert?.id, seq: 2, type: 'ALERT_RESOLVED' } },
    ]);
    expect(await streams.read(org, 'alerts', 2, 10)).toEqual([]);
    expect(await store.list(randomUUID(), all)).toEqual([]);
  });

  it('have rules by revision', async () => {
    const { store } = make();
    const org = randomUUID();
    expect(await store.rules(org)).toEqual({ rules: USUAL_ALERT_RULES, revision: 0 });
    expect(await store.setRules(org, patient, 1, 'me')).toBeNull();
    expect(await store.setRules(org, patient, 0, 'me')).toEqual({ rules: patient, revision: 1 });
    expect(await store.setRules(org, patient, 0, 'me')).toBeNull();
    expect(await store.setRules(org, patient, 1, 'me')).toMatchObject({ revision: 2 });
    expect(await store.rules(org)).toEqual({ rules: patient, revision: 2 });
    expect((await store.rules(randomUUID())).revision).toBe(0);
  });
});

describe('the board in Postgres', () => {
  let org: string;
  beforeEach(() => {
    org = randomUUID();
  });
  const board = () => createAlertBoard(engine);
  const round = (everyMs = 0) =>
    board().round(
      everyMs,
      (measured, now) => judge(measured, now, newId),
      () => [],
    );
  const closed = async (status: string, minutesAgo: number, count: number) => {
    for (let i = 0; i < count; i++) {
      await admin.query(
        `INSERT INTO workflow_run (run_id, organization_id, workflow_id, workflow, version, definition_hash, shard,
           started_by, status, closed_at)
         VALUES ($1::uuid, $2, $1::text, 'w', 1, 'h', 0, 'me', $3, now() - make_interval(mins => $4))`,
        [newId(), org, status, minutesAgo],
      );
    }
  };
  const firing = async () =>
    (await createAlertStore(app).list(org, { limit: 10, before: null, state: 'firing' })).map(
      ({ rule, subject, value }) => [rule, subject, value],
    );

  it('counts runs of the window only, and not those that go on as new ones', async () => {
    await closed('failed', 30, 50);
    await closed('completed', 1, 40);
    await closed('continued_as_new', 1, 100);
    await closed('failed', 1, 2);
    await closed('timed_out', 1, 1);
    await closed('dead_letter', 1, 1);
    await round();
    // 4 of 44.
    expect(await firing()).toEqual([]);
    await closed('failed', 4, 1);
    await round();
    expect(await firing()).toEqual([['failure-rate', '', 11.1]]);
    const rules = alertRulesSchema.parse({ 'failure-rate': { minutes: 60 } });
    expect(await createAlertStore(app).setRules(org, rules, 0, 'me')).toEqual({ rules, revision: 1 });
    await round();
    expect(await firing()).toEqual([['failure-rate', '', 57.9]]);
  });

  it('only one process has a round, and the numbers of the topic have no gaps', async () => {
    await admin.query('DELETE FROM alert_round');
    const breakers = ['a', 'b', 'c'].map((server) => ({ organizationId: org, server }));
    await board().report(randomUUID(), breakers);
    const rounds = await Promise.all(Array.from({ length: 6 }, () => round(60_000)));
    const mine = rounds.filter((changed) => changed !== null);
    expect(mine).toHaveLength(1);
    expect(await round(60_000)).toBeNull();
    expect(await firing()).toHaveLength(3);
    const stream = createStreamStore(engine);
    expect(await stream.head(org, 'alerts')).toBe(3);
    const entries = await stream.read(org, 'alerts', 1, 10);
    expect(entries.map(({ streamSeq, event }) => [streamSeq, event.type])).toEqual([
      [2, 'ALERT_RAISED'],
      [3, 'ALERT_RAISED'],
    ]);
    expect(await stream.read(randomUUID(), 'alerts', 0, 10)).toEqual([]);
  });

  it('takes a server for unreachable only while its latest probes say so', async () => {
    const probe = (server: string, state: string, secondsAgo: number) =>
      admin.query(
        `INSERT INTO server_health (organization_id, server, at, state, latency_ms)
         VALUES ($1, $2, now() - make_interval(secs => $3), $4, 1)`,
        [org, server, secondsAgo, state],
      );
    for (const [server, states] of Object.entries({
      down: ['UNREACHABLE', 'UNREACHABLE', 'OPEN', 'UNREACHABLE'],
      back: ['OPEN', 'UNREACHABLE', 'UNREACHABLE'],
      once: ['UNREACHABLE', 'OPEN'],
    })) {
      for (const [i, state] of states.entries()) await probe(server, state, i * 60);
    }
    for (const secondsAgo of [7_300, 7_200]) await probe('gone', 'UNREACHABLE', secondsAgo);
    await round();
    expect(await firing()).toEqual([['server-unreachable', 'down', 2]]);
  });
});
