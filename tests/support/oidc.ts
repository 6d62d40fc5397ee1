import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

export interface OidcProvider {
  server: Server;
  issuer: string;
  /** Begins to answer; browsers are sent back to this address. */
  serve: (redirect: string) => void;
}

/** A real OpenID Connect provider in this process; everybody who types a name is that person. */
export async function startProvider(): Promise<OidcProvider> {
  let handle: ReturnType<InstanceType<typeof Provider>['callback']> | undefined;
  const server = createServer((request, response) => void handle?.(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    server,
    issuer,
    serve(redirect) {
      const provider = new Provider(issuer, {
        clients: [
          { client_id: 'openconductor', client_secret: 'a-secret-of-the-test', redirect_uris: [redirect] },
        ],
        claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
        conformIdTokenClaims: false,
        findAccount: async (_context, sub) => ({
          accountId: sub,
          claims: async () => ({
            sub,
            email: `${sub}@acme.example`,
            email_verified: true,
            name: `${sub} of Acme`,
          }),
        }),
        cookies: { keys: ['cookie-key-of-the-test'] },
      });
      handle = provider.callback();
    },
  };
}
