import type {
  runApprove,
  runPause,
  runReject,
  runResolve,
  runResume,
  runTerminate,
  taskList,
} from '@/lib/commands/rows/run-control';
import { quoteWord } from '@/lib/commands/tokens';
import type { ArgsOf } from '@/lib/commands/types';
import { acceptedSchema, type Task, taskPageSchema } from '@/lib/protocol/api-runs';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readJsonSource } from '@/server/cli/input';
import type { Column } from '@/server/cli/table';

const TASK_COLUMNS: readonly Column<Task>[] = [
  { title: 'RUN', value: (task) => task.runId },
  { title: 'KIND', value: (task) => task.kind, tone: () => 'warn' },
  { title: 'STEP', value: (task) => task.nodePath },
  { title: 'WORKFLOW', value: (task) => task.workflow },
  { title: 'SINCE', value: (task) => task.since },
  {
    title: 'WHAT',
    value: (task) =>
      task.kind === 'approval' ? task.title : `${task.server ?? ''} ${task.tool ?? ''}`.trim(),
  },
];

/** Sends a command to a run and says that it was written down. */
async function command(
  { api, output }: CliContext,
  runId: string,
  verb: 'pause' | 'resume' | 'terminate' | 'approve' | 'reject' | 'resolve',
  body: Record<string, unknown>,
  said: string,
): Promise<number> {
  const present = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
  const answer = await api.send('post', `/api/v1/runs/{runId}/${verb}`, {
    path: { runId },
    body: present,
    schema: acceptedSchema,
  });
  const row = { runId, ...answer };
  const people = () => output.note('ok', '✓', said, runId);
  await output.record(row, people, [row], [{ title: 'RUN', value: (it) => it.runId }]);
  return EXIT.ok;
}

/** `run pause` */
export function pauseRun({ run, reason }: ArgsOf<typeof runPause>, context: CliContext): Promise<number> {
  return command(context, run, 'pause', { reason }, 'Pause requested');
}

/** `run resume` */
export function resumeRun({ run, reason }: ArgsOf<typeof runResume>, context: CliContext): Promise<number> {
  return command(context, run, 'resume', { reason }, 'Resume requested');
}

/** `run terminate` */
export function terminateRun(
  { run, reason }: ArgsOf<typeof runTerminate>,
  context: CliContext,
): Promise<number> {
  return command(context, run, 'terminate', { reason }, 'Termination requested');
}

/** `run approve` */
export async function approveRun(args: ArgsOf<typeof runApprove>, context: CliContext): Promise<number> {
  const form = args.form === undefined ? undefined : await readJsonSource(args.form, '--form', context.input);
  const body = { approvalId: args.approval, comment: args.comment, form };
  return command(context, args.run, 'approve', body, 'Approved');
}

/** `run reject` */
export function rejectRun(args: ArgsOf<typeof runReject>, context: CliContext): Promise<number> {
  return command(
    context,
    args.run,
    'reject',
    { approvalId: args.approval, comment: args.comment },
    'Rejected',
  );
}

/** `run resolve` */
export async function resolveRun(args: ArgsOf<typeof runResolve>, context: CliContext): Promise<number> {
  const { result, resolution, comment } = args;
  const output = result === undefined ? undefined : await readJsonSource(result, '--result', context.input);
  return command(
    context,
    args.run,
    'resolve',
    { nodePath: args.step, resolution, output, comment },
    `Resolved: ${resolution}`,
  );
}

/** `task list` */
export async function listTasks(args: ArgsOf<typeof taskList>, { api, output }: CliContext): Promise<number> {
  const page = await api.send('get', '/api/v1/tasks', { query: args, schema: taskPageSchema });
  await output.list(page.items, TASK_COLUMNS, page, 'Nothing waits for people.');
  if (page.nextCursor !== null) {
    output.line(output.paint('dim', `More: openconductor task list --cursor=${quoteWord(page.nextCursor)}`));
  }
  return EXIT.ok;
}
