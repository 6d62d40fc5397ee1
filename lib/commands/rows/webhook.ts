import { defineCommand } from '@/lib/commands/types';
import { OUTBOUND_STATES, WEBHOOK_FORMATS } from '@/lib/protocol/webhooks';

const NAME = {
  name: 'webhook',
  type: 'string',
  placeholder: 'NAME',
  summary: 'Name of the subscription.',
} as const;

const SETTINGS = [
  {
    name: 'format',
    type: 'enum',
    values: WEBHOOK_FORMATS,
    summary: 'What the receiver understands (generic).',
  },
  {
    name: 'events',
    type: 'list',
    placeholder: 'EVENT,…',
    summary: 'What is told, e.g. run.failed,approval.requested; everything when left out.',
  },
  { name: 'workflow', type: 'string', object: 'workflow', summary: 'Only runs of this workflow.' },
  { name: 'state', type: 'enum', values: ['on', 'off'], summary: 'Switch it on or off (on).' },
] as const;

const common = { objects: [], surfaces: ['cli'] } as const;

/** Every subscription. */
export const webhookList = defineCommand({
  ...common,
  code: 'WHL',
  name: 'webhook list',
  aliases: ['webhook ls'],
  keywords: ['outgoing', 'notify', 'subscription', 'slack', 'teams'],
  summary: 'List who is told of events',
  help: 'Shows where deliveries go, and which subscriptions fail or were switched off.',
  args: [],
  flags: [],
  role: 'viewer',
  output: 'table',
  examples: [{ line: 'webhook list', does: 'Every subscription.' }],
});

/** One subscription. */
export const webhookShow = defineCommand({
  ...common,
  code: 'WHS',
  name: 'webhook show',
  aliases: ['webhook get'],
  keywords: ['outgoing', 'notify', 'subscription', 'detail'],
  summary: 'Show a subscription',
  help: 'Addresses of chat systems are shown shortened: they are secrets.',
  args: [NAME],
  flags: [],
  role: 'viewer',
  output: 'record',
  examples: [{ line: 'webhook show ops', does: 'One subscription.' }],
});

/** Make a subscription. */
export const webhookAdd = defineCommand({
  ...common,
  code: 'WHA',
  name: 'webhook add',
  aliases: ['webhook create'],
  keywords: ['outgoing', 'notify', 'subscribe', 'slack', 'teams', 'new'],
  summary: 'Tell an address of events from now on',
  help: 'Deliveries are signed by Standard Webhooks; the secret is printed this once.',
  args: [NAME, { name: 'address', type: 'string', placeholder: 'URL', summary: 'Where deliveries go.' }],
  flags: SETTINGS,
  role: 'admin',
  output: 'record',
  examples: [
    {
      line: 'webhook add ops https://hooks.example.com/oc --events run.failed,alert.raised,alert.resolved',
      does: 'What went wrong.',
    },
    {
      line: 'webhook add chat https://hooks.slack.com/services/T0/B0/x --format slack --events approval.requested',
      does: 'Questions to a Slack channel.',
    },
  ],
});

/** Change a subscription. */
export const webhookEdit = defineCommand({
  ...common,
  code: 'WHE',
  name: 'webhook edit',
  aliases: ['webhook update'],
  keywords: ['outgoing', 'notify', 'change', 'enable', 'disable'],
  summary: 'Change a subscription, or switch it on again',
  help: 'What is not given stays as it is. One that is switched on hears of what happens from then on.',
  args: [NAME],
  flags: [
    { name: 'address', type: 'string', placeholder: 'URL', summary: 'Where deliveries go.' },
    ...SETTINGS,
  ],
  role: 'admin',
  output: 'record',
  examples: [{ line: 'webhook edit ops --state on', does: 'Switch it on again.' }],
});

/** Remove a subscription. */
export const webhookRemove = defineCommand({
  ...common,
  code: 'WHR',
  name: 'webhook remove',
  aliases: ['webhook delete', 'webhook rm'],
  keywords: ['outgoing', 'notify', 'unsubscribe', 'drop'],
  summary: 'Remove a subscription',
  help: 'What is not sent yet is not sent any more.',
  args: [NAME],
  flags: [],
  role: 'admin',
  confirm: 'Remove this subscription and its deliveries? It cannot be taken back.',
  output: 'record',
  examples: [{ line: 'webhook remove ops --yes', does: 'Remove without being asked.' }],
});

/** A new secret. */
export const webhookRotate = defineCommand({
  ...common,
  code: 'WHK',
  name: 'webhook rotate',
  keywords: ['outgoing', 'secret', 'key', 'renew'],
  summary: 'Make a new secret for a subscription',
  help: 'The new secret is printed this once; deliveries carry signatures of both for a while.',
  args: [NAME],
  flags: [
    {
      name: 'grace',
      type: 'duration',
      min: 0,
      max: 7 * 86_400_000,
      summary: 'How long deliveries are signed with the old secret too (1d).',
    },
  ],
  role: 'admin',
  output: 'record',
  examples: [{ line: 'webhook rotate ops', does: 'A day to change over.' }],
});

/** What was sent. */
export const webhookDeliveries = defineCommand({
  ...common,
  code: 'WHD',
  name: 'webhook deliveries',
  aliases: ['webhook log'],
  keywords: ['outgoing', 'sent', 'attempts', 'failed', 'history'],
  summary: 'List what was sent and what waits',
  help: 'Newest first, with the answer of the latest attempt.',
  args: [NAME],
  flags: [
    { name: 'limit', short: 'n', type: 'integer', min: 1, max: 200, summary: 'How many (50).' },
    { name: 'state', type: 'enum', values: OUTBOUND_STATES, summary: 'Only those in this state.' },
  ],
  role: 'viewer',
  output: 'table',
  examples: [{ line: 'webhook deliveries ops --state failed', does: 'What did not get through.' }],
});

/** Send again. */
export const webhookReplay = defineCommand({
  ...common,
  code: 'WHP',
  name: 'webhook replay',
  aliases: ['webhook resend'],
  keywords: ['outgoing', 'again', 'retry', 'failed'],
  summary: 'Send failed deliveries once more',
  help: 'Receivers see the same webhook-id as before. Give a delivery or --since.',
  args: [NAME, { name: 'delivery', type: 'string', required: false, summary: 'Id of one delivery.' }],
  flags: [{ name: 'since', type: 'string', summary: 'Failed ones made at this time or later, ISO 8601.' }],
  role: 'admin',
  output: 'record',
  examples: [{ line: 'webhook replay ops --since 2026-11-20T00:00:00Z', does: 'What failed since then.' }],
});

/** Send a sample. */
export const webhookTest = defineCommand({
  ...common,
  code: 'WHT',
  name: 'webhook test',
  keywords: ['outgoing', 'sample', 'try', 'ping'],
  summary: 'Send a sample and say what the receiver answered',
  help: 'Ends with an error when the first attempt fails; later attempts go on as for any delivery.',
  args: [NAME],
  flags: [],
  role: 'admin',
  output: 'record',
  examples: [{ line: 'webhook test ops', does: 'Is it heard?' }],
});
