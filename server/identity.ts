import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { Actor } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import type { Clock } from '@/lib/shared/clock';
import type { JsonObject } from '@/lib/shared/json';
import type { Operation } from '@/server/adapters/http/operation';
import { erasureOperations } from '@/server/adapters/http/operations/erasure';
import { identityOperations } from '@/server/adapters/http/operations/identity';
import { scimOperations } from '@/server/adapters/http/operations/scim';
import { teamOperations } from '@/server/adapters/http/operations/teams';
import { checkHost } from '@/server/adapters/http/router';
import { actorOf, CLIENT_HEADER, createAuthenticate, hashOf } from '@/server/adapters/identity/authenticate';
import { type BetterAuth, createBetterAuth, type OidcSettings } from '@/server/adapters/identity/better-auth';
import { createGate } from '@/server/adapters/identity/gate';
import { RateLimit } from '@/server/adapters/identity/rate-limit';
import { createScimGate, SCIM_PATH } from '@/server/adapters/identity/scim-gate';
import { createAuditLog } from '@/server/adapters/postgres/audit-log';
import { createErasureStore } from '@/server/adapters/postgres/erasure-store';
import { createIdentityStore } from '@/server/adapters/postgres/identity-store';
import type { Pool } from '@/server/adapters/postgres/pool';
import { createPrisma } from '@/server/adapters/postgres/prisma';
import { createScimStore } from '@/server/adapters/postgres/scim-store';
import { createTeamStore } from '@/server/adapters/postgres/team-store';
import type { MakeCounter } from '@/server/adapters/redis/counters';
import type { Config } from '@/server/config/config';
import type { IdentityStore } from '@/server/ports/identity-store';
import type { Log } from '@/server/ports/log';
import { ErasureService } from '@/server/services/erasure-service';
import { KeyService } from '@/server/services/key-service';
import { MemberService } from '@/server/services/member-service';
import { ScimService } from '@/server/services/scim-service';
import { TeamService } from '@/server/services/team-service';

const FIRST_OWNER = 'first-owner';
const FIRST_OWNER_MS = 24 * 3_600_000;
const TOUCH_MS = 1_000;
const MINUTE_S = 60;
/** Failed sign-ins of one account in a quarter of an hour. */
const ACCOUNT_TRIES = 5;
const ACCOUNT_SECONDS = 900;
/** Sign-ins, sign-ups and looks at invitations from one address in a minute. */
const ADDRESS_TRIES = 30;
/** API keys and OAuth tokens from one address in a minute that are none. */
const KEY_TRIES = 60;

/** A directory may write a group of a thousand members at once. */
const GROUP_MS = 60_000;

export interface IdentityDeps {
  config: Config;
  /** Connections as oc_auth. */
  pool: Pool;
  /** Connections as oc_engine, for what people have run. */
  engine: Pool;
  /** A client that connects as oc_app, for the audit log. */
  prisma: ReturnType<typeof createPrisma>;
  owner: Actor;
  clock: Clock;
  log: Log;
  /** What cookies and tokens are signed with; the same for all processes. */
  secret: string;
  /** Makes what requests and sign-ins are counted with. */
  counter: MakeCounter;
  /** Where browsers reach this instance. */
  publicUrl: () => string;
}

/** Part of the composition root: who may come in, and the operations around people. */
export function createIdentity(deps: IdentityDeps) {
  const { config, pool, clock, log, owner } = deps;
  const store = createIdentityStore(pool);
  const scimStore = createScimStore(pool);
  const authPrisma = createPrisma(pool, GROUP_MS);
  const audit = createAuditLog(deps.prisma);
  const { secret } = deps;
  const oidc = oidcOf(config);
  let made: BetterAuth | undefined;
  // At first use: the address of this instance is known once it listens.
  const auth = () => {
    made ??= createBetterAuth({
      prisma: authPrisma,
      store,
      log,
      baseUrl: deps.publicUrl(),
      secret,
      oidc,
      welcome: (userId) => store.addMember(owner.organizationId, userId, 'viewer'),
      scim: scimStore,
      awaited: (email) => scimStore.withoutPassword(owner.organizationId, email, null),
    });
    return made;
  };
  const uses = keyUses(store, clock, log);
  const isLocal = config.auth === 'local';
  const hosts = [...config.allowedHosts, config.host];
  const limitOf = (name: string, points: number, seconds: number, what: string) =>
    new RateLimit(points, seconds, what, deps.counter(name, points, seconds));
  const guesses = limitOf('guesses', KEY_TRIES, MINUTE_S, 'Too many wrong keys or tokens from this address');
  const check = createAuthenticate({
    store,
    auth,
    secret,
    now: () => clock.now(),
    used: uses.used,
    guesses,
  });
  const digest = (email: string) =>
    createHmac('sha256', deps.secret)
      .update(`person\n${email.trim().toLowerCase()}`)
      .digest('hex')
      .slice(0, 32);
  const members = new MemberService({
    store,
    audit,
    auth: config.auth,
    now: () => clock.now(),
    newId: randomUUID,
    digest,
    publicUrl: deps.publicUrl,
  });
  const keys = new KeyService({
    store,
    audit,
    async makeKey({ userId, organizationId, name, scopes, expiresIn }) {
      const row = await auth().api.createApiKey({
        body: {
          userId,
          name,
          expiresIn,
          metadata: { organizationId },
          ...(scopes === null ? {} : { permissions: statementsOf(scopes) }),
        },
      });
      return { id: row.id, key: row.key };
    },
  });

  const teams = new TeamService({ teams: createTeamStore(pool), store, audit, newId: randomUUID });
  const scim = new ScimService({
    scim: scimStore,
    audit,
    now: () => clock.now(),
    newId: randomUUID,
    newToken() {
      const token = `scim_${randomBytes(32).toString('base64url')}`;
      return { token, hash: hashOf(token) };
    },
    url: () => deps.publicUrl() + SCIM_PATH,
  });
  const scimGate = createScimGate({
    auth,
    store: scimStore,
    checkHost: (request) => checkHost(request, hosts),
    byAddress: limitOf(
      'scim-address',
      ADDRESS_TRIES,
      MINUTE_S,
      'Too many requests without a token from this address',
    ),
    byOrganization:
      config.rateLimit === 0 ? null : limitOf('scim', config.rateLimit, MINUTE_S, 'Too many requests'),
    roles: (organizationId) => store.roles(organizationId),
    async wrote({ id, name: displayName, organizationId }, address, action, object, details) {
      const source = `${address}, directory ${displayName}`;
      const actor: Actor = { kind: 'system', id, organizationId, role: 'admin', displayName, source };
      await audit.record(actor, action, object, details as JsonObject);
    },
    digest,
    log,
  });

  const erasures = new ErasureService({
    store: createErasureStore(pool, deps.engine, deps.prisma),
    identities: store,
    members,
    audit,
    digest,
  });
  const gate = createGate({
    auth,
    checkOrigin(request) {
      checkHost(request, hosts);
      // A sign-in, and what programs send, has no cookie that could be misused.
      if (request.headers.has('cookie')) refuseForgery(request, config.url);
    },
    hasSso: oidc !== null,
    byAccount: limitOf(
      'account',
      ACCOUNT_TRIES,
      ACCOUNT_SECONDS,
      'Too many failed sign-ins for this account',
    ),
    byAddress: limitOf('address', ADDRESS_TRIES, MINUTE_S, 'Too many attempts from this address'),
    async claimOwnership(token) {
      const hash = hashOf(token);
      if (!(await store.takeOneTime(FIRST_OWNER, hash))) {
        throw new AppError('UNAUTHENTICATED', 'This link was used already, or it is not the newest one.');
      }
      return {
        async settle(userId) {
          await store.addMember(owner.organizationId, userId, 'owner');
          await audit.record({ ...owner, id: userId }, 'organization.first-owner', userId, {});
        },
        giveBack: () => store.keepOneTime(FIRST_OWNER, hash, new Date(clock.now() + FIRST_OWNER_MS)),
      };
    },
    async invitation(id) {
      const found = await store.invitation(id);
      if (found?.status === 'pending') return found;
      throw new AppError('INVITATION_NOT_FOUND', 'This invitation was used, withdrawn, or has run out.');
    },
    async join({ id, organizationId, role }, userId) {
      if (!(await store.settleInvitation(id, 'accepted')))
        throw new AppError('INVITATION_NOT_FOUND', 'This invitation was used already.');
      await store.addMember(organizationId, userId, role);
      await audit.record({ ...owner, organizationId, id: userId }, 'member.join', userId, {
        role,
        invitation: id,
      });
    },
    async wrote(userId, action, source, organizationId) {
      const member = await store.membership(userId, organizationId ?? null);
      if (member) await audit.record(actorOf(member, source), action, member.organizationId, {});
    },
    hasAccount: async (email) => (await store.findUser(email)) !== null,
    withoutPassword: ({ organizationId, email, role }) =>
      scimStore.withoutPassword(organizationId, email, role),
    newRequestId: randomUUID,
    log,
  });

  return {
    store,
    operations: [
      ...identityOperations(members, keys),
      ...teamOperations(teams),
      ...scimOperations(scim),
      ...erasureOperations(erasures),
    ] satisfies Operation[],

    /** Requests of one actor in a minute; null without a limit. Nobody is limited on their own machine. */
    limit:
      isLocal || config.rateLimit === 0
        ? null
        : limitOf('requests', config.rateLimit, MINUTE_S, 'Too many requests'),

    /** Who asks. Throws UNAUTHENTICATED, FORBIDDEN. */
    authenticate: (headers: Headers): Promise<Actor> => {
      if (isLocal) return Promise.resolve(withAddress(owner, headers));
      return check(headers);
    },

    /** Who sends a request. What a cookie stands for, and what needs none, is only written by pages of this very instance. */
    async ofRequest(request: Request): Promise<Actor> {
      const actor = isLocal ? withAddress(owner, request.headers) : await check(request.headers);
      // Without sign-in programs need no Origin; a page of another port of this machine has one.
      if (!isLocal || request.headers.has('origin')) refuseForgery(request, config.url);
      return actor;
    },

    /** Requests below /api/auth; null for others. Without sign-in there is nothing there. */
    handle: async (request: Request): Promise<Response | null> =>
      isLocal ? null : ((await scimGate(request)) ?? gate(request)),

    /** What is said at start: how people come in, and the one-time link as long as there is no owner. */
    async notes(): Promise<string[]> {
      if (isLocal)
        return ['No sign-in: whoever can use this machine is the owner (OPENCONDUCTOR_AUTH=local).'];
      if (await store.hasOwner(owner.organizationId)) return [];
      const token = randomBytes(24).toString('base64url');
      await store.keepOneTime(FIRST_OWNER, hashOf(token), new Date(clock.now() + FIRST_OWNER_MS));
      return [`First owner, once, within 24 hours: ${deps.publicUrl()}/setup#${token}`];
    },

    async stop(): Promise<void> {
      await uses.stop();
      await authPrisma.$disconnect();
    },
  };
}

/**
 * Refuses writes by cookie that no page of ours has sent: browsers say where a write comes from (Origin). Other ports of the
 * same machine are the same site to a browser, so that SameSite cookies alone would not keep them out. Throws FORBIDDEN_ORIGIN.
 */
function refuseForgery(request: Request, url: string | undefined): void {
  const { method, headers } = request;
  if (method === 'GET' || method === 'HEAD' || headers.has('authorization')) return;
  const origin = headers.get('origin');
  const host = origin !== null && URL.canParse(origin) ? new URL(origin).host : null;
  if (host !== null && (host === headers.get('host') || (url !== undefined && host === new URL(url).host)))
    return;
  throw new AppError('FORBIDDEN_ORIGIN', 'A write by cookie has to come from a page of this instance.');
}

function oidcOf(config: Config): OidcSettings | null {
  const {
    oidcIssuer: issuer,
    oidcClientId: clientId,
    oidcClientSecret: clientSecret,
    oidcDomain: domain,
  } = config;
  return issuer === undefined ? null : { issuer, clientId, clientSecret, domain };
}

function withAddress(actor: Actor, headers: Headers): Actor {
  const source = headers.get(CLIENT_HEADER);
  return source === null ? actor : { ...actor, source };
}

/** Permissions in the form in which better-auth keeps them: `{"workflows":["read"]}`. */
function statementsOf(permissions: readonly string[]): Record<string, string[]> {
  const statements: Record<string, string[]> = {};
  for (const one of permissions) {
    const [kind = '', verb = ''] = one.split(':');
    statements[kind] = [...(statements[kind] ?? []), verb];
  }
  return statements;
}

/** Counts the use of keys in memory and writes it down once a second: a key in heavy use costs no write a request. */
function keyUses(store: IdentityStore, clock: Clock, log: Log) {
  let counts = new Map<string, number>();
  let cancel: (() => void) | null = null;
  const write = async () => {
    cancel = null;
    const now = counts;
    counts = new Map();
    if (now.size === 0) return;
    await store.touchKeys(now).catch((error: unknown) => log.warn('key_uses', { error: String(error) }));
  };
  return {
    used(keyId: string): void {
      counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
      cancel ??= clock.at(clock.now() + TOUCH_MS, () => void write());
    },
    async stop(): Promise<void> {
      cancel?.();
      await write();
    },
  };
}
