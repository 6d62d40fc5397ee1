import type { workflowExport, workflowPlan, workflowVersions } from '@/lib/commands/rows/workflow';
import type { ArgsOf } from '@/lib/commands/types';
import {
  type WorkflowPlan,
  type WorkflowVersionRow,
  workflowPlanSchema,
  workflowVersionSchema,
} from '@/lib/protocol/api-workflows';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { clean } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

const VERSION_COLUMNS: readonly Column<WorkflowVersionRow>[] = [
  { title: 'VERSION', value: (row) => row.version, right: true },
  { title: 'CREATED', value: (row) => row.createdAt },
  { title: 'BY', value: (row) => row.createdBy },
  { title: 'HASH', value: (row) => row.hash, show: (row) => row.hash.slice(0, 16) },
];

const STEP_COLUMNS: readonly Column<WorkflowPlan['steps'][number]>[] = [
  { title: 'STEP', value: (row) => row.step, right: true },
  {
    title: 'NODE',
    value: (row) => row.id,
    show: (row) => (row.container === null ? row.id : `${row.container}/${row.id}`),
  },
  { title: 'KIND', value: (row) => row.kind },
  { title: 'CALLS', value: (row) => callOf(row), show: (row) => callOf(row) ?? '' },
  {
    title: 'SAFETY',
    value: (row) => row.safety,
    show: (row) => row.safety ?? '',
    tone: (row) => (row.safety === 'destroys' ? 'danger' : row.safety === 'writes' ? 'warn' : undefined),
  },
  { title: 'AFTER', value: (row) => row.after.join(','), show: (row) => row.after.join(', ') },
  {
    title: 'NOTES',
    value: (row) => notesOf(row),
  },
];

function callOf(row: WorkflowPlan['steps'][number]): string | null {
  return row.tool === null ? null : row.server === null ? row.tool : `${row.server}.${row.tool}`;
}

function notesOf(row: WorkflowPlan['steps'][number]): string {
  return [row.needsPerson ? 'asks a person' : '', row.compensated ? 'can be undone' : '']
    .filter(Boolean)
    .join(', ');
}

/** `workflow versions` */
export async function listVersions(
  args: ArgsOf<typeof workflowVersions>,
  { api, output }: CliContext,
): Promise<number> {
  const rows = await api.all('/api/v1/workflows/{name}/versions', {
    path: { name: args.workflow },
    schema: workflowVersionSchema,
  });
  await output.list(rows, VERSION_COLUMNS, rows, 'No versions.');
  return EXIT.ok;
}

/** `workflow export`: the definition, as YAML unless JSON is asked for. */
export async function exportWorkflow(
  args: ArgsOf<typeof workflowExport>,
  { api, output }: CliContext,
): Promise<number> {
  const { definition } = await api.workflow(args.workflow, args.version);
  if (output.format === 'json' || output.format === 'jsonl') {
    output.text(JSON.stringify(definition, null, output.format === 'json' ? 2 : undefined));
    return EXIT.ok;
  }
  const { stringify } = await import('yaml');
  output.text(stringify(definition, { lineWidth: 100 }).trimEnd());
  return EXIT.ok;
}

/** `workflow plan`: exit code 1 when a run would be refused. */
export async function planWorkflow(
  args: ArgsOf<typeof workflowPlan>,
  { api, output }: CliContext,
): Promise<number> {
  const plan = await api.send('get', '/api/v1/workflows/{name}/plan', {
    path: { name: args.workflow },
    query: { version: args.version },
    schema: workflowPlanSchema,
  });
  const people = () => {
    output.line(`${output.paint('bold', clean(plan.name))} v${plan.version}`);
    for (const server of plan.servers) {
      const known = server.configured ? (server.status ?? '') : 'not configured';
      output.note(
        server.configured ? 'ok' : 'danger',
        server.configured ? '✓' : '✕',
        server.name,
        `${known}  ${server.tools.join(', ')}`,
      );
    }
    for (const sub of plan.subworkflows)
      output.note(
        sub.found ? 'ok' : 'danger',
        sub.found ? '✓' : '✕',
        sub.name,
        sub.found ? 'workflow' : 'workflow, not there',
      );
    output.line();
    output.table(plan.steps, STEP_COLUMNS);
    for (const problem of plan.problems) {
      const isError = problem.severity === 'error';
      output.note(
        isError ? 'danger' : 'warn',
        isError ? '✕' : '⚠',
        problem.nodeId ?? problem.pointer,
        `${problem.message} ${problem.fix}`,
      );
    }
    output.line();
    if (plan.runnable) output.note('ok', '✓', 'A run can start');
    else output.note('danger', '✕', 'A run would be refused');
  };
  await output.record(plan, people, plan.steps, STEP_COLUMNS);
  return plan.runnable ? EXIT.ok : EXIT.failed;
}
