import { auth, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { AppError } from '@/lib/protocol/errors';
import type { HttpServerConfig } from '@/lib/protocol/server-config';
import { asFetchLike, type GuardedFetch } from '@/server/adapters/mcp/http-fetch';
import {
  type FixedClient,
  FleetOAuthProvider,
  type OAuthClientOptions,
} from '@/server/adapters/mcp/oauth-provider';
import type { OAuthKey } from '@/server/ports/oauth-store';

/** How long a refreshed token answers further requests to refresh it. */
const REFRESH_COUNTS_MS = 5000;

/**
 * The OAuth side of the fleet: credentials for connections, and the flow in which a person grants them (RFC 9728,
 * 8414, 8707, 9207 and PKCE by the SDK). Refreshes of one token that happen at once share one request, because many
 * authorization servers take a refresh token only once.
 */
export class Authorizer {
  private readonly interactive = new Map<string, FleetOAuthProvider>();
  private readonly refreshing = new Map<string, Promise<TokenAnswer>>();
  /** The guarded fetch with shared refreshes. */
  readonly fetch: GuardedFetch;

  constructor(
    private readonly options: OAuthClientOptions | undefined,
    fetch: GuardedFetch,
  ) {
    this.fetch = Object.assign(
      (url: string | URL, init: RequestInit = {}, observer = {}) =>
        this.sharedFetch(fetch, url, init, observer),
      { close: () => fetch.close() },
    );
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
        fetchFn: asFetchLike(this.fetch),
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
      fetch: asFetchLike(this.fetch),
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
    return new FleetOAuthProvider(key, (config.oauth ?? {}) as FixedClient, this.options, interactive);
  }

  private async sharedFetch(
    fetch: GuardedFetch,
    url: string | URL,
    init: RequestInit,
    observer: object,
  ): Promise<Response> {
    const { body } = init;
    if (!(body instanceof URLSearchParams) || body.get('grant_type') !== 'refresh_token')
      return fetch(url, init, observer);
    const id = `${String(url)}\n${body.get('refresh_token')}`;
    let shared = this.refreshing.get(id);
    if (shared === undefined) {
      shared = fetch(url, init).then(async (response) => ({
        status: response.status,
        headers: response.headers,
        body: await response.text(),
      }));
      this.refreshing.set(id, shared);
      const forget = () => this.refreshing.delete(id);
      shared.then((answer) => this.keepFor(String(url), body, answer, forget), forget);
    }
    const answer = await shared;
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  }

  /**
   * Answers for a moment more from what was just got: calls that were refused with the old token come here one by one,
   * the later ones already with the new refresh token.
   */
  private keepFor(url: string, sent: URLSearchParams, answer: TokenAnswer, forget: () => void): void {
    const token = answer.status === 200 ? newRefreshToken(answer.body) : undefined;
    if (token === undefined) {
      forget();
      return;
    }
    const id = `${url}\n${token ?? sent.get('refresh_token')}`;
    this.refreshing.set(id, Promise.resolve(answer));
    setTimeout(() => {
      forget();
      this.refreshing.delete(id);
    }, REFRESH_COUNTS_MS).unref();
  }
}

interface TokenAnswer {
  status: number;
  headers: Headers;
  body: string;
}

/** The refresh token of an answer, null when the old one stays, undefined when it is no answer to a refresh. */
function newRefreshToken(body: string): string | null | undefined {
  try {
    const { access_token: access, refresh_token: refresh } = JSON.parse(body) as Record<string, unknown>;
    if (typeof access !== 'string') return undefined;
    return typeof refresh === 'string' ? refresh : null;
  } catch {
    return undefined;
  }
}

function keyText(key: OAuthKey): string {
  return [key.organizationId, key.server, key.subject].join('\u0000');
}
