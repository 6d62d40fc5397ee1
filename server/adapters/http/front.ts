import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { CLIENT_HEADER } from '@/server/adapters/identity/authenticate';

/** Pages without scripts of Next, which bring a policy of their own. */
const OWN_POLICY: ReadonlySet<string> = new Set(['/api/docs', '/api/oauth/callback']);

const YEAR_S = 31_536_000;

export interface FrontOptions {
  /** A reverse proxy of ours is in front: it says where a request came from. */
  trustProxy: boolean;
  /** Browsers reach this instance over TLS. */
  isSecure: boolean;
  /** Origins that a form may end at, besides our own: where people are sent to sign in. */
  formTargets: readonly string[];
}

/**
 * What every request and answer gets before anything else happens: the address it came from (never what a caller says of
 * itself) and the headers that tell browsers what pages may do. Scripts need the nonce, which Next reads from the request.
 */
export function atTheFront(request: IncomingMessage, response: ServerResponse, options: FrontOptions): void {
  const forwarded = request.headers['x-forwarded-for'];
  request.headers[CLIENT_HEADER] = clientAddress(forwarded, request.socket.remoteAddress, options.trustProxy);
  const policy = contentPolicy(randomBytes(16).toString('base64'), options);
  request.headers['content-security-policy'] = policy;
  const path = request.url?.split('?')[0] ?? '';
  if (!OWN_POLICY.has(path)) response.setHeader('content-security-policy', policy);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'same-origin');
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('cross-origin-opener-policy', 'same-origin');
  response.setHeader('permissions-policy', 'camera=(), microphone=(), geolocation=()');
  if (options.isSecure)
    response.setHeader('strict-transport-security', `max-age=${YEAR_S}; includeSubDomains`);
}

/** No script without the nonce; `strict-dynamic` lets those of Next load their parts. */
function contentPolicy(nonce: string, { formTargets }: FrontOptions): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'`,
    // React and the grid set style attributes.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self' ws: wss:",
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action ${["'self'", ...formTargets].join(' ')}`,
  ].join('; ');
}

/** Where a request came from: what a proxy of ours says, else the other end of the connection. */
export function clientAddress(
  forwarded: string | string[] | undefined,
  remote: string | undefined,
  trustProxy: boolean,
): string {
  if (trustProxy && typeof forwarded === 'string') {
    const last = forwarded.split(',').at(-1)?.trim();
    if (last && /^[0-9a-fA-F.:]{2,45}$/.test(last)) return last;
  }
  return remote ?? 'unknown';
}
