import { z } from 'zod';
import {
  apiKeyListSchema,
  createdKeySchema,
  createKeyBodySchema,
  invitationListSchema,
  invitationSchema,
  inviteBodySchema,
  memberListSchema,
  memberSchema,
  meSchema,
  organizationSchema,
  ownRolePathSchema,
  putRoleBodySchema,
  renameBodySchema,
  roleListSchema,
  roleSchema,
  setRoleBodySchema,
} from '@/lib/protocol/api-identity';
import { AppError } from '@/lib/protocol/errors';
import { isUuid } from '@/lib/shared/ids';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import type { KeyService } from '@/server/services/key-service';
import type { MemberService } from '@/server/services/member-service';

const tag = 'identity';
const NOTHING = { 204: { description: 'Done.' } };

/** The id of a member in the address. Throws MEMBER_NOT_FOUND for what cannot be one. */
function userIdOf(params: Record<string, string>): string {
  const userId = text(params, 'userId');
  if (isUuid(userId)) return userId;
  throw new AppError('MEMBER_NOT_FOUND', 'Nobody with this id is a member.');
}

/** Who one is, and the organisation one works in. */
function ownOperations(members: MemberService): Operation[] {
  return [
    operation({
      id: 'getMe',
      tag,
      method: 'GET',
      path: '/api/v1/me',
      summary: 'Read who you are, in which organisation, and what you may.',
      permission: 'about:read',
      answers: answers(200, 'You.', meSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: await members.me(actor) }),
    }),
    operation({
      id: 'getOrganization',
      tag,
      method: 'GET',
      path: '/api/v1/organization',
      summary: 'Read the organisation.',
      permission: 'organization:read',
      answers: answers(200, 'The organisation.', organizationSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: await members.organization(actor) }),
    }),
    operation({
      id: 'renameOrganization',
      tag,
      method: 'PATCH',
      path: '/api/v1/organization',
      summary: 'Rename the organisation.',
      permission: 'organization:manage',
      body: renameBodySchema,
      answers: answers(200, 'The organisation.', organizationSchema),
      errors: [],
      handle: async ({ actor, body }) => ({ status: 200, body: await members.rename(actor, body.name) }),
    }),
  ];
}

function memberOperations(members: MemberService): Operation[] {
  return [
    operation({
      id: 'listMembers',
      tag,
      method: 'GET',
      path: '/api/v1/members',
      summary: 'List the members with their roles.',
      permission: 'users:read',
      answers: answers(200, 'Every member.', memberListSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: { items: await members.members(actor) } }),
    }),
    operation({
      id: 'setMemberRole',
      tag,
      method: 'PATCH',
      path: '/api/v1/members/{userId}',
      summary: 'Give a member another role.',
      description: 'Never one with more than the caller has.',
      permission: 'users:manage',
      body: setRoleBodySchema,
      answers: answers(200, 'The member.', memberSchema),
      errors: ['MEMBER_NOT_FOUND', 'ROLE_NOT_FOUND', 'LAST_OWNER'],
      handle: async ({ actor, params, body }) => ({
        status: 200,
        body: await members.setRole(actor, userIdOf(params), body.role),
      }),
    }),
    operation({
      id: 'removeMember',
      tag,
      method: 'DELETE',
      path: '/api/v1/members/{userId}',
      summary: 'Remove a member; their keys for this organisation end too.',
      permission: 'users:manage',
      answers: NOTHING,
      errors: ['MEMBER_NOT_FOUND', 'LAST_OWNER'],
      handle: async ({ actor, params }) => {
        await members.remove(actor, userIdOf(params));
        return { status: 204, body: null };
      },
    }),
    operation({
      id: 'listInvitations',
      tag,
      method: 'GET',
      path: '/api/v1/invitations',
      summary: 'List invitations, newest first.',
      permission: 'users:manage',
      answers: answers(200, 'The newest 500.', invitationListSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: { items: await members.invitations(actor) } }),
    }),
    operation({
      id: 'inviteMember',
      tag,
      method: 'POST',
      path: '/api/v1/invitations',
      summary: 'Invite somebody: gives the link to send them.',
      permission: 'users:manage',
      body: inviteBodySchema,
      answers: answers(201, 'The invitation with its link.', invitationSchema),
      errors: ['ROLE_NOT_FOUND'],
      handle: async ({ actor, body }) => ({ status: 201, body: await members.invite(actor, body) }),
    }),
    operation({
      id: 'withdrawInvitation',
      tag,
      method: 'DELETE',
      path: '/api/v1/invitations/{invitationId}',
      summary: 'Withdraw an invitation.',
      permission: 'users:manage',
      answers: NOTHING,
      errors: ['INVITATION_NOT_FOUND'],
      handle: async ({ actor, params }) => {
        await members.withdraw(actor, text(params, 'invitationId'));
        return { status: 204, body: null };
      },
    }),
  ];
}

function roleOperations(members: MemberService): Operation[] {
  return [
    operation({
      id: 'listRoles',
      tag,
      method: 'GET',
      path: '/api/v1/roles',
      summary: 'List the roles and every permission.',
      permission: 'users:read',
      answers: answers(200, 'Built-in roles, then those of the organisation.', roleListSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: await members.roles(actor) }),
    }),
    operation({
      id: 'putRole',
      tag,
      method: 'PUT',
      path: '/api/v1/roles/{name}',
      summary: 'Make or change a role of the organisation’s own.',
      description: 'What a permission is of no use without is added to the list.',
      permission: 'users:manage',
      params: ownRolePathSchema,
      body: putRoleBodySchema,
      answers: answers(200, 'The role.', roleSchema),
      errors: [],
      handle: async ({ actor, params, body }) => ({
        status: 200,
        body: await members.putRole(actor, params.name, body),
      }),
    }),
    operation({
      id: 'removeRole',
      tag,
      method: 'DELETE',
      path: '/api/v1/roles/{name}',
      summary: 'Remove a role that nobody has.',
      permission: 'users:manage',
      params: ownRolePathSchema,
      answers: NOTHING,
      errors: ['ROLE_NOT_FOUND', 'ROLE_IN_USE'],
      handle: async ({ actor, params }) => {
        await members.removeRole(actor, params.name);
        return { status: 204, body: null };
      },
    }),
  ];
}

function keyOperations(keys: KeyService): Operation[] {
  return [
    operation({
      id: 'listApiKeys',
      tag,
      method: 'GET',
      path: '/api/v1/api-keys',
      summary: 'List your API keys and their use; with users:manage, everybody’s.',
      permission: 'keys:write',
      answers: answers(200, 'The keys, without themselves.', apiKeyListSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: { items: await keys.list(actor) } }),
    }),
    operation({
      id: 'createApiKey',
      tag,
      method: 'POST',
      path: '/api/v1/api-keys',
      summary: 'Make an API key. It is shown this once.',
      permission: 'keys:write',
      body: createKeyBodySchema,
      answers: answers(201, 'The key. Only its hash is kept.', createdKeySchema),
      errors: [],
      handle: async ({ actor, body }) => ({ status: 201, body: await keys.create(actor, body) }),
    }),
    operation({
      id: 'removeApiKey',
      tag,
      method: 'DELETE',
      path: '/api/v1/api-keys/{keyId}',
      summary: 'End an API key at once.',
      permission: 'keys:write',
      params: z.object({ keyId: z.string() }),
      answers: NOTHING,
      errors: ['KEY_NOT_FOUND'],
      handle: async ({ actor, params }) => {
        await keys.remove(actor, params.keyId);
        return { status: 204, body: null };
      },
    }),
  ];
}

/** Operations around people: who one is, members, invitations, roles and API keys. */
export function identityOperations(members: MemberService, keys: KeyService): Operation[] {
  return [
    ...ownOperations(members),
    ...memberOperations(members),
    ...roleOperations(members),
    ...keyOperations(keys),
  ];
}
