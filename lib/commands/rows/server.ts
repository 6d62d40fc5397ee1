import { defineCommand } from '@/lib/commands/types';

const SERVER = { name: 'server', type: 'string', summary: 'Name of the server.', object: 'server' } as const;

/** Connected MCP servers. */
export const serverList = defineCommand({
  code: 'SRV',
  name: 'server list',
  aliases: ['server ls'],
  keywords: ['mcp', 'fleet', 'connections', 'status', 'tools'],
  summary: 'List MCP servers and their state',
  help: 'Shows each configured server with its state, its calls and its latency. It opens no connection.',
  args: [],
  flags: [],
  objects: ['server'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'SRV',
  output: 'table',
  examples: [{ line: 'server list', does: 'Every server.' }],
});

/** One server and its tools. */
export const serverInspect = defineCommand({
  code: 'INSP',
  name: 'server inspect',
  aliases: ['server show'],
  keywords: ['tools', 'schema', 'capabilities', 'describe', 'open'],
  summary: 'Show a server and its tools',
  help: 'Connects when needed and lists what the server offers. --output json gives the schemas of the tools.',
  args: [SERVER],
  flags: [],
  objects: ['server'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'SRV',
  output: 'record',
  examples: [
    { line: 'server inspect filesystem', does: 'The tools of one server.' },
    { line: 'SRV filesystem', does: 'The same, as the command bar likes it.' },
  ],
});

/** Call one tool, outside any workflow. */
export const serverCall = defineCommand({
  code: 'CALL',
  name: 'server call',
  aliases: ['tool call'],
  keywords: ['invoke', 'execute', 'try', 'tool', 'use'],
  summary: 'Call a tool of a server',
  help: 'Calls the tool once, outside any workflow, and prints its answer. A tool that reports an error gives exit code 1.',
  args: [SERVER, { name: 'tool', type: 'string', summary: 'Name of the tool.', object: 'tool' }],
  flags: [
    {
      name: 'input',
      short: 'i',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'Arguments of the tool, as a JSON object.',
    },
  ],
  objects: ['server', 'tool'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  panel: 'EXE',
  output: 'record',
  examples: [
    {
      line: `server call filesystem read_text_file --input '{"path":"welcome.md"}'`,
      does: 'Read a document of the workspace.',
    },
    { line: 'server call memory read_graph', does: 'A tool without arguments.' },
  ],
});
