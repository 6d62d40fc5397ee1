import { defineCommand } from '@/lib/commands/types';
import { RUN_STATUSES } from '@/lib/protocol/run';

/** The argument that names a run. */
export const RUN_ID = {
  name: 'run',
  type: 'string',
  summary: 'Id of the run.',
  placeholder: 'RUN_ID',
  object: 'run',
} as const;

/** Shows what is masked, to who may see it. */
export const REVEAL = {
  name: 'reveal',
  type: 'boolean',
  summary: 'Show sensitive values as they are (payloads:reveal; each use is in the audit log).',
} as const;

/** How long a command waits. */
export const TIMEOUT = {
  name: 'timeout',
  type: 'duration',
  min: 1,
  summary: 'Stop waiting after this long (30s, 5m, 2h). The run itself goes on.',
} as const;

/** Whose calls go first. */
export const PRIORITY = {
  name: 'priority',
  type: 'integer',
  min: 1,
  max: 5,
  summary: 'Whose calls go first when calls have to wait: 1 (first) to 5 (3).',
} as const;

/** Start a workflow and follow it. */
export const orchestrate = defineCommand({
  code: 'ORC',
  name: 'orchestrate',
  aliases: ['run start', 'workflow start'],
  keywords: ['start', 'execute', 'launch', 'begin', 'trigger', 'invoke', 'new'],
  summary: 'Start a workflow and follow its steps',
  help:
    'Finds the workflow, checks that its servers are there and that its definition is valid, starts a run and shows every ' +
    'step as it happens, then the result. The run is durable: when this program stops, the run goes on.',
  args: [{ name: 'workflow', type: 'string', summary: 'Name of the workflow.', object: 'workflow' }],
  flags: [
    {
      name: 'with',
      short: 'w',
      type: 'list',
      object: 'server',
      placeholder: 'SERVER,…',
      summary: 'Servers the run may use; a workflow that needs another one is refused.',
    },
    {
      name: 'input',
      short: 'i',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'Input of the run: JSON, a file (@path), or - for standard input.',
    },
    {
      name: 'sample',
      type: 'boolean',
      summary: 'Take the sample input of the workflow in place of --input.',
    },
    {
      name: 'version',
      type: 'integer',
      min: 1,
      summary: 'Version of the workflow; the newest when left out.',
    },
    {
      name: 'workflow-id',
      type: 'string',
      placeholder: 'ID',
      summary: 'Your own name for this piece of work. Only one open run can have it.',
    },
    PRIORITY,
    {
      name: 'detach',
      short: 'd',
      type: 'boolean',
      summary: 'Start the run, print its id and return at once.',
    },
    TIMEOUT,
  ],
  objects: ['workflow'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  panel: 'EXE',
  output: 'stream',
  examples: [
    {
      line: `orchestrate document-pipeline --with filesystem,memory --input '{"path":"welcome.md"}'`,
      does: 'Run the starter workflow on two servers and watch it.',
    },
    {
      line: 'orchestrate saga-compensation --sample',
      does: 'Run a starter with its sample input; `workflow starters` lists them.',
    },
    {
      line: 'orchestrate document-pipeline --input @input.json --detach',
      does: 'Start it and return at once.',
    },
    { line: 'document-pipeline ORC', does: 'The same verb, object first, as the command bar likes it.' },
  ],
});

/** Runs of the organisation, newest first. */
export const runList = defineCommand({
  code: 'RUN',
  name: 'run list',
  aliases: ['run ls'],
  keywords: ['executions', 'past', 'jobs', 'active', 'failed', 'recent', 'ps'],
  summary: 'List runs, newest first',
  help: 'Shows one line for each run. Give the cursor printed under a full page to read the next one.',
  args: [],
  flags: [
    {
      name: 'view',
      type: 'string',
      object: 'view',
      placeholder: 'NAME',
      summary: 'The runs, columns and order of a saved view; other flags stand over its filters.',
    },
    { name: 'status', short: 's', type: 'enum', values: RUN_STATUSES, summary: 'Only runs in this state.' },
    { name: 'workflow', type: 'string', object: 'workflow', summary: 'Only runs of this workflow.' },
    { name: 'workflow-id', type: 'string', placeholder: 'ID', summary: 'Only runs of this chain.' },
    {
      name: 'since',
      type: 'string',
      placeholder: 'TIME',
      summary: 'Only runs created at this time or later (ISO 8601).',
    },
    {
      name: 'until',
      type: 'string',
      placeholder: 'TIME',
      summary: 'Only runs created before this time (ISO 8601).',
    },
    {
      name: 'attribute',
      type: 'string',
      placeholder: 'NAME:VALUE',
      summary: 'Only runs with this search attribute.',
    },
    { name: 'limit', short: 'n', type: 'integer', min: 1, max: 200, summary: 'At most this many (50).' },
    { name: 'cursor', type: 'string', summary: 'Continue after the page that printed this cursor.' },
  ],
  objects: ['run', 'workflow'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'ACT',
  output: 'table',
  examples: [
    { line: 'run list --status failed', does: 'Runs that failed.' },
    { line: 'run list --view failures', does: 'What a saved view shows.' },
    {
      line: 'run list --workflow document-pipeline --limit 5',
      does: 'The five newest runs of one workflow.',
    },
  ],
});

/** One run: its state, steps and result. */
export const runShow = defineCommand({
  code: 'RSH',
  name: 'run show',
  aliases: ['run get', 'run inspect', 'run status'],
  keywords: ['detail', 'result', 'output', 'steps', 'nodes', 'describe', 'open'],
  summary: 'Show a run: state, steps and result',
  help: 'Shows the state of the run, each step with its timing, and the result or the failure.',
  args: [RUN_ID],
  flags: [REVEAL],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [{ line: 'run show 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10', does: 'One run with its steps.' }],
});

/** The history of a run. */
export const runEvents = defineCommand({
  code: 'EVT',
  name: 'run events',
  aliases: ['run log'],
  keywords: ['timeline', 'audit', 'trace', 'journal'],
  summary: 'Show the event history of a run',
  help: 'Prints the history as it was written, oldest first. With --follow it goes on until the run has closed.',
  args: [RUN_ID],
  flags: [
    { name: 'after', type: 'integer', min: 0, summary: 'Only events with a larger sequence number.' },
    { name: 'limit', short: 'n', type: 'integer', min: 1, summary: 'At most this many (all of them).' },
    { name: 'follow', short: 'f', type: 'boolean', summary: 'Go on as new events happen.' },
    TIMEOUT,
  ],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'stream',
  examples: [
    {
      line: 'run events 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10 --follow --json',
      does: 'Each event as one line of JSON.',
    },
  ],
});

/** Follow a run to its end. */
export const runWatch = defineCommand({
  code: 'WAT',
  name: 'run watch',
  aliases: ['run follow', 'run tail'],
  keywords: ['live', 'attach', 'progress', 'stream', 'wait'],
  summary: 'Follow a run until it closes',
  help: 'Shows the steps so far, then each one as it happens, then the result. Leaving it does not touch the run.',
  args: [RUN_ID],
  flags: [TIMEOUT],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'EXE',
  output: 'stream',
  examples: [
    { line: 'run watch 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10', does: 'Follow a run that is under way.' },
  ],
});

/** Ask a run to stop. */
export const runCancel = defineCommand({
  code: 'CANC',
  name: 'run cancel',
  aliases: ['run stop'],
  keywords: ['abort', 'kill', 'end', 'halt'],
  summary: 'Cancel a run',
  help: 'Asks the run to stop: steps under way are cancelled, and what is declared for cancellation is carried out.',
  args: [RUN_ID],
  flags: [{ name: 'reason', type: 'string', summary: 'Why; it is kept in the history.' }],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  confirm: 'Cancel this run? It cannot be taken back.',
  output: 'record',
  examples: [
    {
      line: 'run cancel 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10 --reason "wrong input" --yes',
      does: 'Cancel without being asked.',
    },
  ],
});

/** Send a signal to a run. */
export const runSignal = defineCommand({
  code: 'SIG',
  name: 'run signal',
  keywords: ['send', 'message', 'notify', 'resume', 'wake'],
  summary: 'Send a signal to a run',
  help: 'A step that waits for a signal of this name goes on with the payload. A signal that comes early is kept.',
  args: [RUN_ID, { name: 'signal', type: 'string', summary: 'Name of the signal.' }],
  flags: [
    {
      name: 'payload',
      short: 'p',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'What the signal carries.',
    },
  ],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [
    {
      line: `run signal 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10 approved --payload '{"by":"ada"}'`,
      does: 'Let a waiting step go on.',
    },
  ],
});
