import { z } from 'zod';
import type * as rows from '@/lib/commands/rows/team';
import type { ArgsOf } from '@/lib/commands/types';
import { memberSchema } from '@/lib/protocol/api-identity';
import {
  createdScimTokenSchema,
  scimTokenListSchema,
  type TeamBody,
  teamListSchema,
  teamSchema,
} from '@/lib/protocol/api-teams';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';

async function teamNamed(api: CliContext['api'], name: string): Promise<TeamBody> {
  const { items } = await api.send('get', '/api/v1/teams', { schema: teamListSchema });
  const found = items.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (found) return found;
  throw badInput('TEAM_NOT_FOUND', `There is no team ${name}.`, { path: 'team' });
}

async function memberWith(api: CliContext['api'], email: string): Promise<string> {
  const schema = z.object({ items: z.array(memberSchema) });
  const { items } = await api.send('get', '/api/v1/members', { schema });
  const found = items.find((one) => one.email.toLowerCase() === email.toLowerCase());
  if (found) return found.userId;
  throw badInput('MEMBER_NOT_FOUND', `Nobody with the address ${email} is a member.`, { path: 'email' });
}

const done = async ({ output }: CliContext, row: { team: string; email?: string }, said: string) => {
  await output.record(
    row,
    () => output.note('ok', '✓', said),
    [row],
    [
      { title: 'TEAM', value: (it) => it.team },
      { title: 'EMAIL', value: (it) => it.email ?? '' },
    ],
  );
  return EXIT.ok;
};

/** `team list` */
export async function listTeams(_args: object, { api, output }: CliContext): Promise<number> {
  const { items } = await api.send('get', '/api/v1/teams', { schema: teamListSchema });
  await output.list(
    items,
    [
      { title: 'TEAM', value: (row) => row.name },
      { title: 'DIRECTORY', value: (row) => (row.fromDirectory ? 'yes' : 'no') },
      { title: 'MEMBERS', value: (row) => row.members.map(({ email }) => email).join(' ') },
      { title: 'ID', value: (row) => row.id },
    ],
    items,
    'No teams.',
  );
  return EXIT.ok;
}

/** `team create` */
export async function createTeam(args: ArgsOf<typeof rows.teamCreate>, cli: CliContext): Promise<number> {
  const made = await cli.api.send('post', '/api/v1/teams', { body: { name: args.team }, schema: teamSchema });
  await cli.output.record(
    made,
    () => cli.output.note('ok', '✓', `Made ${made.name}`),
    [made],
    [
      { title: 'ID', value: (row) => row.id },
      { title: 'TEAM', value: (row) => row.name },
    ],
  );
  return EXIT.ok;
}

/** `team rename` */
export async function renameTeam(args: ArgsOf<typeof rows.teamRename>, cli: CliContext): Promise<number> {
  const { id: teamId } = await teamNamed(cli.api, args.team);
  const body = { name: args.name };
  await cli.api.send('patch', '/api/v1/teams/{teamId}', { path: { teamId }, body, schema: teamSchema });
  return done(cli, { team: args.name }, `${args.team} is ${args.name} now`);
}

/** `team delete` */
export async function deleteTeam(args: ArgsOf<typeof rows.teamDelete>, cli: CliContext): Promise<number> {
  const { id: teamId } = await teamNamed(cli.api, args.team);
  await cli.api.send('delete', '/api/v1/teams/{teamId}', { path: { teamId }, schema: z.unknown() });
  return done(cli, { team: args.team }, `Deleted ${args.team}`);
}

/** `team add` */
export async function addToTeam(args: ArgsOf<typeof rows.teamAdd>, cli: CliContext): Promise<number> {
  const { team, email } = args;
  const path = { teamId: (await teamNamed(cli.api, team)).id, userId: await memberWith(cli.api, email) };
  await cli.api.send('put', '/api/v1/teams/{teamId}/members/{userId}', { path, schema: teamSchema });
  return done(cli, { team, email }, `${email} is in ${team}`);
}

/** `team remove` */
export async function removeFromTeam(args: ArgsOf<typeof rows.teamRemove>, cli: CliContext): Promise<number> {
  const { team, email } = args;
  const path = { teamId: (await teamNamed(cli.api, team)).id, userId: await memberWith(cli.api, email) };
  await cli.api.send('delete', '/api/v1/teams/{teamId}/members/{userId}', { path, schema: z.unknown() });
  return done(cli, { team, email }, `${email} is not in ${team} any more`);
}

/** `scim list` */
export async function listScimTokens(_args: object, { api, output }: CliContext): Promise<number> {
  const { items, url } = await api.send('get', '/api/v1/scim-tokens', { schema: scimTokenListSchema });
  await output.list(
    items,
    [
      { title: 'TOKEN', value: (row) => `${row.start}…` },
      { title: 'NAME', value: (row) => row.name },
      { title: 'MADE BY', value: (row) => row.createdBy ?? '' },
      { title: 'LAST USED', value: (row) => row.lastUsedAt ?? '' },
      { title: 'EXPIRES', value: (row) => row.expiresAt ?? 'never' },
      { title: 'ID', value: (row) => row.id },
    ],
    items,
    `No tokens. Directories are told this address: ${url}`,
  );
  return EXIT.ok;
}

/** `scim token` */
export async function createScimToken(
  args: ArgsOf<typeof rows.scimToken>,
  { api, output }: CliContext,
): Promise<number> {
  const body = { name: args.name, days: args.days };
  const made = await api.send('post', '/api/v1/scim-tokens', { body, schema: createdScimTokenSchema });
  const people = () => {
    output.line(`address: ${made.url}`);
    output.line(`token: ${made.token}`);
  };
  await output.record(
    made,
    people,
    [made],
    [
      { title: 'ID', value: (row) => row.id },
      { title: 'URL', value: (row) => row.url },
      { title: 'TOKEN', value: (row) => row.token },
    ],
  );
  return EXIT.ok;
}

/** `scim remove` */
export async function removeScimToken(
  args: ArgsOf<typeof rows.scimRemove>,
  { api, output }: CliContext,
): Promise<number> {
  const path = { tokenId: args.id };
  await api.send('delete', '/api/v1/scim-tokens/{tokenId}', { path, schema: z.unknown() });
  const row = { id: args.id };
  await output.record(
    row,
    () => output.note('ok', '✓', `Ended ${args.id}`),
    [row],
    [{ title: 'ID', value: (it) => it.id }],
  );
  return EXIT.ok;
}
