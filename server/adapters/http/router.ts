import type { z } from 'zod';
import type { Actor } from '@/lib/protocol/actor';
import {
  AppError,
  type AppError as AppErrorType,
  toAppError,
  toProblem,
  zodToAppError,
} from '@/lib/protocol/errors';
import type { Log } from '@/server/ports/log';

/** A request as an operation sees it: parsed and checked. */
export interface OperationRequest<Q, B> {
  actor: Actor;
  params: Record<string, string>;
  query: Q;
  body: B;
  headers: Headers;
  signal: AbortSignal;
}

export interface OperationResponse {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** One operation of the REST API. `path` is a template such as `/api/v1/runs/{runId}`. */
export interface Operation<Q extends z.ZodType = z.ZodType, B extends z.ZodType = z.ZodType> {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  summary: string;
  query?: Q;
  body?: B;
  handle(request: OperationRequest<z.infer<Q>, z.infer<B>>): Promise<OperationResponse>;
}

/** Keeps the schema types of an operation for its handler, then forgets them for the table. */
export function operation<Q extends z.ZodType, B extends z.ZodType>(of: Operation<Q, B>): Operation {
  return of as unknown as Operation;
}

export interface RouterDeps {
  operations: readonly Operation[];
  /** Who asks; throws UNAUTHENTICATED. */
  authenticate: (request: Request) => Promise<Actor>;
  /** Host names under which this instance may be called, besides loopback. */
  allowedHosts: readonly string[];
  maxBodyBytes: number;
  log: Log;
  newRequestId: () => string;
}

interface Route {
  operation: Operation;
  pattern: RegExp;
  names: string[];
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** The REST API as one function from Request to Response, independent of the server in front of it. */
export function createRouter(deps: RouterDeps): (request: Request) => Promise<Response> {
  const routes = deps.operations.map(toRoute);
  return async (request) => {
    const requestId = deps.newRequestId();
    const begun = performance.now();
    const { pathname } = new URL(request.url);
    let actor: Actor | undefined;
    let response: Response;
    try {
      checkHost(request, deps.allowedHosts);
      const { route, params } = match(routes, request.method, pathname);
      actor = await deps.authenticate(request);
      const given = await route.operation.handle({
        actor,
        params,
        query: parseQuery(route.operation, request),
        body: await parseBody(route.operation, request, deps.maxBodyBytes),
        headers: request.headers,
        signal: request.signal,
      });
      response = json(given.status, given.body, { 'x-request-id': requestId, ...given.headers });
    } catch (error) {
      response = problem(toAppError(error), requestId, deps.log);
    }
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
}

function toRoute(of: Operation): Route {
  const names: string[] = [];
  const source = of.path.replace(/\{(\w+)\}/g, (_all, name: string) => {
    names.push(name);
    return '([^/]+)';
  });
  return { operation: of, pattern: new RegExp(`^${source}/?$`), names };
}

function match(routes: readonly Route[], method: string, pathname: string) {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const allowed: string[] = [];
  for (const route of routes) {
    const found = route.pattern.exec(pathname);
    if (!found) continue;
    if (route.operation.method === wanted) {
      const params = Object.fromEntries(route.names.map((name, i) => [name, decode(found[i + 1] ?? '')]));
      return { route, params };
    }
    allowed.push(route.operation.method);
  }
  if (allowed.length > 0) {
    throw new AppError('METHOD_NOT_ALLOWED', `${method} is not for ${pathname}.`, {
      details: { allow: allowed },
    });
  }
  throw new AppError('NOT_FOUND', `There is nothing at ${pathname}.`);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new AppError('INVALID_INPUT', 'The address holds a broken percent-encoding.', { path: '/' });
  }
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

function parseQuery(of: Operation, request: Request): unknown {
  const given = Object.fromEntries(new URL(request.url).searchParams);
  if (!of.query) return {};
  const parsed = of.query.safeParse(given);
  if (!parsed.success) throw zodToAppError(parsed.error);
  return parsed.data;
}

async function parseBody(of: Operation, request: Request, maxBytes: number): Promise<unknown> {
  if (!of.body) return undefined;
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/(.+\+)?json\b/i.test(type)) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', `The body is "${type || 'of no type'}".`, {
      path: '/headers/content-type',
    });
  }
  const text = await readText(request, maxBytes);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AppError('INVALID_JSON', `The body is not JSON: ${(error as Error).message}.`, { path: '/' });
  }
  const parsed = of.body.safeParse(value);
  if (!parsed.success) throw zodToAppError(parsed.error);
  return parsed.data;
}

async function readText(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = () =>
    new AppError('PAYLOAD_TOO_LARGE', `The body is larger than ${maxBytes} bytes.`, { path: '/' });
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge();
  if (!request.body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new AppError('INVALID_JSON', 'The body is not UTF-8.', { path: '/' });
  }
}

/** A JSON answer that no cache keeps. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(status === 204 ? null : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
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
  const allow = (error.details as { allow?: string[] } | undefined)?.allow;
  return json(body.status, body, {
    'content-type': 'application/problem+json',
    'x-request-id': requestId,
    ...(allow ? { allow: allow.join(', ') } : {}),
    ...(body.code === 'RATE_LIMITED' ? { 'retry-after': '1' } : {}),
  });
}
