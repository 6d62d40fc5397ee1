import type { workflowStarter } from '@/lib/commands/rows/workflow';
import type { ArgsOf } from '@/lib/commands/types';
import type { WorkflowSummary } from '@/lib/protocol/api';
import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { readmeOf, sampleInputOf, type WorkflowReadme } from '@/lib/protocol/workflow-readme';
import type { Json } from '@/lib/shared/json';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { clean, cleanLines } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

interface StarterRow {
  name: string;
  version: number;
  title: string | null;
  summary: string;
  servers: string[];
}

const STARTER_COLUMNS: readonly Column<StarterRow>[] = [
  { title: 'NAME', value: (row) => row.name },
  { title: 'SERVERS', value: (row) => row.servers.join(','), show: (row) => row.servers.join(', ') },
  { title: 'SHOWS', value: (row) => row.summary },
];

/** `workflow starters`: the workflows that have a readme. */
export async function listStarters(_args: object, { api, output }: CliContext): Promise<number> {
  const rows = (await api.workflows()).flatMap((row) => {
    const readme = readmeOf(row.description);
    return readme === null ? [] : [toRow(row, readme)];
  });
  await output.list(rows, STARTER_COLUMNS, rows, 'No starters. They need the bundled servers.');
  if (rows.length > 0) {
    output.line();
    output.line('Read one with: openconductor workflow starter NAME');
    output.line('Run one with:  openconductor orchestrate NAME --sample');
  }
  return EXIT.ok;
}

function toRow({ name, version, title, servers }: WorkflowSummary, { summary }: WorkflowReadme): StarterRow {
  return { name, version, title, summary, servers: servers ?? [] };
}

/** `workflow starter NAME`: readme, sample input, expected result. */
export async function showStarter(
  args: ArgsOf<typeof workflowStarter>,
  { api, output }: CliContext,
): Promise<number> {
  const { definition, name, version } = await api.workflow(args.workflow);
  const { title, description } = definition as WorkflowDefinition;
  const sample = sampleOf(args.workflow, definition);
  if (args.sample === true) {
    output.text(JSON.stringify(sample, null, output.format === 'jsonl' ? undefined : 2));
    return EXIT.ok;
  }
  const readme = readmeOf(description);
  const run = `openconductor orchestrate ${name} --sample`;
  const people = () => {
    output.line(
      `${output.paint('bold', clean(title ?? name))}  ${output.paint('dim', `${name} v${version}`)}`,
    );
    output.line();
    output.line(cleanLines(readme?.text ?? description ?? ''));
    const part = (heading: string) => {
      output.line();
      output.line(`## ${heading}`);
      output.line();
    };
    part('Sample input');
    output.value(sample);
    part('Run it');
    output.line(run);
    if (readme === null) return;
    part('Expected result');
    output.value(readme.expected);
  };
  const row = {
    name,
    version,
    title: title ?? null,
    readme: readme?.text ?? description ?? null,
    sample,
    run,
    expected: readme?.expected ?? null,
  };
  await output.record(row, people, [row], [{ title: 'NAME', value: (it) => it.name }]);
  return EXIT.ok;
}

/** The sample input of a workflow. @throws CliError INVALID_INPUT when it has none */
export function sampleOf(workflow: string, definition: unknown): Json {
  const sample = sampleInputOf(definition);
  if (sample !== undefined) return sample;
  throw badInput('INVALID_INPUT', `The workflow ${workflow} has no sample input.`, {
    path: '--sample',
    next: 'Give --input. A workflow gets a sample by "examples" in the schema of its input.',
  });
}
