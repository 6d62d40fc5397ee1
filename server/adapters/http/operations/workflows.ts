import { z } from 'zod';
import { pageSchema, validationResultSchema, workflowSummarySchema } from '@/lib/protocol/api';
import {
  listVersionsQuerySchema,
  versionPathSchema,
  versionQuerySchema,
  workflowDetailSchema,
  workflowPlanSchema,
  workflowVersionPageSchema,
} from '@/lib/protocol/api-workflows';
import { workflowDefinitionSchema } from '@/lib/protocol/definition';
import { AppError } from '@/lib/protocol/errors';
import { etagOf, isUnchanged, seenVersion } from '@/server/adapters/http/etag';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import { json } from '@/server/adapters/http/router';
import { jsonOrYaml, yaml } from '@/server/adapters/http/yaml-answer';
import type { StoredDefinition } from '@/server/ports/definition-store';
import { toWorkflowSummary, type WorkflowService } from '@/server/services/workflow-service';

/** A definition in a request. Any JSON is let through: the validator says far better than a schema what is wrong with it. */
const candidateSchema = z.json();

const detailAnswer = {
  200: {
    description: 'The workflow; as YAML, the definition alone.',
    content: { 'application/json': workflowDetailSchema, 'application/yaml': workflowDefinitionSchema },
    headers: ['ETag'],
  },
  304: { description: 'It is the version that If-None-Match names.', headers: ['ETag'] },
} as const;

/** One version in the form that the caller would rather read. */
function show(headers: Headers, stored: StoredDefinition): Response {
  const etag = etagOf(stored);
  const form = jsonOrYaml(headers);
  // Kept by the caller, but asked for again each time.
  const caching = { etag, vary: 'accept', 'cache-control': 'no-cache' };
  if (isUnchanged(headers, stored)) return json(304, null, caching);
  if (form === 'yaml') return yaml(200, stored.definition, caching);
  return json(200, { ...toWorkflowSummary(stored), definition: stored.definition }, caching);
}

function nameOf(candidate: unknown): string | undefined {
  const name = (candidate as { name?: unknown } | null)?.name;
  return typeof name === 'string' ? name : undefined;
}

/** Operations around workflow definitions. */
export function workflowOperations({ workflows }: { workflows: WorkflowService }): Operation[] {
  return [
    operation({
      id: 'listWorkflows',
      tag: 'workflows',
      method: 'GET',
      path: '/api/v1/workflows',
      summary: 'List workflows (latest versions).',
      permission: 'workflows:read',
      answers: answers(200, 'Every workflow, by name.', pageSchema(workflowSummarySchema)),
      errors: [],
      handle: async ({ actor }) => ({
        status: 200,
        body: { items: await workflows.list(actor), nextCursor: null },
      }),
    }),
    operation({
      id: 'publishWorkflow',
      tag: 'workflows',
      method: 'POST',
      path: '/api/v1/workflows',
      summary: 'Publish a workflow definition as a new version.',
      description:
        'The same content as the latest version gives that one back. Versions are never changed or removed. With If-Match (or ' +
        '`If-None-Match: *` for a new name) it is refused when somebody else has published since.',
      permission: 'workflows:write',
      body: candidateSchema,
      contents: [''],
      target: (body) => {
        const name = nameOf(body);
        return name === undefined ? null : { kind: 'workflow', id: name };
      },
      yaml: true,
      headers: ['If-Match', 'If-None-Match'],
      answers: answers(201, 'The version.', workflowSummarySchema, ['Location', 'ETag']),
      errors: ['INVALID_DEFINITION', 'VERSION_CONFLICT', 'WORKFLOW_NOT_FOUND'],
      handle: async ({ actor, body, headers }) => {
        const name = nameOf(body);
        const current = name === undefined ? null : await workflows.find(actor, name);
        const stored = await workflows.publish(actor, body, seenVersion(headers, current));
        const location = `/api/v1/workflows/${encodeURIComponent(stored.name)}`;
        return { status: 201, body: toWorkflowSummary(stored), headers: { location, etag: etagOf(stored) } };
      },
    }),
    operation({
      id: 'validateWorkflow',
      tag: 'workflows',
      method: 'POST',
      path: '/api/v1/workflows/validate',
      summary: 'Check a definition without storing it.',
      permission: 'workflows:read',
      body: candidateSchema,
      contents: [''],
      yaml: true,
      answers: answers(200, 'Every problem, with its place and its fix.', validationResultSchema),
      errors: [],
      handle: async ({ actor, body }) => {
        const { valid, problems } = await workflows.validate(actor, body);
        return { status: 200, body: { valid, problems } };
      },
    }),
    operation({
      id: 'getWorkflow',
      tag: 'workflows',
      method: 'GET',
      path: '/api/v1/workflows/{name}',
      summary: 'Read a workflow and its definition.',
      description:
        'With `Accept: application/yaml` the definition comes as YAML, ready to be edited and sent back.',
      permission: 'workflows:read',
      query: versionQuerySchema,
      headers: ['If-None-Match'],
      answers: detailAnswer,
      errors: ['WORKFLOW_NOT_FOUND', 'NOT_ACCEPTABLE'],
      handle: async ({ actor, params, query, headers }) =>
        show(headers, await workflows.get(actor, text(params, 'name'), query.version)),
    }),
    operation({
      id: 'putWorkflow',
      tag: 'workflows',
      method: 'PUT',
      path: '/api/v1/workflows/{name}',
      summary: 'Publish an edited definition over the version that was read.',
      description:
        'Needs the ETag of the version that was edited in If-Match, or `If-None-Match: *` for a new workflow: two editors never ' +
        'overwrite each other without noticing.',
      permission: 'workflows:write',
      body: candidateSchema,
      contents: [''],
      yaml: true,
      headers: ['If-Match', 'If-None-Match'],
      answers: {
        ...answers(200, 'The version, a new one unless nothing was changed.', workflowSummarySchema, [
          'ETag',
        ]),
        ...answers(201, 'The first version.', workflowSummarySchema, ['Location', 'ETag']),
      },
      errors: ['INVALID_DEFINITION', 'VERSION_CONFLICT', 'PRECONDITION_REQUIRED', 'WORKFLOW_NOT_FOUND'],
      handle: async ({ actor, params, body, headers }) => {
        const name = text(params, 'name');
        if (!headers.has('if-match') && headers.get('if-none-match')?.trim() !== '*') {
          throw new AppError('PRECONDITION_REQUIRED', 'Say which version you have edited.', {
            path: '/headers/if-match',
          });
        }
        const current = await workflows.find(actor, name);
        const stored = await workflows.publish(actor, body, seenVersion(headers, current), name);
        const location = `/api/v1/workflows/${encodeURIComponent(stored.name)}`;
        return {
          status: current === null ? 201 : 200,
          body: toWorkflowSummary(stored),
          headers: { etag: etagOf(stored), ...(current === null ? { location } : {}) },
        };
      },
    }),
    operation({
      id: 'listWorkflowVersions',
      tag: 'workflows',
      method: 'GET',
      path: '/api/v1/workflows/{name}/versions',
      summary: 'List the versions of a workflow, newest first.',
      permission: 'workflows:read',
      query: listVersionsQuerySchema,
      answers: answers(200, 'Versions with the hash of their content.', workflowVersionPageSchema),
      errors: ['WORKFLOW_NOT_FOUND'],
      handle: async ({ actor, params, query }) => {
        const before = query.cursor === undefined ? null : Number(query.cursor);
        const page = await workflows.versions(actor, text(params, 'name'), query.limit, before);
        const items = page.items.map((row) => ({ ...row, etag: etagOf(row) }));
        return { status: 200, body: { items, nextCursor: page.nextCursor } };
      },
    }),
    operation({
      id: 'getWorkflowVersion',
      tag: 'workflows',
      method: 'GET',
      path: '/api/v1/workflows/{name}/versions/{version}',
      summary: 'Read one version with its definition.',
      permission: 'workflows:read',
      params: versionPathSchema,
      headers: ['If-None-Match'],
      answers: detailAnswer,
      errors: ['WORKFLOW_NOT_FOUND', 'NOT_ACCEPTABLE'],
      handle: async ({ actor, params, headers }) =>
        show(headers, await workflows.get(actor, params.name, params.version)),
    }),
    operation({
      id: 'planWorkflow',
      tag: 'workflows',
      method: 'GET',
      path: '/api/v1/workflows/{name}/plan',
      summary: 'See what a run would do, without doing it.',
      description:
        'Servers with their state, the nodes in the order in which a run would come to them, and every warning. Connects to the ' +
        'servers to learn about their tools, but calls none.',
      permission: 'workflows:read',
      query: versionQuerySchema,
      answers: answers(200, 'The plan.', workflowPlanSchema),
      errors: ['WORKFLOW_NOT_FOUND'],
      handle: async ({ actor, params, query }) => ({
        status: 200,
        body: await workflows.plan(actor, text(params, 'name'), query.version),
      }),
    }),
  ];
}
