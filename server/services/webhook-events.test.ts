import { describe, expect, it } from 'vitest';
import { EVENT_CATALOGUE } from '@/lib/protocol/events';
import { WEBHOOK_EVENTS } from '@/lib/protocol/webhooks';
import type { JsonObject } from '@/lib/shared/json';
import type { SourceEvent, Subscription } from '@/server/ports/webhook-out-store';
import { matchAlert, matchEvents, TOLD_TYPES, wants } from '@/server/services/webhook-events';

const everything: Subscription = { id: 'all', events: [], workflow: null };
let made = 0;
const newId = () => `id-${++made}`;

function event(type: string, data: JsonObject = {}): SourceEvent {
  return {
    organizationId: 'org',
    runId: 'run',
    seq: 7,
    type,
    at: 0,
    workflow: 'orders',
    workflowId: 'order-1',
    version: 3,
    data,
  };
}

const told = (of: SourceEvent, subscriptions = [everything]) =>
  matchEvents([{ event: of, subscriptions }], newId);

describe('who is told of what', () => {
  it('knows each type of the catalogue that it looks for, and can tell every event that it offers', () => {
    for (const type of TOLD_TYPES) expect(Object.keys(EVENT_CATALOGUE)).toContain(type);
    const names = [...TOLD_TYPES, 'RUN_GIVEN_UP'].map((type) => told(event(type))[0]?.event);
    const elsewhere = ['alert.raised', 'alert.resolved', 'webhook.disabled'];
    expect([...names, ...elsewhere].sort()).toEqual([...WEBHOOK_EVENTS].sort());
    expect(told(event('TIMER_FIRED'))).toEqual([]);
  });

  it('filters by event and by workflow; alerts belong to no workflow', () => {
    const some: Subscription = { id: 'some', events: ['run.failed'], workflow: 'orders' };
    expect(wants(some, 'run.failed', 'orders')).toBe(true);
    expect(wants(some, 'run.failed', 'other')).toBe(false);
    expect(wants(some, 'run.started', 'orders')).toBe(false);
    expect(wants({ ...some, events: ['alert.raised'] }, 'alert.raised', null)).toBe(true);
  });

  it('names what happened so that each subscription hears of it once', () => {
    const [one] = told(event('WORKFLOW_EXECUTION_FAILED'));
    const [again] = told(event('WORKFLOW_EXECUTION_FAILED'));
    expect(one?.eventKey).toBe('run:7');
    expect(again?.eventKey).toBe(one?.eventKey);
    expect(again?.id).not.toBe(one?.id);
    expect(told(event('RUN_GIVEN_UP'))[0]?.eventKey).toBe('run:given-up');
  });
});

describe('what is told', () => {
  const data = (type: string, given: JsonObject) => told(event(type, given))[0]?.payload.data as JsonObject;

  it('leaves out what runs work on', () => {
    const secret = { password: 'hunter2' };
    for (const type of [...TOLD_TYPES, 'RUN_GIVEN_UP']) {
      const given = { input: secret, output: secret, payload: secret, form: secret, subject: secret };
      const failure = { code: 'X', message: 'why', details: secret };
      expect(JSON.stringify(told(event(type, { ...given, failure })))).not.toContain('hunter2');
    }
  });

  it('says what a reader needs', () => {
    expect(data('WORKFLOW_EXECUTION_FAILED', { failure: { code: 'TIMEOUT', message: 'too slow' } })).toEqual({
      runId: 'run',
      workflow: 'orders',
      workflowId: 'order-1',
      version: 3,
      failure: { code: 'TIMEOUT', message: 'too slow' },
    });
    expect(data('APPROVAL_REQUESTED', { title: 'Ship?', nodePath: 'ask', deadline: 0 })).toMatchObject({
      title: 'Ship?',
      nodePath: 'ask',
      deadline: '1970-01-01T00:00:00.000Z',
    });
    // What a version without a limit let a definition ask for: no text of a date is that far away.
    for (const deadline of [8_640_000_000_000_001, Number.MAX_VALUE])
      expect(data('APPROVAL_REQUESTED', { deadline }).deadline).toBe('9999-12-31T23:59:59.999Z');
    expect(data('ACTIVITY_TASK_OUTCOME_UNKNOWN', { activityId: 'a/b:do', attempt: 2 })).toMatchObject({
      nodePath: 'a/b',
      attempt: 2,
    });
    expect(
      matchEvents(
        [{ event: { ...event('WORKFLOW_EXECUTION_FAILED'), data: null }, subscriptions: [everything] }],
        newId,
      ),
    ).toHaveLength(1);
  });

  it('is short, and text that every database takes', () => {
    const reason = String(
      data('WORKFLOW_EXECUTION_TERMINATED', { reason: `\u0000${'x'.repeat(498)}😀` }).reason,
    );
    expect(reason.length).toBeLessThanOrEqual(500);
    expect(reason.includes('\u0000')).toBe(false);
    expect(reason).not.toMatch(/\p{Surrogate}/u);
  });

  it('tells of an alert when it is raised and when it is over', () => {
    const alert = {
      id: 'a1',
      organizationId: 'org',
      rule: 'breaker-open',
      subject: 'memory',
      state: 'firing',
      message: 'open',
      value: 1,
      threshold: 0,
      raisedAt: 0,
      updatedAt: 0,
      quietSince: null,
      resolvedAt: null,
    } as const;
    const [raised] = matchAlert(alert, [everything], newId);
    expect(raised).toMatchObject({ event: 'alert.raised', eventKey: 'a1:firing' });
    const [over] = matchAlert({ ...alert, state: 'resolved', resolvedAt: 5 }, [everything], newId);
    expect(over).toMatchObject({ event: 'alert.resolved', eventKey: 'a1:resolved' });
  });
});
