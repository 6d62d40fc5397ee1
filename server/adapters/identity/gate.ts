import { z } from 'zod';
import { AppError, toAppError, toProblem, zodToAppError } from '@/lib/protocol/errors';
import { refuseNul } from '@/server/adapters/http/body';
import { CLIENT_HEADER } from '@/server/adapters/identity/authenticate';
import { type BetterAuth, MIN_PASSWORD } from '@/server/adapters/identity/better-auth';
import { networkOf } from '@/server/adapters/identity/network';
import type { RateLimit } from '@/server/adapters/identity/rate-limit';
import type { Invitation } from '@/server/ports/identity-store';
import type { Log } from '@/server/ports/log';

const BASE = '/api/auth';
/** Bodies here are a few names and a password. */
const MAX_BODY = 16 * 1024;

/** What of better-auth is open. Members, roles, invitations and keys have operations of ours instead, which ask the table. */
const OPEN: readonly RegExp[] = [
  /^POST \/sign-in\/(email|sso)$/,
  /^POST \/sign-out$/,
  /^GET \/get-session$/,
  /^GET \/list-sessions$/,
  /^POST \/(revoke-session|revoke-other-sessions|change-password)$/,
  /^GET \/sso\/callback(\/[a-z]+)?$/,
  /^POST \/organization\/(create|set-active)$/,
  /^GET \/organization\/list$/,
  /^(GET|POST) \/oauth2\/(authorize|userinfo|end-session)$/,
  /^POST \/oauth2\/(token|consent|continue|introspect|revoke|register)$/,
  /^GET \/oauth2\/public-client$/,
  /^GET \/(jwks|error)$/,
  /^GET \/\.well-known\/(openid-configuration|oauth-authorization-server)$/,
];

const credentials = {
  name: z.string().trim().min(1).max(120),
  password: z.string().min(MIN_PASSWORD).max(200),
};
const firstOwnerSchema = z.object({
  token: z.string().min(1).max(200),
  email: z.email().max(200),
  ...credentials,
});
const joinSchema = z.object({ name: credentials.name.optional(), password: credentials.password.optional() });

export interface GateDeps {
  auth: () => BetterAuth;
  /** Refuses foreign hosts and origins; throws FORBIDDEN_ORIGIN. */
  checkOrigin: (request: Request) => void;
  /** People may sign in at an OpenID Connect provider. */
  hasSso: boolean;
  /** Failed sign-ins of one account, and all sign-ins from one address. */
  byAccount: RateLimit;
  byAddress: RateLimit;
  /** Uses the link that was printed at start up; `giveBack` makes it good again. Throws UNAUTHENTICATED. */
  claimOwnership: (
    token: string,
  ) => Promise<{ settle: (userId: string) => Promise<void>; giveBack: () => Promise<void> }>;
  invitation: (id: string) => Promise<Invitation>;
  join: (invitation: Invitation, userId: string) => Promise<void>;
  hasAccount: (email: string) => Promise<boolean>;
  /** Whom the directory brought in and the invitation lets choose a first password; null for everybody else. */
  withoutPassword: (invitation: Invitation) => Promise<string | null>;
  /** Writes down what somebody did here; in the organisation that is named, else in the one they work in. */
  wrote: (userId: string, action: string, address: string, organizationId?: string) => Promise<void>;
  newRequestId: () => string;
  log: Log;
}

/** Everything below /api/auth; null for other addresses. */
export function createGate(deps: GateDeps) {
  return async (request: Request): Promise<Response | null> => {
    const { pathname } = new URL(request.url);
    const wellKnown =
      /^\/\.well-known\/(oauth-authorization-server|openid-configuration)(\/api\/auth)?$/.exec(pathname);
    if (!wellKnown && !pathname.startsWith(`${BASE}/`)) return null;
    const path = wellKnown ? `/.well-known/${wellKnown[1]}` : pathname.slice(BASE.length);
    try {
      deps.checkOrigin(request);
      return await answer(request, path, deps);
    } catch (error) {
      const known = toAppError(error);
      const problem = toProblem(known, deps.newRequestId());
      if (problem.status >= 500)
        deps.log.error('auth', { path, error: String((known.cause as Error)?.stack ?? known) });
      const retryAfter = (known.details as { retryAfter?: number } | undefined)?.retryAfter;
      return Response.json(problem, {
        status: problem.status,
        headers: {
          'content-type': 'application/problem+json',
          'cache-control': 'no-store',
          // What was not read of a body too large must not be taken for the next request.
          ...(known.code === 'PAYLOAD_TOO_LARGE' ? { connection: 'close' } : {}),
          ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
        },
      });
    }
  };
}

async function answer(request: Request, path: string, deps: GateDeps): Promise<Response> {
  const { method } = request;
  const address = request.headers.get(CLIENT_HEADER) ?? 'unknown';
  const from = networkOf(address);
  const invited = /^\/invitations\/([\w-]{1,64})$/.exec(path)?.[1];
  if (method === 'POST' && path === '/first-owner') {
    await deps.byAddress.take(from);
    const { token, ...person } = await bodyOf(request, firstOwnerSchema);
    const { settle, giveBack } = await deps.claimOwnership(token);
    try {
      return await signUp(request, person, settle, deps);
    } catch (error) {
      await giveBack();
      throw error;
    }
  }
  if (method === 'GET' && path === '/ways') return Response.json({ sso: deps.hasSso });
  if (invited !== undefined && method === 'GET') {
    await deps.byAddress.take(from);
    const invitation = await deps.invitation(invited);
    const { email, organization, role, expiresAt } = invitation;
    const hasAccount = (await deps.hasAccount(email)) && (await deps.withoutPassword(invitation)) === null;
    return Response.json(
      { email, organization, role, expiresAt, hasAccount },
      { headers: { 'cache-control': 'no-store' } },
    );
  }
  if (invited !== undefined && method === 'POST') {
    await deps.byAddress.take(from);
    return accept(request, await deps.invitation(invited), deps);
  }
  if (!OPEN.some((one) => one.test(`${method} ${path}`)))
    throw new AppError('NOT_FOUND', 'There is nothing here.');
  const bounded = await boundedCopy(request, path);
  if (path === '/sign-in/email') return signIn(bounded, address, deps);
  if (path === '/oauth2/register') await refuseCalledAddresses(bounded.clone());
  const response = await deps.auth().handler(bounded);
  if (path.startsWith('/.well-known/')) return withoutBackChannel(response);
  const action = WRITES[path];
  if (action !== undefined && response.ok) {
    const session = await deps.auth().api.getSession({ headers: request.headers });
    const made = path === '/organization/create' ? ((await response.clone().json()) as { id?: string }) : {};
    if (session) await deps.wrote(session.user.id, action, address, made.id);
  }
  return response;
}

/** What of better-auth's endpoints changes something that the audit log tells of. */
const WRITES: Readonly<Record<string, string>> = {
  '/organization/create': 'organization.create',
  '/change-password': 'user.password',
  '/revoke-session': 'session.revoke',
  '/revoke-other-sessions': 'session.revoke-others',
  '/oauth2/consent': 'oauth.consent',
};

/**
 * A program registers without anybody's leave: what it says of itself must not hold an address that this process would call
 * later (the sign-in library does so without the guard that our own requests have). Throws INVALID_INPUT.
 */
async function refuseCalledAddresses(request: Request): Promise<void> {
  const given = await bodyOf(request, z.looseObject({}));
  for (const name of ['backchannel_logout_uri', 'jwks_uri'] as const) {
    if (given[name] === undefined || given[name] === null) continue;
    throw new AppError('INVALID_INPUT', `${name} is not supported: this instance calls no client.`, {
      path: `/${name}`,
    });
  }
}

/** The metadata without the feature that `refuseCalledAddresses` refuses. */
async function withoutBackChannel(response: Response): Promise<Response> {
  if (!response.ok) return response;
  const metadata = (await response.json()) as Record<string, unknown>;
  return Response.json(
    { ...metadata, backchannel_logout_supported: false, backchannel_logout_session_supported: false },
    { headers: { 'cache-control': response.headers.get('cache-control') ?? 'no-store' } },
  );
}

/** A password is guessed slowly: failures count for the account wherever they come from, and for the address whomever they are about. */
async function signIn(request: Request, address: string, deps: GateDeps): Promise<Response> {
  const { email } = await bodyOf(request.clone(), z.looseObject({ email: z.string().max(200) }));
  const account = email.trim().toLowerCase();
  await deps.byAddress.take(networkOf(address));
  await deps.byAccount.take(account);
  const response = await deps.auth().handler(request);
  if (response.ok) {
    await deps.byAccount.forget(account);
    const { user } = (await response.clone().json()) as { user?: { id: string } };
    if (user) await deps.wrote(user.id, 'session.sign-in', address);
  } else deps.log.warn('sign_in', { status: 'failed', address });
  return response;
}

async function accept(request: Request, invitation: Invitation, deps: GateDeps): Promise<Response> {
  const session = await deps.auth().api.getSession({ headers: request.headers });
  const { name, password } = await bodyOf(request, joinSchema);
  if (session) {
    if (session.user.email !== invitation.email) {
      throw new AppError('FORBIDDEN', `This invitation is for ${invitation.email}; sign out first.`);
    }
    await deps.join(invitation, session.user.id);
    return Response.json({ joined: true }, { headers: { 'cache-control': 'no-store' } });
  }
  const awaited = await deps.withoutPassword(invitation);
  if (awaited === null && (await deps.hasAccount(invitation.email))) {
    throw new AppError('UNAUTHENTICATED', `${invitation.email} has an account: sign in to accept.`);
  }
  if (name === undefined || password === undefined) {
    throw new AppError('INVALID_INPUT', 'A new account needs a name and a password.', { path: '/password' });
  }
  if (awaited !== null) return firstPassword(request, invitation, awaited, password, deps);
  const settle = (userId: string) => deps.join(invitation, userId);
  return signUp(request, { name, password, email: invitation.email }, settle, deps);
}

/** Somebody whom the directory brought in chooses a password, and is signed in. Their name is the directory's. */
async function firstPassword(
  request: Request,
  invitation: Invitation,
  userId: string,
  password: string,
  deps: GateDeps,
): Promise<Response> {
  // Uses the invitation up first: it lets one password be chosen.
  await deps.join(invitation, userId);
  const { internalAdapter, password: hasher } = await deps.auth().$context;
  await internalAdapter.linkAccount({
    userId,
    providerId: 'credential',
    accountId: userId,
    password: await hasher.hash(password),
  });
  const { headers } = await deps.auth().api.signInEmail({
    body: { email: invitation.email, password },
    headers: request.headers,
    returnHeaders: true,
  });
  return signedIn(headers, userId);
}

/** Makes an account, settles what it belongs to and signs it in. */
async function signUp(
  request: Request,
  person: { name: string; email: string; password: string },
  settle: (userId: string) => Promise<void>,
  deps: GateDeps,
): Promise<Response> {
  const { headers, response } = await deps.auth().api.signUpEmail({
    body: person,
    headers: request.headers,
    returnHeaders: true,
  });
  await settle(response.user.id);
  return signedIn(headers, response.user.id);
}

function signedIn(headers: Headers, id: string): Response {
  const answer = Response.json({ user: { id } }, { status: 201 });
  answer.headers.set('cache-control', 'no-store');
  for (const cookie of headers.getSetCookie()) answer.headers.append('set-cookie', cookie);
  return answer;
}

/** The request with its whole body, at the address where better-auth answers it: metadata is asked for at the root as well. */
async function boundedCopy(request: Request, path: string): Promise<Request> {
  const { method, headers } = request;
  const url = new URL(request.url);
  url.pathname = BASE + path;
  if (method !== 'POST') refuseNul(request, '');
  return new Request(url, { method, headers, ...(method === 'POST' ? { body: await textOf(request) } : {}) });
}

async function textOf(request: Request): Promise<string> {
  const tooLarge = () => new AppError('PAYLOAD_TOO_LARGE', `The limit is ${MAX_BODY} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY) throw tooLarge();
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  refuseNul(request, text);
  return text;
}

async function bodyOf<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await textOf(request));
  } catch (error) {
    if (error instanceof SyntaxError) throw new AppError('INVALID_JSON', 'The body is not JSON.');
    throw error;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw zodToAppError(parsed.error);
  return parsed.data;
}
