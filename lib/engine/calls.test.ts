import { describe, expect, it } from 'vitest';
import { outstanding, replay, step } from '@/lib/engine/step';
import { Bench } from '@/lib/engine/testing';

const define = (nodes: object[], edges: object[] = [], more: object = {}) => ({
  schemaVersion: 1,
  name: 'calls',
  nodes,
  edges,
  ...more,
});
const mcp = (more: object = {}) => ({ id: 'x', kind: 'mcp-server', server: 's', tool: 't', ...more });
const timerOf = (bench: Bench) => [...bench.state.timers.values()][0];

describe('retries', () => {
  it('wait between attempts, doubling, with the jitter drawn by the host', () => {
    const bench = new Bench(define([mcp({ retry: { maxAttempts: 4, initialDelay: '1s', maxDelay: '3s' } })]));
    bench.fail('x', 'NETWORK_ERROR', { jitter: 0 });
    expect(bench.node('x').status).toBe('backing_off');
    expect((timerOf(bench)?.fireAt ?? 0) - bench.now).toBe(500);
    bench.fireNext();
    bench.fail('x', 'NETWORK_ERROR', { jitter: 0.5 });
    expect((timerOf(bench)?.fireAt ?? 0) - bench.now).toBe(1500);
    bench.fireNext();
    bench.fail('x', 'NETWORK_ERROR', { jitter: 0.999 });
    expect((timerOf(bench)?.fireAt ?? 0) - bench.now).toBe(2999);
    bench.fireNext();
    expect(bench.call('x')).toMatchObject({ attempt: 4, idempotencyKey: 'run-1:x:do' });
    bench.fail('x', 'NETWORK_ERROR');
    expect(bench.state).toMatchObject({ status: 'failed', failure: { code: 'NETWORK_ERROR' } });
  });

  it('are not made for errors that a repeat cannot help', () => {
    const bench = new Bench(define([mcp()]));
    bench.fail('x', 'TOOL_ERROR');
    expect(bench.state.status).toBe('failed');
  });

  it('follow retryOn, and the word of the failure where there is no list', () => {
    const listed = new Bench(define([mcp({ retry: { retryOn: ['TOOL_ERROR'] } })]));
    listed.fail('x', 'TOOL_ERROR');
    expect(listed.node('x').status).toBe('backing_off');
    const said = new Bench(define([mcp()]));
    said.fail('x', 'TOOL_ERROR', { failure: { code: 'TOOL_ERROR', message: 'busy', retriable: true } });
    expect(said.node('x').status).toBe('backing_off');
  });

  it.each([
    ['external-api', 3, 30_000],
    ['database', 2, 10_000],
    ['long-running', 1, 300_000],
  ])('preset %s: %i attempts of %i ms', (preset, attempts, timeoutMs) => {
    const bench = new Bench(define([mcp({ preset })]));
    expect(bench.call('x').timeoutMs).toBe(timeoutMs);
    for (let i = 1; i < attempts; i++) {
      bench.fail('x', 'NETWORK_ERROR');
      bench.fireNext();
    }
    expect(bench.call('x').attempt).toBe(attempts);
    bench.fail('x', 'NETWORK_ERROR');
    expect(bench.state.status).toBe('failed');
  });

  it('wait for an open breaker without using up an attempt', () => {
    const bench = new Bench(define([mcp({ retry: { maxAttempts: 1 } })]));
    for (let i = 0; i < 5; i++) {
      bench.fail('x', 'CIRCUIT_OPEN', { retryAt: bench.now + 30_000 });
      expect((timerOf(bench)?.fireAt ?? 0) - bench.now).toBe(30_000);
      bench.fireNext();
      expect(bench.call('x').attempt).toBe(1);
    }
    bench.complete('x', 'done');
    expect(bench.state).toMatchObject({ status: 'completed', output: 'done' });
    expect(bench.state.usage.calls).toBe(1);
  });

  it('survive a pause in the middle of the delay', () => {
    const bench = new Bench(define([mcp()]));
    bench.fail('x', 'NETWORK_ERROR');
    bench.send('WORKFLOW_EXECUTION_PAUSED', {});
    bench.fireNext();
    expect(bench.node('x').status).toBe('backing_off');
    bench.send('WORKFLOW_EXECUTION_UNPAUSED', {});
    expect(bench.call('x').attempt).toBe(2);
  });

  it('end with a cancellation in the middle of the delay', () => {
    const bench = new Bench(define([mcp()]));
    bench.fail('x', 'NETWORK_ERROR');
    bench.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(bench.state.status).toBe('cancelled');
    expect(bench.commands.filter((command) => command.type === 'CANCEL_TIMER')).toHaveLength(1);
  });
});

describe('unknown outcomes', () => {
  it('come from an ambiguous failure of a call that is not safe to repeat', () => {
    const bench = new Bench(define([mcp()]));
    const events = bench.fail('x', 'NETWORK_ERROR', { ambiguous: true, retrySafe: false });
    expect(events.map((event) => event.type)).toEqual([
      'ACTIVITY_TASK_FAILED',
      'ACTIVITY_TASK_OUTCOME_UNKNOWN',
    ]);
    expect(bench.node('x').status).toBe('unknown_outcome');
  });
  it('do not come where a repeat is safe, by the tool or by the node', () => {
    const byTool = new Bench(define([mcp()]));
    byTool.fail('x', 'NETWORK_ERROR', { ambiguous: true, retrySafe: true });
    expect(byTool.node('x').status).toBe('backing_off');
    const byNode = new Bench(define([mcp({ idempotent: true })]));
    expect(byNode.call('x').idempotent).toBe(true);
    byNode.send('ACTIVITY_TASK_TIMED_OUT', { activityId: 'x:do', attempt: 1, retrySafe: false });
    expect(byNode.node('x').status).toBe('backing_off');
  });
  it('are settled by a result that comes in after all', () => {
    const bench = new Bench(define([mcp()]));
    bench.send('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId: 'x:do', attempt: 1 });
    bench.complete('x', 'late');
    expect(bench.state).toMatchObject({ status: 'completed', output: 'late' });
  });
  it('come from an ambiguous failure of a call that was asked to stop, also where a repeat is safe', () => {
    const bench = new Bench(
      define([mcp({ idempotent: true, compensate: { activity: 'undo', input: '${x.output}' } })]),
    );
    bench.send('ACTIVITY_TASK_STARTED', { activityId: 'x:do', attempt: 1, retrySafe: true, worker: 'w' });
    bench.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    bench.fail('x', 'NETWORK_ERROR', { ambiguous: true, retrySafe: true });
    expect(bench.node('x').status).toBe('unknown_outcome');
    bench.send('OUTCOME_RESOLVED', {
      activityId: 'x:do',
      resolution: 'completed',
      output: 'took effect',
      by: 'ann',
    });
    expect(bench.call('x', 'compensate').input).toBe('took effect');
    bench.complete('x', null, 'compensate');
    expect(bench.state.status).toBe('cancelled');
  });
  it.each([
    ['between attempts', (bench: Bench) => bench],
    [
      'before the next attempt is made',
      (bench: Bench) => {
        bench.fireNext();
        bench.fail('x', 'NETWORK_ERROR');
      },
    ],
    ['while the run is paused', (bench: Bench) => bench.send('WORKFLOW_EXECUTION_PAUSED', {})],
  ])('remain when a call that could be undone and may have taken effect is cancelled %s', (_when, then) => {
    const bench = new Bench(
      define([mcp({ idempotent: true, compensate: { activity: 'undo', input: '${x.output}' } })]),
    );
    bench.fail('x', 'NETWORK_ERROR', { ambiguous: true });
    expect(bench.node('x').status).toBe('backing_off');
    then(bench);
    bench.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(bench.node('x').status).toBe('unknown_outcome');
    bench.send('OUTCOME_RESOLVED', {
      activityId: 'x:do',
      resolution: 'completed',
      output: 'took effect',
      by: 'ann',
    });
    expect(bench.call('x', 'compensate').input).toBe('took effect');
    bench.complete('x', null, 'compensate');
    expect(bench.state.status).toBe('cancelled');
  });
  it('are over when the tool itself answers the next attempt with an error, or a person judges so', () => {
    const compensate = { activity: 'undo', input: '${x.output}' };
    const retry = { retryOn: ['NETWORK_ERROR', 'TOOL_ERROR'] };
    const told = new Bench(define([mcp({ idempotent: true, retry, compensate })]));
    told.fail('x', 'NETWORK_ERROR', { ambiguous: true });
    told.fireNext();
    told.fail('x', 'TOOL_ERROR');
    told.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(told.state.status).toBe('cancelled');
    const judged = new Bench(define([mcp({ compensate })]));
    judged.send('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId: 'x:do', attempt: 1 });
    judged.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    judged.send('OUTCOME_RESOLVED', { activityId: 'x:do', resolution: 'failed', by: 'ann' });
    expect(judged.state.status).toBe('cancelled');
  });
  it('are cancelled at once where nothing could be undone, and awaited where it could', () => {
    const plain = new Bench(define([mcp()]));
    plain.send('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId: 'x:do', attempt: 1 });
    plain.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(plain.state.status).toBe('cancelled');
    const undoable = new Bench(define([mcp({ compensate: { activity: 'undo', input: '${x.output}' } })]));
    undoable.send('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId: 'x:do', attempt: 1 });
    undoable.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(undoable.state.closedAt).toBeUndefined();
    undoable.send('OUTCOME_RESOLVED', {
      activityId: 'x:do',
      resolution: 'completed',
      output: 'took effect',
      by: 'ann',
    });
    expect(undoable.call('x', 'compensate').input).toBe('took effect');
    undoable.complete('x', null, 'compensate');
    expect(undoable.state.status).toBe('cancelled');
  });
});

describe('compensation', () => {
  const undo = (id: string, more: object = {}) => ({
    id,
    kind: 'activity',
    activity: 'do',
    retry: { maxAttempts: 1 },
    compensate: { activity: 'undo', input: { of: `\${${id}.output}` }, ...more },
  });
  const saga = define(
    [
      undo('a'),
      undo('b', { retry: { maxAttempts: 2 } }),
      undo('c'),
      { id: 'last', kind: 'activity', activity: 'do', retry: { maxAttempts: 1 } },
    ],
    [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'c', to: 'last' },
    ],
    { failureWorkflow: 'alarm' },
  );
  const broken = () => {
    const bench = new Bench(saga);
    for (const id of ['a', 'b', 'c']) bench.complete(id, id.toUpperCase());
    bench.fail('last');
    return bench;
  };

  it('undoes the completed nodes in reverse, one at a time, with their own outputs', () => {
    const bench = broken();
    expect(bench.state.status).toBe('compensating');
    for (const id of ['c', 'b', 'a']) {
      expect(bench.commands.at(-1)).toMatchObject({
        type: 'RUN_ACTIVITY',
        activityId: `${id}:compensate`,
        input: { of: id.toUpperCase() },
        idempotencyKey: `run-1:${id}:compensate`,
      });
      bench.complete(id, null, 'compensate');
    }
    expect(bench.state).toMatchObject({ status: 'failed', failure: { message: 'last failed' } });
    expect(['a', 'b', 'c', 'last'].map((id) => bench.node(id).status)).toEqual([
      'compensated',
      'compensated',
      'compensated',
      'failed',
    ]);
    expect(bench.commands.slice(-2)).toMatchObject([
      { type: 'CLOSE_RUN', status: 'failed' },
      {
        type: 'START_WORKFLOW',
        purpose: 'failure-workflow',
        workflow: 'alarm',
        input: { runId: 'run-1', failure: { code: 'ACTIVITY_FAILED' } },
      },
    ]);
    expect(bench.types()).toContain('COMPENSATION_COMPLETED');
  });

  it('has its own retries and its own failure, and goes on with the others', () => {
    const bench = broken();
    bench.complete('c', null, 'compensate');
    bench.fail('b', 'NETWORK_ERROR', {}, 'compensate');
    expect(bench.node('b').status).toBe('compensating');
    bench.fireNext();
    bench.fail('b', 'NETWORK_ERROR', {}, 'compensate');
    expect(bench.node('b')).toMatchObject({
      status: 'compensation_failed',
      failure: { code: 'NETWORK_ERROR' },
    });
    bench.complete('a', null, 'compensate');
    expect(bench.state.status).toBe('failed');
    expect(bench.state.failure?.message).toContain('1 of 3 compensations failed');
  });

  it('can be paused and goes on afterwards', () => {
    const bench = broken();
    bench.send('WORKFLOW_EXECUTION_PAUSED', {});
    bench.complete('c', null, 'compensate');
    expect(bench.state.status).toBe('paused');
    expect(bench.commands.at(-1)).toMatchObject({ activityId: 'c:compensate' });
    bench.send('WORKFLOW_EXECUTION_UNPAUSED', {});
    expect(bench.state.status).toBe('compensating');
    expect(bench.commands.at(-1)).toMatchObject({ activityId: 'b:compensate' });
  });

  it('parks with an unknown outcome of its own', () => {
    const bench = broken();
    bench.send('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId: 'c:compensate', attempt: 1 });
    expect(bench.node('c').status).toBe('unknown_outcome');
    bench.send('OUTCOME_RESOLVED', { activityId: 'c:compensate', resolution: 'completed', by: 'ann' });
    expect(bench.node('c').status).toBe('compensated');
  });

  it('awaits the running call when the run is cancelled, and undoes it when it took effect', () => {
    const bench = new Bench(saga);
    bench.complete('a', 'A');
    bench.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', { reason: 'stop' });
    expect(bench.commands.at(-1)).toEqual({ type: 'CANCEL_ACTIVITY', activityId: 'b:do' });
    expect(bench.state.closedAt).toBeUndefined();
    expect(outstanding(bench.program, bench.state)).toMatchObject([
      { type: 'RUN_ACTIVITY', activityId: 'b:do' },
      { type: 'CANCEL_ACTIVITY', activityId: 'b:do' },
    ]);
    bench.complete('b', 'B');
    for (const id of ['b', 'a']) bench.complete(id, null, 'compensate');
    expect(bench.state).toMatchObject({ status: 'cancelled', failure: { message: 'stop' } });
    expect(replay(bench.program, bench.history)).toEqual(bench.state);
  });

  it('does not happen when the run completes, is terminated, or continues as new', () => {
    const done = new Bench(define([undo('a')]));
    done.complete('a');
    expect(done.types()).not.toContain('COMPENSATION_STARTED');
    const killed = new Bench(saga);
    killed.complete('a');
    killed.send('WORKFLOW_EXECUTION_TERMINATED', { reason: 'now', by: 'ann' });
    expect(killed.state).toMatchObject({ status: 'terminated', failure: { message: 'now' } });
    expect(killed.commands.slice(-2)).toMatchObject([
      { type: 'CANCEL_ACTIVITY', activityId: 'b:do' },
      { type: 'CLOSE_RUN', status: 'terminated' },
    ]);
    expect(outstanding(killed.program, killed.state)).toEqual([]);
  });
});

describe('events that no longer fit', () => {
  const bench = () =>
    new Bench(
      define([
        mcp({ retry: { maxAttempts: 2 } }),
        { id: 'w', kind: 'wait', duration: '5s' },
        { id: 'ok', kind: 'approval', approvers: { users: ['ann'] } },
      ]),
    );
  const refused = (host: Bench, run: () => unknown[]) => {
    const before = host.state.historyLength;
    expect(run()).toEqual([]);
    expect(host.state.historyLength).toBe(before);
  };
  it('an unknown call, an old attempt, a second result', () => {
    const host = bench();
    refused(host, () => host.send('ACTIVITY_TASK_COMPLETED', { activityId: 'zz:do', attempt: 1, output: 1 }));
    refused(host, () => host.send('ACTIVITY_TASK_COMPLETED', { activityId: 'x:do', attempt: 2, output: 1 }));
    host.fail('x', 'NETWORK_ERROR');
    refused(host, () => host.send('ACTIVITY_TASK_COMPLETED', { activityId: 'x:do', attempt: 1, output: 1 }));
    refused(host, () => host.send('ACTIVITY_TASK_CANCELED', { activityId: 'x:do', attempt: 1 }));
    refused(host, () =>
      host.send('OUTCOME_RESOLVED', { activityId: 'x:do', resolution: 'retry', by: 'ann' }),
    );
  });
  it('a timer twice, a timer that never was', () => {
    const host = bench();
    host.now += 5000;
    expect(host.send('TIMER_FIRED', { timerId: 'w:wait' })).not.toEqual([]);
    refused(host, () => host.send('TIMER_FIRED', { timerId: 'w:wait' }));
    refused(host, () => host.send('TIMER_FIRED', { timerId: 'nothing' }));
  });
  it('a decision of somebody who is not asked, a second pause, an unpause without a pause', () => {
    const host = bench();
    refused(host, () => host.send('APPROVAL_DECIDED', { approvalId: 'ok', decision: 'approve', by: 'bob' }));
    refused(host, () => host.send('WORKFLOW_EXECUTION_UNPAUSED', {}));
    host.send('WORKFLOW_EXECUTION_PAUSED', {});
    refused(host, () => host.send('WORKFLOW_EXECUTION_PAUSED', {}));
  });
  it('decisions of the engine that come from outside', () => {
    const host = bench();
    refused(host, () => host.send('NODE_COMPLETED', { nodePath: 'x', output: 1 }));
    refused(host, () => host.send('WORKFLOW_EXECUTION_COMPLETED', { output: 1 }));
  });
  it('anything for a closed run', () => {
    const host = bench();
    host.send('WORKFLOW_EXECUTION_TERMINATED', {});
    refused(host, () => host.send('WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 1 }));
    refused(host, () => host.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {}));
    refused(host, () => host.complete('x'));
    const again = step(host.program, host.state, {
      type: 'WORKFLOW_EXECUTION_TERMINATED',
      at: host.now,
      data: {},
    });
    expect(again).toEqual({ state: host.state, events: [], commands: [] });
  });
});

describe('outstanding after a crash', () => {
  it('gives calls with what is known of their start, timers, approvals and children', () => {
    const bench = new Bench(
      define(
        [
          mcp(),
          { id: 'y', kind: 'activity', activity: 'f' },
          { id: 'w', kind: 'wait', duration: '5s' },
          { id: 'ok', kind: 'approval' },
          { id: 'sub', kind: 'subworkflow', workflow: 'child' },
        ],
        [],
        { timeout: '1h' },
      ),
    );
    bench.send('ACTIVITY_TASK_STARTED', { activityId: 'x:do', attempt: 1, retrySafe: false });
    const folded = replay(bench.program, bench.history);
    expect(outstanding(bench.program, folded)).toMatchObject([
      { type: 'START_TIMER', timerId: 'run:timeout' },
      { type: 'START_TIMER', timerId: 'w:wait' },
      { type: 'RUN_ACTIVITY', activityId: 'x:do', started: { retrySafe: false } },
      { type: 'RUN_ACTIVITY', activityId: 'y:do' },
      { type: 'REQUEST_APPROVAL', approvalId: 'ok' },
      { type: 'START_CHILD', childWorkflowId: 'run-1/sub' },
    ]);
    bench.send('CHILD_WORKFLOW_EXECUTION_STARTED', { nodePath: 'sub', childRunId: 'r2' });
    expect(outstanding(bench.program, bench.state).some((command) => command.type === 'START_CHILD')).toBe(
      false,
    );
  });
});

describe('a call with compensate that used up its attempts and may have taken effect', () => {
  const used = (more: object = {}) => {
    const bench = new Bench(
      define([
        mcp({ idempotent: true, onError: 'continue', compensate: { server: 's', tool: 'undo' }, ...more }),
        { id: 'w', kind: 'wait', signal: 'go' },
      ]),
    );
    for (let attempt = 1; attempt <= 3; attempt++) {
      bench.send('ACTIVITY_TASK_TIMED_OUT', { activityId: 'x:do', attempt, jitter: 0 });
      bench.fireNext();
    }
    return bench;
  };
  const resolve = (bench: Bench, resolution: 'completed' | 'failed' | 'retry') =>
    bench.send('OUTCOME_RESOLVED', { activityId: 'x:do', resolution, output: 'booked', by: 'ada' });

  it('is not forgotten: a person says what became of it, and it is undone with the others', () => {
    const bench = used();
    expect(bench.node('x')).toMatchObject({ status: 'unknown_outcome', failure: { code: 'TIMEOUT' } });
    resolve(bench, 'completed');
    bench.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    bench.complete('x', null, 'compensate');
    expect(bench.state).toMatchObject({ status: 'cancelled', undo: ['x'] });
    expect(replay(bench.program, bench.history)).toEqual(bench.state);
  });

  it('fails when the person says so, and is tried once more when told to', () => {
    const failed = used();
    resolve(failed, 'failed');
    expect(failed.node('x')).toMatchObject({ status: 'failed', failure: { code: 'UNKNOWN_OUTCOME' } });
    const again = used();
    resolve(again, 'retry');
    expect(again.call('x').attempt).toBe(4);
    again.send('ACTIVITY_TASK_TIMED_OUT', { activityId: 'x:do', attempt: 4, jitter: 0 });
    expect(again.node('x').status).toBe('unknown_outcome');
  });

  it('fails at once when its last attempt said that there is nothing to undo, or nothing could undo it', () => {
    expect(used({ compensate: undefined }).node('x')).toMatchObject({
      status: 'failed',
      failure: { code: 'TIMEOUT' },
    });
    const told = new Bench(define([mcp({ idempotent: true, compensate: { server: 's', tool: 'undo' } })]));
    told.send('ACTIVITY_TASK_TIMED_OUT', { activityId: 'x:do', attempt: 1, jitter: 0 });
    told.fireNext();
    told.fail('x', 'TOOL_ERROR');
    expect(told.state).toMatchObject({ status: 'failed', failure: { code: 'TOOL_ERROR' } });
  });
});

describe('a result that comes in after the outcome was unknown', () => {
  it('leaves no failure behind: the error of the node is null', () => {
    const bench = new Bench(
      define([mcp(), { id: 'o', kind: 'transform', output: '${x.error}' }], [{ from: 'x', to: 'o' }]),
    );
    bench.send('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId: 'x:do', attempt: 1 });
    expect(bench.node('x').failure).toBeDefined();
    bench.complete('x', 'late');
    expect(bench.node('x').failure).toBeUndefined();
    expect(bench.state).toMatchObject({ status: 'completed', output: null });
  });
});
