import type { Actor } from '@/lib/protocol/actor';
import {
  AppError,
  type AppError as AppErrorType,
  toAppError,
  toProblem,
  zodToAppError,
} from '@/lib/protocol/errors';
import { type Allowance, allowanceHeaders } from '@/server/adapters/http/allowance';
import { readBody, readBytes } from '@/server/adapters/http/body';
import { type Gate, openGate } from '@/server/adapters/http/object-gate';
import type { Operation } from '@/server/adapters/http/operation';
import type { Log } from '@/server/ports/log';
import type { Telemetry } from '@/server/ports/telemetry';
import type { RequestSpan, Tracing } from '@/server/ports/tracing';

export interface RouterDeps {
  operations: readonly Operation[];
  /** Who asks; throws UNAUTHENTICATED. */
  authenticate: (request: Request) => Promise<Actor>;
  /** Host names under which this instance may be called, besides loopback. */
  allowedHosts: readonly string[];
  maxBodyBytes: number;
  /** Checks permissions; by roles alone when left out. */
  gate?: Gate;
  log: Log;
  newRequestId: () => string;
  /** Fires when the process stops: streams end. */
  stopping?: AbortSignal;
  /** Counts the requests of an actor; throws RATE_LIMITED. Null without a limit. */
  limit?: { take(key: string): Promise<Allowance> } | null;
  /** Counts and times what is answered. */
  telemetry?: Pick<Telemetry, 'requestServed'>;
  /** Left out while tracing is off. */
  tracing?: Pick<Tracing, 'request'> | undefined;
}

interface Route {
  operation: Operation;
  pattern: RegExp;
  names: string[];
  /** Places of the path that are not parameters: more of them make a route the better match. */
  literals: number;
}

/** Who asks where nobody has to sign in: belongs nowhere, may do nothing. */
const NOBODY: Actor = {
  kind: 'system',
  id: 'nobody',
  organizationId: '00000000-0000-0000-0000-000000000000',
  role: 'viewer',
  permissions: [],
  displayName: 'Nobody',
};

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** The REST API as one function from Request to Response, independent of the server in front of it. */
export function createRouter(deps: RouterDeps): (request: Request) => Promise<Response> {
  const routes = deps.operations.map(toRoute).sort((a, b) => b.literals - a.literals);
  const { tracing, telemetry, gate = openGate } = deps;
  const answer = async (request: Request, span?: RequestSpan): Promise<Response> => {
    let template = 'none';
    const requestId = deps.newRequestId();
    const begun = performance.now();
    const { pathname } = new URL(request.url);
    let actor: Actor | undefined;
    let allowance: Allowance | undefined;
    let response: Response;
    try {
      checkHost(request, deps.allowedHosts);
      const { route, params } = match(routes, request.method, pathname);
      const of = route.operation;
      template = of.path;
      span?.route(template);
      if (!of.open) {
        actor = await deps.authenticate(request);
        if (deps.limit) allowance = await deps.limit.take(actor.id);
      }
      let read: Promise<unknown> | undefined;
      const body = () => {
        read ??= of.body
          ? readBody(request, deps.maxBodyBytes, of.yaml === true, of.contents ?? []).then((raw) =>
              parsePart(of.body, raw),
            )
          : Promise.resolve(undefined);
        return read;
      };
      const handle = async (acting: Actor) =>
        of.handle({
          actor: acting,
          ...(of.rawBody ? { raw: await readBytes(request, deps.maxBodyBytes) } : {}),
          params: parsePart(of.params, params) as Record<string, string>,
          query: parsePart(of.query, queryOf(request)),
          body: await body(),
          headers: request.headers,
          signal: deps.stopping ? AbortSignal.any([request.signal, deps.stopping]) : request.signal,
        });
      const given = await (actor === undefined
        ? handle(NOBODY)
        : gate(actor, { operation: of, params, body }, handle));
      if (given instanceof Response) {
        response = given;
        response.headers.set('x-request-id', requestId);
      } else response = json(given.status, given.body, { 'x-request-id': requestId, ...given.headers });
    } catch (error) {
      const known = toAppError(error);
      span?.failed(known.code);
      response = problem(known, requestId, deps.log);
    }
    if (allowance) {
      for (const [name, value] of Object.entries(allowanceHeaders(allowance)))
        response.headers.set(name, value);
    }
    telemetry?.requestServed(request.method, template, response.status, (performance.now() - begun) / 1000);
    deps.log.debug('http_request', {
      method: request.method,
      path: pathname,
      status: response.status,
      duration_ms: Math.round(performance.now() - begun),
      user_id: actor?.id,
      request_id: requestId,
    });
    return response;
  };
  if (tracing === undefined) return (request) => answer(request);
  return (request) => tracing.request(request, (span) => answer(request, span));
}

function toRoute(of: Operation): Route {
  const names: string[] = [];
  const source = of.path.replaceAll('.', '\\.').replace(/\{(\w+)\}/g, (_all, name: string) => {
    names.push(name);
    return '([^/]+)';
  });
  const literals = of.path.split('/').length - names.length;
  return { operation: of, pattern: new RegExp(`^${source}/?$`), names, literals };
}

function match(routes: readonly Route[], method: string, pathname: string) {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed = new Set<string>();
  for (const route of routes) {
    const found = route.pattern.exec(pathname);
    if (!found) continue;
    if (route.operation.method === wanted) {
      const params = Object.fromEntries(route.names.map((name, i) => [name, decode(found[i + 1] ?? '')]));
      return { route, params };
    }
    allowed.add(route.operation.method);
  }
  if (allowed.size > 0) {
    throw new AppError('METHOD_NOT_ALLOWED', `${method} is not for ${pathname}.`, {
      details: { allow: [...allowed] },
    });
  }
  throw new AppError('NOT_FOUND', `There is nothing at ${pathname.slice(0, 200)}.`);
}

function decode(part: string): string {
  let text: string;
  try {
    text = decodeURIComponent(part);
  } catch {
    throw new AppError('INVALID_INPUT', 'The address holds a broken percent-encoding.', { path: '/' });
  }
  return checkedText(text, 'The address');
}

/** A database takes no NUL in a text. */
function checkedText(text: string, what: string): string {
  if (!text.includes('\u0000')) return text;
  throw new AppError('INVALID_INPUT', `${what} holds a NUL character.`, { path: '/' });
}

/**
 * Refuses requests that a web page of another origin made: by Origin (cross-site requests) and by Host (DNS
 * rebinding). Programs send no Origin and the host they dialled.
 */
export function checkHost(request: Request, allowedHosts: readonly string[]): void {
  const isAllowed = (host: string) => {
    const name = host.replace(/:\d+$/, '').toLowerCase();
    return LOOPBACK.has(name) || allowedHosts.includes(name) || allowedHosts.includes('*');
  };
  const host = request.headers.get('host');
  if (host !== null && !isAllowed(host)) {
    throw new AppError('FORBIDDEN_ORIGIN', `The host "${host}" is not one of this instance.`);
  }
  const origin = request.headers.get('origin');
  if (origin === null) return;
  const originHost = URL.canParse(origin) ? new URL(origin).host : '';
  if (originHost !== host && !isAllowed(originHost)) {
    throw new AppError('FORBIDDEN_ORIGIN', `Pages of "${origin}" may not call this instance.`);
  }
}

function queryOf(request: Request): Record<string, string> {
  const query = Object.fromEntries(new URL(request.url).searchParams);
  for (const [name, value] of Object.entries(query)) {
    checkedText(name, 'The query');
    checkedText(value, `The query parameter ${name}`);
  }
  return query;
}

/** A part of the request as its schema gives it; without a schema it is passed on. Throws INVALID_INPUT. */
function parsePart(schema: Operation['query'], given: unknown): unknown {
  if (!schema) return given;
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw zodToAppError(parsed.error);
  return parsed.data;
}

/** A JSON answer that no cache keeps. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  const hasBody = status !== 204 && status !== 304;
  return new Response(hasBody ? JSON.stringify(body) : null, {
    status,
    headers: {
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      'cache-control': 'no-store',
      ...headers,
    },
  });
}

function problem(error: AppErrorType, requestId: string, log: Log): Response {
  const body = toProblem(error, requestId);
  if (body.status >= 500) {
    const cause = error.cause instanceof Error ? error.cause.stack : error.cause;
    log.error('http_request', {
      status: body.status,
      code: error.code,
      request_id: requestId,
      error: error.message,
      cause,
    });
  }
  const { allow, retryAfter, allowance } = (error.details ?? {}) as {
    allow?: string[];
    retryAfter?: number;
    allowance?: Allowance;
  };
  return json(body.status, body, {
    'content-type': 'application/problem+json',
    'x-request-id': requestId,
    ...(allow ? { allow: allow.join(', ') } : {}),
    ...(allowance ? allowanceHeaders(allowance) : {}),
    ...(body.code === 'RATE_LIMITED' ? { 'retry-after': String(retryAfter ?? 1) } : {}),
  });
}
