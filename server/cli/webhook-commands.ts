import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type * as rows from '@/lib/commands/rows/webhook';
import type { ArgsOf } from '@/lib/commands/types';
import {
  type OutboundDeliveryBody,
  outboundDeliverySchema,
  replayAnswerSchema,
  type WebhookEvent,
  type WebhookOutBody,
  type WebhookOutSecretBody,
  webhookOutSchema,
  webhookOutSecretSchema,
} from '@/lib/protocol/webhooks';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { clean } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

const BASE = '/api/v1/webhooks/out';
const ONE = '/api/v1/webhooks/out/{name}';
const DELIVERY = '/api/v1/webhooks/out/{name}/deliveries/{deliveryId}';
/** How long `webhook test` waits for the first attempt, and how often it looks. */
const TEST_MS = 25_000;
const LOOK_MS = 300;

const COLUMNS: readonly Column<WebhookOutBody>[] = [
  { title: 'NAME', value: (row) => row.name },
  {
    title: 'STATE',
    value: stateOf,
    tone: (row) => (!row.enabled ? 'warn' : row.failingSince === null ? 'ok' : 'danger'),
  },
  { title: 'FORMAT', value: (row) => row.format },
  { title: 'EVENTS', value: (row) => (row.events.length === 0 ? 'all' : row.events.join(' ')) },
  { title: 'WORKFLOW', value: (row) => row.workflow, show: (row) => row.workflow ?? '' },
  { title: 'TARGET', value: (row) => row.target },
];

const DELIVERY_COLUMNS: readonly Column<OutboundDeliveryBody>[] = [
  { title: 'CREATED', value: (row) => row.createdAt },
  { title: 'EVENT', value: (row) => row.event },
  {
    title: 'STATE',
    value: (row) => row.state,
    tone: (row) => (row.state === 'delivered' ? 'ok' : row.state === 'failed' ? 'danger' : 'warn'),
  },
  { title: 'TRIES', value: (row) => row.attempts },
  { title: 'HTTP', value: (row) => row.status, show: (row) => String(row.status ?? '–') },
  { title: 'MS', value: (row) => row.latencyMs, show: (row) => String(row.latencyMs ?? '–') },
  { title: 'ERROR', value: (row) => row.error, show: (row) => row.error ?? '' },
  { title: 'DELIVERY', value: (row) => row.id },
];

function stateOf(row: WebhookOutBody): string {
  if (row.disabledAt !== null) return 'switched off';
  if (!row.enabled) return 'off';
  return row.failingSince === null ? 'on' : 'failing';
}

/** `webhook list` */
export async function listWebhooks(_args: object, { api, output }: CliContext): Promise<number> {
  const items = await api.all(BASE, { schema: webhookOutSchema });
  await output.list(items, COLUMNS, items, 'No subscriptions.');
  return EXIT.ok;
}

/** `webhook show` */
export async function showWebhook(
  args: ArgsOf<typeof rows.webhookShow>,
  context: CliContext,
): Promise<number> {
  return told(await read(args.webhook, context), '', context);
}

/** `webhook add` */
export async function addWebhook(args: ArgsOf<typeof rows.webhookAdd>, context: CliContext): Promise<number> {
  const { webhook: name, address: url, workflow } = args;
  const body = {
    name,
    url,
    format: args.format ?? 'generic',
    events: [...(args.events ?? [])] as WebhookEvent[],
    enabled: args.state !== 'off',
    ...(workflow === undefined ? {} : { workflow }),
  };
  const row = await context.api.send('post', BASE, { body, schema: webhookOutSecretSchema });
  return toldSecret(row, `Subscription ${row.name} made`, context);
}

/** `webhook edit`: what is not given is taken from the subscription as it is. */
export async function editWebhook(
  args: ArgsOf<typeof rows.webhookEdit>,
  context: CliContext,
): Promise<number> {
  const now = await read(args.webhook, context);
  const workflow = args.workflow ?? now.workflow;
  const body = {
    format: args.format ?? now.format,
    events: [...(args.events ?? now.events)] as WebhookEvent[],
    enabled: args.state === undefined ? now.enabled : args.state === 'on',
    ...(workflow === null ? {} : { workflow }),
    ...(args.address === undefined ? {} : { url: args.address }),
  };
  const path = { name: args.webhook };
  const row = await context.api.send('put', ONE, { path, body, schema: webhookOutSchema });
  return told(row, `Subscription ${row.name} changed`, context);
}

/** `webhook remove` */
export async function removeWebhook(
  args: ArgsOf<typeof rows.webhookRemove>,
  context: CliContext,
): Promise<number> {
  await context.api.send('delete', ONE, { path: { name: args.webhook }, schema: z.unknown() });
  const row = { name: args.webhook, removed: true };
  const people = () => context.output.note('ok', '✓', `Subscription ${args.webhook} removed`);
  await context.output.record(row, people, [row], [{ title: 'NAME', value: (it) => it.name }]);
  return EXIT.ok;
}

/** `webhook rotate` */
export async function rotateWebhook(
  args: ArgsOf<typeof rows.webhookRotate>,
  context: CliContext,
): Promise<number> {
  const row = await context.api.send('post', '/api/v1/webhooks/out/{name}/rotate', {
    path: { name: args.webhook },
    body: args.grace === undefined ? {} : { graceSeconds: Math.round(args.grace / 1000) },
    schema: webhookOutSecretSchema,
  });
  return toldSecret(row, `Secret of ${row.name} renewed`, context);
}

/** `webhook deliveries` */
export async function listWebhookDeliveries(
  args: ArgsOf<typeof rows.webhookDeliveries>,
  { api, output }: CliContext,
): Promise<number> {
  const { items } = await api.send('get', '/api/v1/webhooks/out/{name}/deliveries', {
    path: { name: args.webhook },
    query: { limit: args.limit, state: args.state },
    schema: z.looseObject({ items: z.array(outboundDeliverySchema) }),
  });
  await output.list(items, DELIVERY_COLUMNS, items, 'Nothing was sent yet.');
  return EXIT.ok;
}

/** `webhook replay` */
export async function replayWebhook(
  args: ArgsOf<typeof rows.webhookReplay>,
  context: CliContext,
): Promise<number> {
  const { webhook: name, delivery, since } = args;
  if ((delivery === undefined) === (since === undefined)) {
    throw badInput('INVALID_INPUT', 'Give either a delivery or --since.', { path: '--since' });
  }
  if (delivery !== undefined) {
    const path = { name, deliveryId: delivery };
    await context.api.send('post', `${DELIVERY}/replay`, { path, schema: outboundDeliverySchema });
    return replayed(1, context);
  }
  const answer = await context.api.send('post', '/api/v1/webhooks/out/{name}/replay', {
    path: { name },
    body: { since },
    schema: replayAnswerSchema,
  });
  return replayed(answer.replayed, context);
}

/** `webhook test` */
export async function testWebhook(
  args: ArgsOf<typeof rows.webhookTest>,
  context: CliContext,
): Promise<number> {
  const { api, output, interrupt } = context;
  const path = { name: args.webhook };
  let row = await api.send('post', '/api/v1/webhooks/out/{name}/test', {
    path,
    schema: outboundDeliverySchema,
  });
  const until = Date.now() + TEST_MS;
  while (row.attempts === 0 && Date.now() < until) {
    await sleep(LOOK_MS, undefined, { signal: interrupt });
    row = await api.send('get', DELIVERY, {
      path: { ...path, deliveryId: row.id },
      schema: outboundDeliverySchema,
    });
  }
  const isGood = row.state === 'delivered';
  const people = () => {
    if (isGood) output.note('ok', '✓', 'Delivered', `HTTP ${row.status} in ${row.latencyMs} ms`);
    else output.note('danger', '✗', 'Not delivered', row.error ?? 'no attempt was made yet');
  };
  await output.record(row, people, [row], DELIVERY_COLUMNS);
  return isGood ? EXIT.ok : EXIT.failed;
}

async function replayed(count: number, { output }: CliContext): Promise<number> {
  const row = { replayed: count };
  const people = () => output.note('ok', '✓', count === 1 ? '1 delivery waits' : `${count} deliveries wait`);
  await output.record(row, people, [row], [{ title: 'REPLAYED', value: (it) => it.replayed }]);
  return EXIT.ok;
}

function read(name: string, { api }: CliContext): Promise<WebhookOutBody> {
  return api.send('get', ONE, { path: { name }, schema: webhookOutSchema });
}

async function told(row: WebhookOutBody, text: string, { output }: CliContext): Promise<number> {
  const people = () => {
    if (text !== '') output.note('ok', '✓', text);
    output.line(`${output.paint('bold', clean(row.name))}  ${stateOf(row)}  ${row.format}`);
    output.line(`to ${clean(row.target)}`);
    const workflow = row.workflow === null ? '' : `  of ${clean(row.workflow)}`;
    output.line(`events ${row.events.length === 0 ? 'all' : row.events.join(' ')}${workflow}`);
    if (row.disabledReason !== null) output.line(output.paint('warn', clean(row.disabledReason)));
    else if (row.failingSince !== null)
      output.line(output.paint('danger', `failing since ${row.failingSince}`));
  };
  await output.record(row, people, [row], COLUMNS);
  return EXIT.ok;
}

async function toldSecret(row: WebhookOutSecretBody, text: string, { output }: CliContext): Promise<number> {
  const people = () => {
    output.note('ok', '✓', text);
    output.line(`to ${clean(row.target)}`);
    output.line(`secret ${row.secret}`);
    output.line(output.paint('dim', 'The secret is shown this once.'));
  };
  await output.record(row, people, [row], [...COLUMNS, { title: 'SECRET', value: (it) => it.secret }]);
  return EXIT.ok;
}
