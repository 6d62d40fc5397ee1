import { createHash, randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '@/lib/shared/ids';
import type { JsonObject } from '@/lib/shared/json';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { createPayloads } from '@/server/adapters/postgres/payload-store';
import { createPool } from '@/server/adapters/postgres/pool';
import type { ExecutionStore } from '@/server/ports/execution-store';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { eventually } from '../support/eventually';

describe('a command that refers to contents while they take long to copy', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let store: ExecutionStore;
  let locker: pg.Client;
  const [large, other] = [randomUUID(), randomUUID()];
  const bodies = Array.from({ length: 10 }, () => randomBytes(1_000));
  const references = bodies.map((body) => ({
    $payload: {
      sha256: createHash('sha256').update(body).digest('hex'),
      ...{ bytes: body.length, mimeType: 'image/png', encoding: 'base64' },
    },
  }));

  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool(database.url('oc_engine'), 6, 'handed-test');
    store = createExecutionStore(pool);
    const source = uuidv7(Date.now(), randomBytes(10));
    const contents = bodies.map((body, i) => ({
      ...{ sha256: references[i]?.$payload.sha256 ?? '', mimeType: 'image/png', body },
    }));
    await createPayloads(pool).put(large, source, contents);
    locker = new pg.Client({ connectionString: database.adminUrl });
    await locker.connect();
  });
  afterAll(async () => {
    await locker.end();
    await pool.end();
    await database.drop();
  });

  function accept(organizationId: string, data: JsonObject) {
    const runId = uuidv7(Date.now(), randomBytes(10));
    const facts = { organizationId, runId, shard: 0 };
    const names = { workflowId: runId, workflow: 'w', version: 1, definitionHash: 'h', startedBy: 'tester' };
    const links = { parentRunId: null, parentNodePath: null, previousRunId: null };
    return store.accept({
      ...facts,
      newRun: { ...facts, ...names, ...links, started: data },
      eventType: 'WORKFLOW_EXECUTION_STARTED',
      data,
      idempotency: null,
      audit: { actorKind: 'user', actorId: 'tester', action: 'run.start', object: runId, details: {} },
    });
  }
  const copies = async (runId: string) =>
    (await locker.query('SELECT sha256 FROM workflow_payload WHERE run_id = $1', [runId])).rows.length;

  it('keeps no other command waiting, nor more than two connections', async () => {
    await locker.query('BEGIN; LOCK TABLE workflow_payload IN SHARE MODE');
    let isAccepted = false;
    const accepted = [0, 1, 2].map(() =>
      accept(large, { input: references }).then((result) => {
        isAccepted = true;
        return result;
      }),
    );
    const elsewhere = accept(other, { input: references });
    const waiting = async () =>
      (
        await locker.query(
          "SELECT pid FROM pg_stat_activity WHERE application_name = 'handed-test' AND wait_event_type = 'Lock'",
        )
      ).rows.length;
    await eventually('copies wait', async () => (await waiting()) > 0);
    for (const organizationId of [large, other]) {
      for (let i = 0; i < 5; i++) expect((await accept(organizationId, { input: i })).row).not.toBeNull();
    }
    expect(isAccepted).toBe(false);
    expect(await waiting()).toBeLessThanOrEqual(2);
    await locker.query('COMMIT');
    for (const { runId, row } of await Promise.all(accepted)) {
      expect([row?.runId, await copies(runId)]).toEqual([runId, 10]);
    }
    // Contents of another organisation are not to be had.
    expect(await copies((await elsewhere).runId)).toBe(0);
  });
});
