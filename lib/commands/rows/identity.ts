import { defineCommand } from '@/lib/commands/types';

const ID = { name: 'id', type: 'string', placeholder: 'ID', summary: 'Id of the key.' } as const;

const FILTERS = [
  {
    name: 'action',
    type: 'string',
    placeholder: 'ACTION',
    summary: 'Only actions that begin like this: run. or secret.set.',
  },
  { name: 'object', type: 'string', placeholder: 'NAME', summary: 'Only what was written to this.' },
  { name: 'actor', type: 'string', placeholder: 'ID', summary: 'Only what this person wrote.' },
  { name: 'since', type: 'string', placeholder: 'TIME', summary: 'From this moment on (ISO 8601, UTC).' },
  { name: 'until', type: 'string', placeholder: 'TIME', summary: 'Before this moment (ISO 8601, UTC).' },
] as const;

/** Who one is. */
export const whoami = defineCommand({
  code: 'WHO',
  name: 'whoami',
  keywords: ['me', 'user', 'organisation', 'permissions', 'sign in'],
  summary: 'Show who you are and what you may',
  help: 'Says through which key you act, in which organisation, and lists every permission.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'whoami', does: 'You, as the server sees you.' }],
});

/** Members. */
export const memberList = defineCommand({
  code: 'MEMB',
  name: 'member list',
  aliases: ['member ls'],
  keywords: ['users', 'people', 'team', 'organisation'],
  summary: 'List the members with their roles',
  help: 'Roles and what they allow: role list.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'member list', does: 'Everybody in the organisation.' }],
});

/** Invite somebody. */
export const memberInvite = defineCommand({
  code: 'MINV',
  name: 'member invite',
  keywords: ['add user', 'invitation', 'join'],
  summary: 'Invite somebody into the organisation',
  help: 'Prints the link to send them. It is good once, for seven days.',
  args: [{ name: 'email', type: 'string', placeholder: 'EMAIL', summary: 'Their address.', required: true }],
  flags: [
    { name: 'role', type: 'string', placeholder: 'ROLE', summary: 'Their role; viewer when left out.' },
  ],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'member invite ada@example.com --role operator', does: 'A link for Ada.' }],
});

/** Erase a person's data. */
export const userErase = defineCommand({
  code: 'UERA',
  name: 'user erase',
  aliases: ['member erase'],
  keywords: ['gdpr', 'forget', 'privacy', 'delete account', 'personal data'],
  summary: 'Erase a person’s data',
  help: 'Account, sessions, keys, grants, memberships, private views and invitations are gone for good. Runs and the audit log keep the id, which then stands for nobody. See first with --dry-run.',
  args: [
    {
      name: 'person',
      type: 'string',
      placeholder: 'EMAIL',
      summary: 'Their address, or me for yourself.',
      required: true,
    },
  ],
  flags: [
    { name: 'dry-run', type: 'boolean', summary: 'Only say what would be removed.' },
    { name: 'with-runs', type: 'boolean', summary: 'Delete the closed runs that they started, too.' },
  ],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [
    { line: 'user erase ada@example.com --dry-run', does: 'What is known of Ada, with counts.' },
    { line: 'user erase ada@example.com --with-runs --yes', does: 'Ada’s data and closed runs are gone.' },
  ],
});

/** Roles. */
export const roleList = defineCommand({
  code: 'ROLE',
  name: 'role list',
  aliases: ['role ls'],
  keywords: ['permissions', 'rights', 'access'],
  summary: 'List the roles and what they allow',
  help: 'The four built-in roles and those of the organisation.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'role list', does: 'Every role.' }],
});

/** API keys. */
export const keyList = defineCommand({
  code: 'KEYS',
  name: 'key list',
  aliases: ['key ls'],
  keywords: ['api keys', 'tokens', 'credentials', 'usage'],
  summary: 'List API keys and their use',
  help: 'Your own; whoever manages users sees everybody’s. The keys themselves are never shown again.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'key list', does: 'The keys, with the last use of each.' }],
});

/** Make an API key. */
export const keyCreate = defineCommand({
  code: 'KEYC',
  name: 'key create',
  keywords: ['api key', 'token', 'new'],
  summary: 'Make an API key',
  help: 'It is printed this once. Without --scope it may all that you may.',
  args: [{ name: 'name', type: 'string', placeholder: 'NAME', summary: 'What it is for.', required: true }],
  flags: [
    { name: 'scope', type: 'list', placeholder: 'PERMISSION', summary: 'What it is limited to.' },
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
  role: 'viewer',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    {
      line: 'key create ci --scope workflows:execute --days 90',
      does: 'A key that starts runs, for 90 days.',
    },
  ],
});

/** End an API key. */
export const keyRemove = defineCommand({
  code: 'KEYD',
  name: 'key remove',
  aliases: ['key delete', 'key rm', 'key revoke'],
  keywords: ['api key', 'revoke', 'token'],
  summary: 'End an API key at once',
  help: 'Whoever uses it is refused from the next request on.',
  args: [{ ...ID, required: true }],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  confirm: 'End this key?',
  output: 'record',
  examples: [{ line: 'key remove 0f8c', does: 'The key with this id is gone.' }],
});

/** Search the audit log. */
export const auditList = defineCommand({
  code: 'AUD',
  name: 'audit list',
  aliases: ['audit ls', 'audit search'],
  keywords: ['who', 'history', 'changes', 'compliance', 'log'],
  summary: 'Search the audit log, newest first',
  help: 'Every write by a person, key or agent: who, what, when, from where.',
  args: [],
  flags: [
    ...FILTERS,
    {
      name: 'limit',
      type: 'integer',
      min: 1,
      max: 200,
      placeholder: 'N',
      summary: 'Most entries; 50 when left out.',
    },
  ],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'audit list --action secret.', does: 'Everything that was done to secrets.' }],
});

/** Verify the chain of the audit log. */
export const auditVerify = defineCommand({
  code: 'AUDV',
  name: 'audit verify',
  keywords: ['hash chain', 'tamper', 'proof', 'compliance'],
  summary: 'Check that nothing in the audit log was changed',
  help: 'Walks the whole hash chain. A broken one is named by its first wrong entry, and the exit code is 1.',
  args: [],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'audit verify', does: 'The verdict, and the hash of the end of the chain.' }],
});

/** Export the audit log. */
export const auditExport = defineCommand({
  code: 'AUDX',
  name: 'audit export',
  keywords: ['csv', 'jsonl', 'download', 'compliance'],
  summary: 'Print the whole audit log as CSV or JSON lines',
  help: 'Newest first, to standard output.',
  args: [],
  flags: [
    ...FILTERS,
    {
      name: 'format',
      type: 'enum',
      values: ['csv', 'jsonl'],
      placeholder: 'FORMAT',
      summary: 'jsonl when left out.',
    },
  ],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'text',
  examples: [{ line: 'audit export --format csv', does: 'The log for a spreadsheet.' }],
});

/** Quotas. */
export const quotaShow = defineCommand({
  code: 'QUOT',
  name: 'quota show',
  keywords: ['limits', 'usage', 'storage'],
  summary: 'Show what the organisation may use, and uses',
  help: 'Runs, servers and storage.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'quota show', does: 'Limits and use.' }],
});
