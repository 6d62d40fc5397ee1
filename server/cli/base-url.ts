import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { badInput } from '@/server/cli/cli-error';
import { profileNamed, readProfiles } from '@/server/cli/profiles';
import type { CliEnvironment } from '@/server/config/cli-environment';

/** An instance, and the key for it. */
export interface Target {
  url: string;
  apiKey: string | undefined;
}

/**
 * Which instance is meant, the first of: `--url`, `--profile`, OPENCONDUCTOR_URL, OPENCONDUCTOR_PROFILE, the profile in use,
 * the instance that runs on the data folder, HOST and PORT. A profile's key goes to its own address only; everywhere
 * else, and with a profile that has none, it is OPENCONDUCTOR_API_KEY. Found again for every connection attempt: a
 * restarted instance may have another port.
 */
export async function findTarget(
  flags: { url?: string | undefined; profile?: string | undefined },
  env: CliEnvironment,
  root: string | undefined,
): Promise<Target> {
  const { apiKey } = env;
  if (flags.url !== undefined && flags.profile !== undefined) {
    throw badInput('INVALID_INPUT', '--url and --profile contradict each other.', {
      path: '--profile',
      next: 'Give one of them.',
    });
  }
  if (flags.url !== undefined) return { url: checkedUrl(flags.url, '--url'), apiKey };
  const wanted = flags.profile ?? (env.url === undefined ? env.profile : undefined);
  if (wanted !== undefined) {
    const path = flags.profile === undefined ? 'OPENCONDUCTOR_PROFILE' : '--profile';
    const profile = profileNamed(await readProfiles(env.configDir), wanted, path);
    return { url: checkedUrl(profile.url, wanted), apiKey: profile.apiKey ?? apiKey };
  }
  if (env.url !== undefined) return { url: checkedUrl(env.url, 'OPENCONDUCTOR_URL'), apiKey };
  const all = await readProfiles(env.configDir);
  if (all.current !== null) {
    const profile = profileNamed(all, all.current, 'profile use');
    return { url: checkedUrl(profile.url, all.current), apiKey: profile.apiKey ?? apiKey };
  }
  const running = root === undefined ? undefined : await runningUrl(resolve(root, env.dataDir));
  if (running !== undefined) return { url: running, apiKey };
  const host = env.host === '0.0.0.0' || env.host === '::' ? '127.0.0.1' : env.host;
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${env.port === 0 ? 3000 : env.port}`;
  return { url, apiKey };
}

/** The folder of the repository: the nearest one above `from` whose package.json is ours. */
export async function findRoot(from: readonly string[]): Promise<string | undefined> {
  for (const start of from) {
    for (let folder = resolve(start); ; folder = dirname(folder)) {
      if (await isOurs(folder)) return folder;
      if (folder === dirname(folder)) break;
    }
  }
  return undefined;
}

async function isOurs(folder: string): Promise<boolean> {
  const found = await readJson(join(folder, 'package.json'));
  return (found as { name?: unknown } | undefined)?.name === 'openconductor';
}

/** Address in `run/instance.json`. A stale file does no harm: nothing answers there. */
async function runningUrl(dataDir: string): Promise<string | undefined> {
  const found = (await readJson(join(dataDir, 'run', 'instance.json'))) as { url?: unknown } | undefined;
  const url = found?.url;
  return typeof url === 'string' && isHttp(url) ? trimmed(url) : undefined;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** An http(s) address without slashes behind it. Throws CliError INVALID_INPUT naming where it came from. */
export function checkedUrl(url: string, source: string): string {
  if (!isHttp(url)) {
    throw badInput('INVALID_INPUT', `${source} is not an http(s) address: ${url}`, {
      path: source,
      next: 'Write it like http://127.0.0.1:3000.',
    });
  }
  return trimmed(url);
}

function isHttp(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, '');
}
