import type { Actor } from '@/lib/protocol/actor';
import { reasonBodySchema, signalBodySchema } from '@/lib/protocol/api';
import {
  acceptedSchema,
  approveBodySchema,
  inputBodySchema,
  rejectBodySchema,
  rerunBodySchema,
  resolveBodySchema,
  restartBodySchema,
  retryBodySchema,
} from '@/lib/protocol/api-runs';
import type { ErrorCode } from '@/lib/protocol/errors';
import { runSummarySchema } from '@/lib/protocol/run';
import { answers, idempotencyKey, type Operation, operation, text } from '@/server/adapters/http/operation';
import type { RunRow } from '@/server/ports/run-queries';
import { toSummary } from '@/server/presenters/run-presenter';
import type { RerunService } from '@/server/services/rerun-service';
import type { RunControl } from '@/server/services/run-control';

export interface RunCommandDeps {
  control: RunControl;
  reruns: RerunService;
}

const OPEN: ErrorCode[] = ['RUN_NOT_FOUND', 'RUN_CLOSED'];
const taken = answers(202, 'Written down; the owner of the run carries it out.', acceptedSchema);
const accepted = { status: 202, body: { accepted: true } };

type Reasoned = (
  actor: Actor,
  runId: string,
  reason: string | undefined,
  key: string | null,
) => Promise<void>;

/** A command that takes nothing but a reason. */
function reasoned(id: string, verb: string, summary: string, carryOut: Reasoned): Operation {
  return operation({
    id,
    tag: 'runs',
    method: 'POST',
    path: `/api/v1/runs/{runId}/${verb}`,
    summary,
    permission: 'executions:control',
    body: reasonBodySchema,
    headers: ['Idempotency-Key'],
    answers: taken,
    errors: OPEN,
    handle: async ({ actor, params, body, headers }) => {
      await carryOut(actor, text(params, 'runId'), body.reason, idempotencyKey(headers));
      return accepted;
    },
  });
}

function started(row: RunRow) {
  return { status: 201, body: toSummary(row), headers: { location: `/api/v1/runs/${row.runId}` } };
}

/** Everything that can be done to a run. */
export function runCommandOperations({ control, reruns }: RunCommandDeps): Operation[] {
  return [
    reasoned('cancelRun', 'cancel', 'Ask a run to cancel: calls are stopped, compensation runs.', (...args) =>
      control.cancel(...args),
    ),
    reasoned('terminateRun', 'terminate', 'End a run at once; nothing is compensated.', (...args) =>
      control.terminate(...args),
    ),
    reasoned('pauseRun', 'pause', 'Begin nothing new; what runs may end.', (...args) =>
      control.pause(...args),
    ),
    reasoned('resumeRun', 'resume', 'Let a paused run go on.', (...args) => control.resume(...args)),
    operation({
      id: 'signalRun',
      tag: 'runs',
      method: 'POST',
      path: '/api/v1/runs/{runId}/signal',
      summary: 'Send a signal to a run.',
      description: 'It is kept until a node waits for its name.',
      permission: 'executions:control',
      body: signalBodySchema,
      contents: ['/payload'],
      headers: ['Idempotency-Key'],
      answers: taken,
      errors: OPEN,
      handle: async ({ actor, params, body, headers }) => {
        const key = idempotencyKey(headers);
        await control.signal(actor, text(params, 'runId'), body.name, body.payload ?? null, key);
        return accepted;
      },
    }),
    operation({
      id: 'approveRun',
      tag: 'tasks',
      method: 'POST',
      path: '/api/v1/runs/{runId}/approve',
      summary: 'Say yes to a question of a run.',
      description:
        '`approvalId` may be left out when exactly one question is open. `form` is checked against the question’s schema.',
      permission: 'approvals:decide',
      body: approveBodySchema,
      contents: ['/form'],
      headers: ['Idempotency-Key'],
      answers: taken,
      errors: [...OPEN, ...DECISION],
      handle: async ({ actor, params, body, headers }) => {
        await control.decide(actor, text(params, 'runId'), 'approve', body, idempotencyKey(headers));
        return accepted;
      },
    }),
    operation({
      id: 'rejectRun',
      tag: 'tasks',
      method: 'POST',
      path: '/api/v1/runs/{runId}/reject',
      summary: 'Say no to a question of a run.',
      permission: 'approvals:decide',
      body: rejectBodySchema,
      headers: ['Idempotency-Key'],
      answers: taken,
      errors: [...OPEN, ...DECISION],
      handle: async ({ actor, params, body, headers }) => {
        await control.decide(actor, text(params, 'runId'), 'reject', body, idempotencyKey(headers));
        return accepted;
      },
    }),
    operation({
      id: 'resolveRun',
      tag: 'tasks',
      method: 'POST',
      path: '/api/v1/runs/{runId}/resolve',
      summary: 'Say what became of a call whose outcome nobody knows.',
      description:
        '`retry` makes the call again, `completed` takes `output` as its result, `failed` fails it.',
      permission: 'tasks:answer',
      body: resolveBodySchema,
      contents: ['/output'],
      headers: ['Idempotency-Key'],
      answers: taken,
      errors: [...OPEN, 'NODE_NOT_FOUND', 'OUTCOME_KNOWN', 'AMBIGUOUS_TARGET', 'APPROVAL_NOT_FOUND'],
      handle: async ({ actor, params, body, headers }) => {
        await control.resolve(actor, text(params, 'runId'), body, idempotencyKey(headers));
        return accepted;
      },
    }),
    operation({
      id: 'answerRun',
      tag: 'tasks',
      method: 'POST',
      path: '/api/v1/runs/{runId}/input',
      summary: 'Answer what a server asks in the middle of a call.',
      description:
        'What is asked stands in the task. `answer` suffices when it is one thing. `accept` with `content` fills a form in, `decline` and `cancel` refuse, `result` gives the answer of a model.',
      permission: 'tasks:answer',
      body: inputBodySchema,
      contents: ['/answer', '/answers'],
      headers: ['Idempotency-Key'],
      answers: taken,
      errors: [...OPEN, 'NODE_NOT_FOUND', 'INPUT_NOT_EXPECTED', 'AMBIGUOUS_TARGET', 'APPROVAL_NOT_FOUND'],
      handle: async ({ actor, params, body, headers }) => {
        await control.answer(actor, text(params, 'runId'), body, idempotencyKey(headers));
        return accepted;
      },
    }),
    operation({
      id: 'retryRun',
      tag: 'runs',
      method: 'POST',
      path: '/api/v1/runs/{runId}/retry',
      summary: 'Start a new run that does again what did not complete.',
      description:
        'Results of completed nodes are taken over. The closed run stays as it is; both name each other.',
      permission: 'executions:control',
      body: retryBodySchema,
      headers: ['Idempotency-Key'],
      answers: answers(201, 'The new run.', runSummarySchema, ['Location']),
      errors: [...AGAIN, 'NOTHING_TO_RETRY'],
      handle: async ({ actor, params, headers }) =>
        started(await reruns.retry(actor, text(params, 'runId'), idempotencyKey(headers))),
    }),
    operation({
      id: 'rerunRun',
      tag: 'runs',
      method: 'POST',
      path: '/api/v1/runs/{runId}/rerun',
      summary: 'Start a new run that does one node and all that comes after it again.',
      permission: 'executions:control',
      body: rerunBodySchema,
      headers: ['Idempotency-Key'],
      answers: answers(201, 'The new run.', runSummarySchema, ['Location']),
      errors: AGAIN,
      handle: async ({ actor, params, body, headers }) =>
        started(await reruns.rerun(actor, text(params, 'runId'), body.nodeId, idempotencyKey(headers))),
    }),
    operation({
      id: 'restartRun',
      tag: 'runs',
      method: 'POST',
      path: '/api/v1/runs/{runId}/restart',
      summary: 'Start a new run that does everything again.',
      description:
        'With the definition the run had (`current`) or the newest one (`latest`), and with its input unless another is given.',
      permission: 'executions:control',
      body: restartBodySchema,
      contents: ['/input'],
      headers: ['Idempotency-Key'],
      answers: answers(201, 'The new run.', runSummarySchema, ['Location']),
      errors: AGAIN,
      handle: async ({ actor, params, body, headers }) =>
        started(await reruns.restart(actor, text(params, 'runId'), body, idempotencyKey(headers))),
    }),
  ];
}

const DECISION: ErrorCode[] = [
  'APPROVAL_NOT_FOUND',
  'APPROVAL_CLOSED',
  'APPROVAL_DECIDED_ALREADY',
  'AMBIGUOUS_TARGET',
];
const AGAIN: ErrorCode[] = [
  'QUOTA_EXCEEDED',
  'RUN_NOT_FOUND',
  'RUN_OPEN',
  'WORKFLOW_ID_IN_USE',
  'WORKFLOW_NOT_FOUND',
  'SERVER_NOT_FOUND',
  'INVALID_WORKFLOW_INPUT',
  'INVALID_DEFINITION',
  'PAYLOAD_TOO_LARGE',
];
