import { describe, expect, it } from 'vitest';
import type { JsonObject } from '@/lib/shared/json';
import type { CounterLine } from './counter-log';
import type { Evidence, EvidenceEvent, EvidenceRun } from './evidence';
import type { Sleep } from './fault-log';
import { checkLaws } from './laws';
import type { Program, Site } from './programs';
import type { Round } from './round';

const RUN = '018f0000-0000-7000-8000-000000000001';
const BEGAN = 1_800_000_000_000;

const SITES: Site[] = [
  { path: 'pay', kind: 'call' },
  { path: 'pay', kind: 'undo' },
  { path: 'ask', kind: 'approval', quorum: 1 },
  { path: 'send', kind: 'call', guarded: true, quorum: 2, unsafe: true },
  { path: 'rest', kind: 'wait', ms: 500 },
  { path: 'tell', kind: 'call' },
];

/** A round in which everything went as it must; each test spoils one thing. */
function wellRun() {
  const events: EvidenceEvent[] = [];
  const lines = new Map<string, CounterLine[]>();
  let at = BEGAN;
  const event = (type: string, data: JsonObject = {}) => {
    at += 10;
    events.push({ seq: events.length + 1, type, data, at, committed: at + 1 });
  };
  const call = (node: string, tool = 'count') => {
    at += 10;
    const key = `${RUN}:${node}:do`;
    const line = { tool, key, input: { value: `${RUN}/${node}` }, at, pid: 1, caller: 2 };
    lines.set(key, [
      { ...line, what: 'start' },
      { ...line, what: 'done' },
    ]);
    event('ACTIVITY_TASK_COMPLETED', { activityId: `${node}:do` });
  };
  const decide = (approvalId: string, by: string) =>
    event('APPROVAL_DECIDED', { approvalId, by, decision: 'approve' });
  event('WORKFLOW_EXECUTION_STARTED', { input: { n: 1 } });
  call('pay');
  decide('ask', 'ada');
  event('APPROVAL_CLOSED', { approvalId: 'ask', outcome: 'approved' });
  decide('send', 'ada');
  decide('send', 'bob');
  event('APPROVAL_CLOSED', { approvalId: 'send', outcome: 'approved' });
  call('send', 'count_unsafe');
  event('TIMER_STARTED', { purpose: 'wait', nodePath: 'rest', timerId: 'rest:wait', fireAt: at + 510 });
  at += 500;
  event('TIMER_FIRED', { timerId: 'rest:wait' });
  call('tell');
  event('WORKFLOW_EXECUTION_COMPLETED');
  const run: EvidenceRun = {
    runId: RUN,
    workflow: 'p',
    workflowId: RUN,
    status: 'completed',
    closed: true,
    historyLength: events.length,
    failure: null,
    parentRunId: null,
    parentNodePath: null,
    created: BEGAN,
    events,
  };
  const program = {
    name: 'p',
    input: { n: 1 },
    ends: 'completed',
    sites: SITES,
    continues: 0,
    cleansUp: false,
  };
  const started = { program: program as unknown as Program, runId: RUN, key: 'start:p' };
  const round = {
    started: [started],
    signals: [] as Round['signals'],
    cancels: [] as Round['cancels'],
    reports: new Map([[RUN, { status: 'completed', output: '', failure: '', historyLength: events.length }]]),
    complaints: [] as string[],
  };
  const stream: Evidence['stream'] = [{ seq: 8, count: events.length, refs: [[RUN, 1, events.length]] }];
  const check = (exact = false, sleeps: Sleep[] = []) => {
    const evidence: Evidence = {
      runs: new Map([[RUN, run]]),
      streamBefore: 7,
      stream,
      inboxLeft: 0,
      outboxLeft: 0,
      lines: (key) => lines.get(key) ?? [],
      keys: [...lines.keys()],
    };
    return checkLaws(round as unknown as Round, evidence, [], { exact, sleeps }).map(({ law }) => law);
  };
  const of = (type: string, field?: string, value?: string) =>
    events.find(
      (one) => one.type === type && (field === undefined || one.data[field] === value),
    ) as EvidenceEvent;
  const callsOf = (node: string, purpose = 'do') => lines.get(`${RUN}:${node}:${purpose}`) as CounterLine[];
  return { run, round, program, stream, lines, check, of, callsOf };
}

describe('the laws of the fault harness', () => {
  it('hold for a round that went well', () => {
    expect(wellRun().check(true)).toEqual([]);
  });

  it.each<[string, (world: ReturnType<typeof wellRun>) => void]>([
    [
      'no approval is bypassed',
      ({ of }) => Object.assign(of('APPROVAL_CLOSED', 'approvalId', 'send'), { committed: BEGAN + 9_000 }),
    ],
    [
      'no approval is bypassed',
      ({ of }) => Object.assign(of('APPROVAL_CLOSED', 'approvalId', 'ask').data, { approvalId: 'other' }),
    ],
    [
      'no approval is bypassed',
      ({ of }) => Object.assign(of('APPROVAL_DECIDED', 'by', 'bob').data, { decision: 'reject' }),
    ],
    ['no approval is bypassed', ({ lines, callsOf }) => lines.set(`${RUN}:refused:do`, callsOf('tell'))],
    ['no approval is bypassed', ({ run }) => run.events.splice(5, 1)],
    [
      'a person decides once',
      ({ of }) => Object.assign(of('APPROVAL_DECIDED', 'by', 'bob').data, { by: 'ada' }),
    ],
    ['steps follow each other', ({ of }) => Object.assign(of('TIMER_FIRED'), { committed: BEGAN + 9_000 })],
    [
      'a wait lasts as long as it says',
      ({ of }) => Object.assign(of('TIMER_FIRED'), { committed: of('TIMER_STARTED').at + 100 }),
    ],
    ["events carry Postgres' time", ({ of }) => Object.assign(of('TIMER_FIRED'), { at: BEGAN + 300_000 })],
    [
      "events carry Postgres' time",
      ({ of }) => Object.assign(of('WORKFLOW_EXECUTION_STARTED'), { at: BEGAN - 300_000 }),
    ],
    [
      'a completed step is not called again',
      ({ callsOf }) => callsOf('pay').push({ ...(callsOf('pay')[0] as CounterLine), at: BEGAN + 9_000 }),
    ],
    [
      'an unsafe tool takes effect once',
      ({ callsOf }) => callsOf('send').push({ ...(callsOf('send')[1] as CounterLine) }),
    ],
    [
      'one key, one input',
      ({ callsOf }) =>
        callsOf('tell').push({ ...(callsOf('tell')[0] as CounterLine), input: { value: 'x' } }),
    ],
    ['every step takes effect', ({ lines }) => lines.delete(`${RUN}:tell:do`)],
    ['a completion has an effect', ({ callsOf }) => callsOf('tell').pop()],
    [
      'a call is given what belongs to it',
      ({ callsOf }) => {
        for (const line of callsOf('tell')) line.input = { value: 'x' };
      },
    ],
    ['no call that nobody asked for', ({ lines, callsOf }) => lines.set(`${RUN}:other:do`, callsOf('tell'))],
    [
      'only what failed is undone',
      ({ lines, callsOf }) => lines.set(`${RUN}:pay:compensate`, callsOf('pay')),
    ],
    ['a run ends as its program says', ({ run }) => Object.assign(run, { status: 'failed' })],
    ['a reported result never changes', ({ run }) => Object.assign(run, { status: 'failed' })],
    ['an acknowledged start exists as it was', ({ program }) => Object.assign(program, { input: { n: 2 } })],
    [
      'an acknowledged signal exists once',
      ({ round }) => round.signals.push({ runId: RUN, signalId: 's', started: round.started[0] as never }),
    ],
    [
      'an acknowledged cancel is taken up',
      ({ round }) => round.cancels.push({ runId: RUN, at: BEGAN - 100_000 }),
    ],
    ['no gaps in a history', ({ run }) => run.events.splice(4, 1)],
    [
      'a step completes once',
      ({ of }) =>
        Object.assign(of('ACTIVITY_TASK_COMPLETED', 'activityId', 'tell:do').data, { activityId: 'pay:do' }),
    ],
    ['no gaps in a stream', ({ stream }) => Object.assign(stream[0] as object, { seq: 9 })],
    ['every event is told', ({ stream }) => stream.splice(0)],
    ['what clients are told stays true', ({ round }) => round.complaints.push('It changed.')],
  ])('say so when broken: %s', (law, spoil) => {
    const world = wellRun();
    spoil(world);
    expect(world.check()).toContain(law);
  });

  it('in calm a repeatable call that was made twice is one too many', () => {
    const world = wellRun();
    const calls = world.callsOf('tell');
    calls.splice(1, 0, ...calls.map((line) => ({ ...line })));
    expect(world.check()).toEqual([]);
    expect(world.check(true)).toEqual(['every step takes effect']);
  });

  it('the last completed is undone first, and a call that did not complete is not undone', () => {
    const world = wellRun();
    const undo = (node: string, at: number) =>
      world.lines.set(`${RUN}:${node}:compensate`, [
        { ...(world.callsOf(node)[0] as CounterLine), key: `${RUN}:${node}:compensate`, at },
      ]);
    Object.assign(world.run, { status: 'failed' });
    undo('tell', 2);
    undo('pay', 3);
    expect(world.check()).not.toContain('the last completed is undone first');
    undo('pay', 1);
    expect(world.check()).toContain('the last completed is undone first');
    world.of('ACTIVITY_TASK_COMPLETED', 'activityId', 'pay:do').type = 'ACTIVITY_TASK_FAILED';
    expect(world.check()).toContain('only what completed is undone');
  });

  it('of a cancelled run nothing that can be undone is left standing', () => {
    const world = wellRun();
    Object.assign(world.program, { ends: 'any' });
    Object.assign(world.run, { status: 'cancelled' });
    expect(world.check()).toContain('what took effect is undone');
    world.lines.set(
      `${RUN}:pay:compensate`,
      world.callsOf('pay').map((line) => ({ ...line, key: `${RUN}:pay:compensate`, at: BEGAN + 9_000 })),
    );
    expect(world.check()).not.toContain('what took effect is undone');
  });

  it('one late call of a process that has just woken is not held against it, a second one is', () => {
    const world = wellRun();
    const late = { ...(world.callsOf('pay')[0] as CounterLine), at: BEGAN + 9_000 };
    world.callsOf('pay').push(late);
    const sleep = { pid: 2, from: BEGAN + 5_000, to: BEGAN + 8_990 };
    expect(world.check(false, [sleep])).toEqual([]);
    expect(world.check(false, [{ ...sleep, pid: 3 }])).toEqual(['a completed step is not called again']);
    expect(world.check(false, [{ ...sleep, to: BEGAN + 8_000 }])).toEqual([
      'a completed step is not called again',
    ]);
    world.callsOf('tell').push({ ...(world.callsOf('tell')[0] as CounterLine), at: BEGAN + 9_000 });
    expect(world.check(false, [sleep])).toEqual(['a completed step is not called again']);
  });
});
