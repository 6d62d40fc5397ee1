import { describe, expect, it } from 'vitest';
import { advanceRun, replayOver } from '@/lib/client/node-events';
import { advanceRow, beginsRun, closesRun, rowFromStart } from '@/lib/client/run-events';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import { type RunDetail, runDetailSchema, runSummarySchema } from '@/lib/protocol/run';

const START = Date.parse('2026-11-20T14:00:00.000Z');
let seq = 1;
const event = (type: string, data: WorkflowEventRecord['data'] = {}, atMs = 0): WorkflowEventRecord => ({
  runId: 'r1',
  seq: ++seq,
  type,
  at: new Date(START + atMs).toISOString(),
  data,
});

function emptyRun(): RunDetail {
  seq = 1;
  const first: WorkflowEventRecord = {
    runId: 'r1',
    seq: 1,
    type: 'WORKFLOW_EXECUTION_STARTED',
    at: new Date(START).toISOString(),
    data: { version: 3 },
  };
  const row = rowFromStart({ streamSeq: 9, workflow: 'doc', workflowId: 'doc-1', event: first });
  return { ...row, input: {}, output: null, nodes: [] };
}

describe('the row of a run', () => {
  it('is made from its first event', () => {
    const run = emptyRun();
    expect(runSummarySchema.parse(run)).toMatchObject({
      workflow: 'doc',
      workflowId: 'doc-1',
      version: 3,
      historyLength: 1,
    });
    expect(beginsRun('WORKFLOW_EXECUTION_STARTED')).toBe(true);
  });
  it('follows pause, resume and failure', () => {
    let row = emptyRun();
    row = advanceRow(row, event('WORKFLOW_EXECUTION_PAUSED'));
    expect(row.status).toBe('paused');
    row = advanceRow(row, event('WORKFLOW_EXECUTION_UNPAUSED'));
    expect(row.status).toBe('running');
    row = advanceRow(
      row,
      event('WORKFLOW_EXECUTION_FAILED', { failure: { code: 'TIMEOUT', message: 'late' } }, 1_500),
    );
    expect(row).toMatchObject({ status: 'failed', durationMs: 1_500, failure: { code: 'TIMEOUT' } });
    expect(row.closedAt).toBe(new Date(START + 1_500).toISOString());
  });
  it('counts events that it does not know, and ignores old ones', () => {
    const row = emptyRun();
    const later = advanceRow(row, event('SOMETHING_NEW'));
    expect(later).toMatchObject({ status: 'running', historyLength: 2 });
    const old = { ...event('WORKFLOW_EXECUTION_FAILED'), seq: 1 };
    expect(advanceRow(later, old)).toBe(later);
    expect(closesRun('SOMETHING_NEW')).toBe(false);
    expect(closesRun('toString')).toBe(false);
  });
});

describe('the steps of a run', () => {
  const target = { kind: 'mcp', server: 'filesystem', tool: 'read_text_file' };
  const read = { activityId: 'read:do', attempt: 1 };
  const failure = { code: 'NETWORK_ERROR', message: 'refused' };

  it('appear, run and end with their events', () => {
    let run = emptyRun();
    run = advanceRun(
      run,
      event('ACTIVITY_TASK_SCHEDULED', {
        ...read,
        nodePath: 'read',
        purpose: 'do',
        target,
        input: { path: 'a' },
        timeoutMs: 1,
      }),
    );
    expect(run.nodes[0]).toMatchObject({
      path: 'read',
      kind: 'mcp-server',
      status: 'scheduled',
      input: { path: 'a' },
    });
    run = advanceRun(run, event('ACTIVITY_TASK_STARTED', { ...read, retrySafe: false }, 10));
    expect(run.nodes[0]).toMatchObject({
      status: 'running',
      server: 'filesystem',
      tool: 'read_text_file',
      attempt: 1,
      endedAt: null,
    });
    run = advanceRun(run, event('ACTIVITY_TASK_COMPLETED', { ...read, output: { text: 'x' } }, 35));
    expect(run.nodes[0]).toMatchObject({ status: 'completed', durationMs: 35, output: { text: 'x' } });
    run = advanceRun(run, event('NODE_COMPLETED', { nodePath: 'loop/0/extract', output: [1] }, 36));
    run = advanceRun(run, event('NODES_SKIPPED', { nodePaths: ['x', 'y'] }, 37));
    expect(run.nodes.map((node) => [node.path, node.nodeId, node.status])).toEqual([
      ['read', 'read', 'completed'],
      ['loop/0/extract', 'extract', 'completed'],
      ['x', 'x', 'skipped'],
      ['y', 'y', 'skipped'],
    ]);
    run = advanceRun(run, event('WORKFLOW_EXECUTION_COMPLETED', { output: 7 }, 40));
    expect(run).toMatchObject({ status: 'completed', output: 7, durationMs: 40 });
    expect(() => runDetailSchema.parse(run)).not.toThrow();
  });
  it('tell a failed attempt that is retried from a final failure', () => {
    let run = emptyRun();
    run = advanceRun(run, event('ACTIVITY_TASK_STARTED', read));
    run = advanceRun(run, event('ACTIVITY_TASK_FAILED', { ...read, failure }));
    run = advanceRun(
      run,
      event('TIMER_STARTED', { timerId: 't', purpose: 'retry', activityId: 'read:do', fireAt: 1 }),
    );
    expect(run.nodes[0]).toMatchObject({ status: 'backing_off', endedAt: null, failure });
    run = advanceRun(run, event('ACTIVITY_TASK_FAILED', { ...read, attempt: 2, failure }, 80));
    run = advanceRun(run, event('NODE_FAILED', { nodePath: 'read', failure, handled: false }, 90));
    expect(run.nodes[0]).toMatchObject({ status: 'failed', attempt: 2, durationMs: 90, failure });
  });
  it('wait on timers, signals and people, but not on a time limit', () => {
    let run = emptyRun();
    run = advanceRun(
      run,
      event('TIMER_STARTED', { timerId: 'a', nodePath: 'pause', purpose: 'wait', fireAt: 1 }),
    );
    run = advanceRun(run, event('NODE_STARTED', { nodePath: 'sig', signal: 'go' }));
    run = advanceRun(
      run,
      event('APPROVAL_REQUESTED', { nodePath: 'ask', approvalId: 'p', title: '?', quorum: 1 }),
    );
    run = advanceRun(run, event('NODE_STARTED', { nodePath: 'loop' }));
    run = advanceRun(
      run,
      event('TIMER_STARTED', { timerId: 'b', nodePath: 'loop', purpose: 'timeout', fireAt: 1 }),
    );
    expect(run.nodes.map((node) => node.status)).toEqual(['waiting', 'waiting', 'waiting', 'running']);
  });
  it('show compensation without losing the result of the call', () => {
    let run = emptyRun();
    run = advanceRun(run, event('ACTIVITY_TASK_COMPLETED', { ...read, output: 'done' }));
    run = advanceRun(run, event('COMPENSATION_STARTED', { nodePaths: ['read'] }));
    expect(run.status).toBe('compensating');
    const undo = { activityId: 'read:compensate', attempt: 1 };
    run = advanceRun(
      run,
      event('ACTIVITY_TASK_SCHEDULED', {
        ...undo,
        nodePath: 'read',
        purpose: 'compensate',
        target: { kind: 'mcp', server: 's', tool: 'undo' },
        input: 'in',
        timeoutMs: 1,
      }),
    );
    expect(run.nodes[0]).toMatchObject({ status: 'compensating', output: 'done', tool: null });
    run = advanceRun(run, event('ACTIVITY_TASK_COMPLETED', { ...undo, output: 'undone' }));
    expect(run.nodes[0]).toMatchObject({ status: 'compensated', output: 'done' });
  });
  it('follow what a person says about an unknown outcome', () => {
    let run = emptyRun();
    run = advanceRun(run, event('ACTIVITY_TASK_OUTCOME_UNKNOWN', { ...read, failure }));
    expect(run.nodes[0]?.status).toBe('unknown_outcome');
    run = advanceRun(
      run,
      event('OUTCOME_RESOLVED', { activityId: 'read:do', resolution: 'completed', output: 5 }),
    );
    expect(run.nodes[0]).toMatchObject({ status: 'completed', output: 5, failure: null });
  });
  it('leave unchanged nodes the same object, so that their rows are not drawn again', () => {
    let run = emptyRun();
    run = advanceRun(run, event('NODE_COMPLETED', { nodePath: 'a' }));
    const first = run.nodes[0];
    run = advanceRun(run, event('NODE_COMPLETED', { nodePath: 'b' }));
    expect(run.nodes[0]).toBe(first);
  });
});

describe('replayOver', () => {
  it('puts only the newer events on top of a snapshot', () => {
    const run = emptyRun();
    const events = [
      event('ACTIVITY_TASK_STARTED', { activityId: 'a:do', attempt: 1 }),
      event('ACTIVITY_TASK_COMPLETED', { activityId: 'a:do', attempt: 1 }),
      event('ACTIVITY_TASK_STARTED', { activityId: 'b:do', attempt: 1 }),
    ];
    const live = replayOver(run, events);
    const snapshot = { ...live, historyLength: 3, nodes: live.nodes.slice(0, 1) };
    expect(replayOver(snapshot, events)).toMatchObject({
      historyLength: 4,
      nodes: [
        { path: 'a', status: 'completed' },
        { path: 'b', status: 'running' },
      ],
    });
    expect(replayOver(live, events)).toBe(live);
  });
});
