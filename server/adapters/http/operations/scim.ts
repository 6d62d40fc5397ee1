import { z } from 'zod';
import {
  createdScimTokenSchema,
  createScimTokenBodySchema,
  scimTokenListSchema,
} from '@/lib/protocol/api-teams';
import { answers, type Operation, operation } from '@/server/adapters/http/operation';
import type { ScimService } from '@/server/services/scim-service';

const tag = 'identity';

/** Operations around the tokens of directories. What directories themselves ask is SCIM 2.0, below /api/auth/scim/v2. */
export function scimOperations(scim: ScimService): Operation[] {
  return [
    operation({
      id: 'listScimTokens',
      tag,
      method: 'GET',
      path: '/api/v1/scim-tokens',
      summary: 'List the tokens with which directories keep users (SCIM 2.0), and the address they use.',
      permission: 'users:manage',
      answers: answers(200, 'The tokens, without themselves, newest first.', scimTokenListSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: await scim.list(actor) }),
    }),
    operation({
      id: 'createScimToken',
      tag,
      method: 'POST',
      path: '/api/v1/scim-tokens',
      summary: 'Make a token for a directory. It is shown this once.',
      description: 'The directory ends no membership that its maker could not have ended at that time.',
      permission: 'users:manage',
      body: createScimTokenBodySchema,
      answers: answers(201, 'The token. Only its hash is kept.', createdScimTokenSchema),
      errors: [],
      handle: async ({ actor, body }) => ({ status: 201, body: await scim.create(actor, body) }),
    }),
    operation({
      id: 'removeScimToken',
      tag,
      method: 'DELETE',
      path: '/api/v1/scim-tokens/{tokenId}',
      summary: 'End a token of a directory at once; whom it brought in stays.',
      permission: 'users:manage',
      params: z.object({ tokenId: z.string() }),
      answers: { 204: { description: 'Done.' } },
      errors: ['SCIM_TOKEN_NOT_FOUND'],
      handle: async ({ actor, params }) => {
        await scim.remove(actor, params.tokenId);
        return { status: 204, body: null };
      },
    }),
  ];
}
