import { beforeEach, describe, expect, it } from 'vitest';
import { applyToRun, setOpenRun, takeEvents, takeSnapshot, useRun } from '@/lib/client/run-store';
import { applyToRuns, mergeRuns, useRuns } from '@/lib/client/runs-store';
import type { StreamEvent } from '@/lib/protocol/event';
import type { RunDetail, RunSummary } from '@/lib/protocol/run';

let streamSeq = 0;
function item(
  runId: string,
  seq: number,
  type: string,
  data: StreamEvent['event']['data'] = {},
): StreamEvent {
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, seq)).toISOString();
  return {
    streamSeq: ++streamSeq,
    workflow: 'w',
    workflowId: `${runId}-id`,
    event: { runId, seq, type, at, data },
  };
}
const START = 'WORKFLOW_EXECUTION_STARTED';

beforeEach(() => {
  useRuns.setState(useRuns.getInitialState(), true);
  useRun.setState(useRun.getInitialState(), true);
});

describe('the list of runs', () => {
  const row = (runId: string, more: Partial<RunSummary> = {}): RunSummary => ({
    runId,
    workflowId: runId,
    workflow: 'w',
    version: 1,
    status: 'running',
    createdAt: '2026-01-01T00:00:00.000Z',
    closedAt: null,
    durationMs: null,
    historyLength: 3,
    failure: null,
    ...more,
  });

  it('puts new runs on top and counts what happened', () => {
    const delta = applyToRuns([
      item('a', 1, START),
      item('b', 1, START),
      item('a', 2, 'WORKFLOW_EXECUTION_COMPLETED'),
      item('b', 2, 'WORKFLOW_EXECUTION_FAILED'),
    ]);
    expect(delta).toEqual({ started: 2, completed: 1, failed: 1, unknown: false, closed: true });
    const { byId, order } = useRuns.getState();
    expect(order).toEqual(['b', 'a']);
    expect(byId.get('a')?.status).toBe('completed');
  });
  it('tells that it does not know a run', () => {
    expect(applyToRuns([item('z', 8, 'NODE_COMPLETED', { nodePath: 'n' })]).unknown).toBe(true);
    expect(useRuns.getState().order).toEqual([]);
  });
  it('counts a start and an end that a read showed before their events came', () => {
    useRuns.setState(
      mergeRuns(useRuns.getState(), [
        row('a', { historyLength: 0 }),
        row('b', { status: 'completed', historyLength: 2 }),
      ]),
    );
    const delta = applyToRuns([
      item('a', 1, START),
      item('b', 1, START),
      item('b', 2, 'WORKFLOW_EXECUTION_COMPLETED'),
    ]);
    expect(delta).toEqual({ started: 2, completed: 1, failed: 0, unknown: false, closed: false });
  });
  it('remembers the node of the newest event', () => {
    applyToRuns([
      item('a', 1, START),
      item('a', 2, 'ACTIVITY_TASK_STARTED', { activityId: 'read:do', attempt: 1 }),
    ]);
    expect(useRuns.getState().byId.get('a')?.at).toBe('read');
  });
  it('does not let an old answer undo newer events', () => {
    useRuns.setState(mergeRuns(useRuns.getState(), [row('a', { status: 'completed', historyLength: 9 })]));
    useRuns.setState(mergeRuns(useRuns.getState(), [row('a', { historyLength: 4 }), row('b')]));
    expect(useRuns.getState().byId.get('a')?.status).toBe('completed');
    expect(useRuns.getState().order).toEqual(['b', 'a']);
  });
});

describe('the open run', () => {
  const snapshot = (historyLength: number): RunDetail => ({
    runId: 'a',
    workflowId: 'a-id',
    workflow: 'w',
    version: 1,
    status: 'running',
    createdAt: '2026-01-01T00:00:00.000Z',
    closedAt: null,
    durationMs: null,
    historyLength,
    failure: null,
    input: {},
    output: null,
    nodes: [],
  });

  it('is shown from its first event on, without a read', () => {
    setOpenRun('a');
    expect(applyToRun([item('a', 1, START, { input: { path: 'x' } }), item('b', 1, START)])).toEqual({
      touched: true,
      hole: false,
    });
    expect(useRun.getState().detail).toMatchObject({ runId: 'a', input: { path: 'x' }, status: 'running' });
  });
  it('keeps newer events when an older answer comes in', () => {
    setOpenRun('a');
    applyToRun([item('a', 1, START), item('a', 2, 'NODE_COMPLETED', { nodePath: 'n', output: 1 })]);
    expect(takeSnapshot(snapshot(1))).toBe(true);
    expect(useRun.getState().detail?.nodes.map((node) => node.path)).toEqual(['n']);
  });
  it('refuses an answer that it cannot bring up to date', () => {
    setOpenRun('a');
    takeSnapshot(snapshot(10));
    expect(takeSnapshot(snapshot(4))).toBe(false);
    expect(useRun.getState().detail?.historyLength).toBe(10);
  });
  it('ignores answers about a run that is no longer open', () => {
    setOpenRun('b');
    takeSnapshot(snapshot(4));
    expect(useRun.getState().detail).toBeNull();
  });
  it('keeps its events in order, once, and reports holes', () => {
    setOpenRun('a');
    const events = [1, 2, 3, 5].map((seq) => item('a', seq, 'X').event);
    expect(takeEvents('a', events)).toBe(true);
    expect(takeEvents('a', [item('a', 4, 'X').event, item('a', 2, 'X').event, item('a', 5, 'X').event])).toBe(
      false,
    );
    expect(useRun.getState().events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5]);
  });
});
