import { type AppError, toAppError } from '@/lib/protocol/errors';
import { refuseNul } from '@/server/adapters/http/body';
import { CLIENT_HEADER, hashOf } from '@/server/adapters/identity/authenticate';
import type { BetterAuth } from '@/server/adapters/identity/better-auth';
import type { RateLimit } from '@/server/adapters/identity/rate-limit';
import { scimProblem, scimRequest } from '@/server/adapters/identity/scim';
import type { OwnRole } from '@/server/ports/identity-store';
import type { Log } from '@/server/ports/log';
import type { ScimStore, ScimToken } from '@/server/ports/scim-store';

/** Where directories find us, below the address of this instance. */
export const SCIM_PATH = '/api/auth/scim/v2';
const MEDIA_TYPE = 'application/scim+json';
/** A group of a thousand members is some hundred kilobytes. */
const MAX_BODY = 512 * 1024;
const BEARER = /^Bearer\s+([\x21-\x7e]{8,200})$/i;

const OPEN = [
  /^(GET|POST) \/(Users|Groups)$/,
  /^(GET|PUT|PATCH|DELETE) \/(Users|Groups)\/[^/]+$/,
  /^GET \/(ServiceProviderConfig|ResourceTypes|Schemas)(\/[^/]+)?$/,
] as const;

export interface ScimGateDeps {
  auth: () => BetterAuth;
  store: ScimStore;
  /** Refuses foreign hosts; throws FORBIDDEN_ORIGIN. */
  checkHost: (request: Request) => void;
  /** Requests without a good token, from one address. */
  byAddress: RateLimit;
  /** Requests of one organisation's directories; null without a limit. */
  byOrganization: RateLimit | null;
  roles: (organizationId: string) => Promise<OwnRole[]>;
  /** Writes down what a directory did. */
  wrote: (
    token: ScimToken,
    address: string,
    action: string,
    object: string,
    details: object,
  ) => Promise<void>;
  /** What the sealed audit log holds in place of an address: addresses can be erased, its entries cannot. */
  digest: (email: string) => string;
  log: Log;
}

/** Everything below /api/auth/scim/v2, for programs with a token of an organisation; null for other addresses. */
export function createScimGate(deps: ScimGateDeps) {
  return async (request: Request): Promise<Response | null> => {
    const { pathname } = new URL(request.url);
    if (pathname !== SCIM_PATH && !pathname.startsWith(`${SCIM_PATH}/`)) return null;
    try {
      return await answer(request, pathname.slice(SCIM_PATH.length), deps);
    } catch (error) {
      const known = toAppError(error);
      const status = known.entry.httpStatus;
      if (status >= 500)
        deps.log.error('scim', { path: pathname, error: String((known.cause as Error)?.stack ?? known) });
      return problem(status, known.message, headersOf(known));
    }
  };
}

async function answer(request: Request, path: string, deps: ScimGateDeps): Promise<Response> {
  const { method } = request;
  // The token says who asks, nothing that a browser adds by itself: no cookie gets further, so no Origin has to be asked.
  const headers = new Headers(request.headers);
  for (const name of ['origin', 'cookie', 'referer']) headers.delete(name);
  deps.checkHost(new Request(request.url, { headers }));
  const address = headers.get(CLIENT_HEADER) ?? 'unknown';
  const presented = BEARER.exec(headers.get('authorization') ?? '')?.[1];
  const token = presented === undefined ? null : await deps.store.token(hashOf(presented));
  if (token === null) {
    await deps.byAddress.take(address);
    return problem(401, 'A token of an organisation is needed.', {
      'www-authenticate': 'Bearer realm="SCIM"',
    });
  }
  await deps.byOrganization?.take(token.organizationId);
  if (!OPEN.some((one) => one.test(`${method} ${path}`))) return problem(404, 'There is nothing here.');
  const hasBody = method !== 'GET' && method !== 'DELETE';
  const body = hasBody ? await bodyOf(request) : null;
  if (hasBody && body === null)
    return problem(413, `The limit is ${MAX_BODY} bytes.`, { connection: 'close' });
  refuseNul(request, body ?? '');
  // What was counted is not what is sent on.
  headers.delete('content-length');
  const copy = new Request(request.url, { method, headers, body });
  const roles = method === 'GET' ? [] : await deps.roles(token.organizationId);
  const response = await scimRequest.run({ token, roles }, () => deps.auth().handler(copy));
  response.headers.set('cache-control', 'no-store');
  if (method !== 'GET' && response.ok) await tell(response.clone(), method, path, token, address, deps);
  return response;
}

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'update',
  DELETE: 'delete',
};

/** One entry of the audit log for each write. */
async function tell(
  response: Response,
  method: string,
  path: string,
  token: ScimToken,
  address: string,
  deps: ScimGateDeps,
): Promise<void> {
  const [, kind, named = ''] = path.split('/');
  const text = await response.text();
  const made = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  const id = typeof made.id === 'string' ? made.id : decodeURIComponent(named);
  const { userName, active, displayName } = made;
  const person = typeof userName === 'string' ? deps.digest(userName) : undefined;
  const details = kind === 'Users' ? { person, active } : { displayName };
  const action = `scim.${kind === 'Users' ? 'user' : 'group'}.${VERBS[method]}`;
  await deps.wrote(token, address, action, id, JSON.parse(JSON.stringify(details)) as object);
}

/** The body as text; null when it is too large. */
async function bodyOf(request: Request): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function problem(status: number, detail: string, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(scimProblem(status, detail)), {
    status,
    headers: { 'content-type': MEDIA_TYPE, 'cache-control': 'no-store', ...headers },
  });
}

function headersOf(error: AppError): Record<string, string> {
  const retryAfter = (error.details as { retryAfter?: number } | undefined)?.retryAfter;
  return retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
}
