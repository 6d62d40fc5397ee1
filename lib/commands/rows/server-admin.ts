import { defineCommand } from '@/lib/commands/types';

const SERVER = { name: 'server', type: 'string', summary: 'Name of the server.', object: 'server' } as const;
const surfaces = ['cli', 'bar'] as const;

/** Add an MCP server. */
export const serverAdd = defineCommand({
  code: 'SADD',
  name: 'server add',
  aliases: ['server create'],
  keywords: ['mcp', 'register', 'connect', 'install', 'new'],
  summary: 'Add an MCP server',
  help:
    'Give its address (--address), the command that runs it (--command), or the whole configuration (--config) in the shape ' +
    'that Claude Desktop and VS Code use. Values that look secret are stored as secrets.',
  args: [{ name: 'server', type: 'string', summary: 'Name for the server.' }],
  flags: [
    { name: 'address', type: 'string', placeholder: 'URL', summary: 'Address of a remote server.' },
    { name: 'command', type: 'string', placeholder: 'LINE', summary: 'Command line of a stdio server.' },
    {
      name: 'config',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'The configuration; other flags replace fields of it.',
    },
    {
      name: 'changes',
      type: 'enum',
      values: ['off', 'warn', 'block'],
      summary: 'What a changed tool definition leads to (warn).',
    },
  ],
  objects: ['server'],
  role: 'admin',
  surfaces,
  panel: 'SRV',
  output: 'record',
  examples: [
    { line: 'server add weather --address https://mcp.example.com/mcp', does: 'Add a remote server.' },
    { line: 'server add notes --command "npx -y @example/notes ./notes"', does: 'Add one run as a process.' },
  ],
});

/** Change a server. */
export const serverEdit = defineCommand({
  code: 'SEDT',
  name: 'server edit',
  aliases: ['server set', 'server update'],
  keywords: ['change', 'configure', 'modify', 'env', 'headers'],
  summary: 'Change the configuration of a server',
  help:
    'Fields that are given replace those of the server; null removes one. Without any, the configuration is printed. The ' +
    'next call uses it. Servers of the configuration file are changed there.',
  args: [SERVER],
  flags: [
    {
      name: 'config',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'Fields to change, as a JSON object.',
    },
    {
      name: 'changes',
      type: 'enum',
      values: ['off', 'warn', 'block'],
      summary: 'What a changed tool definition leads to.',
    },
  ],
  objects: ['server'],
  role: 'admin',
  surfaces,
  panel: 'SRV',
  output: 'record',
  examples: [
    { line: 'server edit weather --changes block', does: 'Refuse tools whose definition changed.' },
    { line: `server edit notes --config '{"concurrency":1}'`, does: 'One call at a time.' },
  ],
});

/** Remove a server. */
export const serverRemove = defineCommand({
  code: 'SDEL',
  name: 'server remove',
  aliases: ['server delete', 'server rm'],
  keywords: ['disconnect', 'uninstall', 'drop'],
  summary: 'Remove a server',
  help: 'Also forgets its accepted tools and the access granted to it. Runs that call it fail from then on.',
  args: [SERVER],
  flags: [],
  objects: ['server'],
  role: 'admin',
  surfaces,
  confirm: 'Remove this server?',
  output: 'record',
  examples: [{ line: 'server remove weather --yes', does: 'Remove it without being asked.' }],
});

/** Take over servers of another program. */
export const serverImport = defineCommand({
  code: 'SIMP',
  name: 'server import',
  keywords: ['claude', 'vscode', 'cursor', 'windsurf', 'migrate', 'mcp.json'],
  summary: 'Take over the servers of another program',
  help: 'Reads a configuration of Claude Desktop, VS Code, Cursor or Windsurf. Values that look secret are stored as secrets.',
  args: [
    {
      name: 'file',
      type: 'string',
      placeholder: 'FILE',
      summary: 'The file, or - for standard input.',
      object: 'file',
    },
  ],
  flags: [],
  objects: ['server'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'server import ~/.cursor/mcp.json', does: 'Take over what Cursor uses.' }],
});

/** Ask a server whether it is well. */
export const serverTest = defineCommand({
  code: 'STST',
  name: 'server test',
  aliases: ['server ping', 'server probe'],
  keywords: ['health', 'check', 'reachable', 'alive', 'diagnose'],
  summary: 'Speak MCP with a server and say where it stands',
  help: 'OPEN is well. NEEDS_AUTH, NOT_MCP, WRONG_TRANSPORT, UNREACHABLE and TEMPLATE_URL come with a reason and exit code 1.',
  args: [SERVER],
  flags: [],
  objects: ['server'],
  role: 'operator',
  surfaces,
  panel: 'SRV',
  output: 'record',
  examples: [{ line: 'server test filesystem', does: 'Ask one server.' }],
});

/** The log of a server. */
export const serverLogs = defineCommand({
  code: 'SLOG',
  name: 'server logs',
  aliases: ['server log'],
  keywords: ['stderr', 'output', 'debug', 'messages'],
  summary: 'Show the log of a server',
  help: 'Its newest lines on standard error, and what it wrote to standard output that is not MCP.',
  args: [SERVER],
  flags: [],
  objects: ['server'],
  role: 'operator',
  surfaces,
  panel: 'SRV',
  output: 'table',
  examples: [{ line: 'server logs memory', does: 'The newest lines.' }],
});

/** What happened to servers. */
export const serverEvents = defineCommand({
  code: 'SEVT',
  name: 'server events',
  aliases: ['server history'],
  keywords: ['changes', 'feed', 'connected', 'pinning', 'audit'],
  summary: 'List what happened to servers',
  help: 'Connections, changed tool definitions with their difference, suspicious descriptions. Newest first.',
  args: [{ ...SERVER, required: false }],
  flags: [
    { name: 'limit', short: 'n', type: 'integer', min: 1, max: 500, summary: 'At most this many (50).' },
  ],
  objects: ['server'],
  role: 'viewer',
  surfaces,
  panel: 'SRV',
  output: 'table',
  examples: [
    { line: 'server events', does: 'Of all servers.' },
    { line: 'server events weather --limit 5', does: 'The newest five of one.' },
  ],
});

/** Tools and their acceptance. */
export const serverTools = defineCommand({
  code: 'TOOL',
  name: 'server tools',
  aliases: ['tool list'],
  keywords: ['tools', 'pinning', 'definitions', 'changed', 'blocked', 'accepted'],
  summary: 'List the tools of a server and whether they changed',
  help: 'A tool is accepted as it was when it was first seen. What differs since then is shown with its difference.',
  args: [SERVER],
  flags: [],
  objects: ['server', 'tool'],
  role: 'viewer',
  surfaces,
  panel: 'SRV',
  output: 'table',
  examples: [{ line: 'server tools filesystem', does: 'The tools of one server.' }],
});

/** Accept changed tools. */
export const serverAccept = defineCommand({
  code: 'SACC',
  name: 'server accept',
  aliases: ['tool accept'],
  keywords: ['pinning', 'approve', 'trust', 'unblock', 'definition'],
  summary: 'Accept tool definitions as they are now',
  help: 'Look at `server tools` first. Without a tool, all tools of the server are accepted.',
  args: [
    SERVER,
    { name: 'tool', type: 'string', required: false, summary: 'Name of the tool.', object: 'tool' },
  ],
  flags: [],
  objects: ['server', 'tool'],
  role: 'admin',
  surfaces,
  confirm: 'Accept these definitions?',
  output: 'table',
  examples: [{ line: 'server accept filesystem read_file --yes', does: 'Accept one tool.' }],
});

/** Grant access to a remote server. */
export const serverAuthorize = defineCommand({
  code: 'SAUT',
  name: 'server authorize',
  aliases: ['server login'],
  keywords: ['oauth', 'signin', 'grant', 'access', 'token'],
  summary: 'Grant access to a remote server',
  help: 'Prints the page on which you grant access (OAuth 2.1). Open it in a browser that reaches this instance.',
  args: [SERVER],
  flags: [],
  objects: ['server'],
  role: 'admin',
  surfaces,
  output: 'record',
  examples: [{ line: 'server authorize weather', does: 'Print the page to visit.' }],
});
