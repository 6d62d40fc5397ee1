import { defineCommand } from '@/lib/commands/types';

/** Answer what a server asks in the middle of a call. */
export const runAnswer = defineCommand({
  code: 'ANSW',
  name: 'run answer',
  aliases: ['task answer'],
  keywords: ['elicitation', 'input', 'form', 'question', 'reply', 'sampling'],
  summary: 'Answer what a server asks in the middle of a call',
  help:
    'The call waits for it as long as it takes, also over restarts. `task list --kind input` shows what is asked. A form is ' +
    'filled in with --content; fields that are left out get their defaults. A page that was visited needs no content. ' +
    'Several questions at once are answered with --answers, by their keys.',
  args: [{ name: 'run', type: 'string', summary: 'Id of the run.', placeholder: 'RUN_ID', object: 'run' }],
  flags: [
    {
      name: 'node',
      type: 'string',
      placeholder: 'PATH',
      summary: 'Full path of the node, when several ask.',
    },
    {
      name: 'content',
      short: 'c',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'What the form is filled in with.',
    },
    {
      name: 'result',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'The answer in place of a language model, as MCP has it.',
    },
    {
      name: 'answers',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'Answers by key: {"key":{"action":"accept","content":{}}}.',
    },
    { name: 'decline', type: 'boolean', summary: 'Say no.' },
    { name: 'comment', type: 'string', summary: 'Why; it is kept in the history.' },
  ],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [
    {
      line: `run answer 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10 --content '{"confirm":true}'`,
      does: 'Fill the form in.',
    },
    { line: 'run answer 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10 --decline', does: 'Refuse.' },
  ],
});
