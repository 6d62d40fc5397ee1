import { describe, expect, it } from 'vitest';
import type { OverlapPolicy } from '@/lib/protocol/schedule';
import type { Occurrence, Schedule, ScheduleView } from '@/server/ports/schedule-store';
import { MOST_WAITING } from '@/server/ports/schedule-store';
import { planTurn } from '@/server/services/schedule-plan';

const MINUTE = 60_000;
const NOW = 1_000 * MINUTE;

function schedule(more: Partial<Schedule> = {}): Schedule {
  return {
    scheduleId: 's',
    organizationId: 'o',
    name: 'every-minute',
    workflow: 'w',
    version: null,
    input: {},
    cron: null,
    timeZone: 'UTC',
    everyMs: MINUTE,
    offsetMs: 0,
    jitterMs: 0,
    overlap: 'skip',
    catchupWindowMs: 60 * MINUTE,
    paused: false,
    note: null,
    priority: null,
    nextAt: NOW,
    createdBy: 'u',
    createdAt: 0,
    updatedAt: 0,
    ...more,
  };
}

function waiting(nominalAt: number, more: Partial<Occurrence> = {}): Occurrence {
  return {
    nominalAt,
    dueAt: nominalAt,
    kind: 'schedule',
    overlap: null,
    state: 'waiting',
    runId: null,
    reason: null,
    settledAt: null,
    ...more,
  };
}

function view(more: Partial<ScheduleView> & { of?: Partial<Schedule> } = {}): ScheduleView {
  const { of, ...rest } = more;
  return { schedule: schedule(of), now: NOW, waiting: [], taken: [], openRuns: [], ...rest };
}

const minutes = (items: readonly Occurrence[]) => items.map((it) => (it.nominalAt - NOW) / MINUTE);
const states = (items: readonly Occurrence[]) => items.map((it) => it.state);

describe('planTurn', () => {
  it('starts the time that has come and looks again at the next', () => {
    const plan = planTurn(view());
    expect(minutes(plan.start)).toEqual([0]);
    expect(plan).toMatchObject({ settled: [], stop: null, nextAt: NOW + MINUTE, attentionAt: NOW + MINUTE });
  });

  it('does nothing before its time', () => {
    const plan = planTurn(view({ of: { nextAt: NOW + 1 } }));
    expect(plan).toMatchObject({ start: [], settled: [], nextAt: NOW + 1, attentionAt: NOW + 1 });
  });

  it('after downtime starts what lies in the catch-up window, in order, and records that older times were missed', () => {
    const plan = planTurn(
      view({ of: { nextAt: NOW - 10 * MINUTE, catchupWindowMs: 3 * MINUTE, overlap: 'allow-all' } }),
    );
    expect(minutes(plan.start)).toEqual([-3, -2, -1, 0]);
    expect(minutes(plan.settled)).toEqual([-10]);
    expect(plan.settled[0]).toMatchObject({ state: 'missed', settledAt: NOW });
    expect(plan.settled[0]?.reason).toContain('catch-up window');
    expect(plan.nextAt).toBe(NOW + MINUTE);
  });

  it('with `skip` the first missed time runs and the rest are skipped over it', () => {
    const plan = planTurn(view({ of: { nextAt: NOW - 2 * MINUTE } }));
    expect(minutes(plan.start)).toEqual([-2]);
    expect(minutes(plan.settled)).toEqual([-1, 0]);
    expect(states(plan.settled)).toEqual(['skipped', 'skipped']);
  });

  it('a paused schedule lets times pass for good, but runs what is asked for', () => {
    const asked = waiting(NOW - 5, { kind: 'trigger' });
    const plan = planTurn(view({ of: { paused: true, nextAt: NOW - 5 * MINUTE }, waiting: [asked] }));
    expect(plan.start).toEqual([asked]);
    expect(plan).toMatchObject({ settled: [], nextAt: NOW + MINUTE });
  });

  it('jitter delays the start, not the count', () => {
    const plan = planTurn(view({ of: { jitterMs: 50_000 } }));
    expect(plan.start).toEqual([]);
    expect(minutes(plan.settled)).toEqual([0]);
    const [kept] = plan.settled;
    expect(kept?.state).toBe('waiting');
    expect(kept?.dueAt).toBeGreaterThan(NOW);
    expect(plan.attentionAt).toBe(Math.min(kept?.dueAt ?? 0, NOW + MINUTE));
    expect(plan.nextAt).toBe(NOW + MINUTE);
  });

  describe.each<[OverlapPolicy, { start: number[]; settled: [number, string][]; stop: string | null }]>([
    ['skip', { start: [], settled: [[0, 'skipped']], stop: null }],
    ['buffer-one', { start: [], settled: [[0, 'waiting']], stop: null }],
    ['allow-all', { start: [0], settled: [], stop: null }],
    ['cancel-other', { start: [], settled: [[0, 'waiting']], stop: 'cancel' }],
    ['terminate-other', { start: [], settled: [[0, 'waiting']], stop: 'terminate' }],
  ])('%s while a run is open', (overlap, expected) => {
    it('does as its name says', () => {
      const plan = planTurn(view({ of: { overlap }, openRuns: ['run'] }));
      expect(minutes(plan.start)).toEqual(expected.start);
      expect(plan.settled.map((it) => [(it.nominalAt - NOW) / MINUTE, it.state])).toEqual(expected.settled);
      expect(plan.stop?.how ?? null).toBe(expected.stop);
    });

    it('starts once the run has closed', () => {
      expect(minutes(planTurn(view({ of: { overlap } })).start)).toEqual([0]);
    });
  });

  it('buffer-one keeps the first that waits and skips those behind it', () => {
    const first = waiting(NOW - MINUTE);
    const plan = planTurn(view({ of: { overlap: 'buffer-one' }, waiting: [first], openRuns: ['run'] }));
    expect(plan.start).toEqual([]);
    expect(minutes(plan.settled)).toEqual([0]);
    expect(states(plan.settled)).toEqual(['skipped']);
    expect(plan.attentionAt).toBe(NOW + 1_000);
  });

  it.each(['cancel-other', 'terminate-other'] as const)(
    '%s: of several waiting times the last one counts',
    (overlap) => {
      const earlier = waiting(NOW - MINUTE);
      const plan = planTurn(view({ of: { overlap }, waiting: [earlier], openRuns: ['run'] }));
      expect(plan.stop?.for.nominalAt).toBe(NOW);
      expect(plan.settled.map((it) => [(it.nominalAt - NOW) / MINUTE, it.state])).toEqual([
        [-1, 'skipped'],
        [0, 'waiting'],
      ]);
    },
  );

  it('the policy of an asked occurrence overrides that of the schedule', () => {
    const asked = waiting(NOW - 5, { kind: 'trigger', overlap: 'allow-all' });
    const plan = planTurn(view({ of: { nextAt: NOW + MINUTE }, waiting: [asked], openRuns: ['run'] }));
    expect(plan.start).toEqual([asked]);
  });

  it('a time that was asked for before a scheduler got to it comes up once, and is not missed', () => {
    const asked = [-10, -9, -1, 0].map((at) => waiting(NOW + at * MINUTE, { kind: 'backfill' }));
    const plan = planTurn(
      view({
        of: { nextAt: NOW - 10 * MINUTE, catchupWindowMs: 3 * MINUTE, overlap: 'allow-all' },
        waiting: asked,
        taken: asked.map((it) => it.nominalAt),
      }),
    );
    expect(plan.start.map((it) => [(it.nominalAt - NOW) / MINUTE, it.kind])).toEqual([
      [-10, 'backfill'],
      [-9, 'backfill'],
      [-3, 'schedule'],
      [-2, 'schedule'],
      [-1, 'backfill'],
      [0, 'backfill'],
    ]);
    expect(plan.settled.map((it) => [(it.nominalAt - NOW) / MINUTE, it.state])).toEqual([[-8, 'missed']]);
    expect(plan.nextAt).toBe(NOW + MINUTE);
  });

  it.each(['cancel-other', 'terminate-other'] as const)(
    '%s: a time that was started already does not stop its own run',
    (overlap) => {
      const plan = planTurn(view({ of: { overlap }, taken: [NOW], openRuns: ['run of that time'] }));
      expect(plan).toMatchObject({ start: [], settled: [], stop: null, nextAt: NOW + MINUTE });
    },
  );

  it('a schedule that catches up is looked at again now, not in the past, and brings no more than is worked off', () => {
    const of = { everyMs: 1_000, nextAt: NOW - 3_000_000, overlap: 'allow-all' } as const;
    const first = planTurn(view({ of }));
    expect([first.attentionAt, first.start.length + first.settled.length]).toEqual([NOW, MOST_WAITING]);
    const left = first.settled.filter(({ state }) => state === 'waiting');
    const second = planTurn(view({ of: { ...of, nextAt: first.nextAt }, waiting: left }));
    expect(second.attentionAt).toBe(NOW);
    expect(left.length + second.settled.length).toBe(MOST_WAITING);
  });

  it.each(['skip', 'buffer-one', 'allow-all', 'cancel-other'] as const)(
    '%s: times that wait are let pass once the schedule is paused, and end no run',
    (overlap) => {
      const before = waiting(NOW - MINUTE);
      const asked = waiting(NOW - 5, { kind: 'trigger', overlap: 'allow-all' });
      const plan = planTurn(
        view({ of: { overlap, paused: true }, waiting: [before, asked], openRuns: ['run'] }),
      );
      expect(plan.start).toEqual([asked]);
      expect(plan.settled).toEqual([
        { ...before, state: 'skipped', reason: 'The schedule was paused.', settledAt: NOW },
      ]);
      expect(plan.stop).toBeNull();
    },
  );

  it.each<[OverlapPolicy, string]>([
    ['skip', 'missed'],
    ['allow-all', 'missed'],
    ['buffer-one', 'start'],
    ['terminate-other', 'start'],
  ])('%s: a time that waits longer than the catch-up window: %s', (overlap, outcome) => {
    const old = waiting(NOW - 5 * MINUTE, { dueAt: NOW - 4 * MINUTE });
    const of = { overlap, catchupWindowMs: 3 * MINUTE, nextAt: NOW + 1 };
    const plan = planTurn(view({ of, waiting: [old] }));
    expect(plan.settled.map((it) => it.state).join() || 'start').toBe(outcome);
    expect(plan.start).toEqual(outcome === 'start' ? [old] : []);
    const asked = waiting(NOW - 5 * MINUTE, { kind: 'backfill' });
    expect(planTurn(view({ of, waiting: [asked] })).start).toEqual([asked]);
  });

  it('without a catch-up window a time is not missed because the scheduler looks some seconds late', () => {
    const plan = planTurn(view({ of: { catchupWindowMs: 0, nextAt: NOW - 2_000 } }));
    expect(plan.start.map((it) => it.nominalAt)).toEqual([NOW - 2_000]);
    const late = planTurn(view({ of: { catchupWindowMs: 0, nextAt: NOW - 11_000 } }));
    expect(states(late.settled)).toEqual(['missed']);
  });

  it('a flood of times is worked off in pieces, in order, losing none', () => {
    let at: Partial<Schedule> = { everyMs: 1_000, nextAt: NOW - 1_299_000, overlap: 'allow-all' };
    let queue: Occurrence[] = [];
    const started: number[] = [];
    for (let turn = 0; turn < 40; turn++) {
      const plan = planTurn(view({ of: at, waiting: queue }));
      started.push(...plan.start.map((it) => it.nominalAt));
      const done = new Set(plan.start.map((it) => it.nominalAt));
      queue = [...queue.filter((it) => !done.has(it.nominalAt)), ...plan.settled];
      at = { ...at, nextAt: plan.nextAt };
      if (plan.attentionAt !== NOW && (plan.attentionAt ?? 0) > NOW) break;
    }
    expect(started).toEqual(Array.from({ length: 1_300 }, (_, i) => NOW - 1_299_000 + i * 1_000));
    expect(queue).toEqual([]);
  });
});
