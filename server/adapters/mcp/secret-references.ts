import { AppError } from '@/lib/protocol/errors';
import type { ServerConfig } from '@/lib/protocol/server-config';

/** Gives the value of a secret of an organisation, or undefined when there is none. */
export type SecretLookup = (organizationId: string, name: string) => Promise<string | undefined>;

const SECRET = /\$\{secret:([^}]+)\}/g;
/** What a registry writes for a value that the user has to fill in: `{name}` or `${name}`. */
const TEMPLATE = /\$?\{[A-Za-z][^}]*\}/;

/** True when a URL still holds a placeholder, so that nobody can have meant it to be called as it is. */
export function isTemplateUrl(url: string): boolean {
  return TEMPLATE.test(url.replace(SECRET, ''));
}

/** Names of the secrets that connections need, in the order of the configuration; those of OAuth clients are not among them. */
export function secretNames(config: ServerConfig): string[] {
  const texts =
    config.type === 'stdio'
      ? [...config.args, ...Object.values(config.env)]
      : [config.url, ...Object.values(config.headers)];
  const names = texts.flatMap((text) => [...text.matchAll(SECRET)].map(([, name = '']) => name));
  return [...new Set(names)];
}

/**
 * The configuration with `${secret:NAME}` replaced, for one connection: the result is used at once and kept nowhere.
 *
 * @param from `own`: where the connection's secrets come from; `ofClients`: where those of OAuth clients come from, which are
 *   the organisation's, whoever signs in
 * @param onValue told each value that is put in
 * @throws SERVER_NOT_CONFIGURED when a secret is missing
 */
export async function withSecrets<T extends ServerConfig>(
  organizationId: string,
  config: T,
  from: { own: SecretLookup; ofClients: SecretLookup },
  onValue: (value: string) => void,
): Promise<T> {
  const fill = async (text: string, lookup = from.own): Promise<string> => {
    const values = new Map<string, string>();
    for (const [, name] of text.matchAll(SECRET)) {
      if (name === undefined || values.has(name)) continue;
      const value = await lookup(organizationId, name);
      if (value === undefined) throw new AppError('SERVER_NOT_CONFIGURED', `The secret ${name} is not set.`);
      values.set(name, value);
      onValue(value);
    }
    return text.replace(SECRET, (_whole, name: string) => values.get(name) ?? '');
  };
  const fillAll = async (
    record: Record<string, string>,
    lookup = from.own,
  ): Promise<Record<string, string>> => {
    const entries = Object.entries(record).map(
      async ([key, value]) => [key, await fill(value, lookup)] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  };
  if (config.type === 'stdio') {
    return {
      ...config,
      args: await Promise.all(config.args.map((text) => fill(text))),
      env: await fillAll(config.env),
    };
  }
  const { oauth } = config;
  const filledOauth =
    oauth === undefined ? {} : { oauth: await fillAll(oauth as Record<string, string>, from.ofClients) };
  return { ...config, url: await fill(config.url), headers: await fillAll(config.headers), ...filledOauth };
}
