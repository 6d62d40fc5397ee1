import type { serverCall, serverInspect } from '@/lib/commands/rows/server';
import type { ArgsOf } from '@/lib/commands/types';
import {
  type CallToolResultBody,
  callToolResultSchema,
  type ServerSummary,
  type Tool,
} from '@/lib/protocol/api';
import { isJsonObject } from '@/lib/shared/json';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readJsonSource } from '@/server/cli/input';
import type { Output } from '@/server/cli/output';
import { clean, type Tone, timing } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

/** A tool may run for long; its own time limit is the server's business. */
const TOOL_MS = 15 * 60_000;

const TONES: Record<ServerSummary['status'], Tone> = {
  idle: 'dim',
  connecting: 'active',
  connected: 'ok',
  failed: 'danger',
  disabled: 'dim',
};

const SERVER_COLUMNS: readonly Column<ServerSummary>[] = [
  { title: 'SERVER', value: (row) => row.name },
  { title: 'STATUS', value: (row) => row.status, tone: (row) => TONES[row.status] },
  { title: 'TRANSPORT', value: (row) => row.transport },
  { title: 'PROTOCOL', value: (row) => row.protocolVersion },
  { title: 'TOOLS', value: (row) => row.tools, right: true },
  { title: 'CALLS', value: (row) => row.calls, right: true },
  {
    title: 'ERRORS',
    value: (row) => row.errors,
    right: true,
    tone: (row) => (row.errors > 0 ? 'warn' : undefined),
  },
  { title: 'P50_MS', value: (row) => rounded(row.latencyMs?.p50), right: true },
  { title: 'P95_MS', value: (row) => rounded(row.latencyMs?.p95), right: true },
  { title: 'TARGET', value: (row) => row.target, show: (row) => row.lastError ?? row.target },
];

const TOOL_COLUMNS: readonly Column<Tool>[] = [
  { title: 'TOOL', value: (tool) => tool.name },
  { title: 'SAFETY', value: safetyOf },
  { title: 'ARGUMENTS', value: argumentsOf },
  {
    title: 'DESCRIPTION',
    value: (tool) => tool.description,
    show: (tool) => firstLine(tool.description ?? tool.title ?? ''),
  },
];

/** `server list` */
export async function listServers(_args: object, { api, output }: CliContext): Promise<number> {
  const rows = await api.servers();
  await output.list(rows, SERVER_COLUMNS, rows, 'No servers are configured.');
  return EXIT.ok;
}

/** `server inspect` */
export async function inspectServer(
  args: ArgsOf<typeof serverInspect>,
  { api, output }: CliContext,
): Promise<number> {
  const server = await api.server(args.server);
  const people = () => {
    output.line(
      `${output.paint('bold', clean(server.name))}  ${output.paint(TONES[server.status], server.status)}  ${server.transport}` +
        `${server.version === null ? '' : `  version ${clean(server.version)}`}` +
        `${server.protocolVersion === null ? '' : `  MCP ${clean(server.protocolVersion)}`}`,
    );
    output.line(output.paint('dim', clean(server.target)));
    if (server.lastError !== null) output.note('warn', '⚠', server.lastError);
    output.line();
    output.table(server.toolList, TOOL_COLUMNS);
  };
  await output.record(server, people, server.toolList, TOOL_COLUMNS);
  return EXIT.ok;
}

/** `server call`: exit code 1 when the tool reports an error. */
export async function callServer(args: ArgsOf<typeof serverCall>, context: CliContext): Promise<number> {
  const { api, output } = context;
  const given = args.input === undefined ? {} : await readJsonSource(args.input, '--input', context.input);
  if (!isJsonObject(given)) {
    throw badInput('INVALID_INPUT', 'The arguments of a tool are a JSON object.', {
      path: '--input',
      next: `Write it like '{"path":"a.txt"}'.`,
    });
  }
  const result = await api.send('post', '/api/v1/servers/{name}/call', {
    path: { name: args.server },
    body: { tool: args.tool, arguments: given },
    schema: callToolResultSchema,
    timeoutMs: TOOL_MS,
  });
  await output.record(
    result,
    () => printResult(result, output),
    [result],
    [
      { title: 'ERROR', value: (row) => String(row.isError) },
      { title: 'DURATION_MS', value: (row) => row.durationMs },
      { title: 'CONTENT', value: (row) => JSON.stringify(row.structuredContent ?? row.content) },
    ],
  );
  return result.isError ? EXIT.failed : EXIT.ok;
}

function printResult(result: CallToolResultBody, output: Output): void {
  for (const block of result.content) {
    const text = isJsonObject(block) && block.type === 'text' ? block.text : undefined;
    output.value(typeof text === 'string' ? text : block);
  }
  if (result.content.length === 0 && result.structuredContent !== null)
    output.value(result.structuredContent);
  if (result.isError) output.note('danger', '✕', 'The tool reports an error', timing(result.durationMs));
  else output.note('ok', '✓', 'Done', timing(result.durationMs));
}

/** What the tool says of itself; without a word it counts as one that writes. */
function safetyOf(tool: Tool): string {
  const { readOnlyHint, destructiveHint, idempotentHint } = tool.annotations;
  if (readOnlyHint) return 'reads';
  const kind = destructiveHint ? 'destroys' : 'writes';
  return idempotentHint ? `${kind}, repeatable` : kind;
}

/** `path, head?`: the names of the arguments, a question mark behind those that may be left out. */
function argumentsOf(tool: Tool): string {
  const schema = tool.inputSchema;
  if (!isJsonObject(schema) || !isJsonObject(schema.properties)) return '';
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.keys(schema.properties)
    .map((name) => (required.includes(name) ? name : `${name}?`))
    .join(', ');
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 10) / 10;
}
