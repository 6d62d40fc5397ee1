import { z } from 'zod';
import { eventPageSchema, runPageSchema, type StartRunBody } from '@/lib/protocol/api';
import { AppError, isErrorCode, problemSchema } from '@/lib/protocol/errors';
import { type RunStatus, runDetailSchema } from '@/lib/protocol/run';
import { uuidv7 } from '@/lib/shared/ids';

/** Milliseconds before a request is given up. */
const TIMEOUT_MS = 15_000;

/** What a started run answers: the id is all that the screen needs, the rest arrives live. */
const startedSchema = z.looseObject({ runId: z.string() });

async function request<T>(schema: z.ZodType<T>, path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      headers: { accept: 'application/json', ...init.headers },
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new AppError('NETWORK_ERROR', 'OpenConductor did not answer.', { cause });
  }
  const text = await response.text();
  const body = parseJson(text);
  if (!response.ok) {
    const error = toError(response, body);
    if (error.code === 'UNAUTHENTICATED' && typeof window !== 'undefined') toSignIn();
    throw error;
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new AppError('INTERNAL', `The answer of ${path} has an unexpected form.`, { cause: parsed.error });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A problem document as an AppError; an answer that is none keeps its HTTP status in the message. */
function toError(response: Response, body: unknown): AppError {
  const problem = problemSchema.safeParse(body);
  const told = (body as { message?: unknown } | undefined)?.message;
  if (!problem.success && response.status < 500 && typeof told === 'string') {
    return new AppError(response.status === 401 ? 'UNAUTHENTICATED' : 'INVALID_INPUT', told);
  }
  if (!problem.success) {
    return new AppError('INTERNAL', `The answer was HTTP ${response.status} ${response.statusText}.`.trim());
  }
  const { code, detail, path, problems } = problem.data;
  return new AppError(isErrorCode(code) ? code : 'INTERNAL', detail, {
    ...(path === undefined ? {} : { path }),
    ...(problems === undefined ? {} : { details: problems }),
  });
}

function query(values: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') search.set(key, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** One request with a JSON body, its answer checked. Throws AppError. */
export function send<T>(schema: z.ZodType<T>, method: string, path: string, body?: unknown): Promise<T> {
  return request(schema, path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
}

/** Sends whoever is not signed in (any more) to the page for it, with the way back. */
function toSignIn(): void {
  const { pathname, search } = window.location;
  if (/^\/(signin|setup|invite|consent)(\/|$)/.test(pathname)) return;
  window.location.assign(`/signin?next=${encodeURIComponent(pathname + search)}`);
}

/** One page of runs, newest first. All functions here throw AppError. */
export function listRuns(options: { status?: RunStatus; cursor?: string; limit?: number } = {}) {
  return request(runPageSchema, `/api/v1/runs${query({ limit: 200, ...options })}`);
}

/** A run with its nodes. */
export function getRun(runId: string) {
  return request(runDetailSchema, `/api/v1/runs/${encodeURIComponent(runId)}`);
}

/** One page of a run's events with a seq above `after`. */
export function listEvents(runId: string, after: number, limit = 1_000) {
  return request(
    eventPageSchema,
    `/api/v1/runs/${encodeURIComponent(runId)}/events${query({ after, limit })}`,
  );
}

/**
 * Starts a run. Each call carries an idempotency key of its own, so that a retry by the browser or a
 * proxy does not start a second run.
 */
export function startRun(body: StartRunBody): Promise<{ runId: string }> {
  const key = uuidv7(Date.now(), crypto.getRandomValues(new Uint8Array(10)));
  return request(startedSchema, '/api/v1/runs', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });
}
