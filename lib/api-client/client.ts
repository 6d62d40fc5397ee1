import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from '@/lib/api-client/generated/schema';
import { AppError, isErrorCode, type Problem, problemSchema } from '@/lib/protocol/errors';

/** A body of the API by its name in the OpenAPI document: `Schema<'RunSummary'>`. */
export type Schema<N extends keyof components['schemas']> = components['schemas'][N];

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
/** Paths of the API that know a method. */
export type PathsWith<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, { responses: unknown }> ? P : never;
}[keyof paths];

export interface ApiClientOptions {
  /** Address of the instance: `https://conductor.example`. A request may name another one. */
  baseUrl?: string;
  /** Sent as `Authorization: Bearer`. */
  apiKey?: string | undefined;
  /** What sends requests; the runtime's own when left out. */
  fetch?: ((request: Request) => Promise<Response>) | undefined;
}

/** The methods GET, POST, PUT, PATCH and DELETE, typed by path; they throw what `createApiClient` says. */
export type ApiClient = Client<paths, `${string}/${string}`>;

/** An answer that no OpenConductor gives: another program's, or that of a proxy in between. */
export class UnexpectedAnswer extends Error {
  constructor(readonly status: number) {
    super(`HTTP ${status}`);
    this.name = 'UnexpectedAnswer';
  }
}

/**
 * A typed client of the REST API. Every POST carries an Idempotency-Key, a new one unless one is given, so that the very same
 * request can be sent again. What the server refuses is thrown as AppError (its `cause` is the problem document); an error
 * that is no problem document as UnexpectedAnswer. What `fetch` throws passes through.
 */
export function createApiClient({ baseUrl = '', apiKey, fetch }: ApiClientOptions): ApiClient {
  const client = createClient<paths, `${string}/${string}`>({
    baseUrl,
    // A redirect could carry the key elsewhere.
    redirect: 'error',
    headers: {
      accept: 'application/json',
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    ...(fetch === undefined ? {} : { fetch }),
  });
  client.use({
    onRequest: ({ request }) => {
      if (request.method === 'POST' && !request.headers.has('idempotency-key'))
        request.headers.set('idempotency-key', globalThis.crypto.randomUUID());
      return undefined;
    },
    onResponse: async ({ response }) => {
      if (response.status < 400) return;
      const body: unknown = await response.json().catch(() => undefined);
      const problem = problemSchema.safeParse(body);
      throw problem.success ? errorOf(problem.data) : new UnexpectedAnswer(response.status);
    },
  });
  return client;
}

/** The data of an answer: `await take(client.GET(…))`. */
export async function take<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}

/** A problem document as an error. A code that this version does not know becomes INTERNAL; `cause` still has it. */
export function errorOf(problem: Problem): AppError {
  const code = isErrorCode(problem.code) ? problem.code : 'INTERNAL';
  return new AppError(code, problem.detail, {
    cause: problem,
    ...(problem.path === undefined ? {} : { path: problem.path }),
    ...(problem.problems === undefined ? {} : { details: problem.problems }),
  });
}
