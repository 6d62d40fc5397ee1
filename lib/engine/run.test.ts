import { describe, expect, it } from 'vitest';
import { compile } from '@/lib/engine/compile';
import { HISTORY_LIMIT, HISTORY_WARNING } from '@/lib/engine/decide';
import { ENGINE_FLAGS } from '@/lib/engine/flags';
import { planRerun } from '@/lib/engine/rerun';
import { checkInput, createRun, replay, step } from '@/lib/engine/step';
import { Bench, startedEvent } from '@/lib/engine/testing';
import type { EngineEvent } from '@/lib/engine/types';
import { workflowDefinitionSchema } from '@/lib/protocol/definition';
import { isAppError } from '@/lib/protocol/errors';

const define = (nodes: object[], edges: object[] = [], more: object = {}) => ({
  schemaVersion: 1,
  name: 'runs',
  nodes,
  edges,
  ...more,
});
const call = (id: string, more: object = {}) => ({
  id,
  kind: 'activity',
  activity: 'f',
  retry: { maxAttempts: 1 },
  ...more,
});
const edge = (from: string, to: string) => ({ from, to });

describe('input and output', () => {
  const schema = { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } };
  it('a wrong input ends the run at once, and can be asked about before', () => {
    const definition = define([call('a')], [], { input: schema });
    const bench = new Bench(definition, { n: 'x' });
    expect(bench.state).toMatchObject({
      status: 'failed',
      failure: { code: 'INVALID_WORKFLOW_INPUT', message: expect.stringContaining('/n must be integer') },
    });
    expect(bench.commands.map((command) => command.type)).toEqual(['CLOSE_RUN']);
    expect(checkInput(bench.program, { n: 1 })).toBeNull();
  });
  it('a wrong output fails the run, after compensation', () => {
    const bench = new Bench(
      define([call('a', { compensate: { activity: 'undo' } })], [], {
        output: { n: '${a.output}' },
        outputSchema: schema,
      }),
    );
    bench.complete('a', 'text');
    expect(bench.state.status).toBe('compensating');
    bench.complete('a', null, 'compensate');
    expect(bench.state.failure?.code).toBe('INVALID_WORKFLOW_OUTPUT');
  });
  it('a wrong output fails the run also where a terminate node gives it', () => {
    const end = (n: unknown) => {
      const bench = new Bench(
        define(
          [
            call('a', { compensate: { activity: 'undo' } }),
            { id: 'end', kind: 'terminate', status: 'completed', output: { n: '${a.output}' } },
          ],
          [edge('a', 'end')],
          { outputSchema: schema },
        ),
      );
      bench.complete('a', n as string);
      return bench;
    };
    expect(end(1).state).toMatchObject({ status: 'completed', output: { n: 1 } });
    const wrong = end('text');
    expect(wrong.state.status).toBe('compensating');
    wrong.complete('a', null, 'compensate');
    expect(wrong.state).toMatchObject({ status: 'failed', failure: { code: 'INVALID_WORKFLOW_OUTPUT' } });
  });
  it('search attributes are set at the start', () => {
    expect(
      new Bench(define([call('a')], [], { searchAttributes: { customer: '${input.c}' } }), { c: 'acme' })
        .state.searchAttributes,
    ).toEqual({ customer: 'acme' });
  });
});

describe('time', () => {
  it('the timeout of the run cancels, compensates, and gets through a pause', () => {
    const bench = new Bench(
      define([call('a', { compensate: { activity: 'undo' } }), call('b')], [edge('a', 'b')], {
        timeout: '1m',
        failureWorkflow: 'alarm',
      }),
    );
    bench.complete('a');
    bench.send('WORKFLOW_EXECUTION_PAUSED', {});
    bench.fireNext();
    expect(bench.state.status).toBe('compensating');
    bench.complete('a', null, 'compensate');
    expect(bench.state).toMatchObject({ status: 'timed_out', failure: { code: 'TIMEOUT' } });
    expect(bench.commands.at(-1)).toMatchObject({ type: 'START_WORKFLOW', workflow: 'alarm' });
  });
  it('a cancellation lifts a pause; a second one changes nothing', () => {
    const bench = new Bench(
      define([call('a', { compensate: { activity: 'undo' } }), call('b')], [edge('a', 'b')]),
    );
    bench.complete('a');
    bench.send('WORKFLOW_EXECUTION_PAUSED', {});
    bench.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', { reason: 'stop' });
    expect(bench.state.status).toBe('compensating');
    expect(bench.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {})).toEqual([]);
  });
});

describe('children', () => {
  const parent = (more: object) =>
    define([
      {
        id: 's',
        kind: 'subworkflow',
        workflow: 'child',
        version: 3,
        workflowId: 'c-${input.n}',
        input: { n: '${input.n}' },
        ...more,
      },
    ]);
  it('are started with a name of their own and give their output', () => {
    const bench = new Bench(parent({}), { n: 7 });
    expect(bench.commands).toEqual([
      {
        type: 'START_CHILD',
        nodePath: 's',
        childWorkflowId: 'c-7',
        workflow: 'child',
        version: 3,
        input: { n: 7 },
        parentClosePolicy: 'terminate',
      },
    ]);
    bench.send('CHILD_WORKFLOW_EXECUTION_STARTED', { nodePath: 's', childRunId: 'r' });
    bench.send('CHILD_WORKFLOW_EXECUTION_COMPLETED', { nodePath: 's', output: 1 });
    expect(bench.state.output).toBe(1);
  });
  it.each([
    ['terminate', 'TERMINATE_CHILD'],
    ['cancel', 'CANCEL_CHILD'],
    ['abandon', null],
  ])('policy %s when the parent ends', (parentClosePolicy, type) => {
    const bench = new Bench(parent({ parentClosePolicy }), { n: 7 });
    bench.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', {});
    expect(
      bench.commands
        .filter((command) => command.type.endsWith('_CHILD') && command.type !== 'START_CHILD')
        .map((command) => command.type),
    ).toEqual(type === null ? [] : [type]);
    expect(bench.state.status).toBe('cancelled');
  });
  it.each([
    ['CHILD_WORKFLOW_EXECUTION_CANCELED', {}],
    ['CHILD_WORKFLOW_EXECUTION_TERMINATED', { reason: 'x' }],
    ['CHILD_WORKFLOW_EXECUTION_TIMED_OUT', {}],
    ['START_CHILD_WORKFLOW_EXECUTION_FAILED', { failure: { code: 'WORKFLOW_NOT_FOUND', message: 'none' } }],
  ] as const)('%s fails the node', (type, data) => {
    const bench = new Bench(parent({}), { n: 7 });
    bench.send(type, { nodePath: 's', ...data } as never);
    expect(bench.state.failure?.code).toBe('CHILD_FAILED');
  });
  it('that take too long are stopped by their policy', () => {
    const bench = new Bench(parent({ timeout: '5s', parentClosePolicy: 'cancel' }), { n: 7 });
    bench.fireNext();
    expect(bench.commands.map((command) => command.type)).toContain('CANCEL_CHILD');
    expect(bench.state.failure?.code).toBe('TIMEOUT');
  });
});

describe('continue as new', () => {
  it('closes the run and starts the next one of the chain', () => {
    const bench = new Bench(
      define([{ id: 'e', kind: 'terminate', status: 'continue-as-new', input: { n: '${input.n + 1}' } }]),
      { n: 1 },
    );
    expect(bench.state.status).toBe('continued_as_new');
    expect(bench.commands).toEqual([
      { type: 'CLOSE_RUN', status: 'continued_as_new' },
      {
        type: 'START_WORKFLOW',
        purpose: 'continue-as-new',
        workflow: 'runs',
        version: 1,
        workflowId: 'chain-1',
        input: { n: 2 },
      },
    ]);
  });
});

describe('rerun', () => {
  const definition = define(
    [
      call('a'),
      call('b'),
      {
        id: 'l',
        kind: 'loop',
        mode: 'for-each',
        items: '[1, 2]',
        concurrency: 2,
        body: { nodes: [call('w'), call('v')], edges: [edge('w', 'v')] },
      },
      call('z'),
    ],
    [edge('a', 'b'), edge('b', 'l'), edge('l', 'z')],
  );
  const failedRun = () => {
    const bench = new Bench(definition);
    bench.complete('a', 'A');
    bench.complete('b', 'B');
    bench.complete('l/0/w', 'W0');
    bench.complete('l/1/w', 'W1');
    bench.complete('l/0/v', 'V0');
    bench.fail('l/1/v');
    return bench;
  };
  it('retry keeps everything that completed, also inside containers', () => {
    const seeds = planRerun(failedRun().program, failedRun().state, { mode: 'retry' });
    expect(Object.keys(seeds).sort()).toEqual(['a', 'b', 'l/0/v', 'l/0/w', 'l/1/w']);
    const again = new Bench(definition, {}, { seeds, runId: 'run-2' });
    expect(again.commands.map((command) => 'activityId' in command && command.activityId)).toEqual([
      'l/1/v:do',
    ]);
    again.complete('l/1/v', 'V1');
    again.complete('z', 'Z');
    expect(again.state).toMatchObject({ status: 'completed', output: 'Z' });
    expect(again.node('l').output).toMatchObject({ results: ['V0', 'V1'] });
    expect(again.node('a')).toMatchObject({ seeded: true, output: 'A' });
    expect(replay(again.program, again.history)).toEqual(again.state);
  });
  it('rerun from a node runs it and what follows, in its graph and around it', () => {
    const done = new Bench(definition);
    for (const [path, out] of [
      ['a', 'A'],
      ['b', 'B'],
      ['l/0/w', 0],
      ['l/1/w', 1],
      ['l/0/v', 2],
      ['l/1/v', 3],
      ['z', 'Z'],
    ] as const)
      done.complete(path, out);
    expect(done.state.status).toBe('completed');
    expect(
      Object.keys(planRerun(done.program, done.state, { mode: 'rerun-from', nodeId: 'b' })).sort(),
    ).toEqual(['a']);
    expect(
      Object.keys(planRerun(done.program, done.state, { mode: 'rerun-from', nodeId: 'z' })).sort(),
    ).toEqual(['a', 'b', 'l']);
    expect(
      Object.keys(planRerun(done.program, done.state, { mode: 'rerun-from', nodeId: 'v' })).sort(),
    ).toEqual(['a', 'b', 'l/0/w', 'l/1/w']);
    expect(planRerun(done.program, done.state, { mode: 'restart' })).toEqual({});
    expect(() => planRerun(done.program, done.state, { mode: 'rerun-from', nodeId: 'zz' })).toThrow(
      /no node zz/,
    );
  });
  it('keeps nothing that was undone, and never undoes what it took over', () => {
    const saga = define([call('a', { compensate: { activity: 'undo' } }), call('b')], [edge('a', 'b')]);
    const first = new Bench(saga);
    first.complete('a');
    first.fail('b');
    first.complete('a', null, 'compensate');
    expect(planRerun(first.program, first.state, { mode: 'retry' })).toEqual({});
    const second = new Bench(saga, {}, { seeds: { a: { output: 'kept' } } });
    second.fail('b');
    expect(second.state.status).toBe('failed');
    expect(second.types()).not.toContain('COMPENSATION_STARTED');
  });
});

describe('an expression that cannot be computed', () => {
  it('fails its node, which goes by its error port, and does not stop the run in its tracks', () => {
    const bench = new Bench(
      define(
        [
          { id: 't', kind: 'transform', output: '${duration(input.total / input.count).getSeconds()}' },
          call('h'),
        ],
        [{ from: 't', to: 'h', port: 'error' }],
      ),
      { total: 1.5, count: 0 },
    );
    expect(bench.node('t')).toMatchObject({ status: 'failed', failure: { code: 'EXPRESSION_FAILED' } });
    bench.complete('h', 'handled');
    expect(bench.state).toMatchObject({ status: 'completed', output: 'handled' });
  });
});

describe('limits of the history', () => {
  it('warns once at 10,240 events and fails at 51,200, undoing what must be undone', () => {
    const bench = new Bench(
      define(
        [
          call('a', { compensate: { activity: 'undo' } }),
          {
            id: 'o',
            kind: 'loop',
            mode: 'while',
            while: 'true',
            maxIterations: 10_000,
            body: {
              nodes: [
                {
                  id: 'i',
                  kind: 'loop',
                  mode: 'for-each',
                  items: '${input.n}',
                  body: { nodes: [{ id: 't', kind: 'transform', output: 1 }] },
                },
              ],
            },
          },
        ],
        [edge('a', 'o')],
      ),
      { n: Array.from({ length: 1000 }, () => 0) },
    );
    bench.complete('a');
    expect(bench.types().filter((type) => type === 'HISTORY_SIZE_WARNED')).toHaveLength(1);
    expect(bench.state).toMatchObject({
      status: 'compensating',
      closing: { failure: { code: 'HISTORY_LIMIT' } },
    });
    expect(bench.state.historyLength).toBeLessThan(HISTORY_LIMIT + 20);
    bench.complete('a', null, 'compensate');
    expect(bench.state).toMatchObject({ status: 'failed', failure: { code: 'HISTORY_LIMIT' } });
    expect(HISTORY_WARNING).toBe(10_240);
  });
});

describe('a run that is sent signals without end', () => {
  const flooded = (before: (bench: Bench) => void) => {
    const bench = new Bench(
      define(
        [call('a', { compensate: { activity: 'undo' } }), { id: 'w', kind: 'wait', signal: 'go' }],
        [edge('a', 'w')],
      ),
    );
    bench.complete('a');
    before(bench);
    for (let i = 0; i < HISTORY_LIMIT && bench.state.closing === undefined; i++)
      bench.send('WORKFLOW_EXECUTION_SIGNALED', { name: 'noise', payload: null });
    return bench;
  };
  it.each([
    ['waits', () => undefined],
    ['is paused', (bench: Bench) => void bench.send('WORKFLOW_EXECUTION_PAUSED', {})],
  ])('fails at the limit of its history also while it %s, and takes no more', (_how, before) => {
    const bench = flooded(before);
    expect(bench.state).toMatchObject({
      status: 'compensating',
      closing: { failure: { code: 'HISTORY_LIMIT' } },
    });
    expect(bench.send('WORKFLOW_EXECUTION_SIGNALED', { name: 'noise', payload: null })).toEqual([]);
    bench.complete('a', null, 'compensate');
    expect(bench.state).toMatchObject({ status: 'failed', failure: { code: 'HISTORY_LIMIT' } });
    expect(bench.state.historyLength).toBeLessThan(HISTORY_LIMIT + 20);
  });
});

describe('flags', () => {
  const parsed = workflowDefinitionSchema.parse(
    define(
      [call('a'), call('b'), { id: 'j', kind: 'aggregator', join: 'any', cancelRest: true }],
      [edge('a', 'j'), edge('b', 'j')],
    ),
  );
  const start = (flags: string[]) => {
    const program = compile(parsed);
    const started = startedEvent(parsed, {}, 1);
    const first = createRun(program, { ...started, data: { ...started.data, flags } });
    return step(program, first.state, {
      type: 'ACTIVITY_TASK_COMPLETED',
      at: 2,
      data: { activityId: 'a:do', attempt: 1, output: 1 },
    });
  };
  it('an older run keeps the behaviour it was started with', () => {
    expect(start([...ENGINE_FLAGS]).state.status).toBe('completed');
    expect(start([]).state.status).toBe('running');
  });
  it('a history from a newer engine is refused', () => {
    try {
      start(['from-the-future']);
      expect.unreachable();
    } catch (error) {
      expect(isAppError(error) && error.message).toContain('from-the-future');
    }
  });
});

describe('replay', () => {
  it('never decides again: a history that other decisions wrote folds as it is', () => {
    const bench = new Bench(define([call('a'), call('b')], [edge('a', 'b')]));
    bench.complete('a', 1);
    // Another version of the engine skipped b for reasons of its own and closed the run.
    const history: EngineEvent[] = [
      ...bench.history.filter(
        (event) => event.type !== 'ACTIVITY_TASK_SCHEDULED' || event.data.nodePath !== 'b',
      ),
      { type: 'NODES_SKIPPED', at: bench.now, data: { nodePaths: ['b'] } },
      { type: 'WORKFLOW_EXECUTION_COMPLETED', at: bench.now, data: { output: 'by another rule' } },
    ];
    const state = replay(bench.program, history);
    expect(state).toMatchObject({ status: 'completed', output: 'by another rule' });
    expect(state.nodes.get('b')?.status).toBe('skipped');
    expect(state.agenda.size).toBe(0);
  });
  it('is the same for the same events, and step is the same for the same input', () => {
    const run = () => {
      const bench = new Bench(define([call('a'), call('b')], [edge('a', 'b')]));
      bench.fail('a', 'NETWORK_ERROR', {
        failure: { code: 'NETWORK_ERROR', message: 'x', retriable: false },
      });
      return bench;
    };
    expect(run().history).toEqual(run().history);
    expect(replay(run().program, run().history)).toEqual(run().state);
  });
});
