import { z } from 'zod';
import {
  callToolBodySchema,
  listEventsQuerySchema,
  listRunsQuerySchema,
  reasonBodySchema,
  signalBodySchema,
  startRunBodySchema,
} from '@/lib/protocol/api';
import { AppError } from '@/lib/protocol/errors';
import { type Operation, operation } from '@/server/adapters/http/router';
import type { RunPresenter } from '@/server/presenters/run-presenter';
import type { RunEventFeed } from '@/server/services/run-event-feed';
import type { RunService } from '@/server/services/run-service';
import type { ServerService } from '@/server/services/server-service';
import { toWorkflowSummary, type WorkflowService } from '@/server/services/workflow-service';

export interface OperationDeps {
  workflows: WorkflowService;
  runs: RunService;
  runDetails: RunPresenter;
  feed: RunEventFeed;
  servers: ServerService;
}

const versionQuerySchema = z.strictObject({ version: z.coerce.number().int().positive().optional() });
const KEY = /^[\x21-\x7e]{1,255}$/;

function idempotencyKey(headers: Headers): string | null {
  const key = headers.get('idempotency-key');
  if (key === null || KEY.test(key)) return key;
  throw new AppError('INVALID_INPUT', 'Idempotency-Key takes 1 to 255 visible ASCII characters.', {
    path: '/headers/idempotency-key',
  });
}

function id(params: Record<string, string>, name: string): string {
  return params[name] ?? '';
}

/** Every operation under /api/v1. */
export function createOperations(deps: OperationDeps): Operation[] {
  return [...workflowOperations(deps), ...runOperations(deps), ...serverOperations(deps)];
}

function workflowOperations({ workflows }: OperationDeps): Operation[] {
  return [
    operation({
      method: 'GET',
      path: '/api/v1/workflows',
      summary: 'List workflows (latest versions).',
      handle: async ({ actor }) => ({
        status: 200,
        body: { items: await workflows.list(actor), nextCursor: null },
      }),
    }),
    operation({
      method: 'POST',
      path: '/api/v1/workflows',
      summary: 'Publish a workflow definition as a new version.',
      body: z.json(),
      handle: async ({ actor, body }) => {
        const stored = await workflows.publish(actor, body);
        const location = `/api/v1/workflows/${encodeURIComponent(stored.name)}`;
        return { status: 201, body: toWorkflowSummary(stored), headers: { location } };
      },
    }),
    operation({
      method: 'POST',
      path: '/api/v1/workflows/validate',
      summary: 'Check a definition without storing it.',
      body: z.json(),
      handle: async ({ actor, body }) => {
        const { valid, problems } = await workflows.validate(actor, body);
        return { status: 200, body: { valid, problems } };
      },
    }),
    operation({
      method: 'GET',
      path: '/api/v1/workflows/{name}',
      summary: 'Read a workflow and its definition.',
      query: versionQuerySchema,
      handle: async ({ actor, params, query }) => {
        const stored = await workflows.get(actor, id(params, 'name'), query.version);
        return { status: 200, body: { ...toWorkflowSummary(stored), definition: stored.definition } };
      },
    }),
  ];
}

function runOperations({ runs, runDetails, feed }: OperationDeps): Operation[] {
  return [
    operation({
      method: 'GET',
      path: '/api/v1/runs',
      summary: 'List runs, newest first.',
      query: listRunsQuerySchema,
      handle: async ({ actor, query }) => {
        const { status, workflow, limit, cursor } = query;
        return { status: 200, body: await runs.list(actor, { status, workflow }, limit, cursor ?? null) };
      },
    }),
    operation({
      method: 'POST',
      path: '/api/v1/runs',
      summary: 'Start a run.',
      body: startRunBodySchema,
      handle: async ({ actor, body, headers }) => {
        const row = await runs.start(actor, body, idempotencyKey(headers));
        const { organizationId: _o, definitionHash: _d, shard: _s, ...summary } = row;
        return { status: 201, body: summary, headers: { location: `/api/v1/runs/${row.runId}` } };
      },
    }),
    operation({
      method: 'GET',
      path: '/api/v1/runs/{runId}',
      summary: 'Read a run with its nodes, input and output.',
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await runDetails.detail(actor, id(params, 'runId')),
      }),
    }),
    operation({
      method: 'GET',
      path: '/api/v1/runs/{runId}/events',
      summary: "Read a run's history after a seq; waits up to `waitMs` for a first event.",
      query: listEventsQuerySchema,
      handle: async ({ actor, params, query, signal }) => {
        const { after, limit, waitMs } = query;
        const items = await feed.read(actor, id(params, 'runId'), after, limit, waitMs, signal);
        return {
          status: 200,
          body: { items, nextCursor: items.length === limit ? String(items.at(-1)?.seq) : null },
        };
      },
    }),
    operation({
      method: 'POST',
      path: '/api/v1/runs/{runId}/cancel',
      summary: 'Ask a run to cancel.',
      body: reasonBodySchema,
      handle: async ({ actor, params, body, headers }) => {
        await runs.cancel(actor, id(params, 'runId'), body.reason, idempotencyKey(headers));
        return { status: 202, body: { accepted: true } };
      },
    }),
    operation({
      method: 'POST',
      path: '/api/v1/runs/{runId}/signal',
      summary: 'Send a signal to a run.',
      body: signalBodySchema,
      handle: async ({ actor, params, body, headers }) => {
        await runs.signal(
          actor,
          id(params, 'runId'),
          body.name,
          body.payload ?? null,
          idempotencyKey(headers),
        );
        return { status: 202, body: { accepted: true } };
      },
    }),
  ];
}

function serverOperations({ servers }: OperationDeps): Operation[] {
  return [
    operation({
      method: 'GET',
      path: '/api/v1/servers',
      summary: 'List the MCP servers of the organisation.',
      handle: async ({ actor }) => ({
        status: 200,
        body: { items: await servers.list(actor), nextCursor: null },
      }),
    }),
    operation({
      method: 'GET',
      path: '/api/v1/servers/{name}',
      summary: 'Connect to a server and read what it offers.',
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await servers.inspect(actor, id(params, 'name')),
      }),
    }),
    operation({
      method: 'POST',
      path: '/api/v1/servers/{name}/call',
      summary: 'Call one tool of a server directly, outside any workflow.',
      body: callToolBodySchema,
      handle: async ({ actor, params, body, signal }) => ({
        status: 200,
        body: await servers.call(actor, id(params, 'name'), body.tool, body.arguments, signal),
      }),
    }),
  ];
}
