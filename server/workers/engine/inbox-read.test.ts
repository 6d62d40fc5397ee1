import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { shardOf } from '@/lib/shared/ids';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import type { ExecutionStore, InboxRow } from '@/server/ports/execution-store';
import { Inbox } from '@/server/workers/engine/inbox';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine } from '../../../tests/support/memory-engine';
import { startedEngines } from '../../../tests/support/started-engines';

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

describe('a read of the inbox in which starts are refused', () => {
  /** Starts that are refused, `count` commands behind them. */
  const behindStarts = (count: number) => {
    const db = new MemoryDatabase(() => Date.now());
    queue(db, PAGE + 100, 'a');
    for (const row of db.inbox.values()) row.eventType = 'WORKFLOW_EXECUTION_STARTED';
    const starts = db.inbox.size;
    queue(db, count, 'a');
    const given: number[] = [];
    const receive = ({ id, eventType }: InboxRow) => {
      given.push(id);
      return eventType !== 'WORKFLOW_EXECUTION_STARTED';
    };
    const inbox = new Inbox(createMemoryExecutionStore(db));
    const commands = [...db.inbox.keys()].slice(starts);
    return { read: () => inbox.read([0], receive), given, commands };
  };

  it('comes to the commands behind them', async () => {
    const { read, given, commands } = behindStarts(3);
    expect(await read()).toBe(false);
    expect(given.slice(PAGE)).toEqual(commands);
  });

  it('comes to all commands, also when they are more than a read takes and are left again', async () => {
    const { read, given, commands } = behindStarts(10 * PAGE + 100);
    for (let round = 0; round < 2; round++) await read();
    expect(new Set(given.filter((id) => id >= (commands[0] ?? 0)))).toEqual(new Set(commands));
    expect(given).toHaveLength(2 * PAGE + commands.length);
  });
});

describe('an engine without room for the starts that wait', () => {
  const engine = startedEngines();

  /** One run under way, which waits for a signal, behind it more starts than a page, of which few find room. */
  const flooded = async () => {
    let release = () => {};
    const held = new Promise<null>((resolve) => {
      release = () => resolve(null);
    });
    const db = new MemoryDatabase(() => Date.now());
    const memory = createMemoryExecutionStore(db);
    const looks = new Map<string, number>();
    const execution: ExecutionStore = {
      ...memory,
      openRun: (runId) => {
        looks.set(runId, (looks.get(runId) ?? 0) + 1);
        return memory.openRun(runId);
      },
    };
    const definitions = [
      {
        schemaVersion: 1 as const,
        name: 'waiting',
        nodes: [{ id: 'go', kind: 'wait' as const, signal: 'go' }],
      },
      {
        schemaVersion: 1 as const,
        name: 'slow',
        nodes: [
          { id: 'hold', kind: 'activity' as const, activity: 'hold', timeout: '10m' },
          { id: 'go', kind: 'wait' as const, signal: 'go' },
        ],
        edges: [{ from: 'hold', to: 'go' }],
      },
    ] as WorkflowDefinition[];
    const leases = createMemoryLeaseStore(db);
    const made = await engine({
      definitions,
      execution,
      leases,
      functions: { hold: () => held },
      maxPressure: 4,
    });
    const runId = await made.start('waiting');
    await eventually('it waits', async () => (await made.eventTypes(runId)).length > 0);
    // Another process accepts what follows: nobody is told, it has to be read.
    const other = createTestEngine({ definitions, execution, organizationId: made.organizationId });
    const flood: string[] = [];
    for (let i = 0; i < PAGE + 100; i++) flood.push(await other.start('slow'));
    await eventually('there is no room any more', () => made.host.pressure.value >= 4);
    return { db, made, other, runId, flood, looks, release: () => release() };
  };

  it('carries out a command to a run under way, accepted by another process behind more of them than a page', async () => {
    const { db, other, runId } = await flooded();
    await other.send(runId, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    await eventually('it completes', () => db.runs.get(runId)?.status === 'completed');
    expect(db.inbox.size).toBeGreaterThan(PAGE);
  });

  it('leaves a command to one of the starts until that is taken up, and looks for its run once', async () => {
    const { db, made, other, flood, looks, release } = await flooded();
    const last = flood.at(-1) as string;
    await other.send(last, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    await other.send(last, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'again', payload: 2 });
    await eventually('it is looked for', () => looks.has(last));
    const poke = await other.start('waiting');
    await other.send(poke, 'WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 });
    await eventually('the read after it has come to the end', () => looks.has(poke));
    expect([looks.get(last), db.events.has(last)]).toEqual([1, false]);
    release();
    await eventually('it completes', () => db.runs.get(last)?.status === 'completed');
    const types = await made.eventTypes(last);
    expect(types[0]).toBe('WORKFLOW_EXECUTION_STARTED');
    const signals = (await made.store.readHistories([last])).filter(({ type }) => type.endsWith('_SIGNALED'));
    expect(signals.map(({ data }) => data.name)).toEqual(['go', 'again']);
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
    await eventually('the take-over is over', () => over > 0);
    await eventually('a poll loads what is due', () => polls > 1);
    expect(db.inbox.size).toBe(PAGE + 100);
  });
});
