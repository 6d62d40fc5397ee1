import { describe, expect, it } from 'vitest';
import type { WebhookAction } from '@/lib/protocol/webhooks';
import {
  checkMapping,
  fillAction,
  fulfils,
  type Posted,
  readPosted,
  shownHeaders,
} from '@/server/services/webhook-mapping';

const posted: Posted = {
  body: { order: { id: 'o-1', n: 7 }, items: [1, 2] },
  headers: { 'x-event': 'paid' },
  query: { page: '2' },
};
const codeOf = (run: () => unknown) => {
  try {
    run();
    return 'fine';
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('what a delivery asks for', () => {
  it('is the body when nothing is mapped', () => {
    expect(fillAction({ kind: 'start', workflow: 'w' }, posted, 0)).toEqual({
      kind: 'start',
      workflow: 'w',
      version: undefined,
      workflowId: undefined,
      input: posted.body,
    });
  });

  it('is filled in from body, headers and query', () => {
    const action: WebhookAction = {
      kind: 'signal',
      signal: '${headers["x-event"]}',
      workflowId: 'order-${body.order.id}',
      payload: { count: '${size(body.items)}', page: '${query.page}' },
    };
    expect(fillAction(action, posted, 0)).toEqual({
      kind: 'signal',
      signal: 'paid',
      runId: undefined,
      workflowId: 'order-o-1',
      payload: { count: 2, page: '2' },
    });
  });

  it('a number makes an id; a list, nothing, or control characters do not', () => {
    const start = (workflowId: string, from = posted) =>
      fillAction({ kind: 'start', workflow: 'w', workflowId }, from, 0);
    expect(start('${body.order.n}')).toMatchObject({ workflowId: '7' });
    expect(codeOf(() => start('${body.items}'))).toBe('INVALID_INPUT');
    expect(codeOf(() => start('${body.missing}'))).toBe('EXPRESSION_FAILED');
    expect(codeOf(() => start('${body}', { ...posted, body: 'a\u0000b' }))).toBe('INVALID_INPUT');
  });

  it('is only acted on when the condition is true', () => {
    expect(fulfils(null, posted, 0)).toBe(true);
    expect(fulfils('body.order.n > 5', posted, 0)).toBe(true);
    expect(fulfils('${ headers["x-event"] == "other" }', posted, 0)).toBe(false);
    expect(fulfils('body.order.n', posted, 0)).toBe(false);
  });
});

describe('what is checked when it is written', () => {
  it('refuses names that are not there, broken expressions and signals to nobody', () => {
    const action: WebhookAction = { kind: 'start', workflow: 'w', input: { a: '${body.x}' } };
    expect(codeOf(() => checkMapping(action, 'headers.x == "y"'))).toBe('fine');
    expect(codeOf(() => checkMapping({ ...action, input: '${input.x}' }, undefined))).toBe(
      'EXPRESSION_INVALID',
    );
    expect(codeOf(() => checkMapping({ ...action, input: '${body.' }, undefined))).toBe('EXPRESSION_INVALID');
    expect(codeOf(() => checkMapping(action, 'run.id'))).toBe('EXPRESSION_INVALID');
    expect(codeOf(() => checkMapping({ kind: 'signal', signal: 's' }, undefined))).toBe('INVALID_INPUT');
    const both: WebhookAction = { kind: 'signal', signal: 's', runId: 'r', workflowId: 'w' };
    expect(codeOf(() => checkMapping(both, undefined))).toBe('INVALID_INPUT');
  });
});

describe('what is read', () => {
  it('JSON, forms and text', () => {
    expect(readPosted(Buffer.from('{"a":1}'), 'application/json; charset=utf-8')).toEqual({ a: 1 });
    expect(readPosted(Buffer.from('{"a":1}'), 'application/cloudevents+json')).toEqual({ a: 1 });
    expect(readPosted(Buffer.from('a=1&b=x%20y'), 'application/x-www-form-urlencoded')).toEqual({
      a: '1',
      b: 'x y',
    });
    expect(readPosted(Buffer.from('hello'), 'text/plain')).toBe('hello');
    expect(readPosted(Buffer.from(''), 'application/json')).toBeNull();
    expect(codeOf(() => readPosted(Buffer.from('{'), 'application/json'))).toBe('INVALID_JSON');
    expect(codeOf(() => readPosted(Buffer.from([0xff]), ''))).toBe('INVALID_JSON');
  });

  it('headers without those that sign or authenticate', () => {
    const headers = new Headers({
      'x-event': 'paid',
      authorization: 'Bearer x',
      cookie: 'x',
      'x-gitlab-token': 'x',
      'x-hub-signature-256': 'x',
      'x-api-key': 'x',
    });
    expect(shownHeaders(headers)).toEqual({ 'x-event': 'paid' });
  });
});
