import { z } from 'zod';
import type * as rows from '@/lib/commands/rows/hook';
import type { ArgsOf } from '@/lib/commands/types';
import {
  type InboundDeliveryBody,
  inboundDeliverySchema,
  type WebhookAction,
  type WebhookInBody,
  type WebhookInSecretBody,
  webhookInSchema,
  webhookInSecretSchema,
} from '@/lib/protocol/webhooks';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readJsonSource } from '@/server/cli/input';
import { clean } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

const BASE = '/api/v1/webhooks/in';
const ONE = '/api/v1/webhooks/in/{name}';

const COLUMNS: readonly Column<WebhookInBody>[] = [
  { title: 'NAME', value: (row) => row.name },
  {
    title: 'STATE',
    value: (row) => (row.enabled ? 'on' : 'off'),
    tone: (row) => (row.enabled ? 'ok' : 'warn'),
  },
  { title: 'DOES', value: (row) => does(row.action) },
  { title: 'SCHEME', value: (row) => row.scheme },
  { title: 'LAST', value: (row) => row.lastAt, show: (row) => row.lastAt ?? '–' },
  { title: 'PATH', value: (row) => row.path },
];

const DELIVERY_COLUMNS: readonly Column<InboundDeliveryBody>[] = [
  { title: 'TIME', value: (row) => row.at },
  {
    title: 'STATUS',
    value: (row) => row.status,
    tone: (row) => (row.status === 'accepted' ? 'ok' : row.status === 'refused' ? 'danger' : 'dim'),
  },
  { title: 'DELIVERY', value: (row) => row.deliveryId },
  { title: 'RUN', value: (row) => row.runId, show: (row) => row.runId ?? '–' },
  { title: 'REASON', value: (row) => row.error, show: (row) => row.error ?? '' },
];

function does(action: WebhookAction): string {
  if (action.kind === 'start') {
    return `start ${action.workflow}${action.version === undefined ? '' : ` v${action.version}`}`;
  }
  return `signal ${action.signal} to ${action.runId ?? `workflow id ${action.workflowId}`}`;
}

/** `hook list` */
export async function listHooks(_args: object, { api, output }: CliContext): Promise<number> {
  const items = await api.all(BASE, { schema: webhookInSchema });
  await output.list(items, COLUMNS, items, 'No addresses that others post to.');
  return EXIT.ok;
}

/** `hook show` */
export async function showHook(args: ArgsOf<typeof rows.hookShow>, context: CliContext): Promise<number> {
  return told(await read(args.hook, context), '', context);
}

/** `hook add` */
export async function addHook(args: ArgsOf<typeof rows.hookAdd>, context: CliContext): Promise<number> {
  const body = { name: args.hook, ...(await settings(args, context, null)) };
  const row = await context.api.send('post', BASE, { body, schema: webhookInSecretSchema });
  return toldSecret(row, `Address ${row.name} made`, context);
}

/** `hook edit`: what is not given is taken from the address as it is. */
export async function editHook(args: ArgsOf<typeof rows.hookEdit>, context: CliContext): Promise<number> {
  const now = await read(args.hook, context);
  const body = await settings(args, context, now);
  const path = { name: args.hook };
  const row = await context.api.send('put', ONE, { path, body, schema: webhookInSchema });
  return told(row, `Address ${row.name} changed`, context);
}

/** `hook remove` */
export async function removeHook(args: ArgsOf<typeof rows.hookRemove>, context: CliContext): Promise<number> {
  await context.api.send('delete', ONE, { path: { name: args.hook }, schema: z.unknown() });
  const row = { name: args.hook, removed: true };
  const people = () => context.output.note('ok', '✓', `Address ${args.hook} removed`);
  await context.output.record(row, people, [row], [{ title: 'NAME', value: (it) => it.name }]);
  return EXIT.ok;
}

/** `hook rotate` */
export async function rotateHook(args: ArgsOf<typeof rows.hookRotate>, context: CliContext): Promise<number> {
  const row = await context.api.send('post', '/api/v1/webhooks/in/{name}/rotate', {
    path: { name: args.hook },
    body: args.grace === undefined ? {} : { graceSeconds: Math.round(args.grace / 1000) },
    schema: webhookInSecretSchema,
  });
  return toldSecret(row, `Secret of ${row.name} renewed`, context);
}

/** `hook deliveries` */
export async function listHookDeliveries(
  args: ArgsOf<typeof rows.hookDeliveries>,
  { api, output }: CliContext,
): Promise<number> {
  const { items } = await api.send('get', '/api/v1/webhooks/in/{name}/deliveries', {
    path: { name: args.hook },
    query: { limit: args.limit },
    schema: z.looseObject({ items: z.array(inboundDeliverySchema) }),
  });
  await output.list(items, DELIVERY_COLUMNS, items, 'Nothing came in yet.');
  return EXIT.ok;
}

function read(name: string, { api }: CliContext): Promise<WebhookInBody> {
  return api.send('get', ONE, { path: { name }, schema: webhookInSchema });
}

/** The flags as a body; `now` is what holds where a flag is not given. */
async function settings(
  args: Omit<ArgsOf<typeof rows.hookAdd>, 'hook'>,
  context: CliContext,
  now: WebhookInBody | null,
) {
  const action = await actionOf(args, context, now?.action ?? null);
  const when = args.when ?? now?.when ?? undefined;
  return {
    action,
    scheme: args.scheme ?? now?.scheme ?? 'standard',
    enabled: args.state === undefined ? (now?.enabled ?? true) : args.state === 'on',
    ...(when === undefined ? {} : { when }),
  };
}

async function actionOf(
  args: Omit<ArgsOf<typeof rows.hookAdd>, 'hook'>,
  context: CliContext,
  now: WebhookAction | null,
): Promise<WebhookAction> {
  const { workflow, version, signal, run } = args;
  if (workflow !== undefined && signal !== undefined) {
    throw badInput('INVALID_INPUT', 'Give --workflow or --signal, not both.', { path: '--signal' });
  }
  const workflowId = args['workflow-id'];
  const kind = workflow !== undefined ? 'start' : signal !== undefined ? 'signal' : now?.kind;
  if (kind === undefined) {
    throw badInput('INVALID_INPUT', 'Say what a delivery does: --workflow or --signal.', {
      path: '--workflow',
    });
  }
  const json = async (source: typeof args.input, flag: string) =>
    source === undefined ? undefined : readJsonSource(source, flag, context.input);
  const given =
    kind === 'start'
      ? { kind, workflow, version, workflowId, input: await json(args.input, '--input') }
      : { kind, signal, runId: run, workflowId, payload: await json(args.payload, '--payload') };
  const kept: Partial<Record<string, unknown>> = now?.kind === kind ? { ...now } : {};
  // Another workflow has versions of its own; a run and a workflow id exclude each other.
  if (workflow !== undefined) delete kept.version;
  if (run !== undefined) delete kept.workflowId;
  if (workflowId !== undefined && kind === 'signal') delete kept.runId;
  const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...kept, ...set } as WebhookAction;
}

async function told(row: WebhookInBody, text: string, { output }: CliContext): Promise<number> {
  const people = () => {
    if (text !== '') output.note('ok', '✓', text);
    output.line(`${output.paint('bold', clean(row.name))}  ${row.enabled ? 'on' : 'off'}  ${row.scheme}`);
    output.line(`${clean(does(row.action))}${row.when === null ? '' : `  when ${clean(row.when)}`}`);
    output.line(`POST ${row.path}`);
  };
  await output.record(row, people, [row], COLUMNS);
  return EXIT.ok;
}

async function toldSecret(row: WebhookInSecretBody, text: string, { output }: CliContext): Promise<number> {
  const people = () => {
    output.note('ok', '✓', text);
    output.line(`POST ${row.path}`);
    output.line(`secret ${row.secret}`);
    output.line(output.paint('dim', 'The secret is shown this once.'));
  };
  await output.record(row, people, [row], [...COLUMNS, { title: 'SECRET', value: (it) => it.secret }]);
  return EXIT.ok;
}
