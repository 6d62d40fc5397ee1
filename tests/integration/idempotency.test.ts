import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { EngineProcess } from '../support/engine-process';
import { eventually } from '../support/eventually';
import { firstOwner, member, type Visitor } from '../support/people';

const quick = (output: number) => ({
  schemaVersion: 1,
  name: 'quick',
  nodes: [{ id: 'only', kind: 'transform', output: { n: output } }],
});
const asking = {
  schemaVersion: 1,
  name: 'asking',
  nodes: [{ id: 'ask', kind: 'approval', title: 'Go on?', quorum: 2 }],
};

describe('a request that is sent again under its Idempotency-Key', () => {
  let database: TestDatabase;
  let engine: EngineProcess;
  let owner: Visitor;
  let second: Visitor;

  const post = (who: Visitor, path: string, body: unknown, key?: string) =>
    who.send('POST', path, body, key === undefined ? {} : { 'idempotency-key': key });
  const run = async (workflow: string) =>
    (await post(owner, '/api/v1/runs', { workflow })).body.runId as string;
  const read = async (runId: string) => (await owner.send('GET', `/api/v1/runs/${runId}`)).body;
  const closed = (runId: string) =>
    eventually('the run closes', async () => (await read(runId)).closedAt !== null);

  beforeAll(async () => {
    database = await createTestDatabase();
    engine = await EngineProcess.start({
      databaseUrl: database.adminUrl,
      servers: {},
      env: { OPENCONDUCTOR_AUTH: 'required', OPENCONDUCTOR_RATE_LIMIT: '0' },
    });
    owner = await firstOwner(engine);
    second = await member(owner, 'second@example.com', 'operator');
    for (const workflow of [quick(1), asking]) await post(owner, '/api/v1/workflows', workflow);
  });
  afterAll(async () => {
    await engine.end('SIGTERM');
    await engine.removeData();
    await database.drop();
  });

  it('a restart with the latest version gives the first run, though a newer version was published meanwhile', async () => {
    const before = await run('quick');
    await closed(before);
    const restart = (body: object) => post(owner, `/api/v1/runs/${before}/restart`, body, 'restart-1');
    const first = await restart({ version: 'latest' });
    expect([first.status, first.body.version]).toEqual([201, 1]);
    expect((await post(owner, '/api/v1/workflows', quick(2))).body.version).toBe(2);
    await closed(first.body.runId);
    const again = await restart({ version: 'latest' });
    expect([again.status, again.body.runId, again.body.version]).toEqual([201, first.body.runId, 1]);
    expect((await restart({ version: 'current' })).body.code).toBe('IDEMPOTENCY_CONFLICT');
  });

  it('a bulk operation is carried out once, and answered with the first; another one under the key is refused', async () => {
    const flow = { schemaVersion: 1, name: 'waits', nodes: [{ id: 'w', kind: 'wait', signal: 'go' }] };
    expect((await post(owner, '/api/v1/workflows', flow)).status).toBe(201);
    const runId = await run('waits');
    await eventually('the run waits', async () => (await read(runId)).historyLength > 1);
    const bulk = (who: Visitor, body: object) =>
      post(who, '/api/v1/bulk-operations', { action: 'signal', filter: { ids: [runId] }, ...body }, 'bulk-1');
    const signal = { name: 'noted', payload: 1 };
    const dry = await bulk(owner, { signal, dryRun: true });
    expect([dry.status, dry.body.matched]).toEqual([200, 1]);
    const answers = await Promise.all([bulk(owner, { signal }), bulk(owner, { signal })]);
    const [first] = answers;
    expect(answers.map(({ status, body }) => [status, body.bulkId])).toEqual([
      [202, first?.body.bulkId],
      [202, first?.body.bulkId],
    ]);
    const path = `/api/v1/bulk-operations/${first?.body.bulkId}`;
    await eventually('it is over', async () => (await owner.send('GET', path)).body.state === 'completed');
    // The answer got lost: by now there is nothing to do any more.
    const again = await bulk(owner, { signal });
    expect([again.status, again.body.bulkId, again.body.state]).toEqual([
      202,
      first?.body.bulkId,
      'completed',
    ]);
    for (const other of [await bulk(owner, { signal: { name: 'other' } }), await bulk(second, { signal })])
      expect([other.status, other.body.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    await eventually('the signal is there', async () => {
      const { items } = (await owner.send('GET', `/api/v1/runs/${runId}/events`)).body;
      const signals = items.filter(({ type }: { type: string }) => type === 'WORKFLOW_EXECUTION_SIGNALED');
      expect(signals.length).toBeLessThan(2);
      return signals.length === 1;
    });
    const { items } = (await owner.send('GET', '/api/v1/audit?action=bulk.signal')).body;
    expect(items).toHaveLength(1);
  });

  it("a second person's decision under the same key is refused, not taken for the first one's", async () => {
    const runId = await run('asking');
    await eventually('the question is asked', async () => {
      const { items } = (await owner.send('GET', '/api/v1/tasks')).body;
      return items.some((task: { runId: string }) => task.runId === runId);
    });
    const approve = (who: Visitor, key: string) => post(who, `/api/v1/runs/${runId}/approve`, {}, key);
    expect((await approve(owner, 'approve-1')).status).toBe(202);
    const other = await approve(second, 'approve-1');
    expect([other.status, other.body.code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    expect((await approve(owner, 'approve-1')).status).toBe(202);
    expect((await read(runId)).closedAt).toBeNull();
    expect((await approve(second, 'approve-2')).status).toBe(202);
    await closed(runId);
    expect((await read(runId)).status).toBe('completed');
  });
});
