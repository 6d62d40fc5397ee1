import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '@/lib/shared/ids';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { createLeaseStore } from '@/server/adapters/postgres/lease-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { SystemClock } from '@/server/adapters/system-clock';
import type { ExecutionStore, InboxRow } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import { Committer } from '@/server/workers/engine/committer';
import { emptyPart } from '@/server/workers/engine/parts';
import { FaultyProxy } from '../faults/proxy';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';

const LIMIT_MS = 2_000;
const TTL = 600_000;
const nothing = () => {};

describe('a commit whose answer does not come', () => {
  const owner = randomUUID();
  const organizationId = randomUUID();
  let database: TestDatabase;
  let proxy: FaultyProxy;
  let pool: pg.Pool;
  let admin: pg.Client;
  let store: ExecutionStore;
  /** Waits as long as always: what comes before the commit is not what is looked at. */
  let patient: ExecutionStore;
  /** Tries of which nobody knew the outcome. */
  let unknown: string[] = [];
  const log: Log = {
    debug: nothing,
    info: nothing,
    warn: (_, facts) => void unknown.push(String(facts?.error)),
    error: nothing,
    with: () => log,
  };

  beforeAll(async () => {
    database = await createTestDatabase();
    proxy = await FaultyProxy.start(database.url('oc_engine'));
    pool = createPool(proxy.url, 4, 'limit-test');
    admin = new pg.Client({ connectionString: database.adminUrl });
    await admin.connect();
    store = createExecutionStore(pool, LIMIT_MS);
    patient = createExecutionStore(pool);
    const leases = createLeaseStore(pool);
    await leases.ensureShards(1);
    await leases.heartbeat({ id: owner, buildId: 'test', host: 'test', pid: process.pid }, TTL);
    await leases.acquire(owner, TTL, 1);
  });
  afterAll(async () => {
    await pool.end();
    await proxy.close();
    await admin.end();
    await database.drop();
  });

  async function accepted(): Promise<InboxRow> {
    const runId = uuidv7(Date.now(), randomBytes(10));
    const facts = { organizationId, runId, shard: 0 };
    const started = { runId };
    const names = { workflowId: runId, workflow: 'w', version: 1, definitionHash: 'h', startedBy: 'tester' };
    const { row } = await patient.accept({
      ...facts,
      newRun: { ...facts, ...names, parentRunId: null, parentNodePath: null, previousRunId: null, started },
      eventType: 'WORKFLOW_EXECUTION_STARTED',
      data: started,
      idempotency: null,
      audit: { actorKind: 'user', actorId: 'tester', action: 'run.start', object: runId, details: {} },
    });
    if (!row) throw new Error('not accepted');
    return row;
  }
  const part = ({ runId, id }: InboxRow) => ({
    ...emptyPart({ organizationId, runId, shard: 0, epoch: 1 }),
    events: [{ seq: 1, type: 'MARKER', at: 0, data: {}, causationSeq: null }],
    inboxDone: [id],
  });
  const committer = () => {
    unknown = [];
    return new Committer({
      owner,
      store,
      clock: new SystemClock(),
      log,
      telemetry: { committed: nothing } as never,
    });
  };
  const waiting = async () => {
    const { rows } = await admin.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'limit-test' AND wait_event_type = 'Lock'",
    );
    return rows;
  };
  /** Does `work` while events cannot be written. */
  const whileLocked = async (work: () => Promise<void>) => {
    const locker = new pg.Client({ connectionString: database.adminUrl });
    await locker.connect();
    try {
      await locker.query('BEGIN; LOCK TABLE workflow_event IN SHARE MODE');
      await work();
    } finally {
      await locker.end();
    }
  };
  const outcome = async (row: InboxRow) => {
    const events = await admin.query('SELECT seq FROM workflow_event WHERE run_id = $1', [row.runId]);
    const inbox = await admin.query('SELECT id FROM workflow_inbox WHERE id = $1', [row.id]);
    return { events: events.rows.length, inbox: inbox.rows.length };
  };

  it('because its connection is cut off without a word is made on another one', async () => {
    const row = await accepted();
    proxy.hang();
    const verdict = committer().submit(part(row));
    await eventually('the answer is given up', () => unknown.length > 0);
    expect(unknown[0]).toContain('timeout');
    proxy.resume();
    expect(await verdict).toBe('written');
    expect(await outcome(row)).toEqual({ events: 1, inbox: 0 });
  });

  it('because of a lock is made once, whichever of its tries takes effect', async () => {
    const row = await accepted();
    const made = committer();
    let verdict: Promise<unknown> = Promise.resolve();
    await whileLocked(async () => {
      verdict = made.submit(part(row));
      await eventually('two tries wait for the lock', async () => (await waiting()).length >= 2);
      expect(unknown.length).toBeGreaterThan(0);
    });
    expect(await verdict).toBe('written');
    await eventually('no try is left', async () => (await waiting()).length === 0);
    expect(await outcome(row)).toEqual({ events: 1, inbox: 0 });
  });

  it('and that was given up leaves no backend waiting for as long as the lock lasts', async () => {
    const row = await accepted();
    await whileLocked(async () => {
      const commit = store.commit(owner, [part(row)]);
      const givenUp = expect(commit).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      await eventually('it waits for the lock', async () => (await waiting()).length === 1);
      await givenUp;
      await eventually('its backend has ended', async () => (await waiting()).length === 0);
    });
    expect(await outcome(row)).toEqual({ events: 0, inbox: 1 });
  });
});
