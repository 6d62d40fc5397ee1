import { defineCommand } from '@/lib/commands/types';

const FILE = {
  name: 'file',
  type: 'string',
  summary: 'Definition as JSON or YAML; - for standard input.',
  object: 'file',
} as const;

/** Registered workflows. */
export const workflowList = defineCommand({
  code: 'WF',
  name: 'workflow list',
  aliases: ['workflow ls'],
  keywords: ['definitions', 'pipelines', 'flows', 'catalogue'],
  summary: 'List workflows',
  help: 'Shows the newest version of each workflow and the servers it uses.',
  args: [],
  flags: [],
  objects: ['workflow'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'MAP',
  output: 'table',
  examples: [{ line: 'workflow list', does: 'Every workflow.' }],
});

/** One workflow with its definition. */
export const workflowShow = defineCommand({
  code: 'WFS',
  name: 'workflow show',
  aliases: ['workflow get', 'workflow inspect'],
  keywords: ['definition', 'graph', 'describe', 'open'],
  summary: 'Show a workflow and its definition',
  help: 'Prints what is known of the workflow. --output json or yaml gives the whole document.',
  args: [{ name: 'workflow', type: 'string', summary: 'Name of the workflow.', object: 'workflow' }],
  flags: [{ name: 'version', type: 'integer', min: 1, summary: 'This version; the newest when left out.' }],
  objects: ['workflow'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'MAP',
  output: 'record',
  examples: [{ line: 'workflow show document-pipeline --output yaml', does: 'The definition as YAML.' }],
});

/** Check a definition without keeping it. */
export const workflowValidate = defineCommand({
  code: 'VAL',
  name: 'workflow validate',
  aliases: ['workflow check', 'workflow lint'],
  keywords: ['verify', 'test', 'problems', 'errors'],
  summary: 'Check a workflow definition',
  help: 'Reads a definition and lists every problem with its place and its fix. Nothing is kept. Warnings do not fail it.',
  args: [FILE],
  flags: [],
  objects: ['workflow'],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'workflow validate my-flow.yaml', does: 'Check a file before registering it.' }],
});

/** Keep a definition as the next version. */
export const workflowRegister = defineCommand({
  code: 'WREG',
  name: 'workflow register',
  aliases: ['workflow add', 'workflow create', 'workflow import'],
  keywords: ['save', 'upload', 'deploy', 'publish', 'new'],
  summary: 'Register a workflow definition',
  help:
    'Keeps the definition as the next version of its name. Runs under way stay on the version they started with. With --base it is ' +
    'refused when somebody else has registered a version since.',
  args: [FILE],
  flags: [
    {
      name: 'base',
      type: 'integer',
      min: 0,
      summary: 'The version that was edited; 0 for a workflow that must be new.',
    },
  ],
  objects: ['workflow'],
  role: 'admin',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'workflow register my-flow.yaml', does: 'Make the workflow known.' }],
});

/** Versions of one workflow. */
export const workflowVersions = defineCommand({
  code: 'WVER',
  name: 'workflow versions',
  keywords: ['revisions', 'changes', 'older', 'history'],
  summary: 'List the versions of a workflow',
  help: 'Newest first. Versions with the same hash have the same content.',
  args: [{ name: 'workflow', type: 'string', summary: 'Name of the workflow.', object: 'workflow' }],
  flags: [],
  objects: ['workflow'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'table',
  examples: [{ line: 'workflow versions document-pipeline', does: 'Every version.' }],
});

/** The definition alone. */
export const workflowExport = defineCommand({
  code: 'WEXP',
  name: 'workflow export',
  aliases: ['workflow download'],
  keywords: ['yaml', 'save', 'file', 'backup'],
  summary: 'Print the definition of a workflow',
  help: 'As YAML, ready to be edited and registered again; as JSON with --output json.',
  args: [{ name: 'workflow', type: 'string', summary: 'Name of the workflow.', object: 'workflow' }],
  flags: [{ name: 'version', type: 'integer', min: 1, summary: 'This version; the newest when left out.' }],
  objects: ['workflow'],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'text',
  examples: [{ line: 'workflow export document-pipeline', does: 'To a file: put > FILE behind it.' }],
});

/** What a run would do. */
export const workflowPlan = defineCommand({
  code: 'PLAN',
  name: 'workflow plan',
  aliases: ['workflow dryrun'],
  keywords: ['dry', 'preview', 'explain', 'order', 'simulate'],
  summary: 'Show what a run would do',
  help: 'Lists the servers, the steps in their order and every warning, without running anything. Exit code 1 when a run would be refused.',
  args: [{ name: 'workflow', type: 'string', summary: 'Name of the workflow.', object: 'workflow' }],
  flags: [{ name: 'version', type: 'integer', min: 1, summary: 'This version; the newest when left out.' }],
  objects: ['workflow'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'MAP',
  output: 'record',
  examples: [{ line: 'workflow plan document-pipeline', does: 'Before the first run.' }],
});

/** The workflows that come with a readme and a sample. */
export const workflowStarters = defineCommand({
  code: 'WST',
  name: 'workflow starters',
  aliases: ['starter list', 'starters'],
  keywords: ['samples', 'examples', 'templates', 'patterns', 'tutorial', 'demo', 'learn'],
  summary: 'List the starter workflows',
  help:
    'Workflows that have a readme, a sample input and an expected result: the ones that come along, and your own that are ' +
    'written in the same way (docs/starters.md).',
  args: [],
  flags: [],
  objects: ['workflow'],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'workflow starters', does: 'One line for each.' }],
});

/** One of them. */
export const workflowStarter = defineCommand({
  code: 'WSTS',
  name: 'workflow starter',
  aliases: ['starter show', 'workflow readme'],
  keywords: ['sample', 'example', 'template', 'readme', 'help', 'explain'],
  summary: 'Show the readme and the sample of a workflow',
  help: 'What it shows, when to use it, what a person has to do, its sample input and what a run of it ends with.',
  args: [{ name: 'workflow', type: 'string', summary: 'Name of the workflow.', object: 'workflow' }],
  flags: [{ name: 'sample', type: 'boolean', summary: 'Print the sample input alone, as JSON.' }],
  objects: ['workflow'],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    { line: 'workflow starter saga-compensation', does: 'Before the first run.' },
    {
      line: 'workflow starter saga-compensation --sample',
      does: 'To a file: put > FILE behind it, and edit that.',
    },
  ],
});
