import { defineCommand } from '@/lib/commands/types';
import { WEBHOOK_SCHEMES } from '@/lib/protocol/webhooks';

const NAME = {
  name: 'hook',
  type: 'string',
  placeholder: 'NAME',
  summary: 'Name of the address.',
} as const;

const SETTINGS = [
  { name: 'workflow', type: 'string', object: 'workflow', summary: 'Start this workflow.' },
  { name: 'version', type: 'integer', min: 1, summary: 'This version of it; the newest when left out.' },
  {
    name: 'input',
    short: 'i',
    type: 'json-or-file',
    placeholder: 'JSON|@FILE|-',
    summary: 'Its input, with expressions over body, headers and query; the body when left out.',
  },
  { name: 'signal', type: 'string', summary: 'In place of --workflow: send this signal.' },
  { name: 'run', type: 'string', summary: 'Run to signal; an expression such as ${body.run}.' },
  {
    name: 'workflow-id',
    type: 'string',
    summary: 'Workflow id to start under, or whose open run is signalled; may hold expressions.',
  },
  {
    name: 'payload',
    type: 'json-or-file',
    placeholder: 'JSON|@FILE|-',
    summary: 'Payload of the signal; the body when left out.',
  },
  { name: 'scheme', type: 'enum', values: WEBHOOK_SCHEMES, summary: 'How deliveries are signed (standard).' },
  {
    name: 'when',
    type: 'string',
    placeholder: 'EXPRESSION',
    summary: 'Ignore deliveries that do not fulfil this.',
  },
  { name: 'state', type: 'enum', values: ['on', 'off'], summary: 'Switch it on or off (on).' },
] as const;

const GRACE = {
  name: 'grace',
  type: 'duration',
  min: 0,
  max: 7 * 86_400_000,
  summary: 'How long the old secret stays good (1d).',
} as const;

const common = { objects: [], surfaces: ['cli'] } as const;

/** Every address that other programs post to. */
export const hookList = defineCommand({
  ...common,
  code: 'HKL',
  name: 'hook list',
  aliases: ['hook ls'],
  keywords: ['webhook', 'incoming', 'inbound', 'address', 'github'],
  summary: 'List the addresses that other programs post to',
  help: 'Each starts a run or signals one for every signed delivery.',
  args: [],
  flags: [],
  role: 'viewer',
  output: 'table',
  examples: [{ line: 'hook list', does: 'Every address.' }],
});

/** One address. */
export const hookShow = defineCommand({
  ...common,
  code: 'HKS',
  name: 'hook show',
  aliases: ['hook get'],
  keywords: ['webhook', 'incoming', 'inbound', 'detail'],
  summary: 'Show an address and what it does',
  help: 'The secret is never shown: it was when the address was made, or rotated.',
  args: [NAME],
  flags: [],
  role: 'viewer',
  output: 'record',
  examples: [{ line: 'hook show orders', does: 'One address.' }],
});

/** Make an address. */
export const hookAdd = defineCommand({
  ...common,
  code: 'HKA',
  name: 'hook add',
  aliases: ['hook create'],
  keywords: ['webhook', 'incoming', 'inbound', 'new', 'github'],
  summary: 'Make an address that other programs post to',
  help: 'Give --workflow to start runs, or --signal with --run or --workflow-id. The secret is printed this once.',
  args: [NAME],
  flags: SETTINGS,
  role: 'admin',
  output: 'record',
  examples: [
    { line: 'hook add orders --workflow document-pipeline', does: 'The body becomes the input.' },
    {
      line: `hook add paid --signal paid --workflow-id "\${body.order.id}" --when "body.amount > 0"`,
      does: 'Signals the open run of an order.',
    },
  ],
});

/** Change an address. */
export const hookEdit = defineCommand({
  ...common,
  code: 'HKE',
  name: 'hook edit',
  aliases: ['hook update'],
  keywords: ['webhook', 'incoming', 'inbound', 'change', 'disable', 'enable'],
  summary: 'Change what an address does',
  help: 'What is not given stays as it is; the address and its secret stay in any case.',
  args: [NAME],
  flags: SETTINGS,
  role: 'admin',
  output: 'record',
  examples: [{ line: 'hook edit orders --state off', does: 'Switch it off.' }],
});

/** Remove an address. */
export const hookRemove = defineCommand({
  ...common,
  code: 'HKR',
  name: 'hook remove',
  aliases: ['hook delete', 'hook rm'],
  keywords: ['webhook', 'incoming', 'inbound', 'drop'],
  summary: 'Remove an address',
  help: 'Runs that it started go on.',
  args: [NAME],
  flags: [],
  role: 'admin',
  confirm: 'Remove this address? It cannot be taken back.',
  output: 'record',
  examples: [{ line: 'hook remove orders --yes', does: 'Remove without being asked.' }],
});

/** A new secret. */
export const hookRotate = defineCommand({
  ...common,
  code: 'HKK',
  name: 'hook rotate',
  keywords: ['webhook', 'incoming', 'secret', 'key', 'renew'],
  summary: 'Make a new secret for an address',
  help: 'The new secret is printed this once; the old one stays good for a while.',
  args: [NAME],
  flags: [GRACE],
  role: 'admin',
  output: 'record',
  examples: [{ line: 'hook rotate orders --grace 1h', does: 'An hour to change over.' }],
});

/** What came in. */
export const hookDeliveries = defineCommand({
  ...common,
  code: 'HKD',
  name: 'hook deliveries',
  aliases: ['hook log'],
  keywords: ['webhook', 'incoming', 'received', 'history', 'errors'],
  summary: 'List what came in and what became of it',
  help: 'Newest first, refused deliveries with the reason.',
  args: [NAME],
  flags: [{ name: 'limit', short: 'n', type: 'integer', min: 1, max: 200, summary: 'How many (50).' }],
  role: 'viewer',
  output: 'table',
  examples: [{ line: 'hook deliveries orders -n 10', does: 'The newest ten.' }],
});
