import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '@/lib/protocol/errors';
import type { StdioServerConfig } from '@/lib/protocol/server-config';
import type { ChildRegistry } from '@/server/adapters/mcp/child-registry';
import type { ServerLog } from '@/server/adapters/mcp/server-log';
import { StdioTransport } from '@/server/adapters/mcp/stdio-transport';

/** Variables of ours that a server gets. Anything else, above all a secret, only when its configuration names it. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'USER',
  'LOGNAME',
  'SHELL',
  'TERM',
];

const DEFAULT_MEMORY_MB = 2048;

/** What every server process of this fleet shares. */
export interface LaunchOptions {
  dataDir: string;
  /** Commands that may be run, compared as written: `node` allows `node`, not `/tmp/node`. */
  stdioCommands: readonly string[];
  /** The environment from which the few variables that are passed on are taken. */
  environment: Readonly<Record<string, string | undefined>>;
  maxMessageBytes: number;
  children: ChildRegistry;
  now: () => number;
}

/** The environment of a server process. */
export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  configured: Record<string, string>,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = own[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...configured };
}

/**
 * The transport of a stdio server, not started yet.
 *
 * @throws COMMAND_NOT_ALLOWED
 */
export function stdioTransport(
  organizationId: string,
  server: string,
  config: StdioServerConfig,
  log: ServerLog,
  options: LaunchOptions,
): StdioTransport {
  const { command } = config;
  if (!options.stdioCommands.includes(command)) {
    throw new AppError(
      'COMMAND_NOT_ALLOWED',
      `${server} wants to run ${command}, which is not on the list of allowed commands.`,
    );
  }
  const cwd = config.cwd ?? path.join(options.dataDir, 'run', 'servers', organizationId, server);
  mkdirSync(cwd, { recursive: true });
  log.started();
  return new StdioTransport({
    // The very Node that runs us: bundled servers then need no node on the PATH.
    command: command === 'node' ? process.execPath : command,
    args: config.args,
    env: childEnvironment(options.environment, config.env),
    cwd,
    maxMessageBytes: options.maxMessageBytes,
    maxMemoryBytes: (config.memoryMb ?? DEFAULT_MEMORY_MB) * 1_048_576,
    children: options.children,
    log,
    now: options.now,
  });
}
