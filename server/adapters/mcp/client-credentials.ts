import {
  createPrivateKeyJwtAuth,
  type OAuthClientMetadata,
  type OAuthClientProvider,
} from '@modelcontextprotocol/client';
import { AppError } from '@/lib/protocol/errors';
import {
  type FixedClient,
  FleetOAuthProvider,
  type OAuthClientOptions,
} from '@/server/adapters/mcp/oauth-provider';
import type { OAuthKey } from '@/server/ports/oauth-store';

/**
 * Access without a person, by the client credentials grant (the extension io.modelcontextprotocol/oauth-client-credentials):
 * the client that the configuration names proves itself with its secret, or with an assertion signed by its key.
 */
export class ClientCredentialsProvider extends FleetOAuthProvider {
  declare readonly addClientAuthentication?: OAuthClientProvider['addClientAuthentication'];

  constructor(
    key: OAuthKey,
    private readonly client: FixedClient,
    options: OAuthClientOptions,
  ) {
    super(key, client, options, false);
    const { clientId, clientSecret, privateKey } = client;
    if (clientId === undefined || (clientSecret === undefined) === (privateKey === undefined)) {
      const message = `The OAuth client of ${key.server} needs a clientId, and a clientSecret or a privateKey.`;
      throw new AppError('SERVER_NOT_CONFIGURED', message);
    }
    if (privateKey !== undefined) {
      const facts = { issuer: clientId, subject: clientId, privateKey, alg: client.algorithm ?? 'ES256' };
      this.addClientAuthentication = createPrivateKeyJwtAuth(facts);
    }
  }

  /** None: nobody is sent anywhere, which is how the SDK knows that the grant needs no person. */
  override get redirectUrl(): undefined {
    return undefined;
  }

  override get clientMetadata(): OAuthClientMetadata {
    const { scope, privateKey } = this.client;
    return {
      client_name: this.options.clientName,
      redirect_uris: [],
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: privateKey === undefined ? 'client_secret_basic' : 'private_key_jwt',
      ...(scope === undefined ? {} : { scope }),
    };
  }

  prepareTokenRequest(scope?: string): URLSearchParams {
    return new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) });
  }
}
