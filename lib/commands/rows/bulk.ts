import { defineCommand } from '@/lib/commands/types';
import { BULK_ACTIONS } from '@/lib/protocol/bulk';
import { RUN_STATUSES } from '@/lib/protocol/run';

const ID = {
  name: 'bulk',
  type: 'string',
  placeholder: 'BULK_ID',
  summary: 'Id of the bulk operation.',
} as const;

/** Do one thing to many runs. */
export const bulkRun = defineCommand({
  code: 'BULK',
  name: 'bulk start',
  aliases: ['bulk create', 'bulk do'],
  keywords: ['many', 'all', 'batch', 'mass', 'pause', 'resume', 'cancel', 'terminate', 'signal', 'retry'],
  summary: 'Pause, resume, cancel, terminate, signal or retry many runs',
  help:
    'Every open run that fits the flags gets the command; at least one flag must be given. `retry` takes closed runs instead, by ' +
    'default those that failed, timed out or were given up, and starts the next run of each chain once. On a terminal the runs are ' +
    'counted first and you are asked, unless --yes is given. Follows the operation until it ends; leaving it does not stop it.',
  args: [{ name: 'action', type: 'enum', values: BULK_ACTIONS, summary: 'What to do.' }],
  flags: [
    {
      name: 'status',
      short: 's',
      type: 'list',
      summary: `Only runs in these states (${RUN_STATUSES.slice(0, 3).join(', ')}).`,
    },
    { name: 'workflow', type: 'string', object: 'workflow', summary: 'Only runs of this workflow.' },
    { name: 'started-after', type: 'string', summary: 'Only runs created at this time or later, ISO 8601.' },
    { name: 'started-before', type: 'string', summary: 'Only runs created before this time, ISO 8601.' },
    { name: 'ids', type: 'list', object: 'run', summary: 'Only these runs.' },
    { name: 'reason', type: 'string', summary: 'Why; it is kept in the histories.' },
    { name: 'signal', type: 'string', summary: 'Name of the signal, for `signal`.' },
    {
      name: 'payload',
      short: 'p',
      type: 'json-or-file',
      placeholder: 'JSON|@FILE|-',
      summary: 'What the signal carries.',
    },
    { name: 'dry-run', type: 'boolean', summary: 'Only count the runs.' },
    { name: 'detach', short: 'd', type: 'boolean', summary: 'Do not wait for the end.' },
  ],
  objects: ['run', 'workflow'],
  role: 'operator',
  surfaces: ['cli'],
  output: 'record',
  examples: [
    {
      line: 'bulk start cancel --workflow document-pipeline --reason "wrong data"',
      does: 'Cancel all its open runs.',
    },
    { line: 'bulk start pause --status running --dry-run', does: 'How many would be paused?' },
    {
      line: 'bulk start retry --workflow document-pipeline --started-after 2026-11-20T08:00:00Z',
      does: 'Take up what failed this morning.',
    },
  ],
});

/** Bulk operations, newest first. */
export const bulkList = defineCommand({
  code: 'BLKL',
  name: 'bulk list',
  aliases: ['bulk ls'],
  keywords: ['many', 'batch', 'progress'],
  summary: 'List bulk operations, newest first',
  help: 'Shows how far each one is.',
  args: [],
  flags: [
    { name: 'limit', short: 'n', type: 'integer', min: 1, max: 200, summary: 'At most this many (50).' },
  ],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'table',
  examples: [{ line: 'bulk list -n 5', does: 'The five newest.' }],
});

/** One bulk operation. */
export const bulkShow = defineCommand({
  code: 'BLKS',
  name: 'bulk show',
  aliases: ['bulk get', 'bulk status'],
  keywords: ['progress', 'failures', 'state'],
  summary: 'Show a bulk operation and its failures',
  help: 'Shows how far it is, and the first runs that refused the command with their reasons.',
  args: [ID],
  flags: [],
  objects: [],
  role: 'viewer',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'bulk show 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10', does: 'One operation.' }],
});

/** End a bulk operation. */
export const bulkStop = defineCommand({
  code: 'BLKX',
  name: 'bulk stop',
  aliases: ['bulk cancel'],
  keywords: ['end', 'abort', 'halt'],
  summary: 'End a bulk operation early',
  help: 'Runs that have the command already keep it.',
  args: [ID],
  flags: [],
  objects: [],
  role: 'operator',
  surfaces: ['cli'],
  output: 'record',
  examples: [{ line: 'bulk stop 0192f3a0-7c11-7d2e-9b1a-3f5d8c6e2a10', does: 'Go no further.' }],
});
