import { runPageSchema, startRunBodySchema } from '@/lib/protocol/api';
import { runFilterQuerySchema, runRecordSchema } from '@/lib/protocol/api-runs';
import { runSummarySchema } from '@/lib/protocol/run';
import { answers, idempotencyKey, type Operation, operation, text } from '@/server/adapters/http/operation';
import { type RunPresenter, toSummary } from '@/server/presenters/run-presenter';
import type { RunService } from '@/server/services/run-service';

export interface RunOperationDeps {
  runs: RunService;
  runDetails: RunPresenter;
}

function attributeOf(given: string | undefined): { name: string; value: string } | undefined {
  if (given === undefined) return undefined;
  const cut = given.indexOf(':');
  return { name: given.slice(0, cut), value: given.slice(cut + 1) };
}

const ms = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time));

/** Start, list and read runs. */
export function runOperations({ runs, runDetails }: RunOperationDeps): Operation[] {
  return [
    operation({
      id: 'listRuns',
      tag: 'runs',
      method: 'GET',
      path: '/api/v1/runs',
      summary: 'List runs, newest first.',
      role: 'viewer',
      query: runFilterQuerySchema,
      answers: answers(200, 'One page.', runPageSchema),
      errors: [],
      handle: async ({ actor, query }) => {
        const { status, workflow, workflowId, parentRunId } = query;
        const filter = {
          status,
          workflow,
          workflowId,
          parentRunId: parentRunId?.toLowerCase(),
          startedAfter: ms(query.startedAfter),
          startedBefore: ms(query.startedBefore),
          attribute: attributeOf(query.attribute),
        };
        return { status: 200, body: await runs.list(actor, filter, query.limit, query.cursor ?? null) };
      },
    }),
    operation({
      id: 'startRun',
      tag: 'runs',
      method: 'POST',
      path: '/api/v1/runs',
      summary: 'Start a run.',
      description:
        'Acknowledged means durable: the run goes on whatever happens to this process. The same Idempotency-Key gives the same run.',
      role: 'operator',
      body: startRunBodySchema,
      headers: ['Idempotency-Key'],
      answers: answers(201, 'The run.', runSummarySchema, ['Location']),
      errors: [
        'WORKFLOW_NOT_FOUND',
        'SERVER_NOT_FOUND',
        'INVALID_WORKFLOW_INPUT',
        'INVALID_DEFINITION',
        'WORKFLOW_ID_IN_USE',
      ],
      handle: async ({ actor, body, headers }) => {
        const row = await runs.start(actor, body, idempotencyKey(headers));
        return { status: 201, body: toSummary(row), headers: { location: `/api/v1/runs/${row.runId}` } };
      },
    }),
    operation({
      id: 'getRun',
      tag: 'runs',
      method: 'GET',
      path: '/api/v1/runs/{runId}',
      summary: 'Read a run with its nodes, input, output and neighbours.',
      role: 'viewer',
      answers: answers(200, 'The run, folded from its history.', runRecordSchema),
      errors: ['RUN_NOT_FOUND'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await runDetails.detail(actor, text(params, 'runId')),
      }),
    }),
  ];
}
