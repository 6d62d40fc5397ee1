import { describe, expect, it } from 'vitest';
import { outstanding, replay } from '@/lib/engine/step';
import { Bench } from '@/lib/engine/testing';

const mcp = (more: object = {}) => ({ id: 'x', kind: 'mcp-server', server: 's', tool: 't', ...more });
const bench = (more: object = {}, nodes: object[] = []) =>
  new Bench({ schemaVersion: 1, name: 'asks', nodes: [mcp(more), ...nodes] });
const request = { key: 'k', kind: 'form' as const, message: 'Sure?', schema: { type: 'object' } };
const durable = { requests: [request], requestState: 'opaque', durable: true };
const open = { requests: [request], durable: false };
const yes = { k: { action: 'accept' as const, content: { ok: true } } };

const ask = (run: Bench, input: typeof durable | typeof open | (typeof durable & { taskId: string })) =>
  run.send('ACTIVITY_TASK_INPUT_REQUIRED', { activityId: 'x:do', attempt: run.call('x').attempt, input });
const answer = (run: Bench, answers: Record<string, (typeof yes)['k']> = yes) =>
  run.send('ACTIVITY_TASK_INPUT_PROVIDED', { activityId: 'x:do', answers, by: 'ada' });
const started = (run: Bench, retrySafe: boolean) =>
  run.send('ACTIVITY_TASK_STARTED', { activityId: 'x:do', attempt: run.call('x').attempt, retrySafe });
/** What a new owner does, after a replay of the history so far. */
const afterCrash = (run: Bench) => outstanding(run.program, replay(run.program, run.history));

describe('a question of a server', () => {
  it('parks the node: no timer runs, and a crash changes nothing', () => {
    const run = bench();
    started(run, false);
    ask(run, durable);
    expect(run.node('x').status).toBe('waiting');
    expect(run.state.timers.size).toBe(0);
    expect(afterCrash(run)).toEqual([]);
  });

  it('is answered once; the same attempt goes on with the answers', () => {
    const run = bench();
    started(run, false);
    ask(run, durable);
    expect(answer(run, { other: yes.k })).toEqual([]);
    expect(answer(run).map((event) => event.type)).toEqual([
      'ACTIVITY_TASK_INPUT_PROVIDED',
      'ACTIVITY_TASK_SCHEDULED',
    ]);
    expect(run.call('x')).toMatchObject({ attempt: 1, resume: { input: durable, answers: yes } });
    // STARTED of the first leg says nothing of the second.
    expect(run.call('x').started).toBeUndefined();
    expect(answer(run)).toEqual([]);
    expect(afterCrash(run)).toEqual([run.call('x')]);
    run.complete('x', 'done');
    expect(run.state.status).toBe('completed');
  });

  it('inside an open call: after a crash the new owner knows what had begun', () => {
    const run = bench();
    started(run, false);
    ask(run, open);
    expect(afterCrash(run)).toEqual([]);
    answer(run);
    expect(run.call('x')).toMatchObject({ started: { retrySafe: false }, resume: { input: open } });
    expect(afterCrash(run)).toMatchObject([{ type: 'RUN_ACTIVITY', started: { retrySafe: false } }]);
  });

  it('may come again and again, each round replacing the one before', () => {
    const run = bench();
    ask(run, durable);
    answer(run);
    ask(run, { ...durable, requestState: 'second' });
    expect(run.node('x').status).toBe('waiting');
    answer(run);
    expect(run.call('x').resume?.input.requestState).toBe('second');
    run.complete('x');
    expect(run.state.status).toBe('completed');
  });

  it('is over when the server gives the result, or gives up, without an answer', () => {
    const done = bench();
    ask(done, open);
    done.complete('x', 'never mind');
    expect(done.state.status).toBe('completed');
    const failed = bench();
    ask(failed, open);
    failed.fail('x', 'TOOL_ERROR');
    expect(failed.state.status).toBe('failed');
    expect(answer(failed)).toEqual([]);
  });

  it('waits for a paused run to go on', () => {
    const run = bench();
    ask(run, durable);
    run.send('WORKFLOW_EXECUTION_PAUSED', {});
    expect(answer(run).map((event) => event.type)).toEqual(['ACTIVITY_TASK_INPUT_PROVIDED']);
    expect(afterCrash(run)).toEqual([]);
    expect(answer(run)).toEqual([]);
    run.send('WORKFLOW_EXECUTION_UNPAUSED', {});
    expect(run.call('x').resume?.answers).toEqual(yes);
  });

  it('goes with its call when the run is cancelled; an open call is told', () => {
    const parked = bench();
    ask(parked, durable);
    parked.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(parked.state.status).toBe('cancelled');
    expect(parked.commands.some((command) => command.type === 'CANCEL_ACTIVITY')).toBe(false);
    for (const type of ['WORKFLOW_EXECUTION_CANCEL_REQUESTED', 'WORKFLOW_EXECUTION_TERMINATED'] as const) {
      const held = bench();
      ask(held, open);
      held.send(type, {});
      expect(
        held.commands.some((command) => command.type === 'CANCEL_ACTIVITY'),
        type,
      ).toBe(true);
    }
  });

  it('of a call that can be undone: its end is awaited, also by a new owner', () => {
    const run = bench({ compensate: { server: 's', tool: 'undo' } });
    started(run, true);
    ask(run, open);
    run.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(answer(run)).toEqual([]);
    expect(afterCrash(run).map((command) => command.type)).toEqual(['RUN_ACTIVITY', 'CANCEL_ACTIVITY']);
    run.send('ACTIVITY_TASK_CANCELED', { activityId: 'x:do', attempt: 1 });
    expect(run.state.status).toBe('cancelled');
  });

  it('keeps its answer for the next attempt when only the way to the server failed', () => {
    const run = bench({ idempotent: true });
    ask(run, durable);
    answer(run);
    run.fail('x', 'NETWORK_ERROR', { ambiguous: true });
    run.fireNext();
    expect(run.call('x')).toMatchObject({ attempt: 2, resume: { answers: yes } });
    const refused = bench({ retry: { retryOn: ['TOOL_ERROR'] } });
    ask(refused, durable);
    answer(refused);
    refused.fail('x', 'TOOL_ERROR');
    refused.fireNext();
    expect(refused.call('x').resume).toBeUndefined();
  });
});

describe('the question of a call that is over', () => {
  it('is not answered any more: a cancelled call is not made while the run undoes the others', () => {
    const a = { id: 'a', kind: 'activity', activity: 'f', compensate: { activity: 'undo' } };
    const run = bench({}, [a]);
    run.complete('a');
    ask(run, durable);
    run.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(run.state.status).toBe('compensating');
    expect(answer(run)).toEqual([]);
    run.complete('a', null, 'compensate');
    expect(run.state.status).toBe('cancelled');
  });

  it('is not answered any more: a call that has its result is not made again', () => {
    const run = bench({}, [{ id: 'w', kind: 'wait', duration: '1h' }]);
    ask(run, open);
    run.complete('x', 'never mind');
    expect(answer(run)).toEqual([]);
    expect(run.node('x')).toMatchObject({ status: 'completed', output: 'never mind' });
  });
});

describe('a task that the server made of a call', () => {
  const made = (run: Bench) =>
    run.send('ACTIVITY_TASK_REMOTE_TASK', { activityId: 'x:do', attempt: 1, taskId: 'task-1' });

  it('is followed by a new owner, although the call must not be repeated', () => {
    const run = bench();
    started(run, false);
    made(run);
    expect(afterCrash(run)).toMatchObject([{ resume: { input: { requests: [], taskId: 'task-1' } } }]);
    expect(afterCrash(run)[0]).not.toHaveProperty('started');
  });

  it('is followed on after its question was answered', () => {
    const run = bench();
    made(run);
    ask(run, { ...durable, taskId: 'task-1' });
    answer(run);
    expect(run.call('x').resume).toMatchObject({ input: { taskId: 'task-1' }, answers: yes });
  });

  it('is forgotten when it failed: the next attempt is a new call', () => {
    const run = bench({ retry: { retryOn: ['TOOL_ERROR'] } });
    made(run);
    run.fail('x', 'TOOL_ERROR');
    run.fireNext();
    expect(run.call('x').resume).toBeUndefined();
  });
});

describe('several questions inside one open call', () => {
  const about = (message: string) => ({ requests: [{ ...request, message }], durable: false });

  it('are all kept, in order, for a call that has to be made again', () => {
    const run = bench();
    started(run, true);
    for (const message of ['Which?', 'Sure?', 'Sure?']) {
      ask(run, about(message));
      answer(run);
    }
    const { resume } = run.call('x');
    const messages = [...(resume?.earlier ?? []), resume].map((round) => {
      const [first] = round?.input.requests ?? [];
      return first?.kind === 'form' ? first.message : '';
    });
    expect(messages).toEqual(['Which?', 'Sure?', 'Sure?']);
    expect(afterCrash(run)).toMatchObject([{ resume: { earlier: [{ answers: yes }, { answers: yes }] } }]);
  });

  it('of which the last is open when the call breaks: the answers to the others are kept', () => {
    const run = bench({ idempotent: true });
    started(run, true);
    ask(run, about('Which?'));
    answer(run);
    ask(run, about('Sure?'));
    run.fail('x', 'NETWORK_ERROR');
    run.fireNext();
    expect(run.call('x').resume).toMatchObject({ input: about('Which?'), answers: yes });
  });

  it('of a task that is lost: the answers are kept, the task is not followed again', () => {
    const run = bench();
    run.send('ACTIVITY_TASK_REMOTE_TASK', { activityId: 'x:do', attempt: 1, taskId: 'task-1' });
    ask(run, { ...about('Which?'), taskId: 'task-1' });
    answer(run);
    expect(run.call('x').resume?.input.taskId).toBe('task-1');
    run.send('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId: 'x:do', attempt: 1 });
    run.send('OUTCOME_RESOLVED', { activityId: 'x:do', resolution: 'retry', by: 'ada' });
    expect(run.call('x').resume).toMatchObject({ input: about('Which?'), answers: yes });
    expect(run.call('x').resume?.input.taskId).toBeUndefined();
  });
});

describe('a cancelled run', () => {
  it('gives up the task of a server whose question waits for a person', () => {
    const run = bench();
    run.send('ACTIVITY_TASK_REMOTE_TASK', { activityId: 'x:do', attempt: 1, taskId: 'task-1' });
    ask(run, { ...durable, taskId: 'task-1' });
    run.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(run.commands).toContainEqual({
      type: 'CANCEL_ACTIVITY',
      activityId: 'x:do',
      task: { server: 's', taskId: 'task-1' },
    });
    expect(run.state.status).toBe('cancelled');
  });
});

describe('a task that its server has forgotten', () => {
  it('is made anew when the call may be repeated, and not followed again', () => {
    const run = bench({ idempotent: true });
    run.send('ACTIVITY_TASK_REMOTE_TASK', { activityId: 'x:do', attempt: 1, taskId: 'task-1' });
    const failure = { code: 'TASK_LOST', message: 'forgotten', retriable: true };
    run.fail('x', 'TASK_LOST', { failure, ambiguous: true, retrySafe: true });
    run.fireNext();
    expect(run.call('x')).toMatchObject({ attempt: 2 });
    expect(run.call('x').resume).toBeUndefined();
  });
});

describe('an answer that nobody has taken up yet when the run is cancelled', () => {
  const undoable = { compensate: { server: 's', tool: 'undo' } };
  const requested = (run: Bench) => run.types().filter((type) => type === 'ACTIVITY_TASK_CANCEL_REQUESTED');
  const ofCall = (run: Bench, id = 'x:do') =>
    run.commands.flatMap((command) =>
      'activityId' in command && command.activityId === id ? [command.type] : [],
    );

  it('does not keep the run open for ever: the open call is told to stop, and undone when it ends well', () => {
    const run = bench(undoable);
    started(run, false);
    ask(run, open);
    run.send('WORKFLOW_EXECUTION_PAUSED', {});
    answer(run);
    run.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(ofCall(run)).toEqual(['RUN_ACTIVITY', 'CANCEL_ACTIVITY']);
    expect(requested(run)).toHaveLength(1);
    expect(replay(run.program, run.history)).toEqual(run.state);
    expect(afterCrash(run).map((command) => command.type)).toEqual(['RUN_ACTIVITY', 'CANCEL_ACTIVITY']);
    run.complete('x', 'booked');
    run.complete('x', null, 'compensate');
    expect(run.state.status).toBe('cancelled');
  });

  it('is not lost on a call that was taken up just before: that is stopped and awaited, too', () => {
    const b = { id: 'b', kind: 'activity', activity: 'f', retry: { maxAttempts: 1 } };
    for (const answeredFirst of [true, false]) {
      const run = bench(undoable, [b]);
      started(run, false);
      ask(run, open);
      run.send('WORKFLOW_EXECUTION_PAUSED', {});
      if (answeredFirst) answer(run);
      run.fail('b');
      if (!answeredFirst) answer(run);
      run.send('WORKFLOW_EXECUTION_UNPAUSED', {});
      expect(ofCall(run).at(-1), `answered first: ${answeredFirst}`).toBe('CANCEL_ACTIVITY');
      expect(requested(run)).toHaveLength(1);
      run.send('ACTIVITY_TASK_CANCELED', { activityId: 'x:do', attempt: 1 });
      expect(run.state.status).toBe('failed');
    }
  });

  it('of a task: the call that would follow it is not made, the task is told to stop', () => {
    const b = { id: 'b', kind: 'activity', activity: 'f', retry: { maxAttempts: 1 } };
    const run = bench({}, [b]);
    run.send('ACTIVITY_TASK_REMOTE_TASK', { activityId: 'x:do', attempt: 1, taskId: 'task-1' });
    ask(run, { ...durable, taskId: 'task-1' });
    run.send('WORKFLOW_EXECUTION_PAUSED', {});
    answer(run);
    run.fail('b');
    run.send('WORKFLOW_EXECUTION_UNPAUSED', {});
    expect(
      run.commands.filter((command) => 'activityId' in command && command.activityId === 'x:do'),
    ).toEqual([
      expect.objectContaining({ type: 'RUN_ACTIVITY' }),
      { type: 'CANCEL_ACTIVITY', activityId: 'x:do', task: { server: 's', taskId: 'task-1' } },
    ]);
    expect(run.state.status).toBe('failed');
  });

  it('in a history of the version before, which had lost the wish to stop it: the next owner stops it', () => {
    const run = bench(undoable);
    started(run, false);
    ask(run, open);
    run.send('WORKFLOW_EXECUTION_PAUSED', {});
    answer(run);
    run.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    const scheduled = run.history.find((event) => event.type === 'ACTIVITY_TASK_SCHEDULED');
    if (scheduled?.type !== 'ACTIVITY_TASK_SCHEDULED') throw new Error('No call.');
    const resumed = { ...scheduled, data: { ...scheduled.data, resumed: 'answer' as const } };
    const stuck = replay(run.program, [...run.history, resumed]);
    expect(outstanding(run.program, stuck).map((command) => command.type)).toEqual([
      'RUN_ACTIVITY',
      'CANCEL_ACTIVITY',
    ]);
  });
});
