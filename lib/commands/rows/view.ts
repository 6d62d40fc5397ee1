import { defineCommand } from '@/lib/commands/types';
import { RUN_STATUSES } from '@/lib/protocol/run';
import { VIEW_COLUMNS } from '@/lib/protocol/views';

const VIEW = { name: 'view', type: 'string', summary: 'Name or id of the view.', object: 'view' } as const;

/** Saved views. */
export const viewList = defineCommand({
  code: 'VIEW',
  name: 'view list',
  aliases: ['view ls'],
  keywords: ['saved', 'filters', 'searches', 'bookmarks'],
  summary: 'List saved views of runs',
  help: 'Your own and the shared ones. `run list --view NAME` shows the runs of one.',
  args: [],
  flags: [],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'ACT',
  output: 'table',
  examples: [{ line: 'view list', does: 'Every view.' }],
});

/** One saved view. */
export const viewShow = defineCommand({
  code: 'VWS',
  name: 'view show',
  aliases: ['view get'],
  keywords: ['saved', 'filters', 'describe'],
  summary: 'Show a saved view',
  help: 'Prints its filters, columns and order.',
  args: [VIEW],
  flags: [],
  objects: ['run'],
  role: 'viewer',
  surfaces: ['cli', 'bar'],
  panel: 'ACT',
  output: 'record',
  examples: [{ line: 'view show failures', does: 'One view.' }],
});

/** Save a view, or change one. */
export const viewSave = defineCommand({
  code: 'VWSV',
  name: 'view save',
  aliases: ['view create', 'view edit'],
  keywords: ['saved', 'filters', 'remember', 'bookmark', 'share'],
  summary: 'Save a view of runs under a name',
  help:
    'Makes the view, or replaces your view of that name as a whole. It is refused when somebody else has changed the view in between. ' +
    'Yours alone unless --shared.',
  args: [{ name: 'name', type: 'string', summary: 'Name of the view.' }],
  flags: [
    {
      name: 'status',
      short: 's',
      type: 'list',
      placeholder: 'STATUS,…',
      summary: `Runs in one of these states: ${RUN_STATUSES.join(', ')}.`,
    },
    { name: 'workflow', type: 'string', object: 'workflow', summary: 'Runs of this workflow.' },
    { name: 'workflow-id', type: 'string', placeholder: 'ID', summary: 'Runs of this chain.' },
    { name: 'within', type: 'duration', summary: 'Runs created at most this long ago (24h, 7d).' },
    {
      name: 'since',
      type: 'string',
      placeholder: 'TIME',
      summary: 'Runs created at this time or later (ISO 8601).',
    },
    {
      name: 'until',
      type: 'string',
      placeholder: 'TIME',
      summary: 'Runs created before this time (ISO 8601).',
    },
    {
      name: 'attribute',
      type: 'string',
      placeholder: 'NAME:VALUE',
      summary: 'Runs with this search attribute.',
    },
    {
      name: 'columns',
      type: 'list',
      placeholder: 'COLUMN,…',
      summary: `What is shown: ${VIEW_COLUMNS.join(', ')}.`,
    },
    {
      name: 'sort',
      type: 'string',
      placeholder: 'COLUMN[:asc|desc]',
      summary: 'Order of the rows of a page.',
    },
    { name: 'shared', type: 'boolean', summary: 'For everybody of the organisation.' },
  ],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  panel: 'ACT',
  output: 'record',
  examples: [
    { line: 'view save failures --status failed,timed_out --within 24h', does: 'What failed within a day.' },
    { line: 'view save slow --sort durationMs:desc --shared', does: 'The slowest first, for everybody.' },
  ],
});

/** Remove a view. */
export const viewRemove = defineCommand({
  code: 'VWRM',
  name: 'view remove',
  aliases: ['view delete', 'view rm'],
  keywords: ['saved', 'delete', 'forget'],
  summary: 'Remove a saved view',
  help: 'The runs themselves are not touched.',
  args: [VIEW],
  flags: [],
  objects: ['run'],
  role: 'operator',
  surfaces: ['cli', 'bar'],
  confirm: 'Remove this view?',
  output: 'record',
  examples: [{ line: 'view remove failures --yes', does: 'Forget it.' }],
});
