import type { WorkflowDefinition } from '@/lib/protocol/definition';
import { readmeOf, sampleInputOf, type WorkflowReadme } from '@/lib/protocol/workflow-readme';
import { readStarter, starterFiles } from '@/server/services/starters';
import { serversOf } from '@/server/services/workflow-service';

interface Starter {
  file: string;
  definition: WorkflowDefinition;
  readme: WorkflowReadme;
}

/** The text of docs/starters.md, from the readme blocks of the starters in a folder. */
export async function starterDocs(folder: string): Promise<string> {
  const starters: Starter[] = [];
  for (const file of await starterFiles(folder)) {
    const definition = await readStarter(folder, file);
    const readme = readmeOf(definition.description);
    if (readme !== null) starters.push({ file, definition, readme });
  }
  const rows = starters.map(({ definition, readme }) => {
    const { name } = definition;
    return `| [${name}](#${name}) | ${readme.summary} | ${serversOf(definition).join(', ')} |`;
  });
  const parts = [
    '<!-- Generated from workflows/starters by `node scripts/run-ts.mjs scripts/generate-starter-docs.ts`. Edit the readmes there. -->',
    '# Starter workflows',
    INTRO,
    ['| workflow | what it shows | servers |', '| --- | --- | --- |', ...rows].join('\n'),
    ...starters.map(section),
    OWN,
  ];
  return `${parts.join('\n\n')}\n`;
}

const INTRO = `Each is a pattern to start from, on the servers that come along. They are there from the first start; a new version of OpenConductor
adds new ones and leaves those that exist as they are. A test runs every one of them as it is shown here.

\`\`\`sh
openconductor workflow starters                        # this list
openconductor workflow starter saga-compensation       # readme and sample
openconductor orchestrate saga-compensation --sample   # run it, nothing to type
openconductor workflow export saga-compensation > mine.yaml   # make it yours: change the name, then
openconductor workflow register mine.yaml
\`\`\`

In the repository \`openconductor\` is \`npm run oc --\`.`;

const OWN = `## A readme for your own workflow

The readme is the \`description\` of the definition, in Markdown, so it goes along with every export and import. The first paragraph is
what the list shows. A section \`## Expected result\` with a block of JSON makes the workflow show up in \`workflow starters\`; it holds
\`status\` and, as they fit, \`output\`, \`failure\` and \`steps\` (the state of steps by their path). \`<date>\` and \`<text>\` stand for values that
nobody can foresee. The sample input is the first of the \`examples\` of the input's JSON Schema; with one, \`--sample\` works.`;

function section({ file, definition, readme }: Starter): string {
  const { name, title } = definition;
  return [
    `## ${name}`,
    `**${title ?? name}** · [workflows/starters/${file}](../workflows/starters/${file})`,
    readme.text.replace(/^## /gm, '### '),
    '### Sample input',
    fence('json', JSON.stringify(sampleInputOf(definition), null, 2)),
    '### Run it',
    fence('sh', `openconductor orchestrate ${name} --sample`),
    '### Expected result',
    fence('json', JSON.stringify(readme.expected, null, 2)),
  ].join('\n\n');
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}
