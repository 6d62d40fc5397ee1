import { describe, expect, it } from 'vitest';
import { outstanding, replay } from '@/lib/engine/step';
import { Bench } from '@/lib/engine/testing';
import { NODE_KINDS, type NodeKind } from '@/lib/protocol/definition';
import type { Json } from '@/lib/shared/json';

/**
 * Node kind × situation. Every cell is one test named `<kind>: <situation>`; `scripts/generate-docs.ts --table` prints the table
 * of these names. Kinds that never wait are tested against what happens around them.
 */
const SITUATIONS = [
  'success',
  'failure',
  'timeout',
  'cancel',
  'pause',
  'unknown outcome',
  'nested in loop',
  'nested in parallel',
] as const;

type NodeJson = Record<string, unknown>;

interface Fixture {
  /** A node with the id x that can succeed. */
  node: NodeJson;
  /** Does from outside what the node at `path` needs to complete; nothing for kinds that complete at once. */
  drive: (bench: Bench, path: string) => void;
  output: Json;
  /** True when the node is in progress until it is driven. */
  waits: boolean;
  failing: { node: NodeJson; drive?: (bench: Bench, path: string) => void; code: string };
  /** A node that times out when its first timer (or its call) runs out of time. */
  timed?: { node: NodeJson; drive: (bench: Bench, path: string) => void };
  /** Path of a call inside the node, relative to it, for unknown outcomes. */
  inner?: string;
}

const call = { kind: 'activity', activity: 'work', retry: { maxAttempts: 1 } };
const innerCall = { id: 'w', ...call };
const fire = (bench: Bench) => void bench.fireNext();
const timeOut = (bench: Bench, path: string) =>
  void bench.send('ACTIVITY_TASK_TIMED_OUT', { activityId: `${path}:do`, attempt: 1, retrySafe: true });
const bad = '${input.not.there}';

const FIXTURES: Record<NodeKind, Fixture> = {
  'mcp-server': {
    node: {
      id: 'x',
      kind: 'mcp-server',
      server: 's',
      tool: 't',
      arguments: { q: '${input.q}' },
      retry: { maxAttempts: 1 },
    },
    drive: (bench, path) => void bench.complete(path, { text: 'hi' }),
    output: { text: 'hi' },
    waits: true,
    failing: {
      node: { id: 'x', kind: 'mcp-server', server: 's', tool: 't' },
      drive: (bench, path) => void bench.fail(path, 'TOOL_ERROR'),
      code: 'TOOL_ERROR',
    },
    timed: {
      node: { id: 'x', kind: 'mcp-server', server: 's', tool: 't', retry: { maxAttempts: 1 } },
      drive: timeOut,
    },
    inner: '',
  },
  activity: {
    node: { id: 'x', ...call, input: '${input.q}' },
    drive: (bench, path) => void bench.complete(path, 7),
    output: 7,
    waits: true,
    failing: {
      node: { id: 'x', ...call },
      drive: (bench, path) => void bench.fail(path),
      code: 'ACTIVITY_FAILED',
    },
    timed: { node: { id: 'x', ...call }, drive: timeOut },
    inner: '',
  },
  transform: {
    node: { id: 'x', kind: 'transform', output: { q: '${input.q}' } },
    drive: () => {},
    output: { q: 'Q' },
    waits: false,
    failing: { node: { id: 'x', kind: 'transform', output: bad }, code: 'EXPRESSION_FAILED' },
  },
  condition: {
    node: { id: 'x', kind: 'condition', cases: [{ port: 'yes', when: 'input.q == "Q"' }] },
    drive: () => {},
    output: null,
    waits: false,
    failing: {
      node: { id: 'x', kind: 'condition', cases: [{ port: 'yes', when: 'input.q' }] },
      code: 'EXPRESSION_FAILED',
    },
  },
  parallel: {
    node: {
      id: 'x',
      kind: 'parallel',
      branches: [
        { id: 'a', nodes: [innerCall] },
        { id: 'b', nodes: [{ id: 't', kind: 'transform', output: 2 }] },
      ],
    },
    drive: (bench, path) => void bench.complete(`${path}/a/w`, 1),
    output: { a: 1, b: 2 },
    waits: true,
    failing: {
      node: {
        id: 'x',
        kind: 'parallel',
        branches: [
          { id: 'a', nodes: [innerCall] },
          { id: 'b', nodes: [{ id: 'v', kind: 'wait', signal: 'never' }] },
        ],
      },
      drive: (bench, path) => void bench.fail(`${path}/a/w`),
      code: 'ACTIVITY_FAILED',
    },
    timed: {
      node: { id: 'x', kind: 'parallel', timeout: '5s', branches: [{ id: 'a', nodes: [innerCall] }] },
      drive: fire,
    },
    inner: '/a/w',
  },
  sequential: {
    node: {
      id: 'x',
      kind: 'sequential',
      nodes: [innerCall, { id: 't', kind: 'transform', output: '${w.output + 1}' }],
    },
    drive: (bench, path) => void bench.complete(`${path}/w`, 1),
    output: 2,
    waits: true,
    failing: {
      node: { id: 'x', kind: 'sequential', nodes: [innerCall] },
      drive: (bench, path) => void bench.fail(`${path}/w`),
      code: 'ACTIVITY_FAILED',
    },
    timed: { node: { id: 'x', kind: 'sequential', timeout: '5s', nodes: [innerCall] }, drive: fire },
    inner: '/w',
  },
  aggregator: {
    node: { id: 'x', kind: 'aggregator', output: '${input.q}' },
    drive: () => {},
    output: 'Q',
    waits: false,
    failing: { node: { id: 'x', kind: 'aggregator', output: bad }, code: 'EXPRESSION_FAILED' },
  },
  loop: {
    node: { id: 'x', kind: 'loop', mode: 'for-each', items: '[10]', body: { nodes: [innerCall] } },
    drive: (bench, path) => void bench.complete(`${path}/0/w`, 1),
    output: { count: 1, results: [1], failures: [] },
    waits: true,
    failing: {
      node: { id: 'x', kind: 'loop', mode: 'for-each', items: '[10]', body: { nodes: [innerCall] } },
      drive: (bench, path) => void bench.fail(`${path}/0/w`),
      code: 'ACTIVITY_FAILED',
    },
    timed: {
      node: {
        id: 'x',
        kind: 'loop',
        mode: 'for-each',
        items: '[1]',
        timeout: '5s',
        body: { nodes: [innerCall] },
      },
      drive: fire,
    },
    inner: '/0/w',
  },
  wait: {
    node: { id: 'x', kind: 'wait', signal: 'go' },
    drive: (bench) => void bench.send('WORKFLOW_EXECUTION_SIGNALED', { name: 'go', payload: 3 }),
    output: 3,
    waits: true,
    failing: { node: { id: 'x', kind: 'wait', until: '${input.q}' }, code: 'EXPRESSION_FAILED' },
    timed: { node: { id: 'x', kind: 'wait', signal: 'go', timeout: '5s' }, drive: fire },
  },
  approval: {
    node: { id: 'x', kind: 'approval' },
    drive: (bench, path) =>
      void bench.send('APPROVAL_DECIDED', { approvalId: path, decision: 'approve', by: 'ann' }),
    output: {
      approved: true,
      form: {},
      decisions: [{ by: 'ann', decision: 'approve', comment: null, at: '2027-01-15T08:00:00.000Z' }],
    },
    waits: true,
    failing: {
      node: { id: 'x', kind: 'approval' },
      drive: (bench, path) =>
        void bench.send('APPROVAL_DECIDED', { approvalId: path, decision: 'reject', by: 'ann' }),
      code: 'APPROVAL_REJECTED',
    },
    timed: { node: { id: 'x', kind: 'approval', deadline: '5s' }, drive: fire },
  },
  subworkflow: {
    node: { id: 'x', kind: 'subworkflow', workflow: 'child', input: { q: '${input.q}' } },
    drive: (bench, path) =>
      void bench.send('CHILD_WORKFLOW_EXECUTION_COMPLETED', { nodePath: path, output: 'done' }),
    output: 'done',
    waits: true,
    failing: {
      node: { id: 'x', kind: 'subworkflow', workflow: 'child' },
      drive: (bench, path) =>
        void bench.send('CHILD_WORKFLOW_EXECUTION_FAILED', {
          nodePath: path,
          failure: { code: 'TIMEOUT', message: 'inside' },
        }),
      code: 'CHILD_FAILED',
    },
    timed: { node: { id: 'x', kind: 'subworkflow', workflow: 'child', timeout: '5s' }, drive: fire },
  },
  terminate: {
    node: { id: 'x', kind: 'terminate', output: '${input.q}' },
    drive: () => {},
    output: 'Q',
    waits: false,
    failing: {
      node: { id: 'x', kind: 'terminate', status: 'failed', message: 'no more' },
      code: 'ACTIVITY_FAILED',
    },
  },
};

const INPUT = { q: 'Q' };
const start = (nodes: NodeJson[], edges: unknown[] = [], more: object = {}) =>
  new Bench({ schemaVersion: 1, name: 'table', nodes, edges, ...more }, INPUT);
const before = { id: 'before', ...call };
const after = { id: 'after', kind: 'transform', output: 'after' };
const ends = (bench: Bench, path: string) => !bench.state.nodes.has(path) || bench.node(path).order === 0;

/** The live state must be the fold of its history, and a closed run must leave nothing to do. */
function settleAndCheck(bench: Bench): void {
  expect(replay(bench.program, bench.history)).toEqual(bench.state);
  if (bench.state.closedAt !== undefined) expect(outstanding(bench.program, bench.state)).toEqual([]);
}

const TESTS: Record<(typeof SITUATIONS)[number], (kind: NodeKind, fixture: Fixture) => void> = {
  success: (kind, { node, drive, output, waits }) => {
    const bench = start([node]);
    expect(bench.state.closedAt === undefined).toBe(waits);
    drive(bench, 'x');
    expect(bench.node('x')).toMatchObject({ status: 'completed', output });
    expect(bench.state).toMatchObject({ status: 'completed', output });
    if (kind === 'condition') expect(bench.node('x').port).toBe('yes');
    settleAndCheck(bench);
  },
  failure: (kind, { failing }) => {
    const bench = start([failing.node]);
    failing.drive?.(bench, 'x');
    expect(bench.state).toMatchObject({ status: 'failed', failure: { code: failing.code } });
    settleAndCheck(bench);
    if (kind === 'terminate') return;
    expect(bench.node('x')).toMatchObject({ status: 'failed', failure: { code: failing.code } });
    const routed = start(
      [failing.node, { id: 'rescue', kind: 'transform', output: '${x.error.code}' }],
      [{ from: 'x', to: 'rescue', port: 'error' }],
    );
    failing.drive?.(routed, 'x');
    expect(routed.state).toMatchObject({ status: 'completed', output: failing.code });
    settleAndCheck(routed);
  },
  timeout: (_kind, { node, timed }) => {
    if (timed !== undefined) {
      const bench = start([timed.node]);
      timed.drive(bench, 'x');
      expect(bench.node('x')).toMatchObject({ status: 'failed', failure: { code: 'TIMEOUT' } });
      expect(bench.state).toMatchObject({ status: 'failed', failure: { code: 'TIMEOUT' } });
      settleAndCheck(bench);
      return;
    }
    // It never waits itself: the run's timeout in front of it keeps it from running.
    const bench = start([before, node], [{ from: 'before', to: 'x' }], { timeout: '5s' });
    expect(bench.fireNext()).toBe('run:timeout');
    expect(bench.state.status).toBe('timed_out');
    expect(ends(bench, 'x')).toBe(true);
    settleAndCheck(bench);
  },
  cancel: (_kind, { node, waits }) => {
    const bench = waits ? start([node]) : start([before, node], [{ from: 'before', to: 'x' }]);
    bench.send('WORKFLOW_EXECUTION_CANCEL_REQUESTED', { reason: 'enough' });
    expect(bench.state).toMatchObject({
      status: 'cancelled',
      failure: { code: 'CANCELLED', message: 'enough' },
    });
    if (waits) expect(bench.node('x').status).toBe('cancelled');
    else expect(ends(bench, 'x')).toBe(true);
    expect(bench.state.timers.size).toBe(0);
    settleAndCheck(bench);
  },
  pause: (kind, { node, drive, waits }) => {
    const edges = [{ from: 'before', to: 'x' }];
    const follow =
      kind === 'terminate'
        ? []
        : [{ from: 'x', to: 'after', ...(kind === 'condition' ? { port: 'yes' } : {}) }];
    const bench = start(kind === 'terminate' ? [before, node] : [before, node, after], [...edges, ...follow]);
    bench.send('WORKFLOW_EXECUTION_PAUSED', {});
    bench.complete('before');
    expect(bench.state.status).toBe('paused');
    expect(ends(bench, 'x')).toBe(true);
    bench.send('WORKFLOW_EXECUTION_UNPAUSED', {});
    expect(ends(bench, 'x')).toBe(false);
    if (waits) {
      bench.send('WORKFLOW_EXECUTION_PAUSED', {});
      drive(bench, 'x');
      expect(ends(bench, 'after')).toBe(true);
      settleAndCheck(bench);
      bench.send('WORKFLOW_EXECUTION_UNPAUSED', {});
    }
    expect(bench.state).toMatchObject({ status: 'completed', output: kind === 'terminate' ? 'Q' : 'after' });
    settleAndCheck(bench);
  },
  'unknown outcome': (_kind, { node, inner, drive, output, waits }) => {
    const path = inner === undefined ? 'before' : `x${inner}`;
    const make = () =>
      inner === undefined ? start([before, node], [{ from: 'before', to: 'x' }]) : start([node]);
    const park = () => {
      const bench = make();
      bench.send('ACTIVITY_TASK_STARTED', { activityId: `${path}:do`, attempt: 1, retrySafe: false });
      bench.send('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId: `${path}:do`, attempt: 1 });
      expect(bench.node(path).status).toBe('unknown_outcome');
      expect(bench.state.status).toBe('running');
      expect(outstanding(bench.program, bench.state)).toEqual([]);
      if (inner === undefined) expect(ends(bench, 'x')).toBe(true);
      return bench;
    };
    const done = park();
    done.send('OUTCOME_RESOLVED', {
      activityId: `${path}:do`,
      resolution: 'completed',
      output: 5,
      by: 'ann',
    });
    if (inner === undefined) {
      if (waits) drive(done, 'x');
      expect(done.node('x').output).toEqual(output);
    }
    expect(done.state.status).toBe('completed');
    settleAndCheck(done);
    const again = park();
    again.send('OUTCOME_RESOLVED', { activityId: `${path}:do`, resolution: 'retry', by: 'ann' });
    expect(again.call(path)).toMatchObject({ attempt: 2, idempotencyKey: `run-1:${path}:do` });
    again.complete(path, 6);
    if (inner === undefined && waits) drive(again, 'x');
    expect(again.state.status).toBe('completed');
    settleAndCheck(again);
    const failed = park();
    failed.send('OUTCOME_RESOLVED', { activityId: `${path}:do`, resolution: 'failed', by: 'ann' });
    expect(failed.state).toMatchObject({ status: 'failed', failure: { code: 'UNKNOWN_OUTCOME' } });
    settleAndCheck(failed);
  },
  'nested in loop': (kind, { node, drive, output, waits }) => {
    const bench = start([
      {
        id: 'outer',
        kind: 'loop',
        mode: 'for-each',
        items: '["i", "j"]',
        as: 'thing',
        indexAs: 'place',
        concurrency: 2,
        body: { nodes: [node] },
      },
    ]);
    if (kind === 'terminate') {
      expect(bench.state).toMatchObject({ status: 'completed', output: 'Q' });
      expect(bench.node('outer/0/x').status).toBe('completed');
      expect(ends(bench, 'outer/1/x')).toBe(true);
      settleAndCheck(bench);
      return;
    }
    // The second iteration first: the order of results is that of the items.
    drive(bench, 'outer/1/x');
    if (waits) expect(bench.state.closedAt).toBeUndefined();
    drive(bench, 'outer/0/x');
    expect(bench.state.output).toEqual({ count: 2, results: [output, output], failures: [] });
    settleAndCheck(bench);
  },
  'nested in parallel': (kind, { node, drive, output, waits }) => {
    const hold = { id: 'hold', kind: 'wait', duration: '5s' };
    const bench = start([
      {
        id: 'outer',
        kind: 'parallel',
        branches: [
          { id: 'left', nodes: [node] },
          { id: 'right', nodes: [hold] },
        ],
      },
    ]);
    if (kind === 'terminate') {
      expect(bench.state).toMatchObject({ status: 'completed', output: 'Q' });
      expect(ends(bench, 'outer/right/hold') || bench.node('outer/right/hold').status === 'cancelled').toBe(
        true,
      );
      expect(bench.state.timers.size).toBe(0);
      settleAndCheck(bench);
      return;
    }
    if (waits) drive(bench, 'outer/left/x');
    expect(bench.node('outer/left/x').status).toBe('completed');
    expect(bench.state.closedAt).toBeUndefined();
    bench.fireNext();
    expect(bench.state.output).toEqual({ left: output, right: null });
    settleAndCheck(bench);
  },
};

describe('node kind × situation', () => {
  for (const kind of NODE_KINDS) {
    for (const situation of SITUATIONS)
      it(`${kind}: ${situation}`, () => TESTS[situation](kind, FIXTURES[kind]));
  }
});
