import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { parseCookies } from 'better-call';
import { type Actor, ROLES, type Role } from '@/lib/protocol/actor';
import { AppError } from '@/lib/protocol/errors';
import { type Permission, permissionsOf, standingOf } from '@/lib/protocol/permissions';
import { type BetterAuth, REFRESH_AFTER_S, SESSION_S } from '@/server/adapters/identity/better-auth';
import { networkOf } from '@/server/adapters/identity/network';
import type { RateLimit } from '@/server/adapters/identity/rate-limit';
import type { IdentityStore, Membership, Presented } from '@/server/ports/identity-store';

/** Name of the header in which our own HTTP server puts the caller's address; what a caller sends under it is thrown away. */
export const CLIENT_HEADER = 'x-openconductor-client';

export interface AuthenticateDeps {
  store: IdentityStore;
  auth: () => BetterAuth;
  /** What session cookies are signed with. */
  secret: string;
  now: () => number;
  /** Told that a key was used. */
  used: (keyId: string) => void;
  /** Keys and tokens from one address that turned out to be none. */
  guesses: Pick<RateLimit, 'take' | 'mustHaveLeft'>;
}

/** Keys and tokens remembered as good, so that somebody's guesses from the same address do not keep their owner out. */
const MAX_KNOWN = 10_000;

const BEARER = /^Bearer\s+([\x21-\x7e]{8,1000})$/i;

/** What better-auth keeps of keys and tokens instead of themselves. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** Who sends a request: by API key or OAuth token (Authorization: Bearer), else by session cookie. Throws UNAUTHENTICATED. */
export function createAuthenticate(deps: AuthenticateDeps) {
  const { store, guesses } = deps;
  const known = new Set<string>();
  let cookieName: Promise<string> | undefined;
  /**
   * The member of a session, read in one statement. Null when there is more to do than to read (no session, one that has to be
   * prolonged, a user without an organisation): then the library does it, which asks several times.
   */
  const bySession = async (headers: Headers): Promise<Membership | null> => {
    cookieName ??= deps.auth().$context.then(({ authCookies }) => authCookies.sessionToken.name);
    const cookie = parseCookies(headers.get('cookie') ?? '').get(await cookieName);
    const token = cookie === undefined ? null : signedValue(cookie, deps.secret);
    const session = token === null ? null : await store.session(token);
    if (session === null) return null;
    const isDue = session.expiresAt.getTime() - (SESSION_S - REFRESH_AFTER_S) * 1_000 <= deps.now();
    return isDue ? null : session.member;
  };
  return async (headers: Headers): Promise<Actor> => {
    const address = headers.get(CLIENT_HEADER) ?? undefined;
    const authorization = headers.get('authorization');
    if (authorization !== null) {
      const token = BEARER.exec(authorization)?.[1];
      const isKey = token?.startsWith('oc_') === true;
      const hash = token === undefined ? '' : hashOf(token);
      const from = address === undefined ? null : networkOf(address);
      if (from !== null && !known.has(hash)) await guesses.mustHaveLeft(from);
      const found = token === undefined ? null : await (isKey ? store.apiKey(hash) : store.accessToken(hash));
      if (found === null) {
        known.delete(hash);
        if (from !== null) await guesses.take(from);
        throw new AppError('UNAUTHENTICATED', 'The key or token is not valid, or it has run out.');
      }
      if (known.size < MAX_KNOWN) known.add(hash);
      if (isKey) deps.used(found.id);
      return withCredential(found, isKey, address);
    }
    const signedIn = await bySession(headers);
    if (signedIn !== null) return actorOf(signedIn, address);
    const session = await deps.auth().api.getSession({ headers });
    if (!session) throw new AppError('UNAUTHENTICATED', 'Nobody is signed in.');
    const wanted = (session.session as { activeOrganizationId?: string | null }).activeOrganizationId ?? null;
    const member = await store.membership(session.user.id, wanted);
    if (!member) throw new AppError('FORBIDDEN', `${session.user.email} belongs to no organisation.`);
    return actorOf(member, address);
  };
}

/** A member as an actor. An own role stands where the strongest built-in role stands that it covers. */
export function actorOf(member: Membership, source?: string): Actor {
  const { userId: id, organizationId, name: displayName, permissions } = member;
  const isBuiltIn = permissions === null && (ROLES as readonly string[]).includes(member.role);
  const from = source === undefined ? {} : { source };
  if (isBuiltIn) return { kind: 'user', id, organizationId, role: member.role as Role, displayName, ...from };
  const own = permissions ?? [];
  return {
    kind: 'user',
    id,
    organizationId,
    role: standingOf(new Set(own)),
    permissions: own,
    displayName,
    ...from,
  };
}

/** What a cookie says, when it was signed with this secret as better-auth does it: `value.base64(HMAC-SHA-256)`. */
function signedValue(cookie: string, secret: string): string | null {
  const dot = cookie.lastIndexOf('.');
  if (dot < 1) return null;
  const value = cookie.slice(0, dot);
  const given = Buffer.from(cookie.slice(dot + 1));
  const wanted = Buffer.from(createHmac('sha256', secret).update(value).digest('base64'));
  return given.length === wanted.length && timingSafeEqual(given, wanted) ? value : null;
}

function withCredential(credential: Presented, isKey: boolean, address: string | undefined) {
  const actor = actorOf(credential.member);
  const mine: readonly string[] = actor.permissions ?? [...permissionsOf(actor.role)];
  const kind = isKey ? ('api-key' as const) : ('agent' as const);
  const via = `${isKey ? 'key' : 'client'} ${credential.name || credential.id}`;
  const source = address === undefined ? via : `${address}, ${via}`;
  if (credential.scopes === null) return { ...actor, kind, source };
  const scopes = new Set(credential.scopes);
  // Never more than its user may, whatever was written into the key when that was different.
  const permissions = mine.filter((one) => scopes.has(one) || one === ('about:read' satisfies Permission));
  const role = standingOf(new Set(permissions));
  return { ...actor, kind, source, permissions, role, standing: actor.role, scopes: credential.scopes };
}
