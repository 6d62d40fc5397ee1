import { runPageSchema, startRunBodySchema } from '@/lib/protocol/api';
import { revealQuerySchema, runFilterQuerySchema, runRecordSchema } from '@/lib/protocol/api-runs';
import { runSummarySchema } from '@/lib/protocol/run';
import { answers, idempotencyKey, type Operation, operation, text } from '@/server/adapters/http/operation';
import { type RunPresenter, toSummary } from '@/server/presenters/run-presenter';
import type { RunService } from '@/server/services/run-service';
import type { ViewService } from '@/server/services/view-service';

export interface RunOperationDeps {
  runs: RunService;
  runDetails: RunPresenter;
  views: Pick<ViewService, 'filtersOf'>;
}

function attributeOf(given: string | undefined): { name: string; value: string } | undefined {
  if (given === undefined) return undefined;
  const cut = given.indexOf(':');
  return { name: given.slice(0, cut), value: given.slice(cut + 1) };
}

const ms = (time: string | undefined) => (time === undefined ? undefined : Date.parse(time));

/** Start, list and read runs. */
export function runOperations({ runs, runDetails, views }: RunOperationDeps): Operation[] {
  return [
    operation({
      id: 'listRuns',
      tag: 'runs',
      method: 'GET',
      path: '/api/v1/runs',
      summary: 'List runs, newest first.',
      permission: 'executions:read',
      query: runFilterQuerySchema,
      answers: answers(200, 'One page.', runPageSchema),
      errors: ['VIEW_NOT_FOUND'],
      handle: async ({ actor, query }) => {
        // What is asked for stands over what the view says.
        const saved = query.view === undefined ? {} : await views.filtersOf(actor, query.view);
        const asked = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
        const of: typeof saved = { ...saved, ...asked };
        const { status, workflow, workflowId, parentRunId } = of;
        const filter = {
          status,
          workflow,
          workflowId,
          parentRunId: parentRunId?.toLowerCase(),
          startedAfter: ms(of.startedAfter),
          startedBefore: ms(of.startedBefore),
          attribute: attributeOf(of.attribute),
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
      permission: 'workflows:execute',
      body: startRunBodySchema,
      contents: ['/input'],
      target: (body) => ({ kind: 'workflow', id: body.workflow }),
      headers: ['Idempotency-Key'],
      answers: answers(201, 'The run.', runSummarySchema, ['Location']),
      errors: [
        'QUOTA_EXCEEDED',
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
      permission: 'executions:read',
      query: revealQuerySchema,
      answers: answers(200, 'The run, folded from its history.', runRecordSchema),
      errors: ['RUN_NOT_FOUND'],
      handle: async ({ actor, params, query }) => ({
        status: 200,
        body: await runDetails.detail(actor, text(params, 'runId'), query.reveal),
      }),
    }),
  ];
}
