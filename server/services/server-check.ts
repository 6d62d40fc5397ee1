import { AppError } from '@/lib/protocol/errors';
import { type ServerConfig, serverConfigSchema } from '@/lib/protocol/server-config';
import { hideSecret, type ImportedServers } from '@/server/services/server-import';

const PLACEHOLDER = /\$\{([^}]*)\}/g;
const SECRET = /^secret:([A-Za-z_][A-Za-z0-9_.-]*)$/;

/** A configuration as it may be stored, and the values that were taken out of it. */
export interface CheckedServer {
  config: ServerConfig;
  secrets: Array<{ name: string; value: string }>;
  /** Names of the secrets that it refers to. */
  uses: string[];
}

/**
 * Checks a configuration that somebody sent: what it runs must be allowed, its address must be one, nothing but secrets
 * may be filled in later (the environment of this process is not for those who add servers). Values that look secret
 * become references.
 *
 * @throws COMMAND_NOT_ALLOWED, INVALID_INPUT
 */
export function checkServer(
  name: string,
  config: ServerConfig,
  stdioCommands: readonly string[],
): CheckedServer {
  if (config.type === 'stdio') {
    if (!stdioCommands.includes(config.command))
      throw new AppError('COMMAND_NOT_ALLOWED', `The command ${config.command} is not on the list.`, {
        path: '/config/command',
      });
  } else if (!/^https?:\/\//.test(config.url)) {
    throw new AppError('INVALID_INPUT', 'The address of a server begins with http:// or https://.', {
      path: '/config/url',
    });
  }
  const found: ImportedServers = { servers: [], secrets: [], problems: [] };
  const hideAll = (values: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, hideSecret(value, key, [key], name, found)]),
    );
  const hidden: ServerConfig =
    config.type === 'stdio'
      ? { ...config, env: hideAll(config.env) }
      : {
          ...config,
          headers: hideAll(config.headers),
          ...(config.oauth === undefined ? {} : { oauth: hideAll(config.oauth as Record<string, string>) }),
        };
  const uses = new Set<string>();
  for (const [whole, inside = ''] of JSON.stringify(hidden).matchAll(PLACEHOLDER)) {
    const [, secret] = SECRET.exec(inside) ?? [];
    if (secret !== undefined) uses.add(secret);
    // A URL template of a registry (`{host}`) is kept: the server then says what is to be filled in.
    else if (inside.includes(':'))
      throw new AppError('INVALID_INPUT', `${whole} is not known here; only \${secret:NAME} is filled in.`, {
        path: '/config',
      });
  }
  const secrets = found.secrets.map((secret) => ({ name: secret.name, value: secret.value ?? '' }));
  return { config: serverConfigSchema.parse(hidden), secrets, uses: [...uses] };
}
