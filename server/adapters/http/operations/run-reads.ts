import {
  eventPathSchema,
  historyQuerySchema,
  historySchema,
  payloadQuerySchema,
  payloadSchema,
  revealQuerySchema,
  timelineSchema,
  workflowMetricsSchema,
} from '@/lib/protocol/api-runs';
import { workflowEventSchema } from '@/lib/protocol/event';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import type { RunPresenter } from '@/server/presenters/run-presenter';

/** What can be read of one run besides its state and its events as they come. */
export function runReadOperations({ runDetails }: { runDetails: RunPresenter }): Operation[] {
  return [
    operation({
      id: 'getRunTimeline',
      tag: 'runs',
      method: 'GET',
      path: '/api/v1/runs/{runId}/timeline',
      summary: 'Read a run as bars over time, one for each node path.',
      permission: 'executions:read',
      answers: answers(
        200,
        'Bars in the order in which they began; times in milliseconds since 1970.',
        timelineSchema,
      ),
      errors: ['RUN_NOT_FOUND'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await runDetails.timeline(actor, text(params, 'runId')),
      }),
    }),
    operation({
      id: 'getRunMetrics',
      tag: 'runs',
      method: 'GET',
      path: '/api/v1/runs/{runId}/metrics',
      summary: 'Read how a run stands and what its servers did.',
      permission: 'executions:read',
      answers: answers(200, 'Counts, latencies in milliseconds, usage.', workflowMetricsSchema),
      errors: ['RUN_NOT_FOUND', 'EVENT_NOT_FOUND'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await runDetails.metrics(actor, text(params, 'runId')),
      }),
    }),
    operation({
      id: 'getRunHistory',
      tag: 'runs',
      method: 'GET',
      path: '/api/v1/runs/{runId}/history',
      summary: 'Download the whole history of a run.',
      description:
        '`format=temporal` gives the shape of a Temporal history file, which the tools of Temporal can show; events that Temporal ' +
        'does not have are markers there.',
      permission: 'executions:read',
      query: historyQuerySchema,
      answers: answers(200, 'Every event, oldest first.', historySchema, ['Content-Disposition']),
      errors: ['RUN_NOT_FOUND'],
      handle: async ({ actor, params, query }) => {
        const runId = text(params, 'runId');
        const body = await runDetails.history(actor, runId, query.format, query.reveal);
        const suffix = query.format === 'temporal' ? '.temporal' : '';
        const disposition = `attachment; filename="run-${runId}${suffix}.json"`;
        return { status: 200, body, headers: { 'content-disposition': disposition } };
      },
    }),
    operation({
      id: 'getRunPayload',
      tag: 'runs',
      method: 'GET',
      path: '/api/v1/runs/{runId}/payload',
      summary: 'Read one node with its whole input and output.',
      permission: 'executions:read',
      query: payloadQuerySchema,
      answers: answers(200, 'The node.', payloadSchema),
      errors: ['RUN_NOT_FOUND', 'NODE_NOT_FOUND'],
      handle: async ({ actor, params, query }) => ({
        status: 200,
        body: await runDetails.payload(actor, text(params, 'runId'), query.node, query.reveal),
      }),
    }),
    operation({
      id: 'getRunEvent',
      tag: 'runs',
      method: 'GET',
      path: '/api/v1/runs/{runId}/events/{seq}',
      summary: 'Read one event, whole, however large its payload is.',
      permission: 'executions:read',
      params: eventPathSchema,
      query: revealQuerySchema,
      answers: answers(200, 'The event.', workflowEventSchema),
      errors: ['RUN_NOT_FOUND', 'EVENT_NOT_FOUND'],
      handle: async ({ actor, params, query }) => ({
        status: 200,
        body: await runDetails.event(actor, params.runId, params.seq, query.reveal),
      }),
    }),
  ];
}
