import { z } from 'zod';
import { pageSchema } from '@/lib/protocol/api';
import { secretInfoSchema, secretNameSchema, setSecretBodySchema } from '@/lib/protocol/api-servers';
import { answers, type Operation, operation } from '@/server/adapters/http/operation';
import type { SecretService } from '@/server/services/secret-service';

const PATH = '/api/v1/me/secrets';
const tag = 'servers';
const params = z.object({ name: secretNameSchema });

/** Operations on secrets of one's own. */
export function personalSecretOperations(secrets: SecretService): Operation[] {
  return [
    operation({
      id: 'listMySecrets',
      tag,
      method: 'GET',
      path: PATH,
      summary: 'List the names of one’s own secrets; their values are never shown.',
      permission: 'workflows:execute',
      answers: answers(200, 'Every secret of one’s own.', pageSchema(secretInfoSchema)),
      errors: [],
      handle: async ({ actor }) => ({
        status: 200,
        body: { items: await secrets.listMine(actor), nextCursor: null },
      }),
    }),
    operation({
      id: 'setMySecret',
      tag,
      method: 'PUT',
      path: `${PATH}/{name}`,
      summary: 'Set a secret of one’s own.',
      description:
        'Servers with `credentials: user` get it for `${secret:NAME}` in runs that one starts, in place of the organisation’s.',
      permission: 'workflows:execute',
      params,
      body: setSecretBodySchema,
      answers: { 204: { description: 'It is kept, sealed.' } },
      errors: [],
      handle: async ({ actor, params: { name }, body }) => {
        await secrets.setMine(actor, name, body.value);
        return { status: 204, body: null };
      },
    }),
    operation({
      id: 'deleteMySecret',
      tag,
      method: 'DELETE',
      path: `${PATH}/{name}`,
      summary: 'Remove a secret of one’s own; the next call does without it.',
      permission: 'workflows:execute',
      params,
      answers: { 204: { description: 'It is gone.' } },
      errors: ['SECRET_NOT_FOUND'],
      handle: async ({ actor, params: { name } }) => {
        await secrets.removeMine(actor, name);
        return { status: 204, body: null };
      },
    }),
  ];
}
