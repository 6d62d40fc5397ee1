import { randomUUID } from 'node:crypto';
import { apiKey } from '@better-auth/api-key';
import { oauthProvider } from '@better-auth/oauth-provider';
import { sso } from '@better-auth/sso';
import { type BetterAuthPlugin, betterAuth } from 'better-auth';
import { prismaAdapter } from 'better-auth/adapters/prisma';
import { createAccessControl } from 'better-auth/plugins/access';
import { jwt } from 'better-auth/plugins/jwt';
import { organization } from 'better-auth/plugins/organization';
import { ROLES } from '@/lib/protocol/actor';
import { ALL_PERMISSIONS } from '@/lib/protocol/permissions';
import { createScim, scimHooks } from '@/server/adapters/identity/scim';
import type { IdentityStore } from '@/server/ports/identity-store';
import type { Log } from '@/server/ports/log';
import type { ScimStore } from '@/server/ports/scim-store';

/** How long a session lasts, and after how long its use prolongs it, in seconds. */
export const SESSION_S = 7 * 86_400;
export const REFRESH_AFTER_S = 600;
/** Shortest password, in characters. */
export const MIN_PASSWORD = 12;

/** An OpenID Connect provider whose users may sign in. */
export interface OidcSettings {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Domain of the e-mail addresses that sign in there. */
  domain: string;
}

export interface BetterAuthDeps {
  /** A client that connects as oc_auth. */
  prisma: Parameters<typeof prismaAdapter>[0];
  store: IdentityStore;
  log: Log;
  /** Where browsers reach this instance. */
  baseUrl: string;
  /** What cookies and tokens are signed with. */
  secret: string;
  oidc: OidcSettings | null;
  /** Makes somebody who has signed in for the first time at the OpenID Connect provider a member. */
  welcome: (userId: string) => Promise<void>;
  scim: ScimStore;
  /** The user whom the directory brought in under an address and who has not signed in yet, in the provider's organisation. */
  awaited: (email: string) => Promise<string | null>;
}

/** The plugin's own endpoints for members and roles are closed (gate.ts): ours, with our table, take their place. */
const nothing = createAccessControl({ organization: [] as string[] });

/** Name of the provider of the settings in addresses: /api/auth/sso/callback/oidc. */
export const OIDC_PROVIDER = 'oidc';

/** Sign-in as better-auth does it: passwords, sessions, organisations, API keys, OpenID Connect both ways. */
export function createBetterAuth(deps: BetterAuthDeps) {
  const { prisma, store, log, baseUrl, oidc } = deps;
  const isSecure = baseUrl.startsWith('https:');
  return betterAuth({
    appName: 'OpenConductor',
    baseURL: baseUrl,
    basePath: '/api/auth',
    secret: deps.secret,
    // Requests come through the gate, which has refused foreign hosts and origins: what is left is one of ours.
    trustedOrigins: (request) => {
      const origin = request?.headers.get('origin');
      return [baseUrl, ...(origin ? [origin] : []), ...(oidc ? [new URL(oidc.issuer).origin] : [])];
    },
    database: prismaAdapter(prisma, { provider: 'postgresql', transaction: true }),
    telemetry: { enabled: false },
    logger: {
      level: 'warn',
      log: (level, message) => log.warn('auth', { level, message: String(message) }),
    },
    advanced: {
      cookiePrefix: 'openconductor',
      useSecureCookies: isSecure,
      defaultCookieAttributes: { sameSite: 'lax', httpOnly: true, path: '/' },
      ipAddress: { ipAddressHeaders: ['x-openconductor-client'] },
      // The directory's groups have up to a thousand members, which the library reads at once; its own limit is 100.
      database: { generateId: () => randomUUID(), defaultFindManyLimit: 5_000 },
    },
    emailAndPassword: {
      enabled: true,
      minPasswordLength: MIN_PASSWORD,
      maxPasswordLength: 200,
      revokeSessionsOnPasswordReset: true,
    },
    session: { expiresIn: SESSION_S, updateAge: REFRESH_AFTER_S },
    // Sign-in is throttled in front of this, by account and by address (gate.ts).
    rateLimit: { enabled: false },
    databaseHooks: {
      session: {
        create: {
          async before(session) {
            const found = await store.membership(session.userId, null);
            return { data: { ...session, activeOrganizationId: found?.organizationId ?? null } };
          },
        },
        ...scimHooks.session,
      },
    },
    plugins: [
      organization({
        ac: nothing,
        roles: Object.fromEntries(ROLES.map((role) => [role, nothing.newRole({ organization: [] })])),
        creatorRole: 'owner',
        organizationLimit: 20,
        membershipLimit: 10_000,
        teams: { enabled: true, defaultTeam: { enabled: false } },
      }),
      apiKey({
        defaultPrefix: 'oc_',
        defaultKeyLength: 40,
        startingCharactersConfig: { shouldStore: true, charactersLength: 9 },
        enableMetadata: true,
        maximumNameLength: 80,
        rateLimit: { enabled: false },
        keyExpiration: { minExpiresIn: 0, maxExpiresIn: 3_650 },
        enableSessionForAPIKeys: false,
      }),
      jwt(),
      // Its types do not hold under exactOptionalPropertyTypes.
      oauthProvider({
        loginPage: '/signin',
        consentPage: '/consent',
        scopes: ['openid', 'profile', 'email', 'offline_access', ...ALL_PERMISSIONS],
        allowDynamicClientRegistration: true,
        allowUnauthenticatedClientRegistration: true,
        postLogin: {
          page: '/signin',
          shouldRedirect: () => false,
          consentReferenceId: ({ session }) =>
            (session?.activeOrganizationId as string | undefined) ?? undefined,
        },
      }) as unknown as BetterAuthPlugin,
      sso({
        provisionUserOnEveryLogin: false,
        provisionUser: ({ user }) => deps.welcome(user.id),
        async resolveUser(input) {
          if (!oidc || input.protocol !== 'oidc' || input.providerId !== OIDC_PROVIDER)
            return { action: 'continue' };
          // An address counts when the provider vouches for it: it has verified it, or the domain is its own.
          const email = input.providerUser.email.toLowerCase();
          const isVouched = input.providerClaims.email_verified === true || email.endsWith(`@${oidc.domain}`);
          const userId = isVouched ? await deps.awaited(email) : null;
          return userId === null ? { action: 'continue' } : { action: 'link', userId, profile: 'preserve' };
        },
        ...(oidc
          ? {
              defaultSSO: [
                {
                  domain: oidc.domain,
                  providerId: OIDC_PROVIDER,
                  oidcConfig: {
                    issuer: oidc.issuer,
                    pkce: true,
                    clientId: oidc.clientId,
                    clientSecret: oidc.clientSecret,
                    discoveryEndpoint: `${oidc.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
                  },
                },
              ],
            }
          : {}),
      }),
      createScim(deps.scim) as unknown as BetterAuthPlugin,
    ],
  });
}

export type BetterAuth = ReturnType<typeof createBetterAuth>;
