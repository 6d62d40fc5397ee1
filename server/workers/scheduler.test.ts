import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '@/lib/protocol/errors';
import { createMemoryBus } from '@/server/adapters/memory/bus';
import { MemoryDatabase } from '@/server/adapters/memory/database';
import { createMemorySchedules } from '@/server/adapters/memory/schedule-store';
import type { Occurrence, Schedule, ScheduleQueue } from '@/server/ports/schedule-store';
import { Scheduler, type SchedulerDeps } from '@/server/workers/scheduler';
import { eventually } from '../../tests/support/eventually';
import { HandClock } from '../../tests/support/hand-clock';

const nothing = () => {};
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing, with: () => log };
const organizationId = randomUUID();
const SECOND = 1_000;

describe('Scheduler', () => {
  const schedulers: Scheduler[] = [];
  afterEach(async () => {
    for (const scheduler of schedulers.splice(0)) await scheduler.stop();
  });

  const setUp = (wrap: (queue: ScheduleQueue) => ScheduleQueue = (queue) => queue) => {
    const clock = new HandClock(1_000_000 * SECOND);
    const db = new MemoryDatabase(() => clock.now());
    const { store, queue } = createMemorySchedules(db);
    const make = async (of: Partial<Schedule> = {}): Promise<Schedule> => {
      const now = clock.now();
      const schedule: Schedule = {
        ...{
          scheduleId: randomUUID(),
          organizationId,
          name: 'pulse',
          workflow: 'w',
          version: null,
          input: {},
        },
        ...{ cron: null, timeZone: 'UTC', everyMs: 60 * SECOND, offsetMs: 0, jitterMs: 0, overlap: 'skip' },
        ...{ catchupWindowMs: 3_600 * SECOND, paused: false, note: null, priority: null, nextAt: now },
        ...{ createdBy: 'tester', createdAt: now, updatedAt: now },
        ...of,
      };
      await store.create(schedule);
      return schedule;
    };
    /** An open run of the schedule, as if it had been started at one of its times. */
    const openRun = (runId: string) => {
      const links = { parentRunId: null, parentNodePath: null, previousRunId: null };
      const names = { workflowId: runId, workflow: 'w', version: 1, definitionHash: 'h', shard: 0 };
      db.runs.set(runId, {
        run: { runId, organizationId, ...names, ...links, startedBy: 'tester', started: {} },
        ...{ createdAt: 0, status: 'running', closedAt: null, historyLength: 1, wakeAt: 0, recoveries: 0 },
      });
    };
    const begin = (of: { start?: SchedulerDeps['runs']['start']; send?: () => void; lost?: boolean }) => {
      const start = of.start ?? (async () => ({ runId: randomUUID() }) as never);
      const scheduler = new Scheduler({
        queue: wrap(queue),
        runs: { start, send: async () => of.send?.() as never },
        lostBy: async () => (of.lost ? ['w'] : []),
        bus: createMemoryBus(nothing),
        clock,
        log,
        pollMs: SECOND,
      });
      schedulers.push(scheduler);
      scheduler.start();
    };
    const states = async ({ scheduleId }: Schedule) =>
      (await store.occurrences(organizationId, scheduleId, 1_000)).map(({ state }) => state).reverse();
    return { clock, store, queue, make, openRun, begin, states };
  };

  it('a refusal that quotes what is no text is recorded without it', async () => {
    const { store, make, begin, states } = setUp();
    const schedule = await make();
    begin({
      start: async () => {
        throw new AppError('INVALID_WORKFLOW_INPUT', '/input/a\u0000 and \ud83d are not wanted.');
      },
    });
    await eventually('it is settled', async () => (await states(schedule))[0] === 'failed');
    const [failed] = await store.occurrences(organizationId, schedule.scheduleId, 1);
    expect(failed?.reason).toBe('INVALID_WORKFLOW_INPUT: /input/a and \ufffd are not wanted.');
  });

  it('a schedule whose maker has lost its workflow ends no run', async () => {
    const { clock, queue, store, make, openRun, begin, states } = setUp();
    const schedule = await make({ overlap: 'cancel-other' });
    const time = clock.now();
    const runId = randomUUID();
    openRun(runId);
    const settled = { overlap: null, runId, reason: null, settledAt: time } as const;
    const first: Occurrence = {
      nominalAt: time - 60 * SECOND,
      dueAt: time,
      kind: 'schedule',
      state: 'started',
      ...settled,
    };
    await queue.turn(async () => ({ nextAt: time, attentionAt: time, occurrences: [first] }));
    const sent: string[] = [];
    begin({ lost: true, send: () => void sent.push('cancel') });
    await eventually('the time is settled', async () => (await states(schedule)).length === 2);
    expect(await states(schedule)).toEqual(['started', 'skipped']);
    const [skipped] = await store.occurrences(organizationId, schedule.scheduleId, 1);
    expect(skipped?.reason).toContain('may not start "w" any more');
    expect(sent).toEqual([]);
  });

  it('a schedule that another process holds is not asked for without pause', async () => {
    let asked = 0;
    const { clock, queue, make, begin } = setUp((one) => ({
      ...one,
      turn: (work) => {
        asked += 1;
        return one.turn(work);
      },
    }));
    await make();
    let letGo = nothing;
    const held = queue.turn(async () => {
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
      return { nextAt: null, attentionAt: null, occurrences: [] };
    });
    begin({});
    await clock.pass(0);
    expect(asked).toBe(1);
    for (let ms = 0; ms < 1_000; ms++) await clock.pass(1);
    expect(asked).toBeGreaterThan(5);
    expect(asked).toBeLessThanOrEqual(11);
    letGo();
    await held;
  });

  it('a turn whose starts are slow ends, and leaves the rest to the next one, in order', async () => {
    const { clock, make, begin, states } = setUp();
    const time = clock.now();
    const schedule = await make({ overlap: 'allow-all', everyMs: SECOND, nextAt: time - 9 * SECOND });
    const started: string[] = [];
    let counts: number[] = [];
    begin({
      start: async (_actor, body) => {
        // Nothing is stored before the turn is over.
        counts = [...counts, (await states(schedule)).filter((state) => state === 'started').length];
        await clock.pass(3 * SECOND);
        started.push(body.workflowId ?? '');
        return { runId: randomUUID() } as never;
      },
    });
    await eventually('the ten are started', () => started.length >= 10);
    expect(started.slice(0, 10)).toEqual(
      Array.from({ length: 10 }, (_, i) => `pulse-${new Date(time + (i - 9) * SECOND).toISOString()}`),
    );
    expect(counts.slice(0, 10)).toEqual([0, 0, 2, 2, 4, 4, 6, 6, 8, 8]);
  });
});
