import type { runCancel, runEvents, runList, runShow, runSignal, runWatch } from '@/lib/commands/rows/run';
import { quoteWord } from '@/lib/commands/tokens';
import type { ArgsOf } from '@/lib/commands/types';
import type { WorkflowEventRecord } from '@/lib/protocol/event';
import type { RunSummary } from '@/lib/protocol/run';
import { RUN_LOOKS } from '@/lib/theme/status';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { followRun, leave } from '@/server/cli/follow';
import { readJsonSource } from '@/server/cli/input';
import { watchToEnd } from '@/server/cli/orchestrate';
import { NODE_COLUMNS, printOutcome } from '@/server/cli/steps';
import { clean, timing } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

const RUN_COLUMNS: readonly Column<RunSummary>[] = [
  { title: 'RUN', value: (run) => run.runId },
  { title: 'STATUS', value: (run) => run.status, tone: (run) => RUN_LOOKS[run.status].token },
  { title: 'WORKFLOW', value: (run) => run.workflow },
  { title: 'VERSION', value: (run) => run.version, right: true },
  { title: 'CREATED', value: (run) => run.createdAt },
  {
    title: 'DURATION_MS',
    value: (run) => run.durationMs,
    show: (run) => (run.durationMs === null ? '–' : timing(run.durationMs)),
    right: true,
  },
  { title: 'EVENTS', value: (run) => run.historyLength, right: true },
  { title: 'WORKFLOW_ID', value: (run) => run.workflowId },
  { title: 'FAILURE', value: (run) => run.failure?.code ?? null, show: (run) => run.failure?.code ?? '' },
];

const EVENT_COLUMNS: readonly Column<WorkflowEventRecord>[] = [
  { title: 'SEQ', value: (event) => event.seq, right: true },
  { title: 'AT', value: (event) => event.at },
  { title: 'TYPE', value: (event) => event.type },
  { title: 'DATA', value: (event) => JSON.stringify(event.data) },
];

/** `run list` */
export async function listRuns(args: ArgsOf<typeof runList>, { api, output }: CliContext): Promise<number> {
  const { since, until, 'workflow-id': workflowId, ...rest } = args;
  const page = await api.runs({ ...rest, workflowId, startedAfter: since, startedBefore: until });
  await output.list(page.items, RUN_COLUMNS, page, 'No runs.');
  if (page.nextCursor !== null) {
    output.line(output.paint('dim', `More: openconductor run list --cursor=${quoteWord(page.nextCursor)}`));
  }
  return EXIT.ok;
}

/** `run show` */
export async function showRun(args: ArgsOf<typeof runShow>, { api, output }: CliContext): Promise<number> {
  const run = await api.run(args.run);
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
  await api.cancel(args.run, args.reason);
  await accepted(output, args.run, 'Cancellation requested');
  return EXIT.ok;
}

/** `run signal` */
export async function signalRun(args: ArgsOf<typeof runSignal>, context: CliContext): Promise<number> {
  const { payload } = args;
  const value = payload === undefined ? undefined : await readJsonSource(payload, '--payload', context.input);
  await context.api.signal(args.run, args.signal, value);
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
