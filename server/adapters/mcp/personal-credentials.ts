import { AppError } from '@/lib/protocol/errors';
import type { ServerConfig } from '@/lib/protocol/server-config';
import type { PoolKey } from '@/server/adapters/mcp/pool';
import { type SecretLookup, secretNames } from '@/server/adapters/mcp/secret-references';
import type { PersonalSecretReader } from '@/server/ports/personal-secret-store';

/** Whose connections a server's are: the person's, or '' for the organisation's. */
export function subjectAt(config: ServerConfig, subject = ''): string {
  return isPersonal(config) ? subject : '';
}

/** True when connections of the server are opened with what persons have of their own. */
export function isPersonal({ credentials = 'organization' }: ServerConfig): boolean {
  return credentials !== 'organization';
}

/** What persons have of their own, for servers whose configuration says so. */
export class PersonalCredentials {
  /** What a connection was opened with: names and times of the person's secrets. */
  private readonly used = new Map<string, string>();

  constructor(
    private readonly personal: PersonalSecretReader | undefined,
    private readonly organization: SecretLookup,
  ) {}

  /** How `${secret:NAME}` is looked up for a connection. It throws PERSONAL_SECRET_MISSING. */
  lookup({ subject, server }: PoolKey, config: ServerConfig): SecretLookup {
    if (subject === '' || !isPersonal(config)) return this.organization;
    return async (organizationId, name) => {
      const own = await this.personal?.read(organizationId, subject, name);
      if (own !== undefined) return own;
      if (config.credentials === 'user-or-organization') return this.organization(organizationId, name);
      throw missing(server, name);
    };
  }

  /**
   * Looks, before a call, whether the person still has what the server needs, and calls `changed` when it is not what the
   * open connection was opened with: another process may have taken it away.
   *
   * @throws PERSONAL_SECRET_MISSING
   */
  async check(key: PoolKey, config: ServerConfig, changed: () => void): Promise<void> {
    const { organizationId, server, subject } = key;
    const names = secretNames(config);
    if (!isPersonal(config)) return;
    if (subject === '')
      throw new AppError('PERSONAL_SECRET_MISSING', `${server} is called for persons only.`);
    if (names.length === 0) return;
    const list = (await this.personal?.list(organizationId, subject)) ?? [];
    const has = new Map(list.map(({ name, updatedAt }) => [name, updatedAt]));
    const text = [organizationId, server, subject].join('\u0000');
    const lacking = names.find((name) => !has.has(name));
    const now = names.map((name) => `${name} ${has.get(name) ?? ''}`).join('\n');
    const before = this.used.get(text);
    if (before !== now) {
      this.used.set(text, now);
      if (before !== undefined) changed();
    }
    if (lacking !== undefined && config.credentials === 'user') throw missing(server, lacking);
  }
}

function missing(server: string, name: string): AppError {
  return new AppError(
    'PERSONAL_SECRET_MISSING',
    `${server} wants a secret ${name} of the person who started the run, and they have set none.`,
  );
}
