import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { badInput } from '@/server/cli/cli-error';
import type { CliEnvironment } from '@/server/config/cli-environment';

/**
 * Where the instance is: `--url`, OPENCONDUCTOR_URL, the instance that runs on the data folder, else HOST and PORT.
 * Read again for every connection attempt: a restarted instance may have another port.
 */
export async function findBaseUrl(
  flag: string | undefined,
  env: CliEnvironment,
  root: string | undefined,
): Promise<string> {
  if (flag !== undefined) return checked(flag, '--url');
  if (env.url !== undefined) return checked(env.url, 'OPENCONDUCTOR_URL');
  const running = root === undefined ? undefined : await runningUrl(resolve(root, env.dataDir));
  if (running !== undefined) return running;
  const host = env.host === '0.0.0.0' || env.host === '::' ? '127.0.0.1' : env.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${env.port === 0 ? 3000 : env.port}`;
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

function checked(url: string, source: string): string {
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
