import { randomBytes } from 'node:crypto';
import type {
  OAuthClientInformationContext,
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { AppError } from '@/lib/protocol/errors';
import type { JsonObject } from '@/lib/shared/json';
import type { OAuthKey, OAuthStore } from '@/server/ports/oauth-store';

const STATE_LIFETIME_MS = 600_000;

/** What is the same for every server. */
export interface OAuthClientOptions {
  store: OAuthStore;
  /** Where authorization servers send the browser back to. */
  redirectUrl: string | (() => string);
  clientName: string;
  /** HTTPS address of our client metadata document; servers that support it need no registration then. */
  clientMetadataUrl?: string;
  now: () => number;
}

/** What the configuration of a server fixes beforehand. */
export interface FixedClient {
  grant?: 'authorization-code' | 'client-credentials';
  clientId?: string;
  clientSecret?: string;
  /** PEM (PKCS#8) of the key that the client signs assertions with, and its JWS algorithm. */
  privateKey?: string;
  algorithm?: string;
  scope?: string;
  /** The authorization server that the client is registered at: its secret is shown to no other. */
  issuer?: string;
}

/** What is kept of one authorization, sealed. */
export interface OAuthRecord {
  /** Registrations and tokens by issuer: those of one authorization server are never shown to another. */
  clients: Record<string, StoredOAuthClientInformation>;
  tokens: Record<string, StoredOAuthTokens>;
  lastIssuer?: string;
  verifier?: string;
  /** Scope that a call was found to need beyond what was granted: asked for in the next flow. */
  wantedScope?: string;
  discovery?: OAuthDiscoveryState;
}

/**
 * The memory of one authorization, as the SDK's OAuth client wants it. Only an interactive flow, which a person has
 * started, leaves traces of a flow: a call that meets an expired token must not replace the verifier of a flow that a
 * person is in the middle of.
 */
export class FleetOAuthProvider implements OAuthClientProvider {
  /** Where the person has to go, once an interactive flow got that far. */
  authorizationUrl: URL | undefined;
  /** Set while the code that a person came back with is exchanged. */
  returning = false;
  private discovered: OAuthDiscoveryState | undefined;
  readonly clientMetadataUrl?: string;

  constructor(
    private readonly key: OAuthKey,
    private readonly fixed: FixedClient,
    protected readonly options: OAuthClientOptions,
    private readonly interactive: boolean,
  ) {
    if (options.clientMetadataUrl !== undefined) this.clientMetadataUrl = options.clientMetadataUrl;
  }

  get redirectUrl(): string | undefined {
    const { redirectUrl } = this.options;
    return typeof redirectUrl === 'function' ? redirectUrl() : redirectUrl;
  }

  get clientMetadata(): OAuthClientMetadata {
    const { clientName } = this.options;
    const redirectUrl = this.redirectUrl ?? '';
    const { clientSecret, scope } = this.fixed;
    return {
      client_name: clientName,
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...(clientSecret === undefined && this.fixed.clientId !== undefined
        ? { token_endpoint_auth_method: 'none' }
        : {}),
      ...(scope === undefined ? {} : { scope }),
    };
  }

  async state(): Promise<string> {
    const state = randomBytes(32).toString('base64url');
    const { store, now } = this.options;
    if (this.interactive) await store.rememberState(state, this.key, now() + STATE_LIFETIME_MS);
    return state;
  }

  async clientInformation(
    context?: OAuthClientInformationContext,
  ): Promise<StoredOAuthClientInformation | undefined> {
    const { clientId, clientSecret } = this.fixed;
    // Bound to the authorization server of the configuration, else to whichever the server names.
    const issuer = this.fixed.issuer ?? context?.issuer;
    if (clientId !== undefined) {
      return {
        client_id: clientId,
        ...(clientSecret === undefined ? {} : { client_secret: clientSecret }),
        ...(issuer === undefined ? {} : { issuer }),
      };
    }
    const { clients, lastIssuer } = await this.load();
    return clients[context?.issuer ?? lastIssuer ?? ''];
  }

  async saveClientInformation(
    client: StoredOAuthClientInformation,
    context?: OAuthClientInformationContext,
  ): Promise<void> {
    const issuer = context?.issuer ?? '';
    await this.change((record) => {
      // A call that met a closed door meanwhile does not replace the client that a person's flow is under way with.
      if (this.interactive || record.clients[issuer] === undefined) record.clients[issuer] = client;
    });
  }

  async tokens(context?: OAuthClientInformationContext): Promise<StoredOAuthTokens | undefined> {
    const { tokens, lastIssuer } = await this.load();
    return tokens[context?.issuer ?? lastIssuer ?? ''];
  }

  async saveTokens(tokens: StoredOAuthTokens, context?: OAuthClientInformationContext): Promise<void> {
    await this.change((record) => {
      const issuer = context?.issuer ?? '';
      record.tokens[issuer] = tokens;
      record.lastIssuer = issuer;
      delete record.verifier;
      delete record.wantedScope;
      // Read anew for the next flow: a server may move to another authorization server.
      delete record.discovery;
    });
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    if (this.interactive) {
      if (url.protocol !== 'https:' && url.protocol !== 'http:') {
        throw new AppError(
          'SERVER_AUTH_REQUIRED',
          `The page that grants access is no web page (${url.protocol}).`,
        );
      }
      // The SDK takes a server that does not say so for one that supports PKCE; the specification wants it refused.
      const { code_challenge_methods_supported: methods } =
        this.discovered?.authorizationServerMetadata ?? {};
      if (methods?.includes('S256') !== true) {
        throw new AppError(
          'SERVER_AUTH_REQUIRED',
          'The authorization server does not support PKCE with S256.',
        );
      }
      this.authorizationUrl = url;
      return;
    }
    const scope = url.searchParams.get('scope');
    if (scope === null) return;
    await this.change((record) => {
      // Without anything granted the next flow asks for what the server names anyway; and it may just have been granted.
      const granted = record.tokens[record.lastIssuer ?? ''];
      if (granted !== undefined && granted.scope !== scope) record.wantedScope = scope;
    });
  }

  /** Scope beyond the granted one that calls need, if any. */
  async wantedScope(): Promise<string | undefined> {
    return (await this.load()).wantedScope;
  }

  async saveCodeVerifier(verifier: string): Promise<void> {
    if (!this.interactive) return;
    await this.change((record) => {
      record.verifier = verifier;
    });
  }

  async codeVerifier(): Promise<string> {
    const { verifier } = await this.load();
    if (verifier === undefined) throw new Error('No authorization is under way.');
    return verifier;
  }

  async saveDiscoveryState(discovery: OAuthDiscoveryState): Promise<void> {
    this.discovered = discovery;
    if (!this.interactive) return;
    await this.change((record) => {
      record.discovery = discovery;
    });
  }

  async discoveryState(): Promise<OAuthDiscoveryState | undefined> {
    // Needed between sending the person off and their return only.
    const { discovery, verifier } = await this.load();
    return this.returning && verifier !== undefined ? discovery : undefined;
  }

  async invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): Promise<void> {
    await this.change((record) => {
      if (scope === 'all' || scope === 'client') record.clients = {};
      if (scope === 'all' || scope === 'tokens') {
        record.tokens = {};
        delete record.lastIssuer;
      }
      if (scope === 'all' || scope === 'verifier') delete record.verifier;
      if (scope === 'all' || scope === 'discovery') delete record.discovery;
    });
  }

  private async load(): Promise<OAuthRecord> {
    return recordOf(await this.options.store.load(this.key));
  }

  private async change(edit: (record: OAuthRecord) => void): Promise<void> {
    await this.options.store.change(this.key, (stored) => {
      const record = recordOf(stored);
      edit(record);
      return record as unknown as JsonObject;
    });
  }
}

/** What the store holds of an authorization, or an empty record. */
export function recordOf(stored: JsonObject | undefined): OAuthRecord {
  return (stored as unknown as OAuthRecord | undefined) ?? { clients: {}, tokens: {} };
}
