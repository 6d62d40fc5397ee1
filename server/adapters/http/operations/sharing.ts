import { AppError, type ErrorCode } from '@/lib/protocol/errors';
import type { ObjectKind, Permission } from '@/lib/protocol/permissions';
import { type SharingView, sharingBodySchema, sharingSchema } from '@/lib/protocol/sharing';
import { numberedEtag, numberMatched } from '@/server/adapters/http/etag';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import type { SharingService } from '@/server/services/sharing-service';

interface Shared {
  kind: ObjectKind;
  tag: 'workflows' | 'views';
  path: string;
  param: string;
  read: Permission;
  share: Permission;
  missing: ErrorCode;
  ids: { get: string; put: string };
}

const WORKFLOW: Shared = {
  kind: 'workflow',
  tag: 'workflows',
  path: '/api/v1/workflows/{name}/sharing',
  param: 'name',
  read: 'workflows:read',
  share: 'workflows:share',
  missing: 'WORKFLOW_NOT_FOUND',
  ids: { get: 'getWorkflowSharing', put: 'putWorkflowSharing' },
};

const VIEW: Shared = {
  kind: 'view',
  tag: 'views',
  path: '/api/v1/views/{viewId}/sharing',
  param: 'viewId',
  read: 'views:read',
  share: 'views:share',
  missing: 'VIEW_NOT_FOUND',
  ids: { get: 'getViewSharing', put: 'putViewSharing' },
};

function answer(sharing: SharingView) {
  return { status: 200, body: sharing, headers: { etag: numberedEtag(sharing.version) } };
}

/** Operations on who reaches one workflow or view. */
export function sharingOperations(sharing: SharingService): Operation[] {
  return [WORKFLOW, VIEW].flatMap(({ kind, tag, path, param, read, share, missing, ids }) => [
    operation({
      id: ids.get,
      tag,
      method: 'GET',
      path,
      summary: `Read who reaches the ${kind}, beside what roles say.`,
      permission: read,
      answers: answers(200, 'Restriction and shares.', sharingSchema, ['ETag']),
      errors: [missing],
      handle: async ({ actor, params }) =>
        answer(await sharing.get(actor, { kind, id: text(params, param) })),
    }),
    operation({
      id: ids.put,
      tag,
      method: 'PUT',
      path,
      summary: `Say who reaches the ${kind}; needs the ETag of what was read in If-Match.`,
      description:
        'Replaces all shares. A share adds what its level grants to what somebody may do with this one object; `restricted` takes ' +
        'away what roles give, from everybody but its creator and administrators. It holds from the next request on. Nobody ' +
        'hands out more than they have themselves.',
      permission: share,
      body: sharingBodySchema,
      headers: ['If-Match'],
      answers: answers(200, 'Restriction and shares.', sharingSchema, ['ETag']),
      errors: [missing, 'VERSION_CONFLICT', 'PRECONDITION_REQUIRED'],
      handle: async ({ actor, params, body, headers }) => {
        const seen = numberMatched(headers);
        if (seen === null) {
          throw new AppError('PRECONDITION_REQUIRED', 'Say which version you have edited.', {
            path: '/headers/if-match',
          });
        }
        return answer(await sharing.replace(actor, { kind, id: text(params, param) }, body, seen));
      },
    }),
  ]);
}
