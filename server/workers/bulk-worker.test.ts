import { randomBytes, randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { replay } from '@/lib/engine/apply';
import { compile } from '@/lib/engine/compile';
import type { EngineEvent } from '@/lib/engine/types';
import type { BulkAction } from '@/lib/protocol/bulk';
import { AppError } from '@/lib/protocol/errors';
import { uuidv7 } from '@/lib/shared/ids';
import { createMemoryBulk } from '@/server/adapters/memory/bulk-store';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { SystemClock } from '@/server/adapters/system-clock';
import type { BulkOperation } from '@/server/ports/bulk-store';
import { BulkWorker } from '@/server/workers/bulk-worker';
import { eventually } from '../../tests/support/eventually';

const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => log };

describe('BulkWorker', () => {
  const workers: BulkWorker[] = [];
  afterEach(async () => {
    for (const worker of workers.splice(0)) await worker.stop();
  });

  const setUp = () => {
    const clock = new SystemClock();
    const db = new MemoryDatabase(() => clock.now());
    let latest = 0;
    const newId = () => {
      latest = Math.max(latest + 1, Date.now());
      return uuidv7(latest, randomBytes(10));
    };
    const { store, queue } = createMemoryBulk(db);
    const closedRun = (organizationId: string): string => {
      const runId = newId();
      const names = { workflowId: runId, workflow: 'w', version: 1, definitionHash: 'h', shard: 0 };
      const links = { parentRunId: null, parentNodePath: null, previousRunId: null };
      db.runs.set(runId, {
        run: { runId, organizationId, ...names, ...links, startedBy: 'tester', started: {} },
        ...{ createdAt: 1, status: 'dead_letter', closedAt: 1, historyLength: 1, wakeAt: 0, recoveries: 0 },
      });
      return runId;
    };
    const make = async (organizationId: string, action: BulkAction = 'retry'): Promise<string> => {
      const bulkId = newId();
      const times = { startedAfter: null, startedBefore: null };
      const operation: BulkOperation = {
        ...{ bulkId, organizationId, action, reason: null, signal: null, state: 'running', matched: 0 },
        filter: { status: null, workflow: null, ...times, ids: null, except: null, closed: true },
        ...{ done: 0, failed: 0, failures: [], actorKind: 'user', actorId: 'tester' },
        ...{ createdAt: new Date(), finishedAt: null },
      };
      await store.create(operation, { key: null, hash: 'h', source: null });
      return bulkId;
    };
    const work = (retry: (runId: string) => unknown) => {
      const worker = new BulkWorker({
        queue,
        store: { accept: () => Promise.reject(new Error('Nothing is sent here.')) },
        announce: nothing,
        retry: async (_actor, runId) => retry(runId),
        bus: createMemoryBus(nothing),
        clock,
        log,
        pollMs: 5,
      });
      workers.push(worker);
      worker.start();
    };
    return { store, closedRun, make, work };
  };

  const program = compile({
    schemaVersion: 1,
    name: 'w',
    nodes: [{ id: 'a', kind: 'transform', output: 1 }],
  });
  const unreadable = [{ type: 'TIMER_FIRED', at: 0, data: { timerId: 't' } }] as unknown as EngineEvent[];

  it('a run whose history cannot be folded fails alone: the other runs, and other organisations, go on', async () => {
    const { store, closedRun, make, work } = setUp();
    const [one, other] = [randomUUID(), randomUUID()];
    const bad = closedRun(one);
    const good = closedRun(one);
    const theirs = closedRun(other);
    const first = await make(one);
    const second = await make(other);
    const retried: string[] = [];
    work((runId) => {
      if (runId === bad) replay(program, unreadable);
      retried.push(runId);
    });
    const ended = async () =>
      (await store.get(one, first))?.state === 'completed' &&
      (await store.get(other, second))?.state === 'completed';
    await eventually('both operations end', ended);
    expect(retried).toEqual([good, theirs]);
    expect(await store.get(one, first)).toMatchObject({
      done: 1,
      failed: 1,
      failures: [{ runId: bad, code: 'INTERNAL', message: expect.any(String) }],
    });
    expect(await store.get(other, second)).toMatchObject({ done: 1, failed: 0 });
  });

  it.each([
    ['a store that is away', new AppError('DATABASE_UNAVAILABLE', 'away')],
    ['a lost connection', Object.assign(new Error('reset'), { code: 'ECONNRESET' })],
    ['a deadlock', Object.assign(new Error('deadlock detected'), { code: '40P01' })],
  ])('%s is no failure of a run: it is tried again', async (_name, error) => {
    const { store, closedRun, make, work } = setUp();
    const organizationId = randomUUID();
    closedRun(organizationId);
    const bulkId = await make(organizationId);
    let tries = 0;
    work(() => {
      if (++tries < 3) throw error;
    });
    await eventually('it ends', async () => (await store.get(organizationId, bulkId))?.state === 'completed');
    expect([tries, await store.get(organizationId, bulkId)]).toMatchObject([3, { done: 1, failed: 0 }]);
  });
});
