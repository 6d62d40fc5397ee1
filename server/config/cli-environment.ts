import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { AppError } from '@/lib/protocol/errors';
import { parseSetting, SETTINGS } from './settings.mjs';

/** What the command line reads from its environment. */
export interface CliEnvironment {
  /** OPENCONDUCTOR_URL, when set. */
  url: string | undefined;
  /** OPENCONDUCTOR_API_KEY, when set. */
  apiKey: string | undefined;
  /** OPENCONDUCTOR_PROFILE, when set. */
  profile: string | undefined;
  /** Folder of the user's configuration files: XDG_CONFIG_HOME, else ~/.config. */
  configDir: string;
  /** As given: relative to the repository. */
  dataDir: string;
  host: string;
  port: number;
  /** True when NO_COLOR (no-color.org) is set to anything, or TERM is `dumb`. */
  noColor: boolean;
  /** True for a terminal that understands no control sequences. */
  dumb: boolean;
  /** Folder in which the user typed the command: npm runs scripts in the package's folder instead. */
  workingDir: string | undefined;
}

/** Only these rows are read: a wrong setting of the server must not keep the command line from running. */
type Key = 'url' | 'apiKey' | 'profile' | 'dataDir' | 'host' | 'port';

/**
 * Reads the environment of the command line.
 *
 * @throws AppError INVALID_INPUT naming the variable, its value and what is allowed
 */
export function readCliEnvironment(env: Record<string, string | undefined> = process.env): CliEnvironment {
  return {
    url: read(env, 'url') as string | undefined,
    apiKey: nonEmpty(read(env, 'apiKey')),
    profile: nonEmpty(read(env, 'profile')),
    configDir: configDirOf(env),
    dataDir: String(read(env, 'dataDir')),
    host: String(read(env, 'host')),
    port: Number(read(env, 'port')),
    noColor: (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb',
    dumb: env.TERM === 'dumb',
    workingDir: env.npm_lifecycle_event === 'oc' ? env.INIT_CWD : undefined,
  };
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A relative XDG_CONFIG_HOME counts as none, as its specification says. */
function configDirOf(env: Record<string, string | undefined>): string {
  const given = env.XDG_CONFIG_HOME ?? '';
  return isAbsolute(given) ? given : join(env.HOME ?? homedir(), '.config');
}

function read(env: Record<string, string | undefined>, key: Key): unknown {
  const setting = SETTINGS.find((row) => row.key === key);
  if (setting === undefined) throw new Error(`The table of settings has no row for ${key}.`);
  const parsed = parseSetting(setting, env[setting.name]);
  if (!parsed.ok) throw new AppError('INVALID_INPUT', parsed.problem, { path: setting.name });
  return parsed.value;
}
