import { defineCommand } from '@/lib/commands/types';

const NAME = { name: 'name', type: 'string', summary: 'Name of the profile.', object: 'profile' } as const;
const HERE = { objects: [], role: 'viewer', surfaces: ['cli'] } as const;

/** Remember an instance. */
export const profileAdd = defineCommand({
  code: 'PADD',
  name: 'profile add',
  aliases: ['profile set'],
  keywords: ['remote', 'instance', 'login', 'key', 'connect', 'context'],
  summary: 'Remember an instance and its API key',
  help:
    'Kept in openconductor/profiles.json of your configuration folder, readable by you alone. The key is read from standard input, so ' +
    'that it stands in no history of the shell, and is never printed. The name given again replaces the profile. The address is the ' +
    'global flag --url.',
  args: [NAME],
  flags: [{ name: 'api-key-stdin', type: 'boolean', summary: 'Read the API key from standard input.' }],
  ...HERE,
  output: 'record',
  examples: [
    {
      line: 'profile add production --url https://conductor.example --api-key-stdin',
      does: 'Asks for the key, or takes it from a pipe.',
    },
  ],
});

/** Known instances. */
export const profileList = defineCommand({
  code: 'PROF',
  name: 'profile list',
  aliases: ['profile ls'],
  keywords: ['remote', 'instances', 'contexts'],
  summary: 'List profiles of instances',
  help: 'The one in use is marked. Of a key only whether there is one is told.',
  args: [],
  flags: [],
  ...HERE,
  output: 'table',
  examples: [{ line: 'profile list', does: 'Every profile.' }],
});

/** One profile. */
export const profileShow = defineCommand({
  code: 'PSHW',
  name: 'profile show',
  keywords: ['remote', 'instance', 'address', 'which'],
  summary: 'Show a profile',
  help: 'Without a name, the one in use.',
  args: [{ ...NAME, required: false }],
  flags: [],
  ...HERE,
  output: 'record',
  examples: [{ line: 'profile show production', does: 'Its address.' }],
});

/** Use a profile from now on. */
export const profileUse = defineCommand({
  code: 'PUSE',
  name: 'profile use',
  aliases: ['profile switch'],
  keywords: ['remote', 'instance', 'select', 'default', 'context'],
  summary: 'Use a profile from now on',
  help: 'Every command then talks to that instance, unless it says otherwise. Without a name, none is used: the instance here is.',
  args: [{ ...NAME, required: false }],
  flags: [],
  ...HERE,
  output: 'record',
  examples: [
    { line: 'profile use production', does: 'Talk to it from now on.' },
    { line: 'profile use', does: 'Back to the instance on this machine.' },
  ],
});

/** Forget a profile. */
export const profileRemove = defineCommand({
  code: 'PDEL',
  name: 'profile remove',
  aliases: ['profile delete', 'profile rm'],
  keywords: ['remote', 'instance', 'forget', 'logout'],
  summary: 'Forget a profile and its API key',
  help: 'The key itself stays valid at the instance.',
  args: [NAME],
  flags: [],
  ...HERE,
  confirm: 'Forget this profile and its API key?',
  output: 'record',
  examples: [{ line: 'profile remove production --yes', does: 'Forget it.' }],
});
