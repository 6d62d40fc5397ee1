import { defineCommand } from '@/lib/commands/types';

const TEAM = { name: 'team', type: 'string', placeholder: 'TEAM', summary: 'Name of the team.' } as const;
const EMAIL = {
  name: 'email',
  type: 'string',
  placeholder: 'EMAIL',
  summary: 'Address of a member.',
} as const;

/** Teams. */
export const teamList = defineCommand({
  code: 'TEAM',
  name: 'team list',
  aliases: ['team ls'],
  keywords: ['groups', 'people', 'members'],
  summary: 'List the teams and who is in them',
  help: 'Teams marked as of the directory come over SCIM and are changed there.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'team list', does: 'Every team of the organisation.' }],
});

/** Make a team. */
export const teamCreate = defineCommand({
  code: 'TMNW',
  name: 'team create',
  keywords: ['group', 'new', 'people'],
  summary: 'Make a team',
  help: 'Nobody is in it yet: team add. A team gives no rights by itself.',
  args: [{ ...TEAM, required: true }],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'team create Payments', does: 'The team Payments.' }],
});

/** Rename a team. */
export const teamRename = defineCommand({
  code: 'TMRN',
  name: 'team rename',
  keywords: ['group', 'name', 'change'],
  summary: 'Rename a team',
  help: 'What names the team keeps naming it.',
  args: [
    { ...TEAM, required: true },
    { name: 'name', type: 'string', placeholder: 'NAME', summary: 'The new name.', required: true },
  ],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'team rename Payments Billing', does: 'The team is Billing from now on.' }],
});

/** Delete a team. */
export const teamDelete = defineCommand({
  code: 'TMDL',
  name: 'team delete',
  aliases: ['team rm'],
  keywords: ['group', 'remove', 'end'],
  summary: 'Delete a team',
  help: 'Its members stay in the organisation.',
  args: [{ ...TEAM, required: true }],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  confirm: 'Delete this team?',
  output: 'record',
  examples: [{ line: 'team rm Payments', does: 'The team is gone.' }],
});

/** Put a member into a team. */
export const teamAdd = defineCommand({
  code: 'TMIN',
  name: 'team add',
  keywords: ['group', 'member', 'join'],
  summary: 'Put a member into a team',
  help: 'Only members of the organisation: member invite comes first.',
  args: [
    { ...TEAM, required: true },
    { ...EMAIL, required: true },
  ],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'team add Payments ada@example.com', does: 'Ada is in Payments.' }],
});

/** Take a member out of a team. */
export const teamRemove = defineCommand({
  code: 'TMOU',
  name: 'team remove',
  keywords: ['group', 'member', 'leave'],
  summary: 'Take somebody out of a team',
  help: 'They stay in the organisation. The team itself: team delete.',
  args: [
    { ...TEAM, required: true },
    { ...EMAIL, required: true },
  ],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'team remove Payments ada@example.com', does: 'Ada is not in Payments any more.' }],
});

/** Tokens for directories. */
export const scimList = defineCommand({
  code: 'SCIM',
  name: 'scim list',
  aliases: ['scim ls'],
  keywords: ['directory', 'provisioning', 'okta', 'entra', 'tokens'],
  summary: 'List the tokens with which directories keep users here',
  help: 'The tokens themselves are never shown again.',
  args: [],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'scim list', does: 'The tokens, with the last use of each.' }],
});

/** Make a token for a directory. */
export const scimToken = defineCommand({
  code: 'SCTK',
  name: 'scim token',
  keywords: ['directory', 'provisioning', 'okta', 'entra', 'new'],
  summary: 'Make a token for a directory (SCIM 2.0)',
  help: 'It is printed this once, together with the address that the directory asks for. How to connect one: docs/security.md.',
  args: [{ name: 'name', type: 'string', placeholder: 'NAME', summary: 'What it is for.', required: true }],
  flags: [
    {
      name: 'days',
      type: 'integer',
      min: 1,
      max: 3650,
      placeholder: 'DAYS',
      summary: 'It runs out after this.',
    },
  ],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'scim token Okta --days 365', does: 'A token for Okta, good for a year.' }],
});

/** End a token of a directory. */
export const scimRemove = defineCommand({
  code: 'SCRM',
  name: 'scim remove',
  aliases: ['scim rm', 'scim delete', 'scim revoke'],
  keywords: ['directory', 'revoke', 'token'],
  summary: 'End a token of a directory at once',
  help: 'Whom it brought in stays a member; nobody keeps them up to date any more.',
  args: [{ name: 'id', type: 'string', placeholder: 'ID', summary: 'Id of the token.', required: true }],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  confirm: 'End this token?',
  output: 'record',
  examples: [{ line: 'scim remove 0f8c', does: 'The token with this id is gone.' }],
});
