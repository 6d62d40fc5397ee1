import { describe, expect, it } from 'vitest';
import { refusedDecision } from '@/lib/engine/admit';
import { Bench } from '@/lib/engine/testing';
import type { Json } from '@/lib/shared/json';

const define = (nodes: object[], edges: object[] = []) => ({
  schemaVersion: 1,
  name: 'people',
  nodes,
  edges,
});
const ask = (more: object = {}) => ({
  id: 'ok',
  kind: 'approval',
  title: 'Delete ${input.path}?',
  approvers: { users: ['ann', 'bob'], roles: ['admin'] },
  ...more,
});
const decide = (
  bench: Bench,
  by: string,
  decision: 'approve' | 'reject' = 'approve',
  more: { roles?: string[]; comment?: string; form?: Json } = {},
) => bench.send('APPROVAL_DECIDED', { approvalId: 'ok', decision, by, ...more });

describe('approvals', () => {
  it('ask with everything people need', () => {
    const bench = new Bench(define([ask({ description: 'From ${run.id}', deadline: '1h', quorum: 2 })]), {
      path: '/x',
    });
    expect(bench.commands[0]).toEqual({
      type: 'REQUEST_APPROVAL',
      approvalId: 'ok',
      nodePath: 'ok',
      title: 'Delete /x?',
      description: 'From run-1',
      approvers: { users: ['ann', 'bob'], roles: ['admin'] },
      quorum: 2,
      deadline: bench.now + 3_600_000,
    });
  });
  it('count different people who may decide, by name or role', () => {
    const bench = new Bench(define([ask({ quorum: 2 })]), { path: '/x' });
    expect(decide(bench, 'eve')).toEqual([]);
    decide(bench, 'ann');
    expect(decide(bench, 'ann')).toEqual([]);
    expect(bench.state.closedAt).toBeUndefined();
    decide(bench, 'eve', 'approve', { roles: ['admin'], comment: 'fine' });
    expect(bench.state.output).toMatchObject({
      approved: true,
      decisions: [{ by: 'ann' }, { by: 'eve', comment: 'fine' }],
    });
    expect(bench.commands).toContainEqual({ type: 'CLOSE_APPROVAL', approvalId: 'ok', outcome: 'approved' });
  });
  it('end with one no: by the edge rejected, or as a failure', () => {
    const failing = new Bench(define([ask()]), { path: '/x' });
    decide(failing, 'ann', 'reject', { comment: 'too early' });
    expect(failing.state.failure).toMatchObject({
      code: 'APPROVAL_REJECTED',
      message: 'ann said no: too early',
    });
    const routed = new Bench(
      define(
        [ask(), { id: 'no', kind: 'transform', output: '${ok.output.approved}' }],
        [{ from: 'ok', to: 'no', port: 'rejected' }],
      ),
      { path: '/x' },
    );
    decide(routed, 'bob', 'reject');
    expect(routed.state).toMatchObject({ status: 'completed', output: false });
  });
  it('need form data that fits, and hand it on', () => {
    const form = {
      type: 'object',
      required: ['reason'],
      properties: { reason: { type: 'string', minLength: 3 } },
    };
    const bench = new Bench(define([ask({ form })]), { path: '/x' });
    expect(decide(bench, 'ann')).toEqual([]);
    expect(decide(bench, 'ann', 'approve', { form: { reason: 'x' } })).toEqual([]);
    decide(bench, 'ann', 'approve', { form: { reason: 'old' } });
    expect(bench.state.output).toMatchObject({ form: { reason: 'old' } });
  });
  it('say why a decision does not count', () => {
    const bench = new Bench(define([ask({ quorum: 2, form: { type: 'object', required: ['r'] } })]), {
      path: '/x',
    });
    const why = (by: string, form?: Json) =>
      refusedDecision(bench.node('ok').approval, { by, decision: 'approve', form });
    expect([why('eve'), why('ann'), why('ann', { r: 1 })]).toEqual(['not-an-approver', 'form-invalid', null]);
    decide(bench, 'ann', 'approve', { form: { r: 1 } });
    expect(why('ann', { r: 1 })).toBe('decided-already');
    expect(refusedDecision(undefined, { by: 'ann', decision: 'approve' })).toBe('not-open');
  });
  it('escalate: more people may decide, and are shown the question', () => {
    const bench = new Bench(
      define([ask({ escalation: { after: '10m', approvers: { users: ['boss'] } }, deadline: '1h' })]),
      { path: '/x' },
    );
    expect(decide(bench, 'boss')).toEqual([]);
    expect(bench.fireNext()).toBe('ok:escalation');
    expect(bench.commands.at(-1)).toMatchObject({
      type: 'REQUEST_APPROVAL',
      approvers: { users: ['ann', 'bob', 'boss'], roles: ['admin'] },
    });
    decide(bench, 'boss');
    expect(bench.state.status).toBe('completed');
    expect(bench.commands).toContainEqual({ type: 'CANCEL_TIMER', timerId: 'ok:deadline' });
  });
  it('expire: a failure, or a no', () => {
    const failing = new Bench(define([ask({ deadline: '1h' })]), { path: '/x' });
    failing.fireNext();
    expect(failing.state.failure?.code).toBe('TIMEOUT');
    expect(failing.commands).toContainEqual({ type: 'CLOSE_APPROVAL', approvalId: 'ok', outcome: 'expired' });
    const rejecting = new Bench(define([ask({ deadline: '1h', onDeadline: 'reject' })]), { path: '/x' });
    rejecting.fireNext();
    expect(rejecting.state.failure?.code).toBe('APPROVAL_REJECTED');
  });
  it('that are decided while the run is paused take effect afterwards; a deadline then comes too late', () => {
    const bench = new Bench(define([ask({ deadline: '1h' })]), { path: '/x' });
    bench.send('WORKFLOW_EXECUTION_PAUSED', {});
    decide(bench, 'ann');
    bench.fireNext();
    expect(decide(bench, 'bob', 'reject')).toEqual([]);
    bench.send('WORKFLOW_EXECUTION_UNPAUSED', {});
    expect(bench.state.output).toMatchObject({ approved: true });
  });
});

describe('guarded calls', () => {
  const guarded = {
    id: 'ok',
    kind: 'mcp-server',
    server: 's',
    tool: 't',
    arguments: { path: '${input.path}', at: '${string(now())}' },
    approval: { title: 'Really?' },
  };
  it('show what would be called, and call exactly that', () => {
    const bench = new Bench(define([guarded]), { path: '/x' });
    expect(bench.commands).toHaveLength(1);
    const subject = { path: '/x', at: '2027-01-15T08:00:00.000Z' };
    expect(bench.commands[0]).toMatchObject({ type: 'REQUEST_APPROVAL', title: 'Really?', subject });
    bench.now += 60_000;
    decide(bench, 'ann');
    expect(bench.call('ok').input).toEqual(subject);
    bench.complete('ok', 'done');
    expect(bench.state).toMatchObject({ status: 'completed', output: 'done' });
  });
  it('are never made after a no', () => {
    const bench = new Bench(define([guarded]), { path: '/x' });
    decide(bench, 'ann', 'reject');
    expect(bench.state.failure?.code).toBe('APPROVAL_REJECTED');
    expect(bench.commands.some((command) => command.type === 'RUN_ACTIVITY')).toBe(false);
  });
});
