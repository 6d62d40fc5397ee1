import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { MemoryMcpFleet } from '@/server/adapters/memory/mcp-fleet';
import { SystemClock } from '@/server/adapters/system-clock';
import type { ActivityFunction } from '@/server/ports/activity';
import type { ExecutionStore } from '@/server/ports/execution-store';
import type { Log } from '@/server/ports/log';
import type { McpFleet } from '@/server/ports/mcp-fleet';
import { eventually } from '../../../tests/support/eventually';
import { createTestEngine, type TestEngineOptions } from '../../../tests/support/memory-engine';

const FOR_EVER = 3_600_000;
const definition: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'one',
  nodes: [{ id: 'n', kind: 'activity', activity: 'work', retry: { maxAttempts: 1 } }],
};
const calling: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'calling',
  nodes: [{ id: 'n', kind: 'mcp-server', server: 's', tool: 'read', idempotent: true }],
};
const nothing = () => {};
const quiet: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => quiet };
const holding = () => new Promise<never>(() => {});

describe('a run that was in memory when process after process ended', () => {
  const engines: ReturnType<typeof createTestEngine>[] = [];
  afterEach(async () => {
    for (const made of engines.splice(0)) await made.host.drain(0);
  });

  const setUp = () => {
    const db = new MemoryDatabase(() => Date.now());
    const memory = createMemoryExecutionStore(db);
    const common = {
      organizationId: randomUUID(),
      definitions: [definition, calling],
      leases: createMemoryLeaseStore(db),
    };
    /** A process, and what ends it: nothing that it would do then reaches the store. */
    const launch = async (
      work: ActivityFunction,
      options: Partial<TestEngineOptions> = {},
      around = (execution: ExecutionStore) => execution,
    ) => {
      let alive = true;
      const execution: ExecutionStore = {
        ...memory,
        commit: (...args) => (alive ? memory.commit(...args) : Promise.resolve(new Set<number>())),
        countRecoveries: (...args) => (alive ? memory.countRecoveries(...args) : holding()),
        clearRecoveries: async (runIds) => {
          if (!alive) return;
          await memory.clearRecoveries(runIds);
        },
        uncountRecoveries: async (runIds) => {
          if (alive) await memory.uncountRecoveries(runIds);
        },
      };
      const made = createTestEngine({
        ...common,
        functions: { work },
        calmMs: FOR_EVER,
        ...options,
        execution: around(execution),
      });
      engines.push(made);
      await made.host.start();
      const end = async () => {
        alive = false;
        await made.host.drain(0);
      };
      return {
        ...made,
        end,
        kill: () => {
          alive = false;
        },
        isDead: () => !alive,
      };
    };
    const loads = (runId: string) => db.runs.get(runId)?.recoveries;
    const status = (runId: string) => db.runs.get(runId)?.status;

    /** A run that had the bad luck to be under way at each of so many ends. */
    const unlucky = async (ends: number) => {
      const first = await launch(holding);
      const runId = await first.start('one');
      await eventually('it is under way', () => db.events.get(runId)?.length === 2);
      await first.end();
      for (let end = 1; end <= ends; end++) {
        const next = await launch(holding);
        await eventually(
          'it is under way again',
          () => loads(runId) === end && next.host.activityCount() === 1,
        );
        await next.end();
      }
      return runId;
    };
    return { db, launch, unlucky, loads, status };
  };

  it('is not counted, nor loaded, when a process ends while it is held back', async () => {
    const { launch, unlucky, loads, status } = setUp();
    const runId = await unlucky(4);
    let calls = 0;
    for (let end = 0; end < 4; end++) {
      const held: string[] = [];
      const log = { ...quiet, warn: (operation: string) => void held.push(operation) };
      const calm = await launch(() => ++calls, { log });
      await eventually('it is held back', () => held.includes('suspect'));
      await calm.end();
    }
    expect([calls, loads(runId), status(runId)]).toEqual([0, 4, 'running']);
    await launch(() => ++calls, { calmMs: 10 });
    await eventually('it completes', () => status(runId) === 'completed');
    expect(calls).toBe(1);
  });

  it('completes in its last trial once nothing ends processes any more', async () => {
    const { launch, unlucky, status } = setUp();
    const runId = await unlucky(4);
    await launch(() => 'ok', { calmMs: 10 });
    await eventually('it completes', () => status(runId) === 'completed');
  });

  it('is given up when it ends a process after the calm', async () => {
    const { launch, unlucky, status } = setUp();
    const runId = await unlucky(4);
    const last: Awaited<ReturnType<typeof launch>> = await launch(
      () => {
        last.kill();
        return holding();
      },
      { calmMs: 10 },
    );
    await eventually('it ends the process', () => last.isDead());
    await last.end();
    let calls = 0;
    await launch(() => ++calls);
    await eventually('it is given up', () => status(runId) === 'dead_letter');
    expect(calls).toBe(0);
  });

  it('is found out although it ends processes long after its call began, when its first trial is over', async () => {
    const { launch, unlucky, status } = setUp();
    const runId = await unlucky(2);
    // The first trial takes a sixth of the time.
    for (let end = 0; end < 10 && status(runId) !== 'dead_letter'; end++) {
      const poisoned: Awaited<ReturnType<typeof launch>> = await launch(
        () => {
          setTimeout(() => poisoned.kill(), 800);
          return holding();
        },
        { surviveMs: 3_000, calmMs: 10 },
      );
      await eventually(
        'it ends the process, or is given up',
        () => poisoned.isDead() || status(runId) === 'dead_letter',
      );
      await poisoned.end();
    }
    expect(status(runId)).toBe('dead_letter');
  });

  it('keeps the line while its server starts, so that it is not blamed for what a run behind it does', async () => {
    const { launch, status, loads } = setUp();
    /** A server that takes so long to start. */
    const slowServer = (organizationId: string, start: () => Promise<unknown>): McpFleet => {
      const run = () => ({ value: 'ok' });
      const fleet = new MemoryMcpFleet(organizationId, { s: { read: { run } } }, new SystemClock());
      const call: McpFleet['call'] = async (made) => {
        await start();
        return fleet.call(made);
      };
      return Object.assign(Object.create(fleet) as McpFleet, { call });
    };
    const organizationId = randomUUID();
    const patient = { organizationId, fleet: slowServer(organizationId, holding) };
    const first = await launch(holding, patient);
    const innocent = await first.start('calling');
    // The line is in the order of run ids, and those are in that of milliseconds.
    const begun = Date.now();
    await eventually('the next run is a later one', () => Date.now() > begun);
    const poison = await first.start('one');
    await eventually('both are under way', () => first.host.activityCount() === 2);
    await first.end();
    for (let end = 1; end <= 2; end++) {
      const next = await launch(holding, patient);
      await eventually('both are under way again', () => loads(poison) === end && loads(innocent) === end);
      await next.end();
    }
    // Longer than a first trial takes once a call is made: a sixth of the time that clears a run.
    const start = () => new Promise((resolve) => setTimeout(resolve, 1_100));
    let ends = 0;
    const last: Awaited<ReturnType<typeof launch>> = await launch(
      () => {
        ends += 1;
        last.kill();
        return holding();
      },
      { organizationId, fleet: slowServer(organizationId, start), surviveMs: 6_000 },
    );
    await eventually('the poison ends the process', () => ends === 1);
    expect(status(innocent)).toBe('completed');
  });

  it('is not counted by a process that loses its shards and lives, whether it has read it yet or not', async () => {
    const { launch, unlucky, loads } = setUp();
    const runId = await unlucky(1);
    for (const hold of [false, true]) {
      let reads = 0;
      let goOn = nothing;
      const held = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const next = await launch(holding, { leaseTtlMs: 60_000 }, (execution) => ({
        ...execution,
        readHistories: async (ids) => {
          reads += 1;
          if (hold) await held;
          return execution.readHistories(ids);
        },
      }));
      await eventually('it is read', () => reads === 1);
      if (!hold) await eventually('it is counted', () => loads(runId) === 2);
      next.host.leases.lose(next.host.leases.held());
      goOn();
      await eventually('that says nothing', () => loads(runId) === 1);
      await next.end();
    }
  });
});
