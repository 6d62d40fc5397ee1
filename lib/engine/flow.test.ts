import { describe, expect, it } from 'vitest';
import { Bench } from '@/lib/engine/testing';

const define = (nodes: object[], edges: object[] = [], more: object = {}) => ({
  schemaVersion: 1,
  name: 'flow',
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
const text = (id: string, more: object = {}) => ({ id, kind: 'transform', output: id, ...more });
const edge = (from: string, to: string, port?: string) => ({
  from,
  to,
  ...(port === undefined ? {} : { port }),
});
const status = (bench: Bench, id: string) => bench.state.nodes.get(id)?.status ?? 'pending';

describe('dead paths', () => {
  it('skip a whole chain in one event and still let the join behind it run', () => {
    const bench = new Bench(
      define(
        [
          { id: 'c', kind: 'condition', cases: [{ port: 'yes', when: 'false' }] },
          text('a'),
          text('b'),
          text('d'),
          text('other'),
          text('end'),
        ],
        [
          edge('c', 'a', 'yes'),
          edge('a', 'b'),
          edge('b', 'd'),
          edge('d', 'end'),
          edge('c', 'other', 'else'),
          edge('other', 'end'),
        ],
      ),
    );
    expect(
      bench.history.filter((event) => event.type === 'NODES_SKIPPED').map((event) => event.data.nodePaths),
    ).toEqual([['a', 'b', 'd']]);
    expect(bench.state).toMatchObject({ status: 'completed', output: 'end' });
  });
  it('end the run when everything left is dead', () => {
    const bench = new Bench(
      define(
        [{ id: 'c', kind: 'condition', cases: [{ port: 'yes', when: 'false' }] }, text('a')],
        [edge('c', 'a', 'yes')],
      ),
    );
    expect(bench.state).toMatchObject({ status: 'completed', output: null });
  });
});

describe('names', () => {
  it("a node may have the name of one of CEL's types", () => {
    const bench = new Bench(
      define(
        [text('list'), { id: 'end', kind: 'transform', output: '${list.output + "!"}' }],
        [edge('list', 'end')],
      ),
    );
    expect(bench.state.nodes.get('end')?.output).toBe('list!');
  });
});

describe('joins', () => {
  const fan = (join: unknown) =>
    define(
      [call('a'), call('b'), call('c'), text('j', { join })],
      [edge('a', 'j'), edge('b', 'j'), edge('c', 'j')],
    );
  it('any: the first one is enough, the others go on', () => {
    const bench = new Bench(fan('any'));
    bench.complete('b');
    expect(status(bench, 'j')).toBe('completed');
    expect(bench.state.closedAt).toBeUndefined();
    bench.complete('a');
    bench.fail('c');
    expect(bench.state.status).toBe('completed');
  });
  it('atLeast: the second one of three', () => {
    const bench = new Bench(fan({ atLeast: 2 }));
    bench.fail('a');
    bench.complete('b');
    expect(status(bench, 'j')).toBe('pending');
    bench.complete('c');
    expect(bench.state).toMatchObject({ status: 'completed', output: 'j' });
  });
  it('atLeast: too few left', () => {
    const bench = new Bench(fan({ atLeast: 2 }));
    bench.fail('a');
    bench.fail('b');
    bench.complete('c');
    expect(bench.state).toMatchObject({
      status: 'failed',
      failure: { code: 'JOIN_UNSATISFIED', nodePath: 'j' },
    });
  });
  it('on-failure: runs when one failed, is skipped when none did', () => {
    const failed = new Bench(fan('on-failure'));
    failed.complete('a');
    failed.fail('b');
    expect(status(failed, 'j')).toBe('pending');
    failed.complete('c');
    expect(status(failed, 'j')).toBe('completed');
    const fine = new Bench(fan('on-failure'));
    for (const id of ['a', 'b', 'c']) fine.complete(id);
    expect(status(fine, 'j')).toBe('skipped');
    expect(fine.state.status).toBe('completed');
  });
  it('aggregator with cancelRest: the slower ones are given up, and what was to follow them', () => {
    const bench = new Bench(
      define(
        [
          call('a'),
          call('b'),
          call('b2'),
          { id: 'j', kind: 'aggregator', join: 'any', mode: 'first', cancelRest: true },
        ],
        [edge('a', 'j'), edge('b', 'b2'), edge('b2', 'j')],
      ),
    );
    bench.complete('a', 'won');
    expect(bench.commands.slice(-2)).toMatchObject([
      { type: 'CANCEL_ACTIVITY', activityId: 'b:do' },
      { type: 'CLOSE_RUN' },
    ]);
    expect(status(bench, 'b')).toBe('cancelled');
    expect(status(bench, 'b2')).toBe('skipped');
    expect(bench.state).toMatchObject({ status: 'completed', output: 'won' });
  });
  it('aggregator with cancelRest: what would run for it alone and has not begun is not called later', () => {
    const bench = new Bench(
      define(
        [
          call('a'),
          call('x'),
          call('b'),
          call('z'),
          { id: 'j', kind: 'aggregator', join: 'any', cancelRest: true },
        ],
        [edge('a', 'j'), edge('x', 'b'), edge('b', 'j'), edge('x', 'z')],
      ),
    );
    bench.complete('a');
    bench.complete('x');
    expect(status(bench, 'b')).toBe('cancelled');
    expect(() => bench.call('b')).toThrow('No call of b.');
    bench.complete('z');
    expect(bench.state.status).toBe('completed');
  });
  it.each([
    ['object', { a: { v: 1 }, b: { w: 2 } }],
    ['list', [{ v: 1 }, { w: 2 }]],
    ['merge', { v: 1, w: 2 }],
    ['first', { w: 2 }],
  ])('aggregator mode %s', (mode, output) => {
    const bench = new Bench(
      define([call('a'), call('b'), { id: 'j', kind: 'aggregator', mode }], [edge('a', 'j'), edge('b', 'j')]),
    );
    bench.complete('b', { w: 2 });
    bench.complete('a', { v: 1 });
    expect(bench.state.output).toEqual(output);
  });
});

describe('failures', () => {
  it('go by the error edge; the plain edge dies', () => {
    const bench = new Bench(
      define(
        [call('a'), text('plain'), text('rescue', { output: '${a.error.code}' })],
        [edge('a', 'plain'), edge('a', 'rescue', 'error')],
      ),
    );
    bench.fail('a', 'TOOL_ERROR');
    expect(bench.state).toMatchObject({ status: 'completed', output: { rescue: 'TOOL_ERROR' } });
    expect(status(bench, 'plain')).toBe('skipped');
  });
  it('with onError continue leave null and the failure behind', () => {
    const bench = new Bench(
      define(
        [
          call('a', { onError: 'continue' }),
          text('b', { output: { out: '${a.output}', code: '${a.error.code}', was: '${a.status}' } }),
        ],
        [edge('a', 'b')],
      ),
    );
    bench.fail('a', 'TOOL_ERROR');
    expect(bench.state.output).toEqual({ out: null, code: 'TOOL_ERROR', was: 'failed' });
  });
  it('that nothing handles cancel everything else', () => {
    const bench = new Bench(
      define([
        call('a'),
        call('b'),
        { id: 'w', kind: 'wait', duration: '1h' },
        { id: 'ok', kind: 'approval' },
        { id: 'sub', kind: 'subworkflow', workflow: 'child', parentClosePolicy: 'cancel' },
      ]),
    );
    bench.send('CHILD_WORKFLOW_EXECUTION_STARTED', { nodePath: 'sub', childRunId: 'r2' });
    bench.fail('a');
    expect(bench.commands.slice(-5)).toMatchObject([
      { type: 'CANCEL_TIMER', timerId: 'w:wait' },
      { type: 'CLOSE_APPROVAL', approvalId: 'ok', outcome: 'cancelled' },
      { type: 'CANCEL_CHILD', nodePath: 'sub', childRunId: 'r2' },
      { type: 'CANCEL_ACTIVITY', activityId: 'b:do' },
      { type: 'CLOSE_RUN', status: 'failed' },
    ]);
  });
  it('of a nested container can be handled where the container stands', () => {
    const bench = new Bench(
      define(
        [
          {
            id: 's',
            kind: 'sequential',
            nodes: [
              {
                id: 'p',
                kind: 'parallel',
                branches: [
                  { id: 'l', nodes: [call('a')] },
                  { id: 'r', nodes: [call('b')] },
                ],
              },
            ],
          },
          text('rescue', { output: '${s.error.message}' }),
        ],
        [edge('s', 'rescue', 'error')],
      ),
    );
    bench.fail('s/p/l/a');
    expect(bench.state).toMatchObject({ status: 'completed', output: 'Branch l: s/p/l/a failed' });
    expect(status(bench, 's/p/r/b')).toBe('cancelled');
  });
});

describe('loops', () => {
  const loop = (more: object) =>
    define([
      {
        id: 'l',
        kind: 'loop',
        mode: 'for-each',
        items: '${input.items}',
        body: { nodes: [call('w', { input: '${item}' })] },
        ...more,
      },
    ]);
  const input = { items: ['a', 'b', 'c', 'd'] };
  const open = (bench: Bench) =>
    [...bench.state.nodes.values()].filter((node) => node.status === 'scheduled').map((node) => node.path);
  it('keep to their concurrency and begin the next item as one ends', () => {
    const bench = new Bench(loop({ concurrency: 2 }), input);
    expect(open(bench)).toEqual(['l/0/w', 'l/1/w']);
    bench.complete('l/1/w', 'B');
    expect(open(bench)).toEqual(['l/0/w', 'l/2/w']);
    for (const [path, out] of [
      ['l/2/w', 'C'],
      ['l/3/w', 'D'],
      ['l/0/w', 'A'],
    ] as const)
      bench.complete(path, out);
    expect(bench.state.output).toEqual({ count: 4, results: ['A', 'B', 'C', 'D'], failures: [] });
  });
  it('fail at the first failed item and give up the others', () => {
    const bench = new Bench(loop({ concurrency: 3 }), input);
    bench.fail('l/1/w', 'TOOL_ERROR');
    expect(bench.state).toMatchObject({
      status: 'failed',
      failure: { code: 'TOOL_ERROR', message: 'Iteration 1: l/1/w failed' },
    });
    expect(open(bench)).toEqual([]);
  });
  it('continue and report, in the order of the items', () => {
    const bench = new Bench(loop({ concurrency: 4, onItemFailure: 'continue' }), input);
    bench.fail('l/2/w', 'TOOL_ERROR');
    bench.complete('l/3/w', 'D');
    bench.fail('l/0/w', 'TOOL_ERROR');
    bench.complete('l/1/w', 'B');
    expect(bench.state.output).toMatchObject({
      results: [null, 'B', null, 'D'],
      failures: [{ index: 0, code: 'TOOL_ERROR' }, { index: 2 }],
    });
  });
  it('tolerate a number of failures and not one more', () => {
    const bench = new Bench(loop({ concurrency: 4, onItemFailure: { tolerate: 1 } }), input);
    bench.fail('l/0/w');
    expect(bench.state.closedAt).toBeUndefined();
    bench.fail('l/1/w');
    expect(bench.state.status).toBe('failed');
  });
  it('over nothing complete at once; over something that is no list they fail', () => {
    expect(new Bench(loop({}), { items: [] }).state.output).toEqual({ count: 0, results: [], failures: [] });
    expect(new Bench(loop({}), { items: 5 }).state.failure?.code).toBe('EXPRESSION_FAILED');
    expect(new Bench(loop({ maxIterations: 3 }), input).state.failure?.code).toBe('LOOP_LIMIT');
  });
  it('while: ask before each round, see the round before, stop at the bound', () => {
    const define2 = (more: object) =>
      define([
        {
          id: 'l',
          kind: 'loop',
          mode: 'while',
          while: 'last == null || last < 3',
          maxIterations: 10,
          body: { nodes: [text('t', { output: '${index + 1}' })] },
          ...more,
        },
      ]);
    expect(new Bench(define2({})).state.output).toEqual({ count: 3, last: 3 });
    expect(new Bench(define2({ maxIterations: 2 })).state.failure?.code).toBe('LOOP_LIMIT');
    expect(new Bench(define2({ maxIterations: 2, onBound: 'stop' })).state.output).toEqual({
      count: 2,
      last: 2,
    });
    expect(new Bench(define2({ while: 'false' })).state.output).toEqual({ count: 0, last: null });
  });
  it('nested: inner bodies see the variables of the outer ones', () => {
    const inner = {
      id: 'in1',
      kind: 'loop',
      mode: 'for-each',
      items: '[1, 2]',
      as: 'n',
      indexAs: 'j',
      body: { nodes: [text('t', { output: '${item + "-" + string(n)}' })] },
      output: '${t.output}',
    };
    const bench = new Bench(
      define([
        {
          id: 'out1',
          kind: 'loop',
          mode: 'for-each',
          items: '["x", "y"]',
          body: { nodes: [{ ...inner, output: undefined }] },
          output: '${in1.output.results}',
        },
      ]),
    );
    expect(bench.state.output).toMatchObject({
      results: [
        ['x-1', 'x-2'],
        ['y-1', 'y-2'],
      ],
    });
  });
  it('of 10,000 items with nothing to wait for end in one transition without deep recursion', () => {
    const bench = new Bench(
      define(
        [
          {
            id: 'l',
            kind: 'loop',
            mode: 'for-each',
            items: '${input.n}',
            body: { nodes: [text('t', { output: '${item}' })] },
            output: null,
          },
        ],
        [],
        { output: '${l.output.count}' },
      ),
      { n: Array.from({ length: 10_000 }, (_none, i) => i) },
    );
    expect(bench.state).toMatchObject({ status: 'completed', output: 10_000 });
  });
});

describe('parallel', () => {
  const two = (more: object) =>
    define([
      {
        id: 'p',
        kind: 'parallel',
        branches: [
          { id: 'a', nodes: [call('x')], output: { got: '${x.output}' } },
          { id: 'b', nodes: [call('y')] },
          { id: 'c', nodes: [call('z')] },
        ],
        ...more,
      },
    ]);
  it('any: the first branch wins, the others are cancelled', () => {
    const bench = new Bench(two({ branchJoin: 'any' }));
    bench.complete('p/a/x', 1);
    expect(bench.state).toMatchObject({ status: 'completed', output: { a: { got: 1 } } });
    expect(status(bench, 'p/b/y')).toBe('cancelled');
  });
  it('atLeast: tolerates failures until too few are left', () => {
    const fine = new Bench(two({ branchJoin: { atLeast: 2 } }));
    fine.fail('p/b/y');
    fine.complete('p/a/x', 1);
    fine.complete('p/c/z', 2);
    expect(fine.state.output).toEqual({ a: { got: 1 }, c: 2 });
    const bad = new Bench(two({ branchJoin: { atLeast: 2 } }));
    bad.fail('p/b/y');
    bad.fail('p/a/x');
    expect(bad.state).toMatchObject({ status: 'failed', failure: { message: 'Branch b: p/b/y failed' } });
    expect(status(bad, 'p/c/z')).toBe('cancelled');
  });
});

describe('signals', () => {
  const waits = define(
    [
      call('a'),
      { id: 'w', kind: 'wait', signal: 'go-${input.n}', timeout: '10s' },
      { id: 'w2', kind: 'wait', signal: 'go-1' },
    ],
    [edge('a', 'w'), edge('w', 'w2')],
  );
  const signal = (bench: Bench, payload: number, signalId?: string) =>
    bench.send('WORKFLOW_EXECUTION_SIGNALED', {
      name: 'go-1',
      payload,
      ...(signalId === undefined ? {} : { signalId }),
    });
  it('before they are awaited are kept, in order', () => {
    const bench = new Bench(waits, { n: 1 });
    signal(bench, 10);
    signal(bench, 20);
    bench.complete('a');
    expect([bench.node('w').output, bench.node('w2').output]).toEqual([10, 20]);
    expect(bench.state.status).toBe('completed');
  });
  it('twice with one id count once', () => {
    const bench = new Bench(waits, { n: 1 });
    signal(bench, 10, 's1');
    expect(signal(bench, 10, 's1')).toEqual([]);
  });
  it('after the timeout go to the next one that waits, also when the run was paused in between', () => {
    const bench = new Bench(
      {
        ...waits,
        nodes: [
          { id: 'w', kind: 'wait', signal: 'go-1', timeout: '10s', onError: 'continue' },
          { id: 'w2', kind: 'wait', signal: 'go-1' },
        ],
        edges: [],
      },
      {},
    );
    bench.send('WORKFLOW_EXECUTION_PAUSED', {});
    bench.now += 10_000;
    bench.send('TIMER_FIRED', { timerId: 'w:timeout' });
    signal(bench, 30);
    bench.send('WORKFLOW_EXECUTION_UNPAUSED', {});
    expect(bench.node('w')).toMatchObject({ status: 'failed', failure: { code: 'TIMEOUT' } });
    expect(bench.node('w2').output).toBe(30);
  });
  it('that do not come take the edge timeout', () => {
    const bench = new Bench(
      define(
        [{ id: 'w', kind: 'wait', signal: 'go', timeout: '10s' }, text('late'), text('ontime')],
        [edge('w', 'late', 'timeout'), edge('w', 'ontime')],
      ),
    );
    bench.fireNext();
    expect(bench.state.output).toEqual({ late: 'late' });
  });
});

describe('waits', () => {
  it('until a time, from an expression, never in the past', () => {
    const bench = new Bench(
      define([{ id: 'w', kind: 'wait', until: '${timestamp(input.at) + duration("1h")}' }]),
      { at: '2027-01-15T09:00:00Z' },
    );
    expect(bench.commands).toMatchObject([
      { type: 'START_TIMER', timerId: 'w:wait', fireAt: Date.parse('2027-01-15T10:00:00Z') },
    ]);
    const past = new Bench(define([{ id: 'w', kind: 'wait', until: '2020-01-01T00:00:00Z' }]));
    expect(past.commands).toMatchObject([{ fireAt: past.now }]);
  });
});
