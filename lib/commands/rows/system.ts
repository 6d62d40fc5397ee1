import { defineCommand } from '@/lib/commands/types';

/** Start OpenConductor here. */
export const start = defineCommand({
  code: 'STRT',
  name: 'start',
  keywords: ['boot', 'launch', 'serve', 'daemon', 'up'],
  summary: 'Start OpenConductor on this machine',
  help: 'Does what `npm start` does, and stays in the foreground. Words after -- are handed to the start script.',
  args: [
    {
      name: 'options',
      type: 'list',
      required: false,
      rest: true,
      placeholder: '-- OPTION…',
      summary: 'Options of the start script; `start -- --help` lists every setting.',
    },
  ],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'text',
  examples: [{ line: 'start', does: 'Start, and print the address.' }],
});

/** Is everything well? */
export const health = defineCommand({
  code: 'HLTH',
  name: 'health',
  aliases: ['status', 'ping'],
  keywords: ['alive', 'check', 'database', 'ok', 'up'],
  summary: 'Show whether OpenConductor is well',
  help: 'Asks each part of the running instance for its state. Exit code 1 when a part is down.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'SYS',
  output: 'record',
  examples: [{ line: 'health', does: 'Each part with its state.' }],
});

/** Help for everything, or for one command. */
export const help = defineCommand({
  code: 'HLP',
  name: 'help',
  aliases: ['?', 'man'],
  keywords: ['usage', 'commands', 'manual', 'codes', 'how'],
  summary: 'Show help for a command',
  help: 'Without words it lists every command. With the words or the code of a command it explains that one.',
  args: [
    {
      name: 'topic',
      type: 'list',
      required: false,
      rest: true,
      placeholder: 'COMMAND',
      object: 'command',
      summary: 'Name or code of a command.',
    },
  ],
  flags: [],
  objects: ['command'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  shortcut: '?',
  output: 'text',
  examples: [
    { line: 'help run list', does: 'How to list runs.' },
    { line: 'HLP ORC', does: 'The same for a code.' },
  ],
});

/** Versions of this program and of the instance. */
export const version = defineCommand({
  code: 'VER',
  name: 'version',
  keywords: ['release', 'build', 'about'],
  summary: 'Show the version',
  help: 'Prints the version of this program and, when one answers, of the running instance.',
  args: [],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'text',
  examples: [{ line: 'version', does: 'Both versions.' }],
});

/** Shell completion. */
export const completion = defineCommand({
  code: 'CMPL',
  name: 'completion',
  keywords: ['shell', 'tab', 'bash', 'zsh', 'fish'],
  summary: 'Print the completion script of a shell',
  help:
    'Put `source <(openconductor completion bash)` into ~/.bashrc, the same with zsh into ~/.zshrc, or `openconductor completion fish | source` ' +
    'into config.fish. Names of workflows, servers and runs come from the running instance.',
  args: [{ name: 'shell', type: 'enum', values: ['bash', 'zsh', 'fish'], summary: 'bash, zsh or fish.' }],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'text',
  examples: [{ line: 'completion bash', does: 'The script for bash.' }],
});
