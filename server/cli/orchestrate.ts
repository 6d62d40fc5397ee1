import { didYouMean } from '@/lib/commands/distance';
import type { orchestrate } from '@/lib/commands/rows/run';
import type { ArgsOf } from '@/lib/commands/types';
import { type ServerSummary, type StartRunBody, validationResultSchema } from '@/lib/protocol/api';
import type { RunDetail } from '@/lib/protocol/run';
import type { WorkflowDetail } from '@/server/cli/api-client';
import { badInput, CliError, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { exitOf, type Followed, followRun, leave } from '@/server/cli/follow';
import { readJsonSource } from '@/server/cli/input';
import { LiveTree } from '@/server/cli/live-tree';
import { sampleOf } from '@/server/cli/starter-commands';
import { NODE_COLUMNS, printOutcome, StepLines } from '@/server/cli/steps';

/** `orchestrate`: check, start, follow, tell the result. Returns the exit code. */
export async function runOrchestrate(args: ArgsOf<typeof orchestrate>, context: CliContext): Promise<number> {
  const { output, api } = context;
  if (args.sample && args.input !== undefined)
    throw badInput('INVALID_INPUT', 'Give one of --input and --sample.', { path: '--sample' });
  const given =
    args.input === undefined ? undefined : await readJsonSource(args.input, '--input', context.input);
  const workflow = await findWorkflow(args.workflow, args.version, context);
  const input = args.sample ? sampleOf(workflow.name, workflow.definition) : given;
  output.note('ok', '✓', 'Workflow found', `${workflow.name} v${workflow.version}`);

  const servers = await api.servers();
  const names = resolveServers(args.with, workflow.servers ?? [], servers);
  output.note('ok', '✓', 'Servers resolved', names.length === 0 ? 'none needed' : names.join(', '));
  await checkDependencies(
    workflow,
    servers.filter((row) => names.includes(row.name)),
    context,
  );

  const body: StartRunBody = { workflow: args.workflow };
  if (args.version !== undefined) body.version = args.version;
  if (args['workflow-id'] !== undefined) body.workflowId = args['workflow-id'];
  if (args.priority !== undefined) body.priority = args.priority;
  if (input !== undefined) body.input = input;
  if (args.with !== undefined) body.servers = [...args.with];
  const { runId } = await api.startRun(body);
  output.note('active', '▶', 'Run started', runId);
  if (args.detach) return detach(runId, context);
  return watchToEnd(runId, args.timeout, context);
}

/** Follows a run and prints steps, events and result in the form asked for. Returns the exit code. */
export async function watchToEnd(
  runId: string,
  timeoutMs: number | undefined,
  context: CliContext,
): Promise<number> {
  const { output } = context;
  const tree =
    output.forPeople && context.screen !== undefined ? new LiveTree(context, context.screen) : undefined;
  const steps = tree ?? new StepLines(output);
  let last: RunDetail | undefined;
  let followed: Followed;
  try {
    followed = await followRun(context, runId, {
      timeoutMs,
      onEvents: (events) => {
        for (const event of events) output.jsonLine(event);
      },
      onRun: (run) => {
        last = run;
        steps.update(run);
      },
    });
  } finally {
    await tree?.end(last);
  }
  if (followed.end !== 'closed') return leave(context, runId, followed.end);
  const { run } = followed;
  await output.record(run, () => printOutcome(run, output), run.nodes, NODE_COLUMNS);
  return exitOf(run.status);
}

async function detach(runId: string, context: CliContext): Promise<number> {
  const { output } = context;
  const people = () => output.line(`Watch it with: openconductor run watch ${runId}`);
  const row = { runId };
  await output.record(row, people, [row], [{ title: 'RUN', value: (started) => started.runId }]);
  return EXIT.ok;
}

async function findWorkflow(
  name: string,
  version: number | undefined,
  context: CliContext,
): Promise<WorkflowDetail> {
  try {
    return await context.api.workflow(name, version);
  } catch (error) {
    if (!(error instanceof CliError) || error.code !== 'WORKFLOW_NOT_FOUND') throw error;
    const known = (await context.api.workflows()).map((row) => row.name);
    const near = didYouMean(name, known);
    const next =
      near === undefined ? error.details.next : `Did you mean ${near}? See: openconductor workflow list`;
    throw new CliError(error.code, error.message, {
      ...error.details,
      path: error.details.path ?? 'WORKFLOW',
      next,
    });
  }
}

/** The servers that the run will use: those of `--with`, else those that the workflow names. */
function resolveServers(
  wanted: readonly string[] | undefined,
  needed: readonly string[],
  servers: readonly ServerSummary[],
): string[] {
  const known = servers.map((row) => row.name);
  for (const name of wanted ?? []) {
    if (known.includes(name)) continue;
    const near = didYouMean(name, known);
    throw badInput('SERVER_NOT_FOUND', `There is no server "${name}".`, {
      path: '--with',
      ...(near === undefined ? {} : { next: `Did you mean ${near}? See: openconductor server list` }),
    });
  }
  return [...new Set(wanted ?? needed)];
}

/** What the run rests on: servers that can be used, a definition without errors. Warnings are told and pass. */
async function checkDependencies(
  workflow: WorkflowDetail,
  servers: readonly ServerSummary[],
  context: CliContext,
): Promise<void> {
  const { output } = context;
  let warnings = 0;
  const warn = (text: string, detail = '') => {
    warnings++;
    output.note('warn', '⚠', text, detail);
  };
  const there = servers.map((row) => row.name);
  if (workflow.servers !== undefined) {
    for (const name of workflow.servers)
      if (!there.includes(name)) warn(`Server ${name} is needed`, 'and not among those given');
  }
  for (const row of servers) {
    if (row.status === 'failed')
      warn(`Server ${row.name} failed`, row.lastError ?? 'it is started again when it is needed');
    if (row.status === 'disabled') warn(`Server ${row.name} is disabled`);
  }
  if (typeof workflow.definition === 'object' && workflow.definition !== null) {
    const { problems } = await context.api.send('post', '/api/v1/workflows/validate', {
      body: workflow.definition,
      schema: validationResultSchema,
    });
    for (const problem of problems) {
      const place = problem.nodeId ?? problem.pointer;
      warn(`${problem.code}  ${place}`, `${problem.message} ${problem.fix}`.trim());
    }
  }
  if (warnings === 0) output.note('ok', '✓', 'Dependencies checked');
}
