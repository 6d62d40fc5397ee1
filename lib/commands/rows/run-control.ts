import { RUN_ID } from '@/lib/commands/rows/run';
import { defineCommand } from '@/lib/commands/types';

const REASON = { name: 'reason', type: 'string', summary: 'Why; it is kept in the history.' } as const;
const EXAMPLE = '0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10';

/** Begin nothing new. */
export const runPause = defineCommand({
  code: 'PAUS',
  name: 'run pause',
  aliases: ['run hold'],
  keywords: ['stop', 'wait', 'freeze', 'suspend'],
  summary: 'Pause a run',
  help: 'The run begins nothing new; steps under way may end and are recorded. `run resume` lets it go on.',
  args: [RUN_ID],
  flags: [REASON],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [{ line: `run pause ${EXAMPLE} --reason "database is down"`, does: 'Hold a run.' }],
});

/** Let a paused run go on. */
export const runResume = defineCommand({
  code: 'RSUM',
  name: 'run resume',
  aliases: ['run unpause', 'run continue'],
  keywords: ['go', 'unfreeze', 'proceed'],
  summary: 'Let a paused run go on',
  help: 'Without effect on a run that is not paused.',
  args: [RUN_ID],
  flags: [REASON],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [{ line: `run resume ${EXAMPLE}`, does: 'Go on.' }],
});

/** End a run at once. */
export const runTerminate = defineCommand({
  code: 'TERM',
  name: 'run terminate',
  aliases: ['run kill'],
  keywords: ['abort', 'force', 'end', 'destroy'],
  summary: 'End a run at once',
  help: 'Nothing is compensated and no step gets to clean up. `run cancel` is the gentle way.',
  args: [RUN_ID],
  flags: [REASON],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  confirm: 'End this run at once, without compensation? It cannot be taken back.',
  output: 'record',
  examples: [{ line: `run terminate ${EXAMPLE} --yes`, does: 'End it without being asked.' }],
});

const APPROVAL = {
  name: 'approval',
  type: 'string',
  placeholder: 'ID',
  summary: 'Which question; needed only when the run asks several.',
} as const;
const COMMENT = {
  name: 'comment',
  short: 'm',
  type: 'string',
  summary: 'What to say with it; it is kept in the history.',
} as const;

/** Say yes. */
export const runApprove = defineCommand({
  code: 'APPR',
  name: 'run approve',
  aliases: ['task approve'],
  keywords: ['yes', 'allow', 'accept', 'confirm', 'approval'],
  summary: 'Say yes to a question of a run',
  help: 'Decides an open approval. A question with a form wants its data in --form.',
  args: [RUN_ID],
  flags: [
    APPROVAL,
    COMMENT,
    {
      name: 'form',
      short: 'f',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'Data that the question asks for.',
    },
  ],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [
    { line: `run approve ${EXAMPLE} --form '{"amount":3}' -m "checked"`, does: 'Say yes, with data.' },
  ],
});

/** Say no. */
export const runReject = defineCommand({
  code: 'REJ',
  name: 'run reject',
  aliases: ['task reject'],
  keywords: ['no', 'deny', 'refuse', 'decline', 'approval'],
  summary: 'Say no to a question of a run',
  help: 'Decides an open approval with a no: the run takes the way for it, or fails.',
  args: [RUN_ID],
  flags: [APPROVAL, COMMENT],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [{ line: `run reject ${EXAMPLE} -m "too expensive"`, does: 'Say no, and why.' }],
});

/** Say what became of a call. */
export const runResolve = defineCommand({
  code: 'RSLV',
  name: 'run resolve',
  aliases: ['task resolve'],
  keywords: ['unknown', 'outcome', 'settle', 'done', 'parked'],
  summary: 'Say what became of a call whose outcome nobody knows',
  help: 'Find out first whether the call took effect. `retry` makes it again, `completed` takes --result as its result, `failed` fails it.',
  args: [
    RUN_ID,
    {
      name: 'resolution',
      type: 'enum',
      values: ['retry', 'completed', 'failed'],
      summary: 'What became of it: retry, completed or failed.',
    },
  ],
  flags: [
    {
      name: 'step',
      type: 'string',
      placeholder: 'PATH',
      summary: 'Full path of the step; needed only when several calls of the run wait.',
    },
    {
      name: 'result',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'Result of the call, with completed.',
    },
    COMMENT,
  ],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [
    { line: `run resolve ${EXAMPLE} retry`, does: 'Make the call again.' },
    {
      line: `run resolve ${EXAMPLE} completed --result '{"id":7}'`,
      does: 'It took effect: go on with this result.',
    },
  ],
});

/** Everything that waits for people. */
export const taskList = defineCommand({
  code: 'TASK',
  name: 'task list',
  aliases: ['tasks', 'task ls', 'task'],
  keywords: ['approvals', 'inbox', 'todo', 'waiting', 'people', 'human'],
  summary: 'List what waits for people',
  help: 'Open questions, questions of servers, and calls whose outcome nobody knows, over all open runs.',
  args: [],
  flags: [
    {
      name: 'kind',
      type: 'enum',
      values: ['approval', 'unknown-outcome', 'input'],
      summary: 'Only tasks of this kind.',
    },
    { name: 'limit', short: 'n', type: 'integer', min: 1, max: 200, summary: 'At least this many (50).' },
    { name: 'cursor', type: 'string', summary: 'Continue after the page that printed this cursor.' },
  ],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'table',
  examples: [{ line: 'task list --kind approval', does: 'Questions that are open.' }],
});
