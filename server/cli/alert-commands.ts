import { z } from 'zod';
import type * as rows from '@/lib/commands/rows/alert';
import type { ArgsOf } from '@/lib/commands/types';
import { type AlertBody, type AlertRules, alertRulesSchema, alertSchema } from '@/lib/protocol/alerts';
import { EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readJsonSource } from '@/server/cli/input';
import type { Column } from '@/server/cli/table';

const RULES = '/api/v1/alerts/rules';

const COLUMNS: readonly Column<AlertBody>[] = [
  {
    title: 'STATE',
    value: (row) => row.state,
    tone: (row) => (row.state === 'firing' ? 'danger' : 'ok'),
  },
  { title: 'RULE', value: (row) => row.rule },
  { title: 'ABOUT', value: (row) => row.subject, show: (row) => row.subject ?? '' },
  { title: 'RAISED', value: (row) => row.raisedAt },
  { title: 'RESOLVED', value: (row) => row.resolvedAt, show: (row) => row.resolvedAt ?? '–' },
  { title: 'MESSAGE', value: (row) => row.message },
];

interface RuleLine {
  rule: string;
  settings: string;
}

const RULE_COLUMNS: readonly Column<RuleLine>[] = [
  { title: 'RULE', value: (row) => row.rule },
  { title: 'SETTINGS', value: (row) => row.settings },
];

/** `alert list` */
export async function listAlerts(
  args: ArgsOf<typeof rows.alertList>,
  { api, output }: CliContext,
): Promise<number> {
  const { items } = await api.send('get', '/api/v1/alerts', {
    query: { limit: args.limit, state: args.state },
    schema: z.looseObject({ items: z.array(alertSchema) }),
  });
  await output.list(items, COLUMNS, items, 'No alerts.');
  return EXIT.ok;
}

/** `alert rules` */
export async function showRules(_args: object, context: CliContext): Promise<number> {
  return told(await context.api.send('get', RULES, { schema: alertRulesSchema }), context);
}

/** `alert set` */
export async function setRules(args: ArgsOf<typeof rows.alertSet>, context: CliContext): Promise<number> {
  const body = await readJsonSource(args.rules, 'RULES', context.input);
  const headers = { 'if-match': '*' };
  return told(await context.api.send('put', RULES, { body, headers, schema: alertRulesSchema }), context);
}

async function told(rules: AlertRules, { output }: CliContext): Promise<number> {
  const lines = Object.entries(rules).map(([rule, settings]) => ({
    rule,
    settings: JSON.stringify(settings),
  }));
  await output.record(rules, () => output.table(lines, RULE_COLUMNS), lines, RULE_COLUMNS);
  return EXIT.ok;
}
