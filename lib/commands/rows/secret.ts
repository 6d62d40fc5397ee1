import { defineCommand } from '@/lib/commands/types';

const PERSONAL = {
  name: 'personal',
  type: 'boolean',
  summary: 'One’s own, for servers whose configuration says `credentials: user`.',
} as const;

const SECRET = {
  name: 'secret',
  type: 'string',
  placeholder: 'NAME',
  summary: 'Name of the secret.',
} as const;

/** Names of secrets. */
export const secretList = defineCommand({
  code: 'SECL',
  name: 'secret list',
  aliases: ['secret ls'],
  keywords: ['credentials', 'tokens', 'keys', 'passwords'],
  summary: 'List the names of secrets',
  help: 'Their values are never shown, to nobody. With --personal those of one’s own, which an operator may have, too.',
  args: [],
  flags: [PERSONAL],
  objects: [],
  role: 'admin',
  surfaces: ['cli', 'bar'],
  output: 'table',
  examples: [
    { line: 'secret list', does: 'Every secret.' },
    { line: 'secret list --personal', does: 'What one has set for oneself.' },
  ],
});

/** Set a secret. */
export const secretSet = defineCommand({
  code: 'SECS',
  name: 'secret set',
  keywords: ['credentials', 'token', 'key', 'password', 'store'],
  summary: 'Set a secret',
  help:
    'Configurations of servers refer to it as ${secret:NAME}. The value is read from standard input, so that it is not ' +
    'kept in the history of the shell; one line break at its end is left out. With --personal it is one’s own: servers ' +
    'with `credentials: user` get it in runs that one starts, in place of the organisation’s.',
  args: [SECRET],
  flags: [
    {
      name: 'file',
      type: 'string',
      placeholder: 'FILE',
      object: 'file',
      summary: 'Read the value from a file.',
    },
    PERSONAL,
  ],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    { line: 'secret set WEATHER_KEY --file key.txt', does: 'Take the value from a file.' },
    { line: 'secret set WEATHER_KEY', does: 'Take it from standard input.' },
    { line: 'secret set GITHUB_TOKEN --personal --file token.txt', does: 'Set a token of one’s own.' },
  ],
});

/** Remove a secret. */
export const secretRemove = defineCommand({
  code: 'SECD',
  name: 'secret remove',
  aliases: ['secret delete', 'secret rm'],
  keywords: ['credentials', 'forget', 'revoke'],
  summary: 'Remove a secret',
  help: 'Servers that refer to it cannot be connected from then on.',
  args: [SECRET],
  flags: [PERSONAL],
  objects: [],
  role: 'admin',
  surfaces: ['cli', 'bar'],
  confirm: 'Remove this secret? It cannot be read back.',
  output: 'record',
  examples: [{ line: 'secret remove WEATHER_KEY --yes', does: 'Remove it without being asked.' }],
});

/** Change the master key. */
export const secretRotateKey = defineCommand({
  code: 'SECK',
  name: 'secret rotate-key',
  keywords: ['master', 'key', 'rotation', 'envelope', 'encryption'],
  summary: 'Bring everything sealed to a new master key',
  help:
    'Work goes on meanwhile, people stay signed in, and a process that dies in the middle loses nothing: another one, or ' +
    'the next start, goes on. With the key in the data folder a new one is made there. With OPENCONDUCTOR_SECRET_KEY put ' +
    'the new key there and the old one into OPENCONDUCTOR_SECRET_KEY_PREVIOUS, restart the processes one after another, ' +
    'then give this command; when it has ended, the old one can go. Backups made before need the key of their time: keep ' +
    'it with them. For owners of the first organisation.',
  args: [],
  flags: [
    { name: 'status', type: 'boolean', summary: 'Only say how it stands.' },
    { name: 'detach', type: 'boolean', summary: 'Do not wait for the end.' },
  ],
  objects: [],
  role: 'owner',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    { line: 'secret rotate-key --yes', does: 'Change the key and wait.' },
    { line: 'secret rotate-key --status', does: 'Which key is in use, and how far a rotation is.' },
  ],
});
