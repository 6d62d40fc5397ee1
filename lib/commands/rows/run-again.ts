import { REVEAL, RUN_ID, TIMEOUT } from '@/lib/commands/rows/run';
import { defineCommand } from '@/lib/commands/types';

const EXAMPLE = '0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10';
const DETACH = {
  name: 'detach',
  short: 'd',
  type: 'boolean',
  summary: 'Print the id of the new run and return at once.',
} as const;

/** What did not complete, again. */
export const runRetry = defineCommand({
  code: 'RTRY',
  name: 'run retry',
  keywords: ['again', 'repeat', 'failed', 'recover'],
  summary: 'Do again what did not complete',
  help: 'Starts a new run of the chain that takes over the results of completed steps, and follows it. The closed run stays as it is.',
  args: [RUN_ID],
  flags: [DETACH, TIMEOUT],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  panel: 'EXE',
  output: 'stream',
  examples: [{ line: `run retry ${EXAMPLE}`, does: 'Take up a failed run.' }],
});

/** One step and what comes after it, again. */
export const runRerun = defineCommand({
  code: 'RRUN',
  name: 'run rerun',
  keywords: ['again', 'repeat', 'from', 'step', 'node'],
  summary: 'Do one step and all that comes after it again',
  help: 'Starts a new run of the chain that takes over the results of the steps before, and follows it.',
  args: [RUN_ID, { name: 'step', type: 'string', summary: 'Id of the step in the definition.' }],
  flags: [DETACH, TIMEOUT],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  panel: 'EXE',
  output: 'stream',
  examples: [{ line: `run rerun ${EXAMPLE} extract`, does: 'Begin again at one step.' }],
});

/** Everything, again. */
export const runRestart = defineCommand({
  code: 'RSTA',
  name: 'run restart',
  keywords: ['again', 'repeat', 'fresh', 'redo'],
  summary: 'Do everything again',
  help: 'Starts a new run of the chain with the same input, and follows it. --latest takes the newest version of the workflow.',
  args: [RUN_ID],
  flags: [
    { name: 'latest', type: 'boolean', summary: 'With the newest version of the workflow.' },
    {
      name: 'input',
      short: 'i',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'Another input.',
    },
    DETACH,
    TIMEOUT,
  ],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  panel: 'EXE',
  output: 'stream',
  examples: [{ line: `run restart ${EXAMPLE} --latest`, does: 'Run it again as it is defined now.' }],
});

/** The whole history as a document. */
export const runHistory = defineCommand({
  code: 'HIST',
  name: 'run history',
  aliases: ['run download'],
  keywords: ['export', 'temporal', 'dump', 'replay', 'archive'],
  summary: 'Print the whole history of a run as JSON',
  help: '--format temporal gives the shape of a Temporal history file, which the tools of Temporal can show.',
  args: [RUN_ID],
  flags: [
    REVEAL,
    {
      name: 'format',
      type: 'enum',
      values: ['native', 'temporal'],
      summary: 'Form of the document (native).',
    },
  ],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  output: 'record',
  examples: [{ line: `run history ${EXAMPLE} --format temporal`, does: 'For the tools of Temporal.' }],
});

/** One content that is kept apart, as a file. */
export const runPayload = defineCommand({
  code: 'RPAY',
  name: 'run payload',
  aliases: ['run download-payload'],
  keywords: ['image', 'audio', 'file', 'attachment', 'blob', 'content', 'save'],
  summary: 'Save a picture, file or long text of a run',
  help:
    'Outputs hold {"$payload": {"sha256": …}} in the place of large parts; this saves one of them as a file. A file that exists ' +
    'is not overwritten.',
  args: [
    RUN_ID,
    { name: 'sha256', type: 'string', summary: 'SHA-256 of the content, as the output names it.' },
  ],
  flags: [
    REVEAL,
    {
      name: 'file',
      short: 'f',
      type: 'string',
      placeholder: 'PATH',
      summary: 'Where to save it (payload-… here).',
    },
  ],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    {
      line: `run payload ${EXAMPLE} 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 -f chart.png`,
      does: 'Save a picture.',
    },
  ],
});
