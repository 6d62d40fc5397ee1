import { z } from 'zod';
import { pageSchema } from '@/lib/protocol/api';
import type { ErrorCode } from '@/lib/protocol/errors';
import {
  createWebhookInSchema,
  createWebhookOutSchema,
  hookAnswerSchema,
  inboundDeliverySchema,
  inboundQuerySchema,
  outboundDeliverySchema,
  outboundQuerySchema,
  replayAnswerSchema,
  replayBodySchema,
  rotateBodySchema,
  webhookInSchema,
  webhookInSecretSchema,
  webhookInSpecSchema,
  webhookOutSchema,
  webhookOutSecretSchema,
  webhookOutSpecSchema,
} from '@/lib/protocol/webhooks';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import { revisionTag, seenRevision } from '@/server/adapters/http/revision-tag';
import type { Revised, WebhookInService } from '@/server/services/webhook-in-service';
import type { WebhookOutService } from '@/server/services/webhook-out-service';
import type { WebhookReceiver } from '@/server/services/webhook-receiver';

const IN = '/api/v1/webhooks/in';
const OUT = '/api/v1/webhooks/out';
const tag = 'webhooks';
const NOT_FOUND: ErrorCode[] = ['WEBHOOK_NOT_FOUND'];
const SENDING: ErrorCode[] = ['WEBHOOK_NOT_FOUND', 'WEBHOOK_DISABLED'];

export interface WebhookOperationDeps {
  ways: WebhookInService;
  receiver: WebhookReceiver;
  subscriptions: WebhookOutService;
}

/** Operations around webhooks, and the door that other programs post to. */
export function webhookOperations(deps: WebhookOperationDeps): Operation[] {
  return [
    door(deps.receiver),
    ...waysIn(deps.ways),
    ...subscriptions(deps.subscriptions),
    ...sent(deps.subscriptions),
  ];
}

function tagged<T>(status: number, { revision, body }: Revised<T>, headers: Record<string, string> = {}) {
  return { status, body, headers: { etag: revisionTag(revision), ...headers } };
}

function door(receiver: WebhookReceiver): Operation {
  return operation({
    id: 'receiveWebhook',
    tag,
    method: 'POST',
    path: '/api/v1/hooks/{id}',
    summary: 'Deliver to a webhook: start a run or signal one.',
    description:
      'Nobody signs in here; the bytes of the body are signed instead: with `webhook-id`, `webhook-timestamp` and `webhook-signature` ' +
      '(Standard Webhooks), or with `X-Hub-Signature-256` and `X-GitHub-Delivery`. The delivery id is the idempotency key: the same ' +
      'delivery again gives the same run. docs/webhooks.md shows how to sign.',
    permission: 'about:read',
    open: true,
    rawBody: true,
    query: z.record(z.string(), z.string()),
    answers: answers(202, 'It is taken.', hookAnswerSchema),
    errors: [
      'WEBHOOK_NOT_FOUND',
      'WEBHOOK_DISABLED',
      'WEBHOOK_SIGNATURE_INVALID',
      'WEBHOOK_TOO_OLD',
      'PAYLOAD_TOO_LARGE',
      'INVALID_JSON',
      'EXPRESSION_FAILED',
      'QUOTA_EXCEEDED',
      'WORKFLOW_NOT_FOUND',
      'SERVER_NOT_FOUND',
      'INVALID_WORKFLOW_INPUT',
      'WORKFLOW_ID_IN_USE',
      'IDEMPOTENCY_CONFLICT',
      'RUN_NOT_FOUND',
      'RUN_CLOSED',
      'SECRET_UNREADABLE',
    ],
    handle: async ({ params, query, headers, raw }) => ({
      status: 202,
      body: await receiver.receive(text(params, 'id'), headers, query, raw ?? new Uint8Array()),
    }),
  });
}

function waysIn(ways: WebhookInService): Operation[] {
  const faults: ErrorCode[] = ['WORKFLOW_NOT_FOUND', 'EXPRESSION_INVALID'];
  return [
    operation({
      id: 'listWebhooksIn',
      tag,
      method: 'GET',
      path: IN,
      summary: 'List the addresses that other programs post to.',
      permission: 'webhooks:read',
      answers: answers(200, 'Every way in, by name.', pageSchema(webhookInSchema)),
      errors: [],
      handle: async ({ actor }) => ({
        status: 200,
        body: { items: await ways.list(actor), nextCursor: null },
      }),
    }),
    operation({
      id: 'createWebhookIn',
      tag,
      method: 'POST',
      path: IN,
      summary: 'Make an address that other programs post to.',
      description: 'The answer holds the secret that deliveries are signed with; it is shown this once.',
      permission: 'webhooks:write',
      body: createWebhookInSchema,
      answers: answers(201, 'The way in and its secret.', webhookInSecretSchema, ['Location', 'ETag']),
      errors: ['WEBHOOK_EXISTS', ...faults],
      handle: async ({ actor, body: { name, ...spec } }) =>
        tagged(201, await ways.create(actor, name, spec), { location: `${IN}/${encodeURIComponent(name)}` }),
    }),
    operation({
      id: 'getWebhookIn',
      tag,
      method: 'GET',
      path: `${IN}/{name}`,
      summary: 'Read a way in.',
      permission: 'webhooks:read',
      answers: answers(200, 'The way in, without its secret.', webhookInSchema, ['ETag']),
      errors: NOT_FOUND,
      handle: async ({ actor, params }) => tagged(200, await ways.get(actor, text(params, 'name'))),
    }),
    operation({
      id: 'replaceWebhookIn',
      tag,
      method: 'PUT',
      path: `${IN}/{name}`,
      summary: 'Change what a way in does; its address and secret stay.',
      permission: 'webhooks:write',
      body: webhookInSpecSchema,
      headers: ['If-Match'],
      answers: answers(200, 'The way in.', webhookInSchema, ['ETag']),
      errors: [...NOT_FOUND, 'VERSION_CONFLICT', ...faults],
      handle: async ({ actor, params, body, headers }) =>
        tagged(200, await ways.replace(actor, text(params, 'name'), body, seenRevision(headers))),
    }),
    operation({
      id: 'deleteWebhookIn',
      tag,
      method: 'DELETE',
      path: `${IN}/{name}`,
      summary: 'Remove a way in; runs that it started go on.',
      permission: 'webhooks:write',
      answers: { 204: { description: 'It is gone.' } },
      errors: NOT_FOUND,
      handle: async ({ actor, params }) => {
        await ways.remove(actor, text(params, 'name'));
        return { status: 204, body: null };
      },
    }),
    operation({
      id: 'rotateWebhookIn',
      tag,
      method: 'POST',
      path: `${IN}/{name}/rotate`,
      summary: 'Make a new secret; the old one is good for a while.',
      permission: 'webhooks:write',
      body: rotateBodySchema,
      answers: answers(200, 'The way in and its new secret.', webhookInSecretSchema, ['ETag']),
      errors: NOT_FOUND,
      handle: async ({ actor, params, body }) =>
        tagged(200, await ways.rotate(actor, text(params, 'name'), body.graceSeconds)),
    }),
    operation({
      id: 'listWebhookInDeliveries',
      tag,
      method: 'GET',
      path: `${IN}/{name}/deliveries`,
      summary: 'List what came in and what became of it, newest first.',
      description: 'The newest 500 with a good signature are kept, and the newest 100 that were refused.',
      permission: 'webhooks:read',
      query: inboundQuerySchema,
      answers: answers(200, 'One page.', pageSchema(inboundDeliverySchema)),
      errors: NOT_FOUND,
      handle: async ({ actor, params, query }) => ({
        status: 200,
        body: await ways.deliveries(actor, text(params, 'name'), query.limit, query.cursor),
      }),
    }),
  ];
}

function subscriptions(out: WebhookOutService): Operation[] {
  return [
    operation({
      id: 'listWebhooksOut',
      tag,
      method: 'GET',
      path: OUT,
      summary: 'List who is told of events.',
      permission: 'webhooks:read',
      answers: answers(200, 'Every subscription, by name.', pageSchema(webhookOutSchema)),
      errors: [],
      handle: async ({ actor }) => ({
        status: 200,
        body: { items: await out.list(actor), nextCursor: null },
      }),
    }),
    operation({
      id: 'createWebhookOut',
      tag,
      method: 'POST',
      path: OUT,
      summary: 'Tell an address of events from now on.',
      description:
        'Deliveries are signed by Standard Webhooks with the secret in the answer, which is shown this once. Formats: `generic` ' +
        '(`{type, timestamp, data}`), `slack` (an incoming webhook), `teams` (a webhook of Teams Workflows).',
      permission: 'webhooks:write',
      body: createWebhookOutSchema,
      answers: answers(201, 'The subscription and its secret.', webhookOutSecretSchema, ['Location', 'ETag']),
      errors: ['WEBHOOK_EXISTS', 'ADDRESS_NOT_ALLOWED', 'WORKFLOW_NOT_FOUND'],
      handle: async ({ actor, body }) =>
        tagged(201, await out.create(actor, body), { location: `${OUT}/${encodeURIComponent(body.name)}` }),
    }),
    operation({
      id: 'getWebhookOut',
      tag,
      method: 'GET',
      path: `${OUT}/{name}`,
      summary: 'Read a subscription.',
      permission: 'webhooks:read',
      answers: answers(200, 'The subscription, without its secret.', webhookOutSchema, ['ETag']),
      errors: NOT_FOUND,
      handle: async ({ actor, params }) => tagged(200, await out.get(actor, text(params, 'name'))),
    }),
    operation({
      id: 'replaceWebhookOut',
      tag,
      method: 'PUT',
      path: `${OUT}/{name}`,
      summary: 'Change a subscription, or switch it on again.',
      description:
        'The address stays when `url` is left out. One that is switched on hears of what happens from then on; `replay` sends ' +
        'what it missed while it failed.',
      permission: 'webhooks:write',
      body: webhookOutSpecSchema,
      headers: ['If-Match'],
      answers: answers(200, 'The subscription.', webhookOutSchema, ['ETag']),
      errors: [...NOT_FOUND, 'VERSION_CONFLICT', 'ADDRESS_NOT_ALLOWED', 'WORKFLOW_NOT_FOUND'],
      handle: async ({ actor, params, body, headers }) =>
        tagged(200, await out.replace(actor, text(params, 'name'), body, seenRevision(headers))),
    }),
    operation({
      id: 'deleteWebhookOut',
      tag,
      method: 'DELETE',
      path: `${OUT}/{name}`,
      summary: 'Remove a subscription and its deliveries.',
      permission: 'webhooks:write',
      answers: { 204: { description: 'It is gone.' } },
      errors: NOT_FOUND,
      handle: async ({ actor, params }) => {
        await out.remove(actor, text(params, 'name'));
        return { status: 204, body: null };
      },
    }),
    operation({
      id: 'rotateWebhookOut',
      tag,
      method: 'POST',
      path: `${OUT}/{name}/rotate`,
      summary: 'Make a new secret; deliveries carry signatures of both for a while.',
      permission: 'webhooks:write',
      body: rotateBodySchema,
      answers: answers(200, 'The subscription and its new secret.', webhookOutSecretSchema, ['ETag']),
      errors: NOT_FOUND,
      handle: async ({ actor, params, body }) =>
        tagged(200, await out.rotate(actor, text(params, 'name'), body.graceSeconds)),
    }),
  ];
}

function sent(out: WebhookOutService): Operation[] {
  return [
    operation({
      id: 'listWebhookOutDeliveries',
      tag,
      method: 'GET',
      path: `${OUT}/{name}/deliveries`,
      summary: 'List what was sent and what waits, newest first.',
      description: 'Settled deliveries are kept for 30 days.',
      permission: 'webhooks:read',
      query: outboundQuerySchema,
      answers: answers(200, 'One page.', pageSchema(outboundDeliverySchema)),
      errors: NOT_FOUND,
      handle: async ({ actor, params, query }) => ({
        status: 200,
        body: await out.deliveries(actor, text(params, 'name'), query),
      }),
    }),
    operation({
      id: 'getWebhookOutDelivery',
      tag,
      method: 'GET',
      path: `${OUT}/{name}/deliveries/{deliveryId}`,
      summary: 'Read a delivery with its latest attempts.',
      permission: 'webhooks:read',
      answers: answers(200, 'The delivery.', outboundDeliverySchema),
      errors: [...NOT_FOUND, 'DELIVERY_NOT_FOUND'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await out.delivery(actor, text(params, 'name'), text(params, 'deliveryId')),
      }),
    }),
    operation({
      id: 'replayWebhookOutDelivery',
      tag,
      method: 'POST',
      path: `${OUT}/{name}/deliveries/{deliveryId}/replay`,
      summary: 'Send a delivery once more, under its id.',
      permission: 'webhooks:write',
      answers: answers(202, 'The delivery, waiting.', outboundDeliverySchema),
      errors: [...SENDING, 'DELIVERY_NOT_FOUND'],
      handle: async ({ actor, params }) => ({
        status: 202,
        body: await out.replay(actor, text(params, 'name'), text(params, 'deliveryId')),
      }),
    }),
    operation({
      id: 'replayWebhookOut',
      tag,
      method: 'POST',
      path: `${OUT}/{name}/replay`,
      summary: 'Send every failed delivery made since a time once more.',
      permission: 'webhooks:write',
      body: replayBodySchema,
      answers: answers(202, 'How many wait now.', replayAnswerSchema),
      errors: SENDING,
      handle: async ({ actor, params, body }) => ({
        status: 202,
        body: { replayed: await out.replayFailed(actor, text(params, 'name'), body.since) },
      }),
    }),
    operation({
      id: 'testWebhookOut',
      tag,
      method: 'POST',
      path: `${OUT}/{name}/test`,
      summary: 'Send a sample.',
      description: 'It is queued like any other delivery: read it to see what came of it.',
      permission: 'webhooks:write',
      answers: answers(202, 'The delivery, waiting.', outboundDeliverySchema),
      errors: SENDING,
      handle: async ({ actor, params }) => ({
        status: 202,
        body: await out.test(actor, text(params, 'name')),
      }),
    }),
  ];
}
