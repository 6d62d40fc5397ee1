import type * as rows from '@/lib/commands/rows/profile';
import type { ArgsOf } from '@/lib/commands/types';
import { checkedUrl } from '@/server/cli/base-url';
import { badInput, EXIT } from '@/server/cli/cli-error';
import type { CliContext } from '@/server/cli/context';
import { readText } from '@/server/cli/input';
import {
  PROFILE_NAME,
  type Profiles,
  profileNamed,
  readProfiles,
  writeProfiles,
} from '@/server/cli/profiles';
import type { Column } from '@/server/cli/table';

/** A profile as it may be shown: of the key only whether there is one. */
interface Shown {
  name: string;
  url: string;
  apiKey: boolean;
  current: boolean;
}

const COLUMNS: readonly Column<Shown>[] = [
  { title: 'PROFILE', value: (row) => row.name, tone: (row) => (row.current ? 'ok' : undefined) },
  { title: 'URL', value: (row) => row.url },
  { title: 'API_KEY', value: (row) => String(row.apiKey), show: (row) => (row.apiKey ? 'set' : 'none') },
  { title: 'IN_USE', value: (row) => String(row.current), show: (row) => (row.current ? 'yes' : '') },
];

function shown(all: Profiles, name: string): Shown {
  const { url, apiKey } = profileNamed(all, name, 'NAME');
  return { name, url, apiKey: apiKey !== undefined, current: all.current === name };
}

/** `profile add` */
export async function addProfile(args: ArgsOf<typeof rows.profileAdd>, context: CliContext): Promise<number> {
  const { name } = args;
  if (!PROFILE_NAME.test(name))
    throw badInput('INVALID_INPUT', 'A name is letters, digits, dot, underscore and hyphen.', {
      path: 'NAME',
    });
  if (context.globals.url === undefined) {
    throw badInput('INVALID_INPUT', 'A profile needs an address.', {
      path: '--url',
      next: `openconductor profile add ${name} --url https://…`,
    });
  }
  const url = checkedUrl(context.globals.url, '--url');
  const apiKey = args['api-key-stdin'] ? await readKey(context) : undefined;
  if (apiKey !== undefined && !isSafe(url)) {
    context.output.note('warn', '⚠', 'The key will go over the network unprotected', 'use https');
  }
  const all = await readProfiles(context.configDir);
  const profiles = { ...all.profiles, [name]: { url, ...(apiKey === undefined ? {} : { apiKey }) } };
  const changed = { ...all, profiles };
  await writeProfiles(context.configDir, changed);
  return told(shown(changed, name), `Added ${name}`, context);
}

async function readKey({ input, interactive, askSecret }: CliContext): Promise<string> {
  const text =
    interactive && input.stdinIsTTY
      ? await askSecret('API key: ')
      : await readText('-', '--api-key-stdin', input);
  const key = text.trim();
  if (/^[\x21-\x7e]{1,4096}$/.test(key)) return key;
  throw badInput('INVALID_INPUT', 'That is no API key: one line of visible ASCII characters.', {
    path: '--api-key-stdin',
  });
}

/** Protected by TLS, or never leaving this machine. */
function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
}

/** `profile list` */
export async function listProfiles(_args: object, { output, configDir }: CliContext): Promise<number> {
  const all = await readProfiles(configDir);
  const rows = Object.keys(all.profiles)
    .sort()
    .map((name) => shown(all, name));
  await output.list(rows, COLUMNS, rows, 'No profiles.');
  return EXIT.ok;
}

/** `profile show` */
export async function showProfile(
  args: ArgsOf<typeof rows.profileShow>,
  { output, configDir }: CliContext,
): Promise<number> {
  const all = await readProfiles(configDir);
  const name = args.name ?? all.current;
  if (name === null) throw badInput('INVALID_INPUT', 'No profile is in use.', { path: 'NAME' });
  const row = shown(all, name);
  await output.record(row, () => output.table([row], COLUMNS), [row], COLUMNS);
  return EXIT.ok;
}

/** `profile use` */
export async function useProfile(args: ArgsOf<typeof rows.profileUse>, context: CliContext): Promise<number> {
  const all = await readProfiles(context.configDir);
  if (args.name !== undefined) profileNamed(all, args.name, 'NAME');
  const changed = { ...all, current: args.name ?? null };
  await writeProfiles(context.configDir, changed);
  if (args.name !== undefined) return told(shown(changed, args.name), `Using ${args.name}`, context);
  const people = () => context.output.note('ok', '✓', 'Using no profile');
  await context.output.record({ current: null }, people, [], COLUMNS);
  return EXIT.ok;
}

/** `profile remove` */
export async function removeProfile(
  args: ArgsOf<typeof rows.profileRemove>,
  context: CliContext,
): Promise<number> {
  const all = await readProfiles(context.configDir);
  const row = shown(all, args.name);
  const { [args.name]: _, ...profiles } = all.profiles;
  const current = all.current === args.name ? null : all.current;
  await writeProfiles(context.configDir, { current, profiles });
  return told({ ...row, current: false }, `Removed ${args.name}`, context);
}

async function told(row: Shown, text: string, { output }: CliContext): Promise<number> {
  await output.record(row, () => output.note('ok', '✓', text, row.url), [row], COLUMNS);
  return EXIT.ok;
}
