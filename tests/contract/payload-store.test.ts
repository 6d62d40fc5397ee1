import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shardOf, uuidv7 } from '@/lib/shared/ids';
import type { JsonObject } from '@/lib/shared/json';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { createMemoryPayloads } from '@/server/adapters/memory/payload-store';
import { createExecutionStore } from '@/server/adapters/postgres/execution-store';
import { createLeaseStore } from '@/server/adapters/postgres/lease-store';
import { createPayloadReader, createPayloads } from '@/server/adapters/postgres/payload-store';
import { createPool } from '@/server/adapters/postgres/pool';
import { createPrisma } from '@/server/adapters/postgres/prisma';
import type { AcceptRequest, CommitPart, ExecutionStore } from '@/server/ports/execution-store';
import type { LeaseStore } from '@/server/ports/lease-store';
import type { NewPayload, PayloadReader, Payloads } from '@/server/ports/payloads';
import { createTestDatabase } from '../support/database';

/** Payloads in Postgres and in memory keep the same promises: every test here runs against both. */

interface Stores {
  payloads: Payloads;
  /** What REST reads with. */
  reader: PayloadReader;
  execution: ExecutionStore;
  leases: LeaseStore;
  close: () => Promise<void>;
}

async function memoryStores(): Promise<Stores> {
  const db = new MemoryDatabase(() => Date.now());
  const payloads = createMemoryPayloads(db);
  return {
    payloads,
    reader: payloads,
    execution: createMemoryExecutionStore(db),
    leases: createMemoryLeaseStore(db),
    close: async () => {},
  };
}

async function postgresStores(): Promise<Stores> {
  const database = await createTestDatabase();
  const pool = createPool(database.url('oc_engine'), 4, 'contract');
  const app = createPool(database.url('oc_app'), 2, 'contract');
  const prisma = createPrisma(app);
  return {
    payloads: createPayloads(pool),
    reader: createPayloadReader(prisma),
    execution: createExecutionStore(pool),
    leases: createLeaseStore(pool),
    close: async () => {
      await prisma.$disconnect();
      await Promise.all([pool.end(), app.end()]);
      await database.drop();
    },
  };
}

function payload(body: Uint8Array, mimeType = 'image/png'): NewPayload {
  return { sha256: createHash('sha256').update(body).digest('hex'), mimeType, body };
}

const reference = ({ sha256, body, mimeType }: NewPayload) => ({
  $payload: { sha256, bytes: body.length, mimeType, encoding: 'base64' },
});

function start(organizationId: string, data: JsonObject): AcceptRequest {
  const runId = uuidv7(Date.now(), randomBytes(10));
  const shard = shardOf(runId, 8);
  return {
    organizationId,
    runId,
    shard,
    newRun: {
      runId,
      organizationId,
      workflowId: runId,
      workflow: 'contract',
      version: 1,
      definitionHash: 'hash',
      shard,
      startedBy: 'tester',
      parentRunId: null,
      parentNodePath: null,
      previousRunId: null,
      started: data,
    },
    eventType: 'WORKFLOW_EXECUTION_STARTED',
    data,
    idempotency: null,
    audit: { actorKind: 'user', actorId: 'tester', action: 'run.start', object: runId, details: {} },
  };
}

describe.each([
  ['memory', memoryStores],
  ['postgres', postgresStores],
] as const)('payloads: %s', (_name, open) => {
  let stores: Stores;
  const organizationId = randomUUID();
  const newId = () => uuidv7(Date.now(), randomBytes(10));
  beforeAll(async () => {
    stores = await open();
  });
  afterAll(() => stores.close());

  it('keeps contents byte by byte, once, and reads them in pieces', async () => {
    const runId = newId();
    const body = randomBytes(100_000);
    const picture = payload(body);
    await stores.payloads.put(organizationId, runId, [picture, payload(Buffer.alloc(0), 'text/plain')]);
    await stores.payloads.put(organizationId, runId, [{ ...picture, mimeType: 'image/gif' }]);
    for (const store of [stores.payloads, stores.reader]) {
      const facts = await store.find(organizationId, runId, picture.sha256);
      expect(facts).toEqual({ sha256: picture.sha256, mimeType: 'image/png', bytes: 100_000 });
      const pieces = [
        await store.read(organizationId, runId, picture.sha256, 0, 60_000),
        await store.read(organizationId, runId, picture.sha256, 60_000, 60_000),
      ];
      expect(Buffer.concat(pieces).equals(body)).toBe(true);
      expect(await store.read(organizationId, runId, picture.sha256, 100_000, 10)).toHaveLength(0);
    }
  });

  it('shows them to nobody else: neither another organisation nor another run', async () => {
    const runId = newId();
    const picture = payload(randomBytes(50));
    await stores.payloads.put(organizationId, runId, [picture]);
    for (const store of [stores.payloads, stores.reader]) {
      expect(await store.find(randomUUID(), runId, picture.sha256)).toBeNull();
      expect(await store.read(randomUUID(), runId, picture.sha256, 0, 50)).toHaveLength(0);
      expect(await store.find(organizationId, newId(), picture.sha256)).toBeNull();
    }
  });

  it('a run that is started with references, or is sent them, has its own copies', async () => {
    const first = newId();
    const [one, two, foreign] = [
      payload(randomBytes(40)),
      payload(randomBytes(40)),
      payload(randomBytes(40)),
    ];
    await stores.payloads.put(organizationId, first, [one, two]);
    await stores.payloads.put(randomUUID(), newId(), [foreign]);
    const request = start(organizationId, { input: { a: reference(one), b: reference(foreign) } });
    await stores.execution.accept(request);
    expect((await stores.payloads.find(organizationId, request.runId, one.sha256))?.bytes).toBe(40);
    expect(await stores.payloads.find(organizationId, request.runId, two.sha256)).toBeNull();
    expect(await stores.payloads.find(organizationId, request.runId, foreign.sha256)).toBeNull();
    await stores.execution.accept({
      ...request,
      newRun: null,
      eventType: 'WORKFLOW_EXECUTION_SIGNALED',
      data: { name: 'go', payload: [reference(two)] },
    });
    expect(await stores.payloads.read(organizationId, request.runId, two.sha256, 0, 40)).toHaveLength(40);
  });

  it('a continued run and a parent get copies with the commit that tells them', async () => {
    const owner = randomUUID();
    const facts = { id: owner, buildId: 'test', host: 'test', pid: process.pid };
    await stores.leases.ensureShards(8);
    await stores.leases.heartbeat(facts, 60_000);
    const leases = await stores.leases.acquire(owner, 60_000, 8);
    const parent = start(organizationId, {});
    const child = start(organizationId, {});
    await stores.execution.accept(parent);
    await stores.execution.accept(child);
    const picture = payload(randomBytes(64));
    await stores.payloads.put(organizationId, child.runId, [picture]);
    const next = start(organizationId, { input: reference(picture) });
    const part: CommitPart = {
      organizationId,
      runId: child.runId,
      shard: child.shard,
      epoch: leases.find(({ shard }) => shard === child.shard)?.epoch ?? -1,
      correlationId: null,
      events: [],
      update: null,
      newRuns: next.newRun ? [next.newRun] : [],
      inboxAdds: [
        {
          shard: parent.shard,
          organizationId,
          runId: parent.runId,
          eventType: 'CHILD_WORKFLOW_EXECUTION_COMPLETED',
          data: { nodePath: 'child', output: { picture: reference(picture) } },
        },
      ],
      inboxDone: [],
    };
    expect([...(await stores.execution.commit(owner, [part]))]).toEqual([child.shard]);
    for (const runId of [next.runId, parent.runId]) {
      expect((await stores.payloads.find(organizationId, runId, picture.sha256))?.bytes).toBe(64);
    }
  });
});
