import type { runCancel, runEvents, runList, runShow, runSignal, runWatch } from '@/lib/commands/rows/run';
import { quoteWord } from '@/lib/commands/tokens';
import type { ArgsOf } from '@/lib/commands/types';
import { acceptedSchema } from '@/lib/protocol/api-runs';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { RunSummary } from '@/lib/protocol/run';
import type { ViewColumn, ViewSort } from '@/lib/protocol/views';
import { RUN_LOOKS } from '@/lib/theme/status';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { followRun, leave } from '@/server/cli/follow';
import { readJsonSource } from '@/server/cli/input';
import { watchToEnd } from '@/server/cli/orchestrate';
import { NODE_COLUMNS, printOutcome } from '@/server/cli/steps';
import { clean, timing } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';
import { findView } from '@/server/cli/view-commands';

/** Every column that a list of runs can have. */
const BY_NAME: Readonly<Record<ViewColumn, Column<RunSummary>>> = {
  runId: { title: 'RUN', value: (run) => run.runId },
  status: { title: 'STATUS', value: (run) => run.status, tone: (run) => RUN_LOOKS[run.status].token },
  workflow: { title: 'WORKFLOW', value: (run) => run.workflow },
  version: { title: 'VERSION', value: (run) => run.version, right: true },
  createdAt: { title: 'CREATED', value: (run) => run.createdAt },
  closedAt: { title: 'CLOSED', value: (run) => run.closedAt },
  durationMs: {
    title: 'DURATION_MS',
    value: (run) => run.durationMs,
    show: (run) => (run.durationMs === null ? '–' : timing(run.durationMs)),
    right: true,
  },
  historyLength: { title: 'EVENTS', value: (run) => run.historyLength, right: true },
  workflowId: { title: 'WORKFLOW_ID', value: (run) => run.workflowId },
  failure: {
    title: 'FAILURE',
    value: (run) => run.failure?.code ?? null,
    show: (run) => run.failure?.code ?? '',
  },
};
const { closedAt: _, ...USUAL } = BY_NAME;
const RUN_COLUMNS: readonly Column<RunSummary>[] = Object.values(USUAL);

const EVENT_COLUMNS: readonly Column<WorkflowEventRecord>[] = [
  { title: 'SEQ', value: (event) => event.seq, right: true },
  { title: 'AT', value: (event) => event.at },
  { title: 'TYPE', value: (event) => event.type },
  { title: 'DATA', value: (event) => JSON.stringify(event.data) },
];

/** `run list`; with --view in the columns and the order of the view. */
export async function listRuns(args: ArgsOf<typeof runList>, context: CliContext): Promise<number> {
  const { api, output } = context;
  const { since, until, 'workflow-id': workflowId, view: name, ...rest } = args;
  const view = name === undefined ? undefined : await findView(name, context);
  const query = { ...rest, workflowId, view: view?.viewId, startedAfter: since, startedBefore: until };
  let page = await api.runs(query);
  // A page that looks for a search attribute looks at so many runs only: those that have it may be older.
  while (page.items.length === 0 && page.nextCursor !== null) {
    page = await api.runs({ ...query, cursor: page.nextCursor });
  }
  if (view === undefined) await output.list(page.items, RUN_COLUMNS, page, 'No runs.');
  else {
    const items = [...page.items].sort(orderOf(view.sort));
    const columns = view.columns.map((column) => BY_NAME[column]);
    await output.list(items, columns, { ...page, items }, 'No runs.');
  }
  if (page.nextCursor !== null) {
    const asked = Object.entries({ ...args, cursor: page.nextCursor }).filter(
      ([, value]) => value !== undefined,
    );
    const flags = asked.map(([flag, value]) => ` --${flag}=${quoteWord(String(value))}`).join('');
    output.line(output.paint('dim', `More: openconductor run list${flags}`));
  }
  return EXIT.ok;
}

function orderOf({ by, order }: ViewSort) {
  const key = (run: RunSummary) => (by === 'failure' ? (run.failure?.code ?? null) : run[by]);
  const sign = order === 'asc' ? 1 : -1;
  return (a: RunSummary, b: RunSummary): number => {
    const [x, y] = [key(a), key(b)];
    // What has no value yet stands last, whatever the order.
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
    return x < y ? -sign : x > y ? sign : 0;
  };
}

/** `run show` */
export async function showRun(args: ArgsOf<typeof runShow>, { api, output }: CliContext): Promise<number> {
  const run = await api.run(args.run, args.reveal);
  const people = () => {
    output.line(`${output.paint('bold', clean(run.workflow))} v${run.version}  ${clean(run.workflowId)}`);
    output.line(
      output.paint(
        'dim',
        `created ${run.createdAt}${run.closedAt === null ? '' : `, closed ${run.closedAt}`}`,
      ),
    );
    output.line(`input ${clean(JSON.stringify(run.input))}`);
    output.line();
    output.table(run.nodes, NODE_COLUMNS);
    printOutcome(run, output);
  };
  await output.record(run, people, run.nodes, NODE_COLUMNS);
  return EXIT.ok;
}

/** `run watch` */
export function watchRun(args: ArgsOf<typeof runWatch>, context: CliContext): Promise<number> {
  return watchToEnd(args.run, args.timeout, context);
}

/** `run events`: what is there, or with --follow until the run has closed. */
export async function listEvents(args: ArgsOf<typeof runEvents>, context: CliContext): Promise<number> {
  const { api, output } = context;
  const limit = args.limit ?? Number.POSITIVE_INFINITY;
  if (args.follow) return followEvents(args, context);
  const items: WorkflowEventRecord[] = [];
  for (let after = args.after ?? 0; items.length < limit; after = items.at(-1)?.seq ?? after) {
    const page = await api.events(args.run, after, Math.min(1000, limit - items.length), 0);
    if (page.items.length === 0) break;
    items.push(...page.items);
  }
  await output.list(items, EVENT_COLUMNS, items, 'No events.');
  return EXIT.ok;
}

async function followEvents(args: ArgsOf<typeof runEvents>, context: CliContext): Promise<number> {
  const { output } = context;
  const items: WorkflowEventRecord[] = [];
  const followed = await followRun(context, args.run, {
    after: args.after ?? 0,
    timeoutMs: args.timeout,
    onEvents: (events) => {
      items.push(...events);
      for (const event of events) {
        output.jsonLine(event);
        const tail = clean(JSON.stringify(event.data));
        output.line(
          `${String(event.seq).padStart(5)}  ${event.at}  ${clean(event.type)}  ${output.paint('dim', tail)}`,
        );
      }
    },
  });
  if (output.format !== 'jsonl' && !output.forPeople) await output.list(items, EVENT_COLUMNS, items, '');
  return followed.end === 'closed' ? EXIT.ok : leave(context, args.run, followed.end);
}

/** `run cancel` */
export async function cancelRun(
  args: ArgsOf<typeof runCancel>,
  { api, output }: CliContext,
): Promise<number> {
  await api.send('post', '/api/v1/runs/{runId}/cancel', {
    path: { runId: args.run },
    body: args.reason === undefined ? {} : { reason: args.reason },
    schema: acceptedSchema,
  });
  await accepted(output, args.run, 'Cancellation requested');
  return EXIT.ok;
}

/** `run signal` */
export async function signalRun(args: ArgsOf<typeof runSignal>, context: CliContext): Promise<number> {
  const { payload } = args;
  const value = payload === undefined ? undefined : await readJsonSource(payload, '--payload', context.input);
  await context.api.send('post', '/api/v1/runs/{runId}/signal', {
    path: { runId: args.run },
    body: { name: args.signal, ...(value === undefined ? {} : { payload: value }) },
    schema: acceptedSchema,
  });
  await accepted(context.output, args.run, `Signal ${args.signal} sent`);
  return EXIT.ok;
}

/** The server keeps the command before it answers: it will be carried out. */
async function accepted(output: CliContext['output'], runId: string, text: string): Promise<void> {
  const row = { runId, accepted: true };
  await output.record(
    row,
    () => output.note('ok', '✓', text, runId),
    [row],
    [{ title: 'RUN', value: (r) => r.runId }],
  );
}
