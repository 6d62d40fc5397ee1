import { setTimeout as sleep } from 'node:timers/promises';
import type { bulkList, bulkRun, bulkShow, bulkStop } from '@/lib/commands/rows/bulk';
import type { ArgsOf } from '@/lib/commands/types';
import { type BulkOperationBody, bulkOperationSchema } from '@/lib/protocol/bulk';
import type { Json, JsonObject } from '@/lib/shared/json';
import { Interrupted } from '@/server/cli/api-client';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readJsonSource } from '@/server/cli/input';
import { clean } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

const BASE = '/api/v1/bulk-operations';
const POLL_MS = 300;

const COLUMNS: readonly Column<BulkOperationBody>[] = [
  { title: 'BULK', value: (row) => row.bulkId, show: (row) => row.bulkId ?? '–' },
  { title: 'ACTION', value: (row) => row.action },
  { title: 'STATE', value: (row) => row.state },
  { title: 'MATCHED', value: (row) => row.matched, right: true },
  { title: 'DONE', value: (row) => row.done, right: true },
  { title: 'FAILED', value: (row) => row.failed, right: true },
  { title: 'CREATED', value: (row) => row.createdAt, show: (row) => row.createdAt ?? '–' },
  { title: 'FILTER', value: filterOf },
];

/** The filter, with the number of the ids that it names in their place. */
function filterOf({ filter, named }: BulkOperationBody): string {
  const ids = named ?? filter.ids?.length;
  return JSON.stringify({ ...filter, ids });
}

/** `bulk start`: counts, asks, hands over, follows. Exit code 1 when a run refused the command. */
export async function runBulk(args: ArgsOf<typeof bulkRun>, context: CliContext): Promise<number> {
  const { api, output, globals } = context;
  const body = await bodyOf(args, context);
  const create = (dryRun: boolean) =>
    api.send('post', BASE, { body: { ...body, dryRun }, schema: bulkOperationSchema });
  if (args['dry-run']) return told(await create(true), context);
  if (context.interactive && !globals.yes) {
    const { matched } = await create(true);
    if (!(await context.confirm(`${matched} runs fit. ${args.action} all of them?`))) {
      output.note('warn', '⚠', 'Nothing was done');
      return EXIT.failed;
    }
  }
  const made = await create(false);
  if (args.detach) return told(made, context);
  output.note('active', '▶', `Bulk ${made.action} begun`, `${made.bulkId}, ${made.matched} runs`);
  const ended = await follow(made, context);
  await told(ended, context);
  return ended.failed > 0 || ended.state !== 'completed' ? EXIT.failed : EXIT.ok;
}

/** `bulk list` */
export async function listBulk(args: ArgsOf<typeof bulkList>, { api, output }: CliContext): Promise<number> {
  const rows = await api.all(BASE, { query: { limit: args.limit }, schema: bulkOperationSchema });
  await output.list(rows, COLUMNS, rows, 'No bulk operations.');
  return EXIT.ok;
}

/** `bulk show` */
export async function showBulk(args: ArgsOf<typeof bulkShow>, context: CliContext): Promise<number> {
  return told(await read(args.bulk, context), context);
}

/** `bulk stop` */
export async function stopBulk(args: ArgsOf<typeof bulkStop>, context: CliContext): Promise<number> {
  const stopped = await context.api.send('post', `${BASE}/{bulkId}/cancel`, {
    path: { bulkId: args.bulk },
    schema: bulkOperationSchema,
  });
  return told(stopped, context);
}

async function bodyOf(args: ArgsOf<typeof bulkRun>, context: CliContext): Promise<JsonObject> {
  const { action, status, workflow, ids, reason, signal, payload } = args;
  const filter = given({
    status: status && [...status],
    workflow,
    startedAfter: args['started-after'],
    startedBefore: args['started-before'],
    ids: ids && [...ids],
  });
  const value = payload === undefined ? undefined : await readJsonSource(payload, '--payload', context.input);
  const sent = signal === undefined ? undefined : given({ name: signal, payload: value });
  return { action, filter, ...given({ reason, signal: sent }) };
}

/** Only the fields that have a value. */
function given(fields: Record<string, Json | undefined>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as JsonObject;
}

function read(
  bulkId: string,
  { api }: CliContext,
  query: { ids?: 'false' } = {},
): Promise<BulkOperationBody> {
  return api.send('get', `${BASE}/{bulkId}`, { path: { bulkId }, query, schema: bulkOperationSchema });
}

async function follow(made: BulkOperationBody, context: CliContext): Promise<BulkOperationBody> {
  let now = made;
  while (now.state === 'running') {
    await sleep(POLL_MS, undefined, { signal: context.interrupt }).catch(() => {
      throw new Interrupted();
    });
    const before = now.done + now.failed;
    // The ids are known, and there may be thousands of them.
    now = await read(made.bulkId ?? '', context, made.filter.ids === undefined ? {} : { ids: 'false' });
    if (now.done + now.failed > before) context.output.line(`  ${now.done + now.failed} of ${now.matched}`);
  }
  return { ...now, filter: made.filter };
}

async function told(row: BulkOperationBody, { output }: CliContext): Promise<number> {
  const people = () => {
    if (row.state === 'dry-run') {
      output.line(`${row.matched} runs fit.`);
      return;
    }
    const good = row.failed === 0 && row.state !== 'cancelled';
    const counts = `${row.done} of ${row.matched} done${row.failed > 0 ? `, ${row.failed} failed` : ''}`;
    output.note(good ? 'ok' : 'warn', good ? '✓' : '⚠', `Bulk ${row.action} ${row.state}`, counts);
    for (const { runId, code, message } of row.failures)
      output.line(`  ${runId}  ${clean(code)}  ${clean(message)}`);
  };
  await output.record(row, people, [row], COLUMNS);
  return EXIT.ok;
}
