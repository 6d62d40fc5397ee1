import { z } from 'zod';
import { teamListSchema, teamNameBodySchema, teamSchema } from '@/lib/protocol/api-teams';
import { AppError } from '@/lib/protocol/errors';
import { isUuid } from '@/lib/shared/ids';
import { answers, type Operation, operation, text } from '@/server/adapters/http/operation';
import type { TeamService } from '@/server/services/team-service';

const tag = 'identity';
const NOTHING = { 204: { description: 'Done.' } };
const onePath = z.object({ teamId: z.string() });
const memberPath = z.object({ teamId: z.string(), userId: z.string() });

/** The id of a user in the address. Throws MEMBER_NOT_FOUND for what cannot be one. */
function userIdOf(params: Record<string, string>): string {
  const userId = text(params, 'userId');
  if (isUuid(userId)) return userId;
  throw new AppError('MEMBER_NOT_FOUND', 'Nobody with this id is a member.');
}

/** Operations around the teams of the organisation. */
export function teamOperations(teams: TeamService): Operation[] {
  return [
    operation({
      id: 'listTeams',
      tag,
      method: 'GET',
      path: '/api/v1/teams',
      summary: 'List the teams with their members.',
      permission: 'users:read',
      answers: answers(200, 'Every team, by name.', teamListSchema),
      errors: [],
      handle: async ({ actor }) => ({ status: 200, body: { items: await teams.list(actor) } }),
    }),
    operation({
      id: 'createTeam',
      tag,
      method: 'POST',
      path: '/api/v1/teams',
      summary: 'Make a team.',
      permission: 'users:manage',
      body: teamNameBodySchema,
      answers: answers(201, 'The team, nobody in it yet.', teamSchema),
      errors: ['TEAM_EXISTS'],
      handle: async ({ actor, body }) => ({ status: 201, body: await teams.create(actor, body.name) }),
    }),
    operation({
      id: 'renameTeam',
      tag,
      method: 'PATCH',
      path: '/api/v1/teams/{teamId}',
      summary: 'Rename a team.',
      permission: 'users:manage',
      params: onePath,
      body: teamNameBodySchema,
      answers: answers(200, 'The team.', teamSchema),
      errors: ['TEAM_NOT_FOUND', 'TEAM_EXISTS', 'TEAM_FROM_DIRECTORY'],
      handle: async ({ actor, params, body }) => ({
        status: 200,
        body: await teams.rename(actor, params.teamId, body.name),
      }),
    }),
    operation({
      id: 'removeTeam',
      tag,
      method: 'DELETE',
      path: '/api/v1/teams/{teamId}',
      summary: 'Delete a team; its members stay in the organisation.',
      permission: 'users:manage',
      params: onePath,
      answers: NOTHING,
      errors: ['TEAM_NOT_FOUND', 'TEAM_FROM_DIRECTORY'],
      handle: async ({ actor, params }) => {
        await teams.remove(actor, params.teamId);
        return { status: 204, body: null };
      },
    }),
    operation({
      id: 'addTeamMember',
      tag,
      method: 'PUT',
      path: '/api/v1/teams/{teamId}/members/{userId}',
      summary: 'Put a member of the organisation into a team.',
      permission: 'users:manage',
      params: memberPath,
      answers: answers(200, 'The team.', teamSchema),
      errors: ['TEAM_NOT_FOUND', 'MEMBER_NOT_FOUND', 'TEAM_FROM_DIRECTORY'],
      handle: async ({ actor, params }) => ({
        status: 200,
        body: await teams.addMember(actor, params.teamId, userIdOf(params)),
      }),
    }),
    operation({
      id: 'removeTeamMember',
      tag,
      method: 'DELETE',
      path: '/api/v1/teams/{teamId}/members/{userId}',
      summary: 'Take somebody out of a team.',
      permission: 'users:manage',
      params: memberPath,
      answers: NOTHING,
      errors: ['TEAM_NOT_FOUND', 'MEMBER_NOT_FOUND', 'TEAM_FROM_DIRECTORY'],
      handle: async ({ actor, params }) => {
        await teams.removeMember(actor, params.teamId, userIdOf(params));
        return { status: 204, body: null };
      },
    }),
  ];
}
