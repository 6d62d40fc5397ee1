import { auth, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { AppError } from '@/lib/protocol/errors';
import type { HttpServerConfig } from '@/lib/protocol/server-config';
import { ClientCredentialsProvider } from '@/server/adapters/mcp/client-credentials';
import { asFetchLike, type GuardedFetch } from '@/server/adapters/mcp/http-fetch';
import {
  type FixedClient,
  FleetOAuthProvider,
  type OAuthClientOptions,
} from '@/server/adapters/mcp/oauth-provider';
import { TokenSharing } from '@/server/adapters/mcp/token-sharing';
import type { OAuthKey } from '@/server/ports/oauth-store';

/**
 * The OAuth side of the fleet: credentials for connections, and the flow in which a person grants them (RFC 9728,
 * 8414, 8707, 9207 and PKCE by the SDK), or the grant that needs no person.
 */
export class Authorizer {
  private readonly interactive = new Map<string, FleetOAuthProvider>();
  private readonly sharing: TokenSharing | undefined;

  constructor(
    private readonly options: OAuthClientOptions | undefined,
    private readonly fetch: GuardedFetch,
  ) {
    this.sharing = options === undefined ? undefined : new TokenSharing(options.store, fetch);
  }

  /** The guarded fetch for connections of one authorization, with shared requests for tokens. */
  fetchFor(key: OAuthKey): GuardedFetch {
    return this.sharing?.for(key) ?? this.fetch;
  }

  /** Ends idle connections to servers. */
  close(): void {
    this.fetch.close();
  }

  /** Credentials for a connection; undefined when OAuth is not set up or the server has credentials of its own. */
  provider(key: OAuthKey, config: HttpServerConfig): FleetOAuthProvider | undefined {
    if (this.options === undefined) return undefined;
    if (Object.keys(config.headers).some((name) => name.toLowerCase() === 'authorization')) return undefined;
    return this.interactive.get(keyText(key)) ?? this.make(key, config, false);
  }

  /**
   * Runs `attempt` (opening a connection) as a person would: it may lead to a page where access is granted.
   *
   * @returns the page, or undefined when the attempt went through without one
   */
  async authorize(
    key: OAuthKey,
    config: HttpServerConfig,
    attempt: () => Promise<void>,
  ): Promise<URL | undefined> {
    const provider = this.make(key, config, true);
    const text = keyText(key);
    this.interactive.set(text, provider);
    try {
      await attempt();
      const scope = await provider.wantedScope();
      if (scope === undefined) return undefined;
      // Access works, but a call needed more than was granted: ask for that.
      const options = {
        serverUrl: config.url,
        scope,
        forceReauthorization: true,
        fetchFn: asFetchLike(this.fetchFor(key)),
      };
      await auth(provider, options);
      return provider.authorizationUrl;
    } catch (error) {
      if (provider.authorizationUrl !== undefined) return provider.authorizationUrl;
      throw error;
    } finally {
      if (this.interactive.get(text) === provider) this.interactive.delete(text);
    }
  }

  /** Whose flow a callback belongs to. Throws FORBIDDEN for a `state` that is unknown, used or too old. */
  async callbackKey(parameters: URLSearchParams): Promise<OAuthKey> {
    const state = parameters.get('state');
    const key = state === null ? undefined : await this.options?.store.takeState(state, this.options.now());
    if (key === undefined)
      throw new AppError('FORBIDDEN', 'This sign-in is unknown, was used already or is too old.');
    return key;
  }

  /** Exchanges the code that a person came back with. Throws SERVER_AUTH_REQUIRED when that fails. */
  async finish(key: OAuthKey, config: HttpServerConfig, parameters: URLSearchParams): Promise<void> {
    const authProvider = this.make(key, config, true);
    authProvider.returning = true;
    const transport = new StreamableHTTPClientTransport(new URL(config.url), {
      authProvider,
      fetch: asFetchLike(this.fetchFor(key)),
    });
    try {
      await transport.finishAuth(parameters);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AppError('SERVER_AUTH_REQUIRED', `${key.server} did not grant access: ${reason}`, {
        cause: error,
      });
    }
  }

  /** Forgets the tokens and the registration. */
  async forget(key: OAuthKey): Promise<void> {
    await this.options?.store.remove(key);
  }

  private make(key: OAuthKey, config: HttpServerConfig, interactive: boolean): FleetOAuthProvider {
    if (this.options === undefined)
      throw new AppError('SERVER_NOT_CONFIGURED', 'OAuth is not set up in this process.');
    const fixed = (config.oauth ?? {}) as FixedClient;
    if (fixed.grant === 'client-credentials') return new ClientCredentialsProvider(key, fixed, this.options);
    return new FleetOAuthProvider(key, fixed, this.options, interactive);
  }
}

function keyText(key: OAuthKey): string {
  return [key.organizationId, key.server, key.subject].join('\u0000');
}
