import type * as rows from '@/lib/commands/rows/settings';
import type { ArgsOf } from '@/lib/commands/types';
import {
  type InstanceSetting,
  instanceSettingsSchema,
  type Setting,
  type Settings,
  settingsSchema,
} from '@/lib/protocol/settings';
import type { Json } from '@/lib/shared/json';
import { CliError, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { clean } from '@/server/cli/style';
import type { Column } from '@/server/cli/table';

const BASE = '/api/v1/settings';

const COLUMNS: readonly Column<Setting>[] = [
  { title: 'SETTING', value: (row) => row.key },
  { title: 'VALUE', value: (row) => valueText(row.value) },
  {
    title: 'SOURCE',
    value: (row) => row.source,
    tone: (row) => (row.source === 'organisation' ? 'ok' : undefined),
  },
  { title: 'EDITABLE', value: (row) => String(row.editable), show: (row) => (row.editable ? 'yes' : 'no') },
  { title: 'DESCRIPTION', value: (row) => row.description },
];

const INSTANCE_COLUMNS: readonly Column<InstanceSetting>[] = [
  { title: 'VARIABLE', value: (row) => row.name },
  { title: 'VALUE', value: (row) => valueText(row.value) },
  { title: 'SOURCE', value: (row) => row.source },
  { title: 'DESCRIPTION', value: (row) => row.description },
];

function valueText(value: unknown): string | null {
  if (value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `settings list` */
export async function listSettings(_args: object, { api, output }: CliContext): Promise<number> {
  const settings = await api.send('get', BASE, { schema: settingsSchema });
  await output.list(settings.items, COLUMNS, settings, 'No settings.');
  output.line(output.paint('dim', `version ${settings.version}`));
  return EXIT.ok;
}

/** `settings get` */
export async function getSetting(
  args: ArgsOf<typeof rows.settingsGet>,
  context: CliContext,
): Promise<number> {
  const settings = await context.api.send('get', BASE, { schema: settingsSchema });
  return told(found(settings, args.setting), context);
}

/** `settings set` */
export async function setSetting(
  args: ArgsOf<typeof rows.settingsSet>,
  context: CliContext,
): Promise<number> {
  const settings = await context.api.send('patch', BASE, {
    body: { values: { [args.setting]: read(args.value) } },
    headers: args.version === undefined ? {} : { 'if-match': `"v${args.version}"` },
    schema: settingsSchema,
  });
  return told(found(settings, args.setting), context);
}

/** `settings instance` */
export async function listInstanceSettings(_args: object, { api, output }: CliContext): Promise<number> {
  const { items } = await api.send('get', `${BASE}/instance`, { schema: instanceSettingsSchema });
  await output.list(items, INSTANCE_COLUMNS, items, 'No settings.');
  return EXIT.ok;
}

/** JSON when it is JSON, else the text itself. */
function read(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

function found(settings: Settings, key: string): Setting {
  const setting = settings.items.find((row) => row.key === key);
  if (setting !== undefined) return setting;
  throw new CliError('SETTING_NOT_FOUND', `There is no setting ${key}.`, {
    exit: EXIT.badInput,
    path: 'SETTING',
    next: 'List the settings with `openconductor settings list`.',
  });
}

async function told(row: Setting, { output }: CliContext): Promise<number> {
  const people = () => {
    output.line(
      `${output.paint('bold', clean(row.key))}  ${clean(valueText(row.value) ?? 'null')}  (${row.source})`,
    );
    output.line(clean(row.description));
    output.line(output.paint('dim', clean(row.editable ? `takes ${row.allowed}` : row.allowed)));
  };
  await output.record(row, people, [row], COLUMNS);
  return EXIT.ok;
}
