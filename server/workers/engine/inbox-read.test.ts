import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { shardOf } from '@/lib/shared/ids';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { Inbox } from '@/server/workers/engine/inbox';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';

const FOR_EVER = 3_600_000;
const PAGE = 500;

/** Puts signals for a run in the table without telling anybody. */
function queue(db: MemoryDatabase, count: number, organizationId: string, runId = 'nobody', shard = 0): void {
  for (let i = 0; i < count; i++) {
    const id = db.nextInboxId++;
    const data = { name: `n${i}`, payload: i };
    db.inbox.set(id, {
      ...{ id, shard, organizationId, runId, data },
      eventType: 'WORKFLOW_EXECUTION_SIGNALED',
    });
  }
}

describe('a read of the inbox', () => {
  it('ends although its rows are left again before the next page, and gives each row once', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const inbox = new Inbox(createMemoryExecutionStore(db));
    queue(db, 2 * PAGE + 100, 'a');
    const given: number[] = [];
    await inbox.read([0], ({ id }) => {
      if (inbox.take(id)) given.push(id);
      inbox.leave(id);
      return given.length <= db.inbox.size;
    });
    expect(given).toEqual([...db.inbox.keys()]);
    await inbox.read([0], ({ id }) => given.push(id) > 0);
    expect(given.length).toBe(2 * db.inbox.size);
  });

  it('is gone on with where it stopped, although all its rows were left again', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const inbox = new Inbox(createMemoryExecutionStore(db));
    queue(db, 10 * PAGE + 100, 'a');
    const given: number[] = [];
    for (let read = 0; read < 2; read++) await inbox.read([0], ({ id }) => given.push(id) > 0);
    expect(given).toEqual([...db.inbox.keys()]);
  });

  it('comes to what is behind rows that fill a page with their bytes and are left again', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const inbox = new Inbox(createMemoryExecutionStore(db));
    queue(db, 10, 'a');
    for (const row of [...db.inbox.values()].slice(0, 9)) row.data = { name: 'x'.repeat(2_000_000) };
    const given: number[] = [];
    await inbox.read([0], ({ id }) => given.push(id) > 0);
    expect(given).toEqual([...db.inbox.keys()]);
  });

  it('comes to the rows that a page has left out of an organisation, although later ones were in it', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const inbox = new Inbox(createMemoryExecutionStore(db));
    queue(db, PAGE + 100, 'a');
    queue(db, 3, 'b');
    const given: string[] = [];
    await inbox.read([0], ({ organizationId }) => given.push(organizationId) > 0);
    expect(given.slice(0, PAGE + 3).lastIndexOf('b')).toBe(PAGE + 2);
    expect(given.filter((organizationId) => organizationId === 'a')).toHaveLength(PAGE + 100);
  });
});

describe('an engine with more rows waiting than a page', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
  });

  it('drains although a read is under way', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const memory = createMemoryExecutionStore(db);
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let reads = 0;
    let isHeld = false;
    const execution = {
      ...memory,
      readInbox: async (...args: Parameters<typeof memory.readInbox>) => {
        if (++reads > 100) throw new Error('It reads again and again.');
        if (isHeld) await gate;
        return memory.readInbox(...args);
      },
    };
    const made = createTestEngine({ definitions: [], execution, leases: createMemoryLeaseStore(db) });
    engines.push(made);
    await made.host.start();
    isHeld = true;
    const before = reads;
    await eventually('a read is under way', () => reads > before);
    queue(db, PAGE + 100, made.organizationId);
    const drained = made.host.drain(FOR_EVER);
    const during = reads;
    goOn();
    await drained;
    expect(reads).toBe(during);
    expect(db.inbox.size).toBe(PAGE + 100);
  });

  it('takes over and loads what is due although they are for a run that is held back', async () => {
    const db = new MemoryDatabase(() => Date.now());
    const memory = createMemoryExecutionStore(db);
    const common = {
      organizationId: randomUUID(),
      leases: createMemoryLeaseStore(db),
      definitions: [
        {
          schemaVersion: 1 as const,
          name: 'waiting',
          nodes: [{ id: 'go', kind: 'wait' as const, signal: 'go' }],
        },
      ],
    };
    const first = createTestEngine({ ...common, execution: memory });
    await first.host.start();
    const runId = await first.start('waiting');
    await eventually('it waits', async () => (await first.eventTypes(runId)).length > 0);
    await first.host.drain(0);
    const row = db.runs.get(runId);
    // Loaded four times without progress: the next one has to live without it for a time.
    if (row) row.recoveries = 4;
    queue(db, PAGE + 100, common.organizationId, runId, shardOf(runId, 16));
    let polls = 0;
    const execution = {
      ...memory,
      dueRuns: (...args: Parameters<typeof memory.dueRuns>) => {
        if (args[1].after !== null) polls++;
        return memory.dueRuns(...args);
      },
    };
    let over = 0;
    const nothing = () => {};
    const log = {
      debug: nothing,
      warn: nothing,
      error: nothing,
      info: (operation: string) => void (operation === 'shards_acquired' && over++),
      with: () => log,
    };
    const second = createTestEngine({ ...common, execution, log, calmMs: FOR_EVER });
    engines.push(second);
    await second.host.start();
    await eventually('the take-over is over', () => over > 0, 5_000);
    await eventually('a poll loads what is due', () => polls > 1, 5_000);
    expect(db.inbox.size).toBe(PAGE + 100);
  });
});
