import { defineCommand } from '@/lib/commands/types';

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
  help: 'Their values are never shown, to nobody.',
  args: [],
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli', 'bar'],
  output: 'table',
  examples: [{ line: 'secret list', does: 'Every secret.' }],
});

/** Set a secret. */
export const secretSet = defineCommand({
  code: 'SECS',
  name: 'secret set',
  keywords: ['credentials', 'token', 'key', 'password', 'store'],
  summary: 'Set a secret',
  help:
    'Configurations of servers refer to it as ${secret:NAME}. The value is read from standard input, so that it is not ' +
    'kept in the history of the shell; one line break at its end is left out.',
  args: [SECRET],
  flags: [
    {
      name: 'file',
      type: 'string',
      placeholder: 'FILE',
      object: 'file',
      summary: 'Read the value from a file.',
    },
  ],
  objects: [],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    { line: 'secret set WEATHER_KEY --file key.txt', does: 'Take the value from a file.' },
    { line: 'secret set WEATHER_KEY', does: 'Take it from standard input.' },
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
  flags: [],
  objects: [],
  role: 'admin',
  surfaces: ['cli', 'bar'],
  confirm: 'Remove this secret? It cannot be read back.',
  output: 'record',
  examples: [{ line: 'secret remove WEATHER_KEY --yes', does: 'Remove it without being asked.' }],
});
