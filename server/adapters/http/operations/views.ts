import { AppError } from '@/lib/protocol/errors';
import {
  listViewsQuerySchema,
  type SavedView,
  savedViewSchema,
  viewBodySchema,
  viewPageSchema,
} from '@/lib/protocol/views';
import { numberedEtag, numberMatched } from '@/server/adapters/http/etag';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import type { ViewService } from '@/server/services/view-service';

const BASE = '/api/v1/views';
const tag = 'views';
const ID = 'viewId';

function answer(status: number, view: SavedView, headers: Record<string, string> = {}) {
  return { status, body: view, headers: { etag: numberedEtag(view.version), ...headers } };
}

/** Operations on saved views of the list of runs. */
export function viewOperations(views: ViewService): Operation[] {
  return [
    operation({
      id: 'listViews',
      tag,
      method: 'GET',
      path: BASE,
      summary: 'List saved views: your own and the shared ones, by name.',
      permission: 'views:read',
      query: listViewsQuerySchema,
      answers: answers(200, 'The views.', viewPageSchema),
      errors: [],
      handle: async ({ actor, query }) => ({
        status: 200,
        body: { items: await views.list(actor, query.name), nextCursor: null },
      }),
    }),
    operation({
      id: 'createView',
      tag,
      method: 'POST',
      path: BASE,
      summary: 'Save a view.',
      description: 'Give its name to `GET /api/v1/runs` as `view`. Private unless `shared`.',
      permission: 'views:write',
      body: viewBodySchema,
      answers: answers(201, 'The view.', savedViewSchema, ['Location', 'ETag']),
      errors: ['VIEW_EXISTS'],
      handle: async ({ actor, body }) => {
        const view = await views.create(actor, body);
        return answer(201, view, { location: `${BASE}/${view.viewId}` });
      },
    }),
    operation({
      id: 'getView',
      tag,
      method: 'GET',
      path: `${BASE}/{viewId}`,
      summary: 'Read a saved view.',
      permission: 'views:read',
      answers: answers(200, 'The view.', savedViewSchema, ['ETag']),
      errors: ['VIEW_NOT_FOUND'],
      handle: async ({ actor, params }) => answer(200, await views.get(actor, text(params, ID))),
    }),
    operation({
      id: 'replaceView',
      tag,
      method: 'PUT',
      path: `${BASE}/{viewId}`,
      summary: 'Replace a saved view; needs the ETag of the version that was read in If-Match.',
      permission: 'views:write',
      body: viewBodySchema,
      headers: ['If-Match'],
      answers: answers(200, 'The view.', savedViewSchema, ['ETag']),
      errors: ['VIEW_NOT_FOUND', 'VIEW_EXISTS', 'VERSION_CONFLICT', 'PRECONDITION_REQUIRED'],
      handle: async ({ actor, params, body, headers }) => {
        const seen = numberMatched(headers);
        if (seen === null) {
          throw new AppError('PRECONDITION_REQUIRED', 'Say which version you have edited.', {
            path: '/headers/if-match',
          });
        }
        return answer(200, await views.replace(actor, text(params, ID), seen, body));
      },
    }),
    operation({
      id: 'deleteView',
      tag,
      method: 'DELETE',
      path: `${BASE}/{viewId}`,
      summary: 'Remove a saved view; with If-Match only that version of it.',
      permission: 'views:write',
      headers: ['If-Match'],
      answers: { 204: { description: 'It is gone.' } },
      errors: ['VIEW_NOT_FOUND', 'VERSION_CONFLICT'],
      handle: async ({ actor, params, headers }) => {
        await views.remove(actor, text(params, ID), numberMatched(headers));
        return { status: 204, body: null };
      },
    }),
  ];
}
