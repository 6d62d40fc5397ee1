import { z } from 'zod';
import type { workflowRegister, workflowShow, workflowValidate } from '@/lib/commands/rows/workflow';
import type { ArgsOf } from '@/lib/commands/types';
import { type DefinitionProblem, validationResultSchema, type WorkflowSummary } from '@/lib/protocol/api';
import { workflowVersionSchema } from '@/lib/protocol/api-workflows';
import { isJsonObject, type Json } from '@/lib/shared/json';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readDefinition } from '@/server/cli/input';
import type { Column } from '@/server/cli/table';

const registeredSchema = z.looseObject({ name: z.string(), version: z.int() });

const WORKFLOW_COLUMNS: readonly Column<WorkflowSummary>[] = [
  { title: 'WORKFLOW', value: (row) => row.name },
  { title: 'VERSION', value: (row) => row.version, right: true },
  { title: 'STEPS', value: (row) => row.nodes, right: true },
  { title: 'SERVERS', value: (row) => row.servers.join(','), show: (row) => row.servers.join(', ') },
  { title: 'UPDATED', value: (row) => row.updatedAt },
  { title: 'TITLE', value: (row) => row.title, show: (row) => row.title ?? '' },
];

const PROBLEM_COLUMNS: readonly Column<DefinitionProblem>[] = [
  {
    title: 'SEVERITY',
    value: (row) => row.severity,
    show: (row) => (row.severity === 'error' ? '✕ error' : '⚠ warning'),
    tone: (row) => (row.severity === 'error' ? 'danger' : 'warn'),
  },
  { title: 'CODE', value: (row) => row.code },
  { title: 'STEP', value: (row) => row.nodeId },
  { title: 'PLACE', value: (row) => row.pointer },
  { title: 'MESSAGE', value: (row) => `${row.message} ${row.fix}`.trim() },
];

/** `workflow list` */
export async function listWorkflows(_args: object, { api, output }: CliContext): Promise<number> {
  const rows = await api.workflows();
  await output.list(
    rows,
    WORKFLOW_COLUMNS,
    rows,
    'No workflows yet. Register one with: openconductor workflow register FILE',
  );
  return EXIT.ok;
}

/** `workflow show` */
export async function showWorkflow(
  args: ArgsOf<typeof workflowShow>,
  { api, output }: CliContext,
): Promise<number> {
  const workflow = await api.workflow(args.workflow, args.version);
  const people = () => output.value(workflow);
  await output.record(
    workflow,
    people,
    [workflow],
    [
      { title: 'WORKFLOW', value: (row) => row.name },
      { title: 'VERSION', value: (row) => row.version },
    ],
  );
  return EXIT.ok;
}

/** `workflow validate`: exit code 2 when the definition has errors. */
export async function validateWorkflow(
  args: ArgsOf<typeof workflowValidate>,
  context: CliContext,
): Promise<number> {
  const { api, output } = context;
  const result = await api.send('post', '/api/v1/workflows/validate', {
    body: await readDefinition(args.file, context.input),
    schema: validationResultSchema,
  });
  const people = () => {
    output.table(result.problems, PROBLEM_COLUMNS);
    if (result.valid) output.note('ok', '✓', 'The definition is valid');
    else output.note('danger', '✕', 'The definition has errors');
  };
  await output.record(result, people, result.problems, PROBLEM_COLUMNS);
  return result.valid ? EXIT.ok : EXIT.badInput;
}

/** `workflow register` */
export async function registerWorkflow(
  args: ArgsOf<typeof workflowRegister>,
  context: CliContext,
): Promise<number> {
  const { api, output } = context;
  const definition = await readDefinition(args.file, context.input);
  const registered = await api.send('post', '/api/v1/workflows', {
    body: definition,
    headers: await baseOf(definition, args.base, context),
    schema: registeredSchema,
  });
  const people = () =>
    output.note('ok', '✓', 'Workflow registered', `${registered.name} v${registered.version}`);
  await output.record(
    registered,
    people,
    [registered],
    [
      { title: 'WORKFLOW', value: (row) => row.name },
      { title: 'VERSION', value: (row) => row.version },
    ],
  );
  return EXIT.ok;
}

/** Request headers that make the server refuse when the newest version is not the one that was edited. */
async function baseOf(
  definition: Json,
  base: number | undefined,
  { api }: CliContext,
): Promise<Record<string, string>> {
  if (base === undefined) return {};
  if (base === 0) return { 'if-none-match': '*' };
  const name = isJsonObject(definition) && typeof definition.name === 'string' ? definition.name : '';
  const versions = await api.all('/api/v1/workflows/{name}/versions', {
    path: { name },
    schema: workflowVersionSchema,
  });
  return { 'if-match': versions.find((row) => row.version === base)?.etag ?? `"${base}"` };
}
