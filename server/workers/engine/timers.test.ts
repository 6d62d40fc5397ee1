import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemoryExecutionStore } from '@/server/adapters/memory/execution-store';
import { createMemoryLeaseStore } from '@/server/adapters/memory/lease-store';
import { eventually } from '../../../tests/support/eventually';
import { HandClock } from '../../../tests/support/hand-clock';
import { createTestEngine, type TestEngineOptions } from '../../../tests/support/memory-engine';

const MINUTE_MS = 60_000;
const minute: WorkflowDefinition = {
  schemaVersion: 1,
  name: 'minute',
  nodes: [{ id: 'pause', kind: 'wait', duration: '60s' }],
};

describe('timers', () => {
  const engines: { host: { drain(timeoutMs: number): Promise<void> }; clock: HandClock }[] = [];
  const setUp = async (options: Partial<TestEngineOptions> = {}) => {
    const clock = new HandClock();
    const db = new MemoryDatabase(() => clock.now());
    const inner = createMemoryExecutionStore(db);
    /** Commits in which timers fire, by the number of timers. */
    const firing: number[] = [];
    const made = createTestEngine({
      definitions: [minute],
      organizationId: randomUUID(),
      clock,
      leases: createMemoryLeaseStore(db),
      maxPressure: 100_000,
      execution: {
        ...inner,
        async commit(owner, parts) {
          const fired = parts.flatMap(({ events }) => events.filter(({ type }) => type === 'TIMER_FIRED'));
          if (fired.length > 0) firing.push(fired.length);
          return inner.commit(owner, parts);
        },
      },
      ...options,
    });
    engines.push({ host: made.host, clock });
    await made.host.start();
    const waiting = () => [...db.runs.values()].filter(({ status }) => status === 'running').length;
    const startMany = async (count: number) => {
      const runIds = await Promise.all(Array.from({ length: count }, () => made.start('minute')));
      await eventually('all of them wait', () => runIds.every((id) => db.events.get(id)?.length === 2));
      return runIds;
    };
    const timesFired = (runId: string) =>
      (db.events.get(runId) ?? []).filter(({ type }) => type === 'TIMER_FIRED').map(({ at }) => at);
    return { made, db, clock, firing, waiting, startMany, timesFired };
  };
  afterEach(async () => {
    for (const { host, clock } of engines.splice(0)) {
      let isOver = false;
      const over = host.drain(0).then(() => {
        isOver = true;
      });
      while (!isOver) await clock.pass(100);
      await over;
    }
  });

  // It shows that nothing is done once per timer but its own events: the timers of an instant are told in one go and share
  // writes of at most 1,000 runs. It says nothing about how long Postgres takes for such a write.
  it('10,000 timers due on one and the same millisecond all fire, each once, in eleven commits at most', async () => {
    const { clock, firing, waiting, startMany, timesFired } = await setUp();
    const begun = clock.now();
    const runIds = await startMany(10_000);
    expect(clock.now()).toBe(begun);
    await clock.pass(MINUTE_MS - 1);
    expect([waiting(), firing]).toEqual([10_000, []]);
    await clock.pass(1);
    await eventually('all of them complete', () => waiting() === 0);
    for (const runId of runIds) expect(timesFired(runId)).toEqual([begun + MINUTE_MS]);
    expect(firing.reduce((sum, fired) => sum + fired, 0)).toBe(10_000);
    expect(firing.length).toBeLessThanOrEqual(11);
  });

  // The same when the runs sleep in the store: they are read in pages of one and the same wake-up time, none is left out
  // or read twice, and they fire on their millisecond because they are loaded ahead of it.
  it('1,200 runs that sleep in the store until one and the same millisecond are all woken by it, each once', async () => {
    const { made, db, clock, firing, waiting, startMany, timesFired } = await setUp({ maxResidents: 0 });
    const begun = clock.now();
    const runIds = await startMany(1_200);
    await clock.pass(1_000);
    await eventually('all of them sleep', () => made.host.residentCount() === 0);
    expect(new Set([...db.runs.values()].map(({ wakeAt }) => wakeAt))).toEqual(new Set([begun + MINUTE_MS]));
    for (let second = 1; second < 59; second++) await clock.pass(1_000);
    await clock.pass(999);
    await eventually('all of them are loaded ahead of it', () => made.host.residentCount() === 1_200);
    expect([waiting(), firing]).toEqual([1_200, []]);
    await clock.pass(1);
    await eventually('all of them complete', () => waiting() === 0);
    for (const runId of runIds) expect(timesFired(runId)).toEqual([begun + MINUTE_MS]);
    expect(firing.length).toBeLessThanOrEqual(3);
  });

  it('a waiting run that was put to sleep in the store is woken by its own timer', async () => {
    const { made, db, clock, startMany, timesFired } = await setUp({ maxResidents: 1 });
    const begun = clock.now();
    const runIds = await startMany(2);
    await clock.pass(1_000);
    await eventually('one of them sleeps', () => made.host.residentCount() === 1);
    const sleeper = runIds.find((id) => db.runs.get(id)?.wakeAt === begun + MINUTE_MS) as string;
    expect(made.host.residents.has(sleeper)).toBe(false);
    await clock.pass(MINUTE_MS - 1_001);
    expect(timesFired(sleeper)).toEqual([]);
    await eventually('it is loaded ahead of its time', () => made.host.residents.has(sleeper));
    await clock.pass(1);
    await eventually('it completes', () => db.runs.get(sleeper)?.status === 'completed');
    expect(timesFired(sleeper)).toEqual([begun + MINUTE_MS]);
    await eventually('so does the other', () =>
      runIds.every((id) => db.runs.get(id)?.status === 'completed'),
    );
  });
});
