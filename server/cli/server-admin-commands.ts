import { z } from 'zod';
import type * as rows from '@/lib/commands/rows/server-admin';
import { tokenize } from '@/lib/commands/tokens';
import type { ArgsOf, JsonSource } from '@/lib/commands/types';
import {
  authorizeAnswerSchema,
  healthReportSchema,
  importServersAnswerSchema,
  type ServerConfigAnswer,
  type ServerEventBody,
  type ServerTool,
  serverConfigAnswerSchema,
  serverEventSchema,
  serverLogSchema,
  serverToolsSchema,
} from '@/lib/protocol/api-servers';
import { isJsonObject, type Json, type JsonObject } from '@/lib/shared/json';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readJsonSource, readText } from '@/server/cli/input';
import { clean, timing } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

const BASE = '/api/v1/servers';
const TEST_MS = 120_000;

const ONE = `${BASE}/{name}` as const;
const one = ({ server }: { server: string }) => ({ path: { name: server } });

/** `server add` */
export async function addServer(args: ArgsOf<typeof rows.serverAdd>, context: CliContext): Promise<number> {
  const given = await fields(args.config, context);
  const config: JsonObject = { ...given };
  if (args.address !== undefined) config.url = args.address;
  if (args.command !== undefined) Object.assign(config, commandLine(args.command));
  if (args.changes !== undefined) config.toolChanges = args.changes;
  config.type ??= 'url' in config ? 'streamable-http' : 'stdio';
  const body = { name: args.server, config };
  const made = await context.api.send('post', BASE, { body, schema: serverConfigAnswerSchema });
  return kept(made, 'Added', context);
}

/** `server edit` */
export async function editServer(args: ArgsOf<typeof rows.serverEdit>, context: CliContext): Promise<number> {
  const { api, output } = context;
  const now = await api.send('get', `${ONE}/config`, { ...one(args), schema: serverConfigAnswerSchema });
  const changed = await fields(args.config, context);
  if (args.changes !== undefined) changed.toolChanges = args.changes;
  if (Object.keys(changed).length === 0) {
    await output.record(now, () => output.value(now.config as Json), [now], CONFIG_COLUMNS);
    return EXIT.ok;
  }
  const merged = Object.entries({ ...now.config, ...changed }).filter(([, value]) => value !== null);
  const body = { config: Object.fromEntries(merged) };
  const made = await api.send('put', ONE, { ...one(args), body, schema: serverConfigAnswerSchema });
  return kept(made, 'Changed', context);
}

const CONFIG_COLUMNS: readonly Column<ServerConfigAnswer>[] = [
  { title: 'SERVER', value: (row) => row.name },
  { title: 'CONFIG', value: (row) => JSON.stringify(row.config) },
];

async function kept(made: ServerConfigAnswer, verb: string, { output }: CliContext): Promise<number> {
  const people = () => {
    output.note('ok', '✓', `${verb} ${made.name}`);
    for (const name of made.storedSecrets) output.note('ok', '✓', 'Stored the secret', name);
    warnMissing(made.missingSecrets, output);
    output.line(output.paint('dim', `Test it: openconductor server test ${made.name}`));
  };
  await output.record(made, people, [made], CONFIG_COLUMNS);
  return EXIT.ok;
}

function warnMissing(names: readonly string[], output: CliContext['output']): void {
  for (const name of names) output.note('warn', '⚠', `The secret ${name} is not set`, `secret set ${name}`);
}

async function fields(source: JsonSource | undefined, { input }: CliContext): Promise<JsonObject> {
  const given = source === undefined ? {} : await readJsonSource(source, '--config', input);
  if (isJsonObject(given)) return { ...given };
  throw badInput('INVALID_INPUT', 'A configuration is a JSON object.', {
    path: '--config',
    next: `Write it like '{"command":"node","args":["server.mjs"]}'.`,
  });
}

function commandLine(line: string): JsonObject {
  const words = tokenize(line);
  const [command, ...args] = words.ok ? words.tokens.map((token) => token.text) : [];
  if (command !== undefined) return { command, args };
  throw badInput('INVALID_INPUT', 'That is no command line.', { path: '--command' });
}

/** `server remove` */
export async function removeServer(
  args: ArgsOf<typeof rows.serverRemove>,
  context: CliContext,
): Promise<number> {
  const { api, output } = context;
  await api.send('delete', ONE, { ...one(args), schema: z.unknown() });
  const row = { name: args.server, removed: true };
  await output.record(
    row,
    () => output.note('ok', '✓', `Removed ${args.server}`),
    [row],
    [{ title: 'SERVER', value: (it) => it.name }],
  );
  return EXIT.ok;
}

/** `server import`: exit code 1 when something could not be taken over. */
export async function importServers(
  args: ArgsOf<typeof rows.serverImport>,
  context: CliContext,
): Promise<number> {
  const { api, output, input } = context;
  const text = await readText(args.file, 'FILE', input);
  const body = { text, workspaceFolder: input.workingDir };
  const answer = await api.send('post', `${BASE}/import`, {
    body,
    schema: importServersAnswerSchema,
  });
  const people = () => {
    for (const name of answer.added) output.note('ok', '✓', 'Added', name);
    for (const name of answer.storedSecrets) output.note('ok', '✓', 'Stored the secret', name);
    warnMissing(answer.missingSecrets, output);
    for (const problem of answer.problems) output.note('warn', '⚠', problem.pointer, problem.message);
  };
  await output.record(answer, people, answer.problems, [
    { title: 'PLACE', value: (row) => row.pointer },
    { title: 'PROBLEM', value: (row) => row.message },
  ]);
  return answer.problems.length > 0 ? EXIT.failed : EXIT.ok;
}

/** `server test`: exit code 1 unless it is OPEN. */
export async function testServer(args: ArgsOf<typeof rows.serverTest>, context: CliContext): Promise<number> {
  const { api, output } = context;
  const report = await api.send('post', `${ONE}/test`, {
    ...one(args),
    schema: healthReportSchema,
    timeoutMs: TEST_MS,
  });
  const open = report.state === 'OPEN';
  const people = () => {
    const protocol = report.protocolVersion === null ? '' : `, MCP ${clean(report.protocolVersion)}`;
    if (open) output.note('ok', '✓', `${args.server} is OPEN`, `${timing(report.latencyMs)}${protocol}`);
    else output.note('danger', '✕', `${args.server}: ${report.state}`, report.detail ?? '');
  };
  await output.record(
    report,
    people,
    [report],
    [
      { title: 'STATE', value: (row) => row.state },
      { title: 'LATENCY_MS', value: (row) => row.latencyMs },
      { title: 'DETAIL', value: (row) => row.detail },
    ],
  );
  return open ? EXIT.ok : EXIT.failed;
}

/** `server logs` */
export async function listLogs(
  args: ArgsOf<typeof rows.serverLogs>,
  { api, output }: CliContext,
): Promise<number> {
  const { items } = await api.send('get', `${ONE}/logs`, { ...one(args), schema: serverLogSchema });
  await output.list(
    items,
    [
      { title: 'AT', value: (line) => line.at },
      { title: 'FROM', value: (line) => line.stream },
      { title: 'TEXT', value: (line) => line.text },
    ],
    items,
    'The log is empty: the server has not run yet, or has said nothing.',
  );
  return EXIT.ok;
}

const EVENT_COLUMNS: readonly Column<ServerEventBody>[] = [
  { title: 'AT', value: (row) => row.at },
  { title: 'SERVER', value: (row) => row.server },
  { title: 'EVENT', value: (row) => row.type },
  { title: 'DATA', value: (row) => JSON.stringify(row.data) },
];

/** `server events` */
export async function listEvents(
  args: ArgsOf<typeof rows.serverEvents>,
  context: CliContext,
): Promise<number> {
  const { api, output } = context;
  const schema = z.object({ items: z.array(serverEventSchema) });
  const query = { limit: args.limit ?? 50 };
  const { items } =
    args.server === undefined
      ? await api.send('get', '/api/v1/server-events', { query, schema })
      : await api.send('get', `${ONE}/events`, { path: { name: args.server }, query, schema });
  await output.list(items, EVENT_COLUMNS, items, 'Nothing happened yet.');
  return EXIT.ok;
}

const TOOL_COLUMNS: readonly Column<ServerTool>[] = [
  { title: 'TOOL', value: (row) => row.name },
  {
    title: 'STATE',
    value: (row) => (row.blocked ? `${row.state}, blocked` : row.state),
    tone: (row) => (row.blocked ? 'danger' : row.state === 'accepted' ? undefined : 'warn'),
  },
  {
    title: 'CHANGE',
    value: (row) => row.change,
    show: (row) => (row.change ?? '').split('\n').slice(1).join(' '),
  },
];

/** `server tools` */
export async function listTools(
  args: ArgsOf<typeof rows.serverTools>,
  { api, output }: CliContext,
): Promise<number> {
  const { items } = await api.send('get', `${ONE}/tools`, { ...one(args), schema: serverToolsSchema });
  await output.list(items, TOOL_COLUMNS, items, 'The server has no tools.');
  return EXIT.ok;
}

/** `server accept` */
export async function acceptTools(
  args: ArgsOf<typeof rows.serverAccept>,
  context: CliContext,
): Promise<number> {
  const { api, output } = context;
  const body = args.tool === undefined ? {} : { tools: [args.tool] };
  const { items } = await api.send('post', `${ONE}/accept`, {
    ...one(args),
    body,
    schema: serverToolsSchema,
  });
  await output.list(items, TOOL_COLUMNS, items, 'The server has no tools.');
  return EXIT.ok;
}

/** `server authorize` */
export async function authorizeServer(
  args: ArgsOf<typeof rows.serverAuthorize>,
  { api, output }: CliContext,
): Promise<number> {
  const answer = await api.send('post', `${ONE}/authorize`, {
    ...one(args),
    schema: authorizeAnswerSchema,
    timeoutMs: TEST_MS,
  });
  const people = () => {
    if (answer.url === null) output.note('ok', '✓', `Access to ${args.server} works already`);
    else output.line(`Open this page to grant access:\n${clean(answer.url)}`);
  };
  await output.record(answer, people, [answer], [{ title: 'URL', value: (row) => row.url }]);
  return EXIT.ok;
}
